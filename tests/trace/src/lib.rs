//! What a model's test sees of an execution, and does to it: each operation of `shm_handoff::sync` is
//! noted here as it is made, and a thread can be made to die before any of them.
//!
//! Nothing is noted, and no thread dies, before a test has called [`begin`] on this thread of the
//! machine, on which all threads of a model run.
#![cfg(loom)]

mod kernel;
mod watch;

pub use kernel::{is_refused, is_unreachable, resting, rests};
pub use watch::{ring_words_are_one_way, text_as_words};

use kernel::Kernel;
pub use shm_handoff::sync::Killed;
use shm_handoff::sync::Ordering;
use std::cell::RefCell;
use std::fmt;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Reads a place.
    Load,
    /// Writes a place.
    Store,
    /// Orders all before it against all after it.
    Fence,
    /// Yields: a tick of a wait.
    Wait,
    /// Falls asleep on a parked word, until somebody wakes it.
    Sleep,
    /// Takes the lock behind which the seats are; what was done before it is
    /// seen by whoever takes it next.
    Lock,
    /// Starts the thread with this number.
    Spawn(usize),
    /// Has waited for the thread with this number to end.
    Join(usize),
    /// Says something; see [`Event::note`].
    Note,
}

/// A place that two sides share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The flag of this memory: 0 for the first, 1 for what was made after its
    /// removal, and so on.
    Flag(usize),
    /// A word of the text of this memory.
    Text(usize, usize),
    /// The flag of a ring's record, by its unit.
    Record(usize, usize),
    /// A word of a ring's header, by name.
    Header(usize, &'static str),
    /// A lock, by its address.
    Lock(usize),
    /// None.
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, memory) = match self {
            Self::Flag(memory) => ("written".to_owned(), *memory),
            Self::Text(memory, word) => (format!("text[{word}]"), *memory),
            Self::Record(memory, unit) => (format!("flag[{unit}]"), *memory),
            Self::Header(memory, name) => ((*name).to_owned(), *memory),
            Self::Lock(_) | Self::Nowhere => return Ok(()),
        };
        write!(f, "{name}{}", "′".repeat(memory))
    }
}

/// One operation of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Number of the thread, as in [`Record::threads`].
    pub thread: usize,
    /// What it did.
    pub action: Action,
    /// To what.
    pub place: Place,
    /// With which order; `None`: with none, a plain access.
    pub order: Option<Ordering>,
    /// What was or would have been written, or was read; `None`: the checker
    /// stopped before it was.
    pub value: Option<u64>,
    /// Said by the model.
    pub note: Option<String>,
}

/// One execution, as far as it went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The threads' names; the first is the model's main thread.
    pub threads: Vec<String>,
    /// What happened, in the order in which it did.
    pub events: Vec<Event>,
}

#[derive(Default)]
struct State {
    record: Record,
    /// What each thread is about to do: between its first step and its end other
    /// threads may run.
    begun: Vec<Option<Event>>,
    /// The thread that began or completed an operation last.
    latest: usize,
    ids: Vec<(loom::thread::ThreadId, usize)>,
    /// How many there have been.
    memories: usize,
    /// The thread that is to die, and how many more operations it makes.
    doomed: Option<(usize, usize)>,
    /// How many operations it made since it was doomed.
    made: usize,
    /// The kernel's part in fences; `None`: no memory of this model asks for it.
    kernel: Option<Kernel>,
}

std::thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> Option<T> {
    STATE.with_borrow_mut(|state| state.as_mut().map(f))
}

impl State {
    /// Number of the thread that runs. One that was not named is numbered when
    /// it is first met.
    fn thread(&mut self) -> usize {
        let id = loom::thread::current().id();
        if let Some((_, number)) = self.ids.iter().find(|(known, _)| *known == id) {
            return *number;
        }
        let number = self.record.threads.len();
        self.name(number, &format!("thread {number}"));
        number
    }

