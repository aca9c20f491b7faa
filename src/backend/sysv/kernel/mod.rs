//! The only door to the kernel. It has two faces of the same functions:
//!
//! | build | what stands behind the door |
//! | --- | --- |
//! | ordinary | `linux`: the system calls |
//! | `--cfg loom`, `--cfg shuttle` | `simulated`: a kernel in memory, whose rules are numbered and checked against the real one |
//!
//! So the code above the door is the code that the model checkers run. A function that is a
//! failpoint of the crash tests is declared here, once for both faces.

#[cfg(all(test, not(model)))]
mod conformance;
#[cfg(not(model))]
mod linux;
pub(crate) mod rows;
#[cfg(model)]
pub mod simulated;
#[cfg(all(test, not(model)))]
#[allow(dead_code, unused_imports, reason = "the suite of its rules uses a part")]
mod simulated;

#[cfg(not(model))]
use linux as face;
#[cfg(model)]
use simulated::face;

pub use face::Home;
#[cfg(not(model))]
pub(crate) use face::LAST_ATTACHMENT;
#[cfg(not(model))]
pub(super) use face::futex_try;
pub(super) use face::{
    Attachment, be_fenced, geteuid, no_fork_during, now, random, sem_pid, sem_stat, shm_stat, shmmni, sleep,
};
pub(crate) use face::{proc, removes_unattached};

use crate::failpoint::failpoint;
use crate::sync::AtomicU32;
use libc::sembuf;
use nix::errno::Errno;
use std::ffi::c_int;
use std::time::{Duration, Instant};

/// The id of the segment at `key`, made of `size` bytes where `flags` say so.
pub(super) fn shmget(key: u32, size: usize, flags: c_int) -> Result<c_int, Errno> {
    let _window = failpoint("shmget");
    face::shmget(key, size, flags)
}

/// Attaches segment `id` wherever there is room; `flags`: 0, or `SHM_RDONLY`.
pub(super) fn shmat(id: c_int, flags: c_int) -> Result<Attachment, Errno> {
    let _window = failpoint("shmat");
    face::shmat(id, flags)
}

/// Detaches what [`shmat`] gave.
///
/// # Safety
/// It is attached, and nothing refers to what lies there any more.
pub(super) unsafe fn shmdt(attachment: &Attachment) -> Result<(), Errno> {
    let _window = failpoint("shmdt");
    // SAFETY: the caller's promise.
    unsafe { face::shmdt(attachment) }
}

pub(super) fn shm_remove(id: c_int) -> Result<(), Errno> {
    let _window = failpoint("removing the segment");
    face::shm_remove(id)
}

pub(super) fn semget(key: u32, count: u16, flags: c_int) -> Result<c_int, Errno> {
    let _window = failpoint("semget");
    face::semget(key, count, flags)
}

/// One step of a semaphore operation.
pub(super) fn step(number: u16, change: i16, flags: c_int) -> sembuf {
    let flags = i16::try_from(flags).expect("the flags are a few low bits");
    sembuf { sem_num: number, sem_op: change, sem_flg: flags }
}

/// All `steps` or none.
pub(super) fn semop(id: c_int, steps: &mut [sembuf]) -> Result<(), Errno> {
    let _window = failpoint("semop");
    face::semop(id, steps)
}

/// As [`semop`], waiting for `longest` at most (then EAGAIN).
pub(super) fn semtimedop(id: c_int, steps: &mut [sembuf], longest: Duration) -> Result<(), Errno> {
    let _window = failpoint("taking the creation lock");
    face::semtimedop(id, steps, longest)
}

/// All values of a set of exactly `N` semaphores.
pub(super) fn sem_values<const N: usize>(id: c_int) -> Result<[u16; N], Errno> {
    // A foreign set may be larger than ours: GETALL would write beyond.
    if sem_stat(id)?.semaphores != N {
        return Err(Errno::EINVAL);
    }
    let mut values = [0; N];
    // SAFETY: the id names a set of N semaphores for as long as it exists (ids
    // carry a sequence number; a new set at the key gets another id).
    unsafe { face::sem_values(id, &mut values)? };
    Ok(values)
}

pub(super) fn sem_set(id: c_int, number: u16, value: c_int) -> Result<(), Errno> {
    let _window = failpoint("semctl(SETVAL)");
    face::sem_set(id, number, value)
}

/// Gives the set the permission bits `mode`, and leaves it to its owner.
pub(super) fn sem_set_mode(id: c_int, mode: u32) -> Result<(), Errno> {
    let stat = sem_stat(id)?;
    face::sem_chown(id, stat.uid, stat.gid, mode)
}

/// Makes the set this user's, with the permission bits `mode`: what its owner and its maker may do
/// whatever its mode is.
pub(super) fn sem_own(id: c_int, mode: u32) -> Result<(), Errno> {
    face::sem_chown(id, geteuid(), face::getegid(), mode)
}

pub(super) fn sem_remove(id: c_int) -> Result<(), Errno> {
    let _window = failpoint("removing the semaphore set");
    face::sem_remove(id)
}

/// A full fence in every thread that runs at this moment, of all processes that asked
/// for it; one that does not run has had its fence from the scheduler.
pub(super) fn heavy_fence() -> bool {
    let _window = failpoint("membarrier");
    face::heavy_fence()
}

/// Sleeps while the word is `expected`, for `longest` at most. Not private to this
/// process: a peer wakes us.
pub(super) fn futex_wait(word: &AtomicU32, expected: u32, longest: Duration) {
    let _window = failpoint("falling asleep");
    face::futex_wait(word, expected, longest);
}

/// Wakes one that sleeps on the word; whether there was one.
pub(super) fn futex_wake(word: &AtomicU32) -> bool {
    let _window = failpoint("waking");
    face::futex_wake(word)
}

/// The time that has passed since then.
pub(super) fn since(then: Instant) -> Duration {
    now().saturating_duration_since(then)
}
