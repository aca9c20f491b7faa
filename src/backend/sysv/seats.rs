//! Seats: who writes and who reads, kept by the kernel in the semaphores of a [`Set`].

use super::comer::{Comer, is_layout, number, of, peer};
use super::kernel::{Home, now, since, sleep, step};
use super::key::Key;
use super::lock::{LOCKED, Lock, Tried, try_lock};
use super::set::{
    ENDED, LAYOUT, LOCK, LOOKS, MADE, MOVING, Met, NONE_REQUESTED, OBSERVERS, OPEN, READER, Set, Values, WRITER,
    for_its_owner, give,
};
use super::taken::{AGAIN, ATTEMPTS, Taken, taken_by};
use crate::error::{Error, Role};
use libc::IPC_NOWAIT;
use nix::errno::Errno;
use std::time::Duration;

/// A seat that is taken until it is given back or the process ends.
#[derive(Debug)]
pub(super) struct Seat {
    set: Set,
    comer: Comer,
    /// This side has made the memory, and asks for no layout: the other one may put another in its place.
    made: bool,
    /// The process that took it: a child that was forked has a copy of this, and no seat.
    home: Home,
    /// It was taken anew, and nobody was told yet.
    reseated: bool,
    /// It was taken beside a side of another layout, or a dead side has left something of a move.
    unsettled: bool,
}

/// What the set says at one moment.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
pub(super) struct Seating {
    pub(super) peer_seated: bool,
    pub(super) writer_failed: bool,
    /// The seat had to be taken anew.
    pub(super) reseated: bool,
    /// An end was told.
    pub(super) ended: bool,
    pub(super) marks: Marks,
}

/// What changes while observers come and go, or a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) observers: u16,
    looks: u16,
    peer_seated: bool,
}

/// What an [observer](super::Observer) sees of the seats.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let writer = Writer::<SysV>::open(&Options::slot(key))?;
/// let seats = Observer::open(key)?.seats().expect("the writer has one");
/// writer.backend().segment().remove()?;
/// assert_eq!((seats.writer, seats.reader), (Some(std::process::id()), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Pid of the writer that is seated; 0: of another pid namespace.
    pub writer: Option<u32>,
    /// Of the reader.
    pub reader: Option<u32>,
    /// The writer's seat is free, and who had it did not leave in order.
    pub writer_failed: bool,
    /// At least as many attachments as observers have.
    pub(crate) observers: u16,
    /// A side that is there has declared a layout.
    pub(crate) declares: bool,
    /// The end of a session of records was told, and no reader has met it yet.
    pub(crate) ended: bool,
}

/// Looks at the seats of `key`, and changes nothing; `None`: there are none.
pub(crate) fn observe(key: Key) -> Result<Option<Seats>, Error> {
    let seats = |set: Set| {
        let values = set.values()?;
        let taken = |seat: u16| values.taken(seat).then(|| set.holder(seat).unwrap_or(0));
        let writer = taken(WRITER);
        Ok(Seats {
            writer,
            reader: taken(READER),
            writer_failed: writer.is_none() && values.taken(OPEN),
            observers: values.of(OBSERVERS),
            declares: values.taken(LAYOUT) && (values.taken(WRITER) || values.taken(READER)),
            ended: values.taken(ENDED),
        })
    };
    match Set::find(key).and_then(|set| set.map(seats).transpose()) {
        Ok(seats) => Ok(seats),
        Err(met) => met.unless_gone().map(|()| None),
    }
}

impl Seat {
    /// Takes a seat; a set that is missing is made.
    pub(super) fn take(comer: Comer) -> Result<Self, Error> {
        let started = now();
        let mut gone = 0;
        while gone < ATTEMPTS {
            match Self::try_take(comer, since(started)) {
                Ok(seat) => return Ok(seat),
                Err(Met::Gone) => gone += 1,
                Err(Met::Busy) => sleep(AGAIN),
                Err(Met::Failed(error)) => return Err(error),
            }
        }
        Err(Error::Os { call: "semop", on: format!("semaphore set of {}", comer.key), errno: Errno::EIDRM })
    }

