//! The writing side.

mod beside;
mod recovery;
mod room;

use super::peer::{Peer, PeerWatch, Verdict};
use super::policy::WaitPolicy;
use crate::backend::{Backend, PeerStatus};
use crate::error::{Error, Role, SendError};
use crate::protocol::Either;
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{Core, Kind, Producer};
use crate::sync;
use std::time::Instant;

/// The side that sends. It holds the writer's seat: there is one writer at a time.
///
/// A message is *sent* when the whole of it lies in the shared memory, for the reader that is there or the next one to come.
/// At a ring a writer need not wait for a reader to come, as long as there is room. At a slot the first message waits
/// for one, because C programs wipe the slot when they start.
///
/// A writer that is dropped, or whose process dies, counts as failed: the reader receives
/// [`RecvError::WriterGone`](crate::RecvError::WriterGone) behind its last message. [`close`](Self::close) leaves in order.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send(b"alone")?;
/// writer.send_all(&[b"two", b"at once"])?;
/// let mut bytes = [0; 1024];
/// assert_eq!([(); 3].map(|()| reader.recv(&mut bytes)), [5, 3, 7].map(|len| Ok(Received::Message(len))));
/// writer.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // what is known, by name
pub struct Writer<B: Backend, L: Core = Either> {
    pub(in crate::protocol) memory: B,
    pub(in crate::protocol) core: L::Producer,
    watch: PeerWatch,
    /// A peer has seen a message of ours in this memory, or is known to have made its first step.
    introduced: bool,
    /// A C program has had the time to look again at what it released last.
    has_stepped_back: bool,
    /// A reader was there, in this memory or for it, when something was to be sent: where there is no room, it is known to go.
    has_met: bool,
    /// What was sent last is an end.
    pub(in crate::protocol) has_ended: bool,
    backlog: Backlog,
}

