//! The writing side.

use super::flag::{self, FULL};
use super::message;
use super::orders::orders;
use super::peer::{Peer, PeerWatch, Verdict};
use super::wait::{Backoff, GaveUp, LONGEST, Step, WaitPolicy, WaitingFor};
use crate::backend::{Backend, Layout, PeerStatus};
use crate::error::{Error, Role, SendError};
use crate::sync;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

impl From<GaveUp> for SendError {
    fn from(why: GaveUp) -> Self {
        match why {
            GaveUp::Deadline => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

/// The one who puts messages in.
///
/// A message is *sent* when its flag is published. Dropping the writer counts
/// as failing, which ends a reader of ours; [`close`](Self::close) does not.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{Reader, SendError, Writer, backend::inproc::{Channel, InProc}};
/// let slot = Channel::new(2048);
/// let mut writer = Writer::<InProc>::open(&slot).unwrap();
/// assert_eq!(writer.try_send(b"a\n"), Err(SendError::WouldBlock), "nobody reads yet");
/// let mut reader = Reader::<InProc>::open(&slot).unwrap();
/// writer.send(b"a\n").unwrap();
/// assert_eq!(writer.try_send(b"b\n"), Err(SendError::WouldBlock), "one slot, one message");
/// assert_eq!(reader.recv(&mut [0; 2048]), Ok(2));
/// writer.try_send(b"b\n").unwrap();
/// writer.close().unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct Writer<B: Backend> {
    backend: B,
    watch: PeerWatch,
    /// The reader of this memory was met, so that publishing wipes nothing.
    introduced: bool,
    /// Messages from removed memory that nobody took, to be sent again. Never
    /// without `introduced` being false.
    stranded: VecDeque<Vec<u8>>,
}

impl<B: Backend> Writer<B> {
    /// Takes the writer's seat at `address`.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another writer has it; else what opening the
    /// memory met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert!(Writer::<InProc>::open(&slot).is_err(), "there is one already");
    /// drop(writer);
    /// assert!(Writer::<InProc>::open(&slot).is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        Self::from_backend(B::open(address, Role::Writer)?)
    }

    /// Writes to memory that was opened as a writer.
    pub(super) fn from_backend(backend: B) -> Result<Self, Error> {
        let Layout::Slot = backend.layout() else {
            return Err(Error::WrongLayout { found: backend.layout(), wanted: "a classic slot" });
        };
        Ok(Self { backend, watch: PeerWatch::new(), introduced: false, stranded: VecDeque::new() })
    }

    /// The backend, for what it can tell of itself.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::{Backend, Layout, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(writer.backend().layout(), Layout::Slot);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The longest text that fits, in bytes: a NUL needs its place.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(writer.capacity(), 2047);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.backend.payload().len() - 1
    }

    /// Sends `text`, waiting for a reader and for room as long as it takes.
    ///
    /// # Errors
    /// [`SendError::Unsendable`], [`SendError::ReaderGone`],
    /// [`SendError::Backend`]. The text was not sent.
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
    pub fn send(&mut self, text: &[u8]) -> Result<(), SendError> {
        self.send_with(text, &mut WaitPolicy::forever())
    }

