//! Which faults an execution has, and how often: drawn once, by the checker's own chance. Most executions have some
//! kinds and not others, so that what one kind brings about is not always hidden behind another.

use crate::explore::noted;
use nix::errno::Errno;
use parking_lot::Mutex;
use shm_handoff::Error;
use shm_handoff::backend::sysv::simulated::{Call, Fate, Kernel};
use shuttle::rand::{Rng, thread_rng};
use std::collections::BTreeSet;

/// Chances are parts of so many.
const WHOLE: u32 = 10_000;

/// How long a process stops at most, in turns of others.
const STOP: usize = 40;

#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// The process is killed instead of making a call.
    dies: u32,
    /// A call meets a limit, or has no memory.
    fails: u32,
    /// A call that has to wait is interrupted.
    interrupted: u32,
    /// The process stops before a call.
    stops: u32,
    /// A third party lets others have as many turns between two removals, at most.
    pub(super) pause: usize,
    pub(super) removes_segments: bool,
    pub(super) removes_seats: bool,
    /// Tools look at what is there.
    pub(super) observed: bool,
}

fn one_of<T: Copy>(all: &[T]) -> T {
    all[thread_rng().gen_range(0..all.len())]
}

impl Plan {
    pub(super) fn draw() -> Self {
        Self {
            dies: one_of(&[0, 50, 200]),
            fails: one_of(&[0, 100, 500]),
            interrupted: one_of(&[0, 3_000]),
            stops: one_of(&[0, 50, 300]),
            pause: one_of(&[100, 1_000, 5_000]),
            removes_segments: one_of(&[false, true]),
            removes_seats: one_of(&[false, true]),
            observed: one_of(&[false, true]),
        }
    }

    /// Has the kernel ask for the fate of each call.
    pub(super) fn begin(self, kernel: &Kernel) {
        // Who has looked for a set and made no operation on it since: its first can need memory for the undo.
        let newcomers = Mutex::new(BTreeSet::new());
        kernel.judge(move |call| {
            let newcomer = match call.name {
                "semget" => !newcomers.lock().insert(call.pid),
                "semop" | "semtimedop" => newcomers.lock().remove(&call.pid),
                _ => true,
            };
            self.fate(call, newcomer)
        });
    }

    fn fate(self, call: Call, can_fail: bool) -> Fate {
        let happens = |chance| thread_rng().gen_range(0..WHOLE) < chance;
        if happens(self.dies) {
            noted("killed");
            return Fate::Dies;
        }
        if happens(self.stops) {
            noted("stopped");
            return Fate::Stops(thread_rng().gen_range(1..=STOP));
        }
        if can_fail && !call.meets.is_empty() && happens(self.fails) {
            noted("limit met");
            return Fate::Fails(one_of(call.meets));
        }
        if matches!(call.name, "semtimedop" | "futex(FUTEX_WAIT)") && happens(self.interrupted) {
            noted("interrupted");
            return Fate::Interrupted;
        }
        Fate::Goes
    }

    /// Whether a reader can take a writer that leaves in order, or a tool, for a C program that was there and has gone:
    /// where its seat was removed without its notice, and where the tool was stopped that came before there were seats.
    pub(super) fn may_mistake_a_leaver(self) -> bool {
        self.removes_seats || (self.observed && self.stops > 0)
    }

    /// Whether a side can meet `error` for what is planned.
    pub(super) fn expects(self, error: &Error) -> bool {
        match error {
            Error::Limit { .. } | Error::Os { errno: Errno::ENOMEM | Errno::ENOSPC, .. } => self.fails > 0,
            // A process that is stopped keeps what it has.
            Error::Locked { .. } | Error::SeatTaken { .. } => self.stops > 0,
            // A half-made ring, at which somebody is stopped: its maker, whose lock was removed meanwhile, or a tool
            // that came before there were seats.
            Error::NotAChannel { .. } => self.stops > 0 && (self.removes_seats || self.observed),
            _ => false,
        }
    }
}
