//! A sleep that another thread of this process can end.

use super::kernel;
use crate::backend::interrupt::Interrupt;
use crate::backend::memory::header;
use crate::sync::{AtomicU32, Mutex};
use std::ptr::NonNull;
use std::time::Duration;

/// The word that an endpoint sleeps on, lent to the threads that may wake it.
#[derive(Debug)]
pub(super) struct Bed {
    state: Mutex<State>,
    /// 1 while the endpoint sleeps where no peer wakes it.
    nap: AtomicU32,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody slept when an interrupt came: the next sleep does not begin.
    is_due: bool,
    /// The word that a sleeper sleeps on while it is 1.
    asleep_on: Option<NonNull<AtomicU32>>,
}

// SAFETY: the word is reached under the lock alone, while the thread that lent it is within `sleep_on`.
unsafe impl Send for State {}

impl Bed {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::default()), nap: AtomicU32::new(0) }
    }

    /// Sleeps while the word is 1, for `longest` at most, and not beyond an interrupt.
    pub(super) fn sleep_on(&self, word: &AtomicU32, longest: Duration) {
        {
            let mut state = self.state.lock();
            if std::mem::take(&mut state.is_due) {
                return;
            }
            state.asleep_on = Some(NonNull::from(word));
        }
        kernel::futex_wait(word, 1, longest);
        self.state.lock().asleep_on = None;
    }

    /// Sleeps for `longest` at most, and not beyond an interrupt.
    pub(super) fn sleep(&self, longest: Duration) {
        header::put(&self.nap, 1);
        self.sleep_on(&self.nap, longest);
    }
}

impl Interrupt for Bed {
    fn interrupt(&self) {
        let mut state = self.state.lock();
        match state.asleep_on {
            None => state.is_due = true,
            Some(word) => {
                // SAFETY: `sleep_on` borrows the word until it has taken it back, for which it needs the lock.
                let word = unsafe { word.as_ref() };
                // As a peer wakes: a sleeper that is not asleep yet sees that it is not to sleep.
                header::put(word, 0);
                kernel::futex_wake(word);
            }
        }
    }
}
