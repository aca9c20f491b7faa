//! How records are put in: where the next one goes, and how it is made seen.

use super::fences::light_fence;
use super::{PAD, RecordKind, distance, size_of_record, wide};
use crate::backend::{PeerFences, Ring};
use crate::protocol::orders::{RELAXED, orders};

/// The writer's place in a ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    /// Where the next record goes.
    pub(super) tail: u64,
    /// The head as it was seen last.
    pub(super) head: u64,
}

/// A flag that is not in its place yet. What lies behind it is not seen before it is.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Withheld {
    at: u64,
    flag: u32,
}

impl Pen {
    /// Puts a record behind the last one, where it fits.
    #[inline(always)]
    pub(super) fn append(&mut self, ring: Ring<'_>, kind: RecordKind, bytes: &[u8]) -> Withheld {
        let at = self.prepare(ring, bytes.len());
        ring.records.write(at, 0, bytes);
        self.seal(ring, at, bytes.len(), kind)
    }

    /// Whether a record of `len` bytes fits behind the last one, with the flag behind
    /// it.
    #[inline(always)]
    pub(super) fn fits(&self, ring: Ring<'_>, len: usize) -> bool {
        let records = ring.records;
        let (size, to_wrap) = (size_of_record(len), records.to_wrap(self.tail));
        let skipped = if size > to_wrap { to_wrap } else { 0 };
        distance(self.head, self.tail) + wide(skipped + size + 8) <= wide(records.capacity())
    }

    /// Where a record of `len` bytes goes, which fits; what is behind it is marked as
    /// no record.
    #[inline(always)]
    pub(super) fn prepare(&self, ring: Ring<'_>, len: usize) -> u64 {
        let records = ring.records;
        let (size, to_wrap) = (size_of_record(len), records.to_wrap(self.tail));
        let at = if size > to_wrap { self.tail.wrapping_add(wide(to_wrap)) } else { self.tail };
        // Before the bytes: the line it is in is on its way while they are copied.
        // And before the record is published: the reader looks there next.
        records.flag(at.wrapping_add(wide(size))).store(0, RELAXED);
        at
    }

    /// The record at `at`, which was prepared, has its bytes: what is left are its
    /// kind and its flag, which is withheld, or the flag that leads to it.
    #[inline(always)]
    pub(super) fn seal(&mut self, ring: Ring<'_>, at: u64, len: usize, kind: RecordKind) -> Withheld {
        ring.records.set_kind(at, kind as u32);
        // No record is longer than a quarter of a GiB.
        #[allow(clippy::cast_possible_truncation)]
        let mut withheld = Withheld { at, flag: len as u32 + 1 };
        if at != self.tail {
            ring.records.flag(at).store(withheld.flag, RELAXED);
            withheld = Withheld { at: self.tail, flag: PAD };
        }
        self.tail = at.wrapping_add(wide(size_of_record(len)));
        withheld
    }
}

impl Withheld {
    /// Puts the flag in its place, behind one that is withheld longer.
    #[inline(always)]
    pub(super) fn follow(self, ring: Ring<'_>) {
        ring.records.flag(self.at).store(self.flag, RELAXED);
    }

    /// Makes the record seen, and what lies behind it; whether the reader has set its
    /// parked word.
    #[inline(always)]
    pub(super) fn publish(self, ring: Ring<'_>) -> bool {
        // Edge `record`, giving end: whoever sees the flag sees the bytes, and the
        // records behind it.
        ring.records.flag(self.at).store(self.flag, orders().ring_publish);
        light_fence(orders().fence_published, ring.peer_fences.and_then(PeerFences::of_reader));
        ring.reader_parked.load(RELAXED) != 0
    }
}
