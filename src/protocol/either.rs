//! Whichever layout is met.

use super::backlog::Backlog;
use super::core::{Consumer as _, Core, Cursor, Kind, Record};
use super::ring::MaybeRing;
use super::slot::DeclaredSlot;
use super::{ring, slot};
use crate::backend::{Backend, Layout, Wanted};
use crate::error::{Corrupt, Error, Unsendable};
use std::time::Duration;

/// Whichever layout is met. A side whose type names no layout has this one.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// drop(writer);
/// let mut writer: Writer<InProc> = Writer::open(&channel)?;
/// writer.send(b"hello\n")?;
/// assert_eq!(writer.reserve(8).unwrap_err().to_string(), "a classic slot can't be used as a ring");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Either {}

/// Of a slot, of whichever struct, or of a ring. What a slot's core remembers is the same for every struct.
#[derive(Debug)]
pub enum Producer {
    Slot(slot::Producer),
    Ring(ring::Producer),
}

/// As the producer.
#[derive(Debug)]
pub enum Consumer {
    Slot(slot::Consumer),
    Ring(ring::Consumer),
}

impl Core for Either {
    type Producer = Producer;
    type Consumer = Consumer;
    const NAME: &'static str = "any layout";
    const WANTED: Option<Wanted> = None;
}

impl MaybeRing for Either {
    #[inline(always)]
    fn producer(core: &mut Producer) -> Option<&mut ring::Producer> {
        match core {
            Producer::Ring(core) => Some(core),
            Producer::Slot(_) => None,
        }
    }

    #[inline(always)]
    fn consumer(core: &mut Consumer) -> Option<&mut ring::Consumer> {
        match core {
            Consumer::Ring(core) => Some(core),
            Consumer::Slot(_) => None,
        }
    }
}

/// The same call on either.
macro_rules! either {
    ($self:expr, $core:ident => $call:expr) => {
        match $self {
            Self::Slot($core) => $call,
            Self::Ring($core) => $call,
        }
    };
}

/// The same call on whichever it is in that memory.
macro_rules! look {
    ($self:expr, $memory:expr, $core:ident => $call:expr) => {
        match $self {
            Self::Slot($core) if $memory.layout() == Layout::Slot => $call,
            Self::Slot(slot) => {
                let $core = &slot.with_form::<DeclaredSlot>();
                $call
            }
            Self::Ring($core) => $call,
        }
    };
}

/// As `look`, of a call that changes what the core remembers.
macro_rules! change {
    ($self:expr, $memory:expr, $core:ident => $call:expr) => {
        match $self {
            Self::Slot($core) if $memory.layout() == Layout::Slot => $call,
            Self::Slot(slot) => {
                let $core = &mut slot.with_form::<DeclaredSlot>();
                let result = $call;
                *slot = $core.with_form();
                result
            }
            Self::Ring($core) => $call,
        }
    };
}

/// What a declared slot's release does. (Inlined there, it would take registers from the other layouts'.)
#[cold]
#[inline(never)]
fn release_aside<B: Backend>(core: &mut slot::Consumer, memory: &B, found: Record) {
    let mut declared = core.with_form::<DeclaredSlot>();
    declared.release(memory, found);
    *core = declared.with_form();
}

impl super::core::Producer for Producer {
    fn of(layout: Layout) -> Option<Self> {
        match layout {
            Layout::Ring { .. } => ring::Producer::of(layout).map(Self::Ring),
            Layout::Slot | Layout::Declared => Some(Self::Slot(slot::Producer::default())),
        }
    }

    fn has_strangers(&self) -> bool {
        either!(self, core => core.has_strangers())
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        change!(self, memory, core => core.attach(memory))
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        look!(self, memory, core => core.longest(memory))
    }

    fn end(&self) -> &'static [u8] {
        either!(self, core => core.end())
    }

    fn ends_beside<B: Backend>(&self, memory: &B) -> bool {
        look!(self, memory, core => core.ends_beside(memory))
    }

    fn reply_len<B: Backend>(&self, memory: &B) -> usize {
        look!(self, memory, core => core.reply_len(memory))
    }

    fn read_reply<B: Backend>(&self, memory: &B, answer: &mut [u8]) {
        look!(self, memory, core => core.read_reply(memory, answer));
    }

    fn check<B: Backend>(&self, memory: &B, bytes: &[u8]) -> Result<Kind, Unsendable> {
        look!(self, memory, core => core.check(memory, bytes))
    }

    #[inline(always)]
    fn push_straight<B: Backend>(&mut self, memory: &B, bytes: &[u8]) -> bool {
        either!(self, core => core.push_straight(memory, bytes))
    }

    fn renew<B: Backend>(&mut self, memory: &B, nothing_first: bool) {
        match self {
            // At a declared slot nothing goes at a glance: see `Backend::is_classic`.
            Self::Slot(core) => core.renew(memory, nothing_first && memory.is_classic()),
            Self::Ring(core) => core.renew(memory, nothing_first),
        }
    }

    fn knows_room<B: Backend>(&self, memory: &B, len: usize) -> bool {
        look!(self, memory, core => core.knows_room(memory, len))
    }

    fn has_room<B: Backend>(&mut self, memory: &B, len: usize) -> Result<bool, Corrupt> {
        change!(self, memory, core => core.has_room(memory, len))
    }

    fn push<B: Backend>(&mut self, memory: &B, kind: Kind, bytes: &[u8]) {
        change!(self, memory, core => core.push(memory, kind, bytes));
    }

    fn push_all<'m, B: Backend>(
        &mut self,
        memory: &B,
        messages: &mut (impl Iterator<Item = &'m [u8]> + Clone),
    ) -> usize {
        change!(self, memory, core => core.push_all(memory, messages))
    }

    fn park<B: Backend>(&mut self, memory: &B, len: usize, longest: Duration) -> Result<(), Corrupt> {
        change!(self, memory, core => core.park(memory, len, longest))
    }

    fn take_doubt(&mut self) -> bool {
        either!(self, core => core.take_doubt())
    }

    fn take_met(&mut self) -> bool {
        either!(self, core => core.take_met())
    }

    fn is_drained<B: Backend>(&self, memory: &B) -> bool {
        look!(self, memory, core => core.is_drained(memory))
    }

    fn unreleased<B: Backend>(&self, memory: &B, most: usize) -> usize {
        look!(self, memory, core => core.unreleased(memory, most))
    }

    fn is_behind_end(&self) -> bool {
        either!(self, core => core.is_behind_end())
    }

    fn take_end_along(&mut self) {
        either!(self, core => core.take_end_along());
    }

    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error> {
        look!(self, memory, core => core.take_along(memory))
    }
}

