//! What waits in a ring, for a tool that only looks.

use super::consumer::{Standing, peek, standing};
use super::intent::{self, Carried};
use super::record::{distance, wide};
use crate::backend::RingView;
use crate::error::{Corrupt, corrupt};
use crate::protocol::core::Kind;

/// What lies there, from the first record that was not released on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) head: u64,
    pub(crate) released: u64,
    pub(crate) tail: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) ended: bool,
    /// What was carried on into it, as far as a look that may come in between can tell.
    pub(crate) carried: Option<Carried>,
}

/// Counts what waits.
pub(crate) fn waiting(ring: RingView<'_>) -> Result<Waiting, Corrupt> {
    let Standing { head, released } = standing(ring)?;
    let mut found = Waiting { head, released, tail: released, messages: 0, bytes: 0, ended: false, carried: None };
    while let Some(record) = peek(ring, found.tail)? {
        if distance(head, record.end()) >= wide(ring.capacity()) {
            return Err(corrupt("the records have no end"));
        }
        found.tail = record.end();
        found.ended |= record.kind == Kind::End;
        found.messages += u64::from(record.kind == Kind::Bytes);
        found.bytes += wide(record.len);
    }
    found.carried = intent::seen(ring, found.tail);
    Ok(found)
}
