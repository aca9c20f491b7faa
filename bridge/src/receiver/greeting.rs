//! Which sender a receiver serves.

use super::{Peer, Receiver};
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

impl Receiver {
    /// Whether a sender can have the ring.
    pub(super) fn claim(
        &mut self,
        sender: u64,
        greeting: u32,
        stream: Stream,
        after: Option<Stream>,
        now: Duration,
    ) -> Claim {
        // One that was under way for long.
        if self.peer.is_some_and(|peer| peer.sender == sender && greeting < peer.greeting) {
            return Claim::Open;
        }
        let Some(holder) = self.stream else { return Claim::Granted };
        if holder.id == stream || after == Some(holder.id) {
            return Claim::Granted;
        }
        if holder.id.lasts() && !holder.ended {
            return Claim::Refused(holder.id);
        }
        // The holder's sender may still need an answer: of an end, or of a slot. (Another process can read the same slot by now.)
        if self.peer.is_some_and(|peer| peer.left) || now >= self.heard + self.limits.silence {
            return Claim::Granted;
        }
        if holder.ended {
            return Claim::Open;
        }
        // A sender that lives is heard of again before the contender gets the place. (What it sent before it died can come for a while.)
        match self.contender.filter(|contender| contender.sender == sender) {
            Some(contender) if self.heard > contender.since + self.limits.slowest => Claim::Refused(holder.id),
            Some(_) => Claim::Open,
            None => {
                self.contender = Some(Contender { sender, since: now });
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
        if self.stream.is_some_and(|carrying| carrying.id != stream) {
            self.stream = None;
            self.waiting.clear();
            self.waiting_size = 0;
        }
        let again = self.peer.is_some_and(|peer| (peer.sender, peer.greeting) == (sender, greeting));
        if !again {
            self.peer = Some(Peer { session: self.next_session, sender, greeting, stream, left: false });
            self.next_session = self.next_session.wrapping_add(1);
            (self.told, self.reply, self.asked, self.contender) = ((0, 0), None, None, None);
            self.numbers.sessions += 1;
            self.heard = now;
            self.progress = now;
        }
        if let Some(Peer { session, .. }) = self.peer {
            let position = self.stream.map(|carrying| carrying.held);
            carrier.send(Frame::Welcome { session, sender, greeting, position, room: sink.room(), ring: sink.ring() });
        }
    }
}
