//! The reading side.

mod around;
mod before;

use super::backoff::{Backoff, Step};
use super::peer::{PeerWatch, Verdict};
use super::policy::{WaitPolicy, WaitingFor};
use crate::backend::{Backend, PeerStatus};
use crate::error::{Error, RecvError, Role};
use crate::protocol::Either;
use crate::protocol::core::{Consumer, Core, Kind, Record};
use crate::sync;
use std::time::Instant;

/// When a reader that waits moves on from removed memory, in which nothing lies behind its cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removed {
    /// At once: the writer sends the messages again that were peeked at and not released.
    Left,
    /// When everything was released there.
    Drained,
}

/// The result of [`Reader::recv`] and its variants.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// writer.send(b"hello\n")?;
/// assert_eq!(reader.recv(&mut [0; 2048])?, Received::Message(6));
/// writer.end()?;
/// assert_eq!(reader.recv(&mut [0; 2048])?, Received::End);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A message of so many bytes.
    Message(usize),
    /// The end of the session.
    End,
}

/// The side that receives. It holds the reader's seat: there is one reader at a time.
///
/// A message is first *peeked at*, then *released*: only then may the writer use its place again. A reader that passes
/// messages on releases each when that has succeeded. If it fails or dies before, the next reader finds the message again.
/// [`recv`](Self::recv) does both in one step.
///
/// The end of a session is never passed over: a reader meets it again and again until it [ends the
/// session](Self::end_session).
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send_all(&[b"a", b"b", b"c"])?;
/// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(1));
/// let message = reader.peek()?;
/// assert_eq!(message.text(), b"b");
/// message.release();
/// drop(reader);
/// let mut next = Reader::<InProc>::open(&channel)?;
/// assert_eq!(next.peek()?.text(), b"c", "it was not released");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader<B: Backend, L: Core = Either> {
    pub(in crate::protocol) memory: B,
    pub(in crate::protocol) core: L::Consumer,
    watch: PeerWatch,
    /// How much had been taken when this memory was opened.
    since: u64,
    /// A private copy of the message that was peeked at last.
    pub(in crate::protocol) text: Vec<u8>,
}

