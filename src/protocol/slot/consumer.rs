//! The reading side of a slot.

use super::flag::{self, EMPTY};
use super::rules;
use crate::backend::{Backend, Layout, SlotView};
use crate::error::{Corrupt, Error};
use crate::orders::orders;
use crate::protocol::core::{self, Cursor, Kind, Record};
use std::time::Duration;

/// The reading side: see the module.
#[derive(Debug, Default)]
pub struct Consumer {
    /// The message that lies there was peeked at.
    peeked: bool,
    /// Counts what was taken, and the memory that was attached: a cursor of before means nothing.
    turn: u64,
}

/// What it is, and how long, a copy tells.
const FOUND: Record = Record { at: 0, len: 0, kind: Kind::Bytes };

fn kind(text: &[u8]) -> Kind {
    if rules::ends_session(text) { Kind::End } else { Kind::Bytes }
}

impl Consumer {
    #[inline(always)]
    fn look(slot: SlotView<'_>) -> u32 {
        // Edge `text`, taking end; pairs with the store in `Producer::publish`: the text is there
        // as it was published.
        slot.flag.load(orders().see_full)
    }

    #[inline(always)]
    fn empty<B: Backend>(&mut self, memory: &B, slot: SlotView<'_>) {
        self.peeked = false;
        self.turn += 1;
        // Edge `room`, giving end; pairs with the load in `Producer::is_empty`: our copy out is
        // over.
        slot.flag.store(EMPTY, orders().release);
        memory.wake();
    }
}

impl core::Consumer for Consumer {
    fn of(layout: Layout) -> Option<Self> {
        (layout == Layout::Slot).then(Self::default)
    }

    fn has_strangers(&self) -> bool {
        true
    }

    fn attach<B: Backend>(&mut self, _: &B) -> Result<(), Corrupt> {
        *self = Self { peeked: false, turn: self.turn + 1 };
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        memory.slot().text.len()
    }

    #[inline(always)]
    fn take_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<usize, u32> {
        let slot = memory.slot();
        let flag = Self::look(slot);
        if flag::is_full(flag)
            && let Some(len) = slot.text.read_text(text)
            && !rules::ends_session(&text[..len])
        {
            self.empty(memory, slot);
            return Ok(len);
        }
        Err(flag)
    }

    #[inline(always)]
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32> {
        let slot = memory.slot();
        let flag = Self::look(slot);
        if !flag::is_full(flag) || text.len() < slot.text.len() {
            return Err(flag);
        }
        let len = slot.text.read_text(text).unwrap_or(text.len());
        let record = Record { len, kind: kind(&text[..len]), ..FOUND };
        self.step_over(record);
        Ok(record)
    }

    fn found<B: Backend>(&self, _: &B, flag: u32) -> Result<Option<Record>, Corrupt> {
        Ok(flag::is_full(flag).then_some(FOUND))
    }

    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        Ok(flag::is_full(Self::look(memory.slot())).then_some(FOUND))
    }

    #[inline(always)]
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        Ok((!self.peeked && flag::is_full(Self::look(memory.slot()))).then_some(FOUND))
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
    fn read<B: Backend>(&self, memory: &B, _: Record, text: &mut [u8]) -> Option<(usize, Kind)> {
        let len = memory.slot().text.read_text(text)?;
        Some((len, kind(&text[..len])))
    }

    fn copy<B: Backend>(&self, memory: &B, _: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error> {
        let slot = memory.slot();
        text.resize(slot.text.len(), 0);
        let len = slot.text.read_text(text).unwrap_or(text.len());
        Ok((len, kind(&text[..len])))
    }

    #[inline(always)]
    fn step_over(&mut self, found: Record) {
        self.peeked = found.kind == Kind::Bytes;
    }

    #[inline(always)]
    fn release<B: Backend>(&mut self, memory: &B, _: Record) {
        self.empty(memory, memory.slot());
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
