//! Where an endpoint is: with its task, or with the thread that waits in its place.
//!
//! A task must not block, and only a thread can sleep on a futex. So an endpoint that has to wait is handed to a thread
//! of its own, which runs the blocking library's wait, sleeps as that does, and hands the endpoint back. The task is
//! woken then, and does at once what it came for. Nothing is taken or sent by the thread (but an end), so a task that gives
//! up has lost nothing.
//!
//! What the thread has met can be over when a task hears of it, and can have been met for a future that is no more. So
//! the task tries again by itself, and says what it finds then.
//!
//! ```text
//!   task     here ── wait ──▶ away            away ── recall ──▶ here
//!   thread          parks in the shared memory ──▶ back, and the task is woken
//! ```

use crate::endpoint::{Endpoint, no_thread};
use crate::event::Event;
use crate::sync::{Condvar, Home, Mutex, MutexGuard, spawn};
use shm_handoff::backend::Interrupter;
use shm_handoff::{Error, WaitPolicy};
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What the thread waited for, and whether that came.
pub(crate) type Met<E> = (<E as Endpoint>::Wait, bool);

/// What to say of an endpoint that will not come back.
const LOST: &str = "the thread that waits has panicked";

/// An endpoint, and the thread that waits for it.
pub(crate) struct Waiter<E: Endpoint> {
    /// `None`: the thread has it, or it was taken out.
    here: Option<E>,
    /// From the first wait on.
    shared: Option<Arc<Shared<E>>>,
    /// Of the endpoint that was put here last.
    interrupter: Option<Interrupter>,
    /// A forked child has neither the memory nor the thread.
    opened_by: Home,
}

struct Shared<E: Endpoint> {
    state: Mutex<State<E>>,
    /// Something for the thread, or the endpoint is back.
    changed: Condvar,
}

struct State<E: Endpoint> {
    /// For the thread: to be waited for.
    given: Option<(E, E::Wait)>,
    /// From the thread.
    back: Option<(E, Met<E>)>,
    /// What the thread waits for.
    waits: Option<E::Wait>,
    /// The endpoint is wanted back.
    recalled: bool,
    /// Nothing will come any more.
    closing: bool,
    /// The thread has panicked, and the endpoint is lost.
    dead: bool,
    told: Told,
}

/// Where the thread tells that the endpoint is back.
enum Told {
    Nowhere,
    Task(Waker),
    Descriptor(Arc<Event>),
}

impl<E: Endpoint> Waiter<E> {
    pub(crate) fn new(endpoint: E) -> Self {
        let mut waiter = Self::vacant();
        waiter.put(endpoint);
        waiter
    }

    /// For an endpoint that is to be [put](Self::put) here.
    pub(crate) fn vacant() -> Self {
        Self { here: None, shared: None, interrupter: None, opened_by: Home::here() }
    }

    /// The endpoint, unless the thread has it.
    #[inline]
    pub(crate) fn here(&mut self) -> Option<&mut E> {
        self.here.as_mut()
    }

    /// Ready when the endpoint is here; what the thread has met for it if it has just come back. One that waits for
    /// anything but `wait` is recalled.
    pub(crate) fn poll_here(&mut self, context: &Context<'_>, wait: Option<E::Wait>) -> Poll<Option<Met<E>>> {
        if self.here.is_some() {
            return Poll::Ready(None);
        }
        let shared = self.shared();
        let mut state = shared.state.lock();
        assert!(!state.dead, "{LOST}");
        if let Some((endpoint, met)) = state.back.take() {
            self.here = Some(endpoint);
            return Poll::Ready(Some(met));
        }
        state.told = Told::Task(context.waker().clone());
        let recall = state.waits != wait && !state.recalled;
        state.recalled |= recall;
        drop(state);
        if recall {
            self.interrupt();
        }
        Poll::Pending
    }

    /// The endpoint, recalled if it is away, which blocks until the thread has seen it.
    pub(crate) fn recall(&mut self) -> &mut E {
        self.try_recall();
        self.here.as_mut().expect(LOST)
    }

    /// Recalls the endpoint if it is away; what the thread has met for it. Afterwards it is here, unless it is lost or was
    /// taken out.
    pub(crate) fn try_recall(&mut self) -> Option<Met<E>> {
        if self.here.is_some() {
            return None;
        }
        let shared = Arc::clone(self.shared.as_ref()?);
        let mut state = shared.state.lock();
        state.told = Told::Nowhere;
        if state.waits.is_some() {
            state.recalled = true;
            drop(state);
            self.interrupt();
            state = shared.state.lock();
        }
        while state.waits.is_some() {
            state = shared.changed.wait(state);
        }
        let (endpoint, met) = state.back.take()?;
        self.here = Some(endpoint);
        Some(met)
    }

