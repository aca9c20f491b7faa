//! Texts that say who wrote them, and show whether they are whole.
//!
//! ```text
//! bytes      what
//! ---------  --------------------------------------------------------------
//! 0          `#`, so that no text begins with `end`
//! 1..9       the session, 8 hex digits: a text of an earlier one is none here
//! 9..17      the writer
//! 17..25     the text's number
//! 25..       8 hex digits, a hash of all three, over and over: so that any
//!            piece of another text gives the mix away
//! ```
//!
//! 64 to 200 bytes, by the hash, or to as many as there is room for. A text is whole if it is, byte for byte, what
//! its own head says it must be: that is more than a checksum of it could say.

pub(super) const HEAD: usize = 25;
pub(super) const DIGITS: usize = 8;
pub(super) const SHORTEST: usize = 64;
pub(super) const LONGEST: usize = 200;

/// Who wrote a text, and which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) session: u32,
    pub(super) writer: u32,
    pub(super) seq: u32,
}

impl Stamp {
    /// Puts the text, of `longest` bytes at most, into `text`, in place of what was there.
    pub(super) fn write(self, longest: usize, text: &mut Vec<u8>) {
        let hash = self.hash();
        text.clear();
        text.push(b'#');
        for number in [self.session, self.writer, self.seq] {
            text.extend_from_slice(&hex(number));
        }
        let len = SHORTEST + hash as usize % (longest - SHORTEST + 1);
        let fill = hex(hash);
        while text.len() + DIGITS < len {
            text.extend_from_slice(&fill);
        }
        text.extend_from_slice(&fill[..len - text.len()]);
    }

    /// Who wrote `text`; `None`: nobody wrote it as it is. `scratch` is room to
    /// work in.
    pub(super) fn read(text: &[u8], longest: usize, scratch: &mut Vec<u8>) -> Option<Self> {
        let numbers = text.get(1..HEAD)?;
        let mut numbers = numbers.chunks(DIGITS).map(number);
        let stamp = Self { session: numbers.next()??, writer: numbers.next()??, seq: numbers.next()?? };
        stamp.write(longest, scratch);
        (scratch == text).then_some(stamp)
    }

    /// The finaliser of Murmur3, over the three numbers in turn.
    pub(super) fn hash(self) -> u32 {
        [self.session, self.writer, self.seq].into_iter().fold(0x9e37_79b9, |hash: u32, number| {
            let mut hash = (hash ^ number).wrapping_mul(0x85eb_ca6b);
            hash ^= hash >> 13;
            hash = hash.wrapping_mul(0xc2b2_ae35);
            hash ^ (hash >> 16)
        })
    }
}

fn hex(number: u32) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    for (at, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (28 - 4 * at) & 0xf) as usize];
    }
    digits
}

fn number(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::slot::rules;
    use proptest::prelude::*;

    fn text(stamp: Stamp) -> Vec<u8> {
        let mut text = Vec::new();
        stamp.write(LONGEST, &mut text);
        text
    }

    prop_compose! {
        fn stamp()(session: u32, writer in 0_u32..2, seq: u32) -> Stamp { Stamp { session, writer, seq } }
    }

    proptest! {
        /// Every text can be sent, has its length, and says who wrote it.
        #[test]
        fn whole_texts_are_known(stamp in stamp()) {
            let text = text(stamp);
            prop_assert!((64..=200).contains(&text.len()));
            prop_assert_eq!(rules::check(&text, 2047), Ok(()));
            prop_assert!(!rules::ends_session(&text));
            prop_assert_eq!(Stamp::read(&text, LONGEST, &mut Vec::new()), Some(stamp));
        }

        /// Two texts in one, cut at any word, are known as what nobody wrote.
        #[test]
        fn mixed_texts_are_torn(a in stamp(), b in stamp(), word in 0_usize..50) {
            let (a, b) = (text(a), text(b));
            let cut = (4 * word).min(a.len()).min(b.len());
            let mixed = [&a[..cut], &b[cut..]].concat();
            prop_assume!(mixed != a && mixed != b);
            prop_assert_eq!(Stamp::read(&mixed, LONGEST, &mut Vec::new()), None);
        }

        /// Any bytes at all can be looked at.
        #[test]
        fn garbage_is_torn(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(Stamp::read(&bytes, LONGEST, &mut Vec::new()), None);
        }
    }
}
