//! Scripts on the real kernel, each process of a script a real one.

use super::calls::{Call, Fate, NO_ID, Names, Player, Saw, Step, User};
use super::wire::{SIZE, WORDS, Words, from_bytes, op, to_bytes};
use super::worker;
use crate::backend::sysv::kernel::proc;
use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, SetStat, Stat};
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::ffi::c_int;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// How long an event may take before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call that is not answered yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// The id of the set on which it may sleep.
    set: c_int,
    then_stat: bool,
}

#[derive(Debug)]
struct Worker {
    pid: libc::pid_t,
    requests: PipeWriter,
    responses: PipeReader,
    open: Option<Open>,
    is_stopped: bool,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    process: usize,
    slot: i64,
    address: i64,
}

#[derive(Debug)]
pub(super) struct Linux {
    /// Of no other test's keys.
    first_key: u32,
    workers: Vec<Worker>,
    pids: Names<u32>,
    segments: Names<c_int>,
    sets: Names<c_int>,
    attachments: Names<Place>,
    woken: Vec<(usize, Saw)>,
}

impl Linux {
    /// `first_key`: the next keys are the script's, too.
    pub(super) fn new(first_key: u32) -> Self {
        Self {
            first_key,
            workers: Vec::new(),
            pids: Names::default(),
            segments: Names::default(),
            sets: Names::default(),
            attachments: Names::default(),
            woken: Vec::new(),
        }
    }

    fn key(&self, number: u32) -> i64 {
        if number == 0 { 0 } else { i64::from(self.first_key + number) }
    }

    fn segment(&self, number: usize) -> i64 {
        self.segments.get(number).unwrap_or(NO_ID).into()
    }

    fn set(&self, number: usize) -> c_int {
        self.sets.get(number).unwrap_or(NO_ID)
    }

    /// The slot of an attachment of this process; `None`: something else has come to its place.
    fn slot(&self, process: usize, number: usize) -> Option<i64> {
        let place = self.attachments.get(number)?;
        let is_place = |other: &&Place| other.process == process && other.address == place.address;
        let latest = self.attachments.all().iter().rfind(is_place);
        (latest == Some(&place)).then_some(place.slot)
    }

    fn send(&mut self, process: usize, words: &[i64]) {
        let mut request = [0; WORDS];
        request[..words.len()].copy_from_slice(words);
        self.workers[process].requests.write_all(&to_bytes(&request)).expect("the worker lives");
    }

    fn receive(&mut self, process: usize) -> Words {
        let worker = &mut self.workers[process];
        let mut bytes = [0; SIZE];
        worker.responses.read_exact(&mut bytes).expect("the worker answers");
        from_bytes(&bytes)
    }

    fn ask(&mut self, process: usize, words: &[i64]) -> Result<[i64; WORDS], Errno> {
        self.send(process, words);
        result(&self.receive(process))
    }

    fn semop(&mut self, process: usize, op: i64, set: usize, steps: &[Step], segment: i64) -> Result<Saw, Errno> {
        let id = self.set(set);
        let mut words = vec![op, id.into(), segment, i64::try_from(steps.len()).expect("few")];
        for (number, change, flags) in steps {
            words.extend([i64::from(*number), i64::from(*change), i64::from(*flags)]);
        }
        if op == op::SEMTIMEDOP {
            return self.ask(process, &words).map(|_| Saw::Done);
        }
        self.send(process, &words);
        self.workers[process].open = Some(Open { set: id, then_stat: op == op::SEMOP_THEN_STAT });
        self.settle();
        let answered = self.woken.iter().position(|(woken, _)| *woken == process);
        Ok(answered.map_or(Saw::Asleep, |at| self.woken.remove(at).1))
    }

    /// Waits until every call that is open sleeps in the kernel, or is answered.
    fn settle(&mut self) {
        let started = Instant::now();
        loop {
            let open: Vec<_> = (0..self.workers.len()).filter(|process| self.sleeps(*process)).collect();
            let mut sets: Vec<_> = open.iter().filter_map(|process| self.workers[*process].open).collect();
            sets.sort_by_key(|open| open.set);
            sets.dedup_by_key(|open| open.set);
            if sets.iter().map(|open| sleepers(open.set)).sum::<usize>() == open.len() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{open:?} neither sleep nor answer");
            for process in self.readable(&open, PollTimeout::from(1_u8)) {
                self.answer(process);
            }
        }
    }

    fn sleeps(&self, process: usize) -> bool {
        self.workers[process].open.is_some() && !self.workers[process].is_stopped
    }

    /// Those of these processes that have answered.
    fn readable(&self, processes: &[usize], longest: PollTimeout) -> Vec<usize> {
        let responses = processes.iter().map(|process| self.workers[*process].responses.as_fd());
        let mut fds: Vec<_> = responses.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        poll(&mut fds, longest).expect("poll");
        let is_readable = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
        processes.iter().zip(&fds).filter(|(_, fd)| is_readable(fd)).map(|(process, _)| *process).collect()
    }

