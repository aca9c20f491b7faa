//! From record to record, and where a side begins that comes to a ring.

use super::{Corrupt, PAD, RecordKind, corrupt, distance, size_of_record, wide};
use crate::backend::Ring;
use crate::protocol::orders::{RELAXED, orders};

/// A record that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) at: u64,
    pub(super) len: usize,
    pub(super) kind: RecordKind,
}

impl Record {
    /// Where the next one begins.
    pub(super) fn end(&self) -> u64 {
        self.at.wrapping_add(wide(size_of_record(self.len)))
    }
}

/// The record at `position`, or where that says it goes on; `None`: there is none
/// yet. Whatever the peer wrote, it lies within the ring.
#[inline(always)]
pub(super) fn peek(ring: Ring<'_>, position: u64) -> Result<Option<Record>, Corrupt> {
    let records = ring.records;
    let mut at = position;
    // Edge `record`, taking end: bytes and kind are there as they were published.
    let mut flag = records.flag(at).load(orders().ring_peek);
    if flag == PAD {
        if records.offset(at) == 0 {
            return Err(corrupt("a jump to the beginning stands at the beginning"));
        }
        at = at.wrapping_add(wide(records.to_wrap(at)));
        // Stored before the jump was published: the edge to that one is this one's, too.
        flag = records.flag(at).load(RELAXED);
        if flag == PAD {
            return Err(corrupt("a jump to the beginning stands at the beginning"));
        }
    }
    if flag == 0 {
        return Ok(None);
    }
    let len = flag as usize - 1;
    if len > ring.longest || size_of_record(len) > records.to_wrap(at) {
        return Err(corrupt("a record is longer than it can be"));
    }
    let kind = match records.kind(at) {
        kind if kind == RecordKind::Bytes as u32 => RecordKind::Bytes,
        kind if kind == RecordKind::End as u32 => RecordKind::End,
        _ => return Err(corrupt("a record of an unknown kind")),
    };
    Ok(Some(Record { at, len, kind }))
}

/// Where the ring stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Given back up to here.
    pub(super) head: u64,
    /// Released up to here.
    pub(super) released: u64,
}

/// Where the ring stands, for one who comes to it. Whoever had our seat before
/// has stored its part before we took the seat.
pub(super) fn standing(ring: Ring<'_>) -> Result<Standing, Corrupt> {
    // A writer that comes has a fence before it writes over what was given back.
    let head = ring.head.load(RELAXED);
    let released = ring.released.load(RELAXED);
    if !head.is_multiple_of(8) {
        return Err(corrupt("the head is no position"));
    }
    // The head can have passed the released position that was seen, or that was stored: it is
    // the later one that counts.
    let ahead = distance(head, released);
    let released = if ahead <= wide(ring.records.capacity()) && released.is_multiple_of(8) { released } else { head };
    Ok(Standing { head, released })
}

/// The end of the records, and that of the last end of a stream if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) tail: u64,
    pub(super) ended: Option<u64>,
}

/// Walks from `head` over all records.
pub(super) fn walk(ring: Ring<'_>, head: u64) -> Result<Tail, Corrupt> {
    let mut found = Tail { tail: head, ended: None };
    while let Some(record) = peek(ring, found.tail)? {
        found.tail = record.end();
        // The writer leaves a place for the next flag: without it a ring that is
        // full of records would have no end.
        if distance(head, found.tail) >= wide(ring.records.capacity()) {
            return Err(corrupt("the records have no end"));
        }
        if record.kind == RecordKind::End {
            found.ended = Some(found.tail);
        }
    }
    Ok(found)
}

/// What waits in a ring, as an observer sees it at one moment, who stores nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg(all(feature = "cli", not(model)))]
pub(crate) struct Waiting {
    pub(crate) head: u64,
    pub(crate) released: u64,
    pub(crate) tail: u64,
    /// Messages from `released` to `tail`, and their bytes.
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// The end of the stream is among them.
    pub(crate) ended: bool,
}

/// Looks at what waits; both sides go on meanwhile, so a ring that is at work can look corrupt.
#[cfg(all(feature = "cli", not(model)))]
pub(crate) fn waiting(ring: Ring<'_>) -> Result<Waiting, Corrupt> {
    let Standing { head, released } = standing(ring)?;
    let mut found = Waiting { head, released, tail: released, messages: 0, bytes: 0, ended: false };
    while let Some(record) = peek(ring, found.tail)? {
        if distance(head, record.end()) >= wide(ring.records.capacity()) {
            return Err(corrupt("the records have no end"));
        }
        found.tail = record.end();
        found.ended |= record.kind == RecordKind::End;
        found.messages += u64::from(record.kind == RecordKind::Bytes);
        found.bytes += wide(record.len);
    }
    Ok(found)
}
