//! A key that is held against everybody of ours for a moment, to remove what is there.

use super::kernel::{now, since, sleep};
use super::key::Key;
use super::lock::LOCKED;
use super::observer::Observer;
use super::segment::Segment;
use super::set::{ENDED, LOCK, Met, OBSERVERS, OPEN, READER, Set, WRITER};
use super::taken::{AGAIN, ATTEMPTS, Taken, taken_by};
use crate::declare::Declared;
use crate::error::{Error, Role};
use std::time::Duration;

/// How long a look may take: most take less than a millisecond.
const A_LOOK: Duration = Duration::from_millis(100);

/// How many stay attached for longer than a look takes: an observer that came where there were no seats has
/// no mark, and nothing else tells it from a C program.
pub(crate) fn beyond_a_look<E>(count: impl Fn() -> Result<usize, E>) -> Result<usize, E> {
    let started = now();
    loop {
        let attached = count()?;
        if attached == 0 || since(started) > A_LOOK {
            return Ok(attached);
        }
        sleep(Duration::from_millis(1));
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

    /// Looks at what is there; `declared`: at a slot that it describes.
    ///
    /// # Errors
    /// As [`Observer::open`] and [`Observer::open_declared`].
    pub(crate) fn observe(&self, declared: Option<&Declared>) -> Result<Observer, Error> {
        Observer::open_claimed(self.key, declared)
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

/// Both seats and the lock, taken where no observer is there, so that nobody comes in. A drop gives them
/// back, and leaves the set if it says that a writer failed.
#[derive(Debug)]
struct Closed {
    set: Set,
}

impl Closed {
    /// Takes all three at once, or says who has one.
    fn take(key: Key) -> Result<Self, Error> {
        let started = now();
        let mut gone = 0;
        while gone < ATTEMPTS {
            match Self::try_take(key, since(started)) {
                Ok(closed) => return Ok(closed),
                Err(Met::Gone) => gone += 1,
                Err(Met::Busy) => sleep(AGAIN),
                Err(Met::Failed(error)) => return Err(error),
            }
        }
        Err(Error::Locked { key: key.number(), pid: 0 })
    }

    fn try_take(key: Key, since: Duration) -> Result<Self, Met> {
        // Whose it is does not matter to who removes it.
        let set = Set::find_or_make(key, 0o600, true)?;
        match set.close() {
            Err(Met::Busy) => {}
            done => return done.map(|()| Self { set }),
        }
        let values = set.values()?;
        let mut stuck = false;
        for (semaphore, role) in [(WRITER, Some(Role::Writer)), (READER, Some(Role::Reader)), (LOCK, None)] {
            if !values.taken(semaphore) {
                continue;
            }
            match (taken_by(set, semaphore, since)?, role) {
                (Taken::By(pid), Some(role)) => return Err(Error::SeatTaken { at: key.place(), role, pid }.into()),
                (Taken::By(pid), None) if since > LOCKED => {
                    return Err(Error::Locked { key: key.number(), pid }.into());
                }
                (Taken::By(_) | Taken::Again, _) => return Err(Met::Busy),
                (Taken::Stuck, _) => stuck = true,
            }
        }
        if values.taken(OBSERVERS) && since > LOCKED {
            match taken_by(set, OBSERVERS, since)? {
                Taken::By(pid) => {
                    return Err(Error::SeatTaken { at: key.place(), role: Role::Guest, pid }.into());
                }
                Taken::Stuck => stuck = true,
                Taken::Again => {}
            }
        }
        if stuck { set.remove().and(Err(Met::Gone)) } else { Err(Met::Busy) }
    }

    /// Removes the set with all that it says.
    fn remove(self) -> Result<(), Error> {
        match self.set.remove() {
            // Another user's set stays, and the drop gives the seats back.
            Ok(()) | Err(Met::Failed(Error::Permission { .. })) => Ok(()),
            Err(met) => met.unless_gone(),
        }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let says_nothing = self.set.values().is_ok_and(|values| !values.taken(OPEN) && !values.taken(ENDED));
        if !(says_nothing && self.set.remove().is_ok()) {
            self.set.open();
        }
    }
}
