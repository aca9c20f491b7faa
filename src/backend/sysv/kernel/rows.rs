//! What a kernel tells of its objects and of processes, by whichever face.

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

/// A segment, as a row of `/proc/sysvipc/shm` has it: proc(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    /// 0: made without a key, or removed and still attached.
    pub(crate) key: u32,
    pub(crate) id: i32,
    /// Permission bits, and [`REMOVED`](Self::REMOVED).
    pub(crate) mode: u32,
    pub(crate) size: usize,
    pub(crate) creator_pid: u32,
    pub(crate) attached: usize,
    pub(crate) uid: u32,
    pub(crate) creator_uid: u32,
}

impl SegmentRow {
    const REMOVED: u32 = 0o1000;

    pub(crate) fn is_removed(&self) -> bool {
        self.mode & Self::REMOVED != 0
    }
}

/// A semaphore set, as a row of `/proc/sysvipc/sem` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetRow {
    pub(crate) key: u32,
    pub(crate) mode: u32,
    pub(crate) semaphores: usize,
    pub(crate) uid: u32,
}

/// What the kernel says of a semaphore set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetStat {
    /// How many it has.
    pub(crate) semaphores: usize,
    /// No operation was ever made on it.
    pub(crate) untouched: bool,
    /// Uid of the owner.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
    /// Uid of the creator.
    pub(crate) creator_uid: u32,
    /// Permission bits.
    pub(crate) mode: u32,
}

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Goes,
    /// By a signal, or by a debugger.
    Stopped,
    /// It can't be looked at: `/proc` does not show it, or it is of another pid namespace.
    Hidden,
    /// It was killed, or has ended, and the kernel is still clearing it away.
    Ending,
    /// There is no such process.
    Over,
}
