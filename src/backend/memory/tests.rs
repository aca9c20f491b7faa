//! Offsets and bytes, as they are.

use super::Payload;
use super::offsets::ring::{HEAD_AT, LARGEST, READER_PARKED_AT, RECORDS_AT, SMALLEST, has_wide, is_capacity, size};
use super::offsets::{Offsets, SLOT};
use crate::sync::{AtomicU32, Ordering};

fn words<const N: usize>(of: u32) -> [AtomicU32; N] {
    [(); N].map(|()| AtomicU32::new(of))
}

#[test]
fn a_slot_is_the_tutorials() {
    assert_eq!(SLOT, Offsets { size: 2052, flag_at: 0, text_at: 4, text_len: 2048 });
}

#[test]
fn a_capacity_is_a_power_of_two_within_bounds() {
    assert!(is_capacity(SMALLEST) && !is_capacity(SMALLEST / 2));
    assert!(is_capacity(LARGEST) && !is_capacity(LARGEST * 2));
    assert!(!is_capacity(100_000) && !is_capacity(4096));
    assert_eq!(size(64 << 10), RECORDS_AT + 65_536);
}

#[test]
fn wide_words_are_known_by_each_of_their_halves() {
    assert!(has_wide(HEAD_AT, HEAD_AT + 4) && has_wide(HEAD_AT + 4, HEAD_AT + 8));
    assert!(!has_wide(READER_PARKED_AT, READER_PARKED_AT + 8));
}

#[test]
fn a_payload_is_the_bytes_of_its_words() {
    let words = words::<3>(0);
    let payload = Payload::from_words(&words);
    assert_eq!((payload.len(), payload.is_empty()), (12, false));
    assert!(Payload::from_words(&[]).is_empty());
    payload.write_bytes(b"abcd");
    assert_eq!(words[0].load(Ordering::Relaxed), u32::from_ne_bytes(*b"abcd"));
}

#[test]
fn a_payload_can_lie_at_a_pointer() {
    let mut words = [0_u32; 3];
    // SAFETY: 12 aligned bytes, which nobody else accesses.
    let payload = unsafe { Payload::from_raw(words.as_mut_ptr().cast(), 12) };
    payload.write_text(b"hello\n");
    assert_eq!(payload.first_word(), Some(*b"hell"));
}

#[test]
fn bytes_are_read_as_they_were_written() {
    let words = words::<3>(u32::MAX);
    let payload = Payload::from_words(&words);
    payload.write_bytes(b"a\0b");
    let mut private = [0xEE; 3];
    payload.read_bytes(&mut private);
    assert_eq!(&private, b"a\0b");
}

#[test]
fn bytes_need_not_end_with_a_word() {
    let mut bytes = [0; 7];
    Payload::from_words(&words::<2>(u32::from_ne_bytes(*b"abcd"))).read_bytes(&mut bytes);
    assert_eq!(&bytes, b"abcdabc");
}

#[test]
fn a_text_is_padded_or_cut_to_the_payload() {
    let words = words::<2>(u32::MAX);
    let payload = Payload::from_words(&words);
    let mut private = [0xEE; 8];
    payload.write_padded(b"hello");
    assert_eq!(payload.read_text(&mut private), Some(5));
    payload.write_padded(b"much too long");
    assert_eq!(payload.read_text(&mut private), Some(8), "no NUL");
    assert_eq!(&private, b"much too");
}

#[test]
fn a_text_ends_before_its_nul() {
    let words = words::<3>(0);
    let payload = Payload::from_words(&words);
    payload.write_text(b"end\n");
    assert_eq!(payload.first_word(), Some(*b"end\n"));
    payload.write_text(b"hello\n");
    let mut text = [0; 12];
    assert_eq!(payload.read_text(&mut text), Some(6));
    assert_eq!(&text[..6], b"hello\n");
    assert_eq!(payload.read_text(&mut [0; 4]), None, "no room for it");
}
