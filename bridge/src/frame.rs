//! What the two bridges say to each other.
//!
//! A frame begins with four bytes that tell it from anything else, a version and a kind, one byte each; the numbers are little-endian. Decoding never panics, and allocates no more
//! than in proportion to the frame.

use crate::batch::Batch;
use crate::world::Stream;
use thiserror::Error;

/// What every frame begins with, of whatever version.
pub const MAGIC: [u8; 4] = *b"shmb";

/// The version of these frames.
pub const VERSION: u8 = 1;

/// What a frame of the sender's belongs to, once it has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The session: it names the receiver's process, the sender's, and the stream.
    pub session: u64,
    /// The sender's released position when the session began. A receiving ring without a history begins there.
    pub base: u64,
    /// Which time the sender sends this. It grows whenever the sender goes back, so that one loss is asked for once.
    pub turn: u32,
}

/// One thing that a bridge says. The first five are the sender's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frame {
    /// The sender asks for a session. It says so again until it is welcomed.
    Hello {
        /// The sender's process: random.
        sender: u64,
        /// How often the sender has begun to greet.
        greeting: u32,
        /// The stream that it carries.
        stream: Stream,
        /// The stream before, of which the same process carried something: that memory was removed.
        after: Option<Stream>,
    },
    /// Messages.
    Batch(Batch),
    /// Everything up to `sent` was sent. Asks for an [`Ack`](Self::Ack).
    Probe {
        /// What it belongs to.
        flow: Flow,
        /// Up to where the sender has sent.
        sent: u64,
    },
    /// The writer there has died, and the last thing that it wrote ends at `at`. Asks for [`Told`](Self::Told).
    Died {
        /// What it belongs to.
        flow: Flow,
        /// Up to where the sender has sent.
        at: u64,
    },
    /// The sender leaves in order.
    SenderLeft {
        /// Which session it leaves.
        session: u64,
    },
    /// The receiver answers a [`Hello`](Self::Hello).
    Welcome {
        /// The new session: random.
        session: u64,
        /// From the `Hello`.
        sender: u64,
        /// From the `Hello`.
        greeting: u32,
        /// Where the receiver goes on in this stream. `None`: where the sender likes.
        position: Option<u64>,
        /// Free bytes in the receiving ring.
        room: u64,
        /// Which ring that is: its own random id, or 0 for a slot.
        ring: u64,
    },
    /// The receiver's ring has a stream already, which has not ended: the answer to a [`Hello`](Self::Hello) of another one.
    Taken {
        /// From the `Hello`.
        sender: u64,
        /// From the `Hello`.
        greeting: u32,
        /// The stream that the ring has.
        stream: Stream,
    },
    /// How far the receiver has come.
    Ack(Ack),
    /// The receiver does not know this session, or not any more: greet again.
    Unknown {
        /// From the frame that it answers.
        session: u64,
    },
    /// A message can't be carried there, and those before it were. The receiver leaves.
    Unsendable {
        /// The session.
        session: u64,
        /// The position behind the message.
        position: u64,
        /// Why not.
        why: String,
    },
    /// The reader there has left or died, and the receiver leaves.
    ReaderGone {
        /// The session.
        session: u64,
    },
    /// The receiver has told its reader of the writer's death, and leaves.
    Told {
        /// The session.
        session: u64,
    },
    /// The receiver leaves in order.
    ReceiverLeft {
        /// The session.
        session: u64,
    },
}

/// How far the receiver has come: `acked` ≤ `taken` ≤ `held`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ack {
    /// The session.
    pub session: u64,
    /// Up to here everything is in the receiver's hands: the next message that it takes begins there.
    pub held: u64,
    /// Up to here everything lies in the receiving ring, or was received from it.
    pub taken: u64,
    /// Up to here the sender may release.
    pub acked: u64,
    /// Free bytes in the receiving ring, for what comes behind `taken`.
    pub room: u64,
    /// The turn of the frame that made the receiver say so.
    pub turn: u32,
    /// That frame was ahead of `held`: what is between got lost, or is late. Go back to `held`.
    pub again: bool,
}

/// Why a frame was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A bridge of another version sent it.
    #[error("the bridge on the other side speaks version {0} and this one version {VERSION}: update the older one")]
    Version(u8),
    /// It is no frame.
    #[error("a frame that no bridge sends arrived: something else publishes at these keys")]
    Frame,
}

const HELLO: u8 = 0;
pub(crate) const BATCH: u8 = 1;
const PROBE: u8 = 2;
const DIED: u8 = 3;
const SENDER_LEFT: u8 = 4;
const WELCOME: u8 = 5;
const TAKEN: u8 = 6;
const ACK: u8 = 7;
const UNKNOWN: u8 = 8;
const UNSENDABLE: u8 = 9;
const READER_GONE: u8 = 10;
const TOLD: u8 = 11;
const RECEIVER_LEFT: u8 = 12;

/// The longest text of a refusal, in bytes.
const LONGEST_WHY: usize = 1024;

