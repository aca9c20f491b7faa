//! The processes of a model, and the one kernel that they run on.
//!
//! A process is a thread of the checker. All calls of a process go to the kernel through `face`; each is one step
//! under one lock, and what it does is decided by [`Objects`]. A test judges each call before it is made: it can
//! let the process die there, stop for a while, be interrupted where it would have to wait, or meet a limit.
//!
//! *Time.* A process has a clock of its own, which its sleeps move on. A wait for a semaphore with a bound ends
//! by its bound only where no process can go on otherwise: a process that stops, or that is killed, is what bounds
//! are for. A sleep on a word ends by its bound after any change to the objects, of which nobody tells a sleeper.

use super::fate::{Call, Fate};
use super::memory::Memory;
use super::notes::{Book, Notes, State, Waits};
use super::{Caller, Limits, Objects};
use crate::backend::sysv::kernel::rows::Life;
use crate::sync::{self, Condvar, Killed, Mutex, MutexGuard};
use nix::errno::Errno;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many times as long as asked for a sleep takes, by the sleeper's clock: a process that looks again after each
/// millisecond has waited as long as it will after a few looks.
const SLOWER: u32 = 100;

/// One kernel, with one namespace of objects.
#[derive(Clone)]
pub struct Kernel {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    objects: Mutex<Objects<Arc<Memory>>>,
    /// Something was done to an object.
    changed: Condvar,
    /// The words on which somebody sleeps. The lock makes the look at a word and falling asleep one step.
    pub(super) beds: Mutex<Vec<usize>>,
    pub(super) woken: Condvar,
    book: Book,
}

/// A process. Its thread is the one that is in [`run`](Self::run).
#[derive(Clone)]
pub struct Process {
    kernel: Kernel,
    pid: u32,
}

sync::thread_local! {
    #[cfg_attr(explored, allow(clippy::missing_const_for_thread_local, reason = "the checkers' macros take no `const`"))]
    static CURRENT: RefCell<Option<Process>> = RefCell::new(None);
}

/// The process that the running thread is.
///
/// # Panics
/// If it is none.
pub(super) fn current() -> Process {
    CURRENT.with(|current| current.borrow().clone()).expect("a system call is made by a process, in `Process::run`")
}

/// Does what the running thread does not come back from before another one lets it: the process can't go on meanwhile.
pub fn waiting<T>(wait: impl FnOnce() -> T) -> T {
    let Some(me) = CURRENT.with(|current| current.borrow().clone()) else { return wait() };
    me.blocks(Waits::Unbounded);
    let waited = wait();
    me.goes_on();
    waited
}

impl Default for Kernel {
    fn default() -> Self {
        Self::new()
    }
}

impl Kernel {
    /// One without objects, with Linux's limits.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared {
            objects: Mutex::new(Objects::new()),
            changed: Condvar::new(),
            beds: Mutex::new(Vec::new()),
            woken: Condvar::new(),
            book: Book::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A new process of user `uid`; 0 may do everything.
    #[must_use]
    pub fn process(&self, uid: u32) -> Process {
        self.note(|notes| {
            let (seen, before) = (notes.changes, u32::try_from(notes.processes.len()));
            let state = State { uid, life: Life::Goes, calls: 0, clock: Duration::ZERO, seen, waits: Waits::Unbounded };
            notes.processes.push(state);
            Process { kernel: self.clone(), pid: before.unwrap_or(u32::MAX - 1) + 1 }
        })
    }

    /// From now on `judge` decides about each call, right before it.
    pub fn judge(&self, judge: impl Fn(Call) -> Fate + Send + Sync + 'static) {
        self.note(|notes| notes.judge = Some(Arc::new(judge)));
    }

    /// From now on a segment goes with its last attachment (`shm_rmid_forced`).
    pub fn remove_unattached(&self) {
        self.objects().set_rmid_forced(true);
    }

    /// Only so many segments and sets can be there.
    pub fn allow(&self, segments: usize, sets: usize) {
        self.objects().set_limits(Limits { shmmni: segments, semmni: sets, ..Limits::default() });
    }

    /// How many segments and sets there are.
    #[must_use]
    pub fn left(&self) -> (usize, usize) {
        let objects = self.objects();
        (objects.segments().len(), objects.sets().len())
    }

    /// How many calls the process has made.
    #[must_use]
    pub fn calls(&self, process: &Process) -> usize {
        self.note(|notes| notes.of(process.pid).calls)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn objects(&self) -> MutexGuard<'_, Objects<Arc<Memory>>> {
        self.shared.objects.lock()
    }

    fn note<T>(&self, note: impl FnOnce(&mut Notes) -> T) -> T {
        self.shared.book.note(note)
    }

    pub(super) fn life(&self, pid: u32) -> Life {
        self.note(|notes| match usize::try_from(pid).ok().and_then(|pid| pid.checked_sub(1)) {
            None => Life::Hidden,
            Some(at) => notes.processes.get(at).map_or(Life::Over, |state| state.life),
        })
    }

    /// Lets all that wait look at the objects again, after a change to one.
    pub(super) fn changed(&self, objects: MutexGuard<'_, Objects<Arc<Memory>>>) {
        drop(objects);
        let anybody_waits = self.note(|notes| {
            notes.changes += 1;
            let mut waiting = notes.processes.iter_mut().filter(|state| state.waits != Waits::No).peekable();
            let anybody = waiting.peek().is_some();
            waiting.for_each(State::wakes);
            anybody
        });
        if anybody_waits {
            self.shared.changed.notify_all();
            let beds = self.shared.beds.lock();
            self.shared.woken.notify_all();
            drop(beds);
        }
    }
}

