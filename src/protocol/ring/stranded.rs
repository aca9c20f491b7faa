//! What was sent on removed memory and not taken, until it is sent again.

use super::RecordKind;
use super::walk::Record;
use crate::backend::Ring;
use crate::error::Error;
use std::collections::VecDeque;

/// Messages in the order in which they were sent, packed: they take no more room than they
/// took in their ring.
#[derive(Debug, Default)]
pub(super) struct Stranded {
    records: VecDeque<(RecordKind, u32)>,
    bytes: Vec<u8>,
    /// Bytes of those that are sent by now.
    sent: usize,
}

impl Stranded {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The one to be sent next.
    pub(super) fn first(&self) -> Option<(RecordKind, &[u8])> {
        let (kind, len) = *self.records.front()?;
        Some((kind, &self.bytes[self.sent..self.sent + len as usize]))
    }

    /// It is sent.
    pub(super) fn remove_first(&mut self) {
        if let Some((_, len)) = self.records.pop_front() {
            self.sent += len as usize;
        }
        if self.records.is_empty() {
            *self = Self::default();
        }
    }

    /// Takes along `found`, in front: they were sent before what still waits to be sent
    /// again.
    pub(super) fn put_in_front(
        &mut self,
        ring: Ring<'_>,
        found: impl Iterator<Item = Record> + Clone,
    ) -> Result<(), Error> {
        let waiting = &self.bytes[self.sent..];
        let (count, size) = found.clone().fold((0, 0), |(count, size), record| (count + 1, size + record.len));
        let mut all = Self::default();
        let reserved = all.bytes.try_reserve_exact(size + waiting.len());
        reserved
            .and_then(|()| all.records.try_reserve_exact(count + self.records.len()))
            .map_err(|_| Error::no_memory(format!("{count} messages of {size} bytes from a removed segment")))?;
        for record in found {
            let first = all.bytes.len();
            all.bytes.resize(first + record.len, 0);
            ring.records.read(record.at, &mut all.bytes[first..]);
            // No record is longer than a quarter of a GiB.
            #[allow(clippy::cast_possible_truncation)]
            all.records.push_back((record.kind, record.len as u32));
        }
        all.bytes.extend_from_slice(waiting);
        all.records.extend(&self.records);
        *self = all;
        Ok(())
    }
}
