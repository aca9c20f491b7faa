//! What stands behind `shm_handoff::sync` in a model: notes each operation in the record.

use crate::{Action, Place, kernel, step, threads, with};
use loom::sync::atomic::AtomicU32;
use shm_handoff::sync::trace::{Trace, Watch};
use shm_handoff::sync::{self, Ordering};
use std::cell::Cell;

std::thread_local! {
    // All of a model's threads run on one thread of the machine.
    static ONE_WAY: Cell<bool> = const { Cell::new(false) };
    static WORDS: Cell<bool> = const { Cell::new(false) };
}

/// For models in which no side both loads and stores a word of a ring, but for
/// the parked words: those words need no marks, which cost executions.
pub fn ring_words_are_one_way(yes: bool) {
    ONE_WAY.set(yes);
}

/// Text made from now on, on this thread of the machine, is relaxed words, as on real
/// memory, instead of cells that loom checks for races. So an execution goes on past a
/// race, to what comes of it.
pub fn text_as_words(yes: bool) {
    WORDS.set(yes);
}

#[derive(Debug)]
pub(crate) struct Watcher;

impl Trace for Watcher {
    fn atomic(&self) -> Box<dyn Watch + Send> {
        // (Made now, by the thread that makes the word: else loom sees a race for them.)
        Box::new(Word { place: Cell::new(Place::Nowhere), marks: Some(Marks::new()), is_one_way: Cell::new(false) })
    }

    fn cell(&self) -> Box<dyn Watch + Send> {
        Box::new(Word { place: Cell::new(Place::Nowhere), marks: None, is_one_way: Cell::new(false) })
    }

    fn text_is_words(&self) -> bool {
        WORDS.get()
    }

    fn new_memory(&self) {
        with(|state| state.memories += 1);
    }

    fn fence(&self, order: Ordering) {
        step();
        with(|state| state.push(Action::Fence, Place::Nowhere, Some(order), None));
    }

    fn yields(&self) {
        step();
        with(|state| state.push(Action::Wait, Place::Nowhere, None, None));
    }

    fn awaits_lock(&self) {
        kernel::pay();
    }

    fn locked(&self, lock: usize) {
        with(|state| state.push(Action::Lock, Place::Lock(lock), None, None));
    }

    fn sleeps(&self, yes: bool) {
        kernel::rests(yes);
        if !yes {
            kernel::pay();
        }
    }

    fn kernel_call(&self, name: &'static str) {
        step();
        crate::note(name);
    }

    fn kernel_fences(&self) {
        kernel::starts();
    }

    fn is_reachable(&self) -> bool {
        kernel::reaches()
    }

    fn can_fence_others(&self) -> bool {
        kernel::serves()
    }

    fn heavy_fence(&self) {
        sync::fence(Ordering::SeqCst);
        kernel::fence_others(true);
    }

    fn time_passes(&self) {
        sync::yield_now();
        sync::fence(Ordering::SeqCst);
        kernel::fence_others(false);
    }
}

/// A word, or a cell of text.
#[derive(Debug)]
struct Word {
    place: Cell<Place>,
    marks: Option<Marks>,
    /// One side loads it and the other stores it: it needs no marks.
    is_one_way: Cell<bool>,
}

impl Word {
    fn marks(&self) -> Option<&Marks> {
        self.marks.as_ref().filter(|_| !self.is_one_way.get())
    }
}

impl Watch for Word {
    fn label(&self, name: &'static str, number: usize) {
        let memory = with(|state| state.memories).unwrap_or(1) - 1;
        let place = match name {
            "written" => Place::Flag(memory),
            "text" => Place::Text(memory, number),
            "flag" => Place::Record(memory, number),
            name => Place::Header(memory, name),
        };
        self.place.set(place);
        let is_one_way = match place {
            Place::Record(..) => true,
            Place::Header(_, name) => !["closed", "reader sleeps", "writer sleeps"].contains(&name),
            _ => false,
        };
        self.is_one_way.set(is_one_way && ONE_WAY.get());
    }

    fn before(&self, order: Option<Ordering>, stored: Option<u64>) {
        step();
        let action = if stored.is_some() { Action::Store } else { Action::Load };
        with(|state| state.begin(action, self.place.get(), order, stored));
        if order.is_some()
            && let Some(marks) = self.marks()
        {
            if stored.is_some() { marks.stores() } else { marks.loads() }
        }
    }

    fn after(&self, value: u64) {
        with(|state| state.complete(value));
    }

    fn kernel_looks(&self) {
        self.marks().into_iter().for_each(Marks::loads);
    }

    fn falls_asleep(&self) {
        with(|state| state.push(Action::Sleep, self.place.get(), None, None));
    }
}

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
struct Marks([AtomicU32; Self::THREADS]);

impl Marks {
    /// As many as loom has.
    const THREADS: usize = 5;

    fn new() -> Self {
        Self(core::array::from_fn(|_| AtomicU32::new(0)))
    }

    fn loads(&self) {
        self.0[threads().0].fetch_add(1, Ordering::Relaxed);
    }

    fn stores(&self) {
        let (me, threads) = threads();
        for other in (0..threads).filter(|other| *other != me) {
            self.0[other].fetch_add(1, Ordering::Relaxed);
        }
    }
}
