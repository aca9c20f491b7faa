//! The view of a ring: what lies where, and how its words are reached.
//!
//! Records lie at positions that only grow; the place of a position is its
//! remainder by the capacity. A record is a header of two words, the *flag* and
//! the *kind*, and its bytes, padded to 8.
//!
//! Under loom each unit of 8 bytes has an atomic for the flag that may stand
//! there, and two cells for the bytes that may: writing bytes over a unit spoils
//! its flag, so that a side which acts on one that is none is found out.

#![allow(clippy::must_use_candidate, reason = "a view is used by its maker alone, and gives places")]

#[cfg(loom)]
use super::Cell;
#[cfg(not(model))]
use super::fences::NOT_REACHED;
use super::fences::PeerFences;
#[cfg(model)]
use super::intent::IntentPlace;
#[cfg(not(model))]
use super::offsets::ring as at;
use super::payload::{Payload, WORD};
use crate::sync::{AtomicU32, AtomicU64};
#[cfg(not(model))]
use core::{marker::PhantomData, mem::MaybeUninit, ptr::NonNull};

/// A ring in memory that a peer may change at any moment.
///
/// In ordinary builds it is a base and a mask: the header's words lie at constant offsets before
/// the records. A model has no such memory; there the words are given one by one.
#[derive(Debug, Clone, Copy)]
pub struct RingView<'a> {
    /// The bytes of a record at offset 0: its header lies before them, and the ring's before that.
    #[cfg(not(model))]
    bytes: NonNull<u8>,
    /// Takes an offset within the records out of a position: capacity − 8.
    #[cfg(not(model))]
    mask: usize,
    #[cfg(not(model))]
    capacity: usize,
    /// What the writer looks at for a heavy fence of the reader.
    #[cfg(not(model))]
    reader_fences: &'a AtomicU32,
    /// The peer's heavy fence reaches this process.
    #[cfg(not(model))]
    reached: u32,
    #[cfg(not(model))]
    shared: PhantomData<&'a [AtomicU32]>,
    #[cfg(model)]
    pub(super) words: Words<'a>,
    /// The longest record's bytes.
    longest: usize,
}

