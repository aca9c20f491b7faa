//! The real kernel: each function turns -1 into an [`Errno`] and keeps what the call demands in its
//! signature.

mod forks;
pub(crate) mod proc;

use super::rows::{SetStat, Stat};
use crate::backend::memory::mapped::{Mapped, Shape};
use crate::backend::memory::{Payload, header};
use crate::sync::{AtomicU32, AtomicU64};
pub use forks::Home;
pub(in crate::backend::sysv) use forks::none_during as no_fork_during;
use nix::errno::Errno;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// Where a segment is attached.
#[derive(Debug)]
pub(in crate::backend::sysv) struct Attachment(NonNull<u8>);

impl Attachment {
    /// Its address.
    pub(in crate::backend::sysv) fn address(&self) -> NonNull<u8> {
        self.0
    }

    /// The 32-bit word at `offset`.
    ///
    /// # Safety
    /// It is attached for as long as it is borrowed, the word is within it and aligned, and all access in this
    /// process is by atomics of this size or `Payload`s. (Other processes are outside Rust's memory model, and an
    /// atomic of one size is what is defined whatever they do.)
    pub(in crate::backend::sysv) unsafe fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the caller's promise.
        unsafe { AtomicU32::from_ptr(self.0.as_ptr().add(offset).cast()) }
    }

    /// The 32 bits at `offset`, which can be half of a 64-bit word.
    ///
    /// # Safety
    /// As for [`word`](Self::word), and nobody else reaches them.
    pub(in crate::backend::sysv) unsafe fn bits(&self, offset: usize) -> u32 {
        // SAFETY: the caller's promise.
        header::get(unsafe { self.word(offset) })
    }

    /// The 64-bit word at `offset`.
    ///
    /// # Safety
    /// As for [`word`](Self::word).
    pub(in crate::backend::sysv) unsafe fn double_word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the caller's promise.
        unsafe { AtomicU64::from_ptr(self.0.as_ptr().add(offset).cast()) }
    }

    /// The `len` bytes at `offset`.
    ///
    /// # Safety
    /// As for [`word`](Self::word).
    pub(in crate::backend::sysv) unsafe fn payload(&self, offset: usize, len: usize) -> Payload<'_> {
        // SAFETY: the caller's promise.
        unsafe { Payload::from_raw(self.0.as_ptr().add(offset), len) }
    }

    /// The places of what it is taken for, bound to nothing else.
    ///
    /// # Safety
    /// So many bytes are attached, and stay so for as long as what is returned and its views are used.
    pub(in crate::backend::sysv) unsafe fn views<'a>(
        &self,
        size: usize,
        shape: Shape<'a>,
        reachable: bool,
    ) -> Mapped<'a> {
        // SAFETY: attached, so page-aligned; the rest is the caller's promise.
        unsafe { Mapped::new(self.0, size, shape, reachable) }
    }

    /// Leaves it, of `size` bytes, out of the children that we fork: each would count as attached, as a C program
    /// does.
    pub(in crate::backend::sysv) fn keep_from_children(&self, size: usize) {
        // SAFETY: advice on what is attached there, and heeded by fork alone. One that is refused
        // makes no difference to this process.
        let _ = unsafe { libc::madvise(self.0.as_ptr().cast(), size, libc::MADV_DONTFORK) };
    }
}

/// Bit in the mode of a segment that is removed and still attached.
const SHM_DEST: u32 = 0o1000;

pub(super) fn shmget(key: u32, size: usize, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::shmget(key.cast_signed(), size, flags) })
}

/// Attaches segment `id` wherever there is room; `flags`: 0, or `SHM_RDONLY`.
pub(super) fn shmat(id: c_int, flags: c_int) -> Result<Attachment, Errno> {
    // SAFETY: with a null address the kernel chooses a free range: nothing that
    // is mapped is touched.
    let address = Errno::result(unsafe { libc::shmat(id, std::ptr::null(), flags) })?;
    NonNull::new(address.cast()).map(Attachment).ok_or(Errno::EFAULT)
}

/// Detaches what [`shmat`] gave.
///
/// # Safety
/// It is attached, and nothing refers to what lies there any more.
pub(super) unsafe fn shmdt(attachment: &Attachment) -> Result<(), Errno> {
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::shmdt(attachment.0.as_ptr().cast()) }).map(drop)
}

