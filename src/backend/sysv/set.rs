//! The semaphore set of a key: found or made, and every call on it.
//!
//! It lies at a key derived from the segment's. Every change that a process must
//! not outlive is made with `SEM_UNDO`, so the kernel takes it back when the
//! process dies, however it dies.
//!
//! ```text
//! no.    name            value                     changed with
//! -----  --------------  ------------------------  ----------------------------------
//! 0      MAGIC           0 new, 21298 ours         semop, once, by the first newcomer
//! 1      LOCK            0 free, 1 taken           SEM_UNDO; held while memory is made
//! 2      WRITER          0 free, 1 taken           SEM_UNDO
//! 3      READER          0 free, 1 taken           SEM_UNDO
//! 4      OPEN            1 a writer was seated     SETVAL and semop, never undone:
//!                        and has not left in       a free seat at 1 is a failed
//!                        order; else 0             writer's
//! 5      OBSERVERS       attachments of theirs     SEM_UNDO; of one that attaches 2,
//!                        that may be counted       then 1 until it has detached
//! 6      ENDED           1: the end of a session   SETVAL by the writer, semop by the
//!                        of records was told, and  reader that meets it; SETVAL by a side
//!                        not met                   that comes and makes the memory
//! 7      MOVING          1: a slot that a side     SETVAL by the side that removes it,
//!                        without a wish has made   by the side that has come over, and
//!                        is removed for another    by one that comes and finds no move:
//!                        layout                    all under the lock
//! 8, 9   NONE_REQUESTED  the writer, the reader    SEM_UNDO, with the seat
//!                        has asked for no layout
//! 10, 11 MADE            the writer, the reader    SEM_UNDO, under the lock
//!                        asked for no layout, and
//!                        has made the slot
//! 12     LAYOUT          0: a slot or a ring;      semop with a seat, while the other
//!                        else the hash of the      one is free; SETVAL under the lock
//!                        declared layout           by a side that comes beside another
//! 13     LOOKS           how often an observer     semop; begins again at 0 behind
//!                        has come                  32767
//! ```
//!
//! A new set is all zero, which is a valid state: there is no moment at which it
//! is half made. A set that says nothing is of no use, so the side that leaves and
//! finds both seats free removes it; those who come meanwhile start over.

use super::errno::{Needs, no_set, refused, set_limit, set_of};
use super::kernel::{self, geteuid, now, proc, since, step};
use super::key::Key;
use crate::error::{Error, Limit, Object};
use libc::{IPC_NOWAIT, SEM_UNDO};
use nix::errno::Errno;
use std::ffi::c_int;
use std::time::Duration;

const MAGIC: u16 = 0;
pub(super) const LOCK: u16 = 1;
pub(super) const WRITER: u16 = 2;
pub(super) const READER: u16 = 3;
pub(super) const OPEN: u16 = 4;
pub(super) const OBSERVERS: u16 = 5;
pub(super) const ENDED: u16 = 6;
pub(super) const MOVING: u16 = 7;
/// Of the writer, as the next one here; the reader's are one further.
pub(super) const NONE_REQUESTED: u16 = 8;
pub(super) const MADE: u16 = 10;
pub(super) const LAYOUT: u16 = 12;
pub(super) const LOOKS: u16 = 13;
/// How many there are.
pub(crate) const COUNT: u16 = 14;
const SEMAPHORES: usize = COUNT as usize;

/// The most steps that are made at once, which SEMOPM has to allow.
pub(crate) const MOST_STEPS: usize = 8;

/// "S2": what MAGIC holds in a set of ours.
const OURS: u16 = 0x5332;

/// A semaphore's largest value (SEMVMX).
pub(super) const MOST: i16 = 32_767;

/// The sets of version 1: fewer semaphores, in the same places.
const OLD_SEMAPHORES: usize = 5;
const OLD_OURS: u16 = 0x5368;

/// The versions of the set, as they are told to users.
const VERSION: u32 = 2;
const OLD_VERSION: u32 = 1;

/// Why a call on a set did nothing.
#[derive(Debug)]
pub(super) enum Met {
    /// The set was removed: what was to be done is done in the next one, or need not be done.
    Gone,
    /// A step would have had to wait, or to wait longer.
    Busy,
    Failed(Error),
}

