//! The reading side of a slot.

use super::{Form, Slot, rules};
use crate::backend::memory::slot::{AnySlot, Flag};
use crate::backend::{Backend, Layout};
use crate::error::{Corrupt, Error};
use crate::orders::orders;
use crate::protocol::core::{self, Cursor, Kind, Record};
use std::marker::PhantomData;
use std::time::Duration;

/// The reading side: see the module.
#[derive(Debug, Clone, Copy)]
pub struct Consumer<F: Form = Slot> {
    /// The message that lies there was peeked at.
    peeked: bool,
    /// Counts what was taken, and the memory that was attached: a cursor of before means nothing.
    turn: u64,
    form: PhantomData<F>,
}

/// What it is, and how long, a copy tells.
const FOUND: Record = Record { at: 0, len: 0, kind: Kind::Bytes };

/// The end of a session that is told beside the data: nothing lies there.
const END: Record = Record { kind: Kind::End, ..FOUND };

impl<F: Form> Default for Consumer<F> {
    /// Of memory that it has not seen.
    fn default() -> Self {
        Self { peeked: false, turn: 0, form: PhantomData }
    }
}

impl<F: Form> Consumer<F> {
    /// The same of another struct.
    #[must_use]
    pub const fn with_form<G: Form>(self) -> Consumer<G> {
        Consumer { peeked: self.peeked, turn: self.turn, form: PhantomData }
    }

    fn kind(slot: F::View<'_>, bytes: &[u8]) -> Kind {
        if slot.is_text() && rules::ends_session(bytes) { Kind::End } else { Kind::Bytes }
    }

    #[inline(always)]
    fn look(slot: F::View<'_>) -> u32 {
        // Edge `text`, taking end; pairs with the store in `Producer::publish`: the text is there
        // as it was published.
        slot.flag().load(orders().see_full)
    }

    #[inline(always)]
    fn empty<B: Backend>(&mut self, memory: &B, slot: F::View<'_>) {
        self.peeked = false;
        self.turn += 1;
        // Edge `room`, giving end; pairs with the load in `Producer::look`: our copy out is
        // over.
        slot.flag().store(slot.empty(), orders().release);
        memory.wake();
    }
}

impl<F: Form> core::Consumer for Consumer<F> {
    fn of(layout: Layout) -> Option<Self> {
        (layout == F::LAYOUT).then(Self::default)
    }

    fn has_strangers(&self) -> bool {
        true
    }

    fn attach<B: Backend>(&mut self, _: &B) -> Result<(), Corrupt> {
        *self = Self { turn: self.turn + 1, ..Self::default() };
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        F::view(memory).longest()
    }

    #[inline(always)]
    fn take_straight<B: Backend>(
        &mut self,
        memory: &B,
        text: &mut [u8],
        wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<usize, u32> {
        let slot = F::view(memory);
        let flag = Self::look(slot);
        if slot.is_full(flag)
            && let Some(len) = slot.read(text)
            && !(slot.is_text() && rules::ends_session(&text[..len]))
            && wanted(&text[..len])
        {
            self.empty(memory, slot);
            return Ok(len);
        }
        Err(flag)
    }

    #[inline(always)]
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32> {
        let slot = F::view(memory);
        let flag = Self::look(slot);
        if !slot.is_full(flag) || text.len() < slot.longest() {
            return Err(flag);
        }
        let len = slot.read(text).unwrap_or(text.len());
        let record = Record { len, kind: Self::kind(slot, &text[..len]), ..FOUND };
        self.step_over(record);
        Ok(record)
    }

    fn found<B: Backend>(&self, memory: &B, flag: u32) -> Result<Option<Record>, Corrupt> {
        Ok(F::view(memory).is_full(flag).then_some(FOUND))
    }

    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        let slot = F::view(memory);
        Ok(slot.is_full(Self::look(slot)).then_some(FOUND))
    }

    #[inline(always)]
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        let slot = F::view(memory);
        Ok((!self.peeked && slot.is_full(Self::look(slot))).then_some(FOUND))
    }

    #[inline(always)]
    fn rewind(&mut self) {
        self.peeked = false;
    }

    /// Nobody wakes it: the other side may be a C program.
    fn park<B: Backend>(&mut self, memory: &B, longest: Duration) -> Result<(), Corrupt> {
        memory.sleep(longest);
        Ok(())
    }

    #[inline(always)]
    fn read<B: Backend>(&self, memory: &B, found: Record, text: &mut [u8]) -> Option<(usize, Kind)> {
        if found == END {
            return Some((0, Kind::End));
        }
        let slot = F::view(memory);
        let len = slot.read(text)?;
        Some((len, Self::kind(slot, &text[..len])))
    }

    fn copy<B: Backend>(&self, memory: &B, found: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error> {
        if found == END {
            return Ok((0, Kind::End));
        }
        let slot = F::view(memory);
        let len = slot.longest();
        let more = len.saturating_sub(text.len());
        text.try_reserve(more).map_err(|_| Error::no_memory(format!("a message of {len} bytes")))?;
        text.resize(len, 0);
        let len = slot.read(text).unwrap_or(text.len());
        Ok((len, Self::kind(slot, &text[..len])))
    }

    fn continue_from(&mut self, cursor: Cursor) {
        self.turn = cursor.memory;
    }

    fn reply_len<B: Backend>(&self, memory: &B) -> usize {
        F::view(memory).reply_len()
    }

    fn reply<B: Backend>(&self, memory: &B, bytes: &[u8]) -> bool {
        if self.peeked {
            F::view(memory).write_reply(bytes);
        }
        self.peeked
    }

    fn end_beside<B: Backend>(&self, memory: &B) -> Option<Record> {
        (!F::view(memory).is_text()).then_some(END)
    }

    #[inline(always)]
    fn step_over(&mut self, found: Record) {
        self.peeked = found.kind == Kind::Bytes;
    }

    #[inline(always)]
    fn release<B: Backend>(&mut self, memory: &B, found: Record) {
        let slot = F::view(memory);
        if !slot.is_text() && found.kind == Kind::End {
            // It has no place: what lies there by now is the next session's.
            return memory.forget_end();
        }
        self.empty(memory, slot);
    }

    fn cursor(&self) -> Cursor {
        Cursor { memory: self.turn, to: self.peeked.into() }
    }

    fn release_up_to<B: Backend>(&mut self, memory: &B, cursor: Cursor) {
        if self.peeked && cursor == self.cursor() {
            self.release(memory, FOUND);
        }
    }
}
