//! The writing side.

mod recovery;
mod room;

use super::backoff::{Backoff, LONGEST};
use super::peer::{Peer, PeerWatch, Verdict};
use super::policy::{WaitPolicy, WaitingFor};
use crate::backend::{Backend, PeerStatus};
use crate::error::{Error, Role, SendError};
use crate::protocol::Either;
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{Core, Kind, Producer};
use crate::sync;
use std::time::Instant;

/// Puts messages in, one after the other, on either layout.
#[derive(Debug)]
pub struct Writer<B: Backend, L: Core = Either> {
    pub(in crate::protocol) memory: B,
    pub(in crate::protocol) core: L::Producer,
    watch: PeerWatch,
    /// A peer may be told of by this memory: it has seen a message of ours, or is known to have
    /// made its first step.
    introduced: bool,
    backlog: Backlog,
}

impl<B: Backend, L: Core> Writer<B, L> {
    /// Takes the writer's seat at `address`.
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        let memory = B::open(address, Role::Writer)?;
        let found = memory.layout();
        let core = L::Producer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
        let watch = PeerWatch::of(core.has_strangers());
        let mut writer = Self { memory, core, watch, introduced: false, backlog: Backlog::default() };
        writer.settle_in()?;
        Ok(writer)
    }

    /// The memory was opened just now.
    fn settle_in(&mut self) -> Result<(), Error> {
        self.core.attach(&self.memory)?;
        self.watch.begin_anew();
        self.introduced = !self.core.has_strangers();
        self.renew();
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

    /// Sends `bytes`, waiting as long as it takes.
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        if self.core.push_straight(&self.memory, bytes) {
            return Ok(());
        }
        self.send_slowly(bytes, &mut WaitPolicy::forever())
    }

    /// Sends `bytes` if it need not wait.
    #[inline]
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        if self.core.push_straight(&self.memory, bytes) {
            return Ok(());
        }
        self.send_slowly(bytes, &mut WaitPolicy::non_blocking()).map_err(SendError::of_a_try)
    }

    /// Sends `bytes`, waiting until `deadline`.
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

    /// Sends `messages` in order, waiting as long as it takes. In a ring they are published together, as
    /// far as there is room.
    pub fn send_all(&mut self, messages: &[&[u8]]) -> Result<(), SendError> {
        self.send_all_with(messages, &mut WaitPolicy::forever()).map_err(|(_, error)| error)
    }

    /// Sends `messages` in order, waiting as `policy` says.
    pub fn send_all_with(&mut self, messages: &[&[u8]], policy: &mut WaitPolicy<'_>) -> Result<(), (usize, SendError)> {
        let mut sent = 0;
        while let Some(next) = messages.get(sent) {
            let pushed = if self.is_clear() { self.core.push_all(&self.memory, &messages[sent..]) } else { 0 };
            self.renew();
            if pushed == 0 {
                self.send_with(next, policy).map_err(|error| (sent, error))?;
                sent += 1;
            }
            sent += pushed;
        }
        Ok(())
    }

    /// Ends the session, waiting as long as it takes.
    pub fn end(&mut self) -> Result<(), SendError> {
        self.end_with(&mut WaitPolicy::forever())
    }

    /// Ends the session, waiting as `policy` says.
    pub fn end_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
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
        self.make_room(bytes.len(), policy)?;
        self.core.push(&self.memory, kind, bytes);
        self.introduced = true;
        Ok(())
    }

    /// Waits until a reader is there, as `policy` says.
    pub fn await_reader(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.watch.begin_anew();
        let mut backoff = Backoff::new(policy);
        loop {
            let (status, verdict) = self.status()?;
            if status.removed {
                self.move_on(policy)?;
            } else if verdict == Verdict::Present {
                return Ok(());
            }
            let left = backoff.tick(policy, WaitingFor::Reader)?;
            self.memory.sleep(LONGEST.min(left));
        }
    }

    /// Leaves in order, after [`flush`](Self::flush).
    pub fn close(mut self) -> Result<(), SendError> {
        self.flush(&mut WaitPolicy::forever())?;
        self.close_flushed()
    }

    /// Leaves in order, without another look at the memory.
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
        self.core.renew(&self.memory, is_clear);
    }
}
