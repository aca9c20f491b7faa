//! Messages that are read where they lie.

use super::{MaybeRing, no_ring};
use crate::backend::Backend;
use crate::error::RecvError;
use crate::protocol::core::{Consumer, Kind, Record};
use crate::protocol::endpoint::{Reader, WaitPolicy};

impl<B: Backend, L: MaybeRing> Reader<B, L> {
    /// Waits for the message behind the one that was peeked at last, and leaves it where it lies.
    #[inline]
    pub fn peek_in_place(&mut self, policy: &mut WaitPolicy<'_>) -> Result<InPlace<'_, B, L>, RecvError> {
        if L::consumer(&mut self.core).is_none() {
            return Err(no_ring().into());
        }
        let record = self.await_record(policy)?;
        self.core.step_over(record);
        Ok(InPlace { reader: self, record })
    }
}

/// A message that is read where it lies. Dropping it leaves it there.
#[derive(Debug)]
pub struct InPlace<'r, B: Backend, L: MaybeRing> {
    reader: &'r mut Reader<B, L>,
    record: Record,
}

impl<B: Backend, L: MaybeRing> InPlace<'_, B, L> {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.len == 0
    }

    /// Whether this is the end of the session, and no message.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == Kind::End
    }

    /// Where its bytes lie, aligned to 8.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.reader.memory.ring().bytes(self.record.at, self.record.len)
    }

    /// The bytes themselves.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes within the ring, which are the reader's by the protocol
        // until they are released; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts(self.as_ptr(), self.record.len) }
    }

    /// A copy, for models.
    #[doc(hidden)]
    #[cfg(model)]
    #[must_use]
    pub fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.record.len];
        self.reader.memory.ring().read(self.record.at, &mut bytes);
        bytes
    }

    /// Gives its place back to the writer.
    #[inline]
    pub fn release(self) {
        self.reader.release(self.record);
    }

    /// Ends the session with it.
    pub fn end_session(self) -> Result<(), crate::error::Error> {
        self.reader.close_session(self.record)
    }
}
