//! Where things lie in a segment, and where sides meet.

/// The key that the tutorial's programs use.
pub const DEFAULT_KEY: u32 = 1234;

/// Where the flag and the text of the classic layout lie, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// Size of the whole segment.
    pub size: usize,
    /// Offset of the 32-bit flag; a multiple of 4.
    pub flag_at: usize,
    /// Offset of the text; a multiple of 4.
    pub text_at: usize,
    /// Length of the text; a multiple of 4.
    pub text_len: usize,
}

/// The tutorial's `struct { int written; char text[2048]; }`.
///
/// ```text
/// bytes    field    meaning
/// -------  -------  ---------------------------------------------------
/// 0..4     written  native-endian i32: the flag
/// 4..2052  text     a C string: at most 2047 bytes and a NUL
/// ```
///
/// The size is exact, as a C peer's `shmget` asks for it.
#[cfg(not(model))]
pub const SLOT: Offsets = Offsets { size: 2052, flag_at: 0, text_at: 4, text_len: 2048 };

/// A model's slot: the text is as short as can be, for a checker searches through each word of it.
#[cfg(any(loom, explored))]
pub const SLOT: Offsets = Offsets { size: 12, flag_at: 0, text_at: 4, text_len: 8 };
/// As loom's, with room for a number that tells a thousand messages apart.
#[cfg(shuttle)]
pub const SLOT: Offsets = Offsets { size: 20, flag_at: 0, text_at: 4, text_len: 16 };

/// A ring, native-endian. Each side's words have lines of their own.
///
/// ```text
/// bytes       field          who stores  meaning
/// ----------  -------------  ----------  ---------------------------------------------
/// 0..2052     decoy          creator     a classic slot, full: see below
/// 4096..4104  magic          creator     u64, stored last: before it there is no ring
/// 4104..4108  version        creator     u32: 2
/// 4112..4120  capacity       creator     u64: bytes for records, a power of two
/// 4120..4128  stream         creator     u64, random and not 0: no other ring has it
/// 4128..4136  schema         creator     u64: the schema of the messages; 0 means none
/// 4224..4232  head           reader      u64: up to here the writer may write again
/// 4352..4360  released       reader      u64: up to here everything was released
/// 4360..4364  closed         reader      u32: 1 when the end was met, and this removed
/// 4480..4484  reader parked  both        u32: 1 while the reader sleeps
/// 4484..4488  peer fences    reader      u32: 1 if the writer needs no fence
/// 4608..4612  writer parked  both        u32: 1 while the writer sleeps
/// 4612..4616  peer fences    writer      u32: 1 if the reader needs no fence
/// 4736..4784  intent         writer      what it carries on from another ring: see below
/// 4864..4912  intent         writer      the same, in turn with the first
/// 8192..      records        writer      `capacity` bytes
/// ```
///
/// A C program of the tutorial that attaches by mistake (its `shmget` succeeds on
/// a larger segment) finds a flag at 1 and a text that says what this is. Nothing
/// of ours stands there, and nothing read from it is relied upon.
///
/// An intent is six u64: its number (0: there is none), and the stream, the two positions there that it goes from and to, the
/// tail here before it is published, and whether an end is the last of it (0 or 1). The higher number counts, and is
/// stored last.
///
/// A model has the same words in the same order, close together, and small rings.
pub mod ring {
    #[cfg(model)]
    pub use super::of_models::*;
    #[cfg(not(model))]
    pub use super::of_segments::*;

    /// `shm-ring`, as bytes in memory.
    pub const MAGIC: u64 = u64::from_ne_bytes(*b"shm-ring");
    /// The version of this layout.
    pub const VERSION: u32 = 2;

    /// Whether a ring can have this many bytes for records.
    #[must_use]
    pub const fn is_capacity(bytes: usize) -> bool {
        bytes.is_power_of_two() && bytes >= SMALLEST && bytes <= LARGEST
    }

    /// Whether any of the header's 64-bit words has bytes from `from` to `to`. Those are
    /// reached as 64-bit words alone, and everything else as 32-bit words.
    #[must_use]
    pub fn has_wide(from: usize, to: usize) -> bool {
        [MAGIC_AT, CAPACITY_AT, STREAM_AT, SCHEMA_AT, HEAD_AT, RELEASED_AT, INTENTS_AT[0], INTENTS_AT[1]]
            .iter()
            .any(|wide| from < wide + 8 && *wide < to)
    }

    /// Size of the segment of a ring.
    #[must_use]
    pub const fn size(capacity: usize) -> usize {
        RECORDS_AT + capacity
    }
}

#[cfg(not(model))]
mod of_segments {
    /// Offset of the magic.
    pub const MAGIC_AT: usize = 4096;
    /// Offset of the version.
    pub const VERSION_AT: usize = 4104;
    /// Offset of the capacity.
    pub const CAPACITY_AT: usize = 4112;
    /// Offset of the stream's id.
    pub const STREAM_AT: usize = 4120;
    /// Offset of the schema's hash.
    pub const SCHEMA_AT: usize = 4128;
    /// Offset of the head.
    pub const HEAD_AT: usize = 4224;
    /// Offset of the word `released`.
    pub const RELEASED_AT: usize = 4352;
    /// Offset of the word that says that the reader has met the end.
    pub const CLOSED_AT: usize = 4360;
    /// Offset of the reader's parked word.
    pub const READER_PARKED_AT: usize = 4480;
    /// Offset of the reader's `peer_fences`.
    pub const READER_PEER_FENCES_AT: usize = 4484;
    /// Offset of the writer's parked word.
    pub const WRITER_PARKED_AT: usize = 4608;
    /// Offset of the writer's `peer_fences`.
    pub const WRITER_PEER_FENCES_AT: usize = 4612;
    /// Offsets of the two places of an intent.
    pub const INTENTS_AT: [usize; 2] = [4736, 4864];
    /// Offset of the records.
    pub const RECORDS_AT: usize = 8192;
    /// What the decoy says.
    pub const DECOY: &[u8] = b"this is a shm-handoff ring; use shmread\n";
    /// The smallest ring, in bytes for records.
    pub const SMALLEST: usize = 64 << 10;
    /// The largest.
    pub const LARGEST: usize = 1 << 30;
    /// What a ring has unless asked otherwise.
    pub const DEFAULT: usize = 2 << 20;
}

#[cfg(model)]
#[allow(missing_docs, reason = "as of segments")]
mod of_models {
    pub const MAGIC_AT: usize = 24;
    pub const VERSION_AT: usize = 32;
    pub const CAPACITY_AT: usize = 40;
    pub const STREAM_AT: usize = 48;
    pub const SCHEMA_AT: usize = 56;
    pub const HEAD_AT: usize = 64;
    pub const RELEASED_AT: usize = 72;
    pub const CLOSED_AT: usize = 80;
    pub const READER_PARKED_AT: usize = 84;
    pub const READER_PEER_FENCES_AT: usize = 88;
    pub const WRITER_PARKED_AT: usize = 92;
    pub const WRITER_PEER_FENCES_AT: usize = 96;
    pub const INTENTS_AT: [usize; 2] = [104, 152];
    pub const RECORDS_AT: usize = 200;
    pub const DECOY: &[u8] = b"ring\n";
    pub const SMALLEST: usize = 16;
    pub const LARGEST: usize = 1 << 10;
    pub const DEFAULT: usize = 64;
}
