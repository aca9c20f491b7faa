//! Why a message was not sent, or not received.

use super::{Class, Corrupt, Error, plural};

/// Why a message was not sent.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// assert_eq!(writer.send(b"hello\n"), Ok(()));
/// assert_eq!(writer.try_send(b"hello\n"), Err(SendError::WouldBlock), "nobody has taken the first one");
/// drop(reader);
/// assert_eq!(writer.send(b"hello\n"), Err(SendError::ReaderGone), "not final: see `await_reader`");
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The layout can't carry it. The writer can go on with another one.
    #[error("the message can't be carried: {0}")]
    Unsendable(#[from] Unsendable),
    /// There is no room, or no reader yet.
    #[error("the last message was not taken yet, or no reader is there")]
    WouldBlock,
    /// The deadline passed.
    #[error("the time to wait has passed")]
    TimedOut,
    /// The hook of the [`WaitPolicy`](crate::WaitPolicy) ended the wait.
    #[error("the wait was interrupted")]
    Interrupted,
    /// There is no room, and the reader has gone. Go on with [`Writer::await_reader`](crate::Writer::await_reader).
    #[error("the reader left or died")]
    ReaderGone,
    /// The writer has left: it was closed as a `Sink` of async code.
    #[error("the writer was closed")]
    Closed,
    /// The memory or the seat made trouble, or a peer broke the layout.
    #[error(transparent)]
    Backend(#[from] Error),
}

impl SendError {
    /// Which class it is of.
    ///
    /// ```
    /// use shm_handoff::{SendError, error::Class};
    /// assert_eq!(SendError::WouldBlock.class(), Class::TimedOut);
    /// ```
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Unsendable(_) => Class::Unsendable,
            Self::WouldBlock | Self::TimedOut => Class::TimedOut,
            Self::Interrupted => Class::Interrupted,
            Self::ReaderGone => Class::PeerGone,
            Self::Closed => Class::Usage,
            Self::Backend(error) => error.class(),
        }
    }

    /// What to do next, where that can be told.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// let error = writer.send(b"endless\n").unwrap_err();
    /// assert_eq!(error.hint().as_deref(), Some("put something before it"));
    /// assert!(format!("{error:?}").ends_with("; put something before it"), "as a `main` that returns it prints it");
    /// assert_eq!(SendError::TimedOut.hint(), None);
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unsendable(why) => Some(why.hint().to_owned()),
            Self::Closed => Some("open another writer".to_owned()),
            Self::Backend(error) => error.hint(),
            _ => None,
        }
    }

    /// What is said of a try that did not wait.
    pub(crate) fn of_a_try(self) -> Self {
        if self == Self::TimedOut { Self::WouldBlock } else { self }
    }
}

/// Why no message was received.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
/// drop(writer);
/// assert_eq!(reader.recv(&mut [0; 2048]), Err(RecvError::WriterGone));
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// There is none yet.
    #[error("there is no message")]
    WouldBlock,
    /// The deadline passed.
    #[error("the time to wait has passed")]
    TimedOut,
    /// The hook of the [`WaitPolicy`](crate::WaitPolicy) ended the wait.
    #[error("the wait was interrupted")]
    Interrupted,
    /// The writer died, or left without [`close`](crate::Writer::close). Go on with
    /// [`Reader::await_next_writer`](crate::Reader::await_next_writer).
    #[error("the writer died or failed before it ended the session")]
    WriterGone,
    /// The message is longer than the buffer. It was not released.
    #[error("the buffer is too small: a message can have {capacity} byte{}", plural(*.capacity))]
    BufferTooSmall {
        /// What suffices for any message.
        capacity: usize,
    },
    /// The message is no value of the type that was asked for. It was not released.
    #[error("the message has another type: {0}")]
    Mistyped(#[from] Mistyped),
    /// The memory or the seat made trouble, or a peer broke the layout.
    #[error(transparent)]
    Backend(#[from] Error),
}

impl RecvError {
    /// Which class it is of.
    ///
    /// ```
    /// use shm_handoff::{RecvError, error::Class};
    /// assert_eq!(RecvError::BufferTooSmall { capacity: 2048 }.class(), Class::TooSmall);
    /// ```
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::WouldBlock | Self::TimedOut => Class::TimedOut,
            Self::Interrupted => Class::Interrupted,
            Self::WriterGone => Class::PeerGone,
            Self::BufferTooSmall { .. } => Class::TooSmall,
            Self::Mistyped(_) => Class::Corrupt,
            Self::Backend(error) => error.class(),
        }
    }

    /// What to do next, where that can be told.
    ///
    /// ```
    /// use shm_handoff::{Error, RecvError};
    /// let error = RecvError::Backend(Error::Missing { key: 1234 });
    /// assert_eq!(error.hint().as_deref(), Some("start the other side first, or create it"));
    /// assert_eq!(format!("{error:?}"), "key 1234 (0x4d2): there is no segment; start the other side first, or create it");
    /// assert_eq!(RecvError::TimedOut.hint(), None);
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Mistyped(why) => Some(why.hint().to_owned()),
            Self::Backend(error) => error.hint(),
            _ => None,
        }
    }

    /// What is said of a try that did not wait.
    pub(crate) fn of_a_try(self) -> Self {
        if self == Self::TimedOut { Self::WouldBlock } else { self }
    }
}

