//! The ring of the receiving host, with its intents.

use super::{Fuse, Killed, UNIT, Weakness};
use shm_handoff_bridge::world::{Carried, Rejected, Sink, Stream};

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
    pub(super) at: usize,
    carried: Option<Carried>,
    /// The stream that was carried last.
    stream: Option<Stream>,
    /// The ring's lengths and the positions of that stream behind which they are, as far as they are not received.
    pub(super) marks: Vec<(usize, u64)>,
    received: u64,
    /// It has published an end.
    pub(super) ended: bool,
    pub(super) unpublished: Vec<Entry>,
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
        let stream = carried.map(|carried| carried.stream);
        *memory = SinkMemory { at, carried, stream, marks, ..SinkMemory::default() };
        Ok(Self { rings, memory, fuse, weakness })
    }

    /// Sees what a process sees that wakes up: above all, that its memory was removed. A writer sends again then what was not
    /// released.
    pub fn wake(rings: &'a mut Vec<SinkRing>, memory: &'a mut SinkMemory, fuse: &'a Fuse, weakness: Weakness) -> Self {
        let unpublished = std::mem::take(&mut memory.unpublished);
        rings[memory.at].entries.extend(unpublished);
        let mut end = Self { rings, memory, fuse, weakness };
        end.forget_received();
        let old = &mut end.rings[end.memory.at];
        if old.removed {
            let backlog = old.entries.split_off(old.released);
            let mut new = SinkRing::new(old.capacity);
            let names = backlog.iter().enumerate().filter_map(|(at, entry)| Some((at + 1, entry.name()?)));
            let names = names.filter(|(_, (stream, _))| end.memory.stream == Some(*stream));
            let last = end.memory.marks.last().map(|mark| mark.1);
            end.memory.marks = names.map(|(at, (_, position))| (at, position)).collect();
            // Behind another writer's messages: what was carried before them is received when they are.
            let known = end.memory.marks.last().map(|mark| mark.1);
            end.memory.marks.extend(last.filter(|_| known < last).map(|position| (backlog.len(), position)));
            end.memory.at += 1;
            new.entries = backlog;
            end.rings.push(new);
        }
        end
    }

    /// Of what was received, the last position is enough.
    fn forget_received(&mut self) {
        self.memory.received = self.received_last();
        let released = self.rings[self.memory.at].released;
        self.memory.marks.retain(|mark| mark.0 > released);
    }

    fn received_last(&self) -> u64 {
        let released = self.rings[self.memory.at].released;
        let received = self.memory.marks.iter().take_while(|mark| mark.0 <= released).last();
        received.map_or(self.memory.received, |mark| mark.1)
    }

    fn publish(&mut self, intent: Intent, entries: Vec<Entry>) -> Result<(), Killed> {
        if self.memory.stream.replace(intent.stream).is_some_and(|last| last != intent.stream) {
            self.memory.marks.clear();
            self.memory.received = 0;
        }
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

    fn received(&self, stream: Stream) -> u64 {
        match self.weakness {
            Weakness::SaysRead => u64::MAX,
            _ if self.memory.stream == Some(stream) => self.received_last(),
            _ => 0,
        }
    }
}
