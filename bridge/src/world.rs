//! What the two machines of the protocol act on, and what they tell their drivers.

use crate::batch::Batch;
use crate::frame::Frame;
use std::time::Duration;

/// Which ring a message comes from. The id is random, and stands in the ring's header.
///
/// A slot has no id. Its source makes one for each process, which [does not last](Self::lasts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(pub u64);

impl Stream {
    /// A ring's random id begins so once in four billion rings.
    const PASSING: u64 = 0xffff_ffff << 32;

    /// The stream of a slot, for as long as this process reads it.
    #[must_use]
    pub fn passing(random: u32) -> Self {
        Self(Self::PASSING | u64::from(random))
    }

    /// Whether the next process that reads there reads the same stream. The id itself tells, so that it can be told from what a ring
    /// has stored, too.
    #[must_use]
    pub fn lasts(self) -> bool {
        self.0 & Self::PASSING != Self::PASSING
    }
}

/// What a ring says of the stream that was carried into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Carried {
    /// The stream's id.
    pub stream: Stream,
    /// The position in the stream up to which everything lies in the ring, or was received from it.
    pub position: u64,
    /// Whether the last thing that was carried is the stream's end.
    pub ended: bool,
}

/// What [`Source::peek`] found behind the messages that it appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peeked {
    /// The batch is full, and there may be more.
    More,
    /// Nothing, at the moment.
    Nothing,
    /// The end of the stream, and the position behind it.
    End(u64),
    /// Other memory: [`Source::stream`] is another one now. Nothing was appended. It happens only when everything of the former stream was
    /// released.
    Moved,
}

/// What ends at a position: see [`Source::seek`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A message, or what was released.
    Message,
    /// The end of the stream. The next peek finds this end again.
    End,
    /// Nothing. The cursor stays where it was.
    Nothing,
}

/// The channel that the sender reads.
///
/// A position is a place in the stream: a count of bytes that grows with each message by at least the message's length, and by less than
/// 4 GiB. The *cursor* is the position behind the message that was peeked at last. It begins at the released position.
pub trait Source {
    /// What can fail.
    type Error;

    /// The stream that [`peek`](Self::peek) reads. A wait can change it, too, when everything of the former one was released.
    fn stream(&self) -> Stream;

    /// The position up to which everything was released.
    fn released(&self) -> u64;

    /// Appends the messages behind the cursor to `batch`, as far as they are there, and moves the cursor behind them. It stops behind
    /// the message with which the batch has `most` bytes: see [`Batch::append`]. Never waits.
    ///
    /// # Errors
    /// The memory can't be read.
    fn peek(&mut self, batch: &mut Batch, most: usize) -> Result<Peeked, Self::Error>;

    /// Moves the cursor to `position`, back or ahead, if a message ends there.
    ///
    /// # Errors
    /// The memory can't be read.
    fn seek(&mut self, position: u64) -> Result<Found, Self::Error>;

    /// Releases everything up to `position`, which was peeked at since it was released last. The cursor stays. `false`: no message ends
    /// there, and nothing was released. (The end of the stream is not released, but [`end`](Self::end)ed.)
    ///
    /// # Errors
    /// The memory can't be written.
    fn release(&mut self, position: u64) -> Result<bool, Self::Error>;

    /// Releases all messages and ends the session, as a reader that has met the end does.
    ///
    /// # Errors
    /// The memory can't be removed.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Why a sink did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected<E> {
    /// The first of the messages can't be carried there; why.
    Message(String),
    /// Anything else.
    Failed(E),
}

/// The channel that the receiver writes.
pub trait Sink {
    /// What can fail.
    type Error;

    /// What the channel itself says. `None`: nothing was ever carried into this memory, or it can't say.
    fn carried(&self) -> Option<Carried>;

    /// Which memory that is: no other ring has the same. 0: it has no id.
    fn ring(&self) -> u64;

    /// Bytes that there are for messages, with what is spent on each one.
    fn capacity(&self) -> u64;

    /// How many of them are free.
    fn room(&self) -> u64;

    /// Publishes as many of `messages` as there is room for, with one store, the intent before it; how many. `from` is the position
    /// before them, and each has the position behind it. Never waits.
    ///
    /// # Errors
    /// [`Rejected::Message`] if the first one can't be carried. If another one can't, those before it are published.
    fn append(&mut self, stream: Stream, from: u64, messages: &[(u64, &[u8])]) -> Result<usize, Rejected<Self::Error>>;

    /// Publishes the stream's end in the same way. `false`: there is no room at the moment.
    ///
    /// # Errors
    /// The memory can't be written.
    fn end(&mut self, stream: Stream, from: u64, position: u64) -> Result<bool, Self::Error>;

    /// The position of the stream up to which the reader here has surely released everything; 0 if that is not known, as of any
    /// stream but the one that was carried last.
    fn received(&self, stream: Stream) -> u64;
}

/// The network, on the way to the other machine.
pub trait Carrier {
    /// Sends a frame. It may arrive, later, never, more than once, or behind one that is sent after it. Never waits for long.
    fn send(&mut self, frame: Frame);
}

/// What a driver does next. A frame that arrives always ends a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Hear what has arrived, then step again.
    Step,
    /// Wait until then, if there is such a moment, or until this happens.
    Wait(Option<Duration>, Event),
    /// Leave.
    Done(Outcome),
}

/// What else than a frame and a moment ends a wait. (The death of a peer here always does.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Nothing.
    None,
    /// A message, or the end, behind the source's cursor.
    Message,
    /// Room for a message of so many bytes in the sink. The end has none.
    Room(usize),
    /// The reader here has released something.
    Receipt,
}

/// Why a bridge leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The stream has ended, and everything was acknowledged.
    Ended,
    /// The writer on the sender's side has died.
    WriterDied,
    /// The reader on the receiver's side has left or died.
    ReaderGone,
    /// The ring over there has another stream.
    Taken(Stream),
    /// A message can't be carried over there.
    Unsendable {
        /// The position behind it.
        position: u64,
        /// Why not.
        why: String,
    },
    /// The ring over there goes on at a position that the ring here does not have: they tell different stories of one stream.
    Strange {
        /// The position.
        position: u64,
        /// Up to where the ring here is released.
        released: u64,
    },
    /// Nothing went on for as long as [`Limits::timeout`](crate::pace::Limits::timeout).
    TimedOut,
}

/// What a machine has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Numbers {
    /// Sessions that began.
    pub sessions: u64,
    /// Messages that were sent, with those that were sent again; or that were put into the ring.
    pub messages: u64,
    /// The sender: how often it went back.
    pub again: u64,
    /// The sender: how often it asked for an acknowledgement.
    pub probes: u64,
    /// The receiver: messages that came once more, and were dropped.
    pub duplicates: u64,
    /// The receiver: batches that were ahead of what it had.
    pub gaps: u64,
    /// The receiver: batches for which it had no memory left.
    pub dropped: u64,
    /// Frames that no bridge sends.
    pub foreign: u64,
}
