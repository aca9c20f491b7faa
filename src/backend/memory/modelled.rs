//! Memory of a model, atomic by atomic: a checker's atomics can't be laid over bytes. What
//! [`InProc`](crate::backend::inproc::InProc) has in a model, and what lies in a segment of the simulated kernel.

#[cfg(loom)]
use super::PeerFences;
use super::header::{get, get_half};
use super::intent::{BODY as INTENT_BODY, IntentPlace};
use super::offsets::ring as at;
use super::payload::load;
use super::{Cell, Payload, RingView, SlotView, WORD, Words};
use crate::declare::Span;
#[cfg(loom)]
use crate::sync::trace;
use crate::sync::{AtomicU32, AtomicU64};

/// A slot's words.
#[derive(Debug)]
pub(crate) struct SlotWords {
    flag: AtomicU32,
    text: Box<[Cell]>,
}

/// A ring's words.
#[derive(Debug)]
pub(crate) struct RingWords {
    head: AtomicU64,
    released: AtomicU64,
    closed: AtomicU32,
    reader_parked: AtomicU32,
    writer_parked: AtomicU32,
    /// The reader's, and the writer's.
    #[cfg(loom)]
    pub(crate) peer_fences: Option<[HeavyFence; 2]>,
    #[cfg(loom)]
    flags: Box<[AtomicU32]>,
    cells: Box<[Cell]>,
    longest: usize,
    /// Where a model carries something on.
    intents: Option<Box<[Intent; 2]>>,
}

/// A place of an intent.
#[derive(Debug)]
struct Intent {
    number: AtomicU64,
    body: Box<[Cell]>,
}

/// A side's heavy fence, where a model asks for it: the kernel that makes it is the model's
/// own, behind [`sync::trace()`](crate::sync::trace). (In ordinary builds each side has its own fence.)
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct HeavyFence {
    word: AtomicU32,
    /// Whether the last answer was yes.
    pub(crate) kept: std::cell::Cell<bool>,
    /// Whether the next sleep can miss a wake.
    pub(crate) may_miss: std::cell::Cell<bool>,
}

/// The words of a declared slot: each is a cell, and the flag is an atomic beside them.
#[derive(Debug)]
pub(crate) struct DeclaredWords {
    /// A slot that nobody fills.
    closed: SlotWords,
    flag: AtomicU32,
    cells: Box<[Cell]>,
}

impl DeclaredWords {
    /// Of a struct of so many bytes, all zero.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { closed: SlotWords::new(WORD), flag: AtomicU32::new(0), cells: cells(bytes.next_multiple_of(WORD)) }
    }

    pub(crate) fn flag(&self) -> &AtomicU32 {
        &self.flag
    }

    pub(crate) fn closed(&self) -> SlotView<'_> {
        self.closed.view()
    }

    /// Of whole words: a model's declarations have no others.
    pub(crate) fn bytes(&self, span: Span) -> Payload<'_> {
        assert!(span.offset.is_multiple_of(WORD) && span.len.is_multiple_of(WORD), "{span} is not of whole words");
        Payload::from_words(&self.cells[span.offset / WORD..(span.offset + span.len) / WORD])
    }

    /// Names each word, for the record of an execution.
    #[cfg(any(loom, explored))]
    pub(crate) fn label(&self) {
        self.flag.label("written", 0);
        self.cells.iter().enumerate().for_each(|(at, cell)| cell.label("text", at));
    }
}

fn cells(bytes: usize) -> Box<[Cell]> {
    (0..bytes / WORD).map(|_| Cell::new(0)).collect()
}

impl SlotWords {
    /// With a text of so many bytes, all zero.
    pub(crate) fn new(text_len: usize) -> Self {
        Self { flag: AtomicU32::new(0), text: cells(text_len) }
    }

    pub(crate) fn flag(&self) -> &AtomicU32 {
        &self.flag
    }