    fn try_take(comer: Comer, since: Duration) -> Result<Self, Met> {
        let Comer { key, role, mode, trust_owner, .. } = comer;
        let set = Set::find_or_make(key, mode, trust_owner)?;
        let semaphore = number(role);
        let done = match set.change(&mut comer.steps(is_layout(comer.hash))) {
            Err(Met::Busy) => {
                let values = set.values()?;
                comer.lower_mark(set, &values)?;
                // (It may be free again by now.)
                if values.taken(semaphore) || values.of(LAYOUT) == comer.hash {
                    Err(Met::Busy)
                } else {
                    comer.take_beside(set, &values, since)
                }
            }
            done => done,
        };
        match done {
            Err(Met::Busy) => match taken_by(set, semaphore, since)? {
                Taken::Again => return Err(Met::Busy),
                Taken::Stuck => return set.remove().and(Err(Met::Gone)),
                Taken::By(pid) => return Err(Error::SeatTaken { at: key.place(), role, pid }.into()),
            },
            Err(failed @ Met::Failed(_)) => {
                set.remove_if_unused();
                return Err(failed);
            }
            done => done?,
        }
        // From here on a drop gives it back.
        let mut ours =
            Self { set, comer, made: false, home: Home::here(), reseated: false, unsettled: comer.asks_none };
        ours.mark()?;
        ours.adopt_mode()?;
        Ok(ours)
    }

    /// What a newcomer notes down.
    fn mark(&self) -> Result<(), Met> {
        match self.comer.role {
            Role::Writer => self.set.put(OPEN, 1),
            // A writer that failed before we came is not ours to report.
            _ => self.try_forget_failure(),
        }
    }

    /// A set that was left over has the mode that somebody gave it once: too wide, it lets
    /// others in, and too narrow, it keeps the peer out. While the peer is seated it is as
    /// that one wants it.
    fn adopt_mode(&mut self) -> Result<(), Met> {
        let values = self.set.values()?;
        self.unsettled |= values.taken(MOVING) || values.of(LAYOUT) != self.comer.hash;
        let is_alone = values.of(WRITER) + values.of(READER) == 1;
        if is_alone && self.set.mode()? != for_its_owner(self.comer.mode) {
            match self.set.set_mode(self.comer.mode) {
                // Of another user's set (we came in by --trust-owner) the mode is theirs to give.
                Ok(()) | Err(Met::Failed(Error::Permission { .. })) => {}
                Err(met) => return Err(met),
            }
        }
        Ok(())
    }

    /// Permission bits of the set; `None`: it was removed, and the next look takes the seat in a new one.
    pub(super) fn mode(&self) -> Result<Option<u32>, Error> {
        match self.set.mode() {
            Ok(mode) => Ok(Some(mode)),
            Err(met) => met.unless_gone().map(|()| None),
        }
    }

    fn try_forget_failure(&self) -> Result<(), Met> {
        // Only while no writer is seated: else OPEN is about that one.
        match self.set.change(&mut [step(WRITER, 0, IPC_NOWAIT), step(OPEN, -1, IPC_NOWAIT)]) {
            Err(Met::Busy) => Ok(()),
            done => done,
        }
    }

    /// Pid of the process in the other seat; `None`: it can't be told.
    #[cfg(all(feature = "cli", not(model)))]
    pub(super) fn peer_pid(&self) -> Option<u32> {
        self.set.holder(number(peer(self.comer.role))).ok()
    }

    /// Forgets that a writer failed.
    pub(super) fn forget_failure(&self) -> Result<(), Error> {
        // A set that is gone has nothing to forget.
        self.try_forget_failure().or_else(Met::unless_gone)
    }

    /// Looks who is seated. If somebody removed the set, takes the seat anew
    /// in the next one.
    pub(super) fn observe(&mut self) -> Result<Seating, Error> {
        if !self.is_ours() {
            return Err(Error::SeatTaken { at: self.comer.key.place(), role: self.comer.role, pid: self.home.pid() });
        }
        for _ in 0..ATTEMPTS {
            match self.set.values() {
                // (A seat at 0 under us: somebody set it. It is taken anew, too.)
                Ok(values) if values.taken(number(self.comer.role)) => {
                    let marks = self.marks(&values);
                    let writer_failed = values.taken(OPEN) && !values.taken(WRITER);
                    let reseated = std::mem::take(&mut self.reseated);
                    let ended = values.taken(ENDED);
                    return Ok(Seating { peer_seated: marks.peer_seated, writer_failed, reseated, ended, marks });
                }
                Err(Met::Failed(error)) => return Err(error),
                Ok(_) | Err(Met::Gone | Met::Busy) => {
                    let anew = Self::take(self.comer)?;
                    // The old set is gone: there is nothing to give back.
                    self.set = anew.set;
                    std::mem::forget(anew);
                    self.made = false;
                    self.reseated = true;
                }
            }
        }
        Err(Error::Removed { key: self.comer.key.number() })
    }

    fn marks(&self, values: &Values) -> Marks {
        Marks {
            observers: values.of(OBSERVERS),
            looks: values.of(LOOKS),
            peer_seated: values.taken(number(peer(self.comer.role))),
        }
    }

