//! The text's bytes, copied in and out in a way that is defined whatever the
//! other side does to them meanwhile.
//!
//! Everything is read and written as aligned 32-bit words, always the same
//! words, relaxed: two sides that break the protocol get torn text, never
//! undefined behaviour. Long runs go through a vector loop in inline assembly
//! on x86-64, which the compiler can neither see into nor turn into a
//! `memcpy`; it stands for the same relaxed accesses of the same words.
//! Under loom the words are plain cells instead, so that every access which
//! the flag does not order is reported as the data race that it would be.

#[cfg(vectors)]
use super::vector;
#[cfg(not(loom))]
use crate::sync::{AtomicU32, Ordering};
use core::marker::PhantomData;

/// Bytes of one word, the grain in which payload is copied.
pub(crate) const WORD: usize = 4;

/// What of a text shares a line with the flag, in the classic layout.
#[cfg(vectors)]
const SHORT: usize = 60;

#[cfg(not(loom))]
pub(crate) type Cell = AtomicU32;
#[cfg(loom)]
pub(crate) use crate::sync::Cell;

/// Shared bytes that a peer may change at any moment.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{backend::Payload, sync::{AtomicU32, Ordering}};
/// let words = [const { AtomicU32::new(0) }; 3];
/// let payload = Payload::from_words(&words);
/// payload.write_bytes(b"abcd");
/// assert_eq!(words[0].load(Ordering::Relaxed), u32::from_ne_bytes(*b"abcd"));
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    first: *const Cell,
    words: usize,
    shared: PhantomData<&'a [Cell]>,
}

impl<'a> Payload<'a> {
    /// The payload that lies in `words`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 3];
    /// assert_eq!(Payload::from_words(&words).len(), 12);
    /// # }
    /// ```
    #[must_use]
    #[cfg(not(loom))]
    pub fn from_words(words: &'a [AtomicU32]) -> Self {
        Self { first: words.as_ptr(), words: words.len(), shared: PhantomData }
    }

    /// The payload that lies in `words`.
    #[must_use]
    #[cfg(loom)]
    pub(crate) fn from_words(words: &'a [Cell]) -> Self {
        Self { first: words.as_ptr(), words: words.len(), shared: PhantomData }
    }

    /// The payload of `len` bytes (rounded down to whole words) at `first`.
    ///
    /// # Safety
    /// 1. `first` is aligned to 4 bytes, and `len` bytes from there are
    ///    readable and writable for as long as `'a` lasts.
    /// 2. In this process they are accessed through `Payload`s or 32-bit
    ///    atomics alone. (What other processes do does not matter.)
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::Payload;
    /// let mut words = [0_u32; 3];
    /// // SAFETY: 12 aligned bytes, which nobody else accesses.
    /// let payload = unsafe { Payload::from_raw(words.as_mut_ptr().cast(), 12) };
    /// payload.write_text(b"hello\n");
    /// assert_eq!(payload.first_word(), Some(*b"hell"));
    /// # }
    /// ```
    #[must_use]
    #[cfg(not(model))]
    pub unsafe fn from_raw(first: *mut u8, len: usize) -> Self {
        debug_assert!(first.addr().is_multiple_of(WORD));
        Self { first: first.cast(), words: len / WORD, shared: PhantomData }
    }

    /// The payload of `words` words at `first`.
    ///
    /// # Safety
    /// As for `from_raw`.
    #[inline(always)]
    #[cfg(not(loom))]
    pub(crate) unsafe fn from_parts(first: *const AtomicU32, words: usize) -> Self {
        Self { first, words, shared: PhantomData }
    }

