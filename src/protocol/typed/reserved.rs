//! Values that are built where they lie.

use crate::backend::Backend;
use crate::error::SendError;
use crate::protocol::endpoint::{WaitPolicy, Writer};
use crate::protocol::ring::{MaybeRing, Reserved};
use std::marker::PhantomData;
use zerocopy::{Immutable, IntoBytes};

impl<B: Backend, L: MaybeRing> Writer<B, L> {
    /// Reserves a message for a value of type `T`, to be built in the shared memory, waiting for room as long as it takes.
    /// Nothing is sent until it is [committed](ReservedValue::commit); dropping it sends nothing.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut reserved = writer.reserve_value::<[f64; 3]>()?;
    /// reserved.write(&[1.0, 2.0, 3.0]);
    /// reserved.commit();
    /// assert_eq!(reader.recv_value::<[f64; 3]>()?, Some([1.0, 2.0, 3.0]));
    /// drop(writer.reserve_value_with::<u64>(&mut WaitPolicy::non_blocking())?);
    /// assert_eq!(reader.try_recv_value::<u64>(), Err(RecvError::WouldBlock), "it was not committed");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A message's bytes are aligned to 8, so a type with a larger alignment does not compile:
    ///
    /// ```compile_fail,E0080
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// use shm_handoff::zerocopy::IntoBytes;
    /// #[derive(IntoBytes)]
    /// #[zerocopy(crate = "shm_handoff::zerocopy")]
    /// #[repr(C, align(16))]
    /// struct Wide([u8; 16]);
    /// writer.reserve_value::<Wide>();
    /// ```
    #[inline]
    pub fn reserve_value<T: IntoBytes>(&mut self) -> Result<ReservedValue<'_, T, B>, SendError> {
        self.reserve_value_with(&mut WaitPolicy::forever())
    }

    /// Reserves a message for a value of type `T`, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`reserve_with`](Self::reserve_with).
    #[inline]
    pub fn reserve_value_with<T: IntoBytes>(
        &mut self,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<ReservedValue<'_, T, B>, SendError> {
        const { assert!(align_of::<T>() <= 8, "a message's bytes are aligned to 8: send this type with `send_value`") };
        Ok(ReservedValue { reserved: self.reserve_with(size_of::<T>(), policy)?, of: PhantomData })
    }
}

/// A value that is being built in the shared memory: see [`Writer::reserve_value`]. Dropping it sends nothing.
///
/// Bytes that are never written keep their old contents, such as those of an earlier message. The reader judges them
/// as it judges those of any message.
///
#[cfg_attr(not(model), doc = "```")]
#[cfg_attr(model, doc = "```ignore")]
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// let mut reserved = writer.reserve_value::<[u32; 4]>()?;
/// let place: *mut [u32; 4] = reserved.as_mut_ptr(); // for a system call, or a program in C
/// assert!(place.is_aligned());
/// // SAFETY: both sides are ours, and no other process is there.
/// *unsafe { reserved.value() } = [1, 2, 3, 4];
/// reserved.commit();
/// assert_eq!(reader.recv_value::<[u32; 4]>()?, Some([1, 2, 3, 4]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ReservedValue<'w, T, B: Backend> {
    reserved: Reserved<'w, B>,
    of: PhantomData<T>,
}

impl<T: IntoBytes, B: Backend> ReservedValue<'_, T, B> {
    /// Writes `value`.
    #[inline]
    pub fn write(&mut self, value: &T)
    where
        T: Immutable,
    {
        self.reserved.write_at(0, value.as_bytes());
    }

    /// Where the value lies, aligned for it. It can be written for as long as this is borrowed, whatever a peer makes of it
    /// meanwhile.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.reserved.as_mut_ptr().cast()
    }

    /// The value itself. Before it is written it has the bytes that lie there, which are a value of every type that is
    /// `FromBytes`.
    ///
    /// # Safety
    /// While it is borrowed, no other process may write to it, so none may break the protocol.
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub unsafe fn value(&mut self) -> &mut T
    where
        T: zerocopy::FromBytes,
    {
        // SAFETY: `size_of::<T>()` bytes within the ring, aligned to 8 and so for `T` by the check in
        // `reserve_value_with`; they are the writer's by the protocol until they are published, and any bytes are a
        // `T`. The rest is the caller's promise.
        unsafe { &mut *self.as_mut_ptr() }
    }

    /// Sends it.
    #[inline]
    pub fn commit(self) {
        self.reserved.commit();
    }
}
