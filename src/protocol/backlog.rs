//! What was sent on removed memory and not released, until it is sent again.

use super::record::{Kind, Record};
use crate::error::Error;
use std::collections::VecDeque;

/// Records in the order in which they were sent. A ring can hold millions of small
/// ones: their bytes lie in one piece.
#[derive(Debug, Default)]
pub struct Backlog {
    records: VecDeque<(Kind, u32)>,
    /// The bytes of all, behind those that were sent again already.
    bytes: Vec<u8>,
    sent: usize,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn first(&self) -> Option<(Kind, &[u8])> {
        let (kind, len) = *self.records.front()?;
        Some((kind, &self.bytes[self.sent..self.sent + len as usize]))
    }

    pub(super) fn remove_first(&mut self) {
        if let Some((_, len)) = self.records.pop_front() {
            self.sent += len as usize;
        }
        if self.records.is_empty() {
            *self = Self::default();
        }
    }

    /// What was `found`, whose bytes `read` copies.
    ///
    /// # Errors
    /// [`Error::Os`] where there is not so much memory.
    pub(super) fn of(
        found: impl Iterator<Item = Record> + Clone,
        read: impl Fn(Record, &mut [u8]),
    ) -> Result<Self, Error> {
        let (count, size) = found.clone().fold((0, 0), |(count, size), record| (count + 1, size + record.len));
        let no_memory = || Error::no_memory(format!("{count} messages of {size} bytes from a removed segment"));
        let mut all = Self::default();
        all.bytes.try_reserve_exact(size).map_err(|_| no_memory())?;
        all.records.try_reserve_exact(count).map_err(|_| no_memory())?;
        for record in found {
            // A peer can have made more of them since.
            all.bytes.try_reserve(record.len).map_err(|_| no_memory())?;
            all.records.try_reserve(1).map_err(|_| no_memory())?;
            let first = all.bytes.len();
            all.bytes.resize(first + record.len, 0);
            read(record, &mut all.bytes[first..]);
            // A ring has none that is longer; what is declared can.
            let len = u32::try_from(record.len).map_err(|_| no_memory())?;
            all.records.push_back((record.kind, len));
        }
        Ok(all)
    }

    /// Puts what was sent later behind it.
    ///
    /// # Errors
    /// [`Error::Os`] where there is not so much memory; then nothing has changed.
    pub(super) fn append(&mut self, later: &Self) -> Result<(), Error> {
        let (count, size) = (later.len(), later.bytes.len() - later.sent);
        let reserved = self.bytes.try_reserve_exact(size);
        reserved
            .and_then(|()| self.records.try_reserve_exact(count))
            .map_err(|_| Error::no_memory(format!("{count} messages of {size} bytes that are to be sent again")))?;
        self.bytes.extend_from_slice(&later.bytes[later.sent..]);
        self.records.extend(&later.records);
        Ok(())
    }
}
