//! Messages that are built where they lie.

use super::producer::Producer;
use super::{MaybeRing, no_ring};
use crate::backend::Backend;
use crate::error::SendError;
use crate::protocol::core::Producer as _;
use crate::protocol::endpoint::{WaitPolicy, Writer};

impl<B: Backend, L: MaybeRing> Writer<B, L> {
    /// Reserves a message of `len` bytes, to be built in the shared memory, waiting for room as long as it takes. Its bytes
    /// are aligned to 8. Nothing is sent until it is [committed](Reserved::commit); dropping it sends nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send). At a slot, [`SendError::Backend`] with [`Error::WrongLayout`](crate::Error::WrongLayout).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut reserved = writer.reserve(8)?;
    /// reserved.write_at(4, b"lace");
    /// reserved.write_at(0, b"in p");
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"in place");
    /// drop(writer.reserve_with(8, &mut WaitPolicy::non_blocking())?);
    /// reader.peek()?.release();
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "it was not committed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<Reserved<'_, B>, SendError> {
        self.reserve_with(len, &mut WaitPolicy::forever())
    }

    /// Reserves a message of `len` bytes, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve), and [`SendError::TimedOut`] or [`SendError::Interrupted`] by `policy`.
    #[inline]
    pub fn reserve_with(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<Reserved<'_, B>, SendError> {
        if L::producer(&mut self.core).is_none() {
            return Err(no_ring().into());
        }
        self.make_room(len, policy)?;
        self.has_ended = false;
        let Some(core) = L::producer(&mut self.core) else { return Err(no_ring().into()) };
        let at = core.prepare(self.memory.ring(), len);
        Ok(Reserved { memory: &self.memory, core, at, len })
    }
}

/// A message that is being built in the shared memory: see [`Writer::reserve`]. Dropping it sends nothing.
///
/// Bytes that are never written keep their old contents, such as those of an earlier message.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// let mut reserved = writer.reserve(1024)?;
/// assert_eq!((reserved.len(), reserved.is_empty()), (1024, false));
/// reserved.write_at(0, b"hello");
/// reserved.commit_first(5);
/// assert_eq!(reader.peek()?.text(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reserved<'w, B: Backend> {
    memory: &'w B,
    core: &'w mut Producer,
    at: u64,
    len: usize,
}

impl<B: Backend> Reserved<'_, B> {
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

    /// Writes `bytes` from byte `at` on, a multiple of 4, and no other byte.
    ///
    /// # Panics
    /// If the bytes go beyond the message, or `at` is no multiple of 4.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        assert!(at.is_multiple_of(4), "{at} is not a multiple of 4");
        assert!(at <= self.len && bytes.len() <= self.len - at, "{} bytes at {at} of {}", bytes.len(), self.len);
        self.memory.ring().patch(self.at, at, bytes);
    }

    /// Where the bytes lie, aligned to 8: for system calls. They can be written for as long as this is borrowed, whatever a
    /// peer makes of them meanwhile.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.memory.ring().bytes(self.at, self.len)
    }

    /// The bytes themselves, aligned to 8.
    ///
    /// # Safety
    /// While they are borrowed, no other process may write to them, so none may break the protocol.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut reserved = writer.reserve(5)?;
    /// assert!(reserved.as_mut_ptr().cast::<u64>().is_aligned());
    /// // SAFETY: both sides are ours, and no other process is there.
    /// unsafe { reserved.bytes() }.copy_from_slice(b"hello");
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(not(model))]
    #[must_use]
    pub unsafe fn bytes(&mut self) -> &mut [u8] {
        let (first, len) = (self.as_mut_ptr(), self.len);
        // SAFETY: `len` bytes within the ring, which are the writer's by the
        // protocol until they are published; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(first, len) }
    }

    /// Sends the first `len` bytes of it.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn commit_first(self, len: usize) {
        assert!(len <= self.len, "the first {len} bytes of {}", self.len);
        // What is behind it is another place now.
        Producer::clear_behind(self.memory.ring(), self.at, super::record::size_of_record(len));
        Self { len, ..self }.commit();
    }

    /// Sends it.
    #[inline]
    pub fn commit(self) {
        self.core.publish_at(self.memory, self.at, self.len);
        // Nothing has to come first: `make_room` saw to that, and a ring's writer needs no introduction.
        self.core.renew(self.memory, true);
    }
}