    /// Length in bytes, a multiple of 4.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 512];
    /// assert_eq!(Payload::from_words(&words).len(), 2048);
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.words * WORD
    }

    /// Whether there is no room at all.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::Payload;
    /// assert!(Payload::from_words(&[]).is_empty());
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// Asks the cache for what a text of `len` bytes begins in as lines that are about
    /// to be written: a look at the flag beside it would fetch the first to be
    /// read, and the first store would have to fetch it again; the second one is on
    /// its way at the same time. In the classic layout the flag and the first
    /// 60 bytes share a line.
    #[inline]
    #[cfg_attr(not(vectors), allow(clippy::unused_self, unused_variables))]
    pub(crate) fn expect_write(&self, len: usize) {
        #[cfg(vectors)]
        {
            vector::expect_write(self.first.cast());
            if len >= SHORT {
                vector::expect_write(self.first.wrapping_byte_add(SHORT).cast());
            }
        }
    }

    fn cells(&self) -> &'a [Cell] {
        // SAFETY: the constructors' promise: `words` valid, aligned cells that
        // stay for 'a and are shared through interior mutability alone.
        unsafe { core::slice::from_raw_parts(self.first, self.words) }
    }

    /// Copies `text` to the beginning and closes it with a NUL.
    ///
    /// # Panics
    /// If `text` and the NUL do not fit: a caller's mistake, not a peer's.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(u32::MAX) }; 3];
    /// let payload = Payload::from_words(&words);
    /// payload.write_text(b"hello\n");
    /// let mut private = [0; 12];
    /// assert_eq!(payload.read_text(&mut private), Some(6));
    /// assert_eq!(&private[..6], b"hello\n");
    /// # }
    /// ```
    pub fn write_text(&self, text: &[u8]) {
        assert!(text.len() < self.len(), "{} bytes and a NUL do not fit into {}", text.len(), self.len());
        let cells = self.cells();
        let bulk = self.write_bulk(text);
        let (whole, rest) = text[bulk..].as_chunks::<WORD>();
        let mut at = bulk / WORD;
        for word in whole {
            store(&cells[at], u32::from_ne_bytes(*word));
            at += 1;
        }
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        store(&cells[at], u32::from_ne_bytes(last));
    }

    /// C's `strncpy` into the payload: as much of `text` as there is room for,
    /// NULs in the place of the rest, and no NUL where nothing is left for one
    /// (defect D6).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(u32::MAX) }; 2];
    /// let payload = Payload::from_words(&words);
    /// let mut private = [0xEE; 8];
    /// payload.write_padded(b"hello");
    /// assert_eq!(payload.read_text(&mut private), Some(5));
    /// payload.write_padded(b"much too long");
    /// assert_eq!(payload.read_text(&mut private), Some(8), "no NUL");
    /// assert_eq!(&private, b"much too");
    /// # }
    /// ```
    pub fn write_padded(&self, text: &[u8]) {
        let (text, cells) = (&text[..text.len().min(self.len())], self.cells());
        let bulk = self.write_bulk(text);
        let mut rest = text[bulk..].chunks(WORD);
        for cell in &cells[bulk / WORD..] {
            let mut word = [0; WORD];
            let piece = rest.next().unwrap_or_default();
            word[..piece.len()].copy_from_slice(piece);
            store(cell, u32::from_ne_bytes(word));
        }
    }

    /// The first four bytes, or `None` if there is no room for any.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 2];
    /// let payload = Payload::from_words(&words);
    /// payload.write_text(b"end\n");
    /// assert_eq!(payload.first_word(), Some(*b"end\n"));
    /// # }
    /// ```
    #[must_use]
    pub fn first_word(&self) -> Option<[u8; WORD]> {
        self.cells().first().map(|cell| load(cell).to_ne_bytes())
    }

    /// Copies the text up to its NUL into `out`, and says how long it is. Text
    /// that fills all of the payload needs no NUL. `None`: it is longer than
    /// `out`, whose content is then unspecified.
    ///
    /// What the peer does meanwhile can make the bytes any bytes, and the
    /// length any length up to [`len`](Self::len); nothing else.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(0) }; 3];
    /// let payload = Payload::from_words(&words);
    /// payload.write_text(b"hello\n");
    /// let mut text = [0; 12];
    /// assert_eq!(payload.read_text(&mut text), Some(6));
    /// assert_eq!(&text[..6], b"hello\n");
    /// assert_eq!(payload.read_text(&mut [0; 4]), None, "no room for it");
    /// # }
    /// ```
    #[must_use]
    pub fn read_text(&self, out: &mut [u8]) -> Option<usize> {
        let room = out.len().min(self.len());
        let words = room / WORD;
        let cells = &self.cells()[..words];
        let mut at = 0;
        #[cfg(vectors)]
        if words * WORD >= SHORT {
            // Up to the end of the line, and no byte of the next one: that would have
            // to be fetched, and a short text does not need it.
            for from in [0, 16, 32, SHORT - 16] {
                // SAFETY: `from` + 16 ≤ SHORT ≤ both lengths; the target is private, the
                // source shared as promised.
                let nul =
                    unsafe { vector::copy_16_of_text(self.first.byte_add(from).cast(), out.as_mut_ptr().add(from)) };
                if let Some(nul) = nul {
                    return Some(from + nul);
                }
            }
            at = SHORT / WORD;
        }
        while at < words {
            let from = at * WORD;
            let upto = self.read_bulk(from, &mut out[..words * WORD]);
            if upto > from {
                if let Some(nul) = memchr::memchr(0, &out[from..upto]) {
                    return Some(from + nul);
                }
                at = upto / WORD;
                continue;
            }
            let word = load(&cells[at]);
            out[from..from + WORD].copy_from_slice(&word.to_ne_bytes());
            if let Some(nul) = first_nul(word) {
                return Some(from + nul);
            }
            at += 1;
        }
        let copied = words * WORD;
        if copied == self.len() {
            return Some(copied);
        }
        // `out` ends within a word, or at its edge: only the NUL may follow.
        let word = load(&self.cells()[words]).to_ne_bytes();
        let tail = out.len().min(self.len()) - copied;
        let nul = word.iter().position(|byte| *byte == 0).filter(|nul| *nul <= tail)?;
        out[copied..copied + nul].copy_from_slice(&word[..nul]);
        Some(copied + nul)
    }

    /// Copies `bytes` to the beginning: all words that they touch are written.
    ///
    /// # Panics
    /// If they do not fit: a caller's mistake, not a peer's.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(u32::MAX) }; 3];
    /// let payload = Payload::from_words(&words);
    /// payload.write_bytes(b"a\0b");
    /// let mut private = [0xEE; 3];
    /// payload.read_bytes(&mut private);
    /// assert_eq!(&private, b"a\0b");
    /// # }
    /// ```
    #[inline(always)]
    pub fn write_bytes(&self, bytes: &[u8]) {
        if bytes.len() > self.len() {
            no_room(bytes.len(), self.len());
        }
        #[cfg(vectors)]
        if bytes.len() >= vector::LEAST {
            // SAFETY: the length is within both; the source is private, the
            // target shared as the constructors promise.
            unsafe { vector::copy(bytes.as_ptr(), self.first.cast_mut().cast(), bytes.len()) };
            return;
        }
        let cells = self.cells();
        let (whole, rest) = bytes.as_chunks::<WORD>();
        for (cell, word) in cells.iter().zip(whole) {
            store(cell, u32::from_ne_bytes(*word));
        }
        if !rest.is_empty() {
            // Byte by byte, for a call of `memcpy` takes longer.
            let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
            store(&cells[whole.len()], last.to_le());
        }
    }

    /// Fills `out` from the beginning.
    ///
    /// # Panics
    /// If there are not so many bytes: a caller's mistake, not a peer's.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::Payload, sync::AtomicU32};
    /// let words = [const { AtomicU32::new(u32::from_ne_bytes(*b"abcd")) }; 2];
    /// let mut bytes = [0; 7];
    /// Payload::from_words(&words).read_bytes(&mut bytes);
    /// assert_eq!(&bytes, b"abcdabc");
    /// # }
    /// ```
    #[inline(always)]
    pub fn read_bytes(&self, out: &mut [u8]) {
        if out.len() > self.len() {
            no_room(out.len(), self.len());
        }
        #[cfg(vectors)]
        if out.len() >= vector::LEAST {
            // SAFETY: as for writing, the other way round.
            unsafe { vector::copy(self.first.cast(), out.as_mut_ptr(), out.len()) };
            return;
        }
        let cells = self.cells();
        let (whole, rest) = out.as_chunks_mut::<WORD>();
        let last = cells.get(whole.len());
        for (cell, word) in cells.iter().zip(whole) {
            *word = load(cell).to_ne_bytes();
        }
        if let (false, Some(last)) = (rest.is_empty(), last) {
            rest.copy_from_slice(&load(last).to_ne_bytes()[..rest.len()]);
        }
    }

    /// Copies what whole vectors can of a long text, at most as long as we are;
    /// returns how many bytes.
    #[cfg(vectors)]
    fn write_bulk(&self, text: &[u8]) -> usize {
        let bulk = text.len() / WORD * WORD;
        if bulk < vector::LEAST {
            return 0;
        }
        // SAFETY: LEAST ≤ `bulk` ≤ text.len() ≤ self.len(); the source is private,
        // the target shared as the constructors promise.
        unsafe { vector::copy(text.as_ptr(), self.first.cast_mut().cast(), bulk) };
        bulk
    }

    /// Copies a run from offset `from` on if vectors pay there; returns where
    /// the run ends (`from`: nothing was copied).
    #[cfg(vectors)]
    fn read_bulk(&self, from: usize, out: &mut [u8]) -> usize {
        if from < SHORT {
            return from;
        }
        // Doubling: what is copied beyond the NUL is at most what was needed.
        let run = from.next_power_of_two().min(out.len() - from) / vector::WIDTH * vector::WIDTH;
        // SAFETY: `from + run` ≤ out.len() ≤ self.len(), `run` a multiple of
        // WIDTH; the target is private, the source shared as promised.
        unsafe { vector::copy_blocks(self.first.cast::<u8>().add(from), out.as_mut_ptr().add(from), run) };
        from + run
    }

    #[cfg(not(vectors))]
    #[allow(clippy::unused_self)] // the vector routine's twin
    fn write_bulk(&self, _: &[u8]) -> usize {
        0
    }

    #[cfg(not(vectors))]
    #[allow(clippy::unused_self)] // the vector routine's twin
    fn read_bulk(&self, from: usize, _: &mut [u8]) -> usize {
        from
    }
}

