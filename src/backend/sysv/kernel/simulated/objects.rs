//! All objects of one IPC namespace, and the end of a process.

use super::segment::{Attachments, Segment};
use super::semop::{Set, Ticket};
use super::table::Table;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// How much of each there may be: proc(5), `/proc/sys/kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of a segment.
    pub(crate) shmmax: usize,
    /// Pages of all segments together.
    pub(crate) shmall: usize,
    /// Segments.
    pub(crate) shmmni: usize,
    /// Semaphores of a set.
    pub(crate) semmsl: usize,
    /// Semaphores of all sets together.
    pub(crate) semmns: usize,
    /// Steps of one operation.
    pub(crate) semopm: usize,
    /// Sets.
    pub(crate) semmni: usize,
}

impl Default for Limits {
    /// Those of Linux.
    fn default() -> Self {
        let all = usize::MAX - (1 << 24);
        Self {
            shmmax: all,
            shmall: all,
            shmmni: 4096,
            semmsl: 32_000,
            semmns: 1_024_000_000,
            semopm: 500,
            semmni: 32_000,
        }
    }
}

/// The objects. A segment has an `M` for its memory, of which each attachment gets a clone.
#[derive(Debug)]
pub(crate) struct Objects<M> {
    pub(super) limits: Limits,
    /// `shm_rmid_forced`: a segment goes with its last attachment.
    pub(super) rmid_forced: bool,
    pub(super) segments: Table<Segment<M>>,
    pub(super) attachments: Attachments,
    pub(super) sets: Table<Set>,
    /// What came of the operations that slept, until it is asked for; with the pid of the sleeper.
    pub(super) woken: BTreeMap<Ticket, (u32, Result<(), Errno>)>,
    pub(super) next_ticket: Ticket,
}

impl<M: Clone> Objects<M> {
    pub(crate) fn new() -> Self {
        Self {
            limits: Limits::default(),
            rmid_forced: false,
            segments: Table::new(),
            attachments: Attachments::default(),
            sets: Table::new(),
            woken: BTreeMap::new(),
            next_ticket: Ticket::default(),
        }
    }

    /// Sets the limits. What is there already stays, however much it is.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Sets `shm_rmid_forced`. Once it is on, what dead processes have left unattached goes.
    pub(crate) fn set_rmid_forced(&mut self, forced: bool) {
        self.rmid_forced = forced;
        self.destroy_where(|segment| segment.creator.is_none());
    }

    /// The end of a process, in the order of Linux's `do_exit`. Others can see what lies between two of these steps.
    pub(crate) const END: [fn(&mut Self, u32); 3] = [Self::detach_all, Self::undo_all, Self::disown_all];

    /// The end of a process, first step: its sleep is over, and it is attached to nothing any more.
    fn detach_all(&mut self, pid: u32) {
        for set in self.sets.bodies_mut() {
            set.asleep.retain(|sleeper| sleeper.pid != pid);
        }
        self.woken.retain(|_, (sleeper, _)| *sleeper != pid);
        for number in self.attachments.of_process(pid) {
            self.detach(number);
        }
    }

    /// The end of a process, second step: its undo is done. The third is [`disown_all`](Self::disown_all).
    fn undo_all(&mut self, pid: u32) {
        for set in self.sets.bodies_mut() {
            self.woken.append(&mut set.undo_of(pid));
        }
    }
}
