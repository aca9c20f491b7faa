//! What processes of a script do and see, with names that are the same on every kernel: objects,
//! attachments and processes are numbered as the script meets them.

use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, SetStat, Stat};
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno;
use std::ffi::c_int;

/// Number of a step's semaphore, its change, its flags.
pub(super) type Step = (u16, i16, c_int);

/// A call. Keys are small numbers, 0 is `IPC_PRIVATE`; a player makes them its own.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Shmget {
        key: u32,
        size: usize,
        flags: c_int,
    },
    Shmat {
        segment: usize,
        flags: c_int,
    },
    Shmdt {
        attachment: usize,
    },
    ShmStat {
        segment: usize,
    },
    ShmRemove {
        segment: usize,
    },
    /// Reads the first byte of an attachment.
    Peek {
        attachment: usize,
    },
    Poke {
        attachment: usize,
        value: u8,
    },
    Semget {
        key: u32,
        count: u16,
        flags: c_int,
    },
    Semop {
        set: usize,
        steps: Vec<Step>,
    },
    /// Sleeps for a short time at most.
    Semtimedop {
        set: usize,
        steps: Vec<Step>,
    },
    /// One request: nothing comes between the end of the operation and the look at the segment.
    SemopThenStat {
        set: usize,
        steps: Vec<Step>,
        segment: usize,
    },
    SemStat {
        set: usize,
    },
    SemValues {
        set: usize,
        count: usize,
    },
    SemPid {
        set: usize,
        number: u16,
    },
    SemSet {
        set: usize,
        number: u16,
        value: c_int,
    },
    SemChown {
        set: usize,
        user: User,
        mode: u32,
    },
    SemRemove {
        set: usize,
    },
}

/// What came of a call. Pids are 1 + the number of the process; 0 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saw {
    Done,
    /// A segment or a set, by its number among those of its kind.
    Id(usize),
    Attached(usize),
    Segment(Stat),
    Set(SetStat),
    Values(Vec<u16>),
    Pid(u32),
    Byte(u8),
    Asleep,
    Refused(Errno),
}

/// What befalls a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It ends of itself.
    Ends,
    /// SIGKILL.
    Killed,
    /// A signal with a handler.
    Interrupted,
    /// SIGSTOP.
    Stopped,
    /// SIGCONT.
    Continued,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl User {
    /// Of this process.
    pub(super) fn me() -> Self {
        Self { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() }
    }
}

/// A kernel on which scripts are played.
pub(super) trait Player {
    /// Starts a process of this user; its number.
    fn start(&mut self, user: User) -> usize;

    /// Lets a process make a call. It must not be asleep.
    fn call(&mut self, process: usize, call: &Call) -> Saw;

    fn befall(&mut self, process: usize, fate: Fate);

    /// The processes whose calls have ended since they were last asked for, with what they saw,
    /// in the order of their numbers.
    fn woken(&mut self) -> Vec<(usize, Saw)>;

    /// Whether the process sleeps in a call.
    fn is_asleep(&self, process: usize) -> bool;

    fn limit(&mut self, limits: Limits, rmid_forced: bool);

    /// What everybody is shown, by key and size. (Sets with a key alone.)
    fn rows(&mut self) -> (Vec<SegmentRow>, Vec<SetRow>);
}

/// The names of one kind of things: their numbers, by the order in which they came.
#[derive(Debug)]
pub(super) struct Names<T>(Vec<T>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + PartialEq> Names<T> {
    /// The number of this one, new or known.
    pub(super) fn of(&mut self, it: T) -> usize {
        self.0.iter().position(|known| *known == it).unwrap_or_else(|| self.add(it))
    }

    /// A new one, also where one like it is known.
    pub(super) fn add(&mut self, it: T) -> usize {
        self.0.push(it);
        self.0.len() - 1
    }

    pub(super) fn get(&self, number: usize) -> Option<T> {
        self.0.get(number).copied()
    }

    /// 1 + the number of the latest like it; 0: it is not known.
    pub(super) fn latest(&self, it: T) -> u32 {
        let found = self.0.iter().rposition(|known| *known == it);
        found.map_or(0, |number| u32::try_from(number + 1).expect("few"))
    }

    pub(super) fn all(&self) -> &[T] {
        &self.0
    }
}

/// An id that names nothing.
pub(super) const NO_ID: c_int = 0x7FFF_0000;
