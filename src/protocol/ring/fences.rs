//! The asymmetric fences between a store and a look at what the other side stores: who
//! publishes or gives back and then looks for a parked word, and who sets its parked word and
//! then looks for a record or for space.
//!
//! One of the two is on the way of every record, and the other one of a side that
//! is about to sleep, whom a microsecond more costs nothing. So the sleeper makes a heavy fence
//! for both, where the system lets it: it has every thread of both sides
//! fenced at once (Linux: `membarrier`), and says so in a word beside its parked word. As
//! long as that word is 1, the other side makes do with a light fence, which keeps the order in its program alone.
//!
//! A model has a kernel of its own for this, where it asks for it (`with_heavy_fences`). A
//! side that has no such fence any more takes the word back before it sleeps. A peer
//! that has not seen that yet may leave it asleep, for the 20 ms after which it
//! looks by itself; nothing else depends on a fence.

use crate::backend::RingBackend;
use crate::protocol::orders::{RELAXED, barrier};
use crate::sync::{AtomicU32, Ordering, compiler_fence};

/// Of a side that has stored what the peer may be waiting for. `peer_fences`: the peer's,
/// if it reaches us.
#[inline(always)]
#[cfg_attr(crash, track_caller)]
pub(super) fn light_fence(entry: Option<Ordering>, peer_fences: Option<&AtomicU32>) {
    match (entry, peer_fences) {
        (Some(order), Some(peer_fences)) if peer_fences.load(RELAXED) == 1 => compiler_fence(order),
        (entry, _) => barrier(entry),
    }
}

/// Of a side that has set its parked word. `peer_fences`: its own.
#[cfg_attr(crash, track_caller)]
pub(super) fn heavy_fence(backend: &impl RingBackend, entry: Option<Ordering>, peer_fences: Option<&AtomicU32>) {
    if let Some(peer_fences) = peer_fences
        && !backend.heavy_fence()
    {
        peer_fences.store(0, RELAXED);
    }
    barrier(entry);
}

/// Of a side that comes to a ring: the one before it may have had heavy fences where this one has none.
pub(super) fn offer_heavy_fence(backend: &impl RingBackend, peer_fences: Option<&AtomicU32>) {
    if let Some(peer_fences) = peer_fences {
        peer_fences.store(backend.heavy_fence().into(), RELAXED);
    }
}
