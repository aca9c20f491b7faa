//! Two hosts in memory, for the model and the simulation: rings of a few messages, processes that can be killed at each of their calls.
//!
//! A record takes [`UNIT`] bytes of either ring. What a host keeps when a process is killed is [`SourceRing`] and [`SinkRing`]; what dies
//! with the process is the machine, the cursor, and what a writer remembers.
#![allow(dead_code, reason = "the model and the simulation use what they need of it")]

use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::Frame;
use shm_handoff_bridge::world::{Carried, Carrier, Found, Peeked, Rejected, Sink, Source, Stream};
use std::cell::Cell;
use std::collections::VecDeque;

pub mod fair;
pub mod play;

/// What a record takes of a ring, and by how much a position advances.
pub const UNIT: u64 = 16;

/// How a process is killed: before its call number `left`, if that is told. Calls of the dead have no effect.
#[derive(Debug, Default)]
pub struct Fuse {
    left: Cell<Option<u32>>,
    dead: Cell<bool>,
}

/// The process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed;

impl Fuse {
    pub fn new(left: Option<u32>) -> Self {
        Self { left: Cell::new(left), dead: Cell::new(false) }
    }

    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// Before each effect on the world.
    fn burn(&self) -> Result<(), Killed> {
        match self.left.get() {
            Some(0) => self.dead.set(true),
            left => self.left.set(left.map(|left| left - 1)),
        }
        if self.dead.get() { Err(Killed) } else { Ok(()) }
    }
}

/// What of the protocol is left out, to see that the claims notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    None,
    /// The receiving ring stores no intents.
    NoIntent,
    /// Intents have one place, and not two by turns.
    OnePlace,
    /// Another writer appends without settling what the last one intended.
    NoSettling,
    /// The sender releases what it sends.
    ReleaseOnSend,
    /// The sink says that it has published, and publishes a moment later.
    AckBeforePublish,
    /// Each receiver's sessions have the same numbers.
    SessionsRepeat,
    /// A receiving ring without a history begins with whatever comes first.
    AnyBase,
}

/// What lies in the sending ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    Message(u32),
    End,
}

/// The ring of the sending host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceRing {
    pub stream: Stream,
    /// Everything that the writer ever wrote.
    pub records: Vec<Record>,
    /// How many of them are released.
    pub released: usize,
    /// Where the stream begins: for a slot, whose streams are the processes'.
    pub origin: usize,
    /// The sender has ended the session.
    pub ended: bool,
    /// The memory was removed, and other memory is there.
    pub removed: bool,
}

impl SourceRing {
    pub fn new(stream: Stream, records: Vec<Record>) -> Self {
        Self { stream, records, released: 0, origin: 0, ended: false, removed: false }
    }

    /// The position behind this many records.
    pub fn position(&self, count: usize) -> u64 {
        (count - self.origin) as u64 * UNIT
    }

    fn index(&self, position: u64) -> Option<usize> {
        let index = usize::try_from(position / UNIT).ok()?.checked_add(self.origin)?;
        (position.is_multiple_of(UNIT) && (self.released..=self.records.len()).contains(&index)).then_some(index)
    }
}

/// What the sender's process sees of its rings. It reads the first one that is not removed and released.
pub struct SourceEnd<'a> {
    pub rings: &'a mut [SourceRing],
    pub at: &'a mut usize,
    pub cursor: &'a mut usize,
    pub fuse: &'a Fuse,
    pub weakness: Weakness,
}

impl SourceEnd<'_> {
    fn ring(&mut self) -> &mut SourceRing {
        &mut self.rings[*self.at]
    }
}

impl Source for SourceEnd<'_> {
    type Error = Killed;

    fn stream(&self) -> Stream {
        self.rings[*self.at].stream
    }

    fn released(&self) -> u64 {
        let ring = &self.rings[*self.at];
        ring.position(ring.released)
    }

    fn peek(&mut self, batch: &mut Batch, most: usize) -> Result<Peeked, Killed> {
        let ring = &mut self.rings[*self.at];
        while let Some(&record) = ring.records.get(*self.cursor) {
            let position = ring.position(*self.cursor + 1);
            let Record::Message(number) = record else { return Ok(Peeked::End(position)) };
            batch.push(position, &number.to_le_bytes());
            *self.cursor += 1;
            if self.weakness == Weakness::ReleaseOnSend {
                ring.released = ring.released.max(*self.cursor);
            }
            if batch.size() >= most {
                return Ok(Peeked::More);
            }
        }
        if ring.removed && ring.released == ring.records.len() && batch.is_empty() {
            (*self.at, *self.cursor) = (*self.at + 1, 0);
            return Ok(Peeked::Moved);
        }
        Ok(Peeked::Nothing)
    }

    fn seek(&mut self, position: u64) -> Result<Found, Killed> {
        let ring = self.ring();
        let Some(index) = ring.index(position) else { return Ok(Found::Nothing) };
        let end = index > ring.released && ring.records[index - 1] == Record::End;
        *self.cursor = index - usize::from(end);
        Ok(if end { Found::End } else { Found::Message })
    }

    fn release(&mut self, position: u64) -> Result<bool, Killed> {
        self.fuse.burn()?;
        let ring = self.ring();
        let index = ring.index(position);
        ring.released = index.unwrap_or(ring.released);
        Ok(index.is_some())
    }

    fn end(&mut self) -> Result<(), Killed> {
        self.fuse.burn()?;
        let ring = self.ring();
        (ring.released, ring.ended) = (ring.records.len(), true);
        Ok(())
    }
}

