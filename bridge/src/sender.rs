//! The side that reads a ring and sends what is there. It releases in its ring only what the receiver has acknowledged.

use crate::batch::Batch;
use crate::frame::{Ack, Flow, Frame};
use crate::pace::{Limits, Timer};
use crate::world::{Carrier, Event, Found, Next, Numbers, Outcome, Peeked, Source, Stream};
use std::cmp::Ordering;
use std::time::Duration;

/// The sender's state. It keeps no message: what has to be sent again is still in the ring.
///
/// ```text
///             Welcome                    everything, with the end, is acknowledged
/// greeting ------------> in a session --------------------------------------------> Ended
///    ^                        |
///    +------------------------+  Unknown, ReceiverLeft, other memory
/// ```
///
/// All times are since one moment of the driver's choice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    limits: Limits,
    id: u64,
    stream: Stream,
    /// Whether a receiver has something of the stream.
    bound: bool,
    /// The ring that has something of it.
    home: u64,
    /// Since when it greets.
    greets: Duration,
    after: Option<Stream>,
    greeting: u32,
    turn: u32,
    session: Option<Session>,
    /// When to greet or to probe again.
    timer: Timer,
    progress: Duration,
    writer_died: bool,
    outcome: Option<Outcome>,
    /// What happened.
    pub numbers: Numbers,
}

/// What the sender knows of a receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Session {
    id: u64,
    base: u64,
    /// Up to here everything was sent: the source's cursor, or the end behind it.
    sent: u64,
    /// The furthest that it was.
    furthest: u64,
    held: u64,
    taken: u64,
    room: u64,
    end: Option<u64>,
    ring: u64,
    /// Since when another receiver, or this one's successor, denies the session, and this one is silent.
    denied: Option<Duration>,
    /// The receiver lacks nothing but word of the writer's death. It is told until it answers: a link that breaks meanwhile is waited for.
    dying: bool,
}

impl Sender {
    /// A sender of `source`; `id` is random.
    #[must_use]
    pub fn new(limits: Limits, id: u64, source: &impl Source, now: Duration) -> Self {
        Self {
            limits,
            id,
            stream: source.stream(),
            bound: false,
            home: 0,
            greets: now,
            after: None,
            greeting: 0,
            turn: 0,
            session: None,
            timer: Timer::due(&limits),
            progress: now,
            writer_died: false,
            outcome: None,
            numbers: Numbers::default(),
        }
    }

    /// Whether there is a receiver.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// The writer here has died, and nothing lies behind the source's cursor.
    pub fn writer_died(&mut self) {
        self.writer_died = true;
    }

    /// A receiver may have come just now: what it is told is due, and need not wait for the next time.
    pub fn receiver_came(&mut self) {
        self.timer = Timer::due(&self.limits);
    }

    /// Says that this sender leaves in order. Nothing follows.
    pub fn leave(&mut self, carrier: &mut impl Carrier) {
        if let Some(session) = &self.session {
            carrier.send(Frame::SenderLeft { session: session.id });
        }
    }

    /// Takes in what the receiver says.
    ///
    /// # Errors
    /// The source's.
    pub fn hear<S: Source>(
        &mut self,
        frame: Frame,
        now: Duration,
        source: &mut S,
        carrier: &mut impl Carrier,
    ) -> Result<(), S::Error> {
        self.meet(now, source);
        match frame {
            Frame::Welcome { session, sender, greeting, position, room, ring }
                if self.session.is_none() && (sender, greeting) == (self.id, self.greeting) =>
            {
                if now < self.greets + self.patience(position, ring, source) {
                    return Ok(());
                }
                self.welcomed(session, position, (room, ring), now, source)
            }
            Frame::Taken { sender, greeting, stream }
                if self.session.is_none() && (sender, greeting) == (self.id, self.greeting) =>
            {
                self.outcome = Some(Outcome::Taken(stream));
                Ok(())
            }
            Frame::Ack(ack) if self.is_in(ack.session) => self.acknowledged(ack, now, source, carrier),
            Frame::ReceiverLeft { session } if self.is_in(session) => {
                self.greet(now);
                Ok(())
            }
            Frame::Unknown { session } if self.is_in(session) => {
                if let Some(session) = &mut self.session {
                    session.denied.get_or_insert(now);
                }
                Ok(())
            }
            Frame::Unsendable { session, position, why } if self.is_in(session) => {
                self.give_up(Outcome::Unsendable { position, why }, carrier);
                Ok(())
            }
            Frame::ReaderGone { session } if self.is_in(session) => {
                self.give_up(Outcome::ReaderGone, carrier);
                Ok(())
            }
            Frame::Told { session } if self.is_in(session) && self.writer_died => {
                self.give_up(Outcome::WriterDied, carrier);
                Ok(())
            }
            // Of another session, or another sender's.
            _ => Ok(()),
        }
    }

