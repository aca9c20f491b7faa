//! The writing side of a ring.

use super::consumer::{peek, standing};
use super::event::Event;
use super::intent::{self, Intent};
use super::record::{PAD, distance, size_of_record, wide};
use crate::backend::{Backend, Layout, RingView};
use crate::error::{Corrupt, Error, Unsendable, corrupt};
use crate::orders::{RELAXED, barrier, orders};
use crate::protocol::backlog::Backlog;
use crate::protocol::core::{self, Kind, Record};
use std::time::Duration;

/// The writing side: see the module.
#[derive(Debug, Default)]
pub struct Producer {
    /// The memory's header made sense. Before that nothing else here says anything of it.
    attached: bool,
    /// Where the next record goes, if it fits in front of the wrap.
    tail: u64,
    /// Up to here the reader has given back, as far as the writer knows.
    head: u64,
    /// Bytes for records straight behind the last one; 0 while anything has to come first.
    room: usize,
    /// Behind an end of the session that nobody has released: nothing may follow it.
    ended: Option<u64>,
    /// The reader has given something back since this was asked last.
    met: bool,
    /// The reader was woken last and did not sleep, so the memory may have been removed.
    in_doubt: bool,
}

/// A record that was written, and that nobody sees yet.
#[derive(Debug, Clone, Copy)]
#[must_use]
struct Unpublished {
    at: u64,
    flag: u32,
}

/// Of several that are published together the first one is held back, and with it those behind it.
#[inline(always)]
fn hold_back(first: &mut Option<Unpublished>, ring: RingView<'_>, sealed: Unpublished) {
    match first {
        None => *first = Some(sealed),
        // Behind the first one, whose flag is not stored yet.
        Some(_) => ring.flag(sealed.at).store(sealed.flag, RELAXED),
    }
}

impl Producer {
    /// Whether a record of `len` bytes fits behind the last one, or behind a jump.
    fn fits(&self, ring: RingView<'_>, len: usize) -> bool {
        let (size, to_wrap) = (size_of_record(len), ring.to_wrap(self.tail));
        let skipped = if size > to_wrap { to_wrap } else { 0 };
        // The flag behind the last record stays free: there the reader polls next.
        distance(self.head, self.tail) + wide(skipped + size + 8) <= wide(ring.capacity())
    }

    /// Makes ready where a record of `len` bytes goes, for which there is room; where.
    #[inline(always)]
    pub(super) fn prepare(&self, ring: RingView<'_>, len: usize) -> u64 {
        let (size, to_wrap) = (size_of_record(len), ring.to_wrap(self.tail));
        let at = if size > to_wrap { self.tail.wrapping_add(wide(to_wrap)) } else { self.tail };
        Self::clear_behind(ring, at, size);
        at
    }

    /// Clears the flag behind a record. Before its bytes are written: the line that it is in is on its
    /// way while they are copied. And before it is published: the reader polls there next.
    #[inline(always)]
    pub(super) fn clear_behind(ring: RingView<'_>, at: u64, size: usize) {
        ring.flag(at.wrapping_add(wide(size))).store(0, RELAXED);
    }

    /// A record whose bytes are written is complete, but for what makes it seen.
    #[inline(always)]
    fn seal(&mut self, ring: RingView<'_>, at: u64, len: usize, kind: Kind) -> Unpublished {
        ring.set_kind(at, kind as u32);
        // No record is longer than a quarter of a GiB.
        #[allow(clippy::cast_possible_truncation)]
        let mut sealed = Unpublished { at, flag: len as u32 + 1 };
        if at != self.tail {
            ring.flag(at).store(sealed.flag, RELAXED);
            sealed = Unpublished { at: self.tail, flag: PAD };
        }
        self.tail = at.wrapping_add(wide(size_of_record(len)));
        sealed
    }

    /// Appends what fits straight behind the last record.
    #[inline(always)]
    fn append_straight(&mut self, ring: RingView<'_>, bytes: &[u8]) -> Option<Unpublished> {
        let size = size_of_record(bytes.len());
        if size > self.room || bytes.len() > ring.longest() {
            return None;
        }
        self.room -= size;
        let at = self.tail;
        Self::clear_behind(ring, at, size);
        // SAFETY: `room` is not more than there is in front of the wrap, as `renew` and this have it.
        unsafe { ring.write_within(at, bytes) };
        ring.set_kind(at, Kind::Bytes as u32);
        self.tail = at.wrapping_add(wide(size));
        // No record is longer than a quarter of a GiB.
        #[allow(clippy::cast_possible_truncation)]
        Some(Unpublished { at, flag: bytes.len() as u32 + 1 })
    }

    #[inline(always)]
    fn append(&mut self, ring: RingView<'_>, kind: Kind, bytes: &[u8]) -> Unpublished {
        let at = self.prepare(ring, bytes.len());
        ring.write(at, 0, bytes);
        self.seal(ring, at, bytes.len(), kind)
    }

