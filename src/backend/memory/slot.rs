//! The view of a slot: one flag and one text.

use super::Payload;
use crate::sync::AtomicU32;

/// Where the flag and the text of a slot are.
#[derive(Debug, Clone, Copy)]
pub struct SlotView<'a> {
    /// The flag.
    pub flag: &'a AtomicU32,
    /// The text's bytes.
    pub text: Payload<'a>,
}

impl SlotView<'_> {
    /// The longest text, in bytes: one is the NUL's.
    #[inline(always)]
    #[must_use]
    pub fn capacity(self) -> usize {
        self.text.len() - 1
    }
}
