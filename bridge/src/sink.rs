//! The channel here into which is carried, of whatever layout.

use crate::source::Counted;
use crate::world::{Carried, Rejected, Sink, Stream};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::backend::{Backend, Interrupter, Layout};
use shm_handoff::cli::kit::Carries;
use shm_handoff::{Error, SendError, WaitPolicy, Writer};
use std::collections::VecDeque;

/// What a record takes of a ring beside its bytes, and what is counted of a slot.
const HEADER: u64 = 8;

/// Why a message of a ring can't be a text.
const ENDS: &str = "it is `end` alone, and would end the session there";

/// The writer of the channel, and what was carried into it.
pub struct ToChannel {
    writer: Writer<SysV>,
    carried: Option<Carried>,
    /// The stream of which this process has carried something.
    stream: Option<Stream>,
    /// The ring of which `unreceived` has tails.
    ring: u64,
    room: u64,
    /// Where the writer stood in its ring behind what it carried, and up to which position that was.
    unreceived: VecDeque<(u64, u64)>,
    /// Up to which position of the stream the reader has released everything.
    received: u64,
    counted: Counted,
}

impl ToChannel {
    /// What the channel says by itself is asked here.
    ///
    /// # Errors
    /// A peer broke the layout.
    pub fn of(writer: Writer<SysV>) -> Result<Self, SendError> {
        let mut channel = Self {
            writer,
            carried: None,
            stream: None,
            ring: 0,
            room: 0,
            unreceived: VecDeque::new(),
            received: 0,
            counted: Counted::default(),
        };
        channel.carried = channel.carried_there();
        if let (Some(carried), Some(standing)) = (channel.carried, channel.writer.standing()?) {
            channel.unreceived.push_back((standing.tail, carried.position));
            channel.ring = channel.ring();
        }
        channel.look()?;
        Ok(channel)
    }

    /// The writer, for what it can tell of the channel.
    #[must_use]
    pub fn writer(&self) -> &Writer<SysV> {
        &self.writer
    }

    /// What ends the waits from another thread.
    pub fn interrupter(&mut self) -> Interrupter {
        self.writer.interrupter()
    }

    fn carried_there(&mut self) -> Option<Carried> {
        let shm_handoff::Carried { stream, position, ended, .. } = self.writer.carried()?;
        Some(Carried { stream: Stream(stream), position, ended })
    }

    /// Looks how far the reader has come.
    ///
    /// # Errors
    /// A peer broke the layout.
    pub fn look(&mut self) -> Result<(), SendError> {
        let mut is_received = false;
        if let Some(standing) = self.writer.standing()? {
            self.room = standing.room as u64;
            is_received = standing.tail == standing.released && self.writer.is_drained();
            let is_same = self.ring == self.writer.backend().stream().unwrap_or(0);
            while let Some(&(tail, position)) = self.unreceived.front()
                && (is_same && tail <= standing.released)
            {
                self.received = position;
                self.unreceived.pop_front();
            }
        } else {
            let longest = self.writer.capacity();
            self.room = if self.writer.is_ready(longest)? { self.capacity() } else { 0 };
        }
        if let Some(&(_, position)) = self.unreceived.back()
            && (is_received || self.is_answered()?)
        {
            self.received = position;
            self.unreceived.clear();
        }
        Ok(())
    }

    /// A slot was released, or a ring says that its end was met. A slot's reader answers an end by removing the memory.
    fn is_answered(&self) -> Result<bool, SendError> {
        if self.is_ring() {
            return Ok(self.writer.has_ended() && self.writer.is_drained());
        }
        let is_removed = || Ok::<_, SendError>(self.writer.backend().segment().stat()?.removed);
        Ok(self.writer.is_drained() || (self.writer.has_ended() && is_removed()?))
    }

    /// For what only a writer knows.
    pub fn writer_mut(&mut self) -> &mut Writer<SysV> {
        &mut self.writer
    }

    /// Waits until a message of `len` bytes would be taken, or as `policy` says.
    ///
    /// # Errors
    /// As [`Writer::await_room`]: that the reader has gone is one.
    pub fn await_room(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.writer.await_room(len.min(self.writer.capacity()), policy)
    }

    /// Waits for the next reader, behind one that has gone.
    ///
    /// # Errors
    /// As [`Writer::await_reader`].
    pub fn await_reader(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.writer.await_reader(policy)
    }

    /// Notices that the memory or the seat was removed. To be called now and then where no wait is. Behind an end, the removal is
    /// how the reader answers it, unless it has left something there.
    ///
    /// # Errors
    /// As [`Writer::recover`].
    pub fn look_around(&mut self) -> Result<(), SendError> {
        let mut policy = WaitPolicy::non_blocking();
        let looked =
            if self.writer.has_ended() { self.writer.flush(&mut policy) } else { self.writer.recover(&mut policy) };
        match looked {
            // A reader that has gone is told where its room is waited for.
            Err(SendError::TimedOut | SendError::ReaderGone) => Ok(()),
            done => done,
        }
    }

