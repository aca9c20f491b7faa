//! The places of a ring: what lies where, and how its words are reached.
//!
//! Records lie at positions that only grow; the place of a position is its
//! remainder by the capacity. A record is a header of two words, the *flag* and
//! the *kind*, and its bytes, padded to 8.
//!
//! Under loom each unit of 8 bytes has an atomic for the flag that may stand
//! there, and two cells for the bytes that may: writing bytes over a unit spoils
//! its flag, so that whoever acts on one that is none is found out.

#[cfg(not(loom))]
use super::Payload;
use super::payload::WORD;
#[cfg(loom)]
use super::payload::{Cell, Payload};
use crate::sync::{AtomicU32, AtomicU64};
use core::marker::PhantomData;

/// The places of a ring's header, and its records.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}, sync::Ordering};
/// let guest = InProc::open(&Channel::ring(4096), Role::Guest)?;
/// let ring = guest.ring();
/// assert_eq!((ring.records.capacity(), ring.longest), (4096, 1024));
/// assert_eq!(ring.head.load(Ordering::Acquire), 0);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Ring<'a> {
    /// Up to here everything was taken, and its bytes can be written again.
    /// Stored by the reader.
    pub head: &'a AtomicU64,
    /// Up to here everything was released; runs ahead of `head`. Stored and used
    /// by readers alone, but for recovery.
    pub released: &'a AtomicU64,
    /// 1 when the reader has met the end of the stream, and removed the memory. Stored by
    /// readers.
    pub closed: &'a AtomicU32,
    /// 1 while the reader sleeps, or is about to.
    pub reader_parked: &'a AtomicU32,
    /// 1 while the writer sleeps, or is about to.
    pub writer_parked: &'a AtomicU32,
    /// Whose peer needs no fence of its own; `None`: each side has its own.
    pub peer_fences: Option<PeerFences<'a>>,
    /// The records.
    pub records: Records<'a>,
    /// The longest record's bytes.
    pub longest: usize,
}

/// By a word at 1 a side says that it has the *peer's* accesses ordered as well before it
/// sleeps. For as long as its word is 1 the peer makes do with a light fence for every
/// record.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{backend::PeerFences, sync::{AtomicU32, Ordering}};
/// let words = [const { AtomicU32::new(0) }; 2];
/// let peer_fences = PeerFences { reader: &words[0], writer: &words[1], reachable: true };
/// assert_eq!(peer_fences.writer.load(Ordering::Relaxed), 0, "new memory holds none");
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PeerFences<'a> {
    /// The reader's.
    pub reader: &'a AtomicU32,
    /// The writer's.
    pub writer: &'a AtomicU32,
    /// Whether the peer's heavy fences reach us.
    pub reachable: bool,
}

/// The bytes of a ring that a peer may change at any moment.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{backend::Records, sync::{AtomicU32, Ordering}};
/// let words = [const { AtomicU32::new(0) }; 16];
/// let records = Records::from_words(&words);
/// records.flag(8).store(6, Ordering::Release);
/// assert_eq!(words[2].load(Ordering::Acquire), 6);
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    #[cfg(not(loom))]
    first: *const AtomicU32,
    #[cfg(loom)]
    flags: &'a [AtomicU32],
    #[cfg(loom)]
    cells: &'a [Cell],
    capacity: usize,
    shared: PhantomData<&'a [AtomicU32]>,
}

/// Bytes of a unit: where a record can begin.
pub(crate) const UNIT: usize = 8;

/// What a model puts in the place of a flag that was written over.
#[cfg(loom)]
const SPOILT: u32 = 0xBAD_F1A6;

impl<'a> PeerFences<'a> {
    /// The reader's, if it holds for us.
    #[inline(always)]
    pub(crate) fn of_reader(self) -> Option<&'a AtomicU32> {
        self.reachable.then_some(self.reader)
    }

    /// The writer's, if it holds for us.
    #[inline(always)]
    pub(crate) fn of_writer(self) -> Option<&'a AtomicU32> {
        self.reachable.then_some(self.writer)
    }
}

impl<'a> Records<'a> {
    /// The records that lie in `words`.
    ///
    /// # Panics
    /// If their bytes are not a power of two, 16 at least.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 16];
    /// assert_eq!(Records::from_words(&words).capacity(), 64);
    /// # }
    /// ```
    #[must_use]
    #[cfg(not(loom))]
    pub fn from_words(words: &'a [AtomicU32]) -> Self {
        let capacity = words.len() * WORD;
        assert!(capacity.is_power_of_two() && capacity >= 2 * UNIT, "{capacity} bytes are no ring");
        Self { first: words.as_ptr(), capacity, shared: PhantomData }
    }

    /// The records that lie in `cells`, their flags in `flags`.
    #[cfg(loom)]
    pub(crate) fn from_model(flags: &'a [AtomicU32], cells: &'a [Cell]) -> Self {
        let capacity = flags.len() * UNIT;
        assert!(capacity.is_power_of_two() && cells.len() * WORD == capacity);
        Self { flags, cells, capacity, shared: PhantomData }
    }

