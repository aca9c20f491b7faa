//! How a side sleeps and is woken: the parked words and the asymmetric fence, with every atomic
//! operation on them, for both directions.
//!
//! A side that is about to sleep sets its *parked* word and then polls once more; a side that has
//! stored what the other may be waiting for then looks at that word. A fence on each side, between
//! its store and its look, makes sure that one of the two sees the other.
//!
//! One of the two fences is on the way of every record, and the other one is that of a side which is
//! about to sleep, where a microsecond more costs nothing. So the side that sleeps can
//! fence for both, where the system lets it: a *heavy* fence orders all threads of both sides at once
//! (Linux: `membarrier`), and the word `peer_fences` beside the parked word says so. As long as that
//! word is 1, the other side's fence is *light*: it keeps its order in the program alone.
//!
//! A model has a kernel of its own for this, where it asks for it. A side whose heavy
//! fence fails takes its word back before it sleeps. A peer that has not seen that yet may leave it
//! asleep, for the 20 ms after which it polls by itself; nothing else depends on a fence.

use crate::backend::{Backend, PeerFences, RingView};
use crate::orders::{RELAXED, barrier};
use crate::sync::{AtomicU32, Ordering, compiler_fence};
use std::time::Duration;

/// Of a side whose peer makes no heavy fence.
#[cold]
#[cfg_attr(any(crash, explored), track_caller)]
fn full_fence(fence: Option<Ordering>) {
    barrier(fence);
}

/// What one side sleeps on, and the other wakes it by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    /// 1 while the side sleeps, or is about to.
    parked: &'a AtomicU32,
    /// Of the side that sleeps.
    fences: Option<PeerFences<'a>>,
}

impl<'a> Event<'a> {
    /// What the reader sleeps on.
    #[inline(always)]
    pub(super) fn of_reader(ring: RingView<'a>) -> Self {
        Self { parked: ring.reader_parked(), fences: ring.reader_fences() }
    }

    /// What the writer sleeps on.
    #[inline(always)]
    pub(super) fn of_writer(ring: RingView<'a>) -> Self {
        Self { parked: ring.writer_parked(), fences: ring.writer_fences() }
    }

    /// Of the side that has stored what the other one may be waiting for: whether that one is to be
    /// woken.
    #[inline(always)]
    #[cfg_attr(any(crash, explored), track_caller)]
    pub(super) fn is_awaited(self, fence: Option<Ordering>) -> bool {
        match (fence, self.fences.and_then(|fences| fences.seen)) {
            (Some(order), Some(seen)) if seen.load(RELAXED) == 1 => compiler_fence(order),
            (fence, _) => full_fence(fence),
        }
        self.parked.load(RELAXED) != 0
    }

    /// Wakes the side that sleeps; whether it did sleep. Else it was about to, or it has left this
    /// memory with its word set.
    pub(super) fn wake<B: Backend>(self, memory: &B) -> bool {
        self.parked.store(0, RELAXED);
        memory.unpark(self.parked)
    }

    /// Of the side that is about to sleep, before it polls for the last time.
    #[cfg_attr(any(crash, explored), track_caller)]
    pub(super) fn prepare<B: Backend>(self, memory: &B, fence: Option<Ordering>) {
        self.parked.store(1, RELAXED);
        if let Some(fences) = self.fences
            && !memory.heavy_fence()
        {
            fences.word.store(0, RELAXED);
        }
        barrier(fence);
    }

    /// Sleeps after [`prepare`](Self::prepare), unless woken since, for `longest` at most; not at all
    /// where there was something to find.
    pub(super) fn park<B: Backend>(self, memory: &B, idle: bool, longest: Duration) {
        if idle {
            memory.park(self.parked, longest);
        }
        self.parked.store(0, RELAXED);
    }

    /// Of a side that comes to a ring: what the last holder of its seat said of its own sleep may
    /// not hold any more.
    pub(super) fn announce<B: Backend>(self, memory: &B) {
        if let Some(fences) = self.fences {
            fences.word.store(memory.heavy_fence().into(), RELAXED);
        }
    }
}