    /// Leaves in order, after everything was received where the memory goes with its last user.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn close(mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.writer.flush(policy)?;
        self.writer.close_flushed()
    }

    /// What was appended since the last call.
    pub fn take_counted(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }

    fn is_ring(&self) -> bool {
        matches!(self.writer.backend().layout(), Layout::Ring { .. })
    }

    /// One after the other, as long as the reader takes each at once.
    fn append_to_slot(&mut self, messages: &[(u64, &[u8])]) -> Result<usize, SendError> {
        for (count, (_, message)) in messages.iter().enumerate() {
            match self.writer.send_with(message, &mut WaitPolicy::non_blocking()) {
                Ok(()) => {}
                Err(_) if count > 0 => return Ok(count),
                Err(error) => return Err(error),
            }
        }
        Ok(messages.len())
    }

    /// The stream that was carried last, by whichever process.
    fn last_stream(&self) -> Option<Stream> {
        self.stream.or(self.carried.map(|carried| carried.stream))
    }

    /// The position up to which the reader here has released everything, of the stream that was carried last.
    #[must_use]
    pub fn received_last(&self) -> u64 {
        self.received
    }

    fn note(&mut self, stream: Stream, position: u64, ended: bool) -> Result<(), SendError> {
        let tail = self.writer.standing()?.map_or(0, |standing| standing.tail);
        let last = self.last_stream();
        self.stream = Some(stream);
        if last.is_some_and(|last| last != stream) {
            // What the reader has of the former stream says nothing of this one.
            self.unreceived.clear();
            self.received = 0;
        }
        let ring = self.ring();
        if std::mem::replace(&mut self.ring, ring) != ring {
            // In new memory lies first what was not received from the old one: so the new tail stands for that, too.
            self.unreceived.clear();
        }
        self.carried = if self.is_ring() { Some(Carried { stream, position, ended }) } else { None };
        self.unreceived.push_back((tail, position));
        self.look()
    }
}

impl Sink for ToChannel {
    type Error = SendError;

    fn carried(&self) -> Option<Carried> {
        self.carried
    }

    fn ring(&self) -> u64 {
        self.writer.backend().stream().unwrap_or(0)
    }

    fn capacity(&self) -> u64 {
        match self.writer.backend().layout() {
            Layout::Ring { capacity } => capacity as u64,
            Layout::Slot | Layout::Declared => self.writer.capacity() as u64 + HEADER,
        }
    }

    fn room(&self) -> u64 {
        self.room
    }

    fn append(&mut self, stream: Stream, from: u64, messages: &[(u64, &[u8])]) -> Result<usize, Rejected<SendError>> {
        let appended = if self.is_ring() {
            self.writer.carry(stream.0, from, messages, &mut WaitPolicy::non_blocking())
        } else {
            let is_text = Carries::by(self.writer.backend()) == Carries::Texts;
            let plain = messages.iter().position(|(_, message)| is_text && matches!(*message, b"end" | b"end\n"));
            match plain {
                Some(0) => return Err(Rejected::Message(ENDS.to_owned())),
                plain => self.append_to_slot(&messages[..plain.unwrap_or(messages.len())]),
            }
        };
        let count = match appended {
            Ok(count) => count,
            // The wait for room tells that the reader has gone. Another layout: somebody has removed the ring, and a slot was made.
            Err(SendError::TimedOut | SendError::ReaderGone | SendError::Backend(Error::WrongLayout { .. })) => 0,
            Err(SendError::Unsendable(why)) => return Err(Rejected::Message(why.to_string())),
            Err(error) => return Err(Rejected::Failed(error)),
        };
        self.counted.messages += count as u64;
        self.counted.bytes += messages[..count].iter().map(|(_, message)| message.len()).sum::<usize>();
        let noted = match count.checked_sub(1) {
            Some(last) => self.note(stream, messages[last].0, false),
            None => self.look(),
        };
        noted.map_err(Rejected::Failed).map(|()| count)
    }

    fn end(&mut self, stream: Stream, from: u64, position: u64) -> Result<bool, SendError> {
        let mut policy = WaitPolicy::non_blocking();
        let ended = if self.is_ring() {
            self.writer.carry_end(stream.0, from, position, &mut policy)
        } else {
            self.writer.end_with(&mut policy)
        };
        match ended {
            Ok(()) => self.note(stream, position, true).map(|()| true),
            Err(SendError::TimedOut | SendError::ReaderGone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn received(&self, stream: Stream) -> u64 {
        if self.last_stream() == Some(stream) { self.received } else { 0 }
    }
}
