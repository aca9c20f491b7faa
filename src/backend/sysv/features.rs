//! Whether the kernel, or a sandbox before it, gives what this rests on: each tried, on objects that
//! only this process can reach and that are gone again at once.

use super::kernel::{self, step};
use crate::backend::memory::offsets::SLOT;
pub(crate) use kernel::{LAST_ATTACHMENT, removes_unattached};
use libc::{IPC_CREAT, IPC_NOWAIT, IPC_PRIVATE, SEM_UNDO};
use nix::errno::Errno;

/// Nobody can meet at this key.
const PRIVATE: u32 = IPC_PRIVATE.cast_unsigned();

/// Segments: made, attached, detached, removed.
pub(crate) fn segments() -> Result<(), Errno> {
    let id = kernel::shmget(PRIVATE, SLOT.size, IPC_CREAT | 0o600)?;
    let attached = kernel::shmat(id, 0);
    kernel::shm_remove(id)?;
    // SAFETY: attached in the line before the last, and nothing refers to it.
    unsafe { kernel::shmdt(&attached?) }
}

/// Semaphores that are taken back when their holder dies.
pub(crate) fn seats() -> Result<(), Errno> {
    let id = kernel::semget(PRIVATE, 1, IPC_CREAT | 0o600)?;
    let taken = kernel::semop(id, &mut [step(0, 1, SEM_UNDO | IPC_NOWAIT)]);
    kernel::sem_remove(id)?;
    taken
}

/// Fences in other processes; without them every send and receive has one of its own.
pub(crate) fn membarrier() -> bool {
    kernel::be_fenced() && kernel::heavy_fence()
}

/// Sleeping and waking on a word of memory.
pub(crate) fn futex() -> Result<(), Errno> {
    kernel::futex_try()
}
