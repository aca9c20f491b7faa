//! Memory that is removed under a writer: what it left there is sent again.

use super::Writer;
use crate::backend::Backend;
use crate::error::{Error, SendError};
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{Core, Producer};
use crate::protocol::endpoint::backoff::{Backoff, Step};
use crate::protocol::endpoint::policy::{WaitPolicy, WaitingFor};
use std::mem::discriminant;
use std::time::Duration;

impl<B: Backend, L: Core> Writer<B, L> {
    /// Checks whether the memory or the writer's seat was removed. If so, it moves to the new memory, and sends the messages again
    /// that were not taken. Call this every few milliseconds while idle, and also if sends never have to wait, because a send
    /// that finds room does not check this.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent again.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// reader.peek()?.end_session()?; // removes the memory, and has not released the message
    /// assert_eq!(writer.stranded()?, 1);
    /// drop(reader);
    /// writer.recover(&mut WaitPolicy::forever())?;
    /// let mut next = Reader::<InProc>::open(&channel)?;
    /// assert_eq!(next.peek()?.text(), b"hello", "taken along");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.status()?.0.removed {
            self.move_on(policy)?;
        }
        self.catch_up(None, policy)
    }

    /// Sends messages again that were not taken from removed memory, so that none is left where no reader will find it.
    /// Where memory goes with its last attachment (`persists` of the backend says so), this waits until all is released.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent again.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// assert_eq!(writer.stranded()?, 0, "it waits for a reader, in memory that stays");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        loop {
            self.memory.await_move()?;
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

    /// How many messages lie where no reader may ever find them: in removed memory, or in memory that
    /// goes with its last attachment.
    ///
    /// # Errors
    /// The error of the check.
    pub fn stranded(&mut self) -> Result<usize, Error> {
        let is_lost = self.status()?.0.removed || !self.memory.persists();
        let here = if is_lost { self.core.unreleased(&self.memory, usize::MAX) } else { 0 };
        Ok(self.backlog.len() + here)
    }

    /// Moves to the memory that the address leads to now, with what was not released.
    pub(super) fn move_on(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let mut left = if self.is_stranded(policy)? { self.core.take_along(&self.memory)? } else { Backlog::default() };
        // In front: it was sent before what still waits to be sent again.
        left.append(&self.backlog)?;
        let before = self.memory.layout();
        self.memory.reopen()?;
        self.backlog = left;
        let found = self.memory.layout();
        if discriminant(&found) != discriminant(&before) {
            self.core = L::Producer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
            self.watch.follow(self.core.has_strangers());
        }
        Ok(self.settle_in()?)
    }

    /// Whether something lies in removed memory that nobody will take: while somebody is attached, it may
    /// be taken.
    pub(super) fn is_stranded(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        if self.memory.is_moving() {
            self.core.take_end_along();
        }
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
            if backoff.status_due() && self.status()?.0.removed {
                return Ok(false);
            }
            let left = backoff.tick(policy, WaitingFor::Receipt)?;
            self.memory.sleep(longest.min(left));
        }
    }
}
