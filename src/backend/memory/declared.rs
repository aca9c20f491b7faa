//! The view of a declared slot: a flag of 32 or 8 bits, and a text or records, wherever they lie in a program's struct.

#[cfg(model)]
use super::Payload as Shared;
#[cfg(not(model))]
use super::exact::Exact as Shared;
use super::header;
#[cfg(model)]
use super::modelled::DeclaredWords;
use super::slot::{AnySlot, Flag};
use crate::declare::{Declared, FlagType, Payload, Size, Span};
#[cfg(not(model))]
use crate::sync::AtomicU8;
use crate::sync::{AtomicU32, Ordering};
#[cfg(not(model))]
use core::{marker::PhantomData, ptr::NonNull};

/// What a view needs of a declaration. It is made of one alone, so that each place is within the segment, the flag is
/// aligned in a segment that begins at a page, and neither the payload nor the answer lies over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Where the struct begins.
    at: usize,
    size: Size,
    hash: u16,
    /// From here on everything counts from where the struct begins.
    flag_at: usize,
    is_byte: bool,
    empty: u32,
    full: u32,
    is_text: bool,
    spans: Box<[Span]>,
    /// Bytes of the spans together.
    len: usize,
    reply: Box<[Span]>,
    reply_len: usize,
    struct_size: usize,
}

impl From<&Declared> for Geometry {
    fn from(declared: &Declared) -> Self {
        let flag = declared.flag();
        let is_byte = matches!(flag.of, FlagType::I8 | FlagType::U8);
        // The low bits: with or without a sign, the same byte or word.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bits = |value: i64| if is_byte { u32::from(value as u8) } else { value as u32 };
        let spans: Box<[Span]> = declared.payload().spans().into();
        let sum = |spans: &[Span]| spans.iter().map(|span| span.len).sum();
        Self {
            at: declared.at(),
            size: declared.size(),
            hash: declared.hash(),
            flag_at: flag.offset,
            is_byte,
            empty: bits(flag.empty),
            full: bits(flag.full),
            is_text: matches!(declared.payload(), Payload::Text(_)),
            len: sum(&spans),
            spans,
            reply_len: sum(declared.reply()),
            reply: declared.reply().into(),
            struct_size: declared.struct_size(),
        }
    }
}

impl Geometry {
    /// Where in the segment the struct begins.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Tells layouts apart; never 0.
    #[must_use]
    pub fn hash(&self) -> u16 {
        self.hash
    }

    /// How large a segment is made.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size.bytes()
    }

    /// Whether a segment of so many bytes is one of these.
    #[must_use]
    pub fn accepts(&self, size: usize) -> bool {
        match self.size {
            Size::Exactly(bytes) => size == bytes,
            Size::AtLeast(bytes) => size >= bytes,
        }
    }

    /// Whether the segment is the struct and nothing else.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.at == 0 && self.size == Size::Exactly(self.struct_size)
    }

    /// What new memory, which is all zero, lacks: the flag's empty value.
    #[must_use]
    pub fn begins_full(&self) -> bool {
        self.empty != 0
    }
}

/// Where the flag and the bytes of a declared slot are.
#[derive(Debug, Clone, Copy)]
pub struct DeclaredView<'a> {
    geometry: &'a Geometry,
    /// Where the struct begins.
    #[cfg(not(model))]
    first: NonNull<u8>,
    #[cfg(not(model))]
    shared: PhantomData<&'a [AtomicU32]>,
    #[cfg(model)]
    words: &'a DeclaredWords,
}

#[cfg(not(model))]
impl<'a> DeclaredView<'a> {
    /// The struct of `geometry` in the `len` bytes at `segment`.
    ///
    /// # Panics
    /// If a segment of so many bytes is none of these.
    ///
    /// # Safety
    /// So many bytes are readable and writable there for as long as `'a` lasts, from an address that is a multiple of 4; in
    /// this process they are reached by atomics of the sizes of this very geometry alone.
    #[must_use]
    pub unsafe fn from_raw(segment: NonNull<u8>, len: usize, geometry: &'a Geometry) -> Self {
        assert!(geometry.accepts(len), "the size of a declared slot");
        // SAFETY: within the segment, as the geometry says.
        Self { geometry, first: unsafe { segment.add(geometry.at) }, shared: PhantomData }
    }

    #[inline(always)]
    fn bytes(self, span: Span) -> Shared<'a> {
        // SAFETY: the constructor's promise, for spans are within the segment.
        unsafe { Shared::from_raw(self.first.add(span.offset).as_ptr(), span.len) }
    }
}

#[cfg(model)]
impl<'a> DeclaredView<'a> {
    pub(crate) fn from_words(words: &'a DeclaredWords, geometry: &'a Geometry) -> Self {
        Self { geometry, words }
    }

    fn bytes(self, span: Span) -> Shared<'a> {
        self.words.bytes(span)
    }
}

