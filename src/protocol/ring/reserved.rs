//! Messages that are built where they lie.

use super::producer::Producer;
use super::{MaybeRing, no_ring};
use crate::backend::Backend;
use crate::error::SendError;
use crate::protocol::core::Producer as _;
use crate::protocol::endpoint::{WaitPolicy, Writer};

impl<B: Backend, L: MaybeRing> Writer<B, L> {
    /// Room for a message of `len` bytes, to be built where it lies, waiting as long as it takes.
    #[inline]
    pub fn reserve(&mut self, len: usize) -> Result<Reserved<'_, B>, SendError> {
        self.reserve_with(len, &mut WaitPolicy::forever())
    }

    /// As [`reserve`](Self::reserve), waiting as `policy` says.
    #[inline]
    pub fn reserve_with(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<Reserved<'_, B>, SendError> {
        if L::producer(&mut self.core).is_none() {
            return Err(no_ring().into());
        }
        self.make_room(len, policy)?;
        let Some(core) = L::producer(&mut self.core) else { return Err(no_ring().into()) };
        let at = core.prepare(self.memory.ring(), len);
        Ok(Reserved { memory: &self.memory, core, at, len })
    }
}

/// A message that is being built where it lies. Dropping it sends nothing.
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

    /// Writes `bytes` from byte `at` on.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        assert!(at.is_multiple_of(4), "{at} is not a multiple of 4");
        assert!(at <= self.len && bytes.len() <= self.len - at, "{} bytes at {at} of {}", bytes.len(), self.len);
        self.memory.ring().write(self.at, at, bytes);
    }

    /// Where its bytes lie, aligned to 8.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.memory.ring().bytes(self.at, self.len)
    }

    /// The bytes themselves.
    #[cfg(not(model))]
    #[must_use]
    pub unsafe fn bytes(&mut self) -> &mut [u8] {
        let (first, len) = (self.as_mut_ptr(), self.len);
        // SAFETY: `len` bytes within the ring, which are the writer's by the
        // protocol until they are published; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(first, len) }
    }

    /// Sends the first `len` bytes of it.
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
        self.core.renew(self.memory, true);
    }
}
