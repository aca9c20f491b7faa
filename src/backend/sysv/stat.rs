//! What the kernel says of a segment.

use super::errno::{Needs, failed};
use super::ffi;
use super::key::Key;
use crate::error::Error;
use std::ffi::c_int;

/// What the kernel says of a segment.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let segment = Segment::create_new(key, 4096, 0o600)?;
/// segment.remove()?;
/// let stat = segment.stat()?;
/// assert_eq!((stat.size, stat.mode, stat.attached, stat.removed), (4096, 0o600, 1, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: usize,
    /// Permission bits, as in 0o600.
    pub mode: u32,
    /// Uid of the owner.
    pub uid: u32,
    /// Uid of the creator, who keeps access whoever the owner is.
    pub creator_uid: u32,
    /// Attachments: not processes, one can have several.
    pub attached: usize,
    /// Pid of the creator; 0: of another pid namespace.
    pub creator_pid: u32,
    /// Pid of the last to attach or detach; 0: none, or of another namespace.
    pub last_pid: u32,
    /// Marked for removal: it goes with its last attachment.
    pub removed: bool,
}

pub(super) fn stat_of(id: c_int, key: Key) -> Result<Stat, Error> {
    let raw = ffi::shm_stat(id).map_err(|errno| failed("shmctl(IPC_STAT)", Needs::Permission, key, errno))?;
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
        removed: mode & ffi::SHM_DEST != 0,
    })
}
