//! The written-flag handoff.
//!
//! A piece of shared memory carries a flag. Zero means "the writer may write",
//! non-zero "the reader may read". The side that owns the memory by that rule may
//! touch it, and gives it away with one Release store.
//!
//! ```text
//!   writer                          flag    reader
//!   ------                          ----    ------
//!   look until 0        (Acquire)     0
//!   copy the text in                  0
//!   publish: flag = 1   (Release)     1     look until non-zero   (Acquire)
//!                                     1     copy the text out, use it
//!   look until 0        (Acquire)     0     release: flag = 0     (Release)
//! ```
//!
//! Two happens-before edges carry it, named alike at both ends in the source:
//! `text` from publish to the look that sees it, and `room` from release to
//! the look that sees that. `docs/protocol.md` has the whole story.

mod backlog;
pub(crate) mod core;
mod either;
pub mod endpoint;
pub(crate) mod record;
pub(crate) mod ring;
pub mod slot;
pub mod tutorial;
pub(crate) mod typed;

pub use either::Either;
