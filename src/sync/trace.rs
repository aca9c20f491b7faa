//! What watches a model: it sees each operation before it is made and its value after, and can end the
//! thread at it. The crate `trace` (tests/trace) implements this. Where a test has installed nothing,
//! nothing is watched.

use super::Ordering;
use core::cell::Cell;
use core::fmt::Debug;

/// What a model's threads do besides accesses, and what a model's kernel does for them.
pub trait Trace {
    /// What is to watch a new atomic.
    fn atomic(&self) -> Box<dyn Watch + Send> {
        Box::new(Nothing)
    }

    /// What is to watch a new cell of text.
    fn cell(&self) -> Box<dyn Watch + Send> {
        Box::new(Nothing)
    }

    /// Text is relaxed words, as on real memory, instead of cells that loom checks for races: so an
    /// execution goes on past a race, to what comes of it.
    fn text_is_words(&self) -> bool {
        false
    }

    /// The words that get their labels next are those of a new memory.
    fn new_memory(&self) {}

    /// Before a fence.
    fn fence(&self, _order: Ordering) {}

    /// Before a thread lets the others have their turn.
    fn yields(&self) {}

    /// Before a lock is waited for.
    fn awaits_lock(&self) {}

    /// The lock at this address was taken.
    fn locked(&self, _lock: usize) {}

    /// The running thread goes to sleep until another one wakes it, or is awake again.
    fn sleeps(&self, _yes: bool) {}

    /// Before a call on the simulated kernel.
    fn kernel_call(&self, _name: &'static str) {}

    /// From here on this model has a kernel that fences other threads.
    fn kernel_fences(&self) {}

    /// Whether others can have the running thread fenced.
    fn is_reachable(&self) -> bool {
        false
    }

    /// Whether the kernel fences others for the running thread.
    fn can_fence_others(&self) -> bool {
        false
    }

    /// A full fence in every thread that can be reached, as the kernel's `membarrier` makes it.
    fn heavy_fence(&self) {}

    /// More time passes than a store takes to be seen, by whatever thread.
    fn time_passes(&self) {}
}

/// What watches one word.
pub trait Watch: Debug {
    /// Says what the word is: its name, and its number among those of this name.
    fn label(&self, _name: &'static str, _number: usize) {}

    /// Before an access: with which order (`None`: plain), and the value that is to be stored (`None`:
    /// a load).
    fn before(&self, _order: Option<Ordering>, _stored: Option<u64>) {}

    /// After it, with the value that was stored or seen.
    fn after(&self, _value: u64) {}

    /// Before the kernel looks at it for a sleeper. The process can't die there.
    fn kernel_looks(&self) {}

    /// The running thread falls asleep on it.
    fn falls_asleep(&self) {}
}

#[derive(Debug)]
struct Nothing;

impl Trace for Nothing {}

impl Watch for Nothing {}

std::thread_local! {
    // All of a model's threads run on one thread of the machine.
    static INSTALLED: Cell<&'static dyn Trace> = const { Cell::new(&Nothing) };
}

/// From here on `trace` watches the models on this thread of the machine.
pub fn install(trace: &'static dyn Trace) {
    INSTALLED.set(trace);
}

/// What is installed.
pub(crate) fn trace() -> &'static dyn Trace {
    INSTALLED.get()
}
