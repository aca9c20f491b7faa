//! shuttle's: sequentially consistent, so it checks logic and never orders, but
//! over long random schedules.

pub use shuttle::sync::MutexGuard;
pub use shuttle::sync::atomic::{AtomicU32, AtomicU64, fence};
pub use shuttle::thread::yield_now;
pub(crate) use shuttle::thread_local;

/// shuttle's mutex with `parking_lot`'s signature: a model has no poisoning.
#[derive(Debug)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    /// Waits for the lock.
    ///
    /// # Panics
    /// If another thread of the model panicked with it: the model has failed.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a model that panicked has ended")
    }
}

/// A spin is a yield: the other threads must get their turn.
pub fn spin_loop() {
    yield_now();
}

/// shuttle's, with `parking_lot`'s signature.
#[derive(Debug, Default)]
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    /// Waits until somebody notifies: without a bound, so that a model shows who
    /// would sleep forever.
    ///
    /// # Panics
    /// As [`Mutex::lock`].
    #[must_use]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).expect("a model that panicked has ended")
    }

    /// Ends all waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