impl Process {
    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn state<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        self.kernel.note(|notes| f(notes.of(self.pid)))
    }

    pub(super) fn caller(&self) -> Caller {
        let uid = self.state(|state| state.uid);
        Caller { pid: self.pid, uid, gid: uid }
    }

    /// Runs a part of the life of this process, which goes on afterwards: what it does before its thread is started.
    pub fn begins<T>(&self, part: impl FnOnce() -> T) -> T {
        self.goes_on();
        let before = self.comes();
        let done = part();
        CURRENT.with(|current| current.replace(before));
        done
    }

    /// Makes the running thread this process; which one it was.
    fn comes(&self) -> Option<Self> {
        CURRENT.with(|current| current.replace(Some(self.clone())))
    }

    /// Runs `life` as this process, which ends with it; `None`: it was killed.
    pub fn run<T>(&self, life: impl FnOnce() -> T) -> Option<T> {
        self.goes_on();
        let before = self.comes();
        let lived = catch_unwind(AssertUnwindSafe(life));
        CURRENT.with(|current| current.replace(before));
        match lived {
            Ok(lived) => {
                self.ends();
                Some(lived)
            }
            Err(why) if why.is::<Killed>() => {
                self.ends();
                None
            }
            Err(why) => resume_unwind(why),
        }
    }

    /// What the kernel does when a process ends, step by step.
    fn ends(&self) {
        self.state(|state| state.life = Life::Ending);
        for step in Objects::END {
            let mut objects = self.kernel.objects();
            step(&mut objects, self.pid);
            self.kernel.changed(objects);
        }
        self.state(|state| state.life = Life::Over);
        self.settle();
    }

    /// What comes before each call; whether a signal is to end it where it has to wait.
    pub(super) fn enters(&self, name: &'static str, meets: &'static [Errno]) -> Result<bool, Errno> {
        #[cfg(loom)]
        sync::trace().kernel_call(name);
        let (judge, number) = self.kernel.note(|notes| {
            let calls = &mut notes.of(self.pid).calls;
            *calls += 1;
            let number = *calls - 1;
            (notes.judge.clone(), number)
        });
        match judge.map_or(Fate::Goes, |judge| judge(Call { name, pid: self.pid, number, meets })) {
            Fate::Goes => Ok(false),
            Fate::Interrupted => Ok(true),
            Fate::Fails(errno) => {
                assert!(meets.contains(&errno), "{name} does not fail with {errno}");
                Err(errno)
            }
            Fate::Dies => {
                self.state(|state| state.life = Life::Ending);
                // Not a panic: nothing is printed, and the model has not failed.
                resume_unwind(Box::new(Killed));
            }
            Fate::Stops(turns) => {
                self.state(|state| state.life = Life::Stopped);
                self.settle();
                (0..turns).for_each(|_| sync::yield_now());
                self.state(|state| state.life = Life::Goes);
                Ok(false)
            }
        }
    }

    fn settle(&self) {
        if self.kernel.note(Notes::settle) {
            self.kernel.shared.changed.notify_all();
        }
    }

    fn blocks(&self, waits: Waits) {
        self.state(|state| state.waits = waits);
        self.settle();
    }

    fn goes_on(&self) {
        self.state(|state| state.waits = Waits::No);
    }

    /// Sleeps until something was done to an object, or for `longest` more at most; `Err`: that is over.
    pub(super) fn awaits_change<'a>(
        &'a self,
        objects: MutexGuard<'a, Objects<Arc<Memory>>>,
        longest: Option<Duration>,
    ) -> (MutexGuard<'a, Objects<Arc<Memory>>>, bool) {
        let until = longest.map(|longest| self.state(|state| state.clock.saturating_add(longest)));
        self.blocks(until.map_or(Waits::Unbounded, Waits::Until));
        if self.state(|state| state.waits) == Waits::TimedOut {
            self.goes_on();
            return (objects, true);
        }
        let objects = self.kernel.shared.changed.wait(objects);
        let is_over = self.state(|state| state.waits) == Waits::TimedOut;
        self.goes_on();
        (objects, is_over)
    }

    /// Sleeps on a word, until it is woken.
    pub(super) fn sleeps<'a>(&'a self, beds: MutexGuard<'a, Vec<usize>>) -> MutexGuard<'a, Vec<usize>> {
        self.blocks(Waits::Unbounded);
        let beds = self.kernel.shared.woken.wait(beds);
        self.goes_on();
        beds
    }

    /// Wakes all that sleep on a word: they look whose it was.
    pub(super) fn wakes_sleepers(&self) {
        self.kernel.note(|notes| {
            for state in notes.processes.iter_mut().filter(|state| state.waits == Waits::Unbounded) {
                state.waits = Waits::No;
            }
        });
        self.kernel.shared.woken.notify_all();
    }

    /// Whether an object was changed since this was asked last.
    pub(super) fn has_news(&self) -> bool {
        self.kernel.note(|notes| {
            let changes = notes.changes;
            std::mem::replace(&mut notes.of(self.pid).seen, changes) != changes
        })
    }

    pub(super) fn now(&self) -> Instant {
        sync::now() + self.state(|state| state.clock)
    }

    pub(super) fn lets_pass(&self, asleep: Duration) {
        self.state(|state| state.clock += asleep * SLOWER);
    }
}
