//! The fences between a store and a look at what the other side stores: who
//! publishes or gives back and then looks for a parked word, and who sets its parked word and
//! then looks for a record or for space.
//!
//! One of the two is on the way of every record, and the other one of a side that
//! is about to sleep, whom a microsecond more costs nothing. So the sleeper can do
//! it for both, where the system lets it: it has every thread of both sides
//! fenced at once (Linux: `membarrier`), and says so in a word beside its parked word. As
//! long as that word is 1, the other side keeps its order in the program alone.
//!
//! A model has a kernel of its own for this, where it asks for it (`promising`). A
//! side that can't keep its promise takes the word back before it sleeps. A peer
//! that has not seen that yet may leave it asleep, for the 20 ms after which it
//! looks by itself; nothing else depends on a fence.

use crate::backend::RingBackend;
use crate::protocol::orders::{RELAXED, barrier};
use crate::sync::{AtomicU32, Ordering, compiler_fence};

/// Of a side that has stored what the peer may be waiting for. `promise`: the peer's,
/// if it reaches us.
#[inline(always)]
#[cfg_attr(storm, track_caller)]
pub(super) fn light_fence(entry: Option<Ordering>, promise: Option<&AtomicU32>) {
    match (entry, promise) {
        (Some(order), Some(promise)) if promise.load(RELAXED) == 1 => compiler_fence(order),
        (entry, _) => barrier(entry),
    }
}

/// Of a side that has set its parked word. `promise`: its own.
#[cfg_attr(storm, track_caller)]
pub(super) fn before_the_last_look(backend: &impl RingBackend, entry: Option<Ordering>, promise: Option<&AtomicU32>) {
    if let Some(promise) = promise
        && !backend.fence_everywhere()
    {
        promise.store(0, RELAXED);
    }
    barrier(entry);
}

/// Of a side that comes to a ring: whoever had its seat may have promised more.
pub(super) fn promise(backend: &impl RingBackend, promise: Option<&AtomicU32>) {
    if let Some(promise) = promise {
        promise.store(backend.fence_everywhere().into(), RELAXED);
    }
}
