//! The ring of the sending host.

use super::{Fuse, Killed, UNIT, Weakness};
use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::world::{Found, Peeked, Source, Stream};

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
    /// Its machine was restarted. Nothing of it is there any more.
    pub lost: bool,
}

impl SourceRing {
    pub fn new(stream: Stream, records: Vec<Record>) -> Self {
        Self { stream, records, released: 0, origin: 0, ended: false, removed: false, lost: false }
    }

    /// Nothing more comes of it.
    pub fn is_done(&self) -> bool {
        self.lost || (self.removed && self.released == self.records.len())
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
        if ring.is_done() && batch.is_empty() {
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
