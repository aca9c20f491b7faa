//! A model's kernel, as far as it fences other threads. loom can't fence another thread, so each thread
//! makes the fence that it owes before its next operation.

use crate::with;
use loom::sync::atomic::fence;
use shm_handoff::sync::Ordering;

/// What the kernel knows of each thread, by its number.
#[derive(Default)]
pub(crate) struct Kernel {
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

/// From here on this model has a kernel.
pub(crate) fn starts() {
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
pub(crate) fn reaches() -> bool {
    with_thread(|thread| !thread.unreachable).unwrap_or_default()
}

/// Whether the kernel fences others for the running thread.
pub(crate) fn serves() -> bool {
    with_thread(|thread| !thread.refused).unwrap_or_default()
}

/// A full fence in every thread that runs, but for the running one; `by_kernel`: and for those that the
/// kernel does not reach. The running thread goes on when all have had it.
pub(crate) fn fence_others(by_kernel: bool) {
    with(|state| {
        let (me, all) = (state.thread(), state.record.threads.len());
        let Some(kernel) = &mut state.kernel else { return };
        for number in (0..all).filter(|number| *number != me) {
            let thread = kernel.thread(number);
            thread.owes |= !(by_kernel && thread.unreachable);
        }
    });
    while fences_are_owed() {
        loom::thread::yield_now();
        // Two can ask at once.
        pay();
    }
    fence(Ordering::SeqCst);
}

/// Whether one that runs still owes a fence.
fn fences_are_owed() -> bool {
    with(|state| state.kernel.as_ref().is_some_and(|kernel| kernel.threads.iter().any(|one| one.owes && !one.rests)))
        .unwrap_or_default()
}

/// The fence that the running thread owes, if it does.
pub(crate) fn pay() {
    if with_thread(|thread| core::mem::take(&mut thread.owes)).unwrap_or_default() {
        fence(Ordering::SeqCst);
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
        fence(Ordering::SeqCst);
    }
    with_thread(|thread| thread.rests = yes);
}
