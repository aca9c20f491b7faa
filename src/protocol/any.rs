//! Both layouts behind one writer and one reader, for whom it makes no
//! difference which one is met.
//!
//! ```
//! # #[cfg(not(model))] {
//! use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
//! for meeting_point in [Channel::new(2048), Channel::ring(4096)] {
//!     let mut reader = Reader::<InProc>::open(&meeting_point).unwrap();
//!     let mut writer = Writer::<InProc>::open(&meeting_point).unwrap();
//!     writer.send(b"hello\n").unwrap();
//!     let message = reader.peek().unwrap();
//!     assert_eq!(message.text(), b"hello\n");
//!     message.release();
//! }
//! # }
//! ```

use super::{RecvError, SendError, WaitPolicy, message, reader, ring, writer};
use crate::backend::{Layout, RingBackend};
use crate::error::{Error, Role};

/// A writer to either layout.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{any::Writer, backend::{Backend, Layout, inproc::{Channel, InProc}}};
/// for meeting_point in [Channel::new(2048), Channel::ring(4096)] {
///     let writer = Writer::<InProc>::open(&meeting_point)?;
///     assert!(matches!((writer.backend().layout(), &writer), (Layout::Slot, Writer::Classic(_)) | (_, Writer::Ring(_))));
/// }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Writer<B: RingBackend> {
    /// Of a classic slot.
    Classic(writer::Writer<B>),
    /// Of a ring.
    Ring(ring::Writer<B>),
}

/// The same call on either.
macro_rules! either {
    ($self:expr, $side:ident => $call:expr) => {
        match $self {
            Self::Classic($side) => $call,
            Self::Ring($side) => $call,
        }
    };
}

impl<B: RingBackend> Writer<B> {
    /// Takes the writer's seat at `address`.
    ///
    /// # Errors
    /// [`SendError::Backend`] with [`Error::SeatTaken`] if another writer has it, or
    /// with what the opening met; [`SendError::Corrupt`] if a ring's content is none.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert!(matches!(writer, Writer::Ring(_)));
    /// assert!(Writer::<InProc>::open(&slot).is_err(), "there is one already");
    /// assert!(matches!(Writer::<InProc>::open(&Channel::new(2048))?, Writer::Classic(_)));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, SendError> {
        let backend = B::open(address, Role::Writer)?;
        Ok(match backend.layout() {
            Layout::Slot => Self::Classic(writer::Writer::from_backend(backend)?),
            Layout::Ring { .. } => Self::Ring(ring::Writer::from_backend(backend)?),
        })
    }

    /// The backend, for what it can tell of itself.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::{Backend, Layout, inproc::{Channel, InProc}}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(writer.backend().layout(), Layout::Ring { capacity: 4096 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backend(&self) -> &B {
        either!(self, writer => writer.backend())
    }

    /// The longest message, in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(writer.capacity(), 1024);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        either!(self, writer => writer.capacity())
    }

    /// Sends `bytes`, waiting as long as it takes.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_with(bytes, &mut WaitPolicy::forever())
    }

    /// Sends `bytes`, waiting as `policy` says.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::forever().spins(1000);
    /// assert_eq!(writer.send_with(b"hello", &mut policy), Ok(()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_with(&mut self, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        either!(self, writer => writer.send_with(bytes, policy))
    }

    /// Ends the session: by a message `end`, or by the end of the stream.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// assert!(reader.peek()?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        match self {
            Self::Classic(writer) => writer.send_with(message::END, policy),
            Self::Ring(writer) => writer.end_with(policy),
        }
    }

    /// Looks whether the memory or our seat was removed, and if it was, moves to the new
    /// one with what was not taken. To be called every few milliseconds by who sends
    /// nothing for a while, and by who never has to wait.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent again.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// reader.peek()?.end_session()?;
    /// drop(reader);
    /// writer.recover(&mut WaitPolicy::forever())?;
    /// let mut next = Reader::<InProc>::open(&slot)?;
    /// assert_eq!(next.peek()?.text(), b"hello", "taken along");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        either!(self, writer => writer.recover(policy))
    }

    /// Makes sure that nothing is left behind in removed memory, nor in memory that goes with its last
    /// attachment: there it waits until all is released.
    ///
    /// # Errors
    /// As [`recover`](Self::recover).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// assert_eq!(writer.stranded()?, 0);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        either!(self, writer => writer.flush(policy))
    }

    /// How many messages lie where nobody may ever read them: in memory that was removed, or that
    /// goes with its last attachment.
    ///
    /// # Errors
    /// What the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// reader.peek()?.end_session()?;
    /// assert_eq!(writer.stranded()?, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stranded(&mut self) -> Result<usize, Error> {
        either!(self, writer => writer.stranded())
    }

    /// Leaves in order, after [`flush`](Self::flush).
    ///
    /// # Errors
    /// As `flush`, and what giving back the seat met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.close()?;
    /// assert!(Writer::<InProc>::open(&slot).is_ok(), "the seat is free");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(self) -> Result<(), SendError> {
        either!(self, writer => writer.close())
    }

    /// Leaves in order, without another look at the memory.
    ///
    /// # Errors
    /// What giving back the seat met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// writer.close_flushed()?;
    /// assert!(Writer::<InProc>::open(&slot).is_ok(), "the seat is free");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close_flushed(self) -> Result<(), SendError> {
        either!(self, writer => writer.close_flushed())
    }
}