impl Frame {
    /// Its bytes. Those of a batch are handed over, not copied.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        match self {
            Self::Batch(batch) => return batch.encode(),
            Self::Hello { sender, greeting, stream, after } => {
                put(&mut out, HELLO, &[sender, stream.0]);
                put_option(&mut out, after.map(|stream| stream.0));
                out.extend_from_slice(&greeting.to_le_bytes());
            }
            Self::Probe { flow, sent } => {
                put(&mut out, PROBE, &[sent]);
                flow.encode(&mut out);
            }
            Self::Died { flow, at } => {
                put(&mut out, DIED, &[at]);
                flow.encode(&mut out);
            }
            Self::SenderLeft { session } => put(&mut out, SENDER_LEFT, &[session]),
            Self::Welcome { session, sender, greeting, position, room, ring } => {
                put(&mut out, WELCOME, &[session, sender, room, ring]);
                put_option(&mut out, position);
                out.extend_from_slice(&greeting.to_le_bytes());
            }
            Self::Taken { sender, greeting, stream } => {
                put(&mut out, TAKEN, &[sender, stream.0]);
                out.extend_from_slice(&greeting.to_le_bytes());
            }
            Self::Ack(Ack { session, held, taken, acked, room, turn, again }) => {
                put(&mut out, ACK, &[session, held, taken, acked, room]);
                out.extend_from_slice(&turn.to_le_bytes());
                out.push(u8::from(again));
            }
            Self::Unknown { session } => put(&mut out, UNKNOWN, &[session]),
            Self::Unsendable { session, position, why } => {
                put(&mut out, UNSENDABLE, &[session, position]);
                out.extend_from_slice(beginning(&why, LONGEST_WHY).as_bytes());
            }
            Self::ReaderGone { session } => put(&mut out, READER_GONE, &[session]),
            Self::Told { session } => put(&mut out, TOLD, &[session]),
            Self::ReceiverLeft { session } => put(&mut out, RECEIVER_LEFT, &[session]),
        }
        out
    }

    /// What the bytes say.
    ///
    /// # Errors
    /// They are no frame of this version.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(Malformed::Frame)?;
        let (&version, rest) = rest.split_first().ok_or(Malformed::Frame)?;
        if version != VERSION {
            return Err(Malformed::Version(version));
        }
        let (&kind, rest) = rest.split_first().ok_or(Malformed::Frame)?;
        let mut fields = Fields(rest);
        let frame = match kind {
            BATCH => return Batch::decode(bytes).map(Self::Batch),
            HELLO => Self::Hello {
                sender: fields.u64()?,
                stream: Stream(fields.u64()?),
                after: fields.option()?.map(Stream),
                greeting: fields.u32()?,
            },
            PROBE => Self::Probe { sent: fields.u64()?, flow: Flow::decode(&mut fields)? },
            DIED => Self::Died { at: fields.u64()?, flow: Flow::decode(&mut fields)? },
            SENDER_LEFT => Self::SenderLeft { session: fields.u64()? },
            WELCOME => Self::Welcome {
                session: fields.u64()?,
                sender: fields.u64()?,
                room: fields.u64()?,
                ring: fields.u64()?,
                position: fields.option()?,
                greeting: fields.u32()?,
            },
            TAKEN => Self::Taken { sender: fields.u64()?, stream: Stream(fields.u64()?), greeting: fields.u32()? },
            ACK => Self::Ack(Ack {
                session: fields.u64()?,
                held: fields.u64()?,
                taken: fields.u64()?,
                acked: fields.u64()?,
                room: fields.u64()?,
                turn: fields.u32()?,
                again: fields.bool()?,
            }),
            UNKNOWN => Self::Unknown { session: fields.u64()? },
            UNSENDABLE => Self::Unsendable { session: fields.u64()?, position: fields.u64()?, why: fields.text()? },
            READER_GONE => Self::ReaderGone { session: fields.u64()? },
            TOLD => Self::Told { session: fields.u64()? },
            RECEIVER_LEFT => Self::ReceiverLeft { session: fields.u64()? },
            _ => return Err(Malformed::Frame),
        };
        if fields.0.is_empty() { Ok(frame) } else { Err(Malformed::Frame) }
    }
}

impl Flow {
    pub(crate) const BYTES: usize = 20;

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        for number in [self.session, self.base] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.turn.to_le_bytes());
    }

    pub(crate) fn decode(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self { session: fields.u64()?, base: fields.u64()?, turn: fields.u32()? })
    }
}

fn put(out: &mut Vec<u8>, kind: u8, numbers: &[u64]) {
    out.push(kind);
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn put_option(out: &mut Vec<u8>, number: Option<u64>) {
    out.push(u8::from(number.is_some()));
    out.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
}

/// What is left of a frame that is being decoded.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Frame)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.take().map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_le_bytes)
    }

    fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Frame),
        }
    }

    fn option(&mut self) -> Result<Option<u64>, Malformed> {
        match (self.bool()?, self.u64()?) {
            (true, number) => Ok(Some(number)),
            (false, 0) => Ok(None),
            (false, _) => Err(Malformed::Frame),
        }
    }

    /// The rest.
    fn text(&mut self) -> Result<String, Malformed> {
        let text = str::from_utf8(std::mem::take(&mut self.0)).map_err(|_| Malformed::Frame)?;
        if text.len() <= LONGEST_WHY { Ok(text.to_owned()) } else { Err(Malformed::Frame) }
    }
}

/// The text's beginning of at most `most` bytes.
fn beginning(text: &str, most: usize) -> &str {
    let to = (0..=most.min(text.len())).rev().find(|&to| text.is_char_boundary(to));
    &text[..to.unwrap_or(0)]
}