    /// Takes the answer to an open call.
    fn answer(&mut self, process: usize) {
        let Some(open) = self.workers[process].open.take() else { return };
        let saw = result(&self.receive(process)).map_or_else(Saw::Refused, |words| {
            if open.then_stat { Saw::Segment(self.stat(&words)) } else { Saw::Done }
        });
        self.woken.push((process, saw));
    }

    fn stat(&self, words: &[i64; WORDS]) -> Stat {
        Stat {
            size: number(words[0]),
            mode: number(words[1]),
            uid: number(words[2]),
            creator_uid: number(words[3]),
            attached: number(words[4]),
            creator_pid: self.pids.latest(number(words[5])),
            last_pid: self.pids.latest(number(words[6])),
            removed: words[7] != 0,
        }
    }

    fn signal(&self, process: usize, signal: c_int) {
        // SAFETY: the worker is a child of this process that nobody else reaps.
        unsafe { libc::kill(self.workers[process].pid, signal) };
    }

    /// Waits until the worker has stopped, or has gone.
    fn await_change(&self, process: usize) {
        let mut status = 0;
        // SAFETY: there is room for the status.
        while unsafe { libc::waitpid(self.workers[process].pid, &raw mut status, libc::WUNTRACED) } < 0 {
            assert_eq!(Errno::last(), Errno::EINTR, "the worker is a child of this process");
        }
    }

    fn try_call(&mut self, process: usize, call: &Call) -> Result<Saw, Errno> {
        let words = match *call {
            Call::Shmget { key, size, flags } => {
                let request = [op::SHMGET, self.key(key), size.cast_signed() as i64, flags.into()];
                let id = number(self.ask(process, &request)?[0]);
                return Ok(Saw::Id(self.segments.of(id)));
            }
            Call::Shmat { segment, flags } => {
                let [slot, address, ..] = self.ask(process, &[op::SHMAT, self.segment(segment), flags.into()])?;
                return Ok(Saw::Attached(self.attachments.add(Place { process, slot, address })));
            }
            Call::ShmStat { segment } => {
                let words = self.ask(process, &[op::SHM_STAT, self.segment(segment)])?;
                return Ok(Saw::Segment(self.stat(&words)));
            }
            Call::Peek { attachment } => {
                let slot = self.slot(process, attachment).expect("a script peeks where it is attached");
                return Ok(Saw::Byte(number(self.ask(process, &[op::PEEK, slot])?[0])));
            }
            Call::Semget { key, count, flags } => {
                let request = [op::SEMGET, self.key(key), count.into(), flags.into()];
                let id = number(self.ask(process, &request)?[0]);
                return Ok(Saw::Id(self.sets.of(id)));
            }
            Call::Semop { set, ref steps } => return self.semop(process, op::SEMOP, set, steps, 0),
            Call::Semtimedop { set, ref steps } => return self.semop(process, op::SEMTIMEDOP, set, steps, 0),
            Call::SemopThenStat { set, ref steps, segment } => {
                return self.semop(process, op::SEMOP_THEN_STAT, set, steps, self.segment(segment));
            }
            Call::SemStat { set } => {
                let words = self.ask(process, &[op::SEM_STAT, self.set(set).into()])?;
                return Ok(Saw::Set(SetStat {
                    semaphores: number(words[0]),
                    untouched: words[1] != 0,
                    uid: number(words[2]),
                    gid: number(words[3]),
                    creator_uid: number(words[4]),
                    mode: number(words[5]),
                }));
            }
            Call::SemValues { set, count } => {
                let request = [op::SEM_VALUES, self.set(set).into(), i64::try_from(count).expect("few")];
                let words = self.ask(process, &request)?;
                return Ok(Saw::Values(words[..count].iter().map(|value| number(*value)).collect()));
            }
            Call::SemPid { set, number: semaphore } => {
                let request = [op::SEM_PID, self.set(set).into(), semaphore.into()];
                let pid = number(self.ask(process, &request)?[0]);
                return Ok(Saw::Pid(self.pids.latest(pid)));
            }
            Call::Shmdt { attachment } => [op::SHMDT, self.slot(process, attachment).ok_or(Errno::EINVAL)?, 0, 0, 0],
            Call::ShmRemove { segment } => [op::SHM_REMOVE, self.segment(segment), 0, 0, 0],
            Call::Poke { attachment, value } => {
                let slot = self.slot(process, attachment).expect("a script pokes where it is attached");
                [op::POKE, slot, value.into(), 0, 0]
            }
            Call::SemSet { set, number, value } => [op::SEM_SET, self.set(set).into(), number.into(), value.into(), 0],
            Call::SemChown { set, user, mode } => {
                [op::SEM_CHOWN, self.set(set).into(), user.uid.into(), user.gid.into(), mode.into()]
            }
            Call::SemRemove { set } => [op::SEM_REMOVE, self.set(set).into(), 0, 0, 0],
        };
        self.ask(process, &words).map(|_| Saw::Done)
    }
}

/// The numbers of a response.
fn result(words: &Words) -> Result<[i64; WORDS], Errno> {
    let mut numbers = [0; WORDS];
    numbers[..WORDS - 1].copy_from_slice(&words[1..]);
    match i32::try_from(words[0]) {
        Ok(0) => Ok(numbers),
        errno => Err(Errno::from_raw(errno.expect("an errno"))),
    }
}