impl<'a> DeclaredView<'a> {
    /// What it was made of.
    #[must_use]
    pub fn geometry(self) -> &'a Geometry {
        self.geometry
    }

    /// Whether nobody has stored the flag since the memory was made, where that can be told.
    #[must_use]
    pub fn is_untouched(self) -> bool {
        self.geometry.full != 0 && header::get_flag(self.flag()) == 0
    }

    #[inline(always)]
    fn write_spans(self, spans: &[Span], bytes: &[u8]) {
        let mut rest = bytes;
        for span in spans {
            let (bytes, behind) = rest.split_at(span.len);
            self.bytes(*span).write(0, bytes);
            rest = behind;
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
    }

    #[inline(always)]
    fn read_spans(self, spans: &[Span], out: &mut [u8]) {
        let mut rest = out;
        for span in spans {
            let (out, behind) = rest.split_at_mut(span.len);
            self.bytes(*span).read(0, out);
            rest = behind;
        }
        assert!(rest.is_empty(), "{} bytes too many", rest.len());
    }

    /// The one span of a text.
    fn text(self) -> (Shared<'a>, usize) {
        let span = self.geometry.spans[0];
        (self.bytes(span), span.len)
    }

    /// As much of `bytes` as there is room for, and zeros behind them: what the tutorial's `strncpy` makes of a text.
    pub fn write_padded(self, bytes: &[u8]) {
        let mut padded = vec![0; self.geometry.len];
        let len = bytes.len().min(padded.len());
        padded[..len].copy_from_slice(&bytes[..len]);
        self.write_spans(&self.geometry.spans, &padded);
    }

    /// The first four bytes of a text, as far as it has so many.
    #[must_use]
    pub fn first_word(self) -> [u8; 4] {
        let (text, len) = self.text();
        let mut word = [0; 4];
        let there = len.min(word.len());
        text.read(0, &mut word[..there]);
        word
    }

    #[cfg(model)]
    fn read_text(self, out: &mut [u8]) -> Option<usize> {
        self.text().0.read_text(out)
    }

    #[cfg(model)]
    fn write_text(self, bytes: &[u8]) -> bool {
        self.text().0.write_text(bytes)
    }

    #[cfg(not(model))]
    fn write_text(self, bytes: &[u8]) -> bool {
        if memchr::memchr(0, bytes).is_some() {
            return false;
        }
        let (text, _) = self.text();
        text.write(0, bytes);
        text.write(bytes.len(), &[0]);
        true
    }

    /// Piece by piece, as far as the NUL, or the end of the text.
    #[cfg(not(model))]
    fn read_text(self, out: &mut [u8]) -> Option<usize> {
        let (text, len) = self.text();
        let mut at = 0;
        loop {
            let mut piece = [0; PIECE];
            let piece = &mut piece[..PIECE.min(len - at)];
            text.read(at, piece);
            let nul = memchr::memchr(0, piece);
            let bytes = &piece[..nul.unwrap_or(piece.len())];
            out.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
            at += bytes.len();
            if nul.is_some() || at == len {
                return Some(at);
            }
        }
    }
}

/// How much of a text is looked at at once.
#[cfg(not(model))]
const PIECE: usize = 256;

impl<'a> AnySlot for DeclaredView<'a> {
    type Flag = FlagView<'a>;

    #[inline(always)]
    #[cfg(not(model))]
    fn flag(self) -> FlagView<'a> {
        // SAFETY: within the segment, aligned, and reached by atomics of this size alone: the constructor's promise, of
        // what a geometry says.
        unsafe {
            let place = self.first.add(self.geometry.flag_at);
            if self.geometry.is_byte {
                FlagView::Byte(AtomicU8::from_ptr(place.as_ptr()))
            } else {
                FlagView::Word(AtomicU32::from_ptr(place.as_ptr().cast()))
            }
        }
    }

    #[cfg(model)]
    fn flag(self) -> FlagView<'a> {
        FlagView::Word(self.words.flag())
    }

    #[inline(always)]
    fn empty(self) -> u32 {
        self.geometry.empty
    }

    #[inline(always)]
    fn full(self) -> u32 {
        self.geometry.full
    }

    /// New memory is zero until its maker stores the flag: where that is neither value, nothing lies there yet.
    #[inline(always)]
    fn is_full(self, flag: u32) -> bool {
        flag != self.geometry.empty && !(flag == 0 && self.geometry.full != 0)
    }

    #[inline(always)]
    fn is_text(self) -> bool {
        self.geometry.is_text
    }

    #[inline(always)]
    fn longest(self) -> usize {
        self.geometry.len
    }

    #[inline(always)]
    fn capacity(self) -> usize {
        self.geometry.len - usize::from(self.geometry.is_text)
    }

    fn write(self, bytes: &[u8]) -> bool {
        if self.is_text() {
            return self.write_text(bytes);
        }
        self.write_spans(&self.geometry.spans, bytes);
        true
    }

    fn read(self, out: &mut [u8]) -> Option<usize> {
        if self.is_text() {
            return self.read_text(out);
        }
        self.read_spans(&self.geometry.spans, out.get_mut(..self.geometry.len)?);
        Some(self.geometry.len)
    }

    #[inline(always)]
    fn reply_len(self) -> usize {
        self.geometry.reply_len
    }

    fn write_reply(self, bytes: &[u8]) {
        self.write_spans(&self.geometry.reply, bytes);
    }

    fn read_reply(self, out: &mut [u8]) {
        self.read_spans(&self.geometry.reply, out);
    }
}

/// Where the flag of a declared slot is.
#[derive(Debug, Clone, Copy)]
pub enum FlagView<'a> {
    /// 32 bits.
    Word(&'a AtomicU32),
    /// 8 bits. (In a model a flag is a word.)
    #[cfg(not(model))]
    Byte(&'a AtomicU8),
}

impl Flag for FlagView<'_> {
    #[inline(always)]
    #[cfg_attr(any(crash, explored), track_caller)]
    fn load(self, order: Ordering) -> u32 {
        match self {
            Self::Word(flag) => AtomicU32::load(flag, order),
            #[cfg(not(model))]
            Self::Byte(flag) => AtomicU8::load(flag, order).into(),
        }
    }

    #[inline(always)]
    #[cfg_attr(any(crash, explored), track_caller)]
    fn store(self, value: u32, order: Ordering) {
        match self {
            Self::Word(flag) => AtomicU32::store(flag, value, order),
            #[cfg(not(model))]
            #[allow(clippy::cast_possible_truncation, reason = "a value of a flag of a byte")]
            Self::Byte(flag) => AtomicU8::store(flag, value as u8, order),
        }
    }
}
