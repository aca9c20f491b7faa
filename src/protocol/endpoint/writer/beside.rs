//! What goes beside the messages of a declared slot: the end of a session of records, and answers.

use super::Writer;
use crate::backend::Backend;
use crate::error::{Error, SendError};
use crate::protocol::core::{Core, Kind, Producer};
use crate::protocol::endpoint::backoff::{Backoff, Step};
use crate::protocol::endpoint::peer::Verdict;
use crate::protocol::endpoint::policy::{WaitPolicy, WaitingFor};
use std::time::Duration;

impl<B: Backend, L: Core> Writer<B, L> {
    /// Tells the reader that the session has ended, when it has released the last record. Where no reader of ours is there,
    /// nobody could be told: a C program knows no end of records, and the next reader's session is another one.
    pub(super) fn end_beside(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.recover(policy)?;
        if self.introduced {
            self.make_room(0, policy)?;
        }
        let mut backoff = Backoff::new(policy);
        loop {
            let (status, _) = self.status()?;
            // (A reader whose seat was removed with ours finds the end when it takes it anew.)
            if !status.peer_seated && (status.is_alone() || !self.watch.is_unsettled()) {
                self.has_ended = true;
                return Ok(());
            }
            // The last session's, which its reader has not met yet.
            if !status.ended {
                self.memory.tell_end()?;
                // What is sent next waits for this to be met.
                self.introduced = false;
                self.has_ended = true;
                self.renew();
                return Ok(());
            }
            let left = backoff.tick(policy, WaitingFor::End)?;
            self.memory.sleep(left.min(AGAIN));
        }
    }

    /// Sends `request`, waits until the reader has released it, and copies the reader's answer to `answer`. An answer has as
    /// many bytes as the [declared](crate::declare) layout sets aside. The reader answers with
    /// [`Message::reply`](crate::Message::reply); without that, the old bytes stay there.
    ///
    /// A reader that dies before it has released the request leaves it to the next one. After a time-out the request lies
    /// there still: the next call waits until it is released, and then sends its own. A writer that dies behind the
    /// release loses the answer.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::BadReply`] if `answer` has another length than the layout's, or that has none.
    /// [`SendError::ReaderGone`] can mean that the request was sent, and not answered.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// let error = writer.call(b"how much?\n", &mut [0; 8]).unwrap_err();
    /// assert_eq!(error.to_string(), "an answer of 8 bytes: nothing can be answered here");
    /// ```
    pub fn call(&mut self, request: &[u8], answer: &mut [u8]) -> Result<(), SendError> {
        self.call_with(request, answer, &mut WaitPolicy::forever())
    }

    /// Sends `request` and waits for the answer, as `policy` says.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`SendError::TimedOut`] or [`SendError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let options = Options::declared(key, &"struct { int written; int request, answer; },reply=answer".parse()?);
    /// let (mut reader, mut writer) = (Reader::<SysV>::open(&options)?, Writer::<SysV>::open(&options)?);
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// assert_eq!(writer.call_with(&[1; 4], &mut [0; 4], &mut policy), Err(SendError::TimedOut), "nobody answers");
    /// assert_eq!(reader.peek()?.text(), [1; 4], "the request lies there");
    /// reader.backend().segment().remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call_with(
        &mut self,
        request: &[u8],
        answer: &mut [u8],
        policy: &mut WaitPolicy<'_>,
    ) -> Result<(), SendError> {
        let needs = self.core.reply_len(&self.memory);
        if answer.len() != needs || needs == 0 {
            return Err(Error::BadReply { given: answer.len(), needs }.into());
        }
        // An end is answered by the removal of the memory, and by nothing else.
        if self.core.check(&self.memory, request)? == Kind::End {
            return Err(Error::BadReply { given: answer.len(), needs: 0 }.into());
        }
        self.send_with(request, policy)?;
        self.receive_answer(answer, policy)
    }

    /// Waits for the answer to what was sent last, which has to be of the right length. A failure here comes behind the
    /// request, which was sent.
    pub(crate) fn receive_answer(&mut self, answer: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.await_answer(policy)?;
        self.core.read_reply(&self.memory, answer);
        Ok(())
    }

    /// Waits until what was sent is released, in whatever memory that comes to be.
    fn await_answer(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.core.is_drained(&self.memory) && self.steps_back(0)? {
                return Ok(());
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Receipt) else { continue };
            if backoff.status_due() {
                let (status, verdict) = self.status()?;
                if status.removed {
                    // The answer lies where the request was released.
                    if !self.is_stranded(policy)? {
                        return Ok(());
                    }
                    self.move_on(policy)?;
                    self.catch_up(None, policy)?;
                } else if verdict == Verdict::Gone && !self.core.is_drained(&self.memory) {
                    return Err(SendError::ReaderGone);
                }
            }
            let left = backoff.tick(policy, WaitingFor::Receipt)?;
            self.memory.sleep(longest.min(left));
        }
    }
}

/// Between two looks for an end to be met.
const AGAIN: Duration = Duration::from_millis(1);