    #[inline(always)]
    fn publish<B: Backend>(&mut self, memory: &B, ring: RingView<'_>, sealed: Unpublished) {
        // Edge `record`, giving end; pairs with the load in `consumer::look`: the side that sees the
        // flag sees the bytes, and the records behind it.
        ring.flag(sealed.at).store(sealed.flag, orders().ring_publish);
        if Event::of_reader(ring).is_awaited(orders().fence_published) {
            self.wake(memory);
        }
    }

    /// Nobody slept there: it was about to, or it has left this memory because that was removed.
    #[cold]
    #[inline(never)]
    fn wake<B: Backend>(&mut self, memory: &B) {
        self.in_doubt = !Event::of_reader(memory.ring()).wake(memory);
        if self.in_doubt {
            self.room = 0;
        }
    }

    /// Publishes a record of `len` bytes that were written at `at`, where
    /// [`prepare`](Self::prepare) said.
    #[inline(always)]
    pub(super) fn publish_at<B: Backend>(&mut self, memory: &B, at: u64, len: usize) {
        let ring = memory.ring();
        let sealed = self.seal(ring, at, len, Kind::Bytes);
        self.publish(memory, ring, sealed);
    }

    /// Publishes those of `messages` for which there is room, with one store, after it has noted that they are carried on:
    /// `stream`, and the position there behind each. How many.
    pub(super) fn carry<B: Backend>(
        &mut self,
        memory: &B,
        (stream, from): (u64, u64),
        messages: &[(u64, &[u8])],
    ) -> usize {
        let (ring, tail) = (memory.ring(), self.tail);
        let mut first = None;
        let mut count = 0;
        for (_, bytes) in messages {
            // (There is room for the first one.)
            if count > 0 && !core::Producer::knows_room(self, memory, bytes.len()) {
                break;
            }
            let sealed = self.append(ring, Kind::Bytes, bytes);
            hold_back(&mut first, ring, sealed);
            count += 1;
        }
        self.room = 0;
        if let (Some(first), Some((to, _))) = (first, messages[..count].last()) {
            intent::note(ring, Intent { stream, from, to: *to, tail, ended: false });
            self.publish(memory, ring, first);
        }
        count
    }

    /// The same of an end, for which there is room.
    pub(super) fn carry_end<B: Backend>(&mut self, memory: &B, (stream, from): (u64, u64), to: u64) {
        let (ring, tail) = (memory.ring(), self.tail);
        let sealed = self.append(ring, Kind::End, b"");
        (self.room, self.ended) = (0, Some(self.tail));
        intent::note(ring, Intent { stream, from, to, tail, ended: true });
        self.publish(memory, ring, sealed);
    }

    /// Where the next record goes, and how many bytes there are for it and for those behind it, as far as is known.
    pub(super) fn standing(&self, ring: RingView<'_>) -> (u64, usize) {
        let used = usize::try_from(distance(self.head, self.tail)).unwrap_or(usize::MAX);
        (self.tail, ring.capacity().saturating_sub(used.saturating_add(8)))
    }

    /// What lies there and was not released, but for an end that was met.
    fn left<B: Backend>(memory: &B) -> impl Iterator<Item = Record> + Clone {
        let ring = memory.ring();
        // What a peer has broken is not ours to send again.
        let standing = standing(ring).ok();
        let mut next = standing.map(|standing| standing.released);
        std::iter::from_fn(move || {
            let (standing, at) = (standing?, next.take()?);
            let record = peek(ring, at).ok().flatten()?;
            let is_beyond = distance(standing.head, record.end()) >= wide(ring.capacity());
            let is_answered = record.kind == Kind::End && at == standing.released && ring.closed().load(RELAXED) == 1;
            next = Some(record.end());
            (!is_beyond && !is_answered).then_some(record)
        })
    }
}

impl core::Producer for Producer {
    fn of(layout: Layout) -> Option<Self> {
        matches!(layout, Layout::Ring { .. }).then(Self::default)
    }

    fn has_strangers(&self) -> bool {
        false
    }

    fn attach<B: Backend>(&mut self, memory: &B) -> Result<(), Corrupt> {
        // Whatever is wrong with the header: what is known is known of other memory.
        *self = Self::default();
        let ring = memory.ring();
        let standing = standing(ring)?;
        let (mut tail, mut end) = (standing.head, None);
        while let Some(record) = peek(ring, tail)? {
            tail = record.end();
            // The writer leaves a place for the next flag: without it a ring that is
            // full of records would have no end.
            if distance(standing.head, tail) >= wide(ring.capacity()) {
                return Err(corrupt("the records have no end"));
            }
            if record.kind == Kind::End {
                end = Some(tail);
            }
        }
        let released = distance(standing.head, standing.released);
        let ended = end.filter(|end| distance(standing.head, *end) > released);
        intent::settle(ring, tail);
        *self = Self { attached: true, tail, head: standing.head, ended, ..Self::default() };
        // The last writer may have died between publishing and waking. With the
        // fence that it did not come to: else the reader's parked word can come after our
        // clearing it, and its last poll see what was before. And edge `space`, taking
        // end, of the head that `standing` has seen: it was copied out up to there.
        barrier(orders().fence_writer_comes);
        Event::of_writer(ring).announce(memory);
        Event::of_reader(ring).wake(memory);
        Ok(())
    }

