//! Values that are received.

use crate::backend::Backend;
use crate::error::{Error, Mistyped, RecvError};
use crate::protocol::Either;
use crate::protocol::core::{Consumer, Core};
use crate::protocol::endpoint::{Message, Reader, WaitPolicy};
use std::any::type_name;
use std::ops::Deref;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

impl<B: Backend, L: Core> Reader<B, L> {
    /// Waits for the next message, which has to be a value of type `T`, releases it, and gives out the value; `None`: the
    /// session has ended. The check is made on a private copy, so no peer can make an invalid `T`. A small value costs what
    /// [`recv`](Self::recv) costs; as with [`peek`](Self::peek), the copy's memory is used again. A large value is moved
    /// several times, over the stack: one of megabytes needs more of it than a thread has. Where any bytes are a value,
    /// `reader.recv(value.as_mut_bytes())` moves nothing, and the value can lie in a box.
    ///
    /// # Errors
    /// Nothing was released.
    ///
    /// * [`RecvError::Mistyped`]: the message has another length than `T`, or no `T` has these bytes. Every call says
    ///   so until the message is skipped by [`peek`](Self::peek) and [`Message::release`].
    /// * [`RecvError::WriterGone`] and [`RecvError::Backend`], as [`recv`](Self::recv).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_value(&'ß')?;
    /// writer.send_value(&0xD800_u32)?; // which is no character
    /// writer.send_value(&'s')?;
    /// writer.end()?;
    /// assert_eq!(reader.recv_value::<char>()?, Some('ß'));
    /// let error = reader.recv_value::<char>().unwrap_err();
    /// assert_eq!(error.to_string(), "the message has another type: its bytes from 0 on are no valid `char`");
    /// reader.peek()?.release(); // skips it
    /// assert_eq!(reader.recv_value::<char>()?, Some('s'));
    /// assert_eq!(reader.recv_value::<char>()?, None, "the end of the session");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A large value, in a box from the beginning:
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// use shm_handoff::zerocopy::{FromZeros, IntoBytes};
    /// writer.send_value(&[7_u8; 1024])?;
    /// let mut image = <[u8; 1024]>::new_box_zeroed().expect("there is memory");
    /// assert_eq!(reader.recv(image.as_mut_bytes())?, Received::Message(1024));
    /// assert_eq!(*image, [7; 1024]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn recv_value<T: TryFromBytes>(&mut self) -> Result<Option<T>, RecvError> {
        self.take_value(&mut WaitPolicy::forever())
    }

    /// Receives the next value if it is there.
    ///
    /// # Errors
    /// As [`recv_value`](Self::recv_value), and [`RecvError::WouldBlock`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert_eq!(reader.try_recv_value::<u64>(), Err(RecvError::WouldBlock));
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// assert_eq!(reader.recv_value_with::<u64>(&mut policy), Err(RecvError::TimedOut));
    /// writer.send_value(&7_u64)?;
    /// assert_eq!(reader.try_recv_value::<u64>()?, Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_recv_value<T: TryFromBytes>(&mut self) -> Result<Option<T>, RecvError> {
        self.recv_value_with(&mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try)
    }

    /// Receives the next value, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`recv_value`](Self::recv_value), and [`RecvError::TimedOut`] or [`RecvError::Interrupted`] by `policy`.
    #[inline]
    pub fn recv_value_with<T: TryFromBytes>(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Option<T>, RecvError> {
        self.take_value(policy)
    }

    /// As all calls that receive one value.
    #[inline(always)]
    fn take_value<T: TryFromBytes>(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Option<T>, RecvError> {
        let mut value = None;
        let taken = self.core.take_straight(&self.memory, &mut self.text, |bytes| {
            value = T::try_read_from_bytes(bytes).ok();
            value.is_some()
        });
        match taken {
            Ok(_) => Ok(value),
            Err(seen) => self.take_value_slowly(seen, policy),
        }
    }

    /// What does not go at a glance, at which this flag was seen; also what is no `T`.
    #[cold]
    #[inline(never)]
    fn take_value_slowly<T: TryFromBytes>(
        &mut self,
        seen: u32,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<Option<T>, RecvError> {
        let found = self.await_first(seen, policy)?;
        let message = self.peek_at(found)?;
        if message.ends_session() {
            return Ok(None);
        }
        let value = message.value()?;
        message.release();
        Ok(Some(value))
    }

    /// Waits for the next message, which has to be values of type `T` one behind the other, releases it, appends them to
    /// `values`, and says how many they are; `None`: the session has ended.
    ///
    /// # Errors
    /// As [`recv_value`](Self::recv_value), where the length of the message is no multiple of that of `T`, or no `T` has
    /// such bytes. Then `values` is as it was.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_value(&[1_u16, 2, 3][..])?;
    /// writer.send(b"odd")?;
    /// let (mut values, mut at_once) = (Vec::new(), WaitPolicy::non_blocking());
    /// assert_eq!(reader.recv_values::<u16>(&mut values)?, Some(3));
    /// let error = reader.recv_values_with::<u16>(&mut values, &mut at_once).unwrap_err();
    /// assert_eq!(error.to_string(), "the message has another type: it has 3 bytes, which is no multiple of the 2 of `u16`");
    /// assert_eq!(values, [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// How many values of a type without bytes a message has, nobody can tell:
    ///
    /// ```compile_fail,E0080
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// reader.recv_values::<()>(&mut Vec::new());
    /// ```
    pub fn recv_values<T: TryFromBytes>(&mut self, values: &mut Vec<T>) -> Result<Option<usize>, RecvError> {
        self.recv_values_with(values, &mut WaitPolicy::forever())
    }

    /// Receives the next values if they are there.
    ///
    /// # Errors
    /// As [`recv_values`](Self::recv_values), and [`RecvError::WouldBlock`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut values = Vec::new();
    /// assert_eq!(reader.try_recv_values::<u32>(&mut values), Err(RecvError::WouldBlock));
    /// writer.send_value(&[4_u32, 5])?;
    /// assert_eq!(reader.try_recv_values::<u32>(&mut values)?, Some(2));
    /// assert_eq!(values, [4, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv_values<T: TryFromBytes>(&mut self, values: &mut Vec<T>) -> Result<Option<usize>, RecvError> {
        self.recv_values_with(values, &mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try)
    }

    /// Receives the next values, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`recv_values`](Self::recv_values), and [`RecvError::TimedOut`] or [`RecvError::Interrupted`] by `policy`.
    pub fn recv_values_with<T: TryFromBytes>(
        &mut self,
        values: &mut Vec<T>,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<Option<usize>, RecvError> {
        let message = self.peek_with(policy)?;
        if message.ends_session() {
            return Ok(None);
        }
        let count = append(message.text(), values)?;
        message.release();
        Ok(Some(count))
    }

    /// Waits for the first message that was not released, which has to be a value of type `T`, and gives out the value
    /// without releasing the message; `None`: the session has ended.
    ///
    /// # Errors
    /// As [`recv_value`](Self::recv_value).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_value(&[1.5, 2.5])?;
    /// writer.end()?;
    /// let value = reader.peek_value::<[f64; 2]>()?.expect("no end was sent");
    /// assert_eq!(value.iter().sum::<f64>(), 4.0);
    /// value.release();
    /// assert!(reader.peek_value::<[f64; 2]>()?.is_none());
    /// assert!(reader.end_session()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn peek_value<T: TryFromBytes>(&mut self) -> Result<Option<PeekedValue<'_, T, B, L>>, RecvError> {
        peeked(self.peek()?)
    }

    /// Peeks at the first value that was not released, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`peek_value`](Self::peek_value), and [`RecvError::TimedOut`] or [`RecvError::Interrupted`] by `policy`.
    #[inline]
    pub fn peek_value_with<T: TryFromBytes>(
        &mut self,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<Option<PeekedValue<'_, T, B, L>>, RecvError> {
        peeked(self.peek_with(policy)?)
    }
}

impl<B: Backend, L: Core> Message<'_, B, L> {
    /// The value of type `T` whose bytes the message has. An end of the session is to be
    /// [told apart](Self::ends_session) first: in a ring it has no bytes.
    ///
    /// # Errors
    /// The message has another length than `T`, or no `T` has these bytes.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_value(&7_u32)?;
    /// let message = reader.peek()?;
    /// assert_eq!(message.value::<u32>(), Ok(7));
    /// assert_eq!(message.value::<u64>().unwrap_err().to_string(), "it has 4 bytes, and `u64` has 8");
    /// message.release();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn value<T: TryFromBytes>(&self) -> Result<T, Mistyped> {
        read(self.text())
    }
}

