//! What a reader that waits looks at beside its messages: the peer, the memory, an end.

use super::{Reader, Removed};
use crate::backend::Backend;
use crate::error::{Error, RecvError};
use crate::protocol::core::{Consumer, Core, Record};
use crate::protocol::endpoint::peer::{Peer, Verdict};
use std::mem::discriminant;

impl<B: Backend, L: Core> Reader<B, L> {
    /// Moves to the memory that the address leads to now.
    pub(super) fn move_on(&mut self) -> Result<(), Error> {
        let before = self.memory.layout();
        self.memory.reopen()?;
        let found = self.memory.layout();
        if discriminant(&found) != discriminant(&before) {
            let cursor = self.core.cursor();
            self.core = L::Consumer::of(found).ok_or(Error::WrongLayout { found, wanted: L::NAME })?;
            self.core.continue_from(cursor);
            self.watch.follow(self.core.has_strangers());
        }
        self.settle_in()
    }

    /// The end of a session that was told beside what is sent.
    pub(in crate::protocol::endpoint) fn end_beside(&mut self) -> Result<Option<Record>, Error> {
        let Some(end) = self.core.end_beside(&self.memory) else { return Ok(None) };
        let (status, _) = self.status()?;
        Ok(status.ended.then_some(end))
    }

    /// Looks at the peer and the memory. What was sent before a death, a removal or an end beside it is read before that
    /// is told, or acted upon.
    pub(super) fn look_around(&mut self, removed: Removed) -> Result<Option<Record>, RecvError> {
        let (status, verdict) = self.status()?;
        // Where the segment holds more than this slot, the processes attached can be another slot's. Before a message has
        // come, nothing shows that one of them was this slot's writer.
        let was_writer = || self.memory.is_ours_to_remove() || self.core.cursor().memory != self.since;
        let died =
            status.writer_failed || (verdict == Verdict::Gone && self.watch.peer() == Peer::Foreign && was_writer());
        let end = if status.ended { self.core.end_beside(&self.memory) } else { None };
        if status.removed || died || end.is_some() {
            let found = self.core.poll_last(&self.memory)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        // (Behind an end nothing is published before it was met: so nothing lies in other memory either.)
        if end.is_some() {
            return Ok(end);
        } else if status.removed {
            if removed == Removed::Left || self.core.first(&self.memory)?.is_none() {
                self.move_on()?;
            }
        } else if died {
            return Err(RecvError::WriterGone);
        } else if verdict == Verdict::Gone {
            // It left in order: the next one to come is a new one.
            self.watch.begin_anew();
        }
        Ok(None)
    }
}
