//! What a receiving bridge that has died has left: docs/protocol.md says where its intents are.

use shm_handoff::backend::memory::offsets::ring::{INTENTS_AT, RECORDS_AT};
use shm_handoff::backend::sysv::{Key, Segment};
use shm_handoff::sync::Ordering::Relaxed;

/// Its last intent: whether what that announces is in the ring, which the next writer has to find out.
pub(crate) fn look(key: Key, capacity: usize) -> &'static str {
    let Ok(segment) = Segment::open(key) else { return "intents gone" };
    let number = |place: usize| segment.double_word(place).load(Relaxed);
    let Some(place) = INTENTS_AT.into_iter().max_by_key(|place| number(*place)) else { return "intents gone" };
    // The number alone is stored as one word.
    let half = |at: usize| u64::from(segment.word(at).load(Relaxed));
    let [from, to, tail] = [16, 24, 32].map(|at| half(place + at) | half(place + at + 4) << 32);
    if number(place) == 0 {
        return "intents none";
    }
    if from == to {
        return "intents settled";
    }
    let offset = usize::try_from(tail % capacity as u64).expect("less than the capacity");
    // A record's first word is 0 until it is published.
    if segment.word(RECORDS_AT + offset).load(Relaxed) == 0 { "intents out" } else { "intents in" }
}