    fn name(&mut self, number: usize, name: &str) {
        if self.record.threads.len() <= number {
            self.record.threads.resize(number + 1, String::new());
        }
        name.clone_into(&mut self.record.threads[number]);
        let id = loom::thread::current().id();
        if !self.ids.iter().any(|(known, _)| *known == id) {
            self.ids.push((id, number));
        }
    }

    fn push(&mut self, action: Action, place: Place, order: Option<Ordering>, value: Option<u64>) -> usize {
        let thread = self.thread();
        self.record.events.push(Event { thread, action, place, order, value, note: None });
        self.latest = thread;
        self.record.events.len() - 1
    }

    fn begin(&mut self, action: Action, place: Place, order: Option<Ordering>, value: Option<u64>) {
        let thread = self.thread();
        if self.begun.len() <= thread {
            self.begun.resize(thread + 1, None);
        }
        self.begun[thread] = Some(Event { thread, action, place, order, value, note: None });
        self.latest = thread;
    }

    fn complete(&mut self, value: u64) {
        let thread = self.thread();
        if let Some(event) = self.begun.get_mut(thread).and_then(Option::take) {
            self.record.events.push(Event { value: Some(value), ..event });
        }
        self.latest = thread;
    }
}

/// Starts the record of a new execution, from its main thread. From here on
/// everything is noted.
pub fn begin() {
    shm_handoff::sync::trace::install(&watch::Watcher);
    STATE.with_borrow_mut(|state| state.insert(State::default()).name(0, "main"));
}

/// What was noted since [`begin`]. Where the checker stopped at an operation, it
/// comes last.
#[must_use]
pub fn record() -> Record {
    with(|state| {
        let mut record = state.record.clone();
        record.events.extend(state.begun.get(state.latest).cloned().flatten());
        record
    })
    .unwrap_or_default()
}

/// Names the running thread and gives it its number, of those handed out by
/// [`thread_to_come`]; the main thread's is 0.
pub fn name(number: usize, name: &str) {
    with(|state| state.name(number, name));
}

/// A number for a thread that will be started.
#[must_use]
pub fn thread_to_come() -> usize {
    with(|state| {
        let number = state.record.threads.len();
        state.record.threads.push(format!("thread {number}"));
        number
    })
    .unwrap_or_default()
}

/// Notes that `child` was started, or has ended and was waited for.
pub fn family(action: Action) {
    with(|state| state.push(action, Place::Nowhere, None, None));
}

/// Notes what the model has to say.
pub fn note(text: impl Into<String>) {
    with(|state| {
        let at = state.push(Action::Note, Place::Nowhere, None, None);
        state.record.events[at].note = Some(text.into());
    });
}

/// Makes the running thread die just before its next operation but `spared`.
pub fn doom(spared: usize) {
    with(|state| {
        state.doomed = Some((state.thread(), spared));
        state.made = 0;
    });
}

/// Lets the doomed live; how many operations it made since it was doomed.
#[must_use]
pub fn reprieve() -> usize {
    with(|state| {
        state.doomed = None;
        state.made
    })
    .unwrap_or(0)
}

/// Does what somebody else does on the running thread: if that is doomed, it does not die here.
pub fn by_somebody_else<T>(does: impl FnOnce() -> T) -> T {
    let doomed = with(|state| state.doomed.take()).flatten();
    let done = does();
    with(|state| state.doomed = doomed);
    done
}

/// A point at which the running thread may die.
pub fn step() {
    kernel::pay();
    let dies = with(|state| {
        let (doomed, spared) = state.doomed?;
        if state.thread() != doomed {
            return None;
        }
        if spared > 0 {
            state.doomed = Some((doomed, spared - 1));
            state.made += 1;
            return None;
        }
        state.doomed = None;
        let at = state.push(Action::Note, Place::Nowhere, None, None);
        state.record.events[at].note = Some("killed".to_owned());
        Some(())
    })
    .flatten();
    if dies.is_some() {
        // Not a panic: nothing is printed, and the model has not failed.
        std::panic::resume_unwind(Box::new(Killed));
    }
}

/// The running thread's number, and how many threads there have been.
fn threads() -> (usize, usize) {
    with(|state| (state.thread(), state.record.threads.len())).unwrap_or((0, 1))
}