    /// The word of the text that begins at byte `at`.
    pub(crate) fn text_bits(&self, at: usize) -> u32 {
        load(&self.text[at / WORD])
    }

    pub(crate) fn view(&self) -> SlotView<'_> {
        SlotView { flag: &self.flag, text: Payload::from_words(&self.text) }
    }

    /// Names each word, for the record of an execution.
    #[cfg(any(loom, explored))]
    pub(crate) fn label(&self) {
        self.flag.label("written", 0);
        self.text.iter().enumerate().for_each(|(at, cell)| cell.label("text", at));
    }
}

impl RingWords {
    /// Whose positions begin at `start`.
    pub(crate) fn new(capacity: usize, longest: usize, start: u64, #[cfg(loom)] peer_fences: bool) -> Self {
        Self {
            head: AtomicU64::new(start),
            released: AtomicU64::new(start),
            closed: AtomicU32::new(0),
            reader_parked: AtomicU32::new(0),
            writer_parked: AtomicU32::new(0),
            #[cfg(loom)]
            peer_fences: peer_fences.then(|| {
                trace().kernel_fences();
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
            intents: None,
        }
    }

    /// The same, into which something is carried on.
    pub(crate) fn with_intents(mut self) -> Self {
        self.intents = Some(Box::new([(); 2].map(|()| Intent { number: AtomicU64::new(0), body: cells(INTENT_BODY) })));
        self
    }

    pub(crate) fn view(&self) -> RingView<'_> {
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
                    let seen = if trace().is_reachable() { Some(word) } else { None };
                    PeerFences { word, seen }
                })
            }),
            intents: self.intents.as_ref().map(|intents| {
                intents
                    .each_ref()
                    .map(|Intent { number, body }| IntentPlace { number, body: Payload::from_words(body) })
            }),
            #[cfg(loom)]
            flags: &self.flags,
            cells: &self.cells,
        };
        RingView::from_words(words, self.longest)
    }

    /// The 32 bits at `offset` of a segment, of memory that nobody else is attached to.
    pub(crate) fn bits(&self, offset: usize) -> u32 {
        match offset {
            at::CLOSED_AT => get(&self.closed),
            at::READER_PARKED_AT => get(&self.reader_parked),
            at::WRITER_PARKED_AT => get(&self.writer_parked),
            _ if offset & !7 == at::HEAD_AT => get_half(&self.head, offset & 7),
            _ if offset & !7 == at::RELEASED_AT => get_half(&self.released, offset & 7),
            _ => offset.checked_sub(at::RECORDS_AT).map_or(0, |at| self.record_bits(at)),
        }
    }

    fn record_bits(&self, at: usize) -> u32 {
        #[cfg(loom)]
        if at.is_multiple_of(8) && get(&self.flags[at / 8]) != 0 {
            return get(&self.flags[at / 8]);
        }
        load(&self.cells[at / WORD])
    }

    /// Names each word, for the record of an execution.
    #[cfg(any(loom, explored))]
    pub(crate) fn label(&self) {
        #[cfg(loom)]
        self.flags.iter().enumerate().for_each(|(at, flag)| flag.label("flag", at));
        let cells = if cfg!(explored) { "ring" } else { "text" };
        self.cells.iter().enumerate().for_each(|(at, cell)| cell.label(cells, at));
        self.head.label("head", 0);
        self.released.label("released", 0);
        self.closed.label("closed", 0);
        self.reader_parked.label("reader sleeps", 0);
        self.writer_parked.label("writer sleeps", 0);
        for (at, Intent { number, body }) in self.intents.iter().flat_map(|intents| intents.iter().enumerate()) {
            number.label("intent", at);
            body.iter().enumerate().for_each(|(word, cell)| cell.label("intent's words", 16 * at + word));
        }
        #[cfg(loom)]
        if let Some([reader, writer]) = &self.peer_fences {
            reader.word.label("reader fences for both", 0);
            writer.word.label("writer fences for both", 0);
        }
    }
}
