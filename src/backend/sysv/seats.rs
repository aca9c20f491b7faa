//! Seats: who writes and who reads, kept by the kernel.
//!
//! A System V semaphore set at a key derived from the segment's. Every change
//! that a process must not outlive is made with `SEM_UNDO`, so the kernel takes
//! it back when the process dies, however it dies.
//!
//! ```text
//! no.  name    value                     changed with
//! ---  ------  ------------------------  ------------------------------------
//! 0    MAGIC   0 new, 21352 ours         semop, once, by whoever comes first
//! 1    LOCK    0 free, 1 taken           SEM_UNDO; held while memory is made
//! 2    WRITER  0 free, 1 taken           SEM_UNDO
//! 3    READER  0 free, 1 taken           SEM_UNDO
//! 4    OPEN    1 a writer was seated     SETVAL and semop, never undone:
//!              and has not left in       a free seat at 1 is a failed writer's
//!              order; else 0
//! ```
//!
//! A new set is all zero, which is a valid state: there is no moment at which
//! it is half made. A set that says nothing is of no use, so whoever leaves and
//! finds both seats free removes it; those who come meanwhile start over.

use super::ffi::{self, step};
use super::key::Key;
use super::segment::permission;
use crate::error::{Error, Limit, Object, Role};
use libc::{IPC_NOWAIT, SEM_UNDO};
use nix::errno::Errno;
use std::ffi::c_int;
use std::time::{Duration, Instant};

const MAGIC: u16 = 0;
const LOCK: u16 = 1;
const WRITER: u16 = 2;
const READER: u16 = 3;
const OPEN: u16 = 4;
const COUNT: usize = 5;

/// "Sh": what MAGIC holds in a set of ours.
const OURS: u16 = 0x5368;

/// How long a taken seat may be a leaver's last step.
const LEAVER: Duration = Duration::from_millis(100);

/// How long the creation lock may be held: it takes microseconds.
const LOCKED: Duration = Duration::from_secs(1);

/// Attempts at a set that keeps being removed under us.
const ATTEMPTS: usize = 1000;

/// A seat that is taken until it is given back or the process ends.
#[derive(Debug)]
pub(super) struct Seat {
    id: c_int,
    key: Key,
    role: Role,
    mode: u32,
    trust_owner: bool,
}

/// What the set says at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seating {
    pub(super) peer_seated: bool,
    pub(super) writer_failed: bool,
    /// The seat had to be taken anew.
    pub(super) reseated: bool,
}

/// What an observer sees of the seats.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
/// # let key = Key::new(std::process::id() << 8 | 19)?;
/// let writer = SysV::open(&Options::classic(key), Role::Writer)?;
/// let observer = Observer::open(key)?;
/// writer.segment().remove()?;
/// let seats = observer.seats().expect("the writer has one");
/// assert_eq!((seats.writer, seats.reader), (Some(std::process::id()), None));
/// # }
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
}

/// Looks at the seats of `key`, and changes nothing; `None`: there are none.
pub(crate) fn observe(key: Key) -> Result<Option<Seats>, Error> {
    let id = match ffi::semget(key.seats(), 0, 0) {
        Ok(id) => id,
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(failed("semget", key, errno)),
    };
    let foreign = Err(Error::ForeignSeats { key: key.number(), seats: key.seats() });
    match ffi::sem_stat(id) {
        Ok(stat) if usize::try_from(stat.sem_nsems) != Ok(COUNT) => return foreign,
        Err(errno) if is_gone(errno) => return Ok(None),
        Ok(_) => {}
        Err(errno) => return Err(failed("semctl(IPC_STAT)", key, errno)),
    }
    let values = match ffi::sem_values::<COUNT>(id) {
        Ok(values) => values,
        Err(errno) if is_gone(errno) => return Ok(None),
        Err(errno) => return Err(failed("semctl(GETALL)", key, errno)),
    };
    if values[usize::from(MAGIC)] != OURS {
        return foreign;
    }
    let taken = |seat: u16| (values[usize::from(seat)] != 0).then(|| ffi::sem_pid(id, seat).unwrap_or(0));
    let writer = taken(WRITER);
    let writer_failed = writer.is_none() && values[usize::from(OPEN)] != 0;
    Ok(Some(Seats { writer, reader: taken(READER), writer_failed }))
}

