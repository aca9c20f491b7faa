//! The writing side of a slot.

use super::flag::{self, FULL};
use super::rules;
use crate::backend::{Backend, Layout, SlotView};
use crate::error::{Corrupt, Error, Unsendable};
use crate::orders::orders;
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{self, Kind, Record};
use std::time::Duration;

/// The writing side: see the module.
#[derive(Debug, Default)]
pub struct Producer {
    /// An empty flag is all that a message needs.
    straight: bool,
}

impl Producer {
    #[inline(always)]
    fn is_empty(slot: SlotView<'_>) -> bool {
        // Edge `room`, taking end; pairs with the store in `Consumer::empty`: the reader's copy
        // out is over.
        !flag::is_full(slot.flag.load(orders().see_empty))
    }

    #[inline(always)]
    fn publish<B: Backend>(memory: &B, slot: SlotView<'_>) {
        // Edge `text`, giving end; pairs with the load in `Consumer::look`: the side that sees the
        // flag sees the text.
        slot.flag.store(FULL, orders().publish);
        memory.wake();
    }

    /// The text that lies there, unless the reader has released it, or it ends the session.
    fn left<B: Backend>(memory: &B) -> Option<Vec<u8>> {
        let slot = memory.slot();
        if Self::is_empty(slot) {
            return None;
        }
        let mut text = vec![0; slot.text.len()];
        let len = slot.text.read_text(&mut text)?;
        // Our own messages fit; a longer text without a NUL is a C writer's.
        text.truncate(len.min(slot.capacity()));
        (!rules::ends_session(&text)).then_some(text)
    }
}

impl core::Producer for Producer {
    fn of(layout: Layout) -> Option<Self> {
        (layout == Layout::Slot).then(Self::default)
    }

    fn has_strangers(&self) -> bool {
        true
    }

    fn attach<B: Backend>(&mut self, _: &B) -> Result<(), Corrupt> {
        *self = Self::default();
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        memory.slot().capacity()
    }

    fn end(&self) -> &'static [u8] {
        rules::END
    }

    fn check<B: Backend>(&self, memory: &B, text: &[u8]) -> Result<Kind, Unsendable> {
        rules::check(text, memory.slot().capacity())?;
        Ok(if rules::ends_session(text) { Kind::End } else { Kind::Bytes })
    }

    #[inline(always)]
    fn push_straight<B: Backend>(&mut self, memory: &B, text: &[u8]) -> bool {
        let slot = memory.slot();
        // On its way while the text is checked.
        slot.text.expect_write(text.len());
        if !self.straight || !rules::is_plain(text, slot.capacity()) {
            return false;
        }
        // A glance that has failed is not worth another one.
        self.straight = Self::is_empty(slot);
        // (What is written and can't be carried is never seen.)
        if !self.straight || !slot.text.write_text(text) {
            return false;
        }
        Self::publish(memory, slot);
        true
    }

    fn renew<B: Backend>(&mut self, _: &B, nothing_first: bool) {
        self.straight = nothing_first;
    }

    fn knows_room<B: Backend>(&self, memory: &B, _: usize) -> bool {
        self.straight && Self::is_empty(memory.slot())
    }

    fn has_room<B: Backend>(&mut self, memory: &B, _: usize) -> Result<bool, Corrupt> {
        Ok(Self::is_empty(memory.slot()))
    }

    fn push<B: Backend>(&mut self, memory: &B, _: Kind, text: &[u8]) {
        let slot = memory.slot();
        slot.text.write_text(text);
        Self::publish(memory, slot);
    }

    /// Nobody wakes it: the other side may be a C program.
    fn park<B: Backend>(&mut self, memory: &B, _: usize, longest: Duration) -> Result<(), Corrupt> {
        memory.sleep(longest);
        Ok(())
    }

    fn is_drained<B: Backend>(&self, memory: &B) -> bool {
        Self::is_empty(memory.slot())
    }

    fn unreleased<B: Backend>(&self, memory: &B, _: usize) -> usize {
        usize::from(Self::left(memory).is_some())
    }

    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error> {
        let left = Self::left(memory);
        let record = left.as_ref().map(|text| Record { at: 0, len: text.len(), kind: Kind::Bytes });
        Backlog::of(record.into_iter(), |_, bytes| bytes.copy_from_slice(left.as_deref().unwrap_or_default()))
    }
}
