//! What holds in every state.

use super::super::{Entry, Record, SourceRing, UNIT, Weakness};
use super::{Setup, SourceHost, State};
use shm_handoff_bridge::receiver::AckAt;
use shm_handoff_bridge::world::{Numbers, Outcome, Stream};
use std::collections::BTreeMap;

impl State {
    pub(super) fn sender_leaves(&mut self, host: usize, outcome: Outcome) {
        let wrong = match outcome {
            Outcome::Ended | Outcome::ReaderGone => false,
            // (A frame that is late for very long shows a dead sender as a living one: a slot's, or that of a machine before its restart.)
            Outcome::Taken(stream) => self.sources.len() == 1 && stream.lasts() && !self.sources[host].insists,
            Outcome::WriterDied => self.sources[host].died_at.is_none(),
            _ => true,
        };
        if wrong {
            self.broken = Some(format!("the sender leaves: {outcome:?}"));
        }
        self.sources[host].left = Some(outcome);
    }

    pub(super) fn receiver_leaves(&mut self, outcome: Outcome) {
        let wrong = match outcome {
            Outcome::Ended | Outcome::ReaderGone => false,
            Outcome::WriterDied => !self.sources.iter().any(|host| self.is_told_in_time(host)),
            _ => true,
        };
        if wrong {
            self.broken = Some(format!("the receiver leaves: {outcome:?}"));
        }
        // What it had beside its ring goes with it.
        if outcome != Outcome::Ended {
            self.had.clear();
        }
        self.sink.left = Some(outcome);
    }

    /// Whether a writer has died, and all that it wrote is there.
    fn is_told_in_time(&self, host: &SourceHost) -> bool {
        let ring = host.rings.last().expect("a ring");
        host.died_at.is_some_and(|died_at| (0..died_at).all(|index| self.is_in(ring, index)))
    }

    fn is_in(&self, ring: &SourceRing, index: usize) -> bool {
        self.sink.rings.iter().flat_map(|sink| &sink.entries).any(|&entry| is_record(entry, ring, index))
    }

    fn was_received(&self, ring: &SourceRing, index: usize) -> bool {
        let received = self.sink.rings.iter().flat_map(|sink| &sink.entries[..sink.released]);
        received.copied().any(|entry| is_record(entry, ring, index))
    }

    /// Whether the receiver has published an end, so that it will leave.
    pub fn leaves(&self) -> bool {
        self.sink.receiver.as_ref().is_some_and(|receiver| receiver.memory.ended)
    }

    /// What holds of every state. `Err`: this does not.
    ///
    /// # Errors
    /// The claim.
    pub fn check(&self, setup: &Setup) -> Result<(), String> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        for ring in self.sources.iter().flat_map(|host| &host.rings) {
            for index in 0..ring.released {
                let safe = match setup.ack_at {
                    AckAt::Ring => self.is_in(ring, index),
                    AckAt::Received => self.was_received(ring, index),
                };
                if !safe {
                    return Err(format!("{:?} is released, and lost", ring.records[index]));
                }
            }
        }
        for (epoch, ring) in self.sink.rings.iter().enumerate() {
            let mut last: Option<(Stream, u64)> = None;
            let mut ended = true;
            let mut positions: BTreeMap<Stream, u64> = BTreeMap::new();
            for (stream, position) in ring.entries.iter().filter_map(|entry| entry.name()) {
                let before = positions.insert(stream, position).unwrap_or(0);
                let follows = match last {
                    Some((same, last)) if same == stream => position == last + UNIT,
                    _ => (ended || setup.next_stream) && (epoch > 0 || position == before + UNIT),
                };
                if !(follows || setup.repeats) {
                    return Err(format!("{position} of {stream:?} behind {last:?} in one ring"));
                }
                last = Some((stream, position));
                ended = ring.entries.contains(&Entry::End { stream, position });
            }
        }
        Ok(())
    }
}

impl Setup {
    /// Adds up what a machine has counted. What must never be counted is told.
    pub(super) fn count(&self, numbers: &mut Numbers) -> Option<String> {
        let new = std::mem::take(numbers);
        if new == Numbers::default() {
            return None;
        }
        let mut all = self.numbers.lock();
        all.sessions += new.sessions;
        all.messages += new.messages;
        all.again += new.again;
        all.probes += new.probes;
        all.duplicates += new.duplicates;
        all.gaps += new.gaps;
        all.dropped += new.dropped;
        all.foreign += new.foreign;
        if new.dropped > 0 {
            return Some("more arrives than the window allows".into());
        }
        (new.foreign > 0 && self.weakness == Weakness::None)
            .then(|| "a frame of a bridge is taken for a foreign one".into())
    }
}

/// Messages have numbers, so that one is known in whichever stream it comes.
fn is_record(entry: Entry, ring: &SourceRing, index: usize) -> bool {
    match (entry, ring.records[index]) {
        (Entry::Message { number, .. }, Record::Message(wanted)) => number == wanted,
        (Entry::End { stream, .. }, Record::End) => !stream.lasts() || stream == ring.stream,
        _ => false,
    }
}
