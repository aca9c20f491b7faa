//! The reading side of a ring, and how records are found there.

use super::coalesce::Coalescing;
use super::event::Event;
use super::record::{PAD, distance, size_of_record, wide};
use crate::backend::{Backend, Layout, RingView};
use crate::error::{Corrupt, Error, corrupt};
use crate::orders::{RELAXED, barrier, orders};
use crate::protocol::core::{self, Cursor, Kind, Record};
use std::time::Duration;

/// The reading side: see the module.
#[derive(Debug)]
pub struct Consumer {
    /// The memory's header made sense. Before that nothing else here says anything of it.
    pub(super) attached: bool,
    /// As it stands in the ring.
    pub(super) head: u64,
    /// Up to here everything was released.
    pub(super) released: u64,
    /// Up to here everything was peeked at.
    pub(super) cursor: u64,
    /// Counts the memory that was attached: a cursor of other memory means nothing.
    memory: u64,
    coalesce: Coalescing,
    /// So far behind the head a release is no more than a store: nothing is to be given back or counted.
    plain: u64,
}

/// Where the sides of a ring stand, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) head: u64,
    pub(super) released: u64,
}

/// Where a side begins that comes to a ring.
pub(super) fn standing(ring: RingView<'_>) -> Result<Standing, Corrupt> {
    // A writer that comes has a fence before it writes over what was given back.
    let head = ring.head().load(RELAXED);
    let released = ring.released().load(RELAXED);
    if !head.is_multiple_of(8) {
        return Err(corrupt("the head is no position"));
    }
    // The head can have passed the position that was seen, or that was stored: it is
    // the later one that counts.
    let ahead = distance(head, released);
    let released = if ahead <= wide(ring.capacity()) && released.is_multiple_of(8) { released } else { head };
    Ok(Standing { head, released })
}

/// The flag at `position`.
#[inline(always)]
pub(super) fn look(ring: RingView<'_>, position: u64) -> u32 {
    // Edge `record`, taking end; pairs with the store in `Producer::publish`: bytes and kind are
    // there as they were published.
    ring.flag(position).load(orders().ring_peek)
}

/// The record at `position`, or behind a jump that stands there; `None`: nothing yet.
pub(super) fn peek(ring: RingView<'_>, position: u64) -> Result<Option<Record>, Corrupt> {
    record(ring, position, look(ring, position))
}

/// What a flag at `position` says.
#[inline(always)]
pub(super) fn record(ring: RingView<'_>, position: u64, flag: u32) -> Result<Option<Record>, Corrupt> {
    match flag {
        0 => Ok(None),
        PAD => peek_behind_a_jump(ring, position),
        flag => check(ring, position, flag).map(Some),
    }
}

#[cold]
#[inline(never)]
fn peek_behind_a_jump(ring: RingView<'_>, position: u64) -> Result<Option<Record>, Corrupt> {
    if ring.offset(position) == 0 {
        return Err(corrupt("a jump to the beginning stands at the beginning"));
    }
    let at = position.wrapping_add(wide(ring.to_wrap(position)));
    // Stored before the jump was published: the edge to that one is this one's, too.
    match ring.flag(at).load(RELAXED) {
        0 => Ok(None),
        PAD => Err(corrupt("a jump to the beginning stands at the beginning")),
        flag => check(ring, at, flag).map(Some),
    }
}

/// What a flag that is no jump says, if it can be.
#[inline(always)]
fn check(ring: RingView<'_>, at: u64, flag: u32) -> Result<Record, Corrupt> {
    let len = flag as usize - 1;
    if len > ring.longest() || size_of_record(len) > ring.to_wrap(at) {
        return Err(corrupt("a record is longer than it can be"));
    }
    let Some(kind) = Kind::of(ring.kind(at)) else { return Err(corrupt("a record of an unknown kind")) };
    Ok(Record { at, len, kind })
}

impl Consumer {
    /// Everything before `end` is released.
    #[inline(always)]
    fn note(&mut self, ring: RingView<'_>, end: u64) {
        (self.released, self.cursor) = (end, end);
        // For a successor, which would begin with what we released otherwise.
        ring.released().store(end, RELAXED);
    }

    #[cold]
    #[inline(never)]
    fn release_slowly<B: Backend>(&mut self, memory: &B, found: Record) {
        self.release_to(memory, memory.ring(), found.end());
        if found.kind == Kind::End {
            // A writer waits for this, and for nothing that comes later.
            self.free(memory);
        }
    }

