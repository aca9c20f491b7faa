//! The channel here that is carried away, of whatever layout.

use crate::batch::Batch;
use crate::frame::Flow;
use crate::world::{Found, Peeked, Source, Stream};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::backend::{Backend, Interrupter, Layout};
use shm_handoff::{Reader, RecvError, WaitPolicy};
/// What a message or an end takes of the positions beside its bytes. Where one ends, no other one can begin in front of it.
const STEP: u64 = 8;

/// The reader of the channel, and how far it was carried.
pub struct FromChannel {
    reader: Reader<SysV>,
    stream: Stream,
    /// The stream of this process, of whatever slots it reads.
    passing: Stream,
    /// Everything up to here was released.
    released: u64,
    /// At a slot: what lies there and was peeked at.
    peeked: Option<InSlot>,
    /// Up to where something was peeked at.
    furthest: u64,
    counted: Counted,
}

/// Messages that were peeked at, each once, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub messages: u64,
    /// Their bytes.
    pub bytes: usize,
}

/// A text or a record that lies in a slot.
#[derive(Debug, Clone, Copy)]
struct InSlot {
    /// The position behind it, where it is a message.
    to: Option<u64>,
    /// The position behind the end of the session, where it is that, too. A C program's `endless` is both.
    end: Option<u64>,
}

impl FromChannel {
    /// `random` is the stream of whatever slot is met.
    #[must_use]
    pub fn of(reader: Reader<SysV>, random: u32) -> Self {
        let passing = Stream::passing(random);
        let mut channel = Self {
            reader,
            stream: passing,
            passing,
            released: 0,
            peeked: None,
            furthest: 0,
            counted: Counted::default(),
        };
        channel.meet();
        channel
    }

    /// The reader, for what it can tell of the channel.
    #[must_use]
    pub fn reader(&self) -> &Reader<SysV> {
        &self.reader
    }

    /// What ends the waits from another thread.
    pub fn interrupter(&mut self) -> Interrupter {
        self.reader.interrupter()
    }

    /// What was peeked at since the last call.
    pub fn take_counted(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }

    fn is_ring(&self) -> bool {
        matches!(self.reader.backend().layout(), Layout::Ring { .. })
    }

    /// Takes up the memory that is there now; whether it is other memory than before.
    fn meet(&mut self) -> bool {
        let stream = self.reader.backend().stream().map_or(self.passing, Stream);
        let has_moved = stream != self.stream;
        if has_moved {
            (self.stream, self.peeked, self.furthest) = (stream, None, 0);
        }
        if self.is_ring() {
            self.released = self.reader.released();
        }
        has_moved
    }

    /// Whether the channel can be waited for. What lies in a slot has to be released first, and so has what lies in a ring that [was
    /// removed](Self::is_removed_unreleased): a reader that waits moves to the memory that is there now.
    #[must_use]
    pub fn can_wait(&self) -> bool {
        self.is_ring() || self.peeked.is_none()
    }

    /// Whether the ring was removed, and something that was peeked at is not released.
    #[must_use]
    pub fn is_removed_unreleased(&self) -> bool {
        self.is_ring()
            && self.reader.cursor().position() != self.released
            && self.reader.backend().segment().stat().is_ok_and(|stat| stat.removed)
    }

    /// Waits for what comes behind the cursor, or as `policy` says.
    ///
    /// # Errors
    /// As [`Reader::wait_with`]. The writer's death is one, after everything that it sent was peeked at.
    pub fn wait(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        let waited = self.reader.wait_with(policy);
        self.meet();
        waited
    }

    /// Notices that the seat was removed. To be called now and then where [`wait`](Self::wait) is not.
    ///
    /// # Errors
    /// Another reader has taken it.
    pub fn look_around(&mut self) -> Result<(), RecvError> {
        Ok(self.reader.refresh_seat()?)
    }

    /// Goes on behind a writer's death.
    ///
    /// # Errors
    /// What the system call met.
    pub fn await_next_writer(&mut self) -> Result<(), RecvError> {
        Ok(self.reader.await_next_writer()?)
    }

    /// Leaves in order.
    ///
    /// # Errors
    /// What the system call met.
    pub fn close(self) -> Result<(), RecvError> {
        Ok(self.reader.close()?)
    }

    fn peek_ring(&mut self, batch: &mut Batch, most: usize) -> Result<Peeked, RecvError> {
        let Self { reader, furthest, counted, .. } = self;
        let mut full = false;
        let ends = batch.append(most, |bytes, more| {
            let mut from = bytes.len();
            reader.peek_onto(bytes, &mut |to, cursor| {
                let position = cursor.position();
                if position > *furthest {
                    *furthest = position;
                    counted.messages += 1;
                    counted.bytes += to - from;
                }
                from = to;
                full = !more(to, position);
                !full
            })
        })?;
        Ok(match (ends, full) {
            // The cursor stays in front of an end.
            (true, _) => Peeked::End(self.reader.cursor().position() + STEP),
            (false, true) => Peeked::More,
            (false, false) => Peeked::Nothing,
        })
    }

