//! The writing side.

use super::backlog::Backlog;
use super::backoff::{Backoff, LONGEST, Step};
use super::peer::{Peer, PeerWatch, Verdict};
use super::policy::{WaitPolicy, WaitingFor};
use crate::backend::{Backend, PeerStatus};
use crate::error::{Error, Role, SendError, Unsendable};
use crate::protocol::Either;
use crate::protocol::core::{Core, Kind, Producer};
use crate::sync;
use std::time::{Duration, Instant};

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

    /// Waits for room for `len` bytes, and for nothing to have to come first.
    pub(in crate::protocol) fn make_room(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.is_clear() && self.core.knows_room(&self.memory, len) {
            return Ok(());
        }
        self.catch_up(Some(len), policy)
    }

    /// Looks whether the memory or our seat was removed, and if it was, moves to the new
    /// one with what was not taken. Call this every few milliseconds while idle, and where sends never have to
    /// wait.
    pub fn recover(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.status()?.0.removed {
            self.move_on(policy)?;
        }
        self.catch_up(None, policy)
    }

    /// Makes sure that nothing is left behind in removed memory, nor in memory that goes with its last
    /// attachment: there it waits until all is released.
    pub fn flush(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        loop {
            // What was sent again can lie in memory that was removed as well.
            while self.status()?.0.removed && self.is_stranded(policy)? {
                self.move_on(policy)?;
                self.catch_up(None, policy)?;
                Backoff::new(policy).tick(policy, WaitingFor::Room)?;
            }
            // The memory was just looked at. A writer with nothing to take along makes no new memory.
            self.core.take_doubt();
            self.catch_up(None, policy)?;
            if self.memory.persists() || self.await_receipt(policy)? || !self.is_stranded(policy)? {
                return Ok(());
            }
        }
    }

    /// How many messages lie where nobody may ever read them: in memory that was removed, or that
    /// goes with its last attachment.
    pub fn stranded(&mut self) -> Result<usize, Error> {
        let is_lost = self.status()?.0.removed || !self.memory.persists();
        let here = if is_lost { self.core.unreleased(&self.memory, usize::MAX) } else { 0 };
        Ok(self.backlog.len() + here)
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

    /// Sends what is stranded, then waits for room for `len` bytes, if there are any.
    #[cold]
    fn catch_up(&mut self, len: Option<usize>, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.core.take_doubt() && self.status()?.0.removed {
            self.move_on(policy)?;
        }
        let mut backoff = if self.core.has_strangers() { Backoff::new(policy) } else { Backoff::parking(policy) };
        loop {
            let Some(next) = self.backlog.first().map(|(_, bytes)| bytes.len()).or(len) else { return Ok(()) };
            // What is stranded came from a ring that may have been a larger one.
            let most = self.capacity();
            if next > most {
                return Err(Unsendable::TooLong { most }.into());
            }
            backoff.begin_again(policy);
            if !self.await_room(next, &mut backoff, policy)? {
                continue;
            }
            let Some((kind, bytes)) = self.backlog.first() else { return Ok(()) };
            self.core.push(&self.memory, kind, bytes);
            self.introduced = true;
            self.backlog.remove_first();
            self.renew();
        }
    }

    /// Waits until there is room for `len` bytes; `false`: on other memory everything is to be
    /// thought over.
    fn await_room(
        &mut self,
        len: usize,
        backoff: &mut Backoff,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<bool, SendError> {
        loop {
            if self.introduced && self.core.has_room(&self.memory, len)? && self.steps_back(len)? {
                return Ok(true);
            }
            // The first message is preceded by a look at the peer in any case.
            let step = if self.introduced { backoff.step(policy, WaitingFor::Room) } else { Step::Sleep(LONGEST) };
            let Step::Sleep(longest) = step else { continue };
            let mut moved = false;
            if backoff.status_due().is_some() {
                let (status, verdict) = self.status()?;
                if status.removed {
                    // No look at the new memory before the tick: a peer that removes again and again
                    // must not keep us from it.
                    self.move_on(policy)?;
                    moved = true;
                } else if verdict == Verdict::Gone {
                    if !self.introduced {
                        self.watch.begin_anew();
                    } else if !self.core.has_room(&self.memory, len)? {
                        return Err(SendError::ReaderGone);
                    }
                }
                if !self.introduced && self.watch.may_publish_first() {
                    self.introduced = true;
                    continue;
                }
            }
            let what = if self.introduced { WaitingFor::Room } else { WaitingFor::Reader };
            let left = backoff.tick(policy, what)?;
            // On other memory a side that is woken has not looked yet.
            if !moved || self.core.has_strangers() {
                self.core.park(&self.memory, len, longest.min(left))?;
            }
            if moved {
                return Ok(false);
            }
        }
    }

    /// A C program that reads has released the slot and may look into it once more (defect D3):
    /// it is given time for that. Whether there is room still.
    fn steps_back(&mut self, len: usize) -> Result<bool, SendError> {
        if !self.core.has_strangers() || self.watch.peer() == Peer::Ours {
            return Ok(true);
        }
        self.memory.sleep(LONGEST);
        Ok(self.core.has_room(&self.memory, len)?)
    }

    /// Moves to the memory that the address leads to now, with what was not released.
    fn move_on(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let mut left = if self.is_stranded(policy)? { self.core.take_along(&self.memory)? } else { Backlog::default() };
        self.memory.reopen()?;
        // In front: it was sent before what still waits to be sent again.
        left.append(&self.backlog);
        self.backlog = left;
        Ok(self.settle_in()?)
    }

    /// Whether something lies in removed memory that nobody will take: while somebody is attached, it may
    /// be taken.
    fn is_stranded(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            // In this order: a peer that is gone by the status has released before it.
            let alone = self.status()?.0.is_alone();
            if self.core.unreleased(&self.memory, 1) == 0 {
                return Ok(false);
            }
            if alone {
                return Ok(true);
            }
            if let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Drain) {
                let left = backoff.tick(policy, WaitingFor::Drain)?;
                self.memory.sleep(longest.min(left).max(Duration::from_micros(1)));
            }
        }
    }

    /// Waits until all was released; `false`: the memory was removed.
    fn await_receipt(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.core.is_drained(&self.memory) {
                return Ok(true);
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Receipt) else { continue };
            if backoff.status_due().is_some() && self.status()?.0.removed {
                return Ok(false);
            }
            let left = backoff.tick(policy, WaitingFor::Receipt)?;
            self.memory.sleep(longest.min(left));
        }
    }
}