    /// Sends `text` if that can be done at once.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::WouldBlock`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, SendError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(writer.try_send(b"a\n"), Ok(()));
    /// assert_eq!(writer.try_send(b"b\n"), Err(SendError::WouldBlock));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_send(&mut self, text: &[u8]) -> Result<(), SendError> {
        self.send_with(text, &mut WaitPolicy::non_blocking()).map_err(SendError::of_a_try)
    }

    /// Sends `text`, waiting until `deadline` at most.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, SendError, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::{Duration, Instant};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"a\n")?;
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(writer.send_deadline(b"b\n", soon), Err(SendError::TimedOut), "nobody took the first one");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_deadline(&mut self, text: &[u8], deadline: Instant) -> Result<(), SendError> {
        self.send_with(text, &mut WaitPolicy::deadline(deadline))
    }

    /// Sends `text`, waiting as `policy` says. Where nothing has to be
    /// waited for, this makes no system call and allocates nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`] or
    /// [`SendError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::forever().spins(1000);
    /// assert_eq!(writer.send_with(b"hello\n", &mut policy), Ok(()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_with(&mut self, text: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        // On its way while the text is checked.
        self.backend.payload().expect_write(text.len());
        message::check(text, self.capacity())?;
        // An `end` that lies in removed memory counts as answered by the
        // removal: so it must not go there after the removal.
        if message::ends_session(text) {
            self.recover(policy)?;
        }
        if !(self.introduced && self.stranded.is_empty() && self.watch.peer() == Peer::Ours && self.is_empty()) {
            self.await_turn(policy)?;
        }
        self.publish(text);
        Ok(())
    }

    /// Looks whether the memory or our seat was removed, and if it was, moves to the
    /// new one with what was not taken. To be called every few milliseconds by who
    /// sends nothing for a while, and by who never has to wait: sending without waiting
    /// looks at nothing but the slot.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent
    /// again.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// reader.peek()?.end_session()?;
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&slot)?;
    /// writer.recover(&mut WaitPolicy::forever())?;
    /// assert_eq!(next.peek()?.text(), b"hello\n", "taken along");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.look_around()?.0.removed {
            self.move_on(policy)?;
        }
        self.flush_stranded(policy)
    }

    /// How many messages lie where nobody may ever read them: in memory that was removed, or that
    /// goes with its last attachment.
    ///
    /// # Errors
    /// What the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(writer.stranded()?, 0);
    /// reader.peek()?.end_session()?;
    /// assert_eq!(writer.stranded()?, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stranded(&mut self) -> Result<usize, Error> {
        let is_lost = self.look_around()?.0.removed || !self.backend.persists();
        let here = is_lost && self.unreleased().is_some();
        Ok(self.stranded.len() + usize::from(here))
    }

    /// Leaves in order: a reader of ours waits for the next writer. Before
    /// that, what was not taken from removed memory is sent again.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.close()?;
    /// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock), "no WriterGone");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(mut self) -> Result<(), SendError> {
        self.flush(&mut WaitPolicy::forever())?;
        self.close_flushed()
    }

    /// Makes sure that nothing is left behind in removed memory, nor in memory that goes with its last
    /// attachment: there it waits until all is released.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent
    /// again.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// assert_eq!(writer.stranded()?, 0);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        loop {
            // What was sent again can lie in memory that was removed as well.
            while self.look_around()?.0.removed && self.is_stranded(policy)? {
                self.move_on(policy)?;
                self.flush_stranded(policy)?;
                Backoff::new(policy).tick(policy, WaitingFor::Room)?;
            }
            self.flush_stranded(policy)?;
            if self.backend.persists() || self.await_receipt(policy)? || !self.is_stranded(policy)? {
                return Ok(());
            }
        }
    }

    /// Waits until the slot is empty, for this reader or the next one; `false`: the memory was removed.
    fn await_receipt(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.is_empty() {
                return Ok(true);
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Receipt) else { continue };
            if backoff.status_due().is_some() && self.look_around()?.0.removed {
                return Ok(false);
            }
            let left = backoff.tick(policy, WaitingFor::Receipt)?;
            self.backend.sleep(longest.min(left));
        }
    }

    /// Leaves in order, without another look at the memory.
    ///
    /// # Errors
    /// What giving back the seat met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// writer.close_flushed()?;
    /// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock), "no WriterGone");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close_flushed(self) -> Result<(), SendError> {
        Ok(self.backend.leave()?)
    }

    /// Looks who is there, and keeps in mind what that says of the reader.
    fn look_around(&mut self) -> Result<(PeerStatus, Verdict), Error> {
        let status = self.backend.status()?;
        Ok((status, self.watch.observe(status, sync::now())))
    }

    fn is_empty(&self) -> bool {
        // Edge `room`, taking end: the reader's copy out is over.
        !flag::is_full(self.backend.flag().load(orders().see_empty))
    }

    fn publish(&mut self, text: &[u8]) {
        self.backend.payload().write_text(text);
        // Edge `text`, giving end: whoever sees the flag sees the text.
        self.backend.flag().store(FULL, orders().publish);
        self.introduced = true;
        self.backend.wake();
    }

    /// Waits until the slot is ours and a reader is known.
    fn await_room(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.introduced && self.is_empty() && (self.watch.peer() == Peer::Ours || self.step_back()) {
                return Ok(());
            }
            // The first message is preceded by a status check in any case.
            let step = if self.introduced { backoff.step(policy, WaitingFor::Room) } else { Step::Sleep(LONGEST) };
            let Step::Sleep(longest) = step else { continue };
            if backoff.status_due().is_some() {
                let (status, verdict) = self.look_around()?;
                if status.removed {
                    // No look at the new memory before the tick: somebody who
                    // removes again and again must not keep us from it.
                    self.move_on(policy)?;
                    backoff.begin_again(policy);
                } else {
                    match verdict {
                        // Room may have been made before the reader went: then
                        // nothing needs to be waited for.
                        Verdict::Gone if !self.introduced => self.watch = PeerWatch::new(),
                        Verdict::Gone if !self.is_empty() => return Err(SendError::ReaderGone),
                        Verdict::Gone | Verdict::Present | Verdict::Unseen => {}
                    }
                }
                if !self.introduced && self.watch.may_publish_first() {
                    self.introduced = true;
                    continue;
                }
            }
            let what = if self.introduced { WaitingFor::Room } else { WaitingFor::Reader };
            let left = backoff.tick(policy, what)?;
            self.backend.sleep(longest.min(left));
        }
    }

    /// A C reader looks for `end` in the slot *after* it gave it back (defect
    /// D3): one step of waiting lets it finish. Then the slot must still be
    /// ours, which it is unless a second C writer is there (D5).
    fn step_back(&self) -> bool {
        self.backend.sleep(LONGEST);
        self.is_empty()
    }

    /// On removed memory: takes along what nobody took, to the new one.
    fn move_on(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let left = if self.is_stranded(policy)? { self.unreleased() } else { None };
        self.backend.reopen()?;
        // In front: it was sent before what still waits to be sent again.
        if let Some(text) = left {
            self.stranded.push_front(text);
        }
        self.watch = PeerWatch::new();
        self.introduced = false;
        Ok(())
    }

    /// Waits until the next text is the one to go into the slot: what turns out
    /// to be stranded meanwhile was sent before it and goes first.
    fn await_turn(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        loop {
            self.await_room(policy)?;
            match self.stranded.pop_front() {
                Some(text) => self.publish(&text),
                None => return Ok(()),
            }
        }
    }

    /// Sends what is stranded, and does not wait until the last of it is taken.
    fn flush_stranded(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        while !self.stranded.is_empty() {
            self.await_room(policy)?;
            if let Some(text) = self.stranded.pop_front() {
                self.publish(&text);
            }
        }
        Ok(())
    }

    /// Whether removed memory holds a message that nobody will take: a reader
    /// that is still attached drains it first, and an `end` is answered by the
    /// removal.
    fn is_stranded(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            // In this order: who is gone by the status check has released before it.
            let alone = self.look_around()?.0.is_alone();
            if self.unreleased().is_none() {
                return Ok(false);
            }
            if alone {
                return Ok(true);
            }
            if let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Drain) {
                let left = backoff.tick(policy, WaitingFor::Drain)?;
                self.backend.sleep(longest.min(left).max(Duration::from_micros(1)));
            }
        }
    }

    /// The message that lies in the slot, unless it is an `end`.
    fn unreleased(&self) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let payload = self.backend.payload();
        let mut text = vec![0; payload.len()];
        let len = payload.read_text(&mut text)?;
        // Our own messages fit; a longer text without a NUL is a C writer's.
        text.truncate(len.min(self.capacity()));
        (!message::ends_session(&text)).then_some(text)
    }
}
