//! The header of a ring: how its maker stores it, and how everybody else knows it.
//!
//! One edge, `header`, from the store of the magic to the look that sees it. All other
//! words of a new ring are zero, which is right.

use super::offsets::ring::{MAGIC, VERSION};
use super::slot::Flag;
use crate::orders::{RELAXED, orders};
use crate::sync::{AtomicU32, AtomicU64};

/// The words of a header that its maker stores.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// Stored last: before it there is no ring.
    pub magic: &'a AtomicU64,
    /// Version of the layout.
    pub version: &'a AtomicU32,
    /// Bytes for records.
    pub capacity: &'a AtomicU64,
    /// Tells this ring from all others.
    pub stream: &'a AtomicU64,
    /// The schema of the messages; 0 means none.
    pub schema: &'a AtomicU64,
}

/// What stands in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Version of the layout. Of another one nothing else here means anything.
    pub version: u32,
    /// Bytes for records.
    pub capacity: u64,
    /// Tells this ring from all others.
    pub stream: u64,
    /// The schema of the messages; 0 means none.
    pub schema: u64,
}

impl Said {
    /// What the maker of a ring says of it.
    #[must_use]
    pub fn of_new(capacity: u64, stream: u64, schema: u64) -> Self {
        Self { version: VERSION, capacity, stream, schema }
    }
}

impl Header<'_> {
    /// Makes a ring of memory that is all zero, or half made.
    pub fn make(self, said: Said) {
        self.version.store(said.version, RELAXED);
        self.capacity.store(said.capacity, RELAXED);
        self.stream.store(said.stream, RELAXED);
        self.schema.store(said.schema, RELAXED);
        // Edge `header`, giving end; pairs with the load in `read`: the side that sees the magic sees what was stored before.
        self.magic.store(MAGIC, orders().ring_made);
    }

    /// What it says.
    ///
    /// # Errors
    /// What stands where the magic belongs: there is no ring, or none yet.
    pub fn read(self) -> Result<Said, u64> {
        // Edge `header`, taking end; pairs with the store in `make`.
        match self.magic.load(orders().ring_recognised) {
            MAGIC => Ok(Said {
                version: self.version.load(RELAXED),
                capacity: self.capacity.load(RELAXED),
                stream: self.stream.load(RELAXED),
                schema: self.schema.load(RELAXED),
            }),
            other => Err(other),
        }
    }
}

/// Stores a word of a new segment that is neither of a ring's header nor of its records: it is made
/// once, under the kernel's lock. No order of it matters.
#[cfg_attr(any(crash, explored), track_caller)]
pub(crate) fn put(word: &AtomicU32, value: u32) {
    word.store(value, RELAXED);
}

/// As [`put`], the flag of a declared slot.
pub(crate) fn put_flag(flag: impl Flag, value: u32) {
    flag.store(value, RELAXED);
}

/// As [`get`], the flag of a declared slot.
pub(crate) fn get_flag(flag: impl Flag) -> u32 {
    flag.load(RELAXED)
}

/// Loads such a word, for the next maker or for an observer.
#[cfg_attr(any(crash, explored), track_caller)]
pub(crate) fn get(word: &AtomicU32) -> u32 {
    word.load(RELAXED)
}

/// The half of a 64-bit word that begins `at` bytes behind its beginning, of memory that nobody else is attached to.
#[cfg(model)]
pub(crate) fn get_half(word: &AtomicU64, at: usize) -> u32 {
    let [low, high] = {
        let bytes = word.load(RELAXED).to_ne_bytes();
        [0, 4].map(|from| u32::from_ne_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]]))
    };
    if at == 0 { low } else { high }
}
