//! Where an endpoint is: with its task, or with the thread that waits in its place.
//!
//! A task must not block, and only a thread can sleep on a futex. So an endpoint that has to wait is handed to a thread
//! of its own, which runs the blocking library's wait, sleeps as that does, and hands the endpoint back. The task is
//! woken then, and does at once what it came for. Nothing is taken or sent by the thread, so a task that gives up has lost
//! nothing.
//!
//! ```text
//!   task     here ── wait ──▶ away            away ── recall ──▶ here
//!   thread          parks in the shared memory ──▶ back, and the task is woken
//! ```

use crate::endpoint::{Endpoint, no_thread};
use crate::event::Event;
use crate::sync::{Condvar, Mutex, MutexGuard, spawn};
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Interrupter;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What was waited for, and how that ended.
type Ended<E> = (<E as Endpoint>::Wait, Result<(), <E as Endpoint>::Error>);

/// What the thread gives back.
type Back<E> = (E, Ended<E>);

/// An endpoint, and the thread that waits for it.
pub(crate) struct Waiter<E: Endpoint> {
    /// `None`: the thread has it, or it was taken out.
    here: Option<E>,
    /// How the last wait ended, if nobody was told yet.
    ended: Option<Ended<E>>,
    /// From the first wait on.
    shared: Option<Arc<Shared<E>>>,
    interrupter: Interrupter,
    /// A forked child has neither the memory nor the thread.
    opened_by: u32,
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
    back: Option<Back<E>>,
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

/// Who is told that the endpoint is back.
enum Told {
    Nobody,
    Task(Waker),
    Descriptor(Arc<Event>),
}

impl<E: Endpoint> Waiter<E> {
    pub(crate) fn new(mut endpoint: E) -> Self {
        let mut waiter = Self::vacant(&mut endpoint);
        waiter.put(endpoint);
        waiter
    }

    /// For an endpoint that is to be [put](Self::put) here.
    pub(crate) fn vacant(endpoint: &mut E) -> Self {
        let interrupter = endpoint.interrupter();
        Self { here: None, ended: None, shared: None, interrupter, opened_by: std::process::id() }
    }

    /// The endpoint, unless the thread has it.
    #[inline]
    pub(crate) fn here(&mut self) -> Option<&mut E> {
        self.here.as_mut()
    }

    /// What was waited for last, and how that ended, if nobody was told yet. To be asked for whenever the endpoint has come
    /// back: an answer that is kept is one to a later question.
    pub(crate) fn take_ended(&mut self) -> Option<Ended<E>> {
        self.ended.take()
    }

    /// Ready when the endpoint is here. One that waits for anything but `wait` is recalled.
    pub(crate) fn poll_here(&mut self, context: &Context<'_>, wait: Option<E::Wait>) -> Poll<&mut E> {
        if self.here.is_none() {
            let shared = self.shared();
            let mut state = shared.state.lock();
            if let Some(back) = state.take_back() {
                drop(state);
                self.arrived(back);
            } else {
                state.told = Told::Task(context.waker().clone());
                let recall = state.waits != wait && !state.recalled;
                state.recalled |= recall;
                drop(state);
                if recall {
                    self.interrupter.interrupt();
                }
                return Poll::Pending;
            }
        }
        self.here.as_mut().map_or(Poll::Pending, Poll::Ready)
    }

    /// The endpoint, recalled if it is away. That takes some microseconds.
    pub(crate) fn recall(&mut self) -> &mut E {
        if self.here.is_none() {
            let shared = self.shared();
            let back = Self::await_back(&shared, &self.interrupter);
            self.arrived(back.expect("the thread that waits has panicked"));
        }
        self.here.as_mut().expect("it has arrived")
    }

    /// The endpoint, recalled if it is away, until it is [put](Self::put) back.
    pub(crate) fn take(&mut self) -> E {
        self.recall();
        self.here.take().expect("it was recalled")
    }

    pub(crate) fn put(&mut self, endpoint: E) {
        self.here = Some(endpoint);
    }

    /// Whether this is the process that made it, and not a child that it has forked.
    pub(crate) fn is_ours(&self) -> bool {
        std::process::id() == self.opened_by
    }

    /// Starts the thread, unless it runs.
    pub(crate) fn start(&mut self) -> Result<(), E::Error> {
        if self.shared.is_none() {
            let shared = Arc::new(Shared { state: Mutex::new(State::new()), changed: Condvar::default() });
            let theirs = Arc::clone(&shared);
            spawn(move || theirs.run()).map_err(|error| no_thread(&error))?;
            self.shared = Some(shared);
        }
        Ok(())
    }

    /// Hands the endpoint, which is here, to the thread.
    pub(crate) fn wait(&mut self, wait: E::Wait) -> Result<(), E::Error> {
        self.start()?;
        self.hand_over(wait, Told::Nobody);
        Ok(())
    }

    /// As [`wait`](Self::wait), with the thread [started](Self::start); the event is set when the endpoint is back.
    pub(crate) fn wait_and_tell(&mut self, wait: E::Wait, event: &Arc<Event>) {
        self.hand_over(wait, Told::Descriptor(Arc::clone(event)));
    }

    fn hand_over(&mut self, wait: E::Wait, told: Told) {
        self.ended = None;
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

    fn arrived(&mut self, (endpoint, ended): Back<E>) {
        self.here = Some(endpoint);
        self.ended = Some(ended);
    }

    /// Recalls what is away, and waits until it is back; `None`: it is lost, or was taken out.
    fn await_back(shared: &Shared<E>, interrupter: &Interrupter) -> Option<Back<E>> {
        let mut state = shared.state.lock();
        state.told = Told::Nobody;
        if state.waits.is_some() {
            state.recalled = true;
            drop(state);
            interrupter.interrupt();
            state = shared.state.lock();
        }
        while state.waits.is_some() {
            state = shared.changed.wait(state);
        }
        state.back.take()
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
        let Some(shared) = self.shared.take() else { return };
        if !self.is_ours() {
            // Its thread is the parent's, and may hold the lock for ever here.
            std::mem::forget(shared);
            return;
        }
        // Here, and not in the thread: when a drop is over, the seat is free.
        if self.here.is_none() {
            drop(Self::await_back(&shared, &self.interrupter));
        }
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
        Self { given: None, back: None, waits: None, recalled: false, closing: false, dead: false, told: Told::Nobody }
    }

    fn take_back(&mut self) -> Option<Back<E>> {
        assert!(!self.dead, "the thread that waits has panicked");
        self.back.take()
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
            let ended = catch_unwind(AssertUnwindSafe(|| endpoint.wait(wait, &mut policy)));
            let mut state = self.state.lock();
            state.waits = None;
            state.recalled = false;
            let is_dead = ended.is_err();
            match ended {
                Ok(ended) => state.back = Some((endpoint, (wait, ended))),
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
        match std::mem::replace(&mut state.told, Told::Nobody) {
            Told::Nobody => {}
            // Under the lock, so that nobody clears it before it is set.
            Told::Descriptor(event) => event.set(),
            Told::Task(waker) => {
                // Without it: the waker can drop the task, and with it the endpoint that is back.
                drop(state);
                // What it drops can panic, and the thread is still needed.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            }
        }
    }
}
