//! loom's, every operation noted by the [`probe`] before it is made, and its
//! value after.

use super::{Ordering, probe};
use probe::Action;
use std::cell::Cell as StdCell;

pub use loom::sync::MutexGuard;

/// Makes every two accesses to a place a pair whose order is explored.
///
/// loom 0.7 remembers only the last access to an atomic. Where one thread
/// loads, and another loads and then stores, the second one's own load hides
/// the first one's from its store, and the executions in which the store comes
/// first are left out. A read-modify-write hides nothing: it stands against all
/// others. Being relaxed, and of a word of its own, it orders nothing.
#[derive(Debug)]
struct Turnstile(loom::sync::atomic::AtomicU32);

impl Turnstile {
    fn new() -> Self {
        Self(loom::sync::atomic::AtomicU32::new(0))
    }

    fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// loom's atomic; plain accesses are held against each other by a cell that
/// stands beside it.
#[derive(Debug)]
pub struct AtomicU32 {
    word: loom::sync::atomic::AtomicU32,
    turnstile: Turnstile,
    plain: loom::cell::UnsafeCell<()>,
}

impl AtomicU32 {
    /// As `core`'s.
    #[must_use]
    pub fn new(value: u32) -> Self {
        Self { word: loom::sync::atomic::AtomicU32::new(value), turnstile: Turnstile::new(), plain: loom::cell::UnsafeCell::new(()) }
    }

    /// As `core`'s.
    pub fn load(&self, order: Ordering) -> u32 {
        let noted = probe::before(Action::Load, Some(order), self, None);
        self.turnstile.pass();
        probe::after(noted, self.word.load(order))
    }

    /// As `core`'s.
    pub fn store(&self, value: u32, order: Ordering) {
        probe::before(Action::Store, Some(order), self, Some(value));
        self.turnstile.pass();
        self.word.store(value, order);
    }
}

/// An access without any order, as of C's plain `int`: the tutorial's flag.
pub(crate) mod plain {
    use super::{Action, AtomicU32, Ordering, probe};

    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        let noted = probe::before(Action::Load, None, flag, None);
        flag.plain.with(|_| ());
        probe::after(noted, flag.word.load(Ordering::Relaxed))
    }

    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        probe::before(Action::Store, None, flag, Some(value));
        flag.plain.with_mut(|_| ());
        flag.word.store(value, Ordering::Relaxed);
    }
}

std::thread_local! {
    // All of a model's threads run on one thread of the machine.
    static WORDS: StdCell<bool> = const { StdCell::new(false) };
}

/// For models: text made from now on, on this thread of the machine, is relaxed
/// words, as on real memory, instead of cells that loom checks for races. So an
/// execution goes on past a race, to what comes of it.
#[doc(hidden)]
pub fn text_as_words(yes: bool) {
    WORDS.set(yes);
}

/// One word of text.
#[derive(Debug)]
pub(crate) enum Cell {
    Checked(loom::cell::UnsafeCell<u32>),
    Word(loom::sync::atomic::AtomicU32),
}

impl Cell {
    pub(crate) fn new(value: u32) -> Self {
        if WORDS.get() {
            Self::Word(loom::sync::atomic::AtomicU32::new(value))
        } else {
            Self::Checked(loom::cell::UnsafeCell::new(value))
        }
    }

    pub(crate) fn get(&self) -> u32 {
        let noted = probe::before(Action::Load, None, self, None);
        let value = match self {
            // SAFETY: the pointer is valid for the closure; loom stops the
            // model at any access that is not ordered after the last write.
            Self::Checked(cell) => cell.with(|word| unsafe { *word }),
            Self::Word(word) => word.load(Ordering::Relaxed),
        };
        probe::after(noted, value)
    }

    pub(crate) fn set(&self, value: u32) {
        probe::before(Action::Store, None, self, Some(value));
        match self {
            // SAFETY: as above, for a write.
            Self::Checked(cell) => cell.with_mut(|word| unsafe { *word = value }),
            Self::Word(word) => word.store(value, Ordering::Relaxed),
        }
    }
}

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
        let guard = self.0.lock().expect("a model that panicked has ended");
        probe::locked(self);
        guard
    }
}

/// Lets the other threads have their turn.
pub fn yield_now() {
    probe::wait();
    loom::thread::yield_now();
}

/// Under loom a spin is a yield: the other threads must get their turn.
pub fn spin_loop() {
    yield_now();
}
