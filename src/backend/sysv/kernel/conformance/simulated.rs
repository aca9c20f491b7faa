//! Scripts on the simulated kernel.

use super::calls::{Call, Fate, NO_ID, Names, Player, Saw, Step, User};
use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, Stat};
use crate::backend::sysv::kernel::simulated::{Caller, Limits, Objects, Outcome, Ticket};
use crate::backend::sysv::kernel::step;
use nix::errno::Errno;
use std::cell::RefCell;
use std::ffi::c_int;
use std::rc::Rc;

type Memory = Rc<RefCell<Vec<u8>>>;

/// What a process sees when its sleep ends well.
#[derive(Debug, Clone, Copy)]
enum Then {
    Done,
    Stat(c_int),
}

#[derive(Debug)]
struct Process {
    caller: Caller,
    asleep: Option<(Ticket, Then)>,
    /// What it will see when it goes on.
    stopped_with: Option<Saw>,
}

#[derive(Debug)]
pub(super) struct Simulated {
    objects: Objects<Memory>,
    processes: Vec<Process>,
    segments: Names<c_int>,
    sets: Names<c_int>,
    attachments: Names<u64>,
    memories: Vec<Memory>,
    woken: Vec<(usize, Saw)>,
}

/// Pids that look like none of the numbers.
const FIRST_PID: u32 = 100;

impl Simulated {
    pub(super) fn new() -> Self {
        Self {
            objects: Objects::new(),
            processes: Vec::new(),
            segments: Names::default(),
            sets: Names::default(),
            attachments: Names::default(),
            memories: Vec::new(),
            woken: Vec::new(),
        }
    }

    fn segment(&self, number: usize) -> c_int {
        self.segments.get(number).unwrap_or(NO_ID)
    }

    fn set(&self, number: usize) -> c_int {
        self.sets.get(number).unwrap_or(NO_ID)
    }

    fn memory(&self, attachment: usize) -> &RefCell<Vec<u8>> {
        &self.memories[attachment]
    }

    fn semop(&mut self, process: usize, set: usize, steps: &[Step], then: Then) -> Result<Saw, Errno> {
        let caller = self.processes[process].caller;
        let steps: Vec<_> = steps.iter().map(|(number, change, flags)| step(*number, *change, *flags)).collect();
        match self.objects.semop(caller, self.set(set), &steps)? {
            Outcome::Done => self.after(caller, then),
            Outcome::Waits(ticket) => {
                self.processes[process].asleep = Some((ticket, then));
                Ok(Saw::Asleep)
            }
        }
    }

    fn after(&self, caller: Caller, then: Then) -> Result<Saw, Errno> {
        match then {
            Then::Done => Ok(Saw::Done),
            Then::Stat(id) => self.objects.shm_stat(caller, id).map(|stat| Saw::Segment(named(stat))),
        }
    }

    /// The sleep of a process ends now, by a signal or by the clock, if it had not ended before.
    fn wake_up(&mut self, process: usize, why: Errno) -> Option<Saw> {
        let (ticket, _) = self.processes[process].asleep.take()?;
        assert_eq!(self.objects.give_up(ticket), None, "sleepers that are awake are asked for after each step");
        Some(Saw::Refused(why))
    }

    /// Asks every sleeper whether it still sleeps.
    fn settle(&mut self) {
        for number in 0..self.processes.len() {
            let Process { caller, asleep, .. } = self.processes[number];
            let Some((ticket, then)) = asleep else { continue };
            if let Some(result) = self.objects.woken(ticket) {
                self.processes[number].asleep = None;
                let saw = result.and_then(|()| self.after(caller, then)).unwrap_or_else(Saw::Refused);
                self.woken.push((number, saw));
            }
        }
    }