    /// Whether nobody has come or gone since `marks` was seen.
    pub(super) fn is_unchanged(&self, marks: Marks) -> Result<bool, Error> {
        match self.set.values() {
            Ok(values) => Ok(self.marks(&values) == marks),
            Err(met) => met.unless_gone().map(|()| false),
        }
    }

    /// Runs `create` while nobody else of ours makes or judges memory at the key, and no observer comes.
    pub(super) fn locked<T>(&mut self, create: impl FnOnce(&Lock) -> Result<T, Error>) -> Result<T, Error> {
        let mut started = now();
        loop {
            match try_lock(self.set, self.comer.key, started)? {
                Tried::Locked => {
                    let lock = Lock::new(self.set, self.comer, self.made);
                    let created = create(&lock);
                    self.made = lock.has_made();
                    return created;
                }
                // The next status check is to tell that the seat was taken anew.
                Tried::Gone => self.reseated = self.observe()?.reseated,
                Tried::Freed => {
                    self.reseated = self.observe()?.reseated;
                    started = now();
                }
                Tried::Again => {}
            }
        }
    }

    /// Gives the seat back, a writer's in order: one step lowers OPEN with it.
    pub(super) fn leave(self) -> Result<(), Error> {
        let seat = std::mem::ManuallyDrop::new(self);
        if !seat.is_ours() {
            return Ok(());
        }
        let given = seat.given();
        let done = match seat.comer.role {
            Role::Writer => match seat.set.change(&mut [&[step(OPEN, -1, IPC_NOWAIT)], &given[..]].concat()) {
                // Lowered by somebody who meddles: the seat is what counts.
                Err(Met::Busy) => seat.give_back(),
                done => done,
            },
            _ => seat.give_back(),
        };
        seat.set.remove_if_unused();
        done.or_else(Met::unless_gone)
    }

    /// Gives back the seat and what was taken with it.
    fn given(&self) -> Vec<libc::sembuf> {
        let Comer { role, asks_none, .. } = self.comer;
        let marks = [(asks_none, NONE_REQUESTED), (self.made, MADE)];
        let marks = marks.into_iter().filter(|(held, _)| *held).map(|(_, mark)| give(of(role, mark)));
        [give(number(role))].into_iter().chain(marks).collect()
    }

    fn give_back(&self) -> Result<(), Met> {
        match self.set.change(&mut self.given()) {
            // A mark was lowered by somebody who meddles: the seat is what counts.
            Err(Met::Busy) => self.set.change(&mut [give(number(self.comer.role))]),
            done => done,
        }
    }

    /// Waits until nobody is judging the slot that this side has made. A side that would put its own layout in its place
    /// looks for a message under the lock: it has either seen what was published before this, or has removed the slot by now.
    /// `has_end_beside`: so does a reader that forgets an end, and removes the memory behind it. `false`: neither can be.
    pub(super) fn await_move(&self, has_end_beside: bool) -> Result<bool, Error> {
        if !self.made && !has_end_beside {
            return Ok(false);
        }
        match self.set.change_within(&mut [step(LOCK, 0, 0)], LOCKED) {
            Err(Met::Failed(error)) => Err(error),
            // Its holder is stopped: what it will do can't be waited for.
            _ => Ok(true),
        }
    }

    /// Whether what this side has made was removed for another layout.
    pub(super) fn is_moving(&self) -> bool {
        self.made && self.set.values().is_ok_and(|values| values.taken(MOVING))
    }

    /// This side has the layout with this hash.
    pub(super) fn has_layout(&mut self, hash: u16) {
        self.comer.hash = hash;
    }

    /// Whether what the set says of layouts has to be [settled](Lock::settle).
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Tells the reader that the session has ended.
    pub(super) fn tell_end(&mut self) -> Result<(), Error> {
        match self.set.put(ENDED, 1) {
            // In the next set, if the reader has come to it.
            Err(Met::Gone) => {
                self.reseated |= self.observe()?.reseated;
                self.set.put(ENDED, 1).or_else(Met::unless_gone)
            }
            done => done.or_else(Met::unless_gone),
        }
    }

    /// The end was met.
    pub(super) fn forget_end(&self) {
        let _ = self.set.change(&mut [step(ENDED, -1, IPC_NOWAIT)]);
    }

    /// Not in a child that was forked: the seat is its parent's.
    fn is_ours(&self) -> bool {
        self.home == Home::here()
    }
}

impl Drop for Seat {
    /// Without a word to the reader: this is how a failure leaves.
    fn drop(&mut self) {
        if self.is_ours() {
            // The set may be gone; then so is the seat.
            let _ = self.give_back();
            self.set.remove_if_unused();
        }
    }
}