/// A reader of either layout.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{any::Reader, backend::{Backend, Layout, inproc::{Channel, InProc}}};
/// for meeting_point in [Channel::new(2048), Channel::ring(4096)] {
///     let reader = Reader::<InProc>::open(&meeting_point)?;
///     assert!(matches!((reader.backend().layout(), &reader), (Layout::Slot, Reader::Classic(_)) | (_, Reader::Ring(_))));
/// }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Reader<B: RingBackend> {
    /// Of a classic slot.
    Classic(reader::Reader<B>),
    /// Of a ring.
    Ring(ring::Reader<B>),
}

impl<B: RingBackend> Reader<B> {
    /// Takes the reader's seat at `address`.
    ///
    /// # Errors
    /// [`RecvError::Backend`] with [`Error::SeatTaken`] if another reader has it, or
    /// with what the opening met; [`RecvError::Corrupt`] if a ring's content is none.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert!(matches!(reader, Reader::Ring(_)));
    /// assert!(Reader::<InProc>::open(&slot).is_err(), "there is one already");
    /// assert!(matches!(Reader::<InProc>::open(&Channel::new(2048))?, Reader::Classic(_)));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, RecvError> {
        let backend = B::open(address, Role::Reader)?;
        Ok(match backend.layout() {
            Layout::Slot => Self::Classic(reader::Reader::from_backend(backend)?),
            Layout::Ring { .. } => Self::Ring(ring::Reader::from_backend(backend)?),
        })
    }

    /// The backend, for what it can tell of itself.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::{Backend, Layout, inproc::{Channel, InProc}}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.backend().layout(), Layout::Ring { capacity: 4096 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backend(&self) -> &B {
        either!(self, reader => reader.backend())
    }

    /// The longest message, in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.capacity(), 1024);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        either!(self, reader => reader.capacity())
    }

    /// Waits until there is a message to peek at next, without peeking at it.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// reader.wait_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        either!(self, reader => reader.wait_with(policy))
    }

    /// Waits for the first message that is not released, and peeks at it.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// assert_eq!(reader.peek()?.text(), b"hello", "still there");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek(&mut self) -> Result<Message<'_, B>, RecvError> {
        self.peek_with(&mut WaitPolicy::forever())
    }

    /// Peeks at a message, waiting as `policy` says.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap_err(), RecvError::TimedOut);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B>, RecvError> {
        Ok(match self {
            Self::Classic(reader) => Message::Classic(reader.peek_with(policy)?),
            Self::Ring(reader) => Message::Ring(reader.peek_with(policy)?),
        })
    }

    /// Receives a message into `bytes` and releases it; returns its length.
    ///
    /// # Errors
    /// As the layout's own.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.recv_with(&mut [0; 1024], &mut WaitPolicy::forever()), Ok(5));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_with(&mut self, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<usize, RecvError> {
        either!(self, reader => reader.recv_with(bytes, policy))
    }

    /// Releases what was peeked at and not released yet.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # for meeting_point in [Channel::new(2048), Channel::ring(4096)] {
    /// # let mut reader = Reader::<InProc>::open(&meeting_point)?;
    /// # let mut writer = Writer::<InProc>::open(&meeting_point)?;
    /// writer.send(b"a")?;
    /// assert_eq!(reader.peek()?.text(), b"a");
    /// reader.release_peeked();
    /// writer.send(b"b")?;
    /// assert_eq!(reader.peek()?.text(), b"b");
    /// # }
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_peeked(&mut self) {
        either!(self, reader => reader.release_peeked());
    }

    /// Looks whether our seat was removed, and takes it anew if it was. To be called every
    /// few milliseconds by who never has to wait.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader was faster; else what the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// reader.refresh_seat()?;
    /// assert!(Reader::<InProc>::open(&slot).is_err(), "it is ours still");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh_seat(&mut self) -> Result<(), Error> {
        either!(self, reader => reader.refresh_seat())
    }

    /// Goes on after [`RecvError::WriterGone`]: waits for the next writer.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// drop(writer);
    /// assert_eq!(reader.peek().unwrap_err(), RecvError::WriterGone);
    /// reader.await_next_writer()?;
    /// let mut next = Writer::<InProc>::open(&slot)?;
    /// next.send(b"hello")?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_next_writer(&mut self) -> Result<(), Error> {
        either!(self, reader => reader.await_next_writer())
    }

    /// Gives the seat back, and says if that failed, as dropping does not.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// reader.close()?;
    /// assert!(Reader::<InProc>::open(&slot).is_ok(), "the seat is free");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(self) -> Result<(), Error> {
        either!(self, reader => reader.close())
    }
}

