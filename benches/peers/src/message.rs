//! What a message looks like, and how it is checked.
//!
//! ```text
//!   0..8        the number, and in its first byte what is asked for
//!   8..len-8    a fixed pattern
//!   len-8..len  the number again, from 16 bytes on
//! ```
//!
//! The receiver checks of *every* message its length, its number (so: none lost,
//! none twice, in order), the number at its end and one byte between the two,
//! another one each time. While a measurement warms up it compares every byte.
//!
//! No byte is 0 and no message begins with `end`, which the classic layout can't
//! carry.

use crate::work::{LONGEST, Work};

/// The receiver says on the board that it has this one.
pub(crate) const ACK: u64 = 1 << 60;
/// The last one; the receiver joins in the bare ping-pong, and goes.
pub(crate) const STOP: u64 = 1 << 59;
/// Every byte is to be compared.
pub(crate) const WHOLE: u64 = 1 << 58;
/// The receiver joins in the bare ping-pong, and goes on.
pub(crate) const BARE: u64 = 1 << 57;
const ASKS: u64 = ACK | STOP | WHOLE | BARE;

/// Counts messages.
#[derive(Clone, Copy)]
struct Count {
    number: u64,
    /// The same as it is sent: digits from 1 to 255, one a byte.
    digits: u64,
}

impl Count {
    const START: Self = Self { number: 0, digits: 0x0101_0101_0101_0101 };

    #[inline]
    fn step(&mut self) {
        self.number += 1;
        self.digits += 1;
        if self.digits.trailing_zeros() >= 8 {
            self.carry();
        }
    }

    #[cold]
    fn carry(&mut self) {
        self.digits = u64::from_ne_bytes(self.digits.to_ne_bytes().map(|digit| digit.max(1)));
    }
}

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

/// The sender's messages, so many of which are ready at a time.
pub(crate) struct Outbox {
    work: Work,
    last: Count,
    buffers: Vec<Vec<u8>>,
    lens: Vec<usize>,
}

impl Outbox {
    pub(crate) fn new(work: Work, batch: usize) -> Self {
        Self {
            work,
            last: Count::START,
            buffers: vec![PATTERN[..work.longest()].to_vec(); batch],
            lens: vec![0; batch],
        }
    }

    /// The number of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.last.number
    }

    /// Makes the next message, in the buffer `at`.
    #[inline]
    pub(crate) fn stamp(&mut self, at: usize, asks: u64) -> &mut [u8] {
        self.last.step();
        let buffer = &mut self.buffers[at];
        let last = self.lens[at];
        // Where the previous message had its number again the pattern belongs.
        if matches!(self.work, Work::Mixed) && last >= 16 {
            buffer[last - 8..last].copy_from_slice(&PATTERN[last - 8..last]);
        }
        let len = self.work.len_of(self.last.number);
        self.lens[at] = len;
        let message = &mut buffer[..len];
        message[..8].copy_from_slice(&(self.last.digits | asks).to_be_bytes());
        if len >= 16 {
            message[len - 8..].copy_from_slice(&self.last.digits.to_be_bytes());
        }
        message
    }

    /// The messages that were stamped last, in the order of their buffers.
    #[inline]
    pub(crate) fn batch<const N: usize>(&self) -> [&[u8]; N] {
        std::array::from_fn(|at| &self.buffers[at][..self.lens[at]])
    }
}

/// The receiver's side.
pub(crate) struct Inbox {
    work: Work,
    last: Count,
}

/// What a message asks for.
#[derive(Clone, Copy)]
pub(crate) struct Asks(u64);

impl Asks {
    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 & (ACK | BARE | STOP) != 0
    }

    pub(crate) fn bare(self) -> bool {
        self.0 & (BARE | STOP) != 0
    }

    pub(crate) fn stop(self) -> bool {
        self.0 & STOP != 0
    }
}

impl Inbox {
    pub(crate) fn new(work: Work) -> Self {
        Self { work, last: Count::START }
    }

    /// The number of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.last.number
    }

    /// Length of the next message.
    #[inline]
    pub(crate) fn expects(&self) -> usize {
        self.work.len_of(self.last.number + 1)
    }

    /// Checks the next message.
    #[inline]
    pub(crate) fn check(&mut self, message: &[u8]) -> Asks {
        self.last.step();
        let Count { number, digits } = self.last;
        let len = self.work.len_of(number);
        assert!(message.len() == len, "message {number} has {} bytes and not {len}", message.len());
        let first = word(message, 0);
        assert!(first & !ASKS == digits, "message {number} has another number, {first:x} and not {digits:x}");
        if len >= 16 {
            assert!(word(message, len - 8) == digits, "message {number} does not end as it began");
        }
        if len > 16 {
            // Another place each time; the multiplication is cheaper than a division.
            let at = 8 + (((number & 0xFFFF) as usize * (len - 16)) >> 16);
            assert!(message[at] == PATTERN[at], "message {number} differs at byte {at}");
        }
        if first & WHOLE != 0 {
            self.compare(message);
        }
        Asks(first)
    }

    #[cold]
    fn compare(&self, message: &[u8]) {
        if message.len() > 16 {
            let within = 8..message.len() - 8;
            assert!(message[within.clone()] == PATTERN[within], "message {} is not what was sent", self.last.number);
        }
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Reads all of a message that nobody copied: what a copy would have read.
#[inline]
pub(crate) fn read_all(bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_ne_bytes(*word)));
    std::hint::black_box(rest.iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte))));
}