/// The words of a ring of a model.
#[cfg(model)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) head: &'a AtomicU64,
    pub(crate) released: &'a AtomicU64,
    pub(crate) closed: &'a AtomicU32,
    pub(crate) reader_parked: &'a AtomicU32,
    pub(crate) writer_parked: &'a AtomicU32,
    /// The reader's and the writer's; `None`: each side has its own fence.
    pub(crate) peer_fences: Option<[PeerFences<'a>; 2]>,
    /// `None`: nobody carries anything on into this ring.
    pub(crate) intents: Option<[IntentPlace<'a>; 2]>,
    #[cfg(loom)]
    pub(crate) flags: &'a [AtomicU32],
    #[cfg(loom)]
    pub(crate) cells: &'a [Cell],
    #[cfg(not(loom))]
    pub(crate) cells: &'a [AtomicU32],
}

/// Bytes of a unit: where a record can begin.
pub(crate) const UNIT: usize = 8;

/// What a model puts in place of a flag that was written over.
#[cfg(loom)]
const SPOILT: u32 = 0xBAD_F1A6;

#[cfg(not(model))]
macro_rules! word {
    ($self:ident, $at:ident, $atomic:ident) => {
        // SAFETY: the constructor's promise: the header's words are aligned, of this size, and stay for 'a.
        unsafe { $atomic::from_ptr($self.header(at::$at).cast()) }
    };
}

#[cfg(not(model))]
impl<'a> RingView<'a> {
    /// A ring whose first record byte is at `first`.
    ///
    /// # Safety
    /// The header (see [`offsets`](super::offsets)) lies before `first`, `capacity` bytes behind it, valid for 'a
    /// and reached by atomics of the words' sizes alone; `first` is a multiple of 8, `capacity` a
    /// power of two of at least two units.
    pub unsafe fn from_raw(first: NonNull<u8>, capacity: usize, longest: usize, reached: bool) -> Self {
        debug_assert!(first.addr().get().is_multiple_of(UNIT) && capacity.is_power_of_two() && capacity >= 2 * UNIT);
        // SAFETY: within the records, of which there are two units at least.
        let bytes = unsafe { first.add(UNIT) };
        let mut view = Self {
            bytes,
            mask: capacity - UNIT,
            capacity,
            reader_fences: &NOT_REACHED,
            reached: reached.into(),
            longest,
            shared: PhantomData,
        };
        if reached {
            view.reader_fences = word!(view, READER_PEER_FENCES_AT, AtomicU32);
        }
        view
    }

    /// What lies at this offset of the header.
    #[inline(always)]
    pub(super) fn header(self, offset: usize) -> *mut u8 {
        debug_assert!(offset < at::RECORDS_AT);
        // SAFETY: the constructor's promise: the header lies before the records, and callers pass constants of it.
        unsafe { self.bytes.as_ptr().sub(at::RECORDS_AT + UNIT - offset) }
    }

    /// Bytes for records.
    #[inline(always)]
    pub fn capacity(self) -> usize {
        self.capacity
    }

    /// Up to here everything was taken, and its bytes can be written again. Stored by the reader.
    #[inline(always)]
    pub fn head(self) -> &'a AtomicU64 {
        word!(self, HEAD_AT, AtomicU64)
    }

    /// Up to here everything was released; runs ahead of `head`. Stored and used by readers
    /// alone, but for recovery.
    #[inline(always)]
    pub fn released(self) -> &'a AtomicU64 {
        word!(self, RELEASED_AT, AtomicU64)
    }

    /// 1 when the reader has met the end of the session, and removed the memory. Stored by readers.
    #[inline(always)]
    pub fn closed(self) -> &'a AtomicU32 {
        word!(self, CLOSED_AT, AtomicU32)
    }

    /// 1 while the reader sleeps, or is about to.
    #[inline(always)]
    pub fn reader_parked(self) -> &'a AtomicU32 {
        word!(self, READER_PARKED_AT, AtomicU32)
    }

    /// 1 while the writer sleeps, or is about to.
    #[inline(always)]
    pub fn writer_parked(self) -> &'a AtomicU32 {
        word!(self, WRITER_PARKED_AT, AtomicU32)
    }

    /// Of the reader, when it sleeps.
    #[inline(always)]
    pub fn reader_fences(self) -> Option<PeerFences<'a>> {
        Some(PeerFences { word: word!(self, READER_PEER_FENCES_AT, AtomicU32), seen: Some(self.reader_fences) })
    }

    /// Of the writer, when it sleeps.
    #[inline(always)]
    pub fn writer_fences(self) -> Option<PeerFences<'a>> {
        let word = word!(self, WRITER_PEER_FENCES_AT, AtomicU32);
        Some(PeerFences { word, seen: Some(if self.reached == 1 { word } else { &NOT_REACHED }) })
    }

    /// Where a position lies.
    #[inline(always)]
    pub fn offset(self, position: u64) -> usize {
        #[allow(clippy::cast_possible_truncation)] // the remainder by a power of two has no more bits than `mask`
        let low = position as usize;
        low & self.mask
    }

    /// Where the bytes of the record at `position` begin, if it has any: behind its header.
    #[inline(always)]
    fn behind_header(self, position: u64) -> *mut u8 {
        // (Behind the last unit there is nothing: so this is no offset within the allocation.)
        self.bytes.as_ptr().wrapping_add(self.offset(position))
    }

    /// The flag of a record at `position`.
    #[inline(always)]
    pub fn flag(self, position: u64) -> &'a AtomicU32 {
        // SAFETY: `mask` leaves a multiple of 8 that is less than the capacity, so the header is one of the
        // constructor's.
        unsafe { AtomicU32::from_ptr(self.behind_header(position).wrapping_sub(UNIT).cast()) }
    }

    /// What a record is, by its second word.
    #[inline(always)]
    fn kind_word(self, position: u64) -> &'a AtomicU32 {
        // SAFETY: as for `flag`; a unit has two words.
        unsafe { AtomicU32::from_ptr(self.behind_header(position).wrapping_sub(WORD).cast()) }
    }

    /// What the record at `position` is.
    #[inline(always)]
    pub fn kind(self, position: u64) -> u32 {
        super::payload::load(self.kind_word(position))
    }

    /// Says what the record at `position` is.
    #[inline(always)]
    pub fn set_kind(self, position: u64, kind: u32) {
        super::payload::store(self.kind_word(position), kind);
    }

    /// Where the bytes of the record at `position` begin, checked to hold `len`.
    pub(crate) fn bytes(self, position: u64, len: usize) -> *mut u8 {
        let from = self.offset(position) + UNIT;
        self.check(from, len);
        self.behind_header(position)
    }

    /// Copies `bytes` into the record at `position`.
    ///
    /// # Safety
    /// The record's header, its bytes and what pads them lie in front of the wrap.
    #[inline(always)]
    pub(crate) unsafe fn write_within(self, position: u64, bytes: &[u8]) {
        // SAFETY: the caller's promise.
        unsafe { Payload::copy_in(self.behind_header(position).cast(), bytes) };
    }

    /// Copies the first bytes of the record at `position` out.
    ///
    /// # Safety
    /// As for [`write_within`](Self::write_within).
    #[inline(always)]
    pub(crate) unsafe fn read_within(self, position: u64, bytes: &mut [u8]) {
        let bytes: *mut [u8] = bytes;
        // SAFETY: the caller's promise; what is written to `bytes` are bytes.
        unsafe { Payload::copy_out(self.behind_header(position).cast(), &mut *(bytes as *mut [MaybeUninit<u8>])) };
    }

    /// Appends the first `len` bytes of the record at `position` to `out`, which has room for them and for
    /// what pads them.
    #[inline(always)]
    pub(crate) fn append_to(self, position: u64, out: &mut Vec<u8>, len: usize) {
        self.run(self.offset(position) + UNIT, len.next_multiple_of(UNIT)).append_to(out, len);
    }

    #[inline(always)]
    fn check(self, from: usize, len: usize) {
        if len > self.capacity() || from > self.capacity() - len || !from.is_multiple_of(WORD) {
            beyond(from, len, self.capacity());
        }
    }

    #[inline(always)]
    fn run(self, from: usize, len: usize) -> Payload<'a> {
        self.check(from, len);
        // SAFETY: within the constructor's bytes by the check above; a whole
        // number of words, as positions and offsets are.
        unsafe { Payload::from_parts(self.bytes.as_ptr().sub(UNIT).add(from).cast_const().cast(), len / WORD) }
    }
}

