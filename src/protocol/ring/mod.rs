//! The ring: records one behind the other, each with a flag of its own.
//!
//! The same handoff as in the classic slot, many times over: a record's flag is
//! its length, stored last; zero means that the writer may write there. As in
//! Aeron's log buffers and Agrona's one-to-one ring buffer, records are packed,
//! positions only grow, and a record never goes beyond the wrap.
//!
//! ```text
//!            released,        peeked at     unread
//!            not given back
//!   ────────┬────────────────┬─────────────┬──────────────┬───┬─────────────
//!    free   │ records ...    │ records ... │ records ...  │ 0 │   free
//!   ────────┴────────────────┴─────────────┴──────────────┴───┴─────────────
//!           ^ head           ^ place                      ^ the writer's tail
//!
//!   record:  flag u32 │ kind u32 │ bytes, padded to 8
//!
//!   flag      meaning                        kind  meaning
//!   --------  -----------------------------  ----  ---------------------
//!   0         nothing yet: the writer's      0     bytes
//!   len + 1   a record of `len` bytes        1     the end of the stream
//!   u32::MAX  goes on where the ring begins
//! ```
//!
//! Two happens-before edges carry it, named alike at both ends in the source:
//! `record` from the store of a flag to the look that sees it, and `space` from
//! the store of the head to the look that sees that. Who sleeps sets a parked word
//! first and looks once more; who publishes or gives back looks at the parked word
//! after: two fences make sure that one of the two sees the other.
//!
//! `docs/protocol.md` has the whole story.

mod coalesce;
mod fences;
mod message;
mod pen;
mod reader;
mod reserved;
mod stranded;
mod walk;
mod writer;

use crate::error::{Corrupt, corrupt};
pub use message::{InPlace, Message, Messages};
pub use reader::{Cursor, Reader};
pub use reserved::Reserved;
#[cfg(all(feature = "cli", not(model)))]
pub(crate) use walk::{Waiting, waiting};
pub use writer::Writer;

/// The flag of what is no record: the next one lies where the ring begins.
const PAD: u32 = u32::MAX;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordKind {
    Bytes = 0,
    End = 1,
}

/// Bytes of a record's header.
const HEADER: usize = 8;

/// Bytes that a record of `len` bytes takes.
const fn size_of_record(len: usize) -> usize {
    HEADER + len.next_multiple_of(8)
}

/// Bytes from position `from` to position `to`; positions may wrap around.
const fn distance(from: u64, to: u64) -> u64 {
    to.wrapping_sub(from)
}

/// Bytes as a distance.
const fn wide(bytes: usize) -> u64 {
    bytes as u64
}