    fn interrupt(&self) {
        if let Some(interrupter) = &self.interrupter {
            interrupter.interrupt();
        }
    }

    /// The endpoint, recalled if it is away, until it is [put](Self::put) back.
    pub(crate) fn take(&mut self) -> E {
        self.recall();
        self.here.take().expect("it was recalled")
    }

    pub(crate) fn put(&mut self, mut endpoint: E) {
        self.interrupter = Some(endpoint.interrupter());
        self.here = Some(endpoint);
    }

    /// Whether this is the process that made it, and not a child that it has forked.
    pub(crate) fn is_ours(&self) -> bool {
        Home::here() == self.opened_by
    }

    /// Starts the thread, unless it runs.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        if self.shared.is_none() {
            let shared = Arc::new(Shared { state: Mutex::new(State::new()), changed: Condvar::default() });
            let theirs = Arc::clone(&shared);
            spawn(move || theirs.run()).map_err(|error| no_thread(&error))?;
            self.shared = Some(shared);
        }
        Ok(())
    }

    /// Hands the endpoint, which is here, to the thread.
    pub(crate) fn wait(&mut self, wait: E::Wait) -> Result<(), Error> {
        self.start()?;
        self.hand_over(wait, Told::Nowhere);
        Ok(())
    }

    /// As [`wait`](Self::wait), with the thread [started](Self::start); the event is set when the endpoint is back.
    pub(crate) fn wait_and_tell(&mut self, wait: E::Wait, event: &Arc<Event>) {
        self.hand_over(wait, Told::Descriptor(Arc::clone(event)));
    }

    fn hand_over(&mut self, wait: E::Wait, told: Told) {
        if let (Some(endpoint), Some(shared)) = (self.here.take(), &self.shared) {
            let mut state = shared.state.lock();
            state.given = Some((endpoint, wait));
            state.waits = Some(wait);
            state.told = told;
            drop(state);
            shared.changed.notify_all();
        }
    }

    fn shared(&self) -> Arc<Shared<E>> {
        Arc::clone(self.shared.as_ref().expect("an endpoint that is away is with the thread"))
    }

    /// The endpoint, for good. The thread ends.
    pub(crate) fn into_inner(mut self) -> E {
        let endpoint = self.take();
        if let Some(shared) = self.shared.take() {
            shared.close();
        }
        endpoint
    }
}

impl<E: Endpoint> Drop for Waiter<E> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.clone() else { return };
        if !self.is_ours() {
            // The thread is the parent's. In the child the lock may be held forever.
            std::mem::forget((shared, self.shared.take()));
            return;
        }
        // Here, and not in the thread: when a drop is over, the seat is free.
        self.try_recall();
        shared.close();
    }
}

impl<E: Endpoint> fmt::Debug for Waiter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("is_here", &self.here.is_some()).finish_non_exhaustive()
    }
}

impl<E: Endpoint> State<E> {
    fn new() -> Self {
        Self { given: None, back: None, waits: None, recalled: false, closing: false, dead: false, told: Told::Nowhere }
    }
}

impl<E: Endpoint> Shared<E> {
    /// The thread, until its endpoint is dropped.
    fn run(&self) {
        while let Some((mut endpoint, wait)) = self.next() {
            let mut hook = |_| {
                if self.state.lock().recalled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            // The task has spun already.
            let mut policy = WaitPolicy::forever().spins(0).on_tick(&mut hook);
            let came = catch_unwind(AssertUnwindSafe(|| endpoint.wait(wait, &mut policy)));
            let mut state = self.state.lock();
            state.waits = None;
            state.recalled = false;
            let is_dead = came.is_err();
            match came {
                Ok(came) => state.back = Some((endpoint, (wait, came))),
                Err(_) => state.dead = true,
            }
            Self::tell(state);
            self.changed.notify_all();
            if is_dead {
                return;
            }
        }
    }

    /// Ends the thread.
    fn close(&self) {
        self.state.lock().closing = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<(E, E::Wait)> {
        let mut state = self.state.lock();
        loop {
            if let Some(given) = state.given.take() {
                return Some(given);
            }
            if state.closing {
                return None;
            }
            state = self.changed.wait(state);
        }
    }

    fn tell(mut state: MutexGuard<'_, State<E>>) {
        match std::mem::replace(&mut state.told, Told::Nowhere) {
            Told::Nowhere => {}
            // Under the lock, so that nobody clears it before it is set.
            Told::Descriptor(event) => event.set(),
            Told::Task(waker) => {
                // Without it: the waker can drop the task, and with it the endpoint that is back.
                drop(state);
                // What it drops can panic, and the thread is still needed.
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                    // And what it panicked with can panic in its turn.
                    std::mem::forget(panic);
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