/// Why a message is no value of a type: see [`Reader::recv_value`](crate::Reader::recv_value).
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// use shm_handoff::error::Mistyped;
/// writer.send(&[2])?;
/// let Err(RecvError::Mistyped(why)) = reader.recv_value::<bool>() else { panic!("2 is no bool") };
/// assert_eq!(why, Mistyped::Invalid { name: "bool", at: 0 });
/// assert_eq!(why.to_string(), "its bytes from 0 on are no valid `bool`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mistyped {
    /// It has another length.
    #[error("it has {given} byte{}, and `{name}` has {needs}", plural(*.given))]
    Length {
        /// The type.
        name: &'static str,
        /// The length of the message, in bytes.
        given: usize,
        /// That of the type.
        needs: usize,
    },
    /// It is no whole number of values.
    #[error("it has {given} byte{}, which is no multiple of the {needs} of `{name}`", plural(*.given))]
    Uneven {
        /// The type of each value.
        name: &'static str,
        /// The length of the message, in bytes.
        given: usize,
        /// That of the type.
        needs: usize,
    },
    /// No value of the type has such bytes.
    #[error("its bytes from {at} on are no valid `{name}`")]
    Invalid {
        /// The type.
        name: &'static str,
        /// Where in the message the value begins.
        at: usize,
    },
}

impl Mistyped {
    /// What to do about it.
    ///
    /// ```
    /// use shm_handoff::error::Mistyped;
    /// let why = Mistyped::Length { name: "u64", given: 3, needs: 8 };
    /// assert_eq!(why.hint(), "use the same type on both sides; `peek` and `release` skip the message");
    /// ```
    #[must_use]
    pub fn hint(self) -> &'static str {
        "use the same type on both sides; `peek` and `release` skip the message"
    }
}

/// Why a layout can't carry a message: a ring what is too long, a slot the rest, too.
///
/// ```
/// use shm_handoff::error::Unsendable;
/// assert_eq!(Unsendable::TooLong { most: 2047 }.to_string(), "it has more than 2047 bytes");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// It is longer than the slot.
    #[error("it has more than {most} byte{}", plural(*.most))]
    TooLong {
        /// The longest that can be carried, in bytes.
        most: usize,
    },
    /// A C string ends at its first NUL.
    #[error("it has a NUL at byte {at}, where a C reader would stop")]
    Nul {
        /// Its offset.
        at: usize,
    },
    /// A C reader ends the session at any text with this beginning.
    #[error("it begins with `end` but is not `end` alone, and a C reader would stop at it")]
    BeginsWithEnd,
    /// `end` and a carriage return, as a file from Windows has it: a C reader ends the session
    /// at it, and it is no bare `end`.
    #[error("it is `end` with a carriage return: readers take it for the end, and this writer does not")]
    EndWithReturn,
    /// The layout carries records of one length.
    #[error("it has {given} byte{}, and a record of this layout has {needs}", plural(*.given))]
    NoRecord {
        /// Its length, in bytes.
        given: usize,
        /// What a record has.
        needs: usize,
    },
}

impl Unsendable {
    /// What to do about it.
    ///
    /// ```
    /// use shm_handoff::error::Unsendable;
    /// assert_eq!(Unsendable::BeginsWithEnd.hint(), "put something before it");
    /// ```
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "split it, or shorten it",
            Self::Nul { .. } => "remove it first",
            Self::BeginsWithEnd => "put something before it",
            Self::EndWithReturn => "remove the carriage return",
            Self::NoRecord { .. } => "send whole records",
        }
    }
}

impl From<Corrupt> for SendError {
    fn from(why: Corrupt) -> Self {
        Self::Backend(why.into())
    }
}

impl From<Corrupt> for RecvError {
    fn from(why: Corrupt) -> Self {
        Self::Backend(why.into())
    }
}

sentence_is_debug!(SendError, RecvError);
