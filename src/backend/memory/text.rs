//! Texts in shared memory: C strings, copied in and out in the same way as other bytes, with an
//! eye on the NUL.

#[cfg(vectors)]
use super::copy as vector;
use super::payload::{Payload, WORD, load, store};

impl Payload<'_> {
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
            if len >= vector::SHORT {
                vector::expect_write(self.first.wrapping_byte_add(vector::SHORT).cast());
            }
        }
    }

    /// Copies `text` in, with a NUL behind it, unless there is one in it; whether it did.
    ///
    /// # Panics
    /// If `text` and the NUL do not fit.
    #[inline(always)]
    #[allow(clippy::must_use_candidate, reason = "of a text that was checked the answer is known")]
    pub fn write_text(&self, text: &[u8]) -> bool {
        if text.len() >= self.len() {
            no_room(text.len(), self.len());
        }
        let (whole, rest) = (text.len() & !(WORD - 1), text.len() & (WORD - 1));
        // Byte by byte, for a call of `memcpy` takes longer.
        let last = text[whole..].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)).to_le();
        // (The NUL behind it is none of the text's.)
        let is_text = rest == 0 || first_nul(last) == Some(rest);
        // SAFETY: within both.
        if !is_text || !unsafe { self.write_whole(&text[..whole]) } {
            return false;
        }
        // SAFETY: a word of ours, by the check above.
        store(unsafe { &*self.first.add(whole / WORD) }, last);
        true
    }

    /// Copies whole words in, unless there is a NUL among them; whether it did.
    ///
    /// # Safety
    /// So many are here.
    #[inline(always)]
    unsafe fn write_whole(&self, text: &[u8]) -> bool {
        #[cfg(vectors)]
        if text.len() >= vector::LEAST {
            // SAFETY: the caller's promise; the source is private, the target shared as the constructors
            // promise.
            return unsafe { vector::copy_text_in(text.as_ptr(), self.first.cast_mut().cast(), text.len()) };
        }
        let (words, _) = text.as_chunks::<WORD>();
        if words.iter().any(|word| first_nul(u32::from_ne_bytes(*word)).is_some()) {
            return false;
        }
        for (at, word) in words.iter().enumerate() {
            // SAFETY: the caller's promise.
            store(unsafe { &*self.first.add(at) }, u32::from_ne_bytes(*word));
        }
        true
    }

    /// C's `strncpy` into the payload: as much of `text` as there is room for,
    /// NULs in place of the rest, and no NUL where nothing is left for one
    /// (defect D6).
    pub fn write_padded(&self, text: &[u8]) {
        let (text, cells) = (&text[..text.len().min(self.len())], self.cells());
        let mut rest = text.chunks(WORD);
        for cell in cells {
            let mut word = [0; WORD];
            let piece = rest.next().unwrap_or_default();
            word[..piece.len()].copy_from_slice(piece);
            store(cell, u32::from_ne_bytes(word));
        }
    }

    /// The first four bytes, or `None` if there is no room for any.
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
    #[must_use]
    #[inline(always)]
    pub fn read_text(&self, out: &mut [u8]) -> Option<usize> {
        #[cfg(vectors)]
        if out.len().min(self.len()) >= vector::SHORT {
            // SAFETY: within both, as the condition says; the target is private, the source shared as promised.
            return match unsafe { vector::copy_short_text(self.first.cast(), out.as_mut_ptr()) } {
                None => self.read_text_on(out, vector::SHORT),
                nul => nul,
            };
        }
        self.read_text_on(out, 0)
    }

    /// As [`read_text`](Self::read_text), from byte `from` on: before it there is no NUL.
    #[inline(always)]
    fn read_text_on(self, out: &mut [u8], from: usize) -> Option<usize> {
        let room = out.len().min(self.len());
        let whole = room & !(WORD - 1);
        let cells = self.cells();
        let mut at = from;
        #[cfg(vectors)]
        {
            // SAFETY: within both: `at` is at most `whole`; the target is private, the source shared as promised.
            let copied = unsafe {
                vector::copy_lines_of_text(self.first.byte_add(at).cast(), out.as_mut_ptr().add(at), whole - at)
            };
            match copied {
                Ok(nul) => return Some(at + nul),
                Err(copied) => at += copied,
            }
        }
        while at < whole {
            let word = load(&cells[at / WORD]);
            out[at..at + WORD].copy_from_slice(&word.to_ne_bytes());
            if let Some(nul) = first_nul(word) {
                return Some(at + nul);
            }
            at += WORD;
        }
        if whole == self.len() {
            return Some(whole);
        }
        // `out` ends within a word, or at its edge: only the NUL may follow.
        let word = load(&cells[whole / WORD]).to_ne_bytes();
        let nul = word.iter().position(|byte| *byte == 0).filter(|nul| *nul <= room - whole)?;
        for (byte, from) in out[whole..whole + nul].iter_mut().zip(word) {
            *byte = from;
        }
        Some(whole + nul)
    }
}

#[cold]
#[inline(never)]
fn no_room(bytes: usize, room: usize) -> ! {
    panic!("{bytes} bytes and a NUL do not fit into {room}")
}

/// Where a NUL is in a word.
#[inline]
fn first_nul(word: u32) -> Option<usize> {
    let word = u32::from_le(word);
    let borrowed = word.wrapping_sub(0x0101_0101) & !word & 0x8080_8080;
    (borrowed != 0).then(|| borrowed.trailing_zeros() as usize / 8)
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;
    use crate::sync::AtomicU32;
    use proptest::prelude::*;

    proptest! {
        /// What is written comes back, whatever was there before.
        #[test]
        fn round_trip(text in proptest::collection::vec(1_u8.., 0..300), old: u32, room in 0_usize..310) {
            let words: Vec<AtomicU32> = (0..76).map(|_| AtomicU32::new(old)).collect();
            let payload = Payload::from_words(&words);
            prop_assert!(payload.write_text(&text));
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