    /// The records of a ring of `capacity` bytes at `first`.
    ///
    /// # Safety
    /// 1. `first` is aligned to 8 bytes, `capacity` a power of two, 16 at least,
    ///    and that many bytes are readable and writable for as long as `'a`
    ///    lasts.
    /// 2. In this process they are accessed through `Records`, `Payload`s or
    ///    32-bit atomics alone. (What other processes do does not matter.)
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::Ordering};
    /// let mut words = [0_u64; 8];
    /// // SAFETY: 64 aligned bytes, which nobody else accesses.
    /// let records = unsafe { Records::from_raw(words.as_mut_ptr().cast(), 64) };
    /// assert_eq!(records.flag(0).load(Ordering::Acquire), 0);
    /// # }
    /// ```
    #[must_use]
    #[cfg(not(model))]
    pub unsafe fn from_raw(first: *mut u8, capacity: usize) -> Self {
        debug_assert!(first.addr().is_multiple_of(UNIT) && capacity.is_power_of_two() && capacity >= 2 * UNIT);
        Self { first: first.cast(), capacity, shared: PhantomData }
    }

    /// Bytes of the ring, a power of two.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 16];
    /// assert_eq!(Records::from_words(&words).capacity(), 64);
    /// # }
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where `position` lies, in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 16];
    /// let records = Records::from_words(&words);
    /// assert_eq!([8, 72, 136].map(|position| records.offset(position)), [8; 3]);
    /// # }
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn offset(&self, position: u64) -> usize {
        // The remainder by a power of two: no more bits than `capacity` has.
        #[allow(clippy::cast_possible_truncation)]
        let low = position as usize;
        low & (self.capacity - 1)
    }

    /// Bytes from `position` to where the ring begins anew.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 16];
    /// assert_eq!(Records::from_words(&words).to_wrap(72), 56);
    /// # }
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn to_wrap(&self, position: u64) -> usize {
        self.capacity - self.offset(position)
    }

    /// The flag of a record at `position`, a multiple of 8.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Records, sync::{AtomicU32, Ordering}};
    /// let words = [const { AtomicU32::new(0) }; 16];
    /// let records = Records::from_words(&words);
    /// records.flag(72).store(1, Ordering::Release);
    /// assert_eq!(words[2].load(Ordering::Acquire), 1, "position 72 lies at byte 8");
    /// # }
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn flag(&self, position: u64) -> &'a AtomicU32 {
        #[cfg(not(loom))]
        return self.word(self.offset(position));
        #[cfg(loom)]
        return &self.flags[self.offset(position) / UNIT];
    }

    #[cfg(not(loom))]
    #[inline(always)]
    fn word(&self, offset: usize) -> &'a AtomicU32 {
        debug_assert!(offset.is_multiple_of(WORD) && offset < self.capacity);
        // SAFETY: an offset is less than the capacity and a multiple of 4 (which
        // `UNIT`s are, and positions), so the word is one of the constructor's.
        unsafe { &*self.first.add(offset / WORD) }
    }

    /// The kind of a record at `position`.
    #[inline(always)]
    pub(crate) fn kind(&self, position: u64) -> u32 {
        let mut kind = [0; WORD];
        self.run(self.offset(position) + WORD, WORD).read_bytes(&mut kind);
        u32::from_ne_bytes(kind)
    }

    /// Sets the kind of a record at `position`.
    #[inline(always)]
    pub(crate) fn set_kind(&self, position: u64, kind: u32) {
        self.run(self.offset(position) + WORD, WORD).write_bytes(&kind.to_ne_bytes());
    }

    /// Writes the bytes of a record at `position`, from its byte `at` on.
    ///
    /// # Panics
    /// If they go beyond the wrap: a caller's mistake, not a peer's.
    #[inline(always)]
    pub(crate) fn write(&self, position: u64, at: usize, bytes: &[u8]) {
        let from = self.offset(position) + UNIT + at;
        #[cfg(loom)]
        for unit in from / UNIT..(from + bytes.len()).div_ceil(UNIT) {
            self.flags[unit].spoil(SPOILT);
        }
        self.run(from, bytes.len().next_multiple_of(WORD)).write_bytes(bytes);
    }

    /// Reads the bytes of a record at `position`.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    #[inline(always)]
    pub(crate) fn read(&self, position: u64, bytes: &mut [u8]) {
        self.run(self.offset(position) + UNIT, bytes.len().next_multiple_of(WORD)).read_bytes(bytes);
    }

    /// Where the bytes of a record at `position` lie.
    #[cfg(not(model))]
    pub(crate) fn bytes(&self, position: u64, len: usize) -> *mut u8 {
        let from = self.offset(position) + UNIT;
        if from + len > self.capacity {
            beyond(from, len, self.capacity);
        }
        // SAFETY: within the constructor's bytes by the check above.
        unsafe { self.first.byte_add(from).cast::<u8>().cast_mut() }
    }

    #[inline(always)]
    fn run(&self, from: usize, len: usize) -> Payload<'a> {
        if len > self.capacity || from > self.capacity - len {
            beyond(from, len, self.capacity);
        }
        #[cfg(not(loom))]
        // SAFETY: within the constructor's bytes by the check above; a whole
        // number of words, as positions and offsets are.
        return unsafe { Payload::from_parts(self.first.add(from / WORD), len / WORD) };
        #[cfg(loom)]
        return Payload::from_words(&self.cells[from / WORD..(from + len) / WORD]);
    }
}

/// By value, so that on the way that is not taken nothing has to lie in memory.
#[cold]
#[inline(never)]
fn beyond(from: usize, len: usize, capacity: usize) -> ! {
    panic!("{len} bytes at {from} go beyond {capacity}")
}