impl From<Error> for Met {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Met {
    /// For a side that needs nothing of a set that is gone.
    pub(super) fn unless_gone(self) -> Result<(), Error> {
        match self {
            Self::Gone | Self::Busy => Ok(()),
            Self::Failed(error) => Err(error),
        }
    }
}

/// All values of a set at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Values([u16; SEMAPHORES]);

impl Values {
    pub(super) fn of(&self, semaphore: u16) -> u16 {
        self.0[usize::from(semaphore)]
    }

    pub(super) fn taken(&self, semaphore: u16) -> bool {
        self.of(semaphore) != 0
    }
}

/// A set, by the number that the kernel gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set {
    id: c_int,
    key: Key,
}

/// What was found at the seats' key.
struct Found {
    set: Set,
    shape: Shape,
    uid: u32,
    creator: u32,
    mode: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Ours,
    /// New, by whichever newcomer made it: nothing was ever done to it.
    New,
    /// Of version 1.
    Old,
    Foreign,
}

impl Set {
    /// The set of `key`, made with the permission bits `mode` where there is none.
    pub(super) fn find_or_make(key: Key, mode: u32, trust_owner: bool) -> Result<Self, Met> {
        let mode = for_its_owner(mode);
        let Some(id) = look_up(key)? else {
            let flags = libc::IPC_CREAT | libc::IPC_EXCL | mode.cast_signed();
            return match kernel::semget(key.seats(), COUNT, flags) {
                // The next look finds it, or what came before it.
                Ok(_) | Err(Errno::EEXIST) => Err(Met::Gone),
                Err(errno) => Err(no_set(key, errno).into()),
            };
        };
        let me = geteuid();
        let Found { set, shape, uid, creator, mode: found_mode } = match Found::at(id, key) {
            Err(Met::Failed(Error::Permission { .. })) => Found::of_mine(id, key)?,
            found => found?,
        };
        if shape == Shape::Foreign {
            return Err(foreign(key).into());
        }
        if !trust_owner && (uid != me || creator != me) {
            return Err(Error::OtherOwner { key: key.number(), object: Object::Seats, uid, creator }.into());
        }
        // What its owner could not use is left over from a mode that some other program chose.
        if uid == me && for_its_owner(found_mode) != found_mode {
            set.set_mode(found_mode)?;
        }
        match shape {
            Shape::Old => set.remove_old(),
            Shape::New => {
                let ours = i16::try_from(OURS).expect("below SEMVMX");
                match set.change(&mut [step(MAGIC, 0, IPC_NOWAIT), step(MAGIC, ours, IPC_NOWAIT)]) {
                    // Busy: another newcomer was faster.
                    Ok(()) | Err(Met::Busy) => Ok(set),
                    Err(met) => {
                        if matches!(met, Met::Failed(_)) {
                            // Whoever has come to it meanwhile takes a seat in the next one.
                            let _ = set.remove();
                        }
                        Err(met)
                    }
                }
            }
            Shape::Ours | Shape::Foreign => Ok(set),
        }
    }

    /// The set of `key`, for looking at it alone; `None`: there is none, or nobody has come to it yet.
    pub(super) fn find(key: Key) -> Result<Option<Self>, Met> {
        let Some(id) = look_up(key)? else { return Ok(None) };
        let Found { set, shape, .. } = Found::at(id, key)?;
        match shape {
            Shape::Ours => Ok(Some(set)),
            Shape::New => Ok(None),
            Shape::Old => Err(set.old().into()),
            Shape::Foreign => Err(foreign(key).into()),
        }
    }

    /// All `steps` or none.
    pub(super) fn change(self, steps: &mut [libc::sembuf]) -> Result<(), Met> {
        debug_assert!(steps.len() <= MOST_STEPS, "the limit that doctor looks for");
        loop {
            match kernel::semop(self.id, steps) {
                Err(Errno::EINTR) => {}
                done => return done.map_err(|errno| self.met("semop", Needs::Permission, errno)),
            }
        }
    }

