//! Many messages at once: copied once each to where a program prints them from, and found again by their positions.

use super::consumer::{Consumer, look, peek, record};
use super::record::{distance, size_of_record, wide};
use crate::backend::{Backend, RingView};
use crate::error::{Corrupt, Error};
use crate::protocol::core::{Consumer as _, Cursor, Kind, Record};

impl Consumer {
    /// What a flag at `at` says, if all is well at a glance: the length, and where it ends. (`copy_straight` asks the
    /// same by itself: through a call of this one it would take four instructions more.)
    #[inline(always)]
    fn glance(&self, ring: RingView<'_>, at: u64, flag: u32, most: u64) -> Option<(usize, u64)> {
        // (No flag is less than nothing, and a jump is longer than everything.)
        let len = (flag as usize).wrapping_sub(1);
        if len > ring.longest() {
            return None;
        }
        let size = size_of_record(len);
        let end = at.wrapping_add(wide(size));
        let is_well =
            size <= ring.to_wrap(at) && distance(self.head, end) < most && ring.kind(at) == Kind::Bytes as u32;
        is_well.then_some((len, end))
    }

    /// Appends the messages from the cursor on to `out`, one by one, and moves behind them: `more` is
    /// told where each one ends, in `out` and in the ring, and says whether the next one is wanted.
    /// Whether an end is what comes next.
    pub(super) fn append<B: Backend>(
        &mut self,
        memory: &B,
        out: &mut Vec<u8>,
        more: &mut impl FnMut(usize, Cursor) -> bool,
    ) -> Result<bool, Error> {
        if !self.attached {
            self.attach(memory)?;
        }
        let ring = memory.ring();
        loop {
            let at = self.cursor;
            let flag = look(ring, at);
            let (at, len, end) = match self.glance(ring, at, flag, wide(ring.capacity())) {
                Some((len, end)) => (at, len, end),
                None => match self.bounded(ring, record(ring, at, flag)?)? {
                    Some(found @ Record { at, len, kind: Kind::Bytes }) => (at, len, found.end()),
                    found => return Ok(found.is_some()),
                },
            };
            if out.capacity() - out.len() < size_of_record(len) {
                let failed = |_| Error::no_memory(format!("a message of {len} bytes"));
                out.try_reserve(size_of_record(len)).map_err(failed)?;
            }
            ring.append_to(at, out, len);
            self.cursor = end;
            if !more(out.len(), self.cursor()) {
                return Ok(false);
            }
        }
    }

    pub(super) fn released(&self) -> u64 {
        self.released
    }

    /// Whether a message ends at `position`, from `from` on, where one begins.
    fn ends_at(&self, ring: RingView<'_>, from: u64, position: u64) -> Result<bool, Corrupt> {
        let (mut at, ahead) = (from, distance(from, position));
        while distance(from, at) < ahead {
            match self.bounded(ring, peek(ring, at)?)? {
                Some(found @ Record { kind: Kind::Bytes, .. }) => at = found.end(),
                _ => return Ok(false),
            }
        }
        Ok(at == position)
    }

    /// Sets the cursor to `position`, if a message ends there.
    pub(super) fn seek<B: Backend>(&mut self, memory: &B, position: u64) -> Result<bool, Error> {
        if !self.attached {
            self.attach(memory)?;
        }
        let (ahead, peeked) = (distance(self.released, position), distance(self.released, self.cursor));
        let from = if ahead < peeked { self.released } else { self.cursor };
        let found = ahead < wide(memory.ring().capacity()) && self.ends_at(memory.ring(), from, position)?;
        if found {
            self.cursor = position;
        }
        Ok(found)
    }

    /// Releases what lies before `position`, if a message that was peeked at ends there.
    pub(super) fn release_at<B: Backend>(&mut self, memory: &B, position: u64) -> Result<bool, Error> {
        let (ahead, peeked) = (distance(self.released, position), distance(self.released, self.cursor));
        let found = self.attached && ahead <= peeked && self.ends_at(memory.ring(), self.released, position)?;
        if found {
            self.release_up_to(memory, Cursor { to: position, ..self.cursor() });
        }
        Ok(found)
    }
}
