//! The only door to atomics, cells, locks and time.
//!
//! In ordinary builds everything here is `core`'s or `parking_lot`'s; under
//! `--cfg loom` it is loom's, so that the code that is model-checked is the
//! code that ships. `clippy.toml` bans the originals everywhere else.
#![allow(clippy::disallowed_types)] // this file is the door

pub use core::sync::atomic::Ordering;

#[cfg(not(loom))]
mod face {
    pub use core::sync::atomic::AtomicU32;
    pub use parking_lot::{Condvar, Mutex};
    pub use std::thread::yield_now;
    use std::time::Instant;

    /// Tells the processor that this is a spin loop (`pause` on x86).
    #[inline]
    pub fn spin_loop() {
        core::hint::spin_loop();
    }

    /// The present moment.
    #[must_use]
    pub fn now() -> Instant {
        Instant::now()
    }
}

#[cfg(loom)]
mod face {
    pub use loom::cell::UnsafeCell;
    pub use loom::sync::MutexGuard;
    pub use loom::sync::atomic::AtomicU32;
    pub use loom::thread::yield_now;
    use std::sync::OnceLock;
    use std::time::Instant;

    /// loom's mutex with `parking_lot`'s signature: a model has no poisoning.
    #[derive(Debug)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        /// A free lock around `value`.
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        /// Waits for the lock.
        ///
        /// # Panics
        /// If another thread of the model panicked with it: the model has failed.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model that panicked has ended")
        }
    }

    /// Under loom a spin is a yield: the other threads must get their turn.
    pub fn spin_loop() {
        yield_now();
    }

    /// Time stands still in a model: whatever depended on it could not be
    /// replayed.
    #[must_use]
    pub fn now() -> Instant {
        static ONLY: OnceLock<Instant> = OnceLock::new();
        *ONLY.get_or_init(Instant::now)
    }
}

pub use face::*;
