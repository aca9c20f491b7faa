//! A key that is held against everybody of ours for a moment, to remove what is there.

use super::key::Key;
use super::observer::Observer;
use super::seats::Closed;
use super::segment::Segment;
use crate::error::Error;
use std::time::{Duration, Instant};

/// How long a look may take: most take less than a millisecond.
const A_LOOK: Duration = Duration::from_millis(100);

/// How many stay attached for longer than a look takes: an observer that came where there were no seats has
/// no mark, and nothing else tells it from a C program.
pub(crate) fn beyond_a_look<E>(count: impl Fn() -> Result<usize, E>) -> Result<usize, E> {
    let started = Instant::now();
    loop {
        let attached = count()?;
        if attached == 0 || started.elapsed() > A_LOOK {
            return Ok(attached);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

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

    /// Looks at what is there.
    ///
    /// # Errors
    /// As [`Observer::open`].
    pub(crate) fn observe(&self) -> Result<Observer, Error> {
        Observer::open_claimed(self.key)
    }

    /// Removes the segment with this id, if the key still leads there, and with it the seats. How many had
    /// attached between the last look and the removal: their memory stays until they go.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Removed`] if the key leads elsewhere.
    pub(crate) fn remove(self, id: i32) -> Result<usize, Error> {
        if Segment::find(self.key)? != Some(id) {
            return Err(Error::Removed { key: self.key.number() });
        }
        // Not attached, so that nobody takes us for a side, and so that its mode does not matter.
        Segment::remove_id(id, self.key)?;
        let late = beyond_a_look(|| Ok::<_, Error>(Segment::attached_to(id, self.key)))?;
        self.seats.remove()?;
        Ok(late)
    }

    /// Removes the seats alone.
    ///
    /// # Errors
    /// What the removal met.
    pub(crate) fn remove_seats(self) -> Result<(), Error> {
        self.seats.remove()
    }
}
