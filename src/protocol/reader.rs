//! The reading side.

use super::flag::{self, EMPTY};
use super::message;
use super::orders::orders;
use super::peer::{Peer, PeerWatch, Verdict};
use super::wait::{Backoff, GaveUp, Step, WaitPolicy, WaitingFor};
use crate::backend::{Backend, Layout, PeerStatus};
use crate::error::{Error, RecvError, Role};
use crate::sync;
use std::time::Instant;

impl From<GaveUp> for RecvError {
    fn from(why: GaveUp) -> Self {
        match why {
            GaveUp::Deadline => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

/// The one who takes messages out.
///
/// A message is first *peeked at*, then *released*: whoever passes it on
/// releases it when that has succeeded, so that a failure or a death in between
/// makes the next reader see it again.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
/// let slot = Channel::new(2048);
/// let mut reader = Reader::<InProc>::open(&slot).unwrap();
/// let mut writer = Writer::<InProc>::open(&slot).unwrap();
/// writer.send(b"a\n").unwrap();
/// assert_eq!(reader.peek().unwrap().text(), b"a\n");
/// let again = reader.peek().unwrap();
/// assert_eq!(again.text(), b"a\n", "it was not released");
/// again.release();
/// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
/// # }
/// ```
#[derive(Debug)]
pub struct Reader<B: Backend> {
    backend: B,
    watch: PeerWatch,
    /// The message in the slot was peeked at.
    peeked: bool,
    /// Private copy of the text that is peeked at.
    text: Box<[u8]>,
}

impl<B: Backend> Reader<B> {
    /// Takes the reader's seat at `address`. A message that is there already
    /// stays (unlike with the tutorial's reader: defect D4).
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader has it; else what opening the
    /// memory met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert!(Reader::<InProc>::open(&slot).is_err(), "there is one already");
    /// drop(reader);
    /// assert!(Reader::<InProc>::open(&slot).is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        Self::from_backend(B::open(address, Role::Reader)?)
    }

    /// Reads from memory that was opened as a reader.
    pub(super) fn from_backend(backend: B) -> Result<Self, Error> {
        let Layout::Slot = backend.layout() else {
            return Err(Error::WrongLayout { found: backend.layout(), wanted: "a classic slot" });
        };
        let text = vec![0; backend.payload().len()].into_boxed_slice();
        Ok(Self { backend, watch: PeerWatch::new(), peeked: false, text })
    }

    /// The backend, for what it can tell of itself.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::{Backend, Layout, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.backend().layout(), Layout::Slot);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The longest text that can arrive, in bytes: one without a NUL.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.capacity(), 2048);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.text.len()
    }

    /// Waits for a message and peeks at it, without releasing it.
    ///
    /// # Errors
    /// [`RecvError::WriterGone`], [`RecvError::Backend`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.peek()?.text(), b"hello\n");
    /// assert_eq!(reader.peek()?.text(), b"hello\n", "still there");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek(&mut self) -> Result<Message<'_, B>, RecvError> {
        self.peek_with(&mut WaitPolicy::forever())
    }

