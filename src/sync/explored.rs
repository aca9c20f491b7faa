//! The explorer's: each operation asks it when it may be made, and a load what it sees. So the explorer of
//! `tests/lab` can take the sides through every order of their steps, stale reads included.

use super::Ordering;
use core::cell::Cell;
use core::panic::Location;
use std::ops::{Deref, DerefMut};

pub use std::thread_local;

/// Where in the source an operation is asked for.
pub type From = &'static Location<'static>;

/// What decides on each step. No order stands for a plain access.
pub trait Explore {
    /// A new word, and its number.
    fn place(&self, value: u64) -> usize;

    /// What the word is: its name, and its number among those of this name.
    fn label(&self, place: usize, name: &'static str, number: usize);

    /// The words that get their labels next are those of a new memory.
    fn new_memory(&self);

    /// What a load sees.
    fn load(&self, place: usize, order: Option<Ordering>, from: From) -> u64;

    /// A store.
    fn store(&self, place: usize, value: u64, order: Option<Ordering>, from: From);

    /// The newest value, as the kernel sees it.
    fn newest(&self, place: usize) -> u64;

    /// A fence.
    fn fence(&self, order: Ordering, from: From);

    /// The running side found nothing to do, and lets the others have their turn.
    fn yields(&self);

    /// The lock at this address is taken, and given back before the next step.
    fn locks(&self, lock: usize);

    /// The running side sleeps until somebody wakes it.
    fn sleeps(&self);

    /// All that sleep are woken.
    fn wakes(&self);
}

std::thread_local! {
    // All sides of an exercise run on one thread of the machine.
    static INSTALLED: Cell<Option<&'static dyn Explore>> = const { Cell::new(None) };
}

/// From here on `explorer` decides, on this thread of the machine.
pub fn install(explorer: &'static dyn Explore) {
    INSTALLED.set(Some(explorer));
}

/// What is installed.
pub(crate) fn trace() -> &'static dyn Explore {
    INSTALLED.get().expect("an explorer was installed")
}

macro_rules! atomic {
    ($name:ident, $word:ty) => {
        /// A word whose operations the explorer decides on.
        #[derive(Debug)]
        pub struct $name(usize);

        impl $name {
            /// As `core`'s.
            #[must_use]
            pub fn new(value: $word) -> Self {
                Self(trace().place(value.into()))
            }

            /// As `core`'s.
            #[must_use]
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $word {
                narrow(trace().load(self.0, Some(order), Location::caller()))
            }

            /// As `core`'s.
            #[track_caller]
            pub fn store(&self, value: $word, order: Ordering) {
                trace().store(self.0, value.into(), Some(order), Location::caller());
            }

            /// No other word has it.
            pub(crate) fn number(&self) -> usize {
                self.0
            }

            /// Says what this word is.
            pub(crate) fn label(&self, name: &'static str, number: usize) {
                trace().label(self.0, name, number);
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

fn narrow<T: TryFrom<u64>>(value: u64) -> T {
    T::try_from(value).ok().expect("a word holds what was stored there")
}

/// The word of a sleeper as the kernel looks at it.
pub(crate) fn as_the_kernel_sees(word: &AtomicU32) -> u32 {
    narrow(trace().newest(word.0))
}

/// An access without any order, as of C's plain `int`: the tutorial's flag.
pub(crate) mod plain {
    use super::{AtomicU32, Location, narrow, trace};

    #[track_caller]
    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        narrow(trace().load(flag.0, None, Location::caller()))
    }

    #[track_caller]
    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        trace().store(flag.0, value.into(), None, Location::caller());
    }
}

/// As `core`'s.
#[track_caller]
pub fn fence(order: Ordering) {
    trace().fence(order, Location::caller());
}

/// Lets the others have their turn.
pub fn yield_now() {
    trace().yields();
}

/// A spin is a yield: the others must get their turn.
pub fn spin_loop() {
    yield_now();
}

/// A lock that nobody holds while another side runs, for no step is taken behind it.
#[derive(Debug)]
pub struct Mutex<T>(parking_lot::Mutex<T>);

/// Gives the lock back.
#[derive(Debug)]
pub struct MutexGuard<'a, T>(parking_lot::MutexGuard<'a, T>, &'a Mutex<T>);

impl<T> Mutex<T> {
    /// A free lock around `value`.
    pub fn new(value: T) -> Self {
        Self(parking_lot::Mutex::new(value))
    }

    /// Takes the lock.
    ///
    /// # Panics
    /// If a side was stopped with it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        trace().locks(core::ptr::from_ref(self).addr());
        MutexGuard(self.0.try_lock().expect("no step is taken behind a lock"), self)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Where sides sleep.
#[derive(Debug, Default)]
pub struct Condvar;

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// Sleeps until another side notifies.
    #[must_use]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let MutexGuard(inner, mutex) = guard;
        drop(inner);
        trace().sleeps();
        mutex.lock()
    }

    /// Wakes all.
    pub fn notify_all(&self) {
        trace().wakes();
    }
}