    fn try_call(&mut self, process: usize, call: &Call) -> Result<Saw, Errno> {
        let caller = self.processes[process].caller;
        match *call {
            Call::Shmget { key, size, flags } => {
                let memory = |size| Rc::new(RefCell::new(vec![0; size]));
                let id = self.objects.shmget(caller, key, size, flags, memory)?;
                return Ok(Saw::Id(self.segments.of(id)));
            }
            Call::Shmat { segment, flags } => {
                let (attachment, memory) = self.objects.shmat(caller, self.segment(segment), flags)?;
                self.memories.push(memory);
                return Ok(Saw::Attached(self.attachments.add(attachment)));
            }
            Call::Shmdt { attachment } => {
                self.objects.shmdt(caller, self.attachments.get(attachment).unwrap_or(u64::MAX))?;
            }
            Call::ShmStat { segment } => return self.after(caller, Then::Stat(self.segment(segment))),
            Call::ShmRemove { segment } => self.objects.shm_remove(caller, self.segment(segment))?,
            Call::Peek { attachment } => return Ok(Saw::Byte(self.memory(attachment).borrow()[0])),
            Call::Poke { attachment, value } => self.memory(attachment).borrow_mut()[0] = value,
            Call::Semget { key, count, flags } => {
                let id = self.objects.semget(caller, key, count, flags)?;
                return Ok(Saw::Id(self.sets.of(id)));
            }
            Call::Semop { set, ref steps } => return self.semop(process, set, steps, Then::Done),
            Call::Semtimedop { set, ref steps } => {
                let saw = self.semop(process, set, steps, Then::Done)?;
                return Ok(self.wake_up(process, Errno::EAGAIN).unwrap_or(saw));
            }
            Call::SemopThenStat { set, ref steps, segment } => {
                return self.semop(process, set, steps, Then::Stat(self.segment(segment)));
            }
            Call::SemStat { set } => return self.objects.sem_stat(caller, self.set(set)).map(Saw::Set),
            Call::SemValues { set, count } => {
                let values = self.objects.sem_values(caller, self.set(set))?;
                // (The door's own refusal.)
                return if values.len() == count { Ok(Saw::Values(values)) } else { Err(Errno::EINVAL) };
            }
            Call::SemPid { set, number } => {
                let pid = self.objects.sem_pid(caller, self.set(set), number)?;
                return Ok(Saw::Pid(name(pid)));
            }
            Call::SemSet { set, number, value } => self.objects.sem_set(caller, self.set(set), number, value)?,
            Call::SemChown { set, user, mode } => {
                self.objects.sem_chown(caller, self.set(set), user.uid, user.gid, mode)?;
            }
            Call::SemRemove { set } => self.objects.sem_remove(caller, self.set(set))?,
        }
        Ok(Saw::Done)
    }
}

/// Pids are 1 + the number of the process.
fn name(pid: u32) -> u32 {
    pid.saturating_sub(FIRST_PID - 1)
}

fn named(stat: Stat) -> Stat {
    Stat { creator_pid: name(stat.creator_pid), last_pid: name(stat.last_pid), ..stat }
}

impl Player for Simulated {
    fn start(&mut self, user: User) -> usize {
        let number = self.processes.len();
        let pid = FIRST_PID + u32::try_from(number).expect("few");
        let caller = Caller { pid, uid: user.uid, gid: user.gid };
        self.processes.push(Process { caller, asleep: None, stopped_with: None });
        number
    }

    fn call(&mut self, process: usize, call: &Call) -> Saw {
        let saw = self.try_call(process, call).unwrap_or_else(Saw::Refused);
        self.settle();
        saw
    }

    fn befall(&mut self, process: usize, fate: Fate) {
        let pid = self.processes[process].caller.pid;
        match fate {
            Fate::Ends | Fate::Killed => {
                self.processes[process].asleep = None;
                for step in Objects::END {
                    step(&mut self.objects, pid);
                }
            }
            Fate::Interrupted => {
                let saw = self.wake_up(process, Errno::EINTR);
                self.woken.extend(saw.map(|saw| (process, saw)));
            }
            Fate::Stopped => self.processes[process].stopped_with = self.wake_up(process, Errno::EINTR),
            Fate::Continued => {
                let saw = self.processes[process].stopped_with.take();
                self.woken.extend(saw.map(|saw| (process, saw)));
            }
        }
        self.settle();
    }

    fn woken(&mut self) -> Vec<(usize, Saw)> {
        self.woken.sort_by_key(|(process, _)| *process);
        std::mem::take(&mut self.woken)
    }

    fn is_asleep(&self, process: usize) -> bool {
        self.processes[process].asleep.is_some()
    }

    fn limit(&mut self, limits: Limits, rmid_forced: bool) {
        self.objects.set_limits(limits);
        self.objects.set_rmid_forced(rmid_forced);
    }

    fn rows(&mut self) -> (Vec<SegmentRow>, Vec<SetRow>) {
        let (mut segments, mut sets) = (self.objects.segments(), self.objects.sets());
        for row in &mut segments {
            row.id = i32::try_from(self.segments.of(row.id)).expect("few");
            row.creator_pid = name(row.creator_pid);
        }
        sets.retain(|row| row.key != 0);
        segments.sort_by_key(|row| row.id);
        sets.sort_by_key(|row| row.key);
        (segments, sets)
    }
}