impl super::core::Consumer for Consumer {
    fn of(layout: Layout) -> Option<Self> {
        match layout {
            Layout::Ring { .. } => ring::Consumer::of(layout).map(Self::Ring),
            Layout::Slot | Layout::Declared => Some(Self::Slot(slot::Consumer::default())),
        }
    }

    fn has_strangers(&self) -> bool {
        either!(self, core => core.has_strangers())
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        change!(self, memory, core => core.attach(memory))
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        look!(self, memory, core => core.longest(memory))
    }

    #[inline(always)]
    fn take_straight<B: Backend>(
        &mut self,
        memory: &B,
        bytes: &mut [u8],
        wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<usize, u32> {
        either!(self, core => core.take_straight(memory, bytes, wanted))
    }

    #[inline(always)]
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32> {
        either!(self, core => core.peek_straight(memory, text))
    }

    fn found<B: Backend>(&self, memory: &B, flag: u32) -> Result<Option<Record>, Corrupt> {
        match self {
            Self::Slot(core) if memory.is_classic() => core.found(memory, flag),
            // It was not looked at yet.
            Self::Slot(core) => core.with_form::<DeclaredSlot>().first(memory),
            Self::Ring(core) => core.found(memory, flag),
        }
    }

    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        change!(self, memory, core => core.first(memory))
    }

    #[inline(always)]
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        change!(self, memory, core => core.poll(memory))
    }

    #[inline(always)]
    fn rewind(&mut self) {
        either!(self, core => core.rewind());
    }

    fn run_dry<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        change!(self, memory, core => core.run_dry(memory))
    }

    fn arrived(&mut self, looks: u32) {
        either!(self, core => core.arrived(looks));
    }

    fn poll_last<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        change!(self, memory, core => core.poll_last(memory))
    }

    fn park<B: Backend>(&mut self, memory: &B, longest: Duration) -> Result<(), Corrupt> {
        change!(self, memory, core => core.park(memory, longest))
    }

    #[inline(always)]
    fn read<B: Backend>(&self, memory: &B, found: Record, bytes: &mut [u8]) -> Option<(usize, Kind)> {
        look!(self, memory, core => core.read(memory, found, bytes))
    }

    fn copy<B: Backend>(&self, memory: &B, found: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error> {
        look!(self, memory, core => core.copy(memory, found, text))
    }

    #[inline(always)]
    fn step_over(&mut self, found: Record) {
        either!(self, core => core.step_over(found));
    }

    #[inline(always)]
    fn release<B: Backend>(&mut self, memory: &B, found: Record) {
        match self {
            Self::Slot(core) if memory.is_classic() => core.release(memory, found),
            Self::Slot(core) => release_aside(core, memory, found),
            Self::Ring(core) => core.release(memory, found),
        }
    }

    fn cursor(&self) -> Cursor {
        either!(self, core => core.cursor())
    }

    fn release_up_to<B: Backend>(&mut self, memory: &B, cursor: Cursor) {
        change!(self, memory, core => core.release_up_to(memory, cursor));
    }

    fn continue_from(&mut self, cursor: Cursor) {
        either!(self, core => core.continue_from(cursor));
    }

    fn end_beside<B: Backend>(&self, memory: &B) -> Option<Record> {
        look!(self, memory, core => core.end_beside(memory))
    }

    fn reply_len<B: Backend>(&self, memory: &B) -> usize {
        look!(self, memory, core => core.reply_len(memory))
    }

    fn reply<B: Backend>(&self, memory: &B, bytes: &[u8]) -> bool {
        look!(self, memory, core => core.reply(memory, bytes))
    }

    fn coalesce(&mut self, on: bool) {
        either!(self, core => core.coalesce(on));
    }

    fn close<B: Backend>(&mut self, memory: &B) {
        change!(self, memory, core => core.close(memory));
    }

    fn give_back<B: Backend>(&mut self, memory: &B) {
        change!(self, memory, core => core.give_back(memory));
    }
}
