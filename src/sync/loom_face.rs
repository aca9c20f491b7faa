//! loom's, every operation noted by the [`probe`] before it is made, and its
//! value after.

use super::{Ordering, probe};
use probe::Action;
use std::cell::Cell as StdCell;

pub use loom::sync::MutexGuard;

/// Makes a load and a later store of another thread a pair whose order is
/// explored both ways.
///
/// loom 0.7 remembers only the last access to an atomic. Where one thread
/// loads, and another loads and then stores, the second one's own load hides
/// the first one's from its store, and the executions in which the store comes
/// first are left out. So each thread's loads also leave a mark that the others'
/// stores meet: by read-modify-writes, which hide nothing from each other and,
/// being relaxed, order nothing.
#[derive(Debug)]
struct Marks([loom::sync::atomic::AtomicU32; Self::THREADS]);

impl Marks {
    /// As many as loom has.
    const THREADS: usize = 5;

    fn new() -> Self {
        Self(core::array::from_fn(|_| loom::sync::atomic::AtomicU32::new(0)))
    }

    fn loads(&self) {
        self.0[probe::who().0].fetch_add(1, Ordering::Relaxed);
    }

    fn stores(&self) {
        let (me, threads) = probe::who();
        for other in (0..threads).filter(|other| *other != me) {
            self.0[other].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// loom's atomic; plain accesses are held against each other by a cell that
/// stands beside it.
#[derive(Debug)]
pub struct AtomicU32 {
    word: loom::sync::atomic::AtomicU32,
    marks: Option<Marks>,
    plain: loom::cell::UnsafeCell<()>,
}

/// loom's, as [`AtomicU32`], without plain accesses.
#[derive(Debug)]
pub struct AtomicU64 {
    word: loom::sync::atomic::AtomicU64,
    marks: Option<Marks>,
}

std::thread_local! {
    // All of a model's threads run on one thread of the machine.
    static ONE_WAY: StdCell<bool> = const { StdCell::new(false) };
}

/// For models in which no side both loads and stores a word of a ring, but for
/// the parked words: those words need no marks, which cost executions.
#[doc(hidden)]
pub fn ring_words_are_one_way(yes: bool) {
    ONE_WAY.set(yes);
}

macro_rules! atomic {
    ($name:ident, $word:ty $(, $plain:ident)?) => {
        impl $name {
            /// As `core`'s.
            #[must_use]
            pub fn new(value: $word) -> Self {
                Self {
                    word: loom::sync::atomic::$name::new(value),
                    marks: Some(Marks::new()),
                    $($plain: loom::cell::UnsafeCell::new(()),)?
                }
            }

            /// A word of a ring that one side loads and the other stores.
            #[must_use]
            pub(crate) fn of_ring(value: $word) -> Self {
                Self { marks: (!ONE_WAY.get()).then(Marks::new), ..Self::new(value) }
            }

            /// As `core`'s.
            pub fn load(&self, order: Ordering) -> $word {
                probe::before(Action::Load, Some(order), self, None);
                self.marks.iter().for_each(Marks::loads);
                let value = self.word.load(order);
                probe::after(u64::from(value));
                value
            }

            /// As `core`'s.
            pub fn store(&self, value: $word, order: Ordering) {
                probe::before(Action::Store, Some(order), self, Some(u64::from(value)));
                self.marks.iter().for_each(Marks::stores);
                self.word.store(value, order);
                probe::after(u64::from(value));
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

/// The parked word as a kernel's futex looks at it: ordered by the lock around the
/// sleepers, and by nothing else. No operation of the process's: it can't die
/// there. Who sees a 1 falls asleep.
pub(crate) fn as_the_kernel_sees(parked: &AtomicU32) -> u32 {
    parked.marks.iter().for_each(Marks::loads);
    let seen = parked.word.load(Ordering::Relaxed);
    if seen == 1 {
        probe::falls_asleep(parked);
    }
    seen
}

/// As `core`'s.
pub fn fence(order: Ordering) {
    probe::fence(order);
    loom::sync::atomic::fence(order);
}

/// A full fence in every thread that runs and can be reached, as the kernel's
/// `membarrier` makes it: each has its own before its next operation, wherever it is, and
/// the one that asked goes on when all have had it. loom can't fence another thread; so
/// the others do it here, on their own.
pub(crate) fn heavy_fence() {
    fence(Ordering::SeqCst);
    probe::ask_for_fences(true);
    await_fences();
}

fn await_fences() {
    while probe::fences_are_owed() {
        loom::thread::yield_now();
        // Two can ask at once.
        probe::pay();
    }
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// More time passes than a store takes to be seen, by whomever.
pub(crate) fn time_passes() {
    yield_now();
    fence(Ordering::SeqCst);
    probe::ask_for_fences(false);
    await_fences();
}

/// What a model knows and no side of it.
#[derive(Debug, Default)]
#[allow(clippy::disallowed_types)] // loom must not see it
pub(crate) struct Known(std::sync::atomic::AtomicBool);

#[allow(clippy::disallowed_types)]
impl Known {
    /// Sets it; what it was before.
    pub(crate) fn replace(&self, yes: bool) -> bool {
        self.0.swap(yes, Ordering::Relaxed)
    }
}

/// An access without any order, as of C's plain `int`: the tutorial's flag.
pub(crate) mod plain {
    use super::{Action, AtomicU32, Ordering, probe};

    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        probe::before(Action::Load, None, flag, None);
        flag.plain.with(|_| ());
        let value = flag.word.load(Ordering::Relaxed);
        probe::after(u64::from(value));
        value
    }

    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        probe::before(Action::Store, None, flag, Some(u64::from(value)));
        flag.plain.with_mut(|_| ());
        flag.word.store(value, Ordering::Relaxed);
        probe::after(u64::from(value));
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
        probe::before(Action::Load, None, self, None);
        let value = match self {
            // SAFETY: the pointer is valid for the closure; loom stops the
            // model at any access that is not ordered after the last write.
            Self::Checked(cell) => cell.with(|word| unsafe { *word }),
            Self::Word(word) => word.load(Ordering::Relaxed),
        };
        probe::after(u64::from(value));
        value
    }

    pub(crate) fn set(&self, value: u32) {
        probe::before(Action::Store, None, self, Some(u64::from(value)));
        match self {
            // SAFETY: as above, for a write.
            Self::Checked(cell) => cell.with_mut(|word| unsafe { *word = value }),
            Self::Word(word) => word.store(value, Ordering::Relaxed),
        }
        probe::after(u64::from(value));
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
        probe::pay();
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

/// loom's, with `parking_lot`'s signature.
#[derive(Debug, Default)]
pub struct Condvar(loom::sync::Condvar);

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    /// Waits until somebody notifies: without a bound, so that a model shows who
    /// would sleep for ever.
    ///
    /// # Panics
    /// As [`Mutex::lock`].
    #[must_use]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        probe::resting(|| self.0.wait(guard).expect("a model that panicked has ended"))
    }

    /// Ends all waits.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