    /// Does the next thing that there is to do.
    ///
    /// # Errors
    /// The source's.
    pub fn step<S: Source>(
        &mut self,
        now: Duration,
        source: &mut S,
        carrier: &mut impl Carrier,
    ) -> Result<Next, S::Error> {
        self.meet(now, source);
        if self.outcome.is_none() && self.times_out().is_some_and(|at| now >= at) {
            self.give_up(Outcome::TimedOut, carrier);
        }
        if let Some(outcome) = &self.outcome {
            return Ok(Next::Done(outcome.clone()));
        }
        let is_denied = self.session.as_ref().and_then(|session| session.denied);
        if is_denied.is_some_and(|since| now >= since + self.limits.first) {
            self.greet(now);
        }
        let Some(session) = &mut self.session else {
            if self.timer.fires(now, &self.limits) {
                let (sender, greeting) = (self.id, self.greeting);
                carrier.send(Frame::Hello { sender, greeting, stream: self.stream, after: self.after });
            }
            return Ok(self.wait(Event::None));
        };
        let flow = Flow { session: session.id, base: session.base, turn: self.turn };
        // The end is the last thing that is sent. Where nothing is under way, a batch goes without room: its receipt tells of more.
        let window = session.taken.saturating_add(session.room).saturating_sub(session.sent);
        let most = if session.sent == session.taken { u64::MAX } else { window };
        let mut event = Event::None;
        if most > 0 && session.end != Some(session.sent) {
            let mut batch = Batch::new(flow, session.sent);
            event = Event::Message;
            match source.peek(&mut batch, self.limits.batch.min(most.try_into().unwrap_or(usize::MAX)))? {
                Peeked::More | Peeked::Nothing => {}
                // The reader over there answers an end by removing its ring, and with the ring goes what it knows of this stream. So an
                // end goes alone, when nothing in front of it can be sent again.
                Peeked::End(_) if !batch.is_empty() || source.released() < session.sent => event = Event::None,
                Peeked::End(position) => {
                    session.end = Some(position);
                    batch.set_end(position);
                }
                Peeked::Moved => return Ok(Next::Step),
            }
            let sent = batch.end().unwrap_or(batch.to());
            if sent > session.sent {
                if session.sent == source.released() {
                    self.timer = Timer::after(now, &self.limits);
                }
                if sent > session.furthest {
                    self.progress = now;
                }
                (session.sent, session.furthest, session.dying) = (sent, sent.max(session.furthest), false);
                self.numbers.messages += batch.len() as u64;
                carrier.send(Frame::Batch(batch));
                return Ok(Next::Step);
            }
        }
        // A death is told behind everything.
        let dying = self.writer_died && event == Event::Message && session.taken == session.sent;
        if dying && !session.dying {
            session.dying = true;
            self.timer = Timer::due(&self.limits);
        }
        if self.timer.fires(now, &self.limits) {
            self.numbers.probes += 1;
            let sent = session.sent;
            carrier.send(if dying { Frame::Died { flow, at: sent } } else { Frame::Probe { flow, sent } });
        }
        Ok(self.wait(event))
    }

    /// When it ends for want of progress. (A moment beyond all times is none.)
    fn times_out(&self) -> Option<Duration> {
        self.progress.checked_add(self.limits.timeout?)
    }

    fn wait(&self, event: Event) -> Next {
        let timeout = self.times_out();
        let session = self.session.as_ref();
        let denied = session.and_then(|session| session.denied).map(|since| since + self.limits.first);
        Next::Wait([Some(self.timer.at), timeout, denied].into_iter().flatten().min(), event)
    }

    fn is_in(&self, session: u64) -> bool {
        self.session.as_ref().is_some_and(|current| current.id == session)
    }

    /// How long to wait for a better welcome. A second receiver that answers at the same key is not taken for the first one as long
    /// as that one may answer, too: the ring that has something of the stream comes first, then a ring that says how far it has come.
    fn patience(&self, position: Option<u64>, ring: u64, source: &impl Source) -> Duration {
        match position {
            _ if self.home != 0 && ring != self.home => self.limits.silence,
            None if self.home == 0 && source.released() > 0 => self.limits.first,
            _ => Duration::ZERO,
        }
    }