/// A message of either layout that was peeked at and not released yet.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{any::{Message, Reader, Writer}, backend::inproc::{Channel, InProc}};
/// # let slot = Channel::ring(4096);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// writer.send(b"hello")?;
/// let message = reader.peek()?;
/// assert!(matches!(message, Message::Ring(_)));
/// assert_eq!(message.text(), b"hello");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Message<'r, B: RingBackend> {
    /// In a classic slot.
    Classic(reader::Message<'r, B>),
    /// In a ring.
    Ring(ring::Message<'r, B>),
}

impl<B: RingBackend> Message<'_, B> {
    /// Its bytes: a private copy that no peer can change.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> &[u8] {
        either!(self, message => message.text())
    }

    /// Whether it ends the session.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// assert!(reader.peek()?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ends_session(&self) -> bool {
        either!(self, message => message.ends_session())
    }

    /// Gives its space back to the writer.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"a")?;
    /// writer.send(b"b")?;
    /// reader.peek()?.release();
    /// assert_eq!(reader.peek()?.text(), b"b");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(self) {
        either!(self, message => message.release());
    }

    /// Ends the session: removes the memory *without releasing*. Where it may not be removed, because it is another
    /// user's, the end is released instead, and the next session is held in the same memory.
    ///
    /// # Errors
    /// What the removal met, but for a refusal.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, any::{Reader, Writer}, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::ring(4096);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// reader.peek()?.end_session()?;
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&slot)?;
    /// assert_eq!(next.peek_with(&mut WaitPolicy::non_blocking()).unwrap_err(), RecvError::TimedOut, "this is new memory");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_session(self) -> Result<(), Error> {
        either!(self, message => message.end_session())
    }
}
