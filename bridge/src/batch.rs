//! Messages on their way, as they lie in a frame: their bytes are copied out of the sender's ring once, and into the
//! receiver's ring once.

use crate::frame::{BATCH, Fields, Flow, MAGIC, Malformed, VERSION};
use std::fmt;

/// Messages that follow each other in one stream, and perhaps the stream's end behind them.
///
/// In a frame the messages' bytes stand back to back between the header and a table of lengths. So a ring can append to a batch without
/// knowing the format.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Batch {
    flow: Flow,
    from: u64,
    end: Option<u64>,
    /// The header's place, which is zero until the batch is sent, and the messages.
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

/// Where a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Mark {
    /// In the stream.
    position: u64,
    /// In the batch's bytes.
    to: usize,
}

/// What every frame has in front: the magic, version and kind.
const START: usize = MAGIC.len() + 2;
/// That, flow, `from`, whether there is an end, its position, how many messages.
const HEADER: usize = START + Flow::BYTES + 8 + 1 + 8 + 4;
/// What a message has in the table: by how much the position advances, and the length.
const ENTRY: usize = 8;

impl Batch {
    /// One without messages, which begins at the position `from`.
    #[must_use]
    pub fn new(flow: Flow, from: u64) -> Self {
        Self { flow, from, end: None, bytes: vec![0; HEADER], marks: Vec::new() }
    }

    /// Whom it is for, and what it belongs to.
    #[must_use]
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// The position before its messages.
    #[must_use]
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The position behind its messages, but before the end.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.marks.last().map_or(self.from, |mark| mark.position)
    }

    /// The position behind the stream's end, if that is what comes behind the messages.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// How many messages it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether it has no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Bytes of the messages, with what a frame spends on each one.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() - HEADER + self.marks.len() * ENTRY
    }

    /// Lets `peek` append messages to the bytes. It tells its second argument where each message ends, in these bytes and in the stream,
    /// and learns whether another one is wanted: not behind the message with which the [size](Self::size) is `most` or more.
    ///
    /// # Panics
    /// If a position is not ahead of the one before, or ahead by 4 GiB or more.
    pub fn append<R>(
        &mut self,
        most: usize,
        peek: impl FnOnce(&mut Vec<u8>, &mut dyn FnMut(usize, u64) -> bool) -> R,
    ) -> R {
        let Self { from, bytes, marks, .. } = self;
        let mut last = marks.last().map_or(*from, |mark| mark.position);
        peek(bytes, &mut |to, position| {
            let advance = position.checked_sub(last).is_some_and(|by| by > 0 && u32::try_from(by).is_ok());
            assert!(advance, "the position {position} behind {last}");
            last = position;
            marks.push(Mark { position, to });
            to - HEADER + marks.len() * ENTRY < most
        })
    }

    /// Appends a message that ends at `position`.
    ///
    /// # Panics
    /// As [`append`](Self::append).
    pub fn push(&mut self, position: u64, message: &[u8]) {
        self.append(0, |bytes, more| {
            bytes.extend_from_slice(message);
            more(bytes.len(), position);
        });
    }

    /// Puts the stream's end behind the messages. It ends at `position`.
    pub fn set_end(&mut self, position: u64) {
        self.end = Some(position);
    }

    /// The messages from the `skip`th on, each with the position behind it.
    pub fn messages(&self, skip: usize) -> impl Iterator<Item = (u64, &[u8])> {
        let start = skip.checked_sub(1).map_or(HEADER, |before| self.marks[before].to);
        self.marks[skip..].iter().scan(start, |from, mark| {
            let bytes = &self.bytes[*from..mark.to];
            *from = mark.to;
            Some((mark.position, bytes))
        })
    }

    /// How many of its messages end at or before `position`. `None`: they do not fit together, since none begins or ends there.
    #[must_use]
    pub fn up_to(&self, position: u64) -> Option<usize> {
        let count = self.marks.partition_point(|mark| mark.position <= position);
        let before = count.checked_sub(1).map_or(self.from, |last| self.marks[last].position);
        (before == position || (count == self.marks.len() && before < position)).then_some(count)
    }

    pub(crate) fn encode(mut self) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&[VERSION, BATCH]);
        self.flow.encode(&mut header);
        header.extend_from_slice(&self.from.to_le_bytes());
        header.push(u8::from(self.end.is_some()));
        header.extend_from_slice(&self.end.unwrap_or(0).to_le_bytes());
        header.extend_from_slice(&less_than_4_gib(self.marks.len() as u64).to_le_bytes());
        self.bytes[..HEADER].copy_from_slice(&header);
        let (mut position, mut from) = (self.from, HEADER);
        self.bytes.reserve_exact(self.marks.len() * ENTRY);
        for mark in &self.marks {
            self.bytes.extend_from_slice(&less_than_4_gib(mark.position - position).to_le_bytes());
            self.bytes.extend_from_slice(&less_than_4_gib((mark.to - from) as u64).to_le_bytes());
            (position, from) = (mark.position, mark.to);
        }
        self.bytes
    }

    /// Of a whole frame, whose start was looked at.
    pub(crate) fn decode(mut frame: Vec<u8>) -> Result<Self, Malformed> {
        let mut fields = Fields(frame.get(START..HEADER).ok_or(Malformed::Frame)?);
        let (flow, from) = (Flow::decode(&mut fields)?, fields.u64()?);
        let end = match (fields.u8()?, fields.u64()?) {
            (0, 0) => None,
            (1, position) => Some(position),
            _ => return Err(Malformed::Frame),
        };
        let count = fields.u32()? as usize;
        let table = count.checked_mul(ENTRY).and_then(|bytes| (frame.len() - HEADER).checked_sub(bytes));
        let table = HEADER + table.ok_or(Malformed::Frame)?;
        let mut marks = Vec::with_capacity(count);
        let (mut position, mut to) = (from, HEADER);
        let mut fields = Fields(&frame[table..]);
        for _ in 0..count {
            let (advance, len) = (fields.u32()?, fields.u32()? as usize);
            position = position.checked_add(advance.into()).filter(|_| advance > 0).ok_or(Malformed::Frame)?;
            to = to.checked_add(len).filter(|&to| to <= table).ok_or(Malformed::Frame)?;
            marks.push(Mark { position, to });
        }
        if to != table || end.is_some_and(|end| end <= position) {
            return Err(Malformed::Frame);
        }
        frame.truncate(table);
        frame[..HEADER].fill(0);
        Ok(Self { flow, from, end, bytes: frame, marks })
    }
}

/// A message has at most a quarter of a GiB, and a batch few messages behind its limit.
fn less_than_4_gib(number: u64) -> u32 {
    u32::try_from(number).expect("a batch is smaller than 4 GiB")
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends: Vec<u64> = self.marks.iter().map(|mark| mark.position).collect();
        write!(f, "Batch {{ {:?}, from: {}, ends: {ends:?}, end: {:?} }}", self.flow, self.from, self.end)
    }
}
