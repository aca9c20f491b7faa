//! The view of a slot: one flag, and what it hands over.

use super::Payload;
use crate::sync::{AtomicU32, Ordering};

/// The writer may write a classic slot.
pub const EMPTY: u32 = 0;

/// What our writer publishes in a classic slot.
pub const FULL: u32 = 1;

/// What the protocol of a slot needs of its struct, whichever that is. The values of a flag are 32 bits here, also
/// where it is a byte in memory.
pub trait AnySlot: Copy {
    /// The flag's place.
    type Flag: Flag;

    /// The flag.
    fn flag(self) -> Self::Flag;

    /// At this value the writer may write.
    fn empty(self) -> u32;

    /// What our writer publishes.
    fn full(self) -> u32;

    /// Whether the slot is the reader's: at any value but [`empty`](Self::empty).
    #[inline(always)]
    fn is_full(self, flag: u32) -> bool {
        flag != self.empty()
    }

    /// One text by the tutorial's rules; else records of one length.
    fn is_text(self) -> bool;

    /// The longest message that can lie there, in bytes.
    fn longest(self) -> usize;

    /// The longest message that our writer sends.
    fn capacity(self) -> usize;

    /// A message of `len` bytes is about to be written.
    fn expect_write(self, _len: usize) {}

    /// Copies a message in that can be carried; `false`: it can't, for it has a NUL.
    fn write(self, bytes: &[u8]) -> bool;

    /// Copies the message to the beginning of `out`, and says how long it is; `None`: it does not fit.
    fn read(self, out: &mut [u8]) -> Option<usize>;

    /// Bytes of what the reader may answer before it releases; 0: it may not.
    fn reply_len(self) -> usize {
        0
    }

    /// Copies an answer in, which has [`reply_len`](Self::reply_len) bytes.
    fn write_reply(self, _: &[u8]) {}

    /// Copies the answer out.
    fn read_reply(self, _: &mut [u8]) {}
}

/// Where a flag is.
pub trait Flag: Copy {
    /// An atomic load.
    fn load(self, order: Ordering) -> u32;

    /// An atomic store.
    fn store(self, value: u32, order: Ordering);
}

impl Flag for &AtomicU32 {
    #[inline(always)]
    #[cfg_attr(any(crash, explored), track_caller)]
    fn load(self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }

    #[inline(always)]
    #[cfg_attr(any(crash, explored), track_caller)]
    fn store(self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
}

/// Where the flag and the text of a classic slot are.
#[derive(Debug, Clone, Copy)]
pub struct SlotView<'a> {
    /// The flag.
    pub flag: &'a AtomicU32,
    /// The text's bytes.
    pub text: Payload<'a>,
}

#[cfg(not(model))]
impl SlotView<'_> {
    /// A slot that nobody fills, for memory of another layout. At a declared slot a glance sees this one, and finds
    /// nothing; the slow way behind the glance asks for the struct.
    pub(crate) fn closed() -> Self {
        static FLAG: AtomicU32 = AtomicU32::new(EMPTY);
        static TEXT: [AtomicU32; 1] = [AtomicU32::new(0)];
        Self { flag: &FLAG, text: Payload::from_words(&TEXT) }
    }
}

impl<'a> AnySlot for SlotView<'a> {
    type Flag = &'a AtomicU32;

    #[inline(always)]
    fn flag(self) -> &'a AtomicU32 {
        self.flag
    }

    #[inline(always)]
    fn empty(self) -> u32 {
        EMPTY
    }

    #[inline(always)]
    fn full(self) -> u32 {
        FULL
    }

    #[inline(always)]
    fn is_text(self) -> bool {
        true
    }

    #[inline(always)]
    fn longest(self) -> usize {
        self.text.len()
    }

    /// One byte is the NUL's.
    #[inline(always)]
    fn capacity(self) -> usize {
        self.text.len() - 1
    }

    #[inline(always)]
    fn expect_write(self, len: usize) {
        self.text.expect_write(len);
    }

    #[inline(always)]
    fn write(self, bytes: &[u8]) -> bool {
        self.text.write_text(bytes)
    }

    #[inline(always)]
    fn read(self, out: &mut [u8]) -> Option<usize> {
        self.text.read_text(out)
    }
}