/// What lies in the receiving ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    Message {
        stream: Stream,
        position: u64,
        number: u32,
    },
    End {
        stream: Stream,
        position: u64,
    },
    /// Of another writer.
    Other,
}

impl Entry {
    /// The stream and the position, of what was carried.
    pub fn name(self) -> Option<(Stream, u64)> {
        match self {
            Self::Message { stream, position, .. } | Self::End { stream, position } => Some((stream, position)),
            Self::Other => None,
        }
    }
}

/// One of two places for intents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Empty,
    /// Its writer was killed while it stored.
    Torn,
    Intent(Intent),
}

/// What a writer is about to publish, or has found out about its predecessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Intent {
    number: u32,
    stream: Stream,
    from: u64,
    to: u64,
    ends: bool,
    /// The ring's length before it; `None`: it is settled.
    tail: Option<usize>,
}

/// The ring of the receiving host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SinkRing {
    pub capacity: usize,
    /// Everything that was ever published there.
    pub entries: Vec<Entry>,
    /// How many of them the reader has released.
    pub released: usize,
    pub places: [Place; 2],
    /// The reader has met the end, or somebody has removed the memory.
    pub removed: bool,
}

impl SinkRing {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Vec::new(), released: 0, places: [Place::Empty; 2], removed: false }
    }

    pub fn room(&self) -> usize {
        let ends = self.entries[self.released..].iter().any(|entry| matches!(entry, Entry::End { .. }));
        if ends { 0 } else { self.capacity.saturating_sub(self.entries.len() - self.released) }
    }

    fn latest(&self) -> Option<(usize, Intent)> {
        let intents = self.places.iter().enumerate().filter_map(|(at, place)| match place {
            Place::Intent(intent) => Some((at, *intent)),
            _ => None,
        });
        intents.max_by_key(|(_, intent)| intent.number)
    }

    fn store(&mut self, mut intent: Intent, fuse: &Fuse, weakness: Weakness) -> Result<(), Killed> {
        if weakness == Weakness::NoIntent {
            return fuse.burn();
        }
        let latest = self.latest();
        intent.number = latest.map_or(0, |(_, latest)| latest.number + 1);
        let at = if weakness == Weakness::OnePlace { 0 } else { latest.map_or(0, |(at, _)| 1 - at) };
        let burnt = fuse.burn();
        self.places[at] = if burnt.is_ok() { Place::Intent(intent) } else { Place::Torn };
        burnt
    }

    /// What every writer that comes to the ring does first.
    fn settle(&mut self, fuse: &Fuse, weakness: Weakness) -> Result<Option<Carried>, Killed> {
        let Some((_, latest)) = self.latest() else { return Ok(None) };
        let is_in = latest.tail.is_none_or(|tail| self.entries.len() > tail);
        let position = if is_in { latest.to } else { latest.from };
        let ended = latest.ends && is_in;
        if latest.tail.is_some() {
            let settled = Intent { from: position, to: position, ends: ended, tail: None, ..latest };
            self.store(settled, fuse, weakness)?;
        }
        Ok(Some(Carried { stream: latest.stream, position, ended }))
    }

    /// A writer that is no bridge comes, appends and leaves.
    pub fn other_writer(&mut self, weakness: Weakness) {
        if weakness != Weakness::NoSettling {
            let settled = self.settle(&Fuse::default(), weakness);
            settled.expect("it is not killed");
        }
        self.entries.push(Entry::Other);
    }
}

/// What the receiver's process remembers of its ring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SinkMemory {
    /// Which of the rings.
    at: usize,
    carried: Option<Carried>,
    /// The ring's lengths and the positions behind which they are, as far as they are not received.
    marks: Vec<(usize, u64)>,
    received: u64,
    /// It has published an end.
    ended: bool,
    unpublished: Vec<Entry>,
}

/// What the receiver's process sees of its rings.
pub struct SinkEnd<'a> {
    pub rings: &'a mut Vec<SinkRing>,
    pub memory: &'a mut SinkMemory,
    pub fuse: &'a Fuse,
    pub weakness: Weakness,
}