    /// Peeks at a message, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`peek`](Self::peek), and [`RecvError::TimedOut`] or
    /// [`RecvError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap_err(), RecvError::TimedOut);
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking())?.text(), b"hello\n");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B>, RecvError> {
        self.await_message(policy)?;
        let len = self.backend.payload().read_text(&mut self.text).unwrap_or(self.text.len());
        self.peeked = true;
        Ok(Message { reader: self, len })
    }

    /// Waits until there is a message, without peeking at it.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// reader.wait_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.peek()?.text(), b"hello\n");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        self.await_message(policy)
    }

    /// Receives a message into `text` and releases it; returns its length.
    ///
    /// # Errors
    /// As [`peek`](Self::peek), and [`RecvError::BufferTooSmall`], which
    /// releases nothing.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// let mut text = [0; 2048];
    /// assert_eq!(reader.recv(&mut text[..3]), Err(RecvError::BufferTooSmall { capacity: 2048 }));
    /// let len = reader.recv(&mut text)?;
    /// assert_eq!(&text[..len], b"hello\n");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv(&mut self, text: &mut [u8]) -> Result<usize, RecvError> {
        self.recv_with(text, &mut WaitPolicy::forever())
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::WouldBlock`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.try_recv(&mut [0; 2048]), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv(&mut self, text: &mut [u8]) -> Result<usize, RecvError> {
        self.recv_with(text, &mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try)
    }

    /// Receives a message, waiting until `deadline` at most.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::{Duration, Instant};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(reader.recv_deadline(&mut [0; 2048], soon), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_deadline(&mut self, text: &mut [u8], deadline: Instant) -> Result<usize, RecvError> {
        self.recv_with(text, &mut WaitPolicy::deadline(deadline))
    }

    /// Receives a message, waiting as `policy` says. Where nothing has to be
    /// waited for, this makes no system call and allocates nothing.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and what `policy` leads to.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// let mut policy = WaitPolicy::forever().spins(1000);
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_with(&mut self, text: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<usize, RecvError> {
        self.await_message(policy)?;
        let len =
            self.backend.payload().read_text(text).ok_or(RecvError::BufferTooSmall { capacity: self.text.len() })?;
        self.release();
        Ok(len)
    }

    /// Releases the message that was peeked at, if that was not done yet: for those who
    /// can't keep the [`Message`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"a")?;
    /// assert_eq!(reader.peek()?.text(), b"a");
    /// reader.release_peeked();
    /// writer.try_send(b"b")?;
    /// reader.release_peeked();
    /// assert_eq!(reader.peek()?.text(), b"b", "it was not peeked at, and not released");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_peeked(&mut self) {
        if self.peeked {
            self.release();
        }
    }

    /// Looks whether our seat was removed, and takes it anew if it was. To be called every
    /// few milliseconds by who never has to wait: receiving without waiting looks at
    /// nothing but the slot.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader was faster; else what the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// reader.refresh_seat()?;
    /// assert!(Reader::<InProc>::open(&slot).is_err(), "it is ours still");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh_seat(&mut self) -> Result<(), Error> {
        self.look_around().map(drop)
    }

    /// Looks who is there, and keeps in mind what that says of the writer.
    fn look_around(&mut self) -> Result<(PeerStatus, Verdict), Error> {
        let status = self.backend.status()?;
        Ok((status, self.watch.observe(status, sync::now())))
    }

    /// Goes on after [`RecvError::WriterGone`]: waits for the next writer.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// drop(writer);
    /// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WriterGone));
    /// reader.await_next_writer()?;
    /// let mut next = Writer::<InProc>::open(&slot)?;
    /// next.send(b"hello\n")?;
    /// assert_eq!(reader.recv(&mut [0; 2048]), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_next_writer(&mut self) -> Result<(), Error> {
        self.watch = PeerWatch::new();
        self.backend.forget_failure()
    }

    /// Gives the seat back, and says if that failed, as dropping does not.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// reader.close()?;
    /// assert!(Reader::<InProc>::open(&slot).is_ok(), "the seat is free");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(self) -> Result<(), Error> {
        self.backend.leave()
    }

    fn is_full(&self) -> bool {
        // Edge `text`, taking end: the text is there as it was published.
        flag::is_full(self.backend.flag().load(orders().see_full))
    }

    fn release(&mut self) {
        self.peeked = false;
        // Edge `room`, giving end: our copy out is over.
        self.backend.flag().store(EMPTY, orders().release);
        self.backend.wake();
    }

    fn await_message(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.is_full() {
                return Ok(());
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Message) else { continue };
            if backoff.status_due().is_some() {
                let (status, verdict) = self.look_around()?;
                let died = status.writer_failed || (verdict == Verdict::Gone && self.watch.peer() == Peer::Foreign);
                if (status.removed || died) && self.is_full() {
                    // What was sent before the end is read before the end.
                    return Ok(());
                }
                if status.removed {
                    self.backend.reopen()?;
                    self.peeked = false;
                    self.watch = PeerWatch::new();
                } else if died {
                    return Err(RecvError::WriterGone);
                } else if verdict == Verdict::Gone {
                    // It left in order: whoever comes next is a new one.
                    self.watch = PeerWatch::new();
                }
            }
            let left = backoff.tick(policy, WaitingFor::Message)?;
            self.backend.sleep(longest.min(left));
        }
    }
}

/// A message that was peeked at and not released yet. Dropping it leaves it in
/// the slot, for the next peek.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// writer.send(b"hello\n")?;
/// let message = reader.peek()?;
/// assert_eq!(message.text(), b"hello\n");
/// message.release();
/// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Message<'r, B: Backend> {
    reader: &'r mut Reader<B>,
    len: usize,
}

impl<B: Backend> Message<'_, B> {
    /// The text, without its NUL: a private copy that no peer can change.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.peek()?.text(), b"hello\n");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.reader.text[..self.len]
    }

    /// Whether this message ends the session.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"end\n")?;
    /// assert!(reader.peek()?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ends_session(&self) -> bool {
        message::ends_session(self.text())
    }

    /// Gives the slot back to the writer.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"a\n")?;
    /// reader.peek()?.release();
    /// assert_eq!(writer.try_send(b"b\n"), Ok(()), "there is room again");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(self) {
        self.reader.release();
    }

    /// Ends the session: removes the memory *without releasing*, so that no
    /// writer can publish into a slot that nobody will read again. Where it may not be
    /// removed, because it is another user's, the end is released instead, and the
    /// next session is held in the same memory.
    ///
    /// # Errors
    /// What the removal met, but for a refusal.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"end\n")?;
    /// let message = reader.peek()?;
    /// assert!(message.ends_session());
    /// message.end_session()?;
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&slot)?;
    /// assert_eq!(next.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock), "this is new memory");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_session(self) -> Result<(), Error> {
        match self.reader.backend.remove() {
            Err(Error::Permission { .. }) => {
                self.release();
                Ok(())
            }
            done => done,
        }
    }
}
