//! The side that takes what arrives and writes it into a ring. It acknowledges only what the ring has, or what was received from it.

mod farewell;
mod greeting;

use self::farewell::Farewell;
use self::greeting::{Claim, Contender};
use crate::batch::Batch;
use crate::frame::{Ack, Flow, Frame};
use crate::pace::Limits;
use crate::world::{Carrier, Event, Next, Numbers, Outcome, Rejected, Sink, Stream};
use std::collections::VecDeque;
use std::time::Duration;

/// Messages that are put into the sink with one call, at most.
const AT_ONCE: usize = 1024;

/// What is acknowledged, and with that, what may perish without a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckAt {
    /// What lies in the ring here: either bridge, and the network.
    Ring,
    /// What the reader here has released: this whole machine.
    Received,
}

/// The receiver's state.
///
/// All times are since one moment of the driver's choice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Receiver {
    limits: Limits,
    ack_at: AckAt,
    next_session: u64,
    peer: Option<Peer>,
    /// When the peer was heard last.
    heard: Duration,
    contenders: Vec<Contender>,
    stream: Option<Carrying>,
    /// Streams that had the ring before, as far as they were read: should one come back, it goes on where it was.
    former: Vec<Carrying>,
    /// Whether another stream may come behind one that has not ended.
    takes_next: bool,
    /// The one that may as soon as the reader here has read everything.
    awaited: Option<Stream>,
    /// What the ring had no room for yet: each batch with how many of its messages were taken.
    waiting: VecDeque<(usize, Batch)>,
    /// Bytes of these batches.
    waiting_size: usize,
    /// What has to be answered.
    reply: Option<Reply>,
    /// What was acknowledged last: taken, and acked.
    told: (u64, u64),
    asked: Option<Asked>,
    /// When frames of unknown sessions are answered again.
    unknown: Duration,
    progress: Duration,
    farewell: Option<Farewell>,
    outcome: Option<Outcome>,
    /// What happened.
    pub numbers: Numbers,
}

/// The sender that was welcomed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Peer {
    session: u64,
    sender: u64,
    greeting: u32,
    stream: Stream,
    /// It has left in order.
    left: bool,
}

/// The stream of which the ring has something, or of which something waits for the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Carrying {
    id: Stream,
    taken: u64,
    held: u64,
    ended: bool,
    /// Up to here the reader here had everything when another stream came.
    received: u64,
}

impl Carrying {
    /// A stream of which everything before `position` lies in the ring.
    fn at(id: Stream, position: u64, ended: bool) -> Self {
        Self { id, taken: position, held: position, ended, received: 0 }
    }

    /// Up to where the reader here has surely released everything.
    fn received(&self, sink: &impl Sink) -> u64 {
        self.received.max(sink.received(self.id))
    }
}

/// An answer to a frame of this turn. Without a history, the stream begins at `base`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Reply {
    turn: u32,
    base: u64,
    again: bool,
}

/// The gap that was asked for last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    turn: u32,
    held: u64,
    at: Duration,
}

impl Receiver {
    /// A receiver that writes to `sink`; `session` is random.
    #[must_use]
    pub fn new(limits: Limits, ack_at: AckAt, session: u64, sink: &impl Sink, now: Duration) -> Self {
        let stream = sink.carried().map(|carried| Carrying::at(carried.stream, carried.position, carried.ended));
        Self {
            limits,
            ack_at,
            next_session: session,
            peer: None,
            heard: now,
            contenders: Vec::new(),
            stream,
            former: Vec::new(),
            takes_next: false,
            awaited: None,
            waiting: VecDeque::new(),
            waiting_size: 0,
            reply: None,
            told: (0, 0),
            asked: None,
            unknown: now,
            progress: now,
            farewell: None,
            outcome: None,
            numbers: Numbers::default(),
        }
    }

