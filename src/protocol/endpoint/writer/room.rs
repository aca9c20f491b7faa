//! Waiting for room, and for what has to come first.

use super::Writer;
use crate::backend::Backend;
use crate::error::{SendError, Unsendable};
use crate::protocol::core::{Core, Kind, Producer};
use crate::protocol::endpoint::backoff::{Backoff, LONGEST, Step};
use crate::protocol::endpoint::peer::{Peer, Verdict};
use crate::protocol::endpoint::policy::{WaitPolicy, WaitingFor};

impl<B: Backend, L: Core> Writer<B, L> {
    /// Waits for room for `len` bytes, and for nothing to have to come first.
    pub(in crate::protocol) fn make_room(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.is_clear() && self.core.knows_room(&self.memory, len) {
            return Ok(());
        }
        self.catch_up(Some(len), policy)
    }

    /// Sends what is stranded, then waits for room for `len` bytes, if there are any.
    #[cold]
    pub(super) fn catch_up(&mut self, len: Option<usize>, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.core.take_doubt() && self.status()?.0.removed {
            self.move_on(policy)?;
        }
        let mut backoff = if self.core.has_strangers() { Backoff::new(policy) } else { Backoff::parking(policy) };
        loop {
            let ends_beside = self.core.ends_beside(&self.memory);
            let first = self.backlog.first().map(|(kind, bytes)| match kind {
                Kind::End if ends_beside => 0,
                Kind::End => self.core.end().len(),
                Kind::Bytes => bytes.len(),
            });
            let Some(next) = first.or(len) else { return Ok(()) };
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
            match kind {
                // It may have come from memory of another layout.
                Kind::Bytes => {
                    self.core.check(&self.memory, bytes)?;
                    self.core.push(&self.memory, kind, bytes);
                    self.introduced = true;
                }
                Kind::End if self.core.ends_beside(&self.memory) => self.memory.tell_end()?,
                Kind::End => {
                    self.core.push(&self.memory, kind, self.core.end());
                    self.introduced = true;
                }
            }
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
            if backoff.status_due() {
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
                // An end that was told and not met is the last session's.
                let is_ended = status.ended && self.core.ends_beside(&self.memory);
                if !self.introduced && !is_ended && self.watch.may_publish_first() {
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
    pub(super) fn steps_back(&mut self, len: usize) -> Result<bool, SendError> {
        if !self.core.has_strangers() || self.watch.peer() == Peer::Ours {
            return Ok(true);
        }
        self.memory.sleep(LONGEST);
        Ok(self.core.has_room(&self.memory, len)?)
    }
}
