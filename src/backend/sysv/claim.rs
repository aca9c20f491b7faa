//! A key that is held against everybody of ours for a moment, to remove what is there.

use super::key::Key;
use super::seats::Closed;
use super::segment::Segment;
use crate::error::Error;

/// Both seats and the creation lock: while this is there, nobody of ours comes in. (A C
/// program still can: it asks nobody.)
#[derive(Debug)]
pub(crate) struct Claim {
    key: Key,
    seats: Closed,
}

impl Claim {
    /// Takes both seats of `key`, or says who has one.
    ///
    /// # Errors
    /// [`Error::SeatTaken`], [`Error::Locked`], and what a seat of our own can meet.
    pub(crate) fn take(key: Key) -> Result<Self, Error> {
        Ok(Self { key, seats: Closed::take(key)? })
    }

    /// Removes the segment with this id, if the key still leads there, and with it the seats. How many had
    /// attached between the last look and the removal: their memory stays until they go.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Removed`] if the key leads elsewhere.
    pub(crate) fn remove(self, id: i32) -> Result<usize, Error> {
        let segment = Segment::open(self.key)?;
        if segment.id() != id {
            return Err(Error::Removed { key: self.key.number() });
        }
        segment.remove()?;
        let late = segment.stat().map_or(0, |stat| stat.attached.saturating_sub(1));
        drop(self.seats);
        Ok(late)
    }
}