    /// Whether there is a sender.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.peer.is_some_and(|peer| !peer.left)
    }

    /// The reader here has left or died.
    pub fn reader_gone(&mut self, now: Duration) {
        self.depart(|session| Frame::ReaderGone { session }, Outcome::ReaderGone, now);
    }

    /// Says that this receiver leaves in order. Nothing follows.
    pub fn leave(&self, carrier: &mut impl Carrier) {
        if let Some(peer) = self.peer.filter(|peer| !peer.left) {
            carrier.send(Frame::ReceiverLeft { session: peer.session });
        }
    }

    /// Takes in what a sender says.
    pub fn hear(&mut self, frame: Frame, now: Duration, sink: &impl Sink, carrier: &mut impl Carrier) {
        let session = match &frame {
            Frame::Hello { .. } if self.farewell.is_some() => return,
            &Frame::Hello { sender, greeting, stream, after } => {
                match self.claim((sender, greeting), stream, after, now, sink) {
                    Claim::Granted => self.welcome(sender, greeting, stream, now, sink, carrier),
                    Claim::Refused(stream) => carrier.send(Frame::Taken { sender, greeting, stream }),
                    Claim::Open => {}
                }
                return;
            }
            Frame::Batch(batch) => batch.flow().session,
            Frame::Probe { flow, .. } | Frame::Died { flow, .. } => flow.session,
            Frame::SenderLeft { session } => *session,
            // Another receiver's.
            _ => return,
        };
        let Some(peer) = self.peer.as_mut().filter(|peer| peer.session == session) else {
            if now >= self.unknown && !matches!(frame, Frame::SenderLeft { .. }) {
                self.unknown = now + self.limits.gap;
                carrier.send(Frame::Unknown { session });
            }
            return;
        };
        self.heard = now;
        match frame {
            Frame::SenderLeft { .. } => {
                peer.left = true;
                if let Some(farewell) = self.farewell.take() {
                    self.outcome = Some(farewell.outcome);
                }
            }
            _ if self.farewell.is_some() => {}
            Frame::Batch(batch) => self.arrived(batch, now),
            Frame::Probe { flow, sent } => self.answer(flow, sent > self.expected(flow)),
            Frame::Died { flow, at } => self.death(flow, at, now),
            _ => {}
        }
    }

    /// Does the next thing that there is to do.
    ///
    /// # Errors
    /// The sink's.
    pub fn step<S: Sink>(&mut self, now: Duration, sink: &mut S, carrier: &mut impl Carrier) -> Result<Next, S::Error> {
        let mut event = Event::None;
        if self.farewell.is_none() && self.outcome.is_none() {
            if let Some(needs) = self.append(now, sink)? {
                event = Event::Room(needs);
            }
            let acked = self.acked(sink);
            self.acknowledge(acked, sink, carrier);
            let taken = self.stream.map_or(0, |stream| stream.taken);
            if event == Event::None && acked < taken {
                event = Event::Receipt;
            }
            if self.ends_at(acked).is_some_and(|at| now >= at) {
                self.outcome = Some(Outcome::Ended);
            } else if self.times_out().is_some_and(|at| now >= at) {
                self.leave(carrier);
                self.outcome = Some(Outcome::TimedOut);
            }
        }
        if let Some(farewell) = &mut self.farewell {
            if now >= farewell.until {
                self.outcome = Some(farewell.outcome.clone());
            } else if farewell.timer.fires(now, &self.limits) {
                carrier.send(farewell.frame.clone());
            }
        }
        if let Some(outcome) = &self.outcome {
            return Ok(Next::Done(outcome.clone()));
        }
        Ok(if let Some(farewell) = &self.farewell {
            Next::Wait(Some(farewell.timer.at.min(farewell.until)), Event::None)
        } else {
            let timeout = self.times_out();
            Next::Wait(timeout.into_iter().chain(self.ends_at(self.told.1)).min(), event)
        })
    }

    /// When it ends for want of progress. (A moment beyond all times is none.)
    fn times_out(&self) -> Option<Duration> {
        self.progress.checked_add(self.limits.timeout?)
    }

    /// Where the next message begins that is taken.
    fn expected(&self, flow: Flow) -> u64 {
        self.stream.map_or(flow.base, |stream| stream.held)
    }

    fn answer(&mut self, flow: Flow, again: bool) {
        let again = again || self.reply.is_some_and(|reply| reply.turn == flow.turn && reply.again);
        self.reply = Some(Reply { turn: flow.turn, base: flow.base, again });
    }

    fn arrived(&mut self, batch: Batch, now: Duration) {
        let (flow, expected) = (batch.flow(), self.expected(batch.flow()));
        if batch.from() > expected {
            self.numbers.gaps += 1;
            let asked = self.asked.filter(|asked| (asked.turn, asked.held) == (flow.turn, expected));
            if asked.is_none_or(|asked| now >= asked.at + self.limits.gap) {
                self.asked = Some(Asked { turn: flow.turn, held: expected, at: now });
                self.answer(flow, true);
            }
            return;
        }
        let held = batch.end().unwrap_or(batch.to());
        let fits =
            batch.up_to(expected).filter(|&skip| skip < batch.len() || batch.to() == expected || held <= expected);
        let Some(skip) = fits else {
            self.numbers.foreign += 1;
            return;
        };
        self.numbers.duplicates += skip as u64;
        if held <= expected || self.stream.is_some_and(|stream| stream.ended) {
            return self.answer(flow, false);
        }
        let waiting_size = self.waiting_size + batch.size();
        if waiting_size > self.limits.waiting && !self.waiting.is_empty() {
            self.numbers.dropped += 1;
            return;
        }
        let Some(Peer { stream: id, .. }) = self.peer else { return };
        self.stream.get_or_insert(Carrying::at(id, expected, false)).held = held;
        self.waiting_size = waiting_size;
        self.waiting.push_back((skip, batch));
        self.progress = now;
    }

    /// Puts what waits into the ring, as far as there is room. How many bytes it lacks, if it lacks any.
    fn append<S: Sink>(&mut self, now: Duration, sink: &mut S) -> Result<Option<usize>, S::Error> {
        let mut refused = None;
        while let (Some(stream), Some((taken, batch))) = (&mut self.stream, self.waiting.front_mut()) {
            while *taken < batch.len() {
                let messages: Vec<_> = batch.messages(*taken).take(AT_ONCE).collect();
                match sink.append(stream.id, stream.taken, &messages) {
                    Ok(0) => return Ok(Some(messages[0].1.len())),
                    Ok(count) => {
                        *taken += count;
                        stream.taken = messages[count - 1].0;
                        self.numbers.messages += count as u64;
                        self.progress = now;
                    }
                    Err(Rejected::Failed(error)) => return Err(error),
                    Err(Rejected::Message(why)) => {
                        refused = Some((messages[0].0, why));
                        break;
                    }
                }
            }
            if refused.is_some() {
                break;
            }
            if let Some(end) = batch.end() {
                if !sink.end(stream.id, stream.taken, end)? {
                    return Ok(Some(0));
                }
                (stream.taken, stream.ended, self.progress) = (end, true, now);
            }
            self.waiting_size -= batch.size();
            self.waiting.pop_front();
        }
        if let Some((position, why)) = refused {
            let frame = |session| Frame::Unsendable { session, position, why: why.clone() };
            self.depart(frame, Outcome::Unsendable { position, why: why.clone() }, now);
        }
        Ok(None)
    }

    /// Up to where the sender may release.
    fn acked(&self, sink: &impl Sink) -> u64 {
        self.stream.map_or(0, |stream| match self.ack_at {
            AckAt::Ring => stream.taken,
            AckAt::Received => stream.received(sink).min(stream.taken),
        })
    }

    /// Answers, and tells what is new. An idle reader here is heard of when it has received everything, a slow one now and then.
    fn acknowledge(&mut self, acked: u64, sink: &impl Sink, carrier: &mut impl Carrier) {
        let Some(peer) = self.peer.filter(|peer| !peer.left) else { return };
        let (told_taken, told_acked) = self.told;
        let (taken, held) = match (self.stream, self.reply) {
            (Some(stream), _) => (stream.taken, stream.held),
            (None, Some(reply)) => (reply.base, reply.base),
            (None, None) => return,
        };
        let further = acked > told_acked && (acked == taken || acked - told_acked >= sink.capacity() / 8);
        let reply = self.reply.take();
        if reply.is_some() || taken > told_taken || further {
            let (turn, again) = reply.map_or((0, false), |reply| (reply.turn, reply.again));
            let room = sink.room();
            carrier.send(Frame::Ack(Ack { session: peer.session, held, taken, acked, room, turn, again }));
            self.told = (taken, acked);
        }
    }

    /// When a receiver leaves whose stream has ended: as soon as the sender knows, or is silent.
    fn ends_at(&self, acked: u64) -> Option<Duration> {
        let ended = self.stream.is_some_and(|stream| stream.ended && stream.taken == acked);
        let peer = self.peer.filter(|_| ended)?;
        Some(if peer.left { Duration::ZERO } else { self.heard + self.limits.silence })
    }

    /// For models: sets the clock back by so much, to `now`, and forgets moments that make no difference any more.
    #[doc(hidden)]
    pub fn rebase(&mut self, by: Duration, now: Duration) {
        let before = now + by;
        self.heard =
            if before >= self.heard + self.limits.silence { Duration::ZERO } else { self.heard.saturating_sub(by) };
        self.unknown = if before >= self.unknown { Duration::ZERO } else { self.unknown.saturating_sub(by) };
        self.asked = self.asked.filter(|asked| before < asked.at + self.limits.gap);
        self.progress = if self.limits.timeout.is_some() { self.progress.saturating_sub(by) } else { Duration::ZERO };
        let Self { contenders, asked, farewell, .. } = self;
        let since = contenders.iter_mut().map(|contender| &mut contender.since);
        for time in since.chain(asked.iter_mut().map(|asked| &mut asked.at)) {
            *time = time.saturating_sub(by);
        }
        if let Some(farewell) = farewell {
            farewell.timer.rebase(by, now);
            farewell.until = farewell.until.saturating_sub(by);
        }
    }
}
