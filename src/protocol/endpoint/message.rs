//! What a reader gives out.

use super::reader::Reader;
use crate::backend::Backend;
use crate::error::{Error, RecvError};
use crate::protocol::Either;
use crate::protocol::core::{Core, Kind, Record};

/// A message that was peeked at and not released yet. Dropping it leaves it where it is, for the next
/// peek.
#[derive(Debug)]
pub struct Message<'r, B: Backend, L: Core = Either> {
    pub(super) reader: &'r mut Reader<B, L>,
    pub(super) record: Record,
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
    pub(super) reader: &'r mut Reader<B, L>,
    pub(super) failed: bool,
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
