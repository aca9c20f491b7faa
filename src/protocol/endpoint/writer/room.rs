//! Waiting for room, and for what has to come first.

use super::Writer;
use crate::backend::{Backend, Interrupter};
use crate::error::{Error, SendError, Unsendable};
use crate::protocol::core::{Core, Kind, Producer};
use crate::protocol::endpoint::backoff::{Backoff, LONGEST, Step};
use crate::protocol::endpoint::peer::{Peer, Verdict};
use crate::protocol::endpoint::policy::{WaitPolicy, WaitingFor};

impl<B: Backend, L: Core> Writer<B, L> {
    /// Waits until a message of `len` bytes would be sent at once, as `policy` says, and sends nothing: there is room, nothing
    /// has to come first, and at a slot a reader is there.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.await_room(1024, &mut WaitPolicy::forever())?;
    /// assert_eq!(writer.try_send(&[7; 1024]), Ok(()));
    /// while writer.try_send(&[7; 1024]).is_ok() {}
    /// assert_eq!(writer.await_room(1024, &mut WaitPolicy::non_blocking()), Err(SendError::TimedOut));
    /// assert!(matches!(writer.await_room(1025, &mut WaitPolicy::forever()), Err(SendError::Unsendable(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_room(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let most = self.capacity();
        if len > most {
            return Err(Unsendable::TooLong { most }.into());
        }
        let found = self.make_room(len, policy);
        self.renew();
        found
    }

    /// Waits until a reader is there, as `policy` says. Call this to go on after [`SendError::ReaderGone`], or before the
    /// first message, to know that a reader will take it.
    ///
    /// # Errors
    /// [`SendError::TimedOut`] or [`SendError::Interrupted`] by `policy`; [`SendError::Backend`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// writer.send(b"a\n")?;
    /// drop(reader);
    /// assert_eq!(writer.send(b"b\n"), Err(SendError::ReaderGone));
    /// let mut next = Reader::<InProc>::open(&channel)?;
    /// writer.await_reader(&mut WaitPolicy::forever())?;
    /// assert_eq!(next.recv(&mut [0; 2048])?, Received::Message(2), "`a` has waited");
    /// writer.send(b"b\n")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_reader(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.watch.begin_anew();
        self.renew();
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

    /// Whether a message of `len` bytes would be sent at once, as far as that can be told without a system call.
    ///
    /// # Errors
    /// [`SendError::Unsendable`] if it is too long; [`SendError::Backend`] if a peer broke the layout.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// while writer.is_ready(1000)? {
    ///     writer.send(&[7; 1000])?;
    /// }
    /// assert_eq!(writer.try_send(&[7; 1000]), Err(SendError::WouldBlock));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_ready(&mut self, len: usize) -> Result<bool, SendError> {
        let most = self.capacity();
        if len > most {
            return Err(Unsendable::TooLong { most }.into());
        }
        let is_clear = self.is_clear() || (self.introduced && self.backlog.is_empty() && self.has_stepped_back);
        let found = is_clear && (self.core.knows_room(&self.memory, len) || self.core.has_room(&self.memory, len)?);
        self.renew();
        Ok(found)
    }

    /// Whether the reader that was there has left or died, and no other one has come. A writer that has room sends all the
    /// same.
    ///
    /// # Errors
    /// The error of the check.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert!(!writer.has_reader_gone()?);
    /// drop(reader);
    /// assert!(writer.has_reader_gone()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_reader_gone(&mut self) -> Result<bool, Error> {
        Ok(self.status()?.1 == Verdict::Gone)
    }

    /// Whether everything that was sent into this memory was released, an end included.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// assert!(!writer.is_drained());
    /// reader.peek()?.release();
    /// assert!(writer.is_drained());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_drained(&self) -> bool {
        self.backlog.is_empty() && self.core.is_drained(&self.memory)
    }

    /// Whether the layout can carry `bytes`.
    ///
    /// # Errors
    /// [`SendError::Unsendable`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// assert_eq!(writer.check(b"hello\n"), Ok(()));
    /// assert!(matches!(writer.check(b"a\0b"), Err(SendError::Unsendable(_))), "a text has no NUL");
    /// ```
    pub fn check(&self, bytes: &[u8]) -> Result<(), SendError> {
        self.core.check(&self.memory, bytes)?;
        Ok(())
    }

    /// A handle that ends this writer's sleeps from another thread.
    pub fn interrupter(&mut self) -> Interrupter {
        self.memory.interrupter()
    }

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
            if !self.wait_for_room(next, &mut backoff, policy)? {
                continue;
            }
            let Some((kind, bytes)) = self.backlog.first() else { return Ok(()) };
            match kind {
                // It may have come from memory of another layout.
                Kind::Bytes => {
                    self.core.check(&self.memory, bytes)?;
                    self.core.push(&self.memory, kind, bytes);
                    self.has_pushed(kind);
                }
                Kind::End if self.core.ends_beside(&self.memory) => self.memory.tell_end()?,
                Kind::End => {
                    self.core.push(&self.memory, kind, self.core.end());
                    self.has_pushed(kind);
                }
            }
            self.backlog.remove_first();
            self.renew();
        }
    }

    /// Waits until there is room for `len` bytes; `false`: on other memory everything is to be
    /// thought over.
    fn wait_for_room(
        &mut self,
        len: usize,
        backoff: &mut Backoff,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<bool, SendError> {
        // For this message alone: a reader that is there now can be gone when the next one comes.
        let mut is_met = self.introduced;
        loop {
            if is_met && self.core.has_room(&self.memory, len)? && self.steps_back(len)? {
                return Ok(true);
            }
            // The first message is preceded by a look at the peer in any case.
            let what = match is_met {
                false => WaitingFor::Reader,
                true if self.core.is_behind_end() => WaitingFor::End,
                true => WaitingFor::Room,
            };
            let step = if is_met { backoff.step(policy, what) } else { Step::Sleep(LONGEST) };
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
                    if (is_met || self.has_met) && !self.core.has_room(&self.memory, len)? {
                        return Err(SendError::ReaderGone);
                    } else if !is_met {
                        self.watch.begin_anew();
                        self.has_met = false;
                    }
                }
                // An end that was told and not met is the last session's.
                let is_ended = status.ended && self.core.ends_beside(&self.memory);
                if !is_met && !is_ended && self.watch.may_publish_first() {
                    if self.await_newcomer()? && self.status()?.0.removed {
                        self.move_on(policy)?;
                        moved = true;
                    } else {
                        (is_met, self.has_met) = (true, true);
                        continue;
                    }
                }
            }
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

    /// A reader that comes with a layout of its own attaches the slot that this side has made, looks for a message there, and
    /// puts its own memory in the slot's place. It is refused for a message that lies there, so none is published between
    /// its coming and its look; nor behind that, for what the slot takes can be too long for what is in its place. Whether
    /// it can have been removed.
    fn await_newcomer(&mut self) -> Result<bool, Error> {
        if self.core.ends_beside(&self.memory) { Ok(false) } else { self.memory.await_move() }
    }

    /// A message was published after all that has to come first.
    pub(in crate::protocol) fn has_pushed(&mut self, kind: Kind) {
        self.introduced = true;
        self.has_stepped_back = false;
        self.has_ended = kind == Kind::End;
    }

    /// Whether the last thing that this writer has sent is an end.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"last")?;
    /// assert!(!writer.has_ended());
    /// writer.end()?;
    /// assert!(writer.has_ended());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// A C program that reads has released the slot and may look into it once more (defect D3):
    /// it is given time for that. Whether there is room still.
    pub(super) fn steps_back(&mut self, len: usize) -> Result<bool, SendError> {
        if !self.core.has_strangers() || self.watch.peer() == Peer::Ours || self.has_stepped_back {
            return Ok(true);
        }
        self.memory.pause(LONGEST);
        self.has_stepped_back = self.core.has_room(&self.memory, len)?;
        Ok(self.has_stepped_back)
    }
}