impl<B: Backend, L: Core> Writer<B, L> {
    /// Takes the writer's seat at `address`, and attaches the memory there. If there is none, it is made.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another writer is there; [`Error::WrongLayout`] if the memory has another layout than `L`;
    /// [`Error::Corrupt`] if what lies there breaks its layout; otherwise the error from opening the memory.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let error = Writer::<InProc>::open(&channel).unwrap_err();
    /// assert!(error.to_string().starts_with("the channel: another writer is attached"));
    /// drop(writer);
    /// assert!(Writer::<InProc>::open(&channel).is_ok());
    /// assert!(matches!(Writer::<InProc, Slot>::open(&channel), Err(Error::WrongLayout { .. })), "this is a ring");
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        let memory = B::open_as(address, Role::Writer, L::WANTED)?;
        let found = memory.layout();
        let core = L::Producer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
        let watch = PeerWatch::of(core.has_strangers());
        let backlog = Backlog::default();
        let (introduced, has_stepped_back, has_met, has_ended) = (false, false, false, false);
        let mut writer = Self { memory, core, watch, introduced, has_stepped_back, has_met, has_ended, backlog };
        writer.settle_in()?;
        Ok(writer)
    }

    /// The memory was opened just now.
    fn settle_in(&mut self) -> Result<(), Error> {
        self.core.attach(&self.memory)?;
        self.watch.begin_anew();
        self.introduced = !self.core.has_strangers();
        (self.has_stepped_back, self.has_met) = (false, false);
        self.renew();
        Ok(())
    }

    /// The backend, which can tell more about the memory and the seats.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert_eq!(writer.backend().layout(), Layout::Ring { capacity: 4096 });
    /// assert!(reader.backend().persists(), "the memory stays when both have gone");
    /// ```
    pub fn backend(&self) -> &B {
        &self.memory
    }

    /// The longest message that can be sent, in bytes: 2047 at a slot, at a ring a quarter of it.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert_eq!((writer.capacity(), reader.capacity()), (1024, 1024));
    /// assert!(matches!(writer.send(&[0; 1025]), Err(SendError::Unsendable(_))));
    /// ```
    pub fn capacity(&self) -> usize {
        self.core.longest(&self.memory)
    }

    /// Sends `bytes`, waiting for room as long as it takes. Where there is room, this makes no system call
    /// (except to wake a reader that sleeps) and allocates nothing.
    ///
    /// # Errors
    /// The message was not sent.
    ///
    /// * [`SendError::Unsendable`]: the layout can't carry it. The writer can go on with another one.
    /// * [`SendError::ReaderGone`]: there is no room, and the reader left or died. This is not final. The messages that
    ///   were sent stay where they are for the next reader; [`await_reader`](Self::await_reader) waits for one, and then the message can be sent again.
    /// * [`SendError::Backend`]: an error of the memory or the seat.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.peek()?.text(), b"hello\n");
    /// assert!(matches!(writer.send(b"a\0b"), Err(SendError::Unsendable(_))), "a text has no NUL");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        if self.core.push_straight(&self.memory, bytes) {
            return Ok(());
        }
        self.send_slowly(bytes, &mut WaitPolicy::forever())
    }

    /// Sends `bytes` if there is room. At a slot, a reader has to be there, too.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::WouldBlock`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// assert_eq!(writer.try_send(b"a\n"), Ok(()));
    /// assert_eq!(writer.try_send(b"b\n"), Err(SendError::WouldBlock), "nobody has taken the first one");
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(writer.send_deadline(b"b\n", soon), Err(SendError::TimedOut));
    /// ```
    #[inline]
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        if self.core.push_straight(&self.memory, bytes) {
            return Ok(());
        }
        self.send_slowly(bytes, &mut WaitPolicy::non_blocking()).map_err(SendError::of_a_try)
    }

    /// Sends `bytes`, waiting until `deadline`.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`].
    pub fn send_deadline(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        self.send_with(bytes, &mut WaitPolicy::deadline(deadline))
    }

    /// Sends `bytes` if that can be seen to at a glance; where it can't, any other call tells why.
    #[doc(hidden)]
    #[inline(always)]
    pub fn send_straight(&mut self, bytes: &[u8]) -> bool {
        self.core.push_straight(&self.memory, bytes)
    }

    /// Sends `bytes`, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`] or [`SendError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// while writer.send_with(&[7; 1000], &mut policy).is_ok() {}
    /// assert_eq!(writer.send_with(&[7; 1000], &mut policy), Err(SendError::TimedOut), "the ring is full");
    /// ```
    #[inline]
    pub fn send_with(&mut self, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.core.push_straight(&self.memory, bytes) {
            return Ok(());
        }
        self.send_slowly(bytes, policy)
    }

    /// What does not go at a glance.
    #[cold]
    #[inline(never)]
    fn send_slowly(&mut self, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let kind = self.core.check(&self.memory, bytes)?;
        let pushed = self.push(kind, bytes, policy);
        self.renew();
        pushed
    }

    /// Sends `messages` in order, waiting for room as long as it takes. A ring publishes as many at once as there is room
    /// for; a slot carries one after the other.
    ///
    /// # Errors
    /// As [`send`](Self::send), for the first message that was not sent. Those before it were.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"bc"])?;
    /// assert_eq!(reader.peek()?.text(), b"a");
    /// let all_with = writer.send_all_with(&[&[7; 1000][..]; 5], &mut WaitPolicy::non_blocking());
    /// assert_eq!(all_with, Err((4, SendError::TimedOut)), "there was room for four");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_all(&mut self, messages: &[&[u8]]) -> Result<(), SendError> {
        self.send_all_with(messages, &mut WaitPolicy::forever()).map_err(|(_, error)| error)
    }

    /// Sends `messages` in order, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), and how many messages were sent.
    pub fn send_all_with(&mut self, messages: &[&[u8]], policy: &mut WaitPolicy<'_>) -> Result<(), (usize, SendError)> {
        let mut rest = messages.iter().copied();
        while rest.len() > 0 {
            self.send_some(&mut rest, policy).map_err(|error| (messages.len() - rest.len(), error))?;
        }
        Ok(())
    }

    /// Sends as many of `messages` as can be published together, one at least if there is one; `messages`
    /// moves behind them.
    pub(crate) fn send_some<'m>(
        &mut self,
        messages: &mut (impl Iterator<Item = &'m [u8]> + Clone),
        policy: &mut WaitPolicy<'_>,
    ) -> Result<(), SendError> {
        let pushed = if self.is_clear() && !self.has_ended { self.core.push_all(&self.memory, messages) } else { 0 };
        self.renew();
        let mut ahead = messages.clone();
        if pushed == 0
            && let Some(next) = ahead.next()
        {
            self.send_with(next, policy)?;
            *messages = ahead;
        }
        Ok(())
    }

    /// Ends the session: behind the last message, the reader finds [`Received::End`](crate::Received::End). At a slot this sends the text
    /// `end`, at which C programs stop, too. Messages sent afterwards belong to the next session; they wait until the reader
    /// has answered the end.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"end\n")?;
    /// writer.end()?;
    /// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(4), "bytes like any others, in a ring");
    /// assert_eq!(reader.recv(&mut [0; 1024])?, Received::End);
    /// assert!(reader.end_session()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end(&mut self) -> Result<(), SendError> {
        self.end_with(&mut WaitPolicy::forever())
    }

    /// Ends the session, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    pub fn end_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.core.ends_beside(&self.memory) {
            return self.end_beside(policy);
        }
        let pushed = self.push(Kind::End, self.core.end(), policy);
        self.renew();
        pushed
    }

    /// Sends what can be carried, after all that has to come first.
    fn push(&mut self, kind: Kind, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        // An end that lies in removed memory counts as answered by the removal: so it must not go there
        // after the removal. (Where the memory is removed later than this, `flush` finds it there.)
        if kind == Kind::End {
            self.recover(policy)?;
        }
        let before = self.memory.layout();
        self.make_room(bytes.len(), policy)?;
        if self.memory.layout() != before {
            return self.push_elsewhere(kind, bytes, policy);
        }
        self.core.push(&self.memory, kind, bytes);
        self.has_pushed(kind);
        Ok(())
    }

    /// As [`push`](Self::push), after a move to another layout than the one for which the message was checked.
    #[cold]
    fn push_elsewhere(&mut self, kind: Kind, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        match kind {
            Kind::End if self.core.ends_beside(&self.memory) => return self.end_beside(policy),
            Kind::End => self.core.push(&self.memory, kind, self.core.end()),
            Kind::Bytes => {
                let kind = self.core.check(&self.memory, bytes)?;
                self.core.push(&self.memory, kind, bytes);
            }
        }
        self.has_pushed(kind);
        Ok(())
    }

    /// Leaves in order: the reader waits for the next writer, and is not told of a failure. Before that, messages that were not
    /// taken from removed memory are sent again, as [`flush`](Self::flush) does. Messages that were sent stay for the reader.
    ///
    /// # Errors
    /// As [`flush`](Self::flush). The writer is gone then, too, but as one that failed.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// writer.close()?;
    /// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(5));
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "the next writer can come");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(mut self) -> Result<(), SendError> {
        self.flush(&mut WaitPolicy::forever())?;
        self.close_flushed()
    }

    /// Leaves in order, without another look at the memory: for a caller that has called [`flush`](Self::flush) with a policy of
    /// its own.
    ///
    /// # Errors
    /// The error from giving the seat back.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// writer.close_flushed()?;
    /// assert!(Writer::<InProc>::open(&channel).is_ok(), "the seat is free");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close_flushed(self) -> Result<(), SendError> {
        Ok(self.memory.leave()?)
    }

    fn status(&mut self) -> Result<(PeerStatus, Verdict), Error> {
        let status = self.memory.status()?;
        if self.core.take_met() {
            self.watch.meet();
        }
        let verdict = self.watch.observe(status, sync::now());
        self.renew();
        Ok((status, verdict))
    }

    /// Nothing has to come first, as far as is known here.
    fn is_clear(&self) -> bool {
        self.introduced && self.backlog.is_empty() && (!self.core.has_strangers() || self.watch.peer() == Peer::Ours)
    }

    /// The next send can do at a glance what it could not before, or the other way round.
    pub(in crate::protocol) fn renew(&mut self) {
        let is_clear = self.is_clear();
        self.has_stepped_back &= !is_clear;
        // What is sent behind an end says that it is.
        self.core.renew(&self.memory, is_clear && !self.has_ended);
    }
}