pub(in crate::backend::sysv) fn shm_stat(id: c_int) -> Result<Stat, Errno> {
    let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `shmid_ds` at most, and there is room for it.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) })?;
    // SAFETY: zeroed and then filled; any bits are a valid `shmid_ds`.
    let raw = unsafe { stat.assume_init() };
    let mode = u32::from(raw.shm_perm.mode);
    let pid = |pid: libc::pid_t| u32::try_from(pid).unwrap_or(0);
    Ok(Stat {
        size: raw.shm_segsz,
        mode: mode & 0o777,
        uid: raw.shm_perm.uid,
        creator_uid: raw.shm_perm.cuid,
        attached: usize::try_from(raw.shm_nattch).unwrap_or(usize::MAX),
        creator_pid: pid(raw.shm_cpid),
        last_pid: pid(raw.shm_lpid),
        removed: mode & SHM_DEST != 0,
    })
}

pub(super) fn shm_remove(id: c_int) -> Result<(), Errno> {
    // SAFETY: IPC_RMID takes no buffer; those attached keep their memory.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

pub(super) fn semget(key: u32, count: u16, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::semget(key.cast_signed(), c_int::from(count), flags) })
}

/// All `steps` or none.
pub(super) fn semop(id: c_int, steps: &mut [libc::sembuf]) -> Result<(), Errno> {
    // SAFETY: the pointer and the count are those of one slice.
    Errno::result(unsafe { libc::semop(id, steps.as_mut_ptr(), steps.len()) }).map(drop)
}

unsafe extern "C" {
    /// The C library's, which the crate `libc` does not declare for Linux.
    #[link_name = "semtimedop"]
    fn libc_semtimedop(id: c_int, steps: *mut libc::sembuf, count: usize, limit: *const libc::timespec) -> c_int;
}

/// As [`semop`], waiting for `longest` at most (then EAGAIN).
pub(super) fn semtimedop(id: c_int, steps: &mut [libc::sembuf], longest: Duration) -> Result<(), Errno> {
    let limit = libc::timespec {
        tv_sec: libc::time_t::try_from(longest.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(longest.subsec_nanos().cast_signed()),
    };
    // SAFETY: pointer and count are one slice's; the kernel only reads `limit`.
    Errno::result(unsafe { libc_semtimedop(id, steps.as_mut_ptr(), steps.len(), &raw const limit) }).map(drop)
}

pub(in crate::backend::sysv) fn sem_stat(id: c_int) -> Result<SetStat, Errno> {
    let mut stat = MaybeUninit::<libc::semid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `semid_ds` at most, and there is room for it.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
    // SAFETY: zeroed and then filled; any bits are a valid `semid_ds`.
    let raw = unsafe { stat.assume_init() };
    #[allow(clippy::useless_conversion)] // other widths on other machines
    let mode = u32::from(raw.sem_perm.mode);
    Ok(SetStat {
        semaphores: usize::try_from(raw.sem_nsems).unwrap_or(usize::MAX),
        untouched: raw.sem_otime == 0,
        uid: raw.sem_perm.uid,
        gid: raw.sem_perm.gid,
        creator_uid: raw.sem_perm.cuid,
        mode: mode & 0o777,
    })
}

/// All values of a set.
///
/// # Safety
/// The set has no more semaphores than `values` has room for.
pub(super) unsafe fn sem_values(id: c_int, values: &mut [u16]) -> Result<(), Errno> {
    // SAFETY: GETALL writes as many numbers as the set has: the caller's promise.
    Errno::result(unsafe { libc::semctl(id, 0, libc::GETALL, values.as_mut_ptr()) }).map(drop)
}

/// Pid of the last process that changed the semaphore; 0: not of our namespace.
pub(in crate::backend::sysv) fn sem_pid(id: c_int, number: u16) -> Result<u32, Errno> {
    // SAFETY: GETPID takes no buffer.
    let pid = Errno::result(unsafe { libc::semctl(id, c_int::from(number), libc::GETPID) })?;
    Ok(u32::try_from(pid).unwrap_or(0))
}

pub(super) fn sem_set(id: c_int, number: u16, value: c_int) -> Result<(), Errno> {
    // SAFETY: SETVAL takes an int, no buffer.
    Errno::result(unsafe { libc::semctl(id, c_int::from(number), libc::SETVAL, value) }).map(drop)
}

/// Gives the set another owner and permission bits. Its creator stays.
pub(super) fn sem_chown(id: c_int, uid: u32, gid: u32, mode: u32) -> Result<(), Errno> {
    // SAFETY: any bits are a valid `semid_ds`.
    let mut stat = unsafe { MaybeUninit::<libc::semid_ds>::zeroed().assume_init() };
    stat.sem_perm.uid = uid;
    stat.sem_perm.gid = gid;
    stat.sem_perm.mode = (mode & 0o777) as _;
    // SAFETY: IPC_SET reads one `semid_ds`, and takes owner, group and mode from it alone.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_SET, &raw mut stat) }).map(drop)
}

pub(super) fn sem_remove(id: c_int) -> Result<(), Errno> {
    // SAFETY: IPC_RMID takes no buffer.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_RMID) }).map(drop)
}

/// From now on `heavy_fence`, of whatever process, reaches this one; whether that
/// can be had.
pub(in crate::backend::sysv) fn be_fenced() -> bool {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
}

/// A full fence in every thread that runs at this moment, of all processes that asked
/// for it; one that does not run has had its fence from the scheduler.
pub(super) fn heavy_fence() -> bool {
    membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED)
}