    fn longest<B: Backend>(&self, memory: &B) -> usize {
        memory.ring().longest()
    }

    fn end(&self) -> &'static [u8] {
        b""
    }

    fn check<B: Backend>(&self, memory: &B, bytes: &[u8]) -> Result<Kind, Unsendable> {
        let most = memory.ring().longest();
        if bytes.len() > most { Err(Unsendable::TooLong { most }) } else { Ok(Kind::Bytes) }
    }

    #[inline(always)]
    fn push_straight<B: Backend>(&mut self, memory: &B, bytes: &[u8]) -> bool {
        let ring = memory.ring();
        let Some(sealed) = self.append_straight(ring, bytes) else { return false };
        self.publish(memory, ring, sealed);
        true
    }

    fn renew<B: Backend>(&mut self, memory: &B, nothing_first: bool) {
        let ring = memory.ring();
        let is_clear = nothing_first && self.attached && self.ended.is_none() && !self.in_doubt;
        // (`used` is at most the capacity less 8: `fits` and `attach` see to that.)
        let used = usize::try_from(distance(self.head, self.tail)).unwrap_or(usize::MAX);
        let room = ring.to_wrap(self.tail).min(ring.capacity().saturating_sub(used.saturating_add(8)));
        self.room = if is_clear { room } else { 0 };
    }

    fn knows_room<B: Backend>(&self, memory: &B, len: usize) -> bool {
        let ring = memory.ring();
        len <= ring.longest() && self.attached && self.ended.is_none() && !self.in_doubt && self.fits(ring, len)
    }

    fn has_room<B: Backend>(&mut self, memory: &B, len: usize) -> Result<bool, Corrupt> {
        if !self.attached {
            self.attach(memory)?;
        }
        let ring = memory.ring();
        // Edge `space`, taking end; pairs with the store in `Consumer::free`: what was given
        // back was copied out.
        let head = ring.head().load(orders().take_space);
        if distance(self.head, head) > distance(self.head, self.tail) || !head.is_multiple_of(8) {
            return Err(corrupt("the head is where it never was"));
        }
        self.met |= head != self.head;
        self.head = head;
        if let Some(end) = self.ended {
            // A reader that keeps the memory releases the end, and gives back.
            if distance(head, end).cast_signed() > 0 {
                return Ok(false);
            }
            self.ended = None;
        }
        Ok(self.fits(ring, len))
    }

    fn push<B: Backend>(&mut self, memory: &B, kind: Kind, bytes: &[u8]) {
        let ring = memory.ring();
        let sealed = self.append(ring, kind, bytes);
        self.room = 0;
        if kind == Kind::End {
            self.ended = Some(self.tail);
        }
        self.publish(memory, ring, sealed);
    }

    fn is_behind_end(&self) -> bool {
        self.ended.is_some()
    }

    fn push_all<'m, B: Backend>(
        &mut self,
        memory: &B,
        messages: &mut (impl Iterator<Item = &'m [u8]> + Clone),
    ) -> usize {
        let ring = memory.ring();
        let mut first = None;
        let mut count = 0;
        let mut ahead = messages.clone();
        while let Some(bytes) = ahead.next() {
            let sealed = match self.append_straight(ring, bytes) {
                Some(sealed) => sealed,
                // Behind a jump, or the first one after a look.
                None if self.knows_room(memory, bytes.len()) => {
                    let sealed = self.append(ring, Kind::Bytes, bytes);
                    self.renew(memory, true);
                    sealed
                }
                None => break,
            };
            hold_back(&mut first, ring, sealed);
            count += 1;
            messages.clone_from(&ahead);
        }
        if let Some(first) = first {
            self.publish(memory, ring, first);
        }
        count
    }

    fn park<B: Backend>(&mut self, memory: &B, len: usize, longest: Duration) -> Result<(), Corrupt> {
        let event = Event::of_writer(memory.ring());
        event.prepare(memory, orders().fence_writer_sleeps);
        let room = self.has_room(memory, len);
        event.park(memory, room == Ok(false), longest);
        room.map(drop)
    }

    fn take_doubt(&mut self) -> bool {
        std::mem::take(&mut self.in_doubt)
    }

    fn take_met(&mut self) -> bool {
        std::mem::take(&mut self.met)
    }

    fn is_drained<B: Backend>(&self, memory: &B) -> bool {
        Self::left(memory).next().is_none()
    }

    fn unreleased<B: Backend>(&self, memory: &B, most: usize) -> usize {
        Self::left(memory).take(most).count()
    }

    fn take_along<B: Backend>(&self, memory: &B) -> Result<Backlog, Error> {
        let ring = memory.ring();
        Backlog::of(Self::left(memory), |record, bytes| ring.read(record.at, bytes))
    }
}