    fn greet(&mut self, now: Duration) {
        self.session = None;
        self.greets = now;
        self.greeting = self.greeting.wrapping_add(1);
        self.timer = Timer::due(&self.limits);
    }

    /// Begins with the memory that the source has now, if that is other memory than before.
    fn meet(&mut self, now: Duration, source: &impl Source) {
        if source.stream() == self.stream {
            return;
        }
        if std::mem::take(&mut self.bound) {
            self.after = Some(self.stream);
        }
        self.stream = source.stream();
        self.greet(now);
    }

    fn give_up(&mut self, outcome: Outcome, carrier: &mut impl Carrier) {
        self.leave(carrier);
        self.outcome = Some(outcome);
    }

    fn welcomed<S: Source>(
        &mut self,
        id: u64,
        position: Option<u64>,
        (room, ring): (u64, u64),
        now: Duration,
        source: &mut S,
    ) -> Result<(), S::Error> {
        let released = source.released();
        let start = position.unwrap_or(released);
        let found = if start < released { Found::Nothing } else { source.seek(start)? };
        if found == Found::Nothing {
            self.outcome = Some(Outcome::Strange { position: start, released });
            return Ok(());
        }
        self.bound |= position.is_some();
        self.home = if position.is_some() { ring } else { 0 };
        self.session = Some(Session {
            id,
            base: released,
            sent: start,
            furthest: start,
            held: start,
            taken: released,
            room,
            end: (found == Found::End).then_some(start),
            ring,
            denied: None,
            dying: false,
        });
        self.turn = self.turn.wrapping_add(1);
        self.progress = now;
        self.numbers.sessions += 1;
        // How much of what the receiver has is acknowledged is not known yet.
        self.timer = if start > released { Timer::due(&self.limits) } else { Timer::after(now, &self.limits) };
        Ok(())
    }

    fn acknowledged<S: Source>(
        &mut self,
        ack: Ack,
        now: Duration,
        source: &mut S,
        carrier: &mut impl Carrier,
    ) -> Result<(), S::Error> {
        let Some(session) = &mut self.session else { return Ok(()) };
        if !(ack.acked <= ack.taken && ack.taken <= ack.held && ack.held <= session.furthest) {
            self.numbers.foreign += 1;
            return Ok(());
        }
        let released = source.released();
        if ack.taken > session.taken || ack.acked > released {
            self.progress = now;
            self.timer = Timer::after(now, &self.limits);
        }
        match ack.taken.cmp(&session.taken) {
            Ordering::Greater => (session.taken, session.room) = (ack.taken, ack.room),
            // An older acknowledgement of the same messages knows of less room.
            Ordering::Equal => session.room = session.room.max(ack.room),
            Ordering::Less => {}
        }
        session.denied = None;
        if session.taken > session.base {
            (self.bound, self.home) = (true, session.ring);
        }
        session.held = session.held.max(ack.held);
        let held = session.held;
        if ack.acked > released {
            if session.end == Some(ack.acked) {
                source.end()?;
                self.give_up(Outcome::Ended, carrier);
                return Ok(());
            }
            if !source.release(ack.acked)? {
                self.outcome = Some(Outcome::Strange { position: ack.acked, released });
                return Ok(());
            }
        }
        // What was sent once more need not be, if it has arrived after all.
        let ahead = held > session.sent;
        let back = held < session.sent && ack.again && ack.turn == self.turn;
        if back {
            self.turn = self.turn.wrapping_add(1);
            self.numbers.again += 1;
        }
        if ahead || back {
            (session.sent, session.dying) = (held, false);
            match source.seek(held)? {
                Found::Message => {}
                Found::End => session.end = Some(held),
                Found::Nothing => self.outcome = Some(Outcome::Strange { position: held, released }),
            }
        }
        Ok(())
    }

    /// For models: sets the clock back by so much, to `now`, and forgets moments that make no difference any more.
    #[doc(hidden)]
    pub fn rebase(&mut self, by: Duration, now: Duration) {
        self.timer.rebase(by, now);
        self.progress = if self.limits.timeout.is_some() { self.progress.saturating_sub(by) } else { Duration::ZERO };
        let before = now + by;
        self.greets =
            if before >= self.greets + self.limits.silence { Duration::ZERO } else { self.greets.saturating_sub(by) };
        if let Some(since) = self.session.as_mut().and_then(|session| session.denied.as_mut()) {
            *since = since.saturating_sub(by);
        }
    }
}
