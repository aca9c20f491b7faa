//! Messages that a reader copies and gives out.

use super::policy::WaitPolicy;
use super::reader::Reader;
use crate::backend::Backend;
use crate::error::{Error, RecvError};
use crate::protocol::Either;
use crate::protocol::core::{Consumer, Core, Kind, Record};

impl<B: Backend, L: Core> Reader<B, L> {
    /// Waits for the next message and copies it, without releasing it.
    pub fn peek(&mut self) -> Result<Message<'_, B, L>, RecvError> {
        self.peek_with(&mut WaitPolicy::forever())
    }

    /// As [`peek`](Self::peek), waiting as `policy` says.
    pub fn peek_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B, L>, RecvError> {
        self.core.rewind();
        let found = self.await_record(policy)?;
        self.peek_at(found)
    }

    /// Waits for the message behind the one that was peeked at last.
    pub fn peek_next(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B, L>, RecvError> {
        let found = self.await_record(policy)?;
        self.peek_at(found)
    }

    /// The message behind the one that was peeked at last, if it is there.
    pub fn try_peek_next(&mut self) -> Result<Option<Message<'_, B, L>>, RecvError> {
        match self.core.poll(&self.memory)? {
            Some(found) => self.peek_at(found).map(Some),
            None => Ok(None),
        }
    }

    #[inline(always)]
    pub(in crate::protocol) fn peek_at(&mut self, found: Record) -> Result<Message<'_, B, L>, RecvError> {
        let (len, kind) = self.core.copy(&self.memory, found, &mut self.text)?;
        let record = Record { len, kind, ..found };
        self.core.step_over(record);
        Ok(Message { reader: self, record })
    }

    /// The messages one after the other, up to the end of the session.
    pub fn messages(&mut self) -> Messages<'_, B, L> {
        Messages { reader: self, failed: false }
    }

    /// Waits for the next message, releases it, and gives out a copy in a buffer that the next call
    /// uses again; `None`: the session has ended.
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, RecvError> {
        let message = self.peek()?;
        if message.ends_session() {
            return Ok(None);
        }
        let len = message.text().len();
        message.release();
        Ok(Some(&self.text[..len]))
    }

    /// Ends the session if its end comes next, as [`Message::end_session`] does; whether it did.
    pub fn end_session(&mut self) -> Result<bool, RecvError> {
        let message = match self.peek_with(&mut WaitPolicy::non_blocking()) {
            Err(RecvError::TimedOut) => return Ok(false),
            message => message?,
        };
        let ends = message.ends_session();
        if ends {
            message.end_session()?;
        }
        Ok(ends)
    }
}

/// A message that was peeked at and not released yet. Dropping it leaves it where it is, for the next
/// peek.
#[derive(Debug)]
pub struct Message<'r, B: Backend, L: Core = Either> {
    reader: &'r mut Reader<B, L>,
    record: Record,
}

impl<B: Backend, L: Core> Message<'_, B, L> {
    /// The bytes: a private copy that no peer can change.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.reader.text[..self.record.len]
    }

    /// Whether this ends the session.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == Kind::End
    }

    /// Gives the message's place back to the writer.
    pub fn release(self) {
        self.reader.release(self.record);
    }

    /// Ends the session with this message.
    pub fn end_session(self) -> Result<(), Error> {
        self.reader.close_session(self.record)
    }
}

/// The messages of a session, one after the other; each is released when it is given out.
#[derive(Debug)]
pub struct Messages<'r, B: Backend, L: Core = Either> {
    reader: &'r mut Reader<B, L>,
    failed: bool,
}

impl<B: Backend, L: Core> Iterator for Messages<'_, B, L> {
    type Item = Result<Vec<u8>, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.reader.next_message().map(|message| message.map(<[u8]>::to_vec));
        self.failed = next.is_err();
        next.transpose()
    }
}
