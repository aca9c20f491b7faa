//! What a model's test sees of an execution, and does to it: each operation of
//! the facade is noted here as it is made, and a thread can be made to die
//! before any of them.
//!
//! Nothing is noted, and nobody dies, unless a test has asked for it on this
//! thread of the machine, on which all threads of a model run. In ordinary
//! builds none of this exists.

use super::Ordering;
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

/// What a thread that was killed unwinds with.
#[derive(Debug)]
pub struct Killed;

#[derive(Default)]
struct State {
    record: Record,
    /// What each thread is about to do: between its first step and its end other
    /// threads may run.
    begun: Vec<Option<Event>>,
    /// Who began or completed an operation last.
    latest: usize,
    ids: Vec<(loom::thread::ThreadId, usize)>,
    labels: Vec<(usize, Place)>,
    memories: usize,
    /// The thread that is to die, and how many more operations it makes.
    doomed: Option<(usize, usize)>,
    /// How many operations it made since it was doomed.
    made: usize,
    /// The kernel's part in fences; `None`: no memory of this model asks for it.
    kernel: Option<Kernel>,
}

/// What a kernel that fences other threads knows of them, by their numbers.
#[derive(Default)]
struct Kernel {
    threads: Vec<Thread>,
}

#[derive(Default, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
struct Thread {
    /// A fence that was asked for and is to come before its next operation.
    owes: bool,
    /// It sleeps, or waits for another thread's end, or has ended.
    rests: bool,
    /// Nobody else can have it fenced: its process is not registered.
    unreachable: bool,
    /// The kernel refuses to fence others for it.
    refused: bool,
}

impl Kernel {
    fn thread(&mut self, number: usize) -> &mut Thread {
        if self.threads.len() <= number {
            self.threads.resize(number + 1, Thread::default());
        }
        &mut self.threads[number]
    }
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

    /// What lies there. The latest: memory that was freed may have lain there before.
    fn place(&self, address: usize) -> Place {
        self.labels.iter().rev().find(|(at, _)| *at == address).map_or(Place::Nowhere, |(_, place)| *place)
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

/// From here on this model has a kernel that fences other threads.
pub(crate) fn kernel_fences() {
    with(|state| {
        state.kernel.get_or_insert_default();
    });
}

fn with_thread<T>(f: impl FnOnce(&mut Thread) -> T) -> Option<T> {
    with(|state| {
        let number = state.thread();
        state.kernel.as_mut().map(|kernel| f(kernel.thread(number)))
    })
    .flatten()
}

/// From here on nobody else can have the running thread fenced.
pub fn is_unreachable() {
    with_thread(|thread| thread.unreachable = true);
}

/// From here on the kernel refuses to fence others for the running thread.
pub fn is_refused() {
    with_thread(|thread| thread.refused = true);
}

/// Whether others can have the running thread fenced.
pub(crate) fn reachable() -> bool {
    with_thread(|thread| !thread.unreachable).unwrap_or_default()
}

/// Whether the kernel fences others for the running thread.
pub(crate) fn fences_others() -> bool {
    with_thread(|thread| !thread.refused).unwrap_or_default()
}

/// Every thread owes a fence, but for the running one; `by_kernel`: and for those that the
/// kernel does not reach.
pub(super) fn ask_for_fences(by_kernel: bool) {
    with(|state| {
        let (me, all) = (state.thread(), state.record.threads.len());
        let Some(kernel) = &mut state.kernel else { return };
        for number in (0..all).filter(|number| *number != me) {
            let thread = kernel.thread(number);
            thread.owes |= !(by_kernel && thread.unreachable);
        }
    });
}

/// Whether one that runs still owes a fence.
pub(super) fn fences_are_owed() -> bool {
    with(|state| state.kernel.as_ref().is_some_and(|kernel| kernel.threads.iter().any(|one| one.owes && !one.rests)))
        .unwrap_or_default()
}

/// The fence that the running thread owes, if it does.
pub(super) fn pay() {
    if with_thread(|thread| core::mem::take(&mut thread.owes)).unwrap_or_default() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}

/// Runs what the running thread does not come back from before another thread lets it:
/// nobody waits for its fence meanwhile, for the scheduler has fenced it as it stopped.
pub fn resting<T>(rest: impl FnOnce() -> T) -> T {
    rests(true);
    let woken = rest();
    rests(false);
    pay();
    woken
}

/// The running thread has ended, or goes to sleep, or goes on.
pub fn rests(yes: bool) {
    if with_thread(|_| ()).is_some() && yes {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
    with_thread(|thread| thread.rests = yes);
}

/// A point at which the running thread may die.
pub fn step() {
    pay();
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

/// Says where the places of new memory lie.
pub(crate) fn label<F, T>(flag: &F, text: &[T]) {
    with(|state| {
        let memory = state.memories;
        state.memories += 1;
        state.labels.push((address(flag), Place::Flag(memory)));
        let words = text.iter().enumerate().map(|(at, word)| (address(word), Place::Text(memory, at)));
        state.labels.extend(words);
    });
}

/// Says where the places of a new ring lie.
pub(crate) fn label_ring<F, T>(flags: &[F], cells: &[T], header: &[(usize, &'static str)]) {
    with(|state| {
        let memory = state.memories;
        state.memories += 1;
        let units = flags.iter().enumerate().map(|(at, flag)| (address(flag), Place::Record(memory, at)));
        state.labels.extend(units);
        let words = cells.iter().enumerate().map(|(at, word)| (address(word), Place::Text(memory, at)));
        state.labels.extend(words);
        state.labels.extend(header.iter().map(|(at, name)| (*at, Place::Header(memory, name))));
    });
}

/// The running thread's number, and how many threads there have been.
pub(super) fn who() -> (usize, usize) {
    with(|state| (state.thread(), state.record.threads.len())).unwrap_or((0, 1))
}

pub(crate) fn address<T>(place: &T) -> usize {
    core::ptr::from_ref(place).addr()
}

/// Notes an operation that is about to be made.
pub(super) fn before<T>(action: Action, order: Option<Ordering>, place: &T, value: Option<u64>) {
    step();
    with(|state| {
        let place = state.place(address(place));
        state.begin(action, place, order, value);
    });
}

/// Notes that it was made, with the value that was written or seen.
pub(super) fn after(value: u64) {
    with(|state| state.complete(value));
}

/// Notes a fence.
pub(super) fn fence(order: Ordering) {
    step();
    with(|state| state.push(Action::Fence, Place::Nowhere, Some(order), None));
}

pub(super) fn wait() {
    step();
    with(|state| state.push(Action::Wait, Place::Nowhere, None, None));
}

pub(super) fn falls_asleep<T>(parked: &T) {
    with(|state| {
        let place = state.place(address(parked));
        state.push(Action::Sleep, place, None, None)
    });
}

pub(super) fn locked<T>(lock: &T) {
    with(|state| state.push(Action::Lock, Place::Lock(address(lock)), None, None));
}
