//! What the two sides share: in ordinary builds laid out as a segment is, in a model atomic by atomic.

#[cfg(loom)]
use crate::backend::memory::PeerFences;
#[cfg(model)]
use crate::backend::memory::Words;
#[cfg(not(model))]
use crate::backend::memory::offsets::ring as at;
use crate::backend::memory::{Cell, Payload, RingView, SlotView, WORD};
#[cfg(loom)]
use crate::sync;
use crate::sync::{AtomicU32, AtomicU64};
#[cfg(not(model))]
use std::ptr::NonNull;
use std::sync::Arc;

#[cfg_attr(model, allow(clippy::large_enum_variant))] // its atomics are large, and there is one of these a channel
pub(super) enum Memory {
    Slot { flag: AtomicU32, text: Box<[Cell]> },
    Ring(RingMemory),
}

/// A ring as a segment has it: the header and the records, in one piece.
#[cfg(not(model))]
pub(super) struct RingMemory {
    words: Box<[AtomicU64]>,
    longest: usize,
}

/// A ring's words.
#[cfg(model)]
pub(super) struct RingMemory {
    head: AtomicU64,
    released: AtomicU64,
    closed: AtomicU32,
    reader_parked: AtomicU32,
    writer_parked: AtomicU32,
    /// The reader's, and the writer's.
    #[cfg(loom)]
    pub(super) peer_fences: Option<[HeavyFence; 2]>,
    #[cfg(loom)]
    flags: Box<[AtomicU32]>,
    cells: Box<[Cell]>,
    longest: usize,
}

/// A side's heavy fence, where a model asks for it: the kernel that makes it is the model's
/// own, behind [`sync::trace()`]. (In ordinary builds each side has its own fence.)
#[cfg(loom)]
#[derive(Debug)]
pub(super) struct HeavyFence {
    word: AtomicU32,
    /// Whether the last answer was yes.
    pub(super) kept: std::cell::Cell<bool>,
    /// Whether the next sleep can miss a wake.
    pub(super) may_miss: std::cell::Cell<bool>,
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

fn cells(bytes: usize) -> Box<[Cell]> {
    (0..bytes / WORD).map(|_| Cell::new(0)).collect()
}

impl Memory {
    pub(super) fn new(shape: Shape) -> Arc<Self> {
        let memory = Arc::new(match shape {
            Shape::Slot { text_len } => Self::Slot { flag: AtomicU32::new(0), text: cells(text_len) },
            #[cfg(not(model))]
            Shape::Ring { capacity, longest, start } => Self::Ring(RingMemory::new(capacity, longest, start)),
            #[cfg(loom)]
            Shape::Ring { capacity, longest, start, peer_fences } => {
                Self::Ring(RingMemory::new(capacity, longest, start, peer_fences))
            }
            #[cfg(all(model, not(loom)))]
            Shape::Ring { capacity, longest, start } => Self::Ring(RingMemory::new(capacity, longest, start)),
        });
        #[cfg(loom)]
        memory.label();
        memory
    }

    pub(super) fn slot(&self) -> SlotView<'_> {
        let Self::Slot { flag, text } = self else { unreachable!("a ring has no flag") };
        SlotView { flag, text: Payload::from_words(text) }
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
            Self::Slot { flag, text } => {
                flag.label("written", 0);
                text.iter().enumerate().for_each(|(at, cell)| cell.label("text", at));
            }
            Self::Ring(ring) => {
                ring.flags.iter().enumerate().for_each(|(at, flag)| flag.label("flag", at));
                ring.cells.iter().enumerate().for_each(|(at, cell)| cell.label("text", at));
                ring.head.label("head", 0);
                ring.released.label("released", 0);
                ring.closed.label("closed", 0);
                ring.reader_parked.label("reader sleeps", 0);
                ring.writer_parked.label("writer sleeps", 0);
                if let Some([reader, writer]) = &ring.peer_fences {
                    reader.word.label("reader fences for both", 0);
                    writer.word.label("writer fences for both", 0);
                }
            }
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

#[cfg(model)]
impl RingMemory {
    fn new(capacity: usize, longest: usize, start: u64, #[cfg(loom)] peer_fences: bool) -> Self {
        Self {
            head: AtomicU64::new(start),
            released: AtomicU64::new(start),
            closed: AtomicU32::new(0),
            reader_parked: AtomicU32::new(0),
            writer_parked: AtomicU32::new(0),
            #[cfg(loom)]
            peer_fences: peer_fences.then(|| {
                sync::trace().kernel_fences();
                [(); 2].map(|()| HeavyFence {
                    word: AtomicU32::new(0),
                    kept: std::cell::Cell::default(),
                    may_miss: std::cell::Cell::default(),
                })
            }),
            #[cfg(loom)]
            flags: (0..capacity / 8).map(|_| AtomicU32::new(0)).collect(),
            cells: cells(capacity),
            longest,
        }
    }

    fn view(&self) -> RingView<'_> {
        let words = Words {
            head: &self.head,
            released: &self.released,
            closed: &self.closed,
            reader_parked: &self.reader_parked,
            writer_parked: &self.writer_parked,
            #[cfg(not(loom))]
            peer_fences: None,
            #[cfg(loom)]
            peer_fences: self.peer_fences.as_ref().map(|fences| {
                fences.each_ref().map(|HeavyFence { word, .. }| {
                    let seen = if sync::trace().is_reachable() { Some(word) } else { None };
                    PeerFences { word, seen }
                })
            }),
            #[cfg(loom)]
            flags: &self.flags,
            cells: &self.cells,
        };
        RingView::from_words(words, self.longest)
    }
}