/// Old kernels do not have it, and a sandbox can refuse it.
fn membarrier(command: c_int) -> bool {
    // SAFETY: takes numbers alone.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Sleeps while the word is `expected`, for `longest` at most. Not private to this
/// process: a peer wakes us.
pub(super) fn futex_wait(word: &AtomicU32, expected: u32, longest: Duration) {
    let limit = libc::timespec {
        tv_sec: libc::time_t::try_from(longest.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(longest.subsec_nanos().cast_signed()),
    };
    // SAFETY: the kernel only reads the word, which is there as long as it is
    // borrowed, and `limit`. That it fails (woken, changed, timed out, a signal)
    // makes no difference: the caller looks again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const limit) };
}

/// Whether there are futexes: wakes nobody.
pub(in crate::backend::sysv) fn futex_try() -> Result<(), Errno> {
    let word = 0_u32;
    // SAFETY: the kernel uses the address alone, and nobody sleeps there.
    Errno::result(unsafe { libc::syscall(libc::SYS_futex, &raw const word, libc::FUTEX_WAKE, 1) }).map(drop)
}

/// Wakes one that sleeps on the word; whether there was one.
pub(super) fn futex_wake(word: &AtomicU32) -> bool {
    // SAFETY: the kernel uses the address alone.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) > 0 }
}

/// The user that the kernel asks for permissions.
pub(in crate::backend::sysv) fn geteuid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

pub(super) fn getegid() -> u32 {
    nix::unistd::getegid().as_raw()
}

/// The present moment.
pub(in crate::backend::sysv) fn now() -> Instant {
    Instant::now()
}

/// A number that no other call has given, here or in another process: of the system's randomness, which hashes
/// the process and the moment.
pub(in crate::backend::sysv) fn random() -> u64 {
    use std::hash::BuildHasher;
    // A forked child has its parent's keys, and another pid.
    std::hash::RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now()))
}

/// Sleeps for so long.
pub(in crate::backend::sysv) fn sleep(longest: Duration) {
    std::thread::sleep(longest);
}

/// How many segments there may be.
pub(in crate::backend::sysv) fn shmmni() -> Option<usize> {
    std::fs::read_to_string("/proc/sys/kernel/shmmni").ok()?.trim().parse().ok()
}

/// Says whether memory goes with its last attachment: proc(5).
pub(crate) const LAST_ATTACHMENT: &str = "/proc/sys/kernel/shm_rmid_forced";

/// Whether the kernel removes every segment of this IPC namespace with its last attachment, as
/// proc(5) says of this file. Where it can't be read, it is taken for the default.
pub(crate) fn removes_unattached() -> bool {
    std::fs::read_to_string(LAST_ATTACHMENT).is_ok_and(|value| value.trim() == "1")
}
