//! The word that spares the peer of a side that sleeps a fence.

use crate::sync::AtomicU32;

/// The word by which the side that sleeps tells its peer that it has the *peer's* accesses
/// ordered as well before it sleeps: that spares the peer a fence for every record.
#[derive(Debug, Clone, Copy)]
pub struct PeerFences<'a> {
    /// 1: the side that sleeps makes a heavy fence. Stored by that side.
    pub word: &'a AtomicU32,
    /// What the peer looks at: the word, or none that is 1 where such a fence would not reach it.
    pub seen: Option<&'a AtomicU32>,
}

/// The word of a side whose heavy fence does not reach us.
#[cfg(not(model))]
pub(super) static NOT_REACHED: AtomicU32 = AtomicU32::new(0);
