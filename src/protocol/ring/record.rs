//! How records lie in a ring: sizes, positions, and the marks of a jump and of an end.

use crate::protocol::core::{Kind, Record};

/// A flag that stands for no record: the next one is where the ring begins.
pub(super) const PAD: u32 = u32::MAX;

/// Bytes of a record's flag and kind.
pub(super) const HEADER: usize = 8;

/// Bytes of a record of `len`: its header, and its bytes padded to 8.
#[inline(always)]
pub(super) const fn size_of_record(len: usize) -> usize {
    (len + HEADER + 7) & !7
}

/// How far `to` is ahead of `from`; positions grow around 2^64.
#[inline(always)]
pub(super) const fn distance(from: u64, to: u64) -> u64 {
    to.wrapping_sub(from)
}

/// A number of bytes, to be added to a position.
#[inline(always)]
pub(super) const fn wide(bytes: usize) -> u64 {
    bytes as u64
}

impl Record {
    /// The position behind it.
    #[inline(always)]
    pub(super) fn end(&self) -> u64 {
        self.at.wrapping_add(wide(size_of_record(self.len)))
    }
}

impl Kind {
    #[inline(always)]
    pub(super) fn of(word: u32) -> Option<Self> {
        match word {
            0 => Some(Self::Bytes),
            1 => Some(Self::End),
            _ => None,
        }
    }
}
