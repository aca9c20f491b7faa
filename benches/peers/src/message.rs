//! What a message looks like, and how it is checked.
//!
//! ```text
//!   0..8        the number
//!   8..len-8    a fixed pattern
//!   len-8..len  the number again, from 16 bytes on
//! ```
//!
//! The receiver checks of *every* message its length, its number (so: none lost,
//! none twice, in order), the number at its end and one byte between the two,
//! another one each time. While a measurement warms up it compares every byte.
//!
//! Short messages are made a few ahead: who copies bytes that were stored a moment ago in
//! other pieces waits for the store buffer, which is no cost of any peer's.
//!
//! No byte is 0 and no message begins with `end`, which the classic layout can't
//! carry.

use crate::work::{LONGEST, Work};
use shm_handoff::cli::numbered;

const fn pattern_at(at: usize) -> u8 {
    (at.wrapping_mul(31) >> 2).to_le_bytes()[0] | 1
}

const PATTERN: [u8; LONGEST] = {
    let mut pattern = [0; LONGEST];
    let mut at = 0;
    while at < LONGEST {
        pattern[at] = pattern_at(at);
        at += 1;
    }
    pattern
};

/// The sender's messages.
pub(crate) struct Outbox {
    work: Work,
    made: u64,
    given: u64,
    /// So many are made at a time, that many ahead if they are short.
    lot: usize,
    ahead: u64,
    /// Two lots, one behind the other, each message in a place of its own.
    places: Vec<u8>,
    stride: usize,
    lens: [usize; 2 * MOST],
}

/// The most that are given out at a time.
pub(crate) const MOST: usize = 16;

/// Messages up to here are made ahead: two lots of them stay in the first cache.
const SHORT: usize = 512;

impl Outbox {
    /// `batch`: as many as are given out at a time, 1 or [`MOST`].
    pub(crate) fn new(work: Work, batch: usize) -> Self {
        let longest = work.longest();
        let (lot, ahead) = if longest <= SHORT { (MOST, MOST) } else { (batch, 0) };
        let stride = longest.next_multiple_of(64);
        let mut places = vec![0; stride * 2 * lot];
        for place in places.chunks_mut(stride) {
            place[..longest].copy_from_slice(&PATTERN[..longest]);
        }
        let (ahead, lens) = (ahead as u64, [longest; 2 * MOST]);
        let mut outbox = Self { work, made: 0, given: 0, lot, ahead, places, stride, lens };
        if ahead > 0 {
            outbox.make();
        }
        outbox
    }

    /// The number of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.given
    }

    /// Where the message is that has so many before it.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "fewer than 64")]
    fn slot(&self, before: u64) -> usize {
        before as usize & (2 * self.lot - 1)
    }

    /// The next lot.
    #[inline(never)]
    fn make(&mut self) {
        let first = self.slot(self.made);
        let (mut made, work) = (self.made, self.work);
        let mixed = matches!(work, Work::Mixed);
        let places = self.places[first * self.stride..].chunks_exact_mut(self.stride);
        for (place, len) in places.zip(&mut self.lens[first..]).take(self.lot) {
            made += 1;
            if mixed {
                // Where the previous message had its number again the pattern belongs.
                place[*len - 8..*len].copy_from_slice(&PATTERN[*len - 8..*len]);
                *len = work.len_of(made);
            }
            let number = numbered::word(made).to_ne_bytes();
            place[..8].copy_from_slice(&number);
            if *len >= 16 {
                place[*len - 8..*len].copy_from_slice(&number);
            }
        }
        self.made = made;
    }

    /// The next message.
    #[inline]
    pub(crate) fn next(&mut self) -> &[u8] {
        let [message] = self.batch();
        message
    }

    /// The next messages.
    #[inline]
    pub(crate) fn batch<const N: usize>(&mut self) -> [&[u8]; N] {
        let first = self.given;
        let ready = self.made - first;
        if ready <= self.ahead || ready < N as u64 {
            self.make();
        }
        self.given += N as u64;
        std::array::from_fn(|at| {
            let slot = self.slot(first + at as u64);
            &self.places[slot * self.stride..][..self.lens[slot]]
        })
    }
}

/// The receiver's side.
pub(crate) struct Inbox {
    work: Work,
    last: u64,
}

impl Inbox {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, last: 0 }
    }

    /// The number of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Length of the next message.
    #[inline]
    pub(crate) fn expects(&self) -> usize {
        self.work.len_of(self.last + 1)
    }

    /// Checks the next message, `whole` or not.
    #[inline]
    pub(crate) fn check(&mut self, message: &[u8], whole: bool) {
        self.last += 1;
        let (number, expected) = (self.last, numbered::word(self.last));
        let len = self.work.len_of(number);
        assert!(message.len() == len, "message {number} has {} bytes and not {len}", message.len());
        let first = word(message, 0);
        assert!(first == expected, "message {number} has another number, {first:x} and not {expected:x}");
        if len >= 16 {
            assert!(word(message, len - 8) == expected, "message {number} does not end as it began");
        }
        if len > 16 {
            // Another place each time; the multiplication is cheaper than a division.
            let at = 8 + (((number & 0xFFFF) as usize * (len - 16)) >> 16);
            assert!(message[at] == PATTERN[at], "message {number} differs at byte {at}");
        }
        if whole {
            self.compare(message);
        }
    }

    #[cold]
    fn compare(&self, message: &[u8]) {
        if message.len() > 16 {
            let within = 8..message.len() - 8;
            assert!(message[within.clone()] == PATTERN[within], "message {} is not what was sent", self.last);
        }
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Reads all of a message that nobody copied: what a copy would have read.
#[inline]
pub(crate) fn read_all(bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_ne_bytes(*word)));
    std::hint::black_box(rest.iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte))));
}
