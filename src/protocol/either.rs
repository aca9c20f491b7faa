//! Whichever of the two layouts is met.

use super::backlog::Backlog;
use super::core::{Core, Cursor, Kind, Record};
use super::ring::MaybeRing;
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

/// Of a slot or of a ring.
#[derive(Debug)]
pub enum Producer {
    Slot(slot::Producer),
    Ring(ring::Producer),
}

/// Of a slot or of a ring.
#[derive(Debug)]
pub enum Consumer {
    Slot(slot::Consumer),
    Ring(ring::Consumer),
}

impl Core for Either {
    type Producer = Producer;
    type Consumer = Consumer;
    const NAME: &'static str = "a slot or a ring";
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

impl super::core::Producer for Producer {
    fn of(layout: Layout) -> Option<Self> {
        slot::Producer::of(layout).map(Self::Slot).or_else(|| ring::Producer::of(layout).map(Self::Ring))
    }

    fn has_strangers(&self) -> bool {
        either!(self, core => core.has_strangers())
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        either!(self, core => core.attach(memory))
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        either!(self, core => core.longest(memory))
    }

    fn end(&self) -> &'static [u8] {
        either!(self, core => core.end())
    }

    fn check<B: Backend>(&self, memory: &B, bytes: &[u8]) -> Result<Kind, Unsendable> {
        either!(self, core => core.check(memory, bytes))
    }

    #[inline(always)]
    fn push_straight<B: Backend>(&mut self, memory: &B, bytes: &[u8]) -> bool {
        either!(self, core => core.push_straight(memory, bytes))
    }

    fn renew<B: Backend>(&mut self, memory: &B, nothing_first: bool) {
        either!(self, core => core.renew(memory, nothing_first));
    }

    fn knows_room<B: Backend>(&self, memory: &B, len: usize) -> bool {
        either!(self, core => core.knows_room(memory, len))
    }

    fn has_room<B: Backend>(&mut self, memory: &B, len: usize) -> Result<bool, Corrupt> {
        either!(self, core => core.has_room(memory, len))
    }

    fn push<B: Backend>(&mut self, memory: &B, kind: Kind, bytes: &[u8]) {
        either!(self, core => core.push(memory, kind, bytes));
    }

    fn push_all<'m, B: Backend>(
        &mut self,
        memory: &B,
        messages: &mut (impl Iterator<Item = &'m [u8]> + Clone),
    ) -> usize {
        either!(self, core => core.push_all(memory, messages))
    }

    fn park<B: Backend>(&mut self, memory: &B, len: usize, longest: Duration) -> Result<(), Corrupt> {
        either!(self, core => core.park(memory, len, longest))
    }

    fn take_doubt(&mut self) -> bool {
        either!(self, core => core.take_doubt())
    }

    fn take_met(&mut self) -> bool {
        either!(self, core => core.take_met())
    }

    fn is_drained<B: Backend>(&self, memory: &B) -> bool {
        either!(self, core => core.is_drained(memory))
    }

    fn unreleased<B: Backend>(&self, memory: &B, most: usize) -> usize {
        either!(self, core => core.unreleased(memory, most))
    }

    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error> {
        either!(self, core => core.take_along(memory))
    }
}

impl super::core::Consumer for Consumer {
    fn of(layout: Layout) -> Option<Self> {
        slot::Consumer::of(layout).map(Self::Slot).or_else(|| ring::Consumer::of(layout).map(Self::Ring))
    }

    fn has_strangers(&self) -> bool {
        either!(self, core => core.has_strangers())
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        either!(self, core => core.attach(memory))
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        either!(self, core => core.longest(memory))
    }

    #[inline(always)]
    fn take_straight<B: Backend>(&mut self, memory: &B, bytes: &mut [u8]) -> Result<usize, u32> {
        either!(self, core => core.take_straight(memory, bytes))
    }

    #[inline(always)]
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32> {
        either!(self, core => core.peek_straight(memory, text))
    }

    fn found<B: Backend>(&self, memory: &B, flag: u32) -> Result<Option<Record>, Corrupt> {
        either!(self, core => core.found(memory, flag))
    }

    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        either!(self, core => core.first(memory))
    }

    #[inline(always)]
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        either!(self, core => core.poll(memory))
    }

    #[inline(always)]
    fn rewind(&mut self) {
        either!(self, core => core.rewind());
    }

    fn run_dry<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        either!(self, core => core.run_dry(memory))
    }

    fn arrived(&mut self, looks: u32) {
        either!(self, core => core.arrived(looks));
    }

    fn poll_last<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        either!(self, core => core.poll_last(memory))
    }

    fn park<B: Backend>(&mut self, memory: &B, longest: Duration) -> Result<(), Corrupt> {
        either!(self, core => core.park(memory, longest))
    }

    #[inline(always)]
    fn read<B: Backend>(&self, memory: &B, found: Record, bytes: &mut [u8]) -> Option<(usize, Kind)> {
        either!(self, core => core.read(memory, found, bytes))
    }

    fn copy<B: Backend>(&self, memory: &B, found: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error> {
        either!(self, core => core.copy(memory, found, text))
    }

    #[inline(always)]
    fn step_over(&mut self, found: Record) {
        either!(self, core => core.step_over(found));
    }

    #[inline(always)]
    fn release<B: Backend>(&mut self, memory: &B, found: Record) {
        either!(self, core => core.release(memory, found));
    }

    fn cursor(&self) -> Cursor {
        either!(self, core => core.cursor())
    }

    fn release_up_to<B: Backend>(&mut self, memory: &B, cursor: Cursor) {
        either!(self, core => core.release_up_to(memory, cursor));
    }

    fn coalesce(&mut self, on: bool) {
        either!(self, core => core.coalesce(on));
    }

    fn close<B: Backend>(&mut self, memory: &B) {
        either!(self, core => core.close(memory));
    }

    fn give_back<B: Backend>(&mut self, memory: &B) {
        either!(self, core => core.give_back(memory));
    }
}
