//! Messages that are read where they lie.

use super::{MaybeRing, no_ring};
use crate::backend::Backend;
use crate::error::RecvError;
use crate::protocol::core::{Consumer, Kind, Record};
use crate::protocol::endpoint::{Reader, WaitPolicy};

impl<B: Backend, L: MaybeRing> Reader<B, L> {
    /// Peeks at the message behind the one that was peeked at last, and leaves it in the shared memory: nothing is copied. Waits as
    /// `policy` says.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with). At a slot, [`RecvError::Backend`] with
    /// [`Error::WrongLayout`](crate::Error::WrongLayout).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek_in_place(&mut WaitPolicy::forever())?.len(), 1);
    /// reader.peek_in_place(&mut WaitPolicy::forever())?.release(); // `a`, too
    /// writer.end()?;
    /// let end = reader.peek_in_place(&mut WaitPolicy::forever())?;
    /// assert!(end.is_empty() && end.ends_session());
    /// end.end_session()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

/// A message that is read in the shared memory: see [`Reader::peek_in_place`]. Dropping it leaves it there, peeked at: the next
/// peek in place is at the message behind it.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send(b"")?;
/// let message = reader.peek_in_place(&mut WaitPolicy::forever())?;
/// assert!(message.is_empty() && !message.ends_session());
/// message.release();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    /// Whether this is the end of the session, which has no bytes.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == Kind::End
    }

    /// Where its bytes lie, aligned to 8: for system calls. They can be read for as long as this is borrowed, whatever a
    /// peer makes of them meanwhile.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.reader.memory.ring().bytes(self.record.at, self.record.len)
    }

    /// The bytes themselves, aligned to 8.
    ///
    /// # Safety
    /// While they are borrowed, no process may write to them, so none may break the protocol.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"where it lies")?;
    /// let message = reader.peek_in_place(&mut WaitPolicy::forever())?;
    /// assert!(message.as_ptr().cast::<u64>().is_aligned());
    /// // SAFETY: both sides are ours, and no other process is there.
    /// assert_eq!(unsafe { message.bytes() }, b"where it lies");
    /// message.release();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Gives its place back to the writer, and that of all that was peeked at before it.
    #[inline]
    pub fn release(self) {
        self.reader.release(self.record);
    }

    /// Ends the session with it, as [`Message::end_session`](crate::Message::end_session) does.
    ///
    /// # Errors
    /// The error of the removal, unless the removal is only not permitted.
    pub fn end_session(self) -> Result<(), crate::error::Error> {
        self.reader.close_session(self.record)
    }
}
