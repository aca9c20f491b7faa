//! The simulated face of the door: each call is a step of the kernel's, made by the process whose thread it is.

pub(in crate::backend::sysv) use super::memory::Attachment;

use super::memory::Memory;
use super::world::{Process, current};
use super::{Caller, Objects, Outcome};
pub(crate) use crate::backend::sysv::kernel::rows::Life;
use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, SetStat, Stat};
use crate::sync::{self, AtomicU32};
use libc::sembuf;
use nix::errno::Errno;
use std::ffi::c_int;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What making an object can meet.
const MAKING: &[Errno] = &[Errno::ENOSPC, Errno::ENOMEM];

/// What an operation on semaphores can meet.
const OPERATION: &[Errno] = &[Errno::ENOMEM];

type State = Objects<Arc<Memory>>;

/// What is done where a process unwinds, because it was killed or because the model has failed: nothing.
fn enter(name: &'static str, meets: &'static [Errno]) -> Result<(Process, bool), Errno> {
    if std::thread::panicking() {
        return Err(Errno::ECANCELED);
    }
    let me = current();
    let interrupted = me.enters(name, meets)?;
    Ok((me, interrupted))
}

/// A call that changes nothing.
fn look<T>(name: &'static str, look: impl FnOnce(&State, Caller) -> Result<T, Errno>) -> Result<T, Errno> {
    let (me, _) = enter(name, &[])?;
    let objects = me.kernel().objects();
    look(&objects, me.caller())
}

/// A call that changes an object, unless it fails.
fn change<T>(
    name: &'static str,
    meets: &'static [Errno],
    change: impl FnOnce(&mut State, Caller) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let (me, _) = enter(name, meets)?;
    let mut objects = me.kernel().objects();
    let changed = change(&mut objects, me.caller())?;
    me.kernel().changed(objects);
    Ok(changed)
}

pub(in super::super) fn shmget(key: u32, size: usize, flags: c_int) -> Result<c_int, Errno> {
    if flags & libc::IPC_CREAT == 0 {
        let (me, _) = enter("shmget", &[])?;
        return me.kernel().objects().shmget(me.caller(), key, size, flags, Memory::new);
    }
    change("shmget(IPC_CREAT)", MAKING, |objects, me| objects.shmget(me, key, size, flags, Memory::new))
}

pub(in super::super) fn shmat(id: c_int, flags: c_int) -> Result<Attachment, Errno> {
    let attached = change("shmat", &[Errno::ENOMEM], |objects, me| objects.shmat(me, id, flags));
    attached.map(|(number, memory)| Attachment { memory, number })
}

pub(in super::super) unsafe fn shmdt(attachment: &Attachment) -> Result<(), Errno> {
    change("shmdt", &[], |objects, me| objects.shmdt(me, attachment.number))
}

pub(in crate::backend::sysv) fn shm_stat(id: c_int) -> Result<Stat, Errno> {
    look("shmctl(IPC_STAT)", |objects, me| objects.shm_stat(me, id))
}

pub(in super::super) fn shm_remove(id: c_int) -> Result<(), Errno> {
    change("shmctl(IPC_RMID)", &[], |objects, me| objects.shm_remove(me, id))
}

pub(in super::super) fn semget(key: u32, count: u16, flags: c_int) -> Result<c_int, Errno> {
    if flags & libc::IPC_CREAT == 0 {
        let (me, _) = enter("semget", &[])?;
        return me.kernel().objects().semget(me.caller(), key, count, flags);
    }
    change("semget(IPC_CREAT)", MAKING, |objects, me| objects.semget(me, key, count, flags))
}

pub(in super::super) fn semop(id: c_int, steps: &mut [sembuf]) -> Result<(), Errno> {
    operate("semop", id, steps, None)
}

pub(in super::super) fn semtimedop(id: c_int, steps: &mut [sembuf], longest: Duration) -> Result<(), Errno> {
    operate("semtimedop", id, steps, Some(longest))
}

fn operate(name: &'static str, id: c_int, steps: &[sembuf], longest: Option<Duration>) -> Result<(), Errno> {
    let (me, interrupted) = enter(name, OPERATION)?;
    let mut objects = me.kernel().objects();
    let Outcome::Waits(ticket) = objects.semop(me.caller(), id, steps)? else {
        me.kernel().changed(objects);
        return Ok(());
    };
    loop {
        if interrupted {
            return objects.give_up(ticket).unwrap_or(Err(Errno::EINTR));
        }
        let is_over;
        (objects, is_over) = me.awaits_change(objects, longest);
        if let Some(done) = objects.woken(ticket) {
            return done;
        }
        if is_over {
            return objects.give_up(ticket).unwrap_or(Err(Errno::EAGAIN));
        }
    }
}

