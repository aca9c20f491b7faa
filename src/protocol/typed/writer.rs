//! Values that are sent.

use crate::backend::Backend;
use crate::error::SendError;
use crate::protocol::core::Core;
use crate::protocol::endpoint::{WaitPolicy, Writer};
use zerocopy::{Immutable, IntoBytes};

impl<B: Backend, L: Core> Writer<B, L> {
    /// Sends the bytes of `value` as one message, waiting for room as long as it takes. A slice of values is one message,
    /// too: see [`Reader::recv_values`](crate::Reader::recv_values). This costs what [`send`](Self::send) costs.
    ///
    /// The derives of [`zerocopy`] say for a struct that its bytes can be sent: `IntoBytes` and `Immutable`. Both sides
    /// need the same type, so give it `#[repr(C)]`.
    ///
    /// # Errors
    /// As [`send`](Self::send): a ring carries every value. A slot carries a value only if its bytes
    /// are a text, which has no NUL; a [declared](crate::declare) slot of data, if the record has its length.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_value(&1.5_f64)?;
    /// writer.send_value(&[1_u32, 2, 3])?;
    /// writer.send_value(&vec![4_u32, 5][..])?;
    /// assert_eq!(reader.recv_value::<f64>()?, Some(1.5));
    /// assert_eq!(reader.recv_value::<[u32; 3]>()?, Some([1, 2, 3]));
    /// let mut numbers = Vec::new();
    /// assert_eq!(reader.recv_values::<u32>(&mut numbers)?, Some(2));
    /// assert_eq!(numbers, [4, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send_value<T: IntoBytes + Immutable + ?Sized>(&mut self, value: &T) -> Result<(), SendError> {
        self.send(value.as_bytes())
    }

    /// Sends the bytes of `value` if there is room.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// assert_eq!(writer.try_send_value(b"a text"), Ok(()));
    /// assert_eq!(writer.try_send_value(b"a text"), Err(SendError::WouldBlock), "nobody has taken the first one");
    /// assert!(matches!(writer.try_send_value(&1_u64), Err(SendError::Unsendable(_))), "it has a NUL");
    /// ```
    #[inline]
    pub fn try_send_value<T: IntoBytes + Immutable + ?Sized>(&mut self, value: &T) -> Result<(), SendError> {
        self.try_send(value.as_bytes())
    }

    /// Sends the bytes of `value`, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// while writer.send_value_with(&[1.5; 100], &mut policy).is_ok() {}
    /// assert_eq!(writer.send_value_with(&[1.5; 100], &mut policy), Err(SendError::TimedOut), "the ring is full");
    /// assert_eq!(reader.recv_value::<[f64; 100]>()?, Some([1.5; 100]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send_value_with<T: IntoBytes + Immutable + ?Sized>(
        &mut self,
        value: &T,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<(), SendError> {
        self.send_with(value.as_bytes(), policy)
    }
}
