//! loom's, each operation shown to [`trace`] before it is made, and its value after.

use super::Ordering;
use super::trace::Watch;
pub(crate) use super::trace::trace;
use loom::cell::UnsafeCell;
use loom::sync::atomic;

pub use loom::sync::MutexGuard;
pub(crate) use loom::thread_local;

type Watched = Box<dyn Watch + Send>;

fn load<T: Copy + Into<u64>>(watched: &Watched, order: Option<Ordering>, load: impl FnOnce() -> T) -> T {
    watched.before(order, None);
    let value = load();
    watched.after(value.into());
    value
}

fn store<T: Copy + Into<u64>>(watched: &Watched, order: Option<Ordering>, value: T, store: impl FnOnce(T)) {
    watched.before(order, Some(value.into()));
    store(value);
    watched.after(value.into());
}

macro_rules! atomic {
    ($name:ident, $word:ty $(, $plain:ident)?) => {
        /// loom's atomic. Plain accesses are held against each other by the cell beside it.
        #[derive(Debug)]
        pub struct $name {
            word: atomic::$name,
            $($plain: UnsafeCell<()>,)?
            watched: Watched,
        }

        impl $name {
            /// As `core`'s.
            #[must_use]
            pub fn new(value: $word) -> Self {
                Self { word: atomic::$name::new(value), $($plain: UnsafeCell::new(()),)? watched: trace().atomic() }
            }

            /// As `core`'s.
            pub fn load(&self, order: Ordering) -> $word {
                load(&self.watched, Some(order), || self.word.load(order))
            }

            /// As `core`'s.
            pub fn store(&self, value: $word, order: Ordering) {
                store(&self.watched, Some(order), value, |value| self.word.store(value, order));
            }

            /// Says what this word is, for those who read of it.
            pub(crate) fn label(&self, name: &'static str, number: usize) {
                self.watched.label(name, number);
            }
        }
    };
}

atomic!(AtomicU32, u32, plain);
atomic!(AtomicU64, u64);

impl AtomicU32 {
    /// A store by the model itself, which is no operation of the protocol's.
    pub(crate) fn spoil(&self, value: u32) {
        self.word.store(value, Ordering::Relaxed);
    }
}

/// The word of a sleeper as a kernel's futex looks at it: ordered by the lock around the sleepers, and
/// by nothing else. The side that sees a 1 falls asleep.
pub(crate) fn as_the_kernel_sees(word: &AtomicU32) -> u32 {
    word.watched.kernel_looks();
    let seen = word.word.load(Ordering::Relaxed);
    if seen == 1 {
        word.watched.falls_asleep();
    }
    seen
}

/// An access without any order, as of C's plain `int`: the tutorial's flag.
pub(crate) mod plain {
    use super::{AtomicU32, Ordering};

    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        super::load(&flag.watched, None, || {
            flag.plain.with(|_| ());
            flag.word.load(Ordering::Relaxed)
        })
    }

    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        super::store(&flag.watched, None, value, |value| {
            flag.plain.with_mut(|_| ());
            flag.word.store(value, Ordering::Relaxed);
        });
    }
}

/// One word of text.
#[derive(Debug)]
pub(crate) struct Cell(Text, Watched);

#[derive(Debug)]
enum Text {
    Checked(UnsafeCell<u32>),
    Word(atomic::AtomicU32),
}

impl Cell {
    pub(crate) fn new(value: u32) -> Self {
        let text = if trace().text_is_words() {
            Text::Word(atomic::AtomicU32::new(value))
        } else {
            Text::Checked(UnsafeCell::new(value))
        };
        Self(text, trace().cell())
    }

    pub(crate) fn get(&self) -> u32 {
        load(&self.1, None, || match &self.0 {
            // SAFETY: the pointer is valid for the closure; loom stops the model at any access that is
            // not ordered after the last write.
            Text::Checked(cell) => cell.with(|word| unsafe { *word }),
            Text::Word(word) => word.load(Ordering::Relaxed),
        })
    }

    pub(crate) fn set(&self, value: u32) {
        store(&self.1, None, value, |value| match &self.0 {
            // SAFETY: as above, for a write.
            Text::Checked(cell) => cell.with_mut(|word| unsafe { *word = value }),
            Text::Word(word) => word.store(value, Ordering::Relaxed),
        });
    }

    pub(crate) fn label(&self, name: &'static str, number: usize) {
        self.1.label(name, number);
    }
}

/// As `core`'s.
pub fn fence(order: Ordering) {
    trace().fence(order);
    atomic::fence(order);
}

/// Lets the other threads have their turn.
pub fn yield_now() {
    trace().yields();
    loom::thread::yield_now();
}

/// A spin is a yield: the other threads must get their turn.
pub fn spin_loop() {
    yield_now();
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
        trace().awaits_lock();
        let guard = self.0.lock().expect("a model that panicked has ended");
        trace().locked(core::ptr::from_ref(self).addr());
        guard
    }
}

/// loom's, with `parking_lot`'s signature.
#[derive(Debug, Default)]
pub struct Condvar(loom::sync::Condvar);

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    /// Waits until another thread notifies: without a bound, so that a model shows a side that would
    /// sleep forever.
    ///
    /// # Panics
    /// As [`Mutex::lock`].
    #[must_use]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        trace().sleeps(true);
        let guard = self.0.wait(guard).expect("a model that panicked has ended");
        trace().sleeps(false);
        guard
    }

    /// Ends all waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
