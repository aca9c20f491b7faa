//! Where a writer notes what it carries on from another ring.

use super::RingView;
#[cfg(not(model))]
use super::offsets::ring::INTENTS_AT;
use super::payload::Payload;
use crate::sync::AtomicU64;

/// One of the two places of an intent. The words are `protocol`'s to read and to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntentPlace<'a> {
    /// Which intent this is; 0: none was ever here. Stored last.
    pub(crate) number: &'a AtomicU64,
    /// Its five words.
    pub(crate) body: Payload<'a>,
}

/// Bytes of the five words.
pub(crate) const BODY: usize = 40;

impl<'a> RingView<'a> {
    /// The two places; `None`: nobody carries anything on into this model's ring.
    #[cfg(model)]
    pub(crate) fn intents(self) -> Option<[IntentPlace<'a>; 2]> {
        self.words.intents
    }

    /// The two places.
    #[cfg(not(model))]
    #[allow(clippy::unnecessary_wraps, reason = "a model's ring can have none")]
    pub(crate) fn intents(self) -> Option<[IntentPlace<'a>; 2]> {
        Some(INTENTS_AT.map(|place| {
            let number = self.header(place);
            // SAFETY: words of the header, valid for 'a and aligned, as `RingView::from_raw` has them; the body is the 40 bytes
            // behind the number, and the next place begins 128 bytes behind it.
            unsafe {
                let body = Payload::from_raw(number.add(size_of::<u64>()), BODY);
                IntentPlace { number: AtomicU64::from_ptr(number.cast()), body }
            }
        }))
    }
}
