//! What the two sides share: in ordinary builds laid out as a segment is, in a model atomic by atomic.

#[cfg(model)]
pub(super) use crate::backend::memory::modelled::RingWords as RingMemory;
#[cfg(model)]
use crate::backend::memory::modelled::{DeclaredWords, SlotWords};
#[cfg(not(model))]
use crate::backend::memory::offsets::ring as at;
use crate::backend::memory::slot::AnySlot;
#[cfg(not(model))]
use crate::backend::memory::{Cell, Payload, WORD};
use crate::backend::memory::{DeclaredView, Geometry, RingView, SlotView, header};
#[cfg(any(loom, explored))]
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
    Declared {
        geometry: Arc<Geometry>,
        #[cfg(not(model))]
        words: Box<[AtomicU32]>,
        #[cfg(model)]
        words: DeclaredWords,
    },
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

#[derive(Debug, Clone)]
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
        /// Something is carried on into it.
        #[cfg(model)]
        carries: bool,
        /// The sides have heavy fences.
        #[cfg(loom)]
        peer_fences: bool,
    },
    Declared(Arc<Geometry>),
}

impl Memory {
    pub(super) fn new(shape: &Shape) -> Arc<Self> {
        let memory = Arc::new(match *shape {
            #[cfg(not(model))]
            Shape::Slot { text_len } => {
                let text = (0..text_len / WORD).map(|_| Cell::new(0)).collect();
                Self::Slot { flag: AtomicU32::new(0), text }
            }
            #[cfg(model)]
            Shape::Slot { text_len } => Self::Slot(SlotWords::new(text_len)),
            Shape::Ring {
                capacity,
                longest,
                start,
                #[cfg(model)]
                carries,
                #[cfg(loom)]
                peer_fences,
            } => {
                let ring = RingMemory::new(
                    capacity,
                    longest,
                    start,
                    #[cfg(loom)]
                    peer_fences,
                );
                #[cfg(model)]
                let ring = if carries { ring.with_intents() } else { ring };
                Self::Ring(ring)
            }
            Shape::Declared(ref geometry) => Self::new_declared(geometry),
        });
        #[cfg(any(loom, explored))]
        memory.label();
        memory
    }

    pub(super) fn slot(&self) -> SlotView<'_> {
        match self {
            #[cfg(not(model))]
            Self::Slot { flag, text } => SlotView { flag, text: Payload::from_words(text) },
            #[cfg(model)]
            Self::Slot(slot) => slot.view(),
            #[cfg(not(model))]
            Self::Declared { .. } => SlotView::closed(),
            #[cfg(model)]
            Self::Declared { words, .. } => words.closed(),
            Self::Ring(_) => unreachable!("no slot"),
        }
    }

    fn new_declared(geometry: &Arc<Geometry>) -> Self {
        #[cfg(not(model))]
        let words = (0..geometry.size().div_ceil(WORD)).map(|_| AtomicU32::new(0)).collect();
        #[cfg(model)]
        let words = DeclaredWords::new(geometry.size());
        let memory = Self::Declared { geometry: Arc::clone(geometry), words };
        if geometry.begins_full() {
            header::put_flag(memory.declared().flag(), memory.declared().empty());
        }
        memory
    }

    pub(super) fn is_classic(&self) -> bool {
        match self {
            #[cfg(not(model))]
            Self::Slot { .. } => true,
            #[cfg(model)]
            Self::Slot(_) => true,
            Self::Ring(_) | Self::Declared { .. } => false,
        }
    }

    pub(super) fn declared(&self) -> DeclaredView<'_> {
        let Self::Declared { geometry, words } = self else { unreachable!("no declared slot") };
        #[cfg(model)]
        return DeclaredView::from_words(words, geometry);
        // SAFETY: so many bytes at least, one allocation of atomics, aligned to 4, that stays for as long as it is borrowed,
        // and that nothing but this geometry's views reaches.
        #[cfg(not(model))]
        unsafe {
            DeclaredView::from_raw(NonNull::from(&**words).cast(), geometry.size(), geometry)
        }
    }

    pub(super) fn ring(&self) -> RingView<'_> {
        let Self::Ring(ring) = self else { unreachable!("no ring") };
        ring.view()
    }

    /// No other memory has it.
    #[cfg(explored)]
    pub(super) fn number(&self) -> usize {
        match self {
            Self::Slot(slot) => slot.flag().number(),
            Self::Ring(ring) => ring.view().head().number(),
            Self::Declared { words, .. } => words.flag().number(),
        }
    }

    /// Names each word, for the record of an execution.
    #[cfg(any(loom, explored))]
    fn label(&self) {
        sync::trace().new_memory();
        match self {
            Self::Slot(slot) => slot.label(),
            Self::Ring(ring) => ring.label(),
            Self::Declared { words, .. } => words.label(),
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
