//! What the fuzz targets do (`fuzz/`, which needs nightly), and what `tests/corpus.rs` does
//! with the inputs that they found (which does not): a reader or a writer on memory with any
//! contents, in an allocation of exactly a segment's size, which other memory follows at
//! once under `AddressSanitizer`. Whatever lies there: no panic, no wait that was told not
//! to be one, no access beyond, and no more memory asked for than such a segment can need.
//!
//! (`tests/conformance` uses it for a status check that says what it is told to.)
//!
//! The first bytes of an input say what is done, two each; then comes the memory.

#![allow(dead_code)] // each target uses a part of it

use shm_handoff::backend::memory::offsets::{SLOT, ring as layout};
use shm_handoff::backend::memory::{Payload, RingView, SlotView};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::declare::{self, Declared, HeaderFile, Span};
use shm_handoff::sync::{AtomicU32, AtomicU64, Ordering};
use shm_handoff::{Error, Reader, Ring, Role, Slot, WaitPolicy, Writer};
use std::alloc::{self, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

/// Bytes for records of the rings here: two kilobytes of input can say all of it.
const CAPACITY: usize = 2048;
/// What is done at most.
const ACTIONS: usize = 48;

/// An allocation of exactly a segment's size, aligned as one.
pub(crate) struct Memory {
    first: *mut u8,
    layout: alloc::Layout,
}

impl Memory {
    fn new(size: usize) -> Rc<Self> {
        let layout = alloc::Layout::from_size_align(size, 4096).expect("a page is a power of two");
        // SAFETY: of some size.
        let first = unsafe { alloc_zeroed(layout) };
        if first.is_null() {
            handle_alloc_error(layout);
        }
        Rc::new(Self { first, layout })
    }

    fn words(&self) -> &[AtomicU32] {
        // SAFETY: so many words, aligned, as long as we are there.
        unsafe { std::slice::from_raw_parts(self.first.cast(), self.layout.size() / 4) }
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        &self.words()[at / 4]
    }

    fn double_word(&self, at: usize) -> &AtomicU64 {
        assert!(layout::has_wide(at, at + 8) && at + 8 <= self.layout.size());
        // SAFETY: within, aligned, and reached in this size alone.
        unsafe { AtomicU64::from_ptr(self.first.add(at).cast()) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made with this layout, and nobody refers to it any more.
        unsafe { dealloc(self.first, self.layout) };
    }
}

/// Memory and what a status check says of it.
#[derive(Clone)]
pub(crate) struct Place {
    memory: Rc<Memory>,
    layout: Layout,
    status: Rc<Cell<PeerStatus>>,
    /// Whether a removal is refused; what `closed` was at the last one that was not.
    refuses: Rc<Cell<bool>>,
    closed: Rc<Cell<Option<u32>>>,
}

impl Place {
    fn new(memory: Rc<Memory>, layout: Layout, bits: u8) -> Self {
        let status = Rc::new(Cell::new(status(bits)));
        Self { memory, layout, status, refuses: Rc::default(), closed: Rc::default() }
    }

    /// A ring of which nothing is used yet.
    pub(crate) fn empty_ring() -> Self {
        a_ring(&[])
    }

    /// From now on a status check says this.
    pub(crate) fn says(&self, status: PeerStatus) {
        self.status.set(status);
    }

    /// From now on the memory can't be removed, or it can again.
    pub(crate) fn refuses(&self, refuses: bool) {
        self.refuses.set(refuses);
    }

    /// What a ring's `closed` was when it was removed; `None`: it was not.
    pub(crate) fn closed_when_removed(&self) -> Option<u32> {
        self.closed.get()
    }
}

/// A side there.
pub(crate) struct Flat {
    place: Place,
    /// What it looks at now; another one after a removal.
    memory: Rc<Memory>,
}

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl Sealed for Flat {}

impl Backend for Flat {
    type Address = Place;

    fn open(place: &Place, _: Role) -> Result<Self, Error> {
        Ok(Self { place: place.clone(), memory: Rc::clone(&place.memory) })
    }

    fn layout(&self) -> Layout {
        self.place.layout
    }

    fn slot(&self) -> SlotView<'_> {
        let text = Payload::from_words(&self.memory.words()[SLOT.text_at / 4..]);
        SlotView { flag: self.memory.word(SLOT.flag_at), text }
    }

    fn ring(&self) -> RingView<'_> {
        let first = NonNull::new(self.memory.first).expect("checked when it was made");
        // SAFETY: laid out as a segment, which ends where the records do; reached by atomics alone, the
        // header's words by their sizes.
        unsafe { RingView::from_raw(first.add(layout::RECORDS_AT), CAPACITY, CAPACITY / 4, true) }
    }

    fn sleep(&self, _: Duration) {}

    fn wake(&self) {}

    fn park(&self, _: &AtomicU32, _: Duration) {}

    fn unpark(&self, _: &AtomicU32) -> bool {
        false
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        let status = self.place.status.get();
        // It is removed once; the next one stays.
        let removed = status.removed && Rc::ptr_eq(&self.memory, &self.place.memory);
        Ok(PeerStatus { removed, ..status })
    }

    fn reopen(&mut self) -> Result<(), Error> {
        self.memory = Memory::new(self.memory.layout.size());
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        if self.place.refuses.get() {
            return Err(Error::Removed { key: 1 });
        }
        self.place.closed.set(match self.layout() {
            Layout::Ring { .. } => Some(self.ring().closed().load(Ordering::Relaxed)),
            Layout::Slot | Layout::Declared => None,
        });
        Ok(())
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn leave(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Does not wait, and does not look at the clock for long.
fn at_once() -> WaitPolicy<'static> {
    WaitPolicy::non_blocking()
}

fn status(bits: u8) -> PeerStatus {
    PeerStatus {
        peer_seated: bits & 1 != 0,
        writer_failed: bits & 2 != 0,
        attached: 1 + usize::from(bits >> 2 & 1),
        observers: usize::from(bits >> 5 & 1),
        removed: bits & 8 != 0,
        reseated: bits & 16 != 0,
        ended: bits & 64 != 0,
    }
}

/// What is done, and what the memory is filled with.
fn parts(input: &[u8]) -> Option<(&[[u8; 2]], &[u8])> {
    let (count, rest) = input.split_first()?;
    let count = usize::from(*count).min(ACTIONS).min(rest.len() / 2);
    let (actions, contents) = rest.split_at(count * 2);
    Some((actions.as_chunks().0, contents))
}

fn a_ring(contents: &[u8]) -> Place {
    let memory = Memory::new(layout::RECORDS_AT + CAPACITY);
    let number =
        |at: usize| contents.get(at..at + 8).map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().expect("8")));
    // Positions of a ring that has gone on for long, and any others.
    memory.double_word(layout::HEAD_AT).store(number(0), Ordering::Relaxed);
    memory.double_word(layout::RELEASED_AT).store(number(0).wrapping_add(number(8)), Ordering::Relaxed);
    for (at, byte) in [
        layout::CLOSED_AT,
        layout::READER_PARKED_AT,
        layout::WRITER_PARKED_AT,
        layout::READER_PEER_FENCES_AT,
        layout::WRITER_PEER_FENCES_AT,
    ]
    .into_iter()
    .zip(number(16).to_le_bytes())
    {
        memory.word(at).store(byte.into(), Ordering::Relaxed);
    }
    fill(&memory.words()[layout::RECORDS_AT / 4..], contents.get(24..).unwrap_or_default());
    Place::new(memory, Layout::Ring { capacity: CAPACITY }, 0)
}

