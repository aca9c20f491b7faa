//! The reading side.

use super::backoff::{Backoff, Step};
use super::peer::{Peer, PeerWatch, Verdict};
use super::policy::{WaitPolicy, WaitingFor};
use crate::backend::{Backend, PeerStatus};
use crate::error::{Error, RecvError, Role};
use crate::protocol::Either;
use crate::protocol::core::{Consumer, Core, Cursor, Kind, Record};
use crate::sync;
use std::time::Instant;

/// What a reader received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A message of so many bytes.
    Message(usize),
    /// The end of the session.
    End,
}

/// Takes messages out, one after the other, from either layout.
#[derive(Debug)]
pub struct Reader<B: Backend, L: Core = Either> {
    pub(in crate::protocol) memory: B,
    pub(in crate::protocol) core: L::Consumer,
    watch: PeerWatch,
    /// A private copy of the message that was peeked at last.
    pub(super) text: Vec<u8>,
}

impl<B: Backend, L: Core> Reader<B, L> {
    /// Takes the reader's seat at `address`.
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        let memory = B::open(address, Role::Reader)?;
        let found = memory.layout();
        let core = L::Consumer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
        let watch = PeerWatch::of(core.has_strangers());
        let mut reader = Self { memory, core, watch, text: Vec::new() };
        reader.settle_in()?;
        Ok(reader)
    }

    /// The memory was opened just now.
    fn settle_in(&mut self) -> Result<(), Error> {
        self.core.attach(&self.memory)?;
        self.watch.begin_anew();
        Ok(())
    }

    /// The backend, for what it can tell of itself.
    pub fn backend(&self) -> &B {
        &self.memory
    }

    /// The longest message, in bytes.
    pub fn capacity(&self) -> usize {
        self.core.longest(&self.memory)
    }

    /// Waits until there is a message, and takes nothing.
    pub fn wait_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        self.await_record(policy).map(drop)
    }

    /// Waits for the next message, copies it to the beginning of `bytes`, and releases it.
    #[inline]
    pub fn recv(&mut self, bytes: &mut [u8]) -> Result<Received, RecvError> {
        match self.core.take_straight(&self.memory, bytes) {
            Ok(len) => Ok(Received::Message(len)),
            Err(seen) => self.recv_slowly(seen, bytes, &mut WaitPolicy::forever()),
        }
    }

    /// Receives the next message if it is there.
    #[inline]
    pub fn try_recv(&mut self, bytes: &mut [u8]) -> Result<Received, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try)
    }

    /// Receives the next message, waiting until `deadline`.
    pub fn recv_deadline(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<Received, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::deadline(deadline))
    }

    /// Receives the next message if that can be seen to at a glance; where it can't, any other call tells why.
    #[doc(hidden)]
    #[inline(always)]
    pub fn recv_straight(&mut self, bytes: &mut [u8]) -> Option<usize> {
        self.core.take_straight(&self.memory, bytes).ok()
    }

    /// Receives the next message, waiting as `policy` says.
    #[inline]
    pub fn recv_with(&mut self, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<Received, RecvError> {
        match self.core.take_straight(&self.memory, bytes) {
            Ok(len) => Ok(Received::Message(len)),
            Err(seen) => self.recv_slowly(seen, bytes, policy),
        }
    }

    /// What does not go at a glance, at which this flag was seen.
    #[cold]
    #[inline(never)]
    fn recv_slowly(&mut self, seen: u32, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<Received, RecvError> {
        self.core.rewind();
        let found = match self.core.found(&self.memory, seen)? {
            Some(found) => found,
            None => self.await_record_slowly(policy)?,
        };
        match self.core.read(&self.memory, found, bytes) {
            Some((len, Kind::Bytes)) => {
                self.core.release(&self.memory, found);
                Ok(Received::Message(len))
            }
            Some((_, Kind::End)) => Ok(Received::End),
            None => Err(self.too_small(found)),
        }
    }

    #[cold]
    #[inline(never)]
    fn too_small(&self, found: Record) -> RecvError {
        // What a slot holds is known only when it was copied.
        let capacity = if found.len > 0 { found.len } else { self.capacity() };
        RecvError::BufferTooSmall { capacity }
    }

    /// Sets the cursor to the first message that was not released.
    pub fn rewind(&mut self) {
        self.core.rewind();
    }

    /// Releases all that was peeked at.
    pub fn release_peeked(&mut self) {
        self.release_up_to(self.cursor());
    }

    /// How far was peeked.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.core.cursor()
    }

    /// Releases what was peeked at up to `cursor`.
    pub fn release_up_to(&mut self, cursor: Cursor) {
        self.core.release_up_to(&self.memory, cursor);
    }

    /// Whether the reader lets records gather when it is close behind the writer.
    pub fn coalesce(&mut self, on: bool) {
        self.core.coalesce(on);
    }

    #[inline(always)]
    pub(in crate::protocol) fn release(&mut self, found: Record) {
        self.core.release(&self.memory, found);
    }

    /// Whatever was found is the last that is read of this memory.
    pub(in crate::protocol) fn close_session(&mut self, found: Record) -> Result<(), Error> {
        match self.memory.remove() {
            Err(Error::Permission { .. }) => {
                self.release(found);
                return Ok(());
            }
            done => done?,
        }
        if found.kind == Kind::End {
            self.core.close(&self.memory);
        }
        Ok(())
    }

    /// Looks whether our seat was removed, and takes it anew.
    pub fn refresh_seat(&mut self) -> Result<(), Error> {
        self.status().map(drop)
    }

    /// Forgets the writer that died, so that the next one is waited for.
    pub fn await_next_writer(&mut self) -> Result<(), Error> {
        self.watch.begin_anew();
        self.memory.forget_failure()
    }

    /// Gives the seat back, and says if that failed, as dropping does not.
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
            None => self.await_record_slowly(policy),
        }
    }

    #[cold]
    #[inline(never)]
    fn await_record_slowly(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Record, RecvError> {
        let mut backoff = if self.core.has_strangers() { Backoff::new(policy) } else { Backoff::parking(policy) };
        let mut looks = 1;
        let mut found = self.core.run_dry(&self.memory)?;
        loop {
            if let Some(found) = found {
                self.core.arrived(looks);
                return Ok(found);
            }
            looks += 1;
            if let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Message) {
                if backoff.status_due().is_some()
                    && let Some(found) = self.look_around()?
                {
                    return Ok(found);
                }
                let left = backoff.tick(policy, WaitingFor::Message)?;
                self.core.park(&self.memory, longest.min(left))?;
            }
            found = self.core.poll(&self.memory)?;
        }
    }

    /// Looks at the peer and the memory. What was sent before a death or a removal is read before that is
    /// told, or acted upon.
    fn look_around(&mut self) -> Result<Option<Record>, RecvError> {
        let (status, verdict) = self.status()?;
        let died = status.writer_failed || (verdict == Verdict::Gone && self.watch.peer() == Peer::Foreign);
        if status.removed || died {
            let found = self.core.poll_last(&self.memory)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if status.removed {
            self.memory.reopen()?;
            self.settle_in()?;
        } else if died {
            return Err(RecvError::WriterGone);
        } else if verdict == Verdict::Gone {
            // It left in order: the next one to come is a new one.
            self.watch.begin_anew();
        }
        Ok(None)
    }
}
