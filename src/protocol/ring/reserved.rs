//! Messages that are built where they lie.

use super::writer::Writer;
use super::{RecordKind, size_of_record, wide};
use crate::backend::RingBackend;
use crate::protocol::orders::RELAXED;

/// A message that is being built where it lies. Dropping it sends nothing.
#[derive(Debug)]
pub struct Reserved<'w, B: RingBackend> {
    pub(super) writer: &'w mut Writer<B>,
    pub(super) at: u64,
    pub(super) len: usize,
}

impl<B: RingBackend> Reserved<'_, B> {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes `bytes` from byte `at` on, a multiple of 4. Bytes that are never written
    /// are what lay there before: something that was sent long ago.
    ///
    /// # Panics
    /// If they go beyond the message, or `at` is no multiple of 4.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        assert!(at.is_multiple_of(4), "{at} is not a multiple of 4");
        assert!(at <= self.len && bytes.len() <= self.len - at, "{} bytes at {at} of {}", bytes.len(), self.len);
        self.writer.backend.ring().records.write(self.at, at, bytes);
    }

    /// Where its bytes lie: writable for as long as this is borrowed, and whatever a
    /// peer makes of them meanwhile. For system calls.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.writer.backend.ring().records.bytes(self.at, self.len)
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// For as long as they are borrowed nobody else writes to them: so no other
    /// process may break the protocol.
    #[cfg(not(model))]
    #[must_use]
    pub unsafe fn bytes(&mut self) -> &mut [u8] {
        let (first, len) = (self.as_mut_ptr(), self.len);
        // SAFETY: `len` bytes within the ring, which are the writer's by the
        // protocol until they are published; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(first, len) }
    }

    /// Sends its first `len` bytes.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn commit_first(self, len: usize) {
        assert!(len <= self.len, "the first {len} bytes of {}", self.len);
        let behind = self.at.wrapping_add(wide(size_of_record(len)));
        // What is behind it is another place now.
        self.writer.backend.ring().records.flag(behind).store(0, RELAXED);
        Self { len, ..self }.commit();
    }

    /// Sends it.
    #[inline]
    pub fn commit(self) {
        let Self { writer, at, len } = self;
        let ring = writer.backend.ring();
        let withheld = writer.pen.seal(ring, at, len, RecordKind::Bytes);
        writer.publish(withheld);
    }
}