fn fill(words: &[AtomicU32], contents: &[u8]) {
    for (word, bytes) in words.iter().zip(contents.chunks(4)) {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        word.store(u32::from_le_bytes(four), Ordering::Relaxed);
    }
}

/// Somebody else writes one word of the records, or of the positions.
fn scribble(place: &Place, what: u8) {
    let what_there = u64::from(what);
    match what % 8 {
        0 => place.memory.double_word(layout::HEAD_AT).store(what_there * 40, Ordering::Relaxed),
        1 => place.memory.double_word(layout::RELEASED_AT).store(what_there * 24, Ordering::Relaxed),
        low => {
            let at = layout::RECORDS_AT + usize::from(what / 8) * 8 + usize::from(low % 2) * 4;
            place
                .memory
                .word(at)
                .store([0, 1, u32::MAX, 9, 500, 520, u32::from(what)][usize::from(low) % 7], Ordering::Relaxed);
        }
    }
}

/// A text of the longest length can be seen to be one: all of it is read.
fn read_all(bytes: &[u8]) {
    assert!(bytes.len() <= CAPACITY / 4);
    std::hint::black_box(bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
}

/// A ring is read.
pub(crate) fn read_ring(input: &[u8]) {
    let Some((actions, contents)) = parts(input) else { return };
    let place = a_ring(contents);
    let Ok(mut reader) = Reader::<Flat, Ring>::open(&place) else { return };
    let mut cursors = Vec::new();
    for [action, what] in actions {
        match action % 12 {
            0 => _ = reader.peek_with(&mut at_once()).map(|message| read_all(message.text())),
            1 => {
                _ = reader.peek_with(&mut at_once()).map(|message| {
                    read_all(message.text());
                    message.release();
                });
            }
            2 => _ = reader.try_peek_next().map(|message| message.map(|message| read_all(message.text()))),
            3 if what % 4 == 3 => _ = reader.recv_values_with::<bool>(&mut Vec::new(), &mut at_once()),
            3 => _ = reader.try_recv(&mut vec![0; usize::from(*what) * 3]),
            4 => {
                if let Ok(message) = reader.peek_in_place(&mut at_once()) {
                    assert!(message.len() <= CAPACITY / 4);
                    // SAFETY: nobody else writes there: all of this is one thread.
                    read_all(unsafe { message.bytes() });
                    if what % 2 == 0 {
                        message.release();
                    }
                }
            }
            5 => reader.release_peeked(),
            6 => cursors.push(reader.cursor()),
            7 => _ = cursors.pop().map(|cursor| reader.release_up_to(cursor)),
            8 => reader.rewind(),
            9 => _ = reader.wait_with(&mut at_once()),
            10 => place.status.set(status(*what)),
            _ => scribble(&place, *what),
        }
    }
    if actions.len() % 2 == 0 {
        let _ = reader.close();
    }
}

/// A ring is written to: its place is found by walking, and what is sent does not go beyond.
pub(crate) fn write_ring(input: &[u8]) {
    let Some((actions, contents)) = parts(input) else { return };
    let place = a_ring(contents);
    let Ok(mut writer) = Writer::<Flat, Ring>::open(&place) else { return };
    let bytes = [0x5A; CAPACITY / 4 + 8];
    for [action, what] in actions {
        let len = usize::from(*what) * 3 % bytes.len();
        match action % 10 {
            0 | 1 => _ = writer.try_send(&bytes[..len]),
            2 => _ = writer.send_all_with(&[&bytes[..len], b"", &bytes[..len / 2]], &mut at_once()),
            3 => {
                if let Ok(mut reserved) = writer.reserve_with(len, &mut at_once()) {
                    reserved.write_at(len / 8 * 4, &bytes[..len - len / 8 * 4]);
                    if what % 2 == 0 { reserved.commit() } else { reserved.commit_first(len / 3) }
                }
            }
            4 => _ = writer.end_with(&mut at_once()),
            5 => _ = writer.stranded().map(|count| assert!(count <= 2 * CAPACITY / 8)),
            6 => _ = writer.recover(&mut at_once()),
            7 => _ = writer.flush(&mut at_once()),
            8 => place.status.set(status(*what)),
            _ => scribble(&place, *what),
        }
    }
    let _ = writer.flush(&mut at_once());
}

/// Both sides come to a ring, and go, and come again.
pub(crate) fn attach_ring(input: &[u8]) {
    let Some((actions, contents)) = parts(input) else { return };
    let place = a_ring(contents);
    for [action, what] in actions {
        match action % 4 {
            0 => {
                if let Ok(mut reader) = Reader::<Flat, Ring>::open(&place) {
                    let _ = reader.try_recv(&mut [0; CAPACITY / 4]);
                }
            }
            1 => {
                if let Ok(mut writer) = Writer::<Flat, Ring>::open(&place) {
                    let _ = writer.try_send(&vec![*what; usize::from(*what)]);
                }
            }
            2 => place.status.set(status(*what)),
            _ => scribble(&place, *what),
        }
    }
}

/// Both sides of a classic slot.
pub(crate) fn classic(input: &[u8]) {
    let Some((actions, contents)) = parts(input) else { return };
    let memory = Memory::new(SLOT.size);
    fill(memory.words(), contents);
    let place = Place::new(memory, Layout::Slot, 1);
    let (Ok(mut reader), Ok(mut writer)) = (Reader::<Flat, Slot>::open(&place), Writer::<Flat, Slot>::open(&place))
    else {
        return;
    };
    let bytes = [0x5A; SLOT.text_len + 8];
    for [action, what] in actions {
        let len = usize::from(*what) * 9 % bytes.len();
        match action % 7 {
            0 => _ = reader.peek_with(&mut at_once()).map(|message| assert!(message.text().len() <= SLOT.text_len)),
            1 => _ = reader.peek_with(&mut at_once()).map(shm_handoff::Message::release),
            2 if what % 4 == 3 => _ = reader.try_recv_value::<[char; 4]>(),
            2 => _ = reader.try_recv(&mut vec![0; len]),
            3 => _ = writer.try_send(&bytes[..len]),
            4 => _ = writer.recover(&mut at_once()),
            5 => place.status.set(status(*what)),
            _ => place
                .memory
                .word(usize::from(*what) * 8)
                .store(u32::from_le_bytes([*what, 0, *what, *action]), Ordering::Relaxed),
        }
    }
}

/// A text that may declare a layout: whatever it declares is valid, and its terse form declares the same. So that
/// what takes longer than its length allows shows in the time, a short text also comes over and over.
pub(crate) fn declaration(input: &[u8]) {
    const SHORT: usize = 32;
    const LONG: usize = 16 << 10;
    let text = String::from_utf8_lossy(input);
    declared(&text);
    if (1..=SHORT).contains(&text.len()) {
        declared(&text.repeat(LONG / text.len()));
    }
    if let Some(file) = HeaderFile::of("file.h:a,size>=4096") {
        let _ = file.declares(&text).map(|declared| is_valid(&declared));
    }
}

fn declared(spec: &str) {
    match spec.parse::<Declared>() {
        Ok(declared) => {
            is_valid(&declared);
            let terse: Declared = declared.to_string().parse().expect("a terse form declares a layout");
            assert_eq!((terse.to_string(), terse.hash()), (declared.to_string(), declared.hash()), "{spec}");
        }
        Err(error) => assert!(error.to_string().starts_with(error.message()) && error.line() > 0 && error.column() > 0),
    }
}

/// Nothing lies beyond the segment or over another thing, and the flag is aligned.
fn is_valid(declared: &Declared) {
    let flag = declared.flag();
    let payload = match declared.payload() {
        declare::Payload::Text(span) => std::slice::from_ref(span),
        declare::Payload::Data(spans) => &spans[..],
    };
    let flag_span = Span { offset: flag.offset, len: flag.of.bytes() };
    let room = declared.size().bytes() - declared.at();
    assert!((declared.at() + flag.offset).is_multiple_of(flag.of.bytes()) && flag.empty != flag.full);
    assert!(!payload.is_empty() && declared.struct_size() <= room && declared.hash() > 0);
    for spans in [payload, declared.reply()] {
        let mut spans = [&[flag_span][..], spans].concat();
        spans.sort_by_key(|span| span.offset);
        assert!(spans.iter().all(|span| span.len > 0 && span.offset <= room && span.len <= room - span.offset));
        assert!(spans.windows(2).all(|pair| pair[0].offset + pair[0].len <= pair[1].offset));
    }
    for member in declared.members() {
        assert!(member.offset <= declared.struct_size() && member.size <= declared.struct_size() - member.offset);
    }
}
