//! How a receiver leaves that has something to say.

use super::Receiver;
use crate::frame::{Flow, Frame};
use crate::pace::Timer;
use crate::world::Outcome;
use std::time::Duration;

/// What is said until the sender has left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Farewell {
    pub(super) frame: Frame,
    pub(super) outcome: Outcome,
    pub(super) timer: Timer,
    pub(super) until: Duration,
}

impl Receiver {
    /// The writer over there has died. That is told here when everything lies in the ring.
    pub(super) fn death(&mut self, flow: Flow, at: u64, now: Duration) {
        let expected = self.expected(flow);
        if at == expected && self.waiting.is_empty() && self.stream.is_none_or(|stream| !stream.ended) {
            self.depart(|session| Frame::Told { session }, Outcome::WriterDied, now);
        } else {
            self.answer(flow, at > expected);
        }
    }

    /// Leaves as soon as the sender has heard why, or is silent.
    pub(super) fn depart(&mut self, frame: impl FnOnce(u64) -> Frame, outcome: Outcome, now: Duration) {
        if self.farewell.is_some() || self.outcome.is_some() {
            return;
        }
        match self.peer.filter(|peer| !peer.left) {
            Some(peer) => {
                let (timer, until) = (Timer::due(&self.limits), now + self.limits.silence);
                self.farewell = Some(Farewell { frame: frame(peer.session), outcome, timer, until });
            }
            None => self.outcome = Some(outcome),
        }
    }
}
