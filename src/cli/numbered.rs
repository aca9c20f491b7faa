//! Messages that know themselves: the last bytes of each are made of its number, so that
//! one that is lost, doubled or stale is noticed. They can be carried by a classic slot:
//! there is no NUL in them, and none begins with `end`. `benches/peers` numbers its
//! messages alike.

/// Bytes of a number, at most.
const LEN: usize = 8;

/// A number is this many times itself, so that a few of its bytes tell it from its neighbours as well.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// In each byte of a number, and in none of the last message's mark.
const HIGH: u64 = u64::from_ne_bytes([0x80; LEN]);
const LAST: u64 = u64::from_ne_bytes([1; LEN]);

/// A number as it stands in a message: eight bytes, none of which is 0 or a letter.
#[inline]
#[must_use]
pub fn word(number: u64) -> u64 {
    number.wrapping_mul(SPREAD) | HIGH
}

/// A message of `size` bytes, still without a number.
pub(super) fn blank(size: usize) -> Vec<u8> {
    vec![b'x'; size]
}

/// Makes it the message of this number.
#[inline]
pub(super) fn stamp(message: &mut [u8], number: u64) {
    write(message, word(number));
}

/// Makes it the one that says: no more.
pub(super) fn stamp_last(message: &mut [u8]) {
    write(message, LAST);
}

/// Whether this is the message of this number.
#[inline]
pub(super) fn is(message: &[u8], number: u64) -> bool {
    ends_in(message, word(number))
}

/// Whether this says: no more.
#[inline]
pub(super) fn is_last(message: &[u8]) -> bool {
    ends_in(message, LAST)
}

#[inline]
fn write(message: &mut [u8], word: u64) {
    let bytes = word.to_le_bytes();
    match message.last_chunk_mut::<LEN>() {
        Some(end) => *end = bytes,
        None => message.copy_from_slice(&bytes[..message.len()]),
    }
}

#[inline]
fn ends_in(message: &[u8], word: u64) -> bool {
    let bytes = word.to_le_bytes();
    match message.last_chunk::<LEN>() {
        Some(end) => *end == bytes,
        None => *message == bytes[..message.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::slot::rules;
    use proptest::prelude::*;

    proptest! {
        /// Every one can be sent, is the one it is, and neither its neighbour nor the last.
        #[test]
        fn a_message_knows_itself(size in 1_usize..100, number: u64) {
            let mut text = blank(size);
            stamp(&mut text, number);
            prop_assert_eq!(rules::check(&text, 2047), Ok(()));
            prop_assert!(!rules::ends_session(&text));
            prop_assert!(is(&text, number) && !is_last(&text));
            prop_assert!(!is(&text, number.wrapping_add(1)) && !is(&text, number.wrapping_sub(1)));
            stamp_last(&mut text);
            prop_assert!(is_last(&text) && !is(&text, number));
            prop_assert_eq!(rules::check(&text, 2047), Ok(()));
            prop_assert!(!rules::ends_session(&text));
        }
    }
}
