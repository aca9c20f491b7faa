//! Intents: a writer that carries another ring's messages on notes which ones before it publishes them. A writer that comes
//! after it, a bridge or not, finds out by its walk whether they are in, and notes that: from then on it is known how far
//! of the other ring is here, so that none of it comes twice.
//!
//! ```text
//!   intent n      stream │ from ... to │ tail       stored at the one place
//!   publish       one store, at `tail`              the writer's walk ends behind `tail`: `to` is reached;
//!   intent n + 1  ...                  │ tail       at `tail`: it is not, and `from` is where that stands
//! ```
//!
//! Two places take turns. So a kill within the stores of one leaves the other, whose messages are in: they were published
//! before.

use crate::backend::RingView;
use crate::backend::memory::INTENT_BODY;
use crate::orders::{BEFORE_A_KILL, RELAXED};

/// How far of which other stream's messages were [carried on](crate::Writer::carry) into a ring.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// # use shm_handoff::Carried;
/// assert_eq!(writer.carried(), None);
/// writer.carry(7, 0, &[(16, b"hello")], &mut WaitPolicy::forever())?;
/// writer.close()?;
/// let mut next = Writer::<InProc>::open(&channel)?;
/// assert_eq!(next.carried(), Some(Carried { stream: 7, position: 16, ended: false }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Carried {
    /// The other ring's random number.
    pub stream: u64,
    /// The position there behind the last message that is here.
    pub position: u64,
    /// The last thing that is here is its end.
    pub ended: bool,
}

/// What is about to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Intent {
    pub(super) stream: u64,
    /// Positions of the other ring.
    pub(super) from: u64,
    pub(super) to: u64,
    /// Where the first record goes, in this ring.
    pub(super) tail: u64,
    pub(super) ended: bool,
}

/// What is in, by an intent and a walk that has ended at `tail`.
fn judge(found: Intent, tail: u64) -> Carried {
    let is_in = found.from == found.to || found.tail != tail;
    let position = if is_in { found.to } else { found.from };
    Carried { stream: found.stream, position, ended: found.ended && is_in }
}

/// The same for a side that only looks: a writer that is at work can have gone on in between.
#[cfg(all(feature = "cli", not(model)))]
pub(super) fn seen(ring: RingView<'_>, tail: u64) -> Option<Carried> {
    Some(judge(newest(ring)?.1, tail))
}

/// What a writer that comes does first, whose walk has ended at `tail`: if the last intent is an open one, it is settled before
/// anything is appended. Afterwards the walk would tell nothing of it any more.
pub(super) fn settle(ring: RingView<'_>, tail: u64) {
    let Some((number, found)) = newest(ring) else { return };
    if found.from != found.to {
        let Carried { stream, position, ended } = judge(found, tail);
        store(ring, number, Intent { stream, from: position, to: position, tail, ended });
    }
}

/// Notes what is published next, by a writer that has settled what was there.
pub(super) fn note(ring: RingView<'_>, intent: Intent) {
    store(ring, newest(ring).map_or(0, |(number, _)| number), intent);
}

/// What is in, by all that this writer has found and published.
pub(super) fn carried(ring: RingView<'_>) -> Option<Carried> {
    let (_, Intent { stream, to, ended, .. }) = newest(ring)?;
    Some(Carried { stream, position: to, ended })
}

/// Stores an intent. `number` is that of the newest one, and the place is that of the older one.
fn store(ring: RingView<'_>, number: u64, intent: Intent) {
    // (A checker's rings have places where a model carries something on. Any other ring has them.)
    let Some(places) = ring.intents() else { unreachable!("this model's ring has no place for an intent") };
    let number = number.wrapping_add(1).max(1);
    let place = places[index(number)];
    place.body.write_bytes(&intent.to_bytes());
    place.number.store(number, BEFORE_A_KILL);
}

/// Where an intent of that number is noted.
fn index(number: u64) -> usize {
    usize::from(number.is_multiple_of(2))
}

/// The intent that counts, if there ever was one.
fn newest(ring: RingView<'_>) -> Option<(u64, Intent)> {
    let numbered = ring.intents()?.map(|place| (place.number.load(RELAXED), place));
    let (number, place) = numbered.into_iter().max_by_key(|(number, _)| *number)?;
    if number == 0 {
        return None;
    }
    let mut bytes = [0; INTENT_BODY];
    place.body.read_bytes(&mut bytes);
    Some((number, Intent::from_bytes(&bytes)))
}

impl Intent {
    fn to_bytes(self) -> [u8; INTENT_BODY] {
        let words = [self.stream, self.from, self.to, self.tail, u64::from(self.ended)];
        let mut bytes = [0; INTENT_BODY];
        for (at, word) in bytes.chunks_exact_mut(8).zip(words) {
            at.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; INTENT_BODY]) -> Self {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[8 * at..8 * at + 8]);
            u64::from_ne_bytes(word)
        };
        Self { stream: word(0), from: word(1), to: word(2), tail: word(3), ended: word(4) != 0 }
    }
}