impl<'a> SinkEnd<'a> {
    /// Comes to the ring, as a new process.
    pub fn attach(
        rings: &'a mut Vec<SinkRing>,
        memory: &'a mut SinkMemory,
        fuse: &'a Fuse,
        weakness: Weakness,
    ) -> Result<Self, Killed> {
        let last = rings.last().expect("there is always a ring");
        if last.removed {
            rings.push(SinkRing::new(last.capacity));
        }
        let at = rings.len() - 1;
        let carried = rings[at].settle(fuse, weakness)?;
        let marks = carried.iter().map(|carried| (rings[at].entries.len(), carried.position)).collect();
        *memory = SinkMemory { at, carried, marks, ..SinkMemory::default() };
        Ok(Self { rings, memory, fuse, weakness })
    }

    /// Sees what a process sees that wakes up: above all, that its memory was removed. A writer sends again then what was not
    /// released.
    pub fn wake(rings: &'a mut Vec<SinkRing>, memory: &'a mut SinkMemory, fuse: &'a Fuse, weakness: Weakness) -> Self {
        let unpublished = std::mem::take(&mut memory.unpublished);
        rings[memory.at].entries.extend(unpublished);
        let mut end = Self { rings, memory, fuse, weakness };
        end.received();
        let old = &mut end.rings[end.memory.at];
        if old.removed {
            let backlog = old.entries.split_off(old.released);
            let mut new = SinkRing::new(old.capacity);
            let names = backlog.iter().enumerate().filter_map(|(at, entry)| Some((at + 1, entry.name()?.1)));
            end.memory.marks = names.collect();
            end.memory.at += 1;
            new.entries = backlog;
            end.rings.push(new);
        }
        end
    }

    fn publish(&mut self, intent: Intent, entries: Vec<Entry>) -> Result<(), Killed> {
        let ring = &mut self.rings[self.memory.at];
        if self.weakness == Weakness::AckBeforePublish {
            self.fuse.burn()?;
            self.memory.marks.push((ring.entries.len() + self.memory.unpublished.len() + entries.len(), intent.to));
            self.memory.unpublished.extend(entries);
            return Ok(());
        }
        ring.store(Intent { tail: Some(ring.entries.len()), ..intent }, self.fuse, self.weakness)?;
        self.fuse.burn()?;
        ring.entries.extend(entries);
        self.memory.marks.push((ring.entries.len(), intent.to));
        Ok(())
    }
}

impl Sink for SinkEnd<'_> {
    type Error = Killed;

    fn carried(&self) -> Option<Carried> {
        self.memory.carried
    }

    fn ring(&self) -> u64 {
        self.memory.at as u64 + 1
    }

    fn capacity(&self) -> u64 {
        self.rings[self.memory.at].capacity as u64 * UNIT
    }

    fn room(&self) -> u64 {
        self.rings[self.memory.at].room().saturating_sub(self.memory.unpublished.len()) as u64 * UNIT
    }

    fn append(&mut self, stream: Stream, from: u64, messages: &[(u64, &[u8])]) -> Result<usize, Rejected<Killed>> {
        let room = usize::try_from(self.room() / UNIT).expect("a small ring");
        let messages = &messages[..room.min(messages.len())];
        let Some(&(to, _)) = messages.last() else { return Ok(0) };
        let entry = |&(position, bytes): &(u64, &[u8])| {
            let number = u32::from_le_bytes(bytes.try_into().expect("a number"));
            Entry::Message { stream, position, number }
        };
        let intent = Intent { number: 0, stream, from, to, ends: false, tail: None };
        self.publish(intent, messages.iter().map(entry).collect()).map_err(Rejected::Failed)?;
        Ok(messages.len())
    }

    fn end(&mut self, stream: Stream, from: u64, position: u64) -> Result<bool, Killed> {
        if self.room() == 0 {
            return Ok(false);
        }
        let intent = Intent { number: 0, stream, from, to: position, ends: true, tail: None };
        self.publish(intent, vec![Entry::End { stream, position }])?;
        self.memory.ended = true;
        Ok(true)
    }

    fn received(&mut self) -> u64 {
        let (ring, memory) = (&self.rings[self.memory.at], &mut *self.memory);
        while let Some(&(length, position)) = memory.marks.first().filter(|mark| mark.0 <= ring.released) {
            debug_assert!(length <= ring.entries.len() + memory.unpublished.len());
            memory.received = position;
            memory.marks.remove(0);
        }
        memory.received
    }
}

/// One direction of the network.
pub struct Wire<'a> {
    pub frames: &'a mut VecDeque<Frame>,
    pub fuse: &'a Fuse,
}

impl Carrier for Wire<'_> {
    fn send(&mut self, frame: Frame) {
        if self.fuse.burn().is_ok() {
            self.frames.push_back(frame);
        }
    }
}