/// By value, so that on the way that is not taken nothing has to lie in memory.
#[cold]
#[inline(never)]
fn no_room(bytes: usize, room: usize) -> ! {
    panic!("there is room for {room} bytes, not for {bytes}")
}

/// Where a word has its first NUL, in memory's order: the lowest bit that is
/// left belongs to the lowest byte that borrowed, and that one was 0.
#[inline]
fn first_nul(word: u32) -> Option<usize> {
    let word = u32::from_le(word);
    let borrowed = word.wrapping_sub(0x0101_0101) & !word & 0x8080_8080;
    (borrowed != 0).then(|| borrowed.trailing_zeros() as usize / 8)
}

#[cfg(not(loom))]
#[inline]
#[cfg_attr(crash, track_caller)]
fn load(cell: &Cell) -> u32 {
    // Relaxed: the flag orders the text, in `protocol`.
    cell.load(Ordering::Relaxed)
}

#[cfg(not(loom))]
#[inline]
#[cfg_attr(crash, track_caller)]
fn store(cell: &Cell, word: u32) {
    // Relaxed: the flag orders the text, in `protocol`.
    cell.store(word, Ordering::Relaxed);
}

#[cfg(loom)]
fn load(cell: &Cell) -> u32 {
    cell.get()
}

#[cfg(loom)]
fn store(cell: &Cell, new: u32) {
    cell.set(new);
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is written comes back, whatever was there before.
        #[test]
        fn round_trip(text in proptest::collection::vec(1_u8.., 0..300), old: u32, room in 0_usize..310) {
            let words: Vec<AtomicU32> = (0..76).map(|_| AtomicU32::new(old)).collect();
            let payload = Payload::from_words(&words);
            payload.write_text(&text);
            let mut out = vec![0xEE; room];
            let read = payload.read_text(&mut out);
            if room >= text.len() {
                prop_assert_eq!(read, Some(text.len()));
                prop_assert_eq!(&out[..text.len()], &text[..]);
            } else {
                prop_assert_eq!(read, None);
            }
        }
    }
}
