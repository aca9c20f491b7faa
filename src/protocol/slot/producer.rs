//! The writing side of a slot.

use super::{Form, Slot, rules};
use crate::backend::memory::slot::{AnySlot, Flag};
use crate::backend::{Backend, Layout};
use crate::error::{Corrupt, Error, Unsendable};
use crate::orders::orders;
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{self, Kind, Record};
use std::marker::PhantomData;
use std::time::Duration;

/// The writing side: see the module.
#[derive(Debug, Clone, Copy)]
pub struct Producer<F: Form = Slot> {
    /// An empty flag is all that a message needs.
    straight: bool,
    /// An end that was not released is taken along.
    with_end: bool,
    form: PhantomData<F>,
}

impl<F: Form> Default for Producer<F> {
    /// Of memory that it has not seen.
    fn default() -> Self {
        Self { straight: false, with_end: false, form: PhantomData }
    }
}

impl<F: Form> Producer<F> {
    /// The same of another struct.
    #[must_use]
    pub const fn with_form<G: Form>(self) -> Producer<G> {
        Producer { straight: self.straight, with_end: self.with_end, form: PhantomData }
    }

    #[inline(always)]
    fn look(slot: F::View<'_>) -> u32 {
        // Edge `room`, taking end; pairs with the store in `Consumer::empty`: the reader's copy
        // out is over.
        slot.flag().load(orders().see_empty)
    }

    #[inline(always)]
    fn is_empty(slot: F::View<'_>) -> bool {
        Self::look(slot) == slot.empty()
    }

    #[inline(always)]
    fn publish<B: Backend>(memory: &B, slot: F::View<'_>) {
        // Edge `text`, giving end; pairs with the load in `Consumer::look`: the side that sees the
        // flag sees the text.
        slot.flag().store(slot.full(), orders().publish);
        memory.wake();
    }

    /// Whether `bytes` can be carried, at a glance.
    #[inline(always)]
    fn is_plain(slot: F::View<'_>, bytes: &[u8]) -> bool {
        if slot.is_text() { rules::is_plain(bytes, slot.capacity()) } else { bytes.len() == slot.capacity() }
    }

    /// The message that lies there, unless the reader has released it, or it ends the session: the removal of the
    /// memory is how a reader answers that.
    fn left<B: Backend>(self, memory: &B) -> Option<(Kind, Vec<u8>)> {
        let slot = F::view(memory);
        // (What nobody has stored since the memory was made is no message.)
        if !slot.is_full(Self::look(slot)) {
            return None;
        }
        let mut text = vec![0; slot.longest()];
        let len = slot.read(&mut text)?;
        // Our own messages fit; a longer text without a NUL is a C writer's.
        text.truncate(len.min(slot.capacity()));
        let kind = if slot.is_text() && rules::ends_session(&text) { Kind::End } else { Kind::Bytes };
        (kind == Kind::Bytes || self.with_end).then_some((kind, text))
    }
}

impl<F: Form> core::Producer for Producer<F> {
    fn of(layout: Layout) -> Option<Self> {
        (layout == F::LAYOUT).then(Self::default)
    }

    fn has_strangers(&self) -> bool {
        true
    }

    fn attach<B: Backend>(&mut self, _: &B) -> Result<(), Corrupt> {
        *self = Self::default();
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        F::view(memory).capacity()
    }

    fn end(&self) -> &'static [u8] {
        rules::END
    }

    fn reply_len<B: Backend>(&self, memory: &B) -> usize {
        F::view(memory).reply_len()
    }

    fn read_reply<B: Backend>(&self, memory: &B, answer: &mut [u8]) {
        F::view(memory).read_reply(answer);
    }

    fn ends_beside<B: Backend>(&self, memory: &B) -> bool {
        !F::view(memory).is_text()
    }

    fn check<B: Backend>(&self, memory: &B, text: &[u8]) -> Result<Kind, Unsendable> {
        let slot = F::view(memory);
        let most = slot.capacity();
        if slot.is_text() {
            rules::check(text, most)?;
            Ok(if rules::ends_session(text) { Kind::End } else { Kind::Bytes })
        } else if text.len() == most {
            Ok(Kind::Bytes)
        } else {
            Err(Unsendable::NoRecord { given: text.len(), needs: most })
        }
    }

    #[inline(always)]
    fn push_straight<B: Backend>(&mut self, memory: &B, text: &[u8]) -> bool {
        let slot = F::view(memory);
        // On its way while the text is checked.
        slot.expect_write(text.len());
        if !self.straight || !Self::is_plain(slot, text) {
            return false;
        }
        // A glance that has failed is not worth another one.
        self.straight = Self::is_empty(slot);
        // (What is written and can't be carried is never seen.)
        if !self.straight || !slot.write(text) {
            return false;
        }
        Self::publish(memory, slot);
        true
    }

    fn renew<B: Backend>(&mut self, _: &B, nothing_first: bool) {
        self.straight = nothing_first;
    }

    fn knows_room<B: Backend>(&self, memory: &B, _: usize) -> bool {
        self.straight && Self::is_empty(F::view(memory))
    }

    fn has_room<B: Backend>(&mut self, memory: &B, _: usize) -> Result<bool, Corrupt> {
        Ok(Self::is_empty(F::view(memory)))
    }

    fn push<B: Backend>(&mut self, memory: &B, _: Kind, text: &[u8]) {
        let slot = F::view(memory);
        slot.write(text);
        Self::publish(memory, slot);
    }

    /// Nobody wakes it: the other side may be a C program.
    fn park<B: Backend>(&mut self, memory: &B, _: usize, longest: Duration) -> Result<(), Corrupt> {
        memory.sleep(longest);
        Ok(())
    }

    fn is_drained<B: Backend>(&self, memory: &B) -> bool {
        Self::is_empty(F::view(memory))
    }

    fn unreleased<B: Backend>(&self, memory: &B, _: usize) -> usize {
        usize::from(self.left(memory).is_some())
    }

    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error> {
        let left = self.left(memory);
        let record = left.as_ref().map(|(kind, text)| Record { at: 0, len: text.len(), kind: *kind });
        let text = left.as_ref().map_or(&[][..], |(_, text)| text);
        Backlog::of(record.into_iter(), |_, bytes| bytes.copy_from_slice(text))
    }

    fn take_end_along(&mut self) {
        self.with_end = true;
    }
}
