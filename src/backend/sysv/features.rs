//! Whether the kernel, or a sandbox before it, gives what this rests on: each tried, on objects that
//! only this process can reach and that are gone again at once.

use super::ffi::{self, step};
use crate::backend::memory::offsets::SLOT;
use libc::{IPC_CREAT, IPC_NOWAIT, IPC_PRIVATE, SEM_UNDO};
use nix::errno::Errno;

/// Nobody can meet at this key.
const PRIVATE: u32 = IPC_PRIVATE.cast_unsigned();

/// Segments: made, attached, detached, removed.
pub(crate) fn segments() -> Result<(), Errno> {
    let id = ffi::shmget(PRIVATE, SLOT.size, IPC_CREAT | 0o600)?;
    let attached = ffi::shmat(id, 0);
    ffi::shm_remove(id)?;
    // SAFETY: attached in the line before the last, and nothing refers to it.
    unsafe { ffi::shmdt(attached?) }
}

/// Semaphores that are taken back when their holder dies.
pub(crate) fn seats() -> Result<(), Errno> {
    let id = ffi::semget(PRIVATE, 1, IPC_CREAT | 0o600)?;
    let taken = ffi::semop(id, &mut [step(0, 1, SEM_UNDO | IPC_NOWAIT)]);
    ffi::sem_remove(id)?;
    taken
}

/// Fences in other processes; without them every send and receive has one of its own.
pub(crate) fn membarrier() -> bool {
    ffi::be_fenced() && ffi::heavy_fence()
}

/// Sleeping and waking on a word of memory.
pub(crate) fn futex() -> Result<(), Errno> {
    ffi::futex_try()
}

/// Says it: proc(5).
pub(crate) const LAST_ATTACHMENT: &str = "/proc/sys/kernel/shm_rmid_forced";

/// Whether the kernel removes every segment of this IPC namespace with its last attachment, as
/// proc(5) says of this file. Where it can't be read, it is taken for the default.
pub(crate) fn memory_dies_with_its_last_attachment() -> bool {
    std::fs::read_to_string(LAST_ATTACHMENT).is_ok_and(|value| value.trim() == "1")
}