/// The value that `bytes` are.
#[inline]
fn read<T: TryFromBytes>(bytes: &[u8]) -> Result<T, Mistyped> {
    let (given, needs, name) = (bytes.len(), size_of::<T>(), type_name::<T>());
    if given != needs {
        return Err(Mistyped::Length { name, given, needs });
    }
    T::try_read_from_bytes(bytes).map_err(|_| Mistyped::Invalid { name, at: 0 })
}

#[inline]
fn peeked<T: TryFromBytes, B: Backend, L: Core>(
    message: Message<'_, B, L>,
) -> Result<Option<PeekedValue<'_, T, B, L>>, RecvError> {
    if message.ends_session() {
        return Ok(None);
    }
    let value = message.value()?;
    Ok(Some(PeekedValue { message, value }))
}

/// Appends the values that `bytes` are, or none; how many.
fn append<T: TryFromBytes>(bytes: &[u8], values: &mut Vec<T>) -> Result<usize, RecvError> {
    const { assert!(size_of::<T>() > 0, "a message has no telling number of values without bytes") };
    let (given, needs, name) = (bytes.len(), size_of::<T>(), type_name::<T>());
    if !given.is_multiple_of(needs) {
        return Err(Mistyped::Uneven { name, given, needs }.into());
    }
    let (count, before) = (given / needs, values.len());
    values.try_reserve(count).map_err(|_| Error::no_memory(format!("{count} values of {needs} bytes")))?;
    for (number, bytes) in bytes.chunks_exact(needs).enumerate() {
        let Ok(value) = T::try_read_from_bytes(bytes) else {
            values.truncate(before);
            return Err(Mistyped::Invalid { name, at: number * needs }.into());
        };
        values.push(value);
    }
    Ok(count)
}