fn number(role: Role) -> u16 {
    match role {
        Role::Writer => WRITER,
        Role::Reader => READER,
        Role::Guest => unreachable!("a guest has no seat"),
    }
}

/// Free to taken, or EAGAIN.
fn take(semaphore: u16) -> [libc::sembuf; 2] {
    [step(semaphore, 0, IPC_NOWAIT), step(semaphore, 1, SEM_UNDO | IPC_NOWAIT)]
}

fn give(semaphore: u16) -> libc::sembuf {
    step(semaphore, -1, SEM_UNDO | IPC_NOWAIT)
}

/// The set is not there any more.
fn is_gone(errno: Errno) -> bool {
    matches!(errno, Errno::EIDRM | Errno::EINVAL)
}

impl Seat {
    /// Takes the seat of `role` at `key`; a set that is missing is made with
    /// the permission bits `mode`.
    pub(super) fn take(key: Key, role: Role, mode: u32, trust_owner: bool) -> Result<Self, Error> {
        let started = Instant::now();
        for _ in 0..ATTEMPTS {
            let Some(id) = find_or_make(key, mode, trust_owner)? else { continue };
            match ffi::semop(id, &mut take(number(role))) {
                Ok(()) => {
                    let seat = Self { id, key, role, mode, trust_owner };
                    seat.mark()?;
                    seat.adopt_mode();
                    return Ok(seat);
                }
                Err(Errno::EAGAIN) if started.elapsed() < LEAVER => std::thread::sleep(Duration::from_millis(1)),
                Err(Errno::EAGAIN) => {
                    let pid = ffi::sem_pid(id, number(role)).unwrap_or(0);
                    // The pid is the holder's only while the seat is taken.
                    match ffi::sem_values::<COUNT>(id) {
                        Ok(values) if values[usize::from(number(role))] != 0 => {
                            return Err(Error::SeatTaken { key: key.number(), role, pid });
                        }
                        _ => {}
                    }
                }
                Err(errno) if is_gone(errno) => {}
                Err(errno) => return Err(failed("semop", key, errno)),
            }
        }
        Err(Error::Os { call: "semop", on: on(key), errno: Errno::EIDRM })
    }

    /// What a newcomer notes down.
    fn mark(&self) -> Result<(), Error> {
        let done = match self.role {
            Role::Writer => ffi::sem_set(self.id, OPEN, 1),
            // A writer that failed before we came is not ours to report.
            _ => self.try_forget_failure(),
        };
        done.map_err(|errno| failed("semctl", self.key, errno))
    }

    /// A set that was left over has the mode that somebody gave it once: too wide, it lets
    /// others in, and too narrow, it keeps the peer out. While the peer is seated it is as
    /// that one wants it.
    fn adopt_mode(&self) {
        let is_alone = ffi::sem_values::<COUNT>(self.id)
            .is_ok_and(|values| values[usize::from(WRITER)] + values[usize::from(READER)] == 1);
        if is_alone && self.mode().is_ok_and(|mode| mode != self.mode & 0o777) {
            // Of another user's set (we came in by --trust-owner) the mode is theirs to give.
            let _ = ffi::sem_set_mode(self.id, self.mode);
        }
    }

    /// Permission bits of the set.
    pub(super) fn mode(&self) -> Result<u32, Error> {
        let stat = ffi::sem_stat(self.id).map_err(|errno| failed("semctl(IPC_STAT)", self.key, errno))?;
        #[allow(clippy::useless_conversion)] // other widths on other machines
        Ok(u32::from(stat.sem_perm.mode) & 0o777)
    }