pub(in crate::backend::sysv) fn sem_stat(id: c_int) -> Result<SetStat, Errno> {
    look("semctl(IPC_STAT)", |objects, me| objects.sem_stat(me, id))
}

pub(in super::super) unsafe fn sem_values(id: c_int, values: &mut [u16]) -> Result<(), Errno> {
    values.copy_from_slice(&look("semctl(GETALL)", |objects, me| objects.sem_values(me, id))?);
    Ok(())
}

pub(in crate::backend::sysv) fn sem_pid(id: c_int, number: u16) -> Result<u32, Errno> {
    look("semctl(GETPID)", |objects, me| objects.sem_pid(me, id, number))
}

pub(in super::super) fn sem_set(id: c_int, number: u16, value: c_int) -> Result<(), Errno> {
    change("semctl(SETVAL)", &[], |objects, me| objects.sem_set(me, id, number, value))
}

pub(in super::super) fn sem_chown(id: c_int, uid: u32, gid: u32, mode: u32) -> Result<(), Errno> {
    change("semctl(IPC_SET)", &[], |objects, me| objects.sem_chown(me, id, uid, gid, mode))
}

pub(in super::super) fn sem_remove(id: c_int) -> Result<(), Errno> {
    change("semctl(IPC_RMID)", &[], |objects, me| objects.sem_remove(me, id))
}

/// The kernel makes no fences for others: each side has its own.
pub(in crate::backend::sysv) fn be_fenced() -> bool {
    false
}

pub(in super::super) fn heavy_fence() -> bool {
    false
}

pub(in super::super) fn futex_wait(word: &AtomicU32, expected: u32, _longest: Duration) {
    let Ok((me, interrupted)) = enter("futex(FUTEX_WAIT)", &[]) else { return };
    let mut beds = me.kernel().shared().beds.lock();
    if sync::as_the_kernel_sees(word) != expected {
        return;
    }
    if interrupted || me.has_news() {
        drop(beds);
        return sync::yield_now();
    }
    let bed = core::ptr::from_ref(word).addr();
    beds.push(bed);
    beds = me.sleeps(beds);
    if let Some(at) = beds.iter().position(|other| *other == bed) {
        beds.swap_remove(at);
    }
}

pub(in super::super) fn futex_wake(word: &AtomicU32) -> bool {
    let Ok((me, _)) = enter("futex(FUTEX_WAKE)", &[]) else { return false };
    let mut beds = me.kernel().shared().beds.lock();
    let before = beds.len();
    beds.retain(|bed| *bed != core::ptr::from_ref(word).addr());
    me.wakes_sleepers();
    beds.len() < before
}

/// The process that something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home(u32);

impl Home {
    /// This process; another one where it unwinds: nothing is its own any more.
    pub(in crate::backend::sysv) fn here() -> Self {
        Self(if std::thread::panicking() { 0 } else { current().pid() })
    }

    pub(in crate::backend::sysv) fn pid(self) -> u32 {
        self.0
    }
}

pub(in crate::backend::sysv) fn geteuid() -> u32 {
    current().caller().uid
}

pub(in super::super) fn getegid() -> u32 {
    current().caller().gid
}

/// No model depends on what it is, and what is random can't be replayed.
pub(in crate::backend::sysv) fn random() -> u64 {
    1
}

/// By the clock of the process.
pub(in crate::backend::sysv) fn now() -> Instant {
    current().now()
}

/// Lets the others have their turn.
pub(in crate::backend::sysv) fn sleep(longest: Duration) {
    let Ok((me, _)) = enter("sleep", &[]) else { return };
    me.lets_pass(longest);
    sync::yield_now();
}

#[allow(clippy::unnecessary_wraps, reason = "of one signature with the Linux face's")]
pub(in crate::backend::sysv) fn shmmni() -> Option<usize> {
    Some(current().kernel().objects().limits.shmmni)
}

pub(crate) fn removes_unattached() -> bool {
    look("shm_rmid_forced", |objects, _| Ok(objects.rmid_forced)).unwrap_or_default()
}

/// There is no fork.
pub(in crate::backend::sysv) fn no_fork_during<T>(attach: impl FnOnce() -> T) -> T {
    attach()
}

/// What `/proc` tells.
pub(crate) mod proc {
    pub(crate) use super::Life;
    use super::{SegmentRow, SetRow, current, io, look};

    pub(crate) fn segments() -> io::Result<Vec<SegmentRow>> {
        look("/proc/sysvipc/shm", |objects, _| Ok(objects.segments())).map_err(io::Error::from)
    }

    pub(crate) fn sets() -> io::Result<Vec<SetRow>> {
        look("/proc/sysvipc/sem", |objects, _| Ok(objects.sets())).map_err(io::Error::from)
    }

    pub(crate) fn life(pid: u32) -> Life {
        current().kernel().life(pid)
    }
}