    /// As [`change`](Self::change), waiting for `longest` at most, then [`Met::Busy`].
    pub(super) fn change_within(self, steps: &mut [libc::sembuf], longest: Duration) -> Result<(), Met> {
        let started = now();
        loop {
            match kernel::semtimedop(self.id, steps, longest.saturating_sub(since(started))) {
                Err(Errno::EINTR) => {}
                done => return done.map_err(|errno| self.met("semtimedop", Needs::Permission, errno)),
            }
        }
    }

    pub(super) fn values(self) -> Result<Values, Met> {
        kernel::sem_values(self.id).map(Values).map_err(|errno| self.met("semctl(GETALL)", Needs::Permission, errno))
    }

    /// Sets a value whatever it was; takes nothing back at anybody's death.
    pub(super) fn put(self, semaphore: u16, value: c_int) -> Result<(), Met> {
        kernel::sem_set(self.id, semaphore, value).map_err(|errno| self.met("semctl(SETVAL)", Needs::Permission, errno))
    }

    /// Pid of the process that changed it last, which is the holder's only while the semaphore is taken;
    /// 0: of another pid namespace.
    pub(super) fn holder(self, semaphore: u16) -> Result<u32, Met> {
        kernel::sem_pid(self.id, semaphore).map_err(|errno| self.met("semctl(GETPID)", Needs::Permission, errno))
    }

    /// Permission bits.
    pub(super) fn mode(self) -> Result<u32, Met> {
        let stat = kernel::sem_stat(self.id).map_err(|errno| self.met("semctl(IPC_STAT)", Needs::Permission, errno))?;
        Ok(stat.mode)
    }

    /// Gives it permission bits with which its owner can use it.
    pub(super) fn set_mode(self, mode: u32) -> Result<(), Met> {
        kernel::sem_set_mode(self.id, for_its_owner(mode))
            .map_err(|errno| self.met("semctl(IPC_SET)", Needs::Ownership, errno))
    }

    pub(super) fn remove(self) -> Result<(), Met> {
        kernel::sem_remove(self.id).map_err(|errno| self.met("semctl(IPC_RMID)", Needs::Ownership, errno))
    }

    /// Takes the lock and both seats where nobody has one and no observer is there: nobody of ours comes
    /// in until [`open`](Self::open), or meets the set's removal.
    pub(super) fn close(self) -> Result<(), Met> {
        self.change(&mut closing())
    }

    /// Gives back what [`close`](Self::close) took.
    pub(super) fn open(self) {
        // What is gone needs no giving back, and what may not be changed could not have been taken.
        let _ = self.change(&mut [give(LOCK), give(WRITER), give(READER)]);
    }

    /// Removes it if nobody uses it. One that can't be removed is another user's (we came in by
    /// `trust_owner`), and stays.
    pub(super) fn remove_if_unused(self) {
        // (An end that nobody has met yet is of use to the next reader.)
        let [l0, l1, w0, w1, r0, r1, o] = closing();
        let mut steps: [_; MOST_STEPS] = [l0, l1, w0, w1, r0, r1, o, step(ENDED, 0, IPC_NOWAIT)];
        if self.change(&mut steps).is_ok() && self.remove().is_err() {
            self.open();
        }
    }

    /// A set of version 1 makes room for one of ours, if no program of that version uses it.
    fn remove_old(self) -> Result<Self, Met> {
        let mut steps = [take(LOCK), take(WRITER), take(READER)].concat();
        match self.change(&mut steps) {
            Ok(()) => {}
            Err(Met::Busy) => return Err(self.old().into()),
            Err(met) => return Err(met),
        }
        let removed = self.remove();
        if removed.is_err() {
            self.open();
        }
        removed.and(Err(Met::Gone))
    }

    fn old(self) -> Error {
        let seat = |semaphore| match kernel::sem_values::<OLD_SEMAPHORES>(self.id) {
            Ok(values) if values[usize::from(semaphore)] != 0 => kernel::sem_pid(self.id, semaphore).ok(),
            _ => None,
        };
        let pid = [WRITER, READER, LOCK].into_iter().find_map(seat);
        Error::OtherVersion { key: self.key.number(), found: OLD_VERSION, known: VERSION, pid }
    }