    fn peek_slot(&mut self, batch: &mut Batch) -> Result<Peeked, RecvError> {
        if let Some(InSlot { end, .. }) = self.peeked {
            return Ok(end.map_or(Peeked::Nothing, Peeked::End));
        }
        // Of records the end stands beside them, which a try does not see.
        let message = match self.reader.peek_with(&mut WaitPolicy::non_blocking()) {
            Err(RecvError::TimedOut | RecvError::WriterGone) => return Ok(Peeked::Nothing),
            message => message?,
        };
        let (text, ends) = (message.text(), message.ends_session());
        let is_bare = text.is_empty() || matches!(text, b"end" | b"end\n");
        let mut at = self.released;
        let to = (!ends || !is_bare).then(|| {
            at += text.len() as u64 + STEP;
            batch.push(at, text);
            if at > self.furthest {
                self.furthest = at;
                self.counted.messages += 1;
                self.counted.bytes += text.len();
            }
            at
        });
        let end = ends.then_some(at + STEP);
        self.peeked = Some(InSlot { to, end });
        Ok(end.map_or(Peeked::Nothing, Peeked::End))
    }

    /// Whether the end of a ring's stream comes next.
    fn is_at_end(&mut self) -> Result<bool, RecvError> {
        match self.reader.peek_next(&mut WaitPolicy::non_blocking()) {
            Err(RecvError::TimedOut | RecvError::WriterGone) => Ok(false),
            message => Ok(message?.ends_session()),
        }
    }

    /// A receipt can overtake the way back: then what lies in the slot is found again first.
    fn peek_again(&mut self, position: u64) -> Result<(), RecvError> {
        if self.peeked.is_none() && position > self.released {
            self.peek_slot(&mut Batch::new(Flow { session: 0, base: 0, turn: 0 }, self.released))?;
        }
        Ok(())
    }

    fn seek_in_slot(&mut self, position: u64) -> Found {
        match self.peeked {
            Some(InSlot { to: Some(to), .. }) if to == position => Found::Message,
            Some(InSlot { end: Some(end), .. }) if end == position => Found::End,
            // The next peek finds it again.
            _ if position == self.released => {
                self.peeked = None;
                self.reader.rewind();
                Found::Message
            }
            _ => Found::Nothing,
        }
    }
}

impl Source for FromChannel {
    type Error = RecvError;

    fn stream(&self) -> Stream {
        self.stream
    }

    fn released(&self) -> u64 {
        self.released
    }

    fn peek(&mut self, batch: &mut Batch, most: usize) -> Result<Peeked, RecvError> {
        if self.meet() {
            return Ok(Peeked::Moved);
        }
        Ok(if self.is_ring() { self.peek_ring(batch, most)? } else { self.peek_slot(batch)? })
    }

    fn seek(&mut self, position: u64) -> Result<Found, RecvError> {
        if !self.is_ring() {
            self.peek_again(position)?;
            return Ok(self.seek_in_slot(position));
        }
        if self.reader.seek(position)? {
            return Ok(Found::Message);
        }
        // Where a message ends, and behind it the stream.
        let before = self.reader.cursor().position();
        let in_front = position.wrapping_sub(STEP);
        if position > self.released && self.reader.seek(in_front)? {
            if self.is_at_end()? {
                return Ok(Found::End);
            }
            self.reader.seek(before)?;
        }
        Ok(Found::Nothing)
    }

    fn release(&mut self, position: u64) -> Result<bool, RecvError> {
        if !self.is_ring() {
            self.peek_again(position)?;
        }
        let found = match self.peeked {
            // The cursor may have been set back since, and no longer be as far.
            _ if self.is_ring() => {
                self.reader.release_at(position)?
                    || (self.reader.seek(position)? && self.reader.release_at(position)?)
            }
            Some(InSlot { to: Some(to), end }) if to == position => {
                // A text that is the end of the session, too, is answered as that.
                self.peeked = end.map(|_| InSlot { to: None, end });
                if end.is_none() {
                    self.reader.release_peeked();
                }
                true
            }
            _ => position == self.released,
        };
        if found {
            self.released = position;
        }
        Ok(found)
    }

    fn end(&mut self) -> Result<(), RecvError> {
        // At a slot the end is what was peeked at last.
        if self.is_ring() {
            self.reader.release_peeked();
        }
        self.reader.end_session()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::FromChannel;
    use crate::batch::Batch;
    use crate::frame::Flow;
    use crate::world::{Found, Source};
    use shm_handoff::backend::sysv::{Options, SysV};
    use shm_handoff::{Reader, Ring, Writer, example};

    #[test]
    fn what_was_peeked_at_is_released_though_the_cursor_was_set_back() {
        let options = Options::any_ring(example::key());
        let mut writer = Writer::<SysV, Ring>::open(&options).expect("a free key");
        writer.send_all(&[b"a", b"b", b"c"]).expect("there is room");
        let mut source = FromChannel::of(Reader::open(&options).expect("the ring is there"), 0);
        let segment = writer.backend().segment().remove();
        let mut batch = Batch::new(Flow { session: 0, base: 0, turn: 0 }, 0);
        source.peek(&mut batch, usize::MAX).expect("three messages");
        assert_eq!(source.seek(16), Ok(Found::Message));
        // What is under way arrives after all.
        assert_eq!((source.release(48), source.released()), (Ok(true), 48));
        segment.expect("it is this test's own");
    }
}
