//! The locks, the thread and the process: `parking_lot`'s, `std`'s and the library's, or those of the model checker.

#[cfg(not(loom))]
mod face {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use shm_handoff::backend::sysv::Home;
    use std::io;

    /// `parking_lot`'s, with `std`'s signature.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(parking_lot::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(&mut guard);
            guard
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    /// Starts a thread that no signal is delivered to: they are the program's own threads'.
    pub(crate) fn spawn(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let run = || {
            // What it can fail by is an unknown "how".
            let _ = nix::sys::signal::SigSet::all().thread_block();
            run();
        };
        std::thread::Builder::new().name("shm-handoff".to_owned()).spawn(run).map(drop)
    }
}

#[cfg(loom)]
mod face {
    pub(crate) use loom::sync::MutexGuard;
    use std::io;

    /// A model has one process.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Home;

    impl Home {
        pub(crate) fn here() -> Self {
            Self
        }
    }

    /// loom's, with `parking_lot`'s signature.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model that panicked has ended")
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(guard).expect("a model that panicked has ended")
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "as the other face")]
    pub(crate) fn spawn(run: impl FnOnce() + 'static) -> io::Result<()> {
        loom::thread::spawn(run);
        Ok(())
    }
}

pub(crate) use face::*;