#[cfg(model)]
impl<'a> RingView<'a> {
    pub(crate) fn from_words(words: Words<'a>, longest: usize) -> Self {
        let view = Self { words, longest };
        assert!(view.capacity().is_power_of_two() && view.capacity() >= 2 * UNIT);
        view
    }

    pub fn capacity(self) -> usize {
        self.words.cells.len() * WORD
    }

    pub fn head(self) -> &'a AtomicU64 {
        self.words.head
    }

    pub fn released(self) -> &'a AtomicU64 {
        self.words.released
    }

    pub fn closed(self) -> &'a AtomicU32 {
        self.words.closed
    }

    pub fn reader_parked(self) -> &'a AtomicU32 {
        self.words.reader_parked
    }

    pub fn writer_parked(self) -> &'a AtomicU32 {
        self.words.writer_parked
    }

    pub fn reader_fences(self) -> Option<PeerFences<'a>> {
        self.words.peer_fences.map(|[fences, _]| fences)
    }

    pub fn writer_fences(self) -> Option<PeerFences<'a>> {
        self.words.peer_fences.map(|[_, fences]| fences)
    }

    pub fn offset(self, position: u64) -> usize {
        #[allow(clippy::cast_possible_truncation)]
        let low = position as usize;
        low & (self.capacity() - 1)
    }

    #[cfg(loom)]
    pub fn flag(self, position: u64) -> &'a AtomicU32 {
        &self.words.flags[self.offset(position) / UNIT]
    }

    #[cfg(not(loom))]
    pub fn flag(self, position: u64) -> &'a AtomicU32 {
        &self.words.cells[self.offset(position) / WORD]
    }

    pub fn kind(self, position: u64) -> u32 {
        let mut kind = [0; WORD];
        self.run(self.offset(position) + WORD, WORD).read_bytes(&mut kind);
        u32::from_ne_bytes(kind)
    }

    pub fn set_kind(self, position: u64, kind: u32) {
        self.run(self.offset(position) + WORD, WORD).write_bytes(&kind.to_ne_bytes());
    }

    pub(crate) unsafe fn write_within(self, position: u64, bytes: &[u8]) {
        self.write(position, 0, bytes);
    }

    pub(crate) unsafe fn read_within(self, position: u64, bytes: &mut [u8]) {
        self.read(position, bytes);
    }

    fn run(self, from: usize, len: usize) -> Payload<'a> {
        #[cfg(loom)]
        return Payload::from_words(&self.words.cells[from / WORD..(from + len) / WORD]);
        #[cfg(not(loom))]
        return Payload::from_words(&self.words.cells[from / WORD..(from + len) / WORD]);
    }
}

impl RingView<'_> {
    /// The longest record's bytes.
    #[inline(always)]
    pub fn longest(self) -> usize {
        self.longest
    }

    /// Bytes from a position to where the ring begins again.
    #[inline(always)]
    pub fn to_wrap(self, position: u64) -> usize {
        self.capacity() - self.offset(position)
    }

    /// Copies `bytes` into the record at `position`, beginning `at` bytes behind its header.
    #[inline(always)]
    pub(crate) fn write(self, position: u64, at: usize, bytes: &[u8]) {
        let from = self.offset(position).saturating_add(UNIT).saturating_add(at);
        #[cfg(loom)]
        for unit in from / UNIT..(from + bytes.len()).div_ceil(UNIT) {
            self.words.flags[unit].spoil(SPOILT);
        }
        self.run(from, bytes.len().next_multiple_of(WORD)).write_bytes(bytes);
    }

    /// As [`write`](Self::write), and what lies behind the bytes stays, also within their last word.
    pub(crate) fn patch(self, position: u64, at: usize, bytes: &[u8]) {
        let (whole, rest) = bytes.split_at(bytes.len() & !(WORD - 1));
        self.write(position, at, whole);
        if !rest.is_empty() {
            let mut word = [0; WORD];
            self.run(self.offset(position) + UNIT + at + whole.len(), WORD).read_bytes(&mut word);
            word[..rest.len()].copy_from_slice(rest);
            self.write(position, at + whole.len(), &word);
        }
    }

    /// Copies the first bytes of the record at `position` out.
    #[inline(always)]
    pub(crate) fn read(self, position: u64, bytes: &mut [u8]) {
        self.run(self.offset(position) + UNIT, bytes.len().next_multiple_of(WORD)).read_bytes(bytes);
    }
}

#[cfg(not(model))]
#[cold]
#[inline(never)]
fn beyond(from: usize, len: usize, capacity: usize) -> ! {
    panic!("{len} bytes at {from} go beyond {capacity}, or begin within a word")
}