fn number<T: TryFrom<i64>>(word: i64) -> T {
    T::try_from(word).ok().expect("a number that the worker had as this type")
}

/// How many processes sleep on a set.
fn sleepers(id: c_int) -> usize {
    // SAFETY: IPC_STAT writes one `semid_ds` at most, and there is room for it; the others take no buffer.
    unsafe {
        let mut stat = std::mem::zeroed::<libc::semid_ds>();
        if libc::semctl(id, 0, libc::IPC_STAT, &raw mut stat) != 0 {
            return 0;
        }
        let count = |number, command| usize::try_from(libc::semctl(id, number, command)).unwrap_or(0);
        let numbers = 0..c_int::try_from(stat.sem_nsems).expect("few");
        numbers.map(|number| count(number, libc::GETNCNT) + count(number, libc::GETZCNT)).sum()
    }
}

impl Player for Linux {
    fn start(&mut self, user: User) -> usize {
        let (requests, to_worker) = pipe().expect("a pipe");
        let (from_worker, responses) = pipe().expect("a pipe");
        // SAFETY: the child makes system calls alone, and never returns from `live`.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "fork: {}", Errno::last());
        if pid == 0 {
            worker::live(requests.as_raw_fd(), responses.as_raw_fd(), user);
        }
        let (requests, responses) = (to_worker, from_worker);
        self.workers.push(Worker { pid, requests, responses, open: None, is_stopped: false, is_over: false });
        self.pids.add(pid.cast_unsigned())
    }

    fn call(&mut self, process: usize, call: &Call) -> Saw {
        let saw = self.try_call(process, call).unwrap_or_else(Saw::Refused);
        self.settle();
        saw
    }

    fn befall(&mut self, process: usize, fate: Fate) {
        let is_open = self.workers[process].open.is_some();
        match fate {
            Fate::Ends if !is_open && !self.workers[process].is_stopped => self.send(process, &[op::END]),
            Fate::Ends | Fate::Killed => self.signal(process, libc::SIGKILL),
            Fate::Interrupted => self.signal(process, libc::SIGUSR1),
            Fate::Stopped => self.signal(process, libc::SIGSTOP),
            Fate::Continued => self.signal(process, libc::SIGCONT),
        }
        match fate {
            Fate::Ends | Fate::Killed => {
                self.await_change(process);
                (self.workers[process].is_over, self.workers[process].open) = (true, None);
            }
            Fate::Stopped => {
                self.await_change(process);
                self.workers[process].is_stopped = true;
            }
            Fate::Interrupted | Fate::Continued => {
                self.workers[process].is_stopped = false;
                self.answer(process);
            }
        }
        self.settle();
    }

    fn woken(&mut self) -> Vec<(usize, Saw)> {
        self.woken.sort_by_key(|(process, _)| *process);
        std::mem::take(&mut self.woken)
    }

    fn is_asleep(&self, process: usize) -> bool {
        self.sleeps(process)
    }

    fn limit(&mut self, limits: Limits, rmid_forced: bool) {
        let Limits { shmmax, shmall, shmmni, semmsl, semmns, semopm, semmni } = limits;
        let write = |name: &str, value: String| {
            std::fs::write(format!("/proc/sys/kernel/{name}"), value).expect("limits of this namespace");
        };
        write("shmmax", shmmax.to_string());
        write("shmall", shmall.to_string());
        write("shmmni", shmmni.to_string());
        write("sem", format!("{semmsl} {semmns} {semopm} {semmni}"));
        write("shm_rmid_forced", u8::from(rmid_forced).to_string());
    }

    fn rows(&mut self) -> (Vec<SegmentRow>, Vec<SetRow>) {
        let (mut segments, mut sets) = (proc::segments().expect("/proc"), proc::sets().expect("/proc"));
        let (known, first) = (&self.segments, self.first_key);
        segments.retain(|row| known.all().contains(&row.id));
        for row in &mut segments {
            row.id = i32::try_from(self.segments.of(row.id)).expect("few");
            row.creator_pid = self.pids.latest(row.creator_pid);
            row.key = row.key.saturating_sub(first);
        }
        sets.retain(|row| (first + 1..first + 16).contains(&row.key));
        for row in &mut sets {
            row.key -= first;
        }
        segments.sort_by_key(|row| row.id);
        sets.sort_by_key(|row| row.key);
        (segments, sets)
    }
}

impl Drop for Linux {
    /// Nothing of a script stays, however it ended.
    fn drop(&mut self) {
        for process in 0..self.workers.len() {
            if !self.workers[process].is_over {
                self.signal(process, libc::SIGKILL);
                self.await_change(process);
            }
        }
        for id in self.segments.all() {
            // SAFETY: IPC_RMID takes no buffer.
            unsafe { libc::shmctl(*id, libc::IPC_RMID, std::ptr::null_mut()) };
        }
        for id in self.sets.all() {
            // SAFETY: as above.
            unsafe { libc::semctl(*id, 0, libc::IPC_RMID) };
        }
    }
}