impl<B: Backend, L: Core> Reader<B, L> {
    /// Takes the reader's seat at `address`, and attaches the memory there. If there is none, it is made. Messages that were sent and not
    /// released are still there.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader is there; [`Error::WrongLayout`] if the memory has another layout than `L`;
    /// [`Error::Corrupt`] if what lies there breaks its layout; otherwise the error from opening the memory.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// assert!(Reader::<InProc>::open(&channel).is_err(), "there is one already");
    /// reader.close()?;
    /// assert!(Reader::<InProc>::open(&channel).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        let memory = B::open_as(address, Role::Reader, L::WANTED)?;
        let found = memory.layout();
        let core = L::Consumer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
        let watch = PeerWatch::of(core.has_strangers());
        let mut reader = Self { memory, core, watch, since: 0, text: Vec::new() };
        reader.settle_in()?;
        Ok(reader)
    }

    /// The memory was opened just now.
    pub(super) fn settle_in(&mut self) -> Result<(), Error> {
        self.core.attach(&self.memory)?;
        self.since = self.core.cursor().memory;
        self.watch.begin_anew();
        Ok(())
    }

    /// The backend, which can tell more about the memory and the seats.
    pub fn backend(&self) -> &B {
        &self.memory
    }

    /// The longest message that can arrive, in bytes: a buffer of that size is never too small. At a slot it is
    /// 2048, one more than our writer sends, because a C program can leave out the NUL.
    pub fn capacity(&self) -> usize {
        self.core.longest(&self.memory)
    }

    /// Waits until there is a message behind the last one that was peeked at, and takes nothing. In a slot there is
    /// none behind it until it is released: there it waits until any message is there.
    ///
    /// While a message that was peeked at is not released, this does not move to other memory, so that the message can be released where it lies.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert_eq!(reader.wait_with(&mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    /// writer.send(b"hello")?;
    /// reader.wait_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        if !self.core.has_strangers() {
            return match self.core.poll(&self.memory)? {
                Some(_) => Ok(()),
                None => self.await_record_slowly(policy, Removed::Drained).map(drop),
            };
        }
        // Nothing comes behind what lies in a slot, peeked at or not.
        if self.core.first(&self.memory)?.is_some() {
            return Ok(());
        }
        self.core.rewind();
        self.await_record_slowly(policy, Removed::Left).map(drop)
    }

    /// Waits for the next message, copies it to the beginning of `bytes`, and releases it. Where a message is there, this makes
    /// no system call (except to wake a writer that sleeps) and allocates nothing.
    ///
    /// The end of a session stays where it is: every call returns [`Received::End`] until
    /// [`end_session`](Self::end_session). At a slot every text that begins with `end` is one, because C programs stop at it;
    /// one that a C program wrote, such as `endless`, can be [peeked at](Self::peek) there, and released instead.
    ///
    /// # Errors
    /// Nothing was released.
    ///
    /// * [`RecvError::WriterGone`]: the writer died or failed, and all that it sent was received.
    ///   [`await_next_writer`](Self::await_next_writer) goes on.
    /// * [`RecvError::BufferTooSmall`]: the message is longer than `bytes`.
    /// * [`RecvError::Backend`]: an error of the memory or the seat, or a peer broke the layout.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// let mut bytes = [0; 1024];
    /// assert_eq!(reader.recv(&mut bytes[..3]), Err(RecvError::BufferTooSmall { capacity: 5 }));
    /// let Received::Message(len) = reader.recv(&mut bytes)? else { panic!("no end was sent") };
    /// assert_eq!(&bytes[..len], b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn recv(&mut self, bytes: &mut [u8]) -> Result<Received, RecvError> {
        match self.core.take_straight(&self.memory, bytes, |_| true) {
            Ok(len) => Ok(Received::Message(len)),
            Err(seen) => self.recv_slowly(seen, bytes, &mut WaitPolicy::forever()),
        }
    }

    /// Receives the next message if it is there.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::WouldBlock`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock));
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(reader.recv_deadline(&mut [0; 1024], soon), Err(RecvError::TimedOut));
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 1024], &mut policy), Err(RecvError::TimedOut));
    /// ```
    #[inline]
    pub fn try_recv(&mut self, bytes: &mut [u8]) -> Result<Received, RecvError> {
        match self.core.take_straight(&self.memory, bytes, |_| true) {
            Ok(len) => Ok(Received::Message(len)),
            Err(seen) => self.recv_slowly(seen, bytes, &mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try),
        }
    }

    /// Receives the next message, waiting until `deadline`.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    pub fn recv_deadline(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<Received, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::deadline(deadline))
    }

    /// Receives the next message if that can be seen to at a glance; where it can't, any other call tells why.
    #[doc(hidden)]
    #[inline(always)]
    pub fn recv_straight(&mut self, bytes: &mut [u8]) -> Option<usize> {
        self.core.take_straight(&self.memory, bytes, |_| true).ok()
    }

    /// Receives the next message, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`] or [`RecvError::Interrupted`] by `policy`.
    #[inline]
    pub fn recv_with(&mut self, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<Received, RecvError> {
        match self.core.take_straight(&self.memory, bytes, |_| true) {
            Ok(len) => Ok(Received::Message(len)),
            Err(seen) => self.recv_slowly(seen, bytes, policy),
        }
    }

    /// What does not go at a glance, at which this flag was seen.
    #[cold]
    #[inline(never)]
    fn recv_slowly(&mut self, seen: u32, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<Received, RecvError> {
        let found = self.await_first(seen, policy)?;
        match self.core.read(&self.memory, found, bytes) {
            Some((len, Kind::Bytes)) => {
                self.core.release(&self.memory, found);
                Ok(Received::Message(len))
            }
            Some((_, Kind::End)) => Ok(Received::End),
            None => Err(self.too_small(found)),
        }
    }

    /// Waits for the first message that was not released, at which this flag was seen.
    pub(in crate::protocol) fn await_first(
        &mut self,
        seen: u32,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<Record, RecvError> {
        self.core.rewind();
        match self.core.found(&self.memory, seen)? {
            Some(found) => Ok(found),
            None => self.await_record_slowly(policy, Removed::Left),
        }
    }

    #[cold]
    #[inline(never)]
    fn too_small(&self, found: Record) -> RecvError {
        // What a slot holds is known only when it was copied.
        let capacity = if found.len > 0 { found.len } else { self.capacity() };
        RecvError::BufferTooSmall { capacity }
    }

    /// Whether the reader pauses a little where messages come one by one, so that the next ones come many at a
    /// time. That is better for many messages, and worse by a tenth of a microsecond for one. It is on by default, and does
    /// nothing at a slot.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// reader.coalesce(false); // each message is an answer that the other side waits for
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn coalesce(&mut self, on: bool) {
        self.core.coalesce(on);
    }

    #[inline(always)]
    pub(in crate::protocol) fn release(&mut self, found: Record) {
        self.core.release(&self.memory, found);
    }

    /// Whatever was found is the last that is read of this memory.
    pub(in crate::protocol) fn close_session(&mut self, found: Record) -> Result<(), Error> {
        if !self.memory.is_ours_to_remove() {
            self.release(found);
            return Ok(());
        }
        let is_beside = self.core.end_beside(&self.memory) == Some(found);
        // Forgotten first: what is told beside memory that is gone would end the next session.
        match if is_beside { self.memory.remove_behind_end() } else { self.memory.remove() } {
            Err(Error::Permission { .. }) => {
                if !is_beside {
                    self.release(found);
                }
                return Ok(());
            }
            done => done?,
        }
        if found.kind == Kind::End {
            self.core.close(&self.memory);
        }
        Ok(())
    }

    /// Looks whether the reader's seat was removed, and takes it anew if it was. Call this every few milliseconds where
    /// the reader never has to wait, because receiving alone does not check the seat.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader was faster; otherwise the error of the check.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// reader.refresh_seat()?;
    /// assert!(Reader::<InProc>::open(&channel).is_err(), "it is still taken");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh_seat(&mut self) -> Result<(), Error> {
        self.status().map(drop)
    }

    /// Goes on after [`RecvError::WriterGone`]: the reader waits for the next writer.
    ///
    /// # Errors
    /// The error of the system call.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// drop(writer);
    /// assert_eq!(reader.recv(&mut [0; 2048]), Err(RecvError::WriterGone));
    /// reader.await_next_writer()?;
    /// let mut next = Writer::<InProc>::open(&channel)?;
    /// next.send(b"hello\n")?;
    /// assert_eq!(reader.recv(&mut [0; 2048])?, Received::Message(6));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_next_writer(&mut self) -> Result<(), Error> {
        self.watch.begin_anew();
        self.memory.forget_failure()
    }

    /// Gives the seat back, and the space of the released messages. A drop does that, too, but can't report a failure.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn close(mut self) -> Result<(), Error> {
        // A writer would wait for it until the next reader comes.
        self.core.give_back(&self.memory);
        self.memory.leave()
    }

    fn status(&mut self) -> Result<(PeerStatus, Verdict), Error> {
        let status = self.memory.status()?;
        Ok((status, self.watch.observe(status, sync::now())))
    }

    #[inline(always)]
    pub(in crate::protocol) fn await_record(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Record, RecvError> {
        match self.core.poll(&self.memory)? {
            Some(found) => Ok(found),
            None => self.await_record_slowly(policy, Removed::Left),
        }
    }

    #[cold]
    #[inline(never)]
    fn await_record_slowly(&mut self, policy: &mut WaitPolicy<'_>, removed: Removed) -> Result<Record, RecvError> {
        let mut backoff = if self.core.has_strangers() { Backoff::new(policy) } else { Backoff::parking(policy) };
        let mut looks = 1;
        let mut found = self.core.run_dry(&self.memory)?;
        loop {
            if let Some(found) = found {
                self.core.arrived(looks);
                return Ok(found);
            }
            looks = u32::saturating_add(looks, 1);
            if let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Message) {
                if backoff.status_due()
                    && let Some(found) = self.look_around(removed)?
                {
                    return Ok(found);
                }
                let left = backoff.tick(policy, WaitingFor::Message)?;
                self.core.park(&self.memory, longest.min(left))?;
            }
            found = self.core.poll(&self.memory)?;
        }
    }
}