    fn try_forget_failure(&self) -> Result<(), Errno> {
        // Only while no writer is seated: else OPEN is about that one.
        let mut steps = [step(WRITER, 0, IPC_NOWAIT), step(OPEN, -1, IPC_NOWAIT)];
        match ffi::semop(self.id, &mut steps) {
            Ok(()) | Err(Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Forgets that a writer failed.
    pub(super) fn forget_failure(&self) -> Result<(), Error> {
        match self.try_forget_failure() {
            // A set that is gone has nothing to forget.
            Ok(()) => Ok(()),
            Err(errno) if is_gone(errno) => Ok(()),
            Err(errno) => Err(failed("semop", self.key, errno)),
        }
    }

    /// Looks who is seated. If somebody removed the set, takes the seat anew
    /// in the next one.
    pub(super) fn look(&mut self) -> Result<Seating, Error> {
        let mut reseated = false;
        for _ in 0..ATTEMPTS {
            match ffi::sem_values::<COUNT>(self.id) {
                // (A seat at 0 under us: somebody set it. It is taken anew, too.)
                Ok(values) if values[usize::from(number(self.role))] != 0 => {
                    let taken = |semaphore: u16| values[usize::from(semaphore)] != 0;
                    return Ok(Seating {
                        peer_seated: taken(if self.role == Role::Writer { READER } else { WRITER }),
                        writer_failed: taken(OPEN) && !taken(WRITER),
                        reseated,
                    });
                }
                Err(errno) if !is_gone(errno) => return Err(failed("semctl(GETALL)", self.key, errno)),
                _ => {
                    let anew = Self::take(self.key, self.role, self.mode, self.trust_owner)?;
                    // The old set is gone: there is nothing to give back.
                    self.id = anew.id;
                    std::mem::forget(anew);
                    reseated = true;
                }
            }
        }
        Err(Error::Removed { key: self.key.number() })
    }

    /// Runs `create` while nobody else of ours makes or judges memory at the key.
    pub(super) fn locked<T>(&mut self, create: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let started = Instant::now();
        while let Some(left) = LOCKED.checked_sub(started.elapsed()) {
            let mut steps = [step(LOCK, 0, 0), step(LOCK, 1, SEM_UNDO)];
            match ffi::semtimedop(self.id, &mut steps, left) {
                Ok(()) => {
                    let created = create();
                    return match ffi::semop(self.id, &mut [give(LOCK)]) {
                        Err(errno) if !is_gone(errno) => Err(failed("semop", self.key, errno)),
                        _ => created,
                    };
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(errno) if is_gone(errno) => {
                    self.look()?;
                }
                Err(errno) => return Err(failed("semtimedop (creation lock)", self.key, errno)),
            }
        }
        // Its holder is stopped, or this is no lock of ours.
        Err(Error::Locked { key: self.key.number(), pid: ffi::sem_pid(self.id, LOCK).unwrap_or(0) })
    }

    /// Gives the seat back, a writer's in order: one step lowers OPEN with it.
    pub(super) fn leave(self) -> Result<(), Error> {
        let gave = match self.role {
            Role::Writer => {
                ffi::semop(self.id, &mut [step(OPEN, -1, IPC_NOWAIT), give(WRITER)])
                    // Lowered by somebody who meddles: the seat is what counts.
                    .or_else(|_| ffi::semop(self.id, &mut [give(WRITER)]))
            }
            role => ffi::semop(self.id, &mut [give(number(role))]),
        };
        remove_if_unused(self.id);
        let key = self.key;
        std::mem::forget(self);
        match gave {
            Err(errno) if !is_gone(errno) => Err(failed("semop", key, errno)),
            _ => Ok(()),
        }
    }
}

impl Drop for Seat {
    /// Without a word to the reader: this is how a failure leaves.
    fn drop(&mut self) {
        // The set may be gone; then so is the seat.
        let _ = ffi::semop(self.id, &mut [give(number(self.role))]);
        remove_if_unused(self.id);
    }
}

/// Both seats and the lock, taken so that nobody comes in; given back, and the set removed,
/// when this is dropped.
#[derive(Debug)]
pub(super) struct Closed {
    id: c_int,
}

impl Closed {
    /// Takes all three at once, or says who has one.
    pub(super) fn take(key: Key) -> Result<Self, Error> {
        let started = Instant::now();
        for _ in 0..ATTEMPTS {
            let Some(id) = find_or_make(key, 0o600, false)? else { continue };
            let mut steps: Vec<_> = [LOCK, WRITER, READER].into_iter().flat_map(take).collect();
            match ffi::semop(id, &mut steps) {
                Ok(()) => return Ok(Self { id }),
                Err(Errno::EAGAIN) if started.elapsed() < LEAVER => std::thread::sleep(Duration::from_millis(1)),
                Err(Errno::EAGAIN) => {
                    let values = ffi::sem_values::<COUNT>(id).unwrap_or_default();
                    let pid = |semaphore| ffi::sem_pid(id, semaphore).unwrap_or(0);
                    for (semaphore, role) in [(WRITER, Role::Writer), (READER, Role::Reader)] {
                        if values[usize::from(semaphore)] != 0 {
                            return Err(Error::SeatTaken { key: key.number(), role, pid: pid(semaphore) });
                        }
                    }
                    if values[usize::from(LOCK)] != 0 && started.elapsed() > LOCKED {
                        return Err(Error::Locked { key: key.number(), pid: pid(LOCK) });
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(errno) if is_gone(errno) => {}
                Err(errno) => return Err(failed("semop", key, errno)),
            }
        }
        Err(Error::Locked { key: key.number(), pid: 0 })
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        // One that can't be removed is somebody else's, or gone; then the seats are given back.
        if ffi::sem_remove(self.id).is_err() {
            let _ = ffi::semop(self.id, &mut [give(LOCK), give(WRITER), give(READER)]);
        }
    }
}

/// Removes the set if nobody is seated. Both seats are held over the removal,
/// so that nobody takes one in a set that is about to go.
fn remove_if_unused(id: c_int) {
    let [w0, w1] = take(WRITER);
    let [r0, r1] = take(READER);
    let unlocked = step(LOCK, 0, IPC_NOWAIT);
    if ffi::semop(id, &mut [unlocked, w0, w1, r0, r1]).is_ok() && ffi::sem_remove(id).is_err() {
        // Somebody else's set (we came in by --trust-owner): it stays.
        let _ = ffi::semop(id, &mut [give(WRITER), give(READER)]);
    }
}

/// The id of the set; `None`: it went meanwhile.
fn find_or_make(key: Key, mode: u32, trust_owner: bool) -> Result<Option<c_int>, Error> {
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | (mode & 0o777).cast_signed();
    let id = match ffi::semget(key.seats(), 0, 0) {
        Ok(id) => id,
        Err(Errno::ENOENT) => match ffi::semget(key.seats(), 5, flags) {
            Ok(id) => id,
            Err(Errno::EEXIST) => return Ok(None),
            Err(Errno::ENOSPC) => {
                return Err(Error::Limit { key: key.number(), object: Object::Seats, limit: Limit::Sem });
            }
            Err(errno) => return Err(failed("semget", key, errno)),
        },
        Err(errno) => return Err(failed("semget", key, errno)),
    };
    let foreign = Err(Error::ForeignSeats { key: key.number(), seats: key.seats() });
    let stat = match ffi::sem_stat(id) {
        Ok(stat) => stat,
        Err(errno) if is_gone(errno) => return Ok(None),
        Err(errno) => return Err(failed("semctl(IPC_STAT)", key, errno)),
    };
    if usize::try_from(stat.sem_nsems) != Ok(COUNT) {
        return foreign;
    }
    let values = match ffi::sem_values::<COUNT>(id) {
        Ok(values) => values,
        Err(errno) if is_gone(errno) => return Ok(None),
        Err(errno) => return Err(failed("semctl(GETALL)", key, errno)),
    };
    match values[usize::from(MAGIC)] {
        OURS => {}
        // New, by whoever made it: no semop was ever done on it.
        0 if stat.sem_otime == 0 && values == [0; COUNT] => {}
        0 | 1.. => return foreign,
    }
    let (uid, creator) = (stat.sem_perm.uid, stat.sem_perm.cuid);
    let me = nix::unistd::geteuid().as_raw();
    if !trust_owner && (uid != me || creator != me) {
        return Err(Error::OtherOwner { key: key.number(), object: Object::Seats, uid, creator });
    }
    if values[usize::from(MAGIC)] == 0 {
        let ours = i16::try_from(OURS).expect("below SEMVMX");
        match ffi::semop(id, &mut [step(MAGIC, 0, IPC_NOWAIT), step(MAGIC, ours, IPC_NOWAIT)]) {
            // EAGAIN: another newcomer was faster.
            Ok(()) | Err(Errno::EAGAIN) => {}
            Err(errno) if is_gone(errno) => return Ok(None),
            Err(errno) => return Err(failed("semop", key, errno)),
        }
    }
    Ok(Some(id))
}

fn on(key: Key) -> String {
    format!("semaphore set of key {key}")
}

fn failed(call: &'static str, key: Key, errno: Errno) -> Error {
    match errno {
        Errno::EACCES | Errno::EPERM => permission(key, Object::Seats, key.seats()),
        Errno::ENOSPC => Error::Limit { key: key.number(), object: Object::Seats, limit: Limit::Sem },
        _ => Error::Os { call, on: on(key), errno },
    }
}
