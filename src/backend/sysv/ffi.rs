//! The only door to the System V calls: each wrapper turns -1 into an
//! [`Errno`] and keeps what the call demands in its signature.

use crate::failpoint::failpoint;
use crate::sync::AtomicU32;
use nix::errno::Errno;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::time::Duration;

pub(super) use libc::{semid_ds, shmid_ds};

/// Bit in the mode of a segment that is removed and still attached.
pub(super) const SHM_DEST: u32 = 0o1000;

pub(super) fn shmget(key: u32, size: usize, flags: c_int) -> Result<c_int, Errno> {
    let _window = failpoint("shmget");
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::shmget(key.cast_signed(), size, flags) })
}

/// Attaches segment `id` wherever there is room; `flags`: 0, or `SHM_RDONLY`.
pub(super) fn shmat(id: c_int, flags: c_int) -> Result<NonNull<u8>, Errno> {
    let _window = failpoint("shmat");
    // SAFETY: with a null address the kernel chooses a free range: nothing that
    // is mapped is touched.
    let address = Errno::result(unsafe { libc::shmat(id, std::ptr::null(), flags) })?;
    NonNull::new(address.cast()).ok_or(Errno::EFAULT)
}

/// Leaves an attachment of `size` bytes out of the children that we fork: each would count as
/// attached, as a C program does.
pub(super) fn keep_from_children(address: NonNull<u8>, size: usize) {
    // SAFETY: advice on what is attached there, and heeded by fork alone. One that is refused
    // makes no difference to this process.
    let _ = unsafe { libc::madvise(address.as_ptr().cast(), size, libc::MADV_DONTFORK) };
}

/// Detaches what [`shmat`] gave.
///
/// # Safety
/// `address` comes from [`shmat`], is attached, and nothing refers to it any
/// more.
pub(super) unsafe fn shmdt(address: NonNull<u8>) -> Result<(), Errno> {
    let _window = failpoint("shmdt");
    // SAFETY: the caller's promise.
    Errno::result(unsafe { libc::shmdt(address.as_ptr().cast()) }).map(drop)
}

pub(super) fn shm_stat(id: c_int) -> Result<shmid_ds, Errno> {
    let mut stat = MaybeUninit::<shmid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `shmid_ds` at most, and there is room for it.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) })?;
    // SAFETY: zeroed and then filled; any bits are a valid `shmid_ds`.
    Ok(unsafe { stat.assume_init() })
}

pub(super) fn shm_remove(id: c_int) -> Result<(), Errno> {
    let _window = failpoint("removing the segment");
    // SAFETY: IPC_RMID takes no buffer; those attached keep their memory.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

pub(super) fn semget(key: u32, count: u16, flags: c_int) -> Result<c_int, Errno> {
    let _window = failpoint("semget");
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::semget(key.cast_signed(), c_int::from(count), flags) })
}

/// One step of a semaphore operation.
pub(super) fn step(number: u16, change: i16, flags: c_int) -> libc::sembuf {
    let flags = i16::try_from(flags).expect("the flags are a few low bits");
    libc::sembuf { sem_num: number, sem_op: change, sem_flg: flags }
}

/// All `steps` or none.
pub(super) fn semop(id: c_int, steps: &mut [libc::sembuf]) -> Result<(), Errno> {
    let _window = failpoint("semop");
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
    let _window = failpoint("taking the creation lock");
    let limit = libc::timespec {
        tv_sec: libc::time_t::try_from(longest.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(longest.subsec_nanos().cast_signed()),
    };
    // SAFETY: pointer and count are one slice's; the kernel only reads `limit`.
    Errno::result(unsafe { libc_semtimedop(id, steps.as_mut_ptr(), steps.len(), &raw const limit) }).map(drop)
}

pub(super) fn sem_stat(id: c_int) -> Result<semid_ds, Errno> {
    let mut stat = MaybeUninit::<semid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `semid_ds` at most, and there is room for it.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_STAT, stat.as_mut_ptr()) })?;
    // SAFETY: zeroed and then filled; any bits are a valid `semid_ds`.
    Ok(unsafe { stat.assume_init() })
}

