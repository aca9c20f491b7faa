//! A semaphore set, and the operations that sleep on it.
//!
//! An operation that has to wait is queued. The call that makes it possible does it, in the same
//! moment: a sleeper can't miss a value that passes, and nobody comes in between.

use libc::{IPC_NOWAIT, SEM_UNDO, sembuf};
use nix::errno::Errno;
use std::collections::BTreeMap;

/// A semaphore's largest value (SEMVMX), and the most that an undo can add (SEMAEM).
pub(super) const MOST: i32 = 32_767;

/// What a `semop` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It sleeps; [`Objects::woken`](super::Objects::woken) tells what comes of it.
    Waits(Ticket),
}

/// An operation that slept, or sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Ticket(u64);

impl Ticket {
    pub(super) fn take(&mut self) -> Self {
        let taken = *self;
        self.0 += 1;
        taken
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Semaphore {
    pub(super) value: i32,
    /// The process of the last operation that had a step on it, or that set or undid it.
    pub(super) pid: u32,
}

#[derive(Debug)]
pub(super) struct Sleeper {
    pub(super) ticket: Ticket,
    pub(super) pid: u32,
    pub(super) steps: Vec<sembuf>,
}

impl Sleeper {
    fn alters(&self) -> bool {
        alters(&self.steps)
    }
}

/// Whether an operation is more than a wait for zeros.
pub(super) fn alters(steps: &[sembuf]) -> bool {
    steps.iter().any(|step| step.sem_op != 0)
}

/// Sleepers that are woken, each with its pid and its result.
pub(super) type Woken = BTreeMap<Ticket, (u32, Result<(), Errno>)>;

#[derive(Debug)]
pub(super) struct Set {
    pub(super) semaphores: Vec<Semaphore>,
    /// No operation was made on it, nor an undo (`sem_otime` is 0).
    pub(super) untouched: bool,
    /// What the end of each process adds to each semaphore.
    undo: BTreeMap<u32, Vec<i32>>,
    /// Operations that sleep, in the order in which they came.
    pub(super) asleep: Vec<Sleeper>,
}

impl Set {
    pub(super) fn new(count: usize) -> Self {
        let semaphores = vec![Semaphore::default(); count];
        Self { semaphores, untouched: true, undo: BTreeMap::new(), asleep: Vec::new() }
    }

    /// From now on this process has an undo here, however little it adds.
    pub(super) fn prepare_undo(&mut self, pid: u32) {
        self.undo.entry(pid).or_insert_with(|| vec![0; self.semaphores.len()]);
    }

    /// Makes all `steps` in their order, or none; whether they are made. If not, they have to wait.
    pub(super) fn attempt(&mut self, pid: u32, steps: &[sembuf]) -> Result<bool, Errno> {
        let mut values: Vec<i32> = self.semaphores.iter().map(|semaphore| semaphore.value).collect();
        let mut undo = self.undo.get(&pid).cloned();
        for step in steps {
            let (number, change) = (usize::from(step.sem_num), i32::from(step.sem_op));
            let (before, after) = (values[number], values[number] + change);
            if (change == 0 && before != 0) || after < 0 {
                let waits = i32::from(step.sem_flg) & IPC_NOWAIT == 0;
                return if waits { Ok(false) } else { Err(Errno::EAGAIN) };
            }
            if after > MOST {
                return Err(Errno::ERANGE);
            }
            if let Some(undo) = undo.as_mut().filter(|_| i32::from(step.sem_flg) & SEM_UNDO != 0) {
                undo[number] -= change;
                if !(-MOST - 1..=MOST).contains(&undo[number]) {
                    return Err(Errno::ERANGE);
                }
            }
            values[number] = after;
        }
        for (semaphore, value) in self.semaphores.iter_mut().zip(values) {
            semaphore.value = value;
        }
        // A step that waits for zero counts, too.
        for step in steps {
            self.semaphores[usize::from(step.sem_num)].pid = pid;
        }
        if let Some(undo) = undo {
            self.undo.insert(pid, undo);
        }
        self.untouched = false;
        Ok(true)
    }

    /// After a change: does the operations of sleepers that need not wait any more, and those that they make
    /// possible. `steps`: of the operation that made the change; all semaphores may have changed where it is none.
    pub(super) fn wake(&mut self, steps: Option<&[sembuf]>) -> Woken {
        let mut woken = self.wake_zeros(steps);
        while let Some((sleeper, result)) = self.next_awake(Sleeper::alters) {
            if result.is_ok() {
                woken.append(&mut self.wake_zeros(Some(&sleeper.steps)));
            }
            woken.insert(sleeper.ticket, (sleeper.pid, result));
        }
        woken
    }

    /// Those that only wait for zeros are tried before those that alter, and only if the change has left a
    /// semaphore at 0. Those of one step come before those of several.
    fn wake_zeros(&mut self, steps: Option<&[sembuf]>) -> Woken {
        let has_zero = match steps {
            Some(steps) => steps.iter().any(|step| self.semaphores[usize::from(step.sem_num)].value == 0),
            None => self.semaphores.iter().any(|semaphore| semaphore.value == 0),
        };
        let mut woken = Woken::new();
        for has_one_step in [true, false] {
            let these = |sleeper: &Sleeper| !sleeper.alters() && (sleeper.steps.len() == 1) == has_one_step;
            while has_zero && let Some((sleeper, result)) = self.next_awake(these) {
                woken.insert(sleeper.ticket, (sleeper.pid, result));
            }
        }
        woken
    }

    /// The first of these sleepers that need not wait any more, out of the queue, and its result.
    fn next_awake(&mut self, these: impl Fn(&Sleeper) -> bool) -> Option<(Sleeper, Result<(), Errno>)> {
        for at in 0..self.asleep.len() {
            if !these(&self.asleep[at]) {
                continue;
            }
            let sleeper = self.asleep.remove(at);
            match self.attempt(sleeper.pid, &sleeper.steps) {
                Ok(false) => self.asleep.insert(at, sleeper),
                done => return Some((sleeper, done.map(drop))),
            }
        }
        None
    }

    /// Sets one value whatever it was: no process has an undo of it any more.
    pub(super) fn put(&mut self, pid: u32, number: usize, value: i32) -> Woken {
        for undo in self.undo.values_mut() {
            undo[number] = 0;
        }
        self.semaphores[number] = Semaphore { value, pid };
        self.wake(None)
    }

    /// Does the undo of a process that has ended.
    pub(super) fn undo_of(&mut self, pid: u32) -> Woken {
        let Some(undo) = self.undo.remove(&pid) else { return Woken::new() };
        for (semaphore, change) in self.semaphores.iter_mut().zip(undo) {
            if change != 0 {
                let value = (semaphore.value + change).clamp(0, MOST);
                *semaphore = Semaphore { value, pid };
            }
        }
        self.untouched = false;
        self.wake(None)
    }
}
