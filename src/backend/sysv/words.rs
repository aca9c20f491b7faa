//! What lies in a segment: its words, its bytes, the views of its layout.

use super::segment::Segment;
use crate::backend::memory::Payload;
use crate::backend::memory::mapped::{Mapped, Shape};
use crate::backend::memory::offsets::ring as layout;
use crate::sync::{AtomicU32, AtomicU64};

impl Segment {
    /// The 32-bit word at `offset`.
    ///
    /// # Panics
    /// If it is not aligned, not within the segment, or, where that has a ring's size,
    /// half of one of a ring's 64-bit words: a caller's mistake.
    #[doc(hidden)]
    #[must_use]
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        self.no_wide(offset, 4);
        self.check_word(offset);
        // SAFETY: within the attachment by the check above, aligned since
        // attachments are page-aligned, and attached for as long as `self` is
        // borrowed. All access in this process is by 32-bit atomics or `Payload`s.
        unsafe { self.attachment.word(offset) }
    }

    /// Atomics of two sizes must not overlap, in whatever safe code.
    fn no_wide(&self, offset: usize, len: usize) {
        let is_ring = self.size.checked_sub(layout::RECORDS_AT).is_some_and(layout::is_capacity);
        assert!(!is_ring || !layout::has_wide(offset, offset + len), "a 64-bit word lies at {offset}");
    }

    /// The 32 bits at `offset`, wherever: of a segment that nobody else is attached to.
    pub(super) fn bits(&self, offset: usize) -> u32 {
        self.check_word(offset);
        // SAFETY: as for `word`.
        unsafe { self.attachment.bits(offset) }
    }

    fn check_word(&self, offset: usize) {
        assert!(
            offset.is_multiple_of(4) && self.size >= 4 && offset <= self.size - 4,
            "no word at {offset} of {}",
            self.size
        );
    }

    /// The 64-bit word of a ring's header at `offset`.
    ///
    /// # Panics
    /// If none is there, or the segment does not have a ring's size: a caller's
    /// mistake.
    #[doc(hidden)]
    #[must_use]
    pub fn double_word(&self, offset: usize) -> &AtomicU64 {
        assert!(
            offset.is_multiple_of(8) && layout::has_wide(offset, offset + 8) && self.size >= layout::RECORDS_AT,
            "no double word at {offset} of {}",
            self.size
        );
        // SAFETY: as for `word`; such words are reached by 64-bit atomics alone.
        unsafe { self.attachment.double_word(offset) }
    }

    /// The places of what it is taken for, for as long as the attachment is borrowed.
    ///
    /// # Panics
    /// If the size is another layout's.
    #[must_use]
    pub(crate) fn views(&self, shape: Shape<'static>) -> Mapped<'_> {
        // SAFETY: the attachment stays for as long as `self` is borrowed.
        unsafe { self.views_unbound(shape) }
    }

    /// As [`views`](Self::views), bound to nothing.
    ///
    /// # Safety
    /// Neither what is returned nor a view of it is used after `self` was dropped.
    pub(super) unsafe fn views_unbound<'a>(&self, shape: Shape<'static>) -> Mapped<'a> {
        // SAFETY: attached, with the kernel's word for the size; all access in this process
        // is by atomics of the words' sizes. The rest is the caller's promise.
        unsafe { self.attachment.views(self.size, shape, self.reachable) }
    }

    /// The `len` bytes at `offset`.
    ///
    /// # Panics
    /// As for [`word`](Self::word).
    #[doc(hidden)]
    #[must_use]
    pub fn payload(&self, offset: usize, len: usize) -> Payload<'_> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.size);
        assert!(offset.is_multiple_of(4) && inside, "no {len} bytes at {offset} of {}", self.size);
        self.no_wide(offset, len);
        // SAFETY: as for `word`.
        unsafe { self.attachment.payload(offset, len) }
    }
}