/// All values of a set of exactly `N` semaphores.
pub(super) fn sem_values<const N: usize>(id: c_int) -> Result<[u16; N], Errno> {
    // A foreign set may be larger than ours: GETALL would write beyond.
    if usize::try_from(sem_stat(id)?.sem_nsems) != Ok(N) {
        return Err(Errno::EINVAL);
    }
    let mut values = [0_u16; N];
    // SAFETY: the id names a set of N semaphores for as long as it exists (ids
    // carry a sequence number; a new set at the key gets another id), and
    // GETALL writes N numbers.
    Errno::result(unsafe { libc::semctl(id, 0, libc::GETALL, values.as_mut_ptr()) })?;
    Ok(values)
}

/// Pid of the last process that changed the semaphore; 0: not of our namespace.
pub(super) fn sem_pid(id: c_int, number: u16) -> Result<u32, Errno> {
    // SAFETY: GETPID takes no buffer.
    let pid = Errno::result(unsafe { libc::semctl(id, c_int::from(number), libc::GETPID) })?;
    Ok(u32::try_from(pid).unwrap_or(0))
}

pub(super) fn sem_set(id: c_int, number: u16, value: c_int) -> Result<(), Errno> {
    let _window = failpoint("semctl(SETVAL)");
    // SAFETY: SETVAL takes an int, no buffer.
    Errno::result(unsafe { libc::semctl(id, c_int::from(number), libc::SETVAL, value) }).map(drop)
}

/// Gives the set the permission bits `mode`.
pub(super) fn sem_set_mode(id: c_int, mode: u32) -> Result<(), Errno> {
    let mut stat = sem_stat(id)?;
    stat.sem_perm.mode = (mode & 0o777) as _;
    // SAFETY: IPC_SET reads one `semid_ds`, and changes owner and mode alone: to the same
    // owner, and this mode.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_SET, &raw mut stat) }).map(drop)
}

/// Makes the set this user's, with the permission bits `mode`: what its owner and its maker may do
/// whatever its mode is.
pub(super) fn sem_own(id: c_int, mode: u32) -> Result<(), Errno> {
    // SAFETY: any bits are a valid `semid_ds`.
    let mut stat = unsafe { MaybeUninit::<semid_ds>::zeroed().assume_init() };
    stat.sem_perm.uid = nix::unistd::geteuid().as_raw();
    stat.sem_perm.gid = nix::unistd::getegid().as_raw();
    stat.sem_perm.mode = (mode & 0o777) as _;
    // SAFETY: IPC_SET reads one `semid_ds`, and takes owner, group and mode from it alone.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_SET, &raw mut stat) }).map(drop)
}

pub(super) fn sem_remove(id: c_int) -> Result<(), Errno> {
    let _window = failpoint("removing the semaphore set");
    // SAFETY: IPC_RMID takes no buffer.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_RMID) }).map(drop)
}

/// From now on `heavy_fence`, of whatever process, reaches this one; whether that
/// can be had.
pub(super) fn be_fenced() -> bool {
    membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
}

/// A full fence in every thread that runs at this moment, of all processes that asked
/// for it; one that does not run has had its fence from the scheduler.
pub(super) fn heavy_fence() -> bool {
    let _window = failpoint("membarrier");
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
    let _window = failpoint("falling asleep");
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
pub(super) fn futex_try() -> Result<(), Errno> {
    let word = 0_u32;
    // SAFETY: the kernel uses the address alone, and nobody sleeps there.
    Errno::result(unsafe { libc::syscall(libc::SYS_futex, &raw const word, libc::FUTEX_WAKE, 1) }).map(drop)
}

/// Wakes one who sleeps on the word; whether there was one.
pub(super) fn futex_wake(word: &AtomicU32) -> bool {
    let _window = failpoint("waking");
    // SAFETY: the kernel uses the address alone.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) > 0 }
}
