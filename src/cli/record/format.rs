//! The bytes of a recording: docs/recordings.md has the same tables. All numbers are little-endian.
//!
//! ```text
//! header, 64 bytes    magic 8 │ version 4 │ 64: 4 │ stream 8 │ layout 4 │ 0: 4 │ size 8 │ time 8 │ 0: 12 │ crc 4
//! entry, 40 bytes     crc 4 │ length 4 │ kind 4 │ body's crc 4 │ time 8 │ step 8 │ position 8    and its body behind it
//! body of a session   stream 8 │ size 8 │ layout 4 │ the declared layout's terms
//! body of an end      stream of the ring to which it is handed on 8 │ the text that ended the session
//! ```

/// What a recording begins with. No text does.
pub const MAGIC: [u8; 8] = *b"\x89SHMREC\n";

/// Of the format. A reader takes no other one.
pub const VERSION: u32 = 1;

/// Bytes of the header.
pub const HEADER: usize = 64;

/// Bytes of an entry beside its body.
pub const HEAD: usize = 40;

/// Of an end's body, in front of the text.
const END: usize = 8;

/// Of a session's body, in front of the terms.
const SESSION: usize = 20;

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// From here on messages of that stream come, or `record` was started anew.
    Session,
    /// A message.
    Message,
    /// The end of a session.
    End,
    /// The writer died.
    Death,
    /// What a later version tells. It is passed over.
    Other(u32),
}

impl Kind {
    fn number(self) -> u32 {
        match self {
            Self::Session => 1,
            Self::Message => 2,
            Self::End => 3,
            Self::Death => 4,
            Self::Other(number) => number,
        }
    }

    fn of(number: u32) -> Self {
        match number {
            1 => Self::Session,
            2 => Self::Message,
            3 => Self::End,
            4 => Self::Death,
            number => Self::Other(number),
        }
    }
}

/// What a channel's memory was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The tutorial's slot.
    Classic,
    /// A ring.
    Ring,
    /// A declared slot.
    Declared,
    /// One that a later version knows.
    Other(u32),
}

impl Shape {
    fn number(self) -> u32 {
        match self {
            Self::Classic => 0,
            Self::Ring => 1,
            Self::Declared => 2,
            Self::Other(number) => number,
        }
    }

    fn of(number: u32) -> Self {
        match number {
            0 => Self::Classic,
            1 => Self::Ring,
            2 => Self::Declared,
            number => Self::Other(number),
        }
    }
}

/// The header. What it says of the channel is true of the first session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The ring's random number; 0 for a slot.
    pub stream: u64,
    /// What the memory was.
    pub shape: Shape,
    /// A ring's capacity; a slot's longest message.
    pub size: u64,
    /// When it was begun, in ns since the epoch.
    pub time: u64,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headless {
    /// It is another file.
    Foreign,
    /// Of another version.
    Version(u32),
    /// The magic is right, and the rest is damaged.
    Damaged,
}

impl Header {
    /// As it stands in the file.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &64_u32.to_le_bytes());
        put(16, &self.stream.to_le_bytes());
        put(24, &self.shape.number().to_le_bytes());
        put(32, &self.size.to_le_bytes());
        put(40, &self.time.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// # Errors
    /// It is no header of ours.
    pub fn from_bytes(bytes: &[u8; HEADER]) -> Result<Self, Headless> {
        if bytes[..8] != MAGIC {
            return Err(Headless::Foreign);
        }
        // Of another version everything behind it can be different.
        let version = word(bytes, 8);
        if version != VERSION {
            return Err(Headless::Version(version));
        }
        if word(bytes, 60) != crc32fast::hash(&bytes[..60]) || word(bytes, 12) != 64 {
            return Err(Headless::Damaged);
        }
        let shape = Shape::of(word(bytes, 24));
        Ok(Self { stream: double(bytes, 16), shape, size: double(bytes, 32), time: double(bytes, 40) })
    }
}

/// Whether a file that has no more than these bytes can be a recording whose header was cut short.
#[must_use]
pub fn is_begun(bytes: &[u8]) -> bool {
    let magic = MAGIC.len().min(bytes.len());
    bytes.len() < HEADER && (bytes[..magic] == MAGIC[..magic] || bytes.iter().all(|byte| *byte == 0))
}

/// An entry without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it tells.
    pub kind: Kind,
    /// When, in ns since the epoch, as the clock said then.
    pub time: u64,
    /// How many ns behind the entry before, by a clock that nobody sets; 0 at the first one of a run.
    pub step: u64,
    /// The position behind it in its stream; 0 in a slot.
    pub position: u64,
}

/// An entry's head, taken from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub entry: Entry,
    /// Bytes of the body behind it.
    pub len: u32,
    /// What the body's checksum has to be.
    pub body: u32,
}

impl Entry {
    /// Appends the entry to `out`.
    pub fn append(self, body: &[u8], out: &mut Vec<u8>) {
        let begins = out.len();
        let len = u32::try_from(body.len()).expect("no message has 4 GiB");
        out.extend_from_slice(&[0; 4]);
        for word in [len, self.kind.number(), crc32fast::hash(body)] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for double in [self.time, self.step, self.position] {
            out.extend_from_slice(&double.to_le_bytes());
        }
        let crc = crc32fast::hash(&out[begins + 4..]);
        out[begins..begins + 4].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(body);
    }
}

impl Head {
    /// `None`: it is damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; HEAD]) -> Option<Self> {
        if word(bytes, 0) != crc32fast::hash(&bytes[4..]) {
            return None;
        }
        let kind = Kind::of(word(bytes, 8));
        let entry = Entry { kind, time: double(bytes, 16), step: double(bytes, 24), position: double(bytes, 32) };
        Some(Self { entry, len: word(bytes, 4), body: word(bytes, 12) })
    }
}

/// The body of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// As in the [header](Header::stream).
    pub stream: u64,
    /// As there.
    pub shape: Shape,
    /// As there.
    pub size: u64,
    /// The terms of a declared layout, as `--layout` takes them.
    pub terms: String,
}

impl Session {
    /// As it stands in the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SESSION + self.terms.len());
        bytes.extend_from_slice(&self.stream.to_le_bytes());
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.shape.number().to_le_bytes());
        bytes.extend_from_slice(self.terms.as_bytes());
        bytes
    }

    /// `None`: the body is none of a session.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (fixed, terms) = bytes.split_at_checked(SESSION)?;
        let terms = std::str::from_utf8(terms).ok()?.to_owned();
        Some(Self { stream: double(fixed, 0), size: double(fixed, 8), shape: Shape::of(word(fixed, 16)), terms })
    }
}

/// The body of an end: the stream of the ring to which it is handed on, 0 for none, and the text that ended the session.
#[must_use]
pub fn end_to_bytes(onto: u64, text: &[u8]) -> Vec<u8> {
    [&onto.to_le_bytes(), text].concat()
}

/// `None`: the body is none of an end.
#[must_use]
pub fn end_from_bytes(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (onto, text) = bytes.split_at_checked(END)?;
    Some((double(onto, 0), text))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}

fn double(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |double| u64::from_le_bytes(*double))
}