/// A value that was peeked at, and whose message was not released yet: see [`Reader::peek_value`]. Dropping it leaves the
/// message where it is, for the next peek.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send_value(&7_u64)?;
/// drop(reader.peek_value::<u64>()?);
/// let value = reader.peek_value_with::<u64>(&mut WaitPolicy::forever())?.expect("it is still there");
/// assert_eq!(*value, 7);
/// value.end_session()?; // a value that both sides take for the last one
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PeekedValue<'r, T, B: Backend, L: Core = Either> {
    message: Message<'r, B, L>,
    value: T,
}

impl<T, B: Backend, L: Core> PeekedValue<'_, T, B, L> {
    /// Gives the message's place back to the writer, and that of all that was peeked at before it.
    #[inline]
    pub fn release(self) {
        self.message.release();
    }

    /// Answers the message with the bytes of `answer`, as [`Message::reply`] does.
    ///
    /// # Errors
    /// As [`Message::reply`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// use shm_handoff::zerocopy::IntoBytes;
    /// let options = Options::declared(key, &"struct { int written; int request, answer; },reply=answer".parse()?);
    /// let reading = Options::clone(&options);
    /// let doubles = std::thread::spawn(move || {
    ///     let mut reader = Reader::<SysV>::open(&reading)?;
    ///     let mut request = reader.peek_value::<i32>()?.expect("no end was sent");
    ///     let answer = 2 * *request;
    ///     request.reply(&answer)?;
    ///     request.release();
    ///     reader.peek()?.end_session()?;
    ///     Ok::<(), shm_handoff::RecvError>(())
    /// });
    /// let mut writer = Writer::<SysV>::open(&options)?;
    /// let mut answer = 0_i32;
    /// writer.call(21_i32.as_bytes(), answer.as_mut_bytes())?;
    /// assert_eq!(answer, 42);
    /// writer.end()?;
    /// doubles.join().expect("it does not panic")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply<A: IntoBytes + Immutable + ?Sized>(&mut self, answer: &A) -> Result<(), Error> {
        self.message.reply(answer.as_bytes())
    }

    /// Ends the session with this message, as [`Message::end_session`] does.
    ///
    /// # Errors
    /// The error of the removal, unless the removal is only not permitted.
    pub fn end_session(self) -> Result<(), Error> {
        self.message.end_session()
    }
}

impl<T, B: Backend, L: Core> Deref for PeekedValue<'_, T, B, L> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}
