//! The text's bytes, copied in and out in a way that is defined whatever the
//! other side does to them meanwhile.
//!
//! What is short is read and written as aligned 32-bit words, relaxed: two sides
//! that break the protocol get torn text, never undefined behaviour. What is longer goes
//! through vector registers in inline assembly on x86-64 and aarch64, which the compiler can neither see
//! into nor turn into a `memcpy`; its pieces may overlap, and stand for relaxed accesses of the same
//! bytes.
//! Under loom the words are plain cells instead, so that every access which
//! the flag does not order is reported as the data race that it would be.

#[cfg(vectors)]
use super::copy as vector;
#[cfg(not(loom))]
use crate::sync::{AtomicU32, Ordering};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Bytes of one word, the grain in which payload is copied.
pub(crate) const WORD: usize = 4;

#[cfg(not(loom))]
pub(crate) type Cell = AtomicU32;
#[cfg(loom)]
pub(crate) use crate::sync::Cell;

/// Shared bytes that a peer may change at any moment.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    pub(super) first: *const Cell,
    pub(super) words: usize,
    shared: PhantomData<&'a [Cell]>,
}

impl<'a> Payload<'a> {
    /// The payload that lies in `words`.
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
    #[cfg(not(model))]
    pub(crate) unsafe fn from_parts(first: *const AtomicU32, words: usize) -> Self {
        Self { first, words, shared: PhantomData }
    }