    fn release_to<B: Backend>(&mut self, memory: &B, ring: RingView<'_>, end: u64) {
        self.note(ring, end);
        self.coalesce.took();
        if distance(self.head, end) >= wide(ring.capacity() / 4) {
            self.free(memory);
        }
        self.measure(ring);
    }

    #[inline(always)]
    fn measure(&mut self, ring: RingView<'_>) {
        self.plain = if self.coalesce.counts() { 0 } else { wide(ring.capacity() / 4) };
    }

    /// Copies the first message that was not released to `bytes`, if it is there at a glance, fits, lies in
    /// front of the wrap, and its release is no more than a store; its length, and where it ends.
    ///
    /// # Errors
    /// The flag that was seen.
    #[inline(always)]
    fn copy_straight(&self, ring: RingView<'_>, bytes: &mut [u8]) -> Result<(usize, u64), u32> {
        let at = self.released;
        let flag = look(ring, at);
        // (No flag is less than nothing, and a jump is longer than everything.)
        let len = (flag as usize).wrapping_sub(1);
        if len > ring.longest() {
            return Err(flag);
        }
        let size = size_of_record(len);
        let end = at.wrapping_add(wide(size));
        if size <= ring.to_wrap(at)
            && distance(self.head, end) < self.plain
            && ring.kind(at) == Kind::Bytes as u32
            && let Some(bytes) = bytes.get_mut(..len)
        {
            // SAFETY: the record ends in front of the wrap, by the check above.
            unsafe { ring.read_within(at, bytes) };
            return Ok((len, end));
        }
        Err(flag)
    }

    /// The flag behind the last record is kept free: else a reader that peeks ahead would go round and
    /// round.
    #[inline(always)]
    pub(super) fn bounded(&self, ring: RingView<'_>, found: Option<Record>) -> Result<Option<Record>, Corrupt> {
        match found {
            Some(record) if distance(self.head, record.end()) >= wide(ring.capacity()) => {
                Err(corrupt("the records have no end"))
            }
            found => Ok(found),
        }
    }

    /// Gives back to the writer what was released.
    #[inline(never)]
    fn free<B: Backend>(&mut self, memory: &B) {
        if self.head == self.released {
            return;
        }
        self.head = self.released;
        let ring = memory.ring();
        // Edge `space`, giving end; pairs with the load in `Producer::has_room`: our copies out are
        // over.
        ring.head().store(self.released, orders().give_back);
        let event = Event::of_writer(ring);
        if event.is_awaited(orders().fence_given_back) {
            event.wake(memory);
        }
    }
}

impl core::Consumer for Consumer {
    fn of(layout: Layout) -> Option<Self> {
        let new = Self {
            attached: false,
            head: 0,
            released: 0,
            cursor: 0,
            memory: 0,
            coalesce: Coalescing::new(true),
            plain: 0,
        };
        matches!(layout, Layout::Ring { .. }).then_some(new)
    }

    fn has_strangers(&self) -> bool {
        false
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        // Whatever is wrong with the header: what is known is known of other memory.
        (self.attached, self.plain) = (false, 0);
        (self.head, self.released, self.cursor) = (0, 0, 0);
        self.memory += 1;
        let ring = memory.ring();
        let Standing { head, released } = standing(ring)?;
        (self.head, self.released, self.cursor) = (head, released, released);
        self.attached = true;
        self.measure(ring);
        // The last reader may have died between giving back and waking. With the
        // fence that it did not come to: else the writer's parked word can come after our
        // clearing it, and its last poll see what was before.
        barrier(orders().fence_reader_comes);
        Event::of_reader(ring).announce(memory);
        Event::of_writer(ring).wake(memory);
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        memory.ring().longest()
    }

    #[inline(always)]
    fn take_straight<B: Backend>(
        &mut self,
        memory: &B,
        bytes: &mut [u8],
        wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<usize, u32> {
        let ring = memory.ring();
        let (len, end) = self.copy_straight(ring, bytes)?;
        if !wanted(&bytes[..len]) {
            #[allow(clippy::cast_possible_truncation, reason = "the length came from a flag")]
            return Err(len as u32 + 1);
        }
        self.note(ring, end);
        Ok(len)
    }

    #[inline(always)]
    fn peek_straight<B: Backend>(&mut self, memory: &B, text: &mut [u8]) -> Result<Record, u32> {
        let (len, end) = self.copy_straight(memory.ring(), text)?;
        self.cursor = end;
        Ok(Record { at: self.released, len, kind: Kind::Bytes })
    }

    fn found<B: Backend>(&self, memory: &B, flag: u32) -> Result<Option<Record>, Corrupt> {
        let ring = memory.ring();
        if self.attached { self.bounded(ring, record(ring, self.released, flag)?) } else { Ok(None) }
    }

    fn first<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        if !self.attached {
            self.attach(memory)?;
        }
        self.found(memory, look(memory.ring(), self.released))
    }