    /// The one place that decides what an errno of a call on a set means.
    fn met(self, call: &'static str, needs: Needs, errno: Errno) -> Met {
        match errno {
            // Removed while we waited, or before (a number is not given again).
            Errno::EIDRM | Errno::EINVAL => Met::Gone,
            // It would have to wait, or to go beyond the largest value.
            Errno::EAGAIN | Errno::ERANGE => Met::Busy,
            Errno::EACCES | Errno::EPERM => Met::Failed(refused(call, needs, self.key, Object::Seats, errno)),
            Errno::ENOSPC => Met::Failed(set_limit(self.key, Limit::Sem)),
            Errno::E2BIG => Met::Failed(set_limit(self.key, Limit::Semopm)),
            _ => Met::Failed(Error::Os { call, on: set_of(self.key), errno }),
        }
    }
}

impl Found {
    fn at(id: c_int, key: Key) -> Result<Self, Met> {
        let set = Set { id, key };
        let stat = kernel::sem_stat(id).map_err(|errno| set.met("semctl(IPC_STAT)", Needs::Permission, errno))?;
        let is_untouched = stat.untouched;
        let shape = match stat.semaphores {
            SEMAPHORES => match set.values()? {
                values if values.of(MAGIC) == OURS => Shape::Ours,
                Values(values) if is_untouched && values == [0; SEMAPHORES] => Shape::New,
                _ => Shape::Foreign,
            },
            OLD_SEMAPHORES => {
                let values = kernel::sem_values::<OLD_SEMAPHORES>(id);
                match values.map_err(|errno| set.met("semctl(GETALL)", Needs::Permission, errno))? {
                    [OLD_OURS, ..] => Shape::Old,
                    values if is_untouched && values == [0; OLD_SEMAPHORES] => Shape::Old,
                    _ => Shape::Foreign,
                }
            }
            _ => Shape::Foreign,
        };
        Ok(Self { set, shape, uid: stat.uid, creator: stat.creator_uid, mode: stat.mode })
    }

    /// One that may not be read, although it is this user's: made readable, and put back as it was if it
    /// turns out to be none of ours.
    fn of_mine(id: c_int, key: Key) -> Result<Self, Met> {
        let set = Set { id, key };
        let before = proc::sets().ok().and_then(|rows| rows.into_iter().find(|row| row.key == key.seats()));
        kernel::sem_own(id, 0o600).map_err(|errno| set.met("semctl(IPC_SET)", Needs::Ownership, errno))?;
        let found = Self::at(id, key)?;
        if let (Shape::Foreign, Some(before)) = (found.shape, before) {
            kernel::sem_set_mode(id, before.mode)
                .map_err(|errno| set.met("semctl(IPC_SET)", Needs::Ownership, errno))?;
        }
        Ok(found)
    }
}

fn look_up(key: Key) -> Result<Option<c_int>, Met> {
    match kernel::semget(key.seats(), 0, 0) {
        Ok(id) => Ok(Some(id)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(no_set(key, errno).into()),
    }
}

fn foreign(key: Key) -> Error {
    Error::ForeignSeats { key: key.number(), seats: key.seats() }
}

/// A set that its owner may not read or alter is of no use to anybody.
pub(super) fn for_its_owner(mode: u32) -> u32 {
    mode & 0o777 | 0o600
}

/// Takes the lock and both seats, where no observer is there.
fn closing() -> [libc::sembuf; 7] {
    let [l0, l1] = take(LOCK);
    let [w0, w1] = take(WRITER);
    let [r0, r1] = take(READER);
    [l0, l1, w0, w1, r0, r1, step(OBSERVERS, 0, IPC_NOWAIT)]
}

/// Free to taken, or [`Met::Busy`].
pub(super) fn take(semaphore: u16) -> [libc::sembuf; 2] {
    [step(semaphore, 0, IPC_NOWAIT), step(semaphore, 1, SEM_UNDO | IPC_NOWAIT)]
}

pub(super) fn give(semaphore: u16) -> libc::sembuf {
    give_some(semaphore, 1)
}

pub(super) fn give_some(semaphore: u16, count: i16) -> libc::sembuf {
    step(semaphore, -count, SEM_UNDO | IPC_NOWAIT)
}