    /// Length in bytes, a multiple of 4.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words * WORD
    }

    /// Whether there is no room at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    pub(super) fn cells(&self) -> &'a [Cell] {
        // SAFETY: the constructors' promise: `words` valid, aligned cells that
        // stay for 'a and are shared through interior mutability alone.
        unsafe { core::slice::from_raw_parts(self.first, self.words) }
    }

    /// Copies `bytes` to the word that begins at `at`, as a declared slot's are.
    ///
    /// # Panics
    /// If they do not fit, or `at` is no multiple of 4: a caller's mistake.
    #[cfg(model)]
    pub(super) fn write(&self, at: usize, bytes: &[u8]) {
        self.behind(at).write_bytes(bytes);
    }

    /// Fills `out` from the word that begins at `at`.
    ///
    /// # Panics
    /// As for [`write`](Self::write).
    #[cfg(model)]
    pub(super) fn read(&self, at: usize, out: &mut [u8]) {
        self.behind(at).read_bytes(out);
    }

    #[cfg(model)]
    fn behind(&self, at: usize) -> Self {
        assert!(at.is_multiple_of(WORD), "{at} is no word");
        Self::from_words(&self.cells()[at / WORD..])
    }

    /// Copies `bytes` to the beginning: all words that they touch are written.
    ///
    /// # Panics
    /// If they do not fit: a caller's mistake, not a peer's.
    #[inline(always)]
    pub fn write_bytes(&self, bytes: &[u8]) {
        if bytes.len() > self.len() {
            no_room(bytes.len(), self.len());
        }
        // SAFETY: within the payload by the check above.
        unsafe { Self::copy_in(self.first, bytes) };
    }

    /// Fills `out` from the beginning.
    ///
    /// # Panics
    /// If there are not so many bytes: a caller's mistake, not a peer's.
    #[inline(always)]
    pub fn read_bytes(&self, out: &mut [u8]) {
        if out.len() > self.len() {
            no_room(out.len(), self.len());
        }
        let out: *mut [u8] = out;
        // SAFETY: within the payload by the check above; what is written there are bytes.
        unsafe { Self::copy_out(self.first, &mut *(out as *mut [MaybeUninit<u8>])) };
    }

    /// Appends the first `len` bytes to `out`, which has room for them and for what fills the last eight.
    ///
    /// # Panics
    /// If it has none, or there are not so many bytes.
    #[inline(always)]
    #[cfg(not(model))]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>, len: usize) {
        // Without a last word of its own for what is left.
        let whole = len.next_multiple_of(2 * WORD);
        if whole > self.len() {
            no_room(whole, self.len());
        }
        // SAFETY: within the payload by the check above; at least `len` bytes are written behind those
        // that `out` has.
        unsafe {
            Self::copy_out(self.first, &mut out.spare_capacity_mut()[..whole]);
            out.set_len(out.len() + len);
        }
    }

    /// Copies `bytes` to the words at `to`. A last one that is not whole has zeros behind them, or what lay
    /// there.
    ///
    /// # Safety
    /// So many words are there, as the constructors promise.
    #[inline(always)]
    pub(super) unsafe fn copy_in(to: *const Cell, bytes: &[u8]) {
        #[cfg(vectors)]
        if bytes.len() >= vector::LEAST {
            // SAFETY: the length is within both; the source is private, the
            // target shared as the constructors promise.
            unsafe { vector::copy(bytes.as_ptr(), to.cast_mut().cast(), bytes.len()) };
            return;
        }
        let (len, from) = (bytes.len(), bytes.as_ptr());
        // SAFETY: of each word, as the caller promises; the bytes are within `bytes`.
        let put = |at: usize| unsafe { store(&*to.add(at / WORD), from.add(at).cast::<u32>().read_unaligned()) };
        // (By vectors what is short has one turn at most, and a loop costs more.)
        #[cfg(vectors)]
        if len >= 2 * WORD {
            put(0);
            put(WORD);
        }
        #[cfg(not(vectors))]
        for at in (0..len & !7).step_by(2 * WORD) {
            put(at);
            put(at + WORD);
        }
        if len.is_multiple_of(8) {
            return;
        }
        let mut at = len & !7;
        if len & WORD != 0 {
            put(at);
            at += WORD;
        }
        if len & (WORD - 1) != 0 {
            let last = match bytes.last_chunk() {
                // The last four, without those that were put already.
                Some(last) => u32::from_le_bytes(*last) >> (8 * (WORD - len % WORD)),
                // Byte by byte, for a call of `memcpy` takes longer.
                None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)),
            };
            // SAFETY: as above.
            store(unsafe { &*to.add(at / WORD) }, last.to_le());
        }
    }

    /// Copies from the words at `from` to `out`.
    ///
    /// # Safety
    /// As for [`copy_in`](Self::copy_in).
    #[inline(always)]
    pub(super) unsafe fn copy_out(from: *const Cell, out: &mut [MaybeUninit<u8>]) {
        let (len, to) = (out.len(), out.as_mut_ptr().cast::<u8>());
        #[cfg(vectors)]
        if len >= vector::LEAST {
            // SAFETY: as for writing, the other way round.
            unsafe { vector::copy(from.cast(), to, len) };
            return;
        }
        // SAFETY: of each word, as the caller promises; the bytes are within `out`.
        let get = |at: usize| unsafe { to.add(at).cast::<u32>().write_unaligned(load(&*from.add(at / WORD))) };
        #[cfg(vectors)]
        if len >= 2 * WORD {
            get(0);
            get(WORD);
        }
        #[cfg(not(vectors))]
        for at in (0..len & !7).step_by(2 * WORD) {
            get(at);
            get(at + WORD);
        }
        if len.is_multiple_of(8) {
            return;
        }
        let mut at = len & !7;
        if len & WORD != 0 {
            get(at);
            at += WORD;
        }
        if len & (WORD - 1) != 0 {
            // SAFETY: as above.
            let last = load(unsafe { &*from.add(at / WORD) }).to_ne_bytes();
            for (byte, from) in out[at..].iter_mut().zip(last) {
                byte.write(from);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn no_room(bytes: usize, room: usize) -> ! {
    panic!("there is room for {room} bytes, not for {bytes}")
}

#[cfg(not(loom))]
#[inline]
#[cfg_attr(any(crash, explored), track_caller)]
pub(super) fn load(cell: &Cell) -> u32 {
    // Relaxed: the flag orders the text, in `protocol`.
    cell.load(Ordering::Relaxed)
}

#[cfg(not(loom))]
#[inline]
#[cfg_attr(any(crash, explored), track_caller)]
pub(super) fn store(cell: &Cell, word: u32) {
    // Relaxed: the flag orders the text, in `protocol`.
    cell.store(word, Ordering::Relaxed);
}

#[cfg(loom)]
pub(super) fn load(cell: &Cell) -> u32 {
    cell.get()
}

#[cfg(loom)]
pub(super) fn store(cell: &Cell, new: u32) {
    cell.set(new);
}