    #[inline(always)]
    fn poll<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        if !self.attached {
            self.attach(memory)?;
        }
        let (ring, at) = (memory.ring(), self.cursor);
        self.bounded(ring, record(ring, at, look(ring, at))?)
    }

    #[inline(always)]
    fn rewind(&mut self) {
        self.cursor = self.released;
    }

    fn run_dry<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        // A writer that waits for space would wait forever beside a reader that
        // waits for records.
        self.free(memory);
        self.coalesce.dry();
        let found = self.poll(memory)?;
        self.measure(memory.ring());
        Ok(found)
    }

    fn arrived(&mut self, looks: u32) {
        self.coalesce.ended(looks);
    }

    /// By the fence of a side that sleeps.
    fn poll_last<B: Backend>(&mut self, memory: &B) -> Result<Option<Record>, Corrupt> {
        Event::of_reader(memory.ring()).prepare(memory, orders().fence_reader_sleeps);
        self.poll(memory)
    }

    fn park<B: Backend>(&mut self, memory: &B, longest: Duration) -> Result<(), Corrupt> {
        let found = self.poll_last(memory);
        Event::of_reader(memory.ring()).park(memory, found == Ok(None), longest);
        found.map(drop)
    }

    #[inline(always)]
    fn read<B: Backend>(&self, memory: &B, found: Record, bytes: &mut [u8]) -> Option<(usize, Kind)> {
        if found.kind == Kind::End {
            return Some((0, Kind::End));
        }
        let bytes = bytes.get_mut(..found.len)?;
        memory.ring().read(found.at, bytes);
        Some((found.len, Kind::Bytes))
    }

    fn copy<B: Backend>(&self, memory: &B, found: Record, text: &mut Vec<u8>) -> Result<(usize, Kind), Error> {
        let missing = found.len.saturating_sub(text.len());
        text.try_reserve_exact(missing).map_err(|_| Error::no_memory(format!("a message of {} bytes", found.len)))?;
        if missing > 0 {
            text.resize(found.len, 0);
        }
        memory.ring().read(found.at, &mut text[..found.len]);
        Ok((found.len, found.kind))
    }

    #[inline(always)]
    fn step_over(&mut self, found: Record) {
        if found.kind != Kind::End {
            self.cursor = found.end();
        }
    }

    #[inline(always)]
    fn release<B: Backend>(&mut self, memory: &B, found: Record) {
        let end = found.end();
        if found.kind == Kind::Bytes && distance(self.head, end) < self.plain {
            self.note(memory.ring(), end);
        } else {
            self.release_slowly(memory, found);
        }
    }

    fn continue_from(&mut self, cursor: Cursor) {
        self.memory = cursor.memory;
    }

    fn cursor(&self) -> Cursor {
        Cursor { memory: self.memory, to: self.cursor }
    }

    fn release_up_to<B: Backend>(&mut self, memory: &B, cursor: Cursor) {
        if !self.attached {
            return;
        }
        let next = self.cursor;
        // A position of other memory can lie between two of this one's. And after the cursor was
        // set back, what lies there was not peeked at.
        let is_here = cursor.memory == self.memory && cursor.to.is_multiple_of(8);
        if is_here && distance(self.released, cursor.to) <= distance(self.released, next) {
            self.release_to(memory, memory.ring(), cursor.to);
            self.cursor = next;
        }
    }

    fn coalesce(&mut self, on: bool) {
        self.coalesce = Coalescing::new(on);
    }

    fn close<B: Backend>(&mut self, memory: &B) {
        // For the writer, which can't tell by the removal alone whether the end was met.
        // Only now: a reader that dies before may have removed nothing, and one that
        // dies in between lets a successor meet the end once more.
        memory.ring().closed().store(1, RELAXED);
    }

    fn give_back<B: Backend>(&mut self, memory: &B) {
        self.free(memory);
    }
}
