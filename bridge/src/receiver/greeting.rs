//! Which sender a receiver serves.

use super::{Carrying, Peer, Receiver};
use crate::frame::Frame;
use crate::world::{Carrier, Sink, Stream};
use std::time::Duration;

/// A sender that wants the place of one whose stream does not last, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Contender {
    sender: u64,
    pub(super) since: Duration,
}

/// What becomes of a sender that greets.
pub(super) enum Claim {
    Granted,
    /// The ring has this stream.
    Refused(Stream),
    /// It shows at its next greeting.
    Open,
}

/// So many streams are remembered that had the ring before.
const FORMER: usize = 16;
/// And so many contenders, the latest first.
const CONTENDERS: usize = 16;

impl Receiver {
    /// Lets another stream come behind one that has not ended: when that one's sender is gone, and the reader here has read
    /// everything of it. (Its machine was restarted, and the ring is another one.)
    #[must_use]
    pub fn taking_next(self, takes_next: bool) -> Self {
        Self { takes_next, ..self }
    }

    /// The stream that comes as soon as the reader here has read everything.
    #[must_use]
    pub fn awaited(&self) -> Option<Stream> {
        self.awaited
    }

    /// The stream of the sender that was welcomed last.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.peer.map(|peer| peer.stream)
    }

    /// For models: up to where it has something of the stream that the ring has.
    #[doc(hidden)]
    #[must_use]
    pub fn held(&self, stream: Stream) -> Option<u64> {
        self.stream.filter(|carrying| carrying.id == stream).map(|carrying| carrying.held)
    }

    /// Whether a sender can have the ring.
    pub(super) fn claim(
        &mut self,
        (sender, greeting): (u64, u32),
        stream: Stream,
        after: Option<Stream>,
        now: Duration,
        sink: &impl Sink,
    ) -> Claim {
        // One that was under way for long.
        if self.peer.is_some_and(|peer| peer.sender == sender && greeting < peer.greeting) {
            return Claim::Open;
        }
        let is_silent = now >= self.heard + self.limits.silence;
        let Some(holder) = self.stream else {
            // A ring that was welcomed keeps the place also while nothing has come of it.
            return match self.peer {
                Some(peer)
                    if peer.stream.lasts()
                        && ![Some(stream), after].contains(&Some(peer.stream))
                        && !peer.left
                        && !is_silent =>
                {
                    self.contends(sender, peer.stream, now)
                }
                _ => Claim::Granted,
            };
        };
        if holder.id == stream || after == Some(holder.id) {
            return Claim::Granted;
        }
        let goes_on = holder.id.lasts() && !holder.ended;
        if goes_on && !self.takes_next {
            return Claim::Refused(holder.id);
        }
        // The holder's sender may still need an answer: of an end, or of a slot. (Another process can read the same slot by now.)
        if self.peer.is_some_and(|peer| peer.left) || is_silent {
            // What waits here for room may be nowhere else any more.
            if goes_on && holder.received(sink) < holder.held {
                self.awaited = Some(stream);
                return Claim::Open;
            }
            return Claim::Granted;
        }
        if holder.ended {
            return Claim::Open;
        }
        self.contends(sender, holder.id, now)
    }

    /// A sender wants the place of one that may live: that is heard of again before the contender gets the place. (What it sent before
    /// it died can come for a while.)
    fn contends(&mut self, sender: u64, holder: Stream, now: Duration) -> Claim {
        match self.contenders.iter().find(|contender| contender.sender == sender) {
            Some(contender) if self.heard > contender.since + self.limits.slowest => Claim::Refused(holder),
            Some(_) => Claim::Open,
            None => {
                self.contenders.truncate(CONTENDERS - 1);
                self.contenders.insert(0, Contender { sender, since: now });
                Claim::Open
            }
        }
    }

    pub(super) fn welcome(
        &mut self,
        sender: u64,
        greeting: u32,
        stream: Stream,
        now: Duration,
        sink: &impl Sink,
        carrier: &mut impl Carrier,
    ) {
        if let Some(holder) = self.stream.filter(|holder| holder.id != stream) {
            self.gives_way(holder, sink);
        }
        if self.stream.is_none() {
            self.stream = self.former.iter().position(|former| former.id == stream).map(|at| self.former.remove(at));
        }
        self.awaited = None;
        let again = self.peer.is_some_and(|peer| (peer.sender, peer.greeting) == (sender, greeting));
        if !again {
            self.peer = Some(Peer { session: self.next_session, sender, greeting, stream, left: false });
            self.next_session = self.next_session.wrapping_add(1);
            (self.told, self.reply, self.asked) = ((0, 0), None, None);
            self.contenders.clear();
            self.numbers.sessions += 1;
            self.heard = now;
            self.progress = now;
        }
        if let Some(Peer { session, .. }) = self.peer {
            let position = self.stream.map(|carrying| carrying.held);
            carrier.send(Frame::Welcome { session, sender, greeting, position, room: sink.room(), ring: sink.ring() });
        }
    }

    /// The holder's ring goes to another stream.
    fn gives_way(&mut self, holder: Carrying, sink: &impl Sink) {
        if holder.received(sink) >= holder.held {
            self.former.drain(..(self.former.len() + 1).saturating_sub(FORMER));
            self.former.push(Carrying { received: holder.held, ..holder });
        }
        self.stream = None;
        self.waiting.clear();
        self.waiting_size = 0;
    }
}
