//! What the two sides share: in ordinary builds laid out as a segment is, in a model atomic by atomic.

#[cfg(model)]
pub(super) use crate::backend::memory::modelled::RingWords as RingMemory;
#[cfg(model)]
use crate::backend::memory::modelled::SlotWords;
#[cfg(not(model))]
use crate::backend::memory::offsets::ring as at;
#[cfg(not(model))]
use crate::backend::memory::{Cell, Payload, WORD};
use crate::backend::memory::{RingView, SlotView};
#[cfg(loom)]
use crate::sync;
#[cfg(not(model))]
use crate::sync::{AtomicU32, AtomicU64};
#[cfg(not(model))]
use std::ptr::NonNull;
use std::sync::Arc;

#[cfg_attr(model, allow(clippy::large_enum_variant))] // its atomics are large, and there is one of these a channel
pub(super) enum Memory {
    #[cfg(not(model))]
    Slot {
        flag: AtomicU32,
        text: Box<[Cell]>,
    },
    #[cfg(model)]
    Slot(SlotWords),
    Ring(RingMemory),
}

/// A ring as a segment has it: the header and the records, in one piece.
#[cfg(not(model))]
pub(super) struct RingMemory {
    words: Box<[AtomicU64]>,
    longest: usize,
}

// SAFETY: the cells are the text and the records, reached through `Payload`
// alone, one word at a time; loom checks each access, and stops the model at a
// race before it happens. In ordinary builds the cells are atomics and this is
// derived.
#[cfg(loom)]
unsafe impl Sync for Memory {}

#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Slot {
        /// Bytes of the text, the NUL's included.
        text_len: usize,
    },
    Ring {
        capacity: usize,
        longest: usize,
        /// Where positions begin.
        start: u64,
        /// The sides have heavy fences.
        #[cfg(loom)]
        peer_fences: bool,
    },
}

impl Memory {
    pub(super) fn new(shape: Shape) -> Arc<Self> {
        let memory = Arc::new(match shape {
            #[cfg(not(model))]
            Shape::Slot { text_len } => {
                let text = (0..text_len / WORD).map(|_| Cell::new(0)).collect();
                Self::Slot { flag: AtomicU32::new(0), text }
            }
            #[cfg(model)]
            Shape::Slot { text_len } => Self::Slot(SlotWords::new(text_len)),
            #[cfg(loom)]
            Shape::Ring { capacity, longest, start, peer_fences } => {
                Self::Ring(RingMemory::new(capacity, longest, start, peer_fences))
            }
            #[cfg(not(loom))]
            Shape::Ring { capacity, longest, start } => Self::Ring(RingMemory::new(capacity, longest, start)),
        });
        #[cfg(loom)]
        memory.label();
        memory
    }

    pub(super) fn slot(&self) -> SlotView<'_> {
        match self {
            #[cfg(not(model))]
            Self::Slot { flag, text } => SlotView { flag, text: Payload::from_words(text) },
            #[cfg(model)]
            Self::Slot(slot) => slot.view(),
            Self::Ring(_) => unreachable!("a ring has no flag"),
        }
    }

    pub(super) fn ring(&self) -> RingView<'_> {
        let Self::Ring(ring) = self else { unreachable!("a slot has no ring") };
        ring.view()
    }

    /// Names each word, for the record of an execution.
    #[cfg(loom)]
    fn label(&self) {
        sync::trace().new_memory();
        match self {
            Self::Slot(slot) => slot.label(),
            Self::Ring(ring) => ring.label(),
        }
    }
}

#[cfg(not(model))]
impl RingMemory {
    fn new(capacity: usize, longest: usize, start: u64) -> Self {
        let words = at::size(capacity) / size_of::<u64>();
        let positions = [at::HEAD_AT, at::RELEASED_AT];
        let first = |word: usize| if positions.contains(&(word * size_of::<u64>())) { start } else { 0 };
        Self { words: (0..words).map(|word| AtomicU64::new(first(word))).collect(), longest }
    }

    fn view(&self) -> RingView<'_> {
        let capacity = self.words.len() * size_of::<u64>() - at::RECORDS_AT;
        let first = NonNull::from(&*self.words).cast::<u8>();
        // SAFETY: header and records are one allocation of atomics, aligned to 8, that stays for as long as it is
        // borrowed; `capacity` is the channel's, a power of two. No heavy fence is ever made.
        unsafe { RingView::from_raw(first.add(at::RECORDS_AT), capacity, self.longest, false) }
    }
}
