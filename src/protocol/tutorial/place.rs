//! Where the tutorial's sides find their flag: in the tutorial's struct, or in a program's own.

use crate::backend::Backend;
use crate::backend::memory::declared::{DeclaredView, FlagView};
use crate::backend::memory::slot::{AnySlot, SlotView};

/// A slot of either kind.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Classic(SlotView<'a>),
    Declared(DeclaredView<'a>),
}

impl<'a> Place<'a> {
    pub(super) fn of(backend: &'a impl Backend) -> Self {
        if backend.is_classic() { Self::Classic(backend.slot()) } else { Self::Declared(backend.declared()) }
    }

    pub(super) fn flag(self) -> FlagView<'a> {
        match self {
            Self::Classic(slot) => FlagView::Word(slot.flag),
            Self::Declared(slot) => slot.flag(),
        }
    }

    pub(super) fn empty(self) -> u32 {
        match self {
            Self::Classic(slot) => slot.empty(),
            Self::Declared(slot) => slot.empty(),
        }
    }

    pub(super) fn full(self) -> u32 {
        match self {
            Self::Classic(slot) => slot.full(),
            Self::Declared(slot) => slot.full(),
        }
    }

    /// As much of `bytes` as there is room for, and zeros behind them, as `strncpy` does.
    pub(super) fn write_padded(self, bytes: &[u8]) {
        match self {
            Self::Classic(slot) => slot.text.write_padded(bytes),
            Self::Declared(slot) => slot.write_padded(bytes),
        }
    }

    /// A text up to its NUL and whether there is one, or a record.
    pub(super) fn read(self) -> (Vec<u8>, bool) {
        let longest = match self {
            Self::Classic(slot) => slot.longest(),
            Self::Declared(slot) => slot.longest(),
        };
        let mut bytes = vec![0; longest];
        let len = match self {
            Self::Classic(slot) => slot.read(&mut bytes),
            Self::Declared(slot) => slot.read(&mut bytes),
        };
        let len = len.unwrap_or(longest);
        bytes.truncate(len);
        (bytes, len < longest)
    }

    /// What a text begins with; `None`: there is none.
    pub(super) fn first_word(self) -> Option<[u8; 4]> {
        match self {
            Self::Classic(slot) => slot.text.first_word(),
            Self::Declared(slot) => slot.is_text().then(|| slot.first_word()),
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Classic(_)) || matches!(self, Self::Declared(slot) if slot.is_text())
    }

    pub(super) fn write_reply(self, reply: &[u8]) {
        if let Self::Declared(slot) = self {
            slot.write_reply(reply);
        }
    }

    pub(super) fn read_reply(self) -> Vec<u8> {
        let Self::Declared(slot) = self else { return Vec::new() };
        let mut reply = vec![0; slot.reply_len()];
        slot.read_reply(&mut reply);
        reply
    }
}
