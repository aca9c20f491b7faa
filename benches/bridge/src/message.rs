//! What a message looks like: its number, when it was to be sent, and a pattern.

use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The shortest message: two numbers.
pub(crate) const SHORTEST: usize = 16;

/// The time of the clock that both hosts share: they are one machine.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("this clock is always there");
    u64::try_from(Duration::from(time).as_nanos()).expect("584 years")
}

/// A message of so many bytes; [`stamp`] gives it its numbers.
pub(crate) fn blank(len: usize) -> Vec<u8> {
    (0..len).map(pattern_at).collect()
}

/// The byte at this place, behind the two numbers.
pub(crate) fn pattern_at(at: usize) -> u8 {
    at.wrapping_mul(31).to_le_bytes()[0] | 1
}

/// Puts in the number, and when it was to be sent.
pub(crate) fn stamp(message: &mut [u8], number: u64, at: u64) {
    message[..8].copy_from_slice(&number.to_le_bytes());
    message[8..16].copy_from_slice(&at.to_le_bytes());
}

/// Number and time.
pub(crate) fn read(message: &[u8]) -> (u64, u64) {
    let word = |from: usize| u64::from_le_bytes(message[from..from + 8].try_into().expect("eight bytes"));
    (word(0), word(8))
}
