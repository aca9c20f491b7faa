//! The whole of two hosts and a network as one state, and all that can happen next.

use super::{Entry, Fuse, Killed, Record, SinkEnd, SinkMemory, SinkRing, SourceEnd, SourceRing, UNIT, Weakness, Wire};
use parking_lot::Mutex;
use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::{Flow, Frame};
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::{AckAt, Receiver};
use shm_handoff_bridge::sender::Sender;
use shm_handoff_bridge::world::{self, Next, Numbers, Outcome, Stream};
use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::time::Duration;

/// The moment at which everything happens. Before, a long time has passed.
const NOW: Duration = Duration::from_secs(1000);
/// Later than every moment for which a machine waits. It is set back to `NOW`.
const LATER: Duration = Duration::from_secs(2000);

/// What stays the same while a state becomes another.
#[derive(Debug)]
pub struct Setup {
    pub limits: Limits,
    pub ack_at: AckAt,
    pub weakness: Weakness,
    /// Rings are removed, or have no identity: what was not acknowledged may come again.
    pub repeats: bool,
    /// Of all machines in all states.
    pub numbers: Mutex<Numbers>,
}

/// How often what can go wrong does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Frames that get lost, or arrive at any later moment.
    pub delays: u32,
    /// Frames of which a copy arrives at any later moment.
    pub copies: u32,
    /// Timers that fire while something is under way.
    pub hurries: u32,
    pub sender_kills: u32,
    pub receiver_kills: u32,
    pub writer_deaths: u32,
    pub reader_deaths: u32,
    pub other_writers: u32,
    pub removals: u32,
    /// Processes that left in order, and are started again.
    pub restarts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SenderProcess {
    machine: Sender,
    at: usize,
    cursor: usize,
    waits: world::Event,
    knows_of_death: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceHost {
    pub rings: Vec<SourceRing>,
    /// What the writer has not written yet, the last first.
    pub unwritten: Vec<Record>,
    pub writer_lives: bool,
    /// How much the first writer that died had written. (Word of its death can come behind a later one.)
    pub died_at: Option<usize>,
    pub sender: Option<SenderProcess>,
    pub left: Option<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReceiverProcess {
    machine: Receiver,
    memory: SinkMemory,
    waits: world::Event,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SinkHost {
    pub rings: Vec<SinkRing>,
    pub reader_lives: bool,
    pub receiver: Option<ReceiverProcess>,
    pub left: Option<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub sources: Vec<SourceHost>,
    pub sink: SinkHost,
    /// What is under way to the receiver, in order, and to the senders.
    pub down: VecDeque<Frame>,
    pub up: VecDeque<Frame>,
    /// What is late, or lost, for nobody knows.
    pub late: Vec<Frame>,
    pub budget: Budget,
    processes: u32,
    /// A claim that does not hold.
    pub broken: Option<String>,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    SenderStarts(usize),
    ReceiverStarts,
    /// The next frame on the way to the receiver arrives.
    ArrivesDown,
    /// The next frame on the way to the senders arrives.
    ArrivesUp,
    /// The one that is late at this place of the list arrives.
    ArrivesLate(usize),
    DelayedDown,
    DelayedUp,
    CopiedDown,
    CopiedUp,
    /// What the sender waits for is there.
    SenderWakes(usize),
    ReceiverWakes,
    SenderTimer(usize),
    ReceiverTimer,
    SenderKilled(usize),
    ReceiverKilled,
    WriterWrites(usize),
    WriterDies(usize),
    WriterStarts(usize),
    SenderSeesDeath(usize),
    ReaderReads,
    ReaderDies,
    ReaderStarts,
    OtherWriter,
    RingRemoved,
}

/// An event, and before which of its effects the process is killed to which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Action {
    pub event: Event,
    pub kill: Option<u32>,
}

/// More effects than one event has.
const EFFECTS: u32 = 12;

impl SourceHost {
    pub fn new(rings: Vec<SourceRing>, mut unwritten: Vec<Record>) -> Self {
        unwritten.reverse();
        Self { rings, unwritten, writer_lives: true, died_at: None, sender: None, left: None }
    }

    fn last(&mut self) -> &mut SourceRing {
        self.rings.last_mut().expect("a ring")
    }

    /// Nothing more is to be done here. (A sender can be killed behind the end.)
    pub fn is_over(&self) -> bool {
        self.rings.iter().any(|ring| ring.ended) || (self.left_for_another() && self.rings[0].stream.lasts())
    }

    /// It was refused.
    pub fn left_for_another(&self) -> bool {
        matches!(self.left, Some(Outcome::Taken(_)))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kill {
            None => write!(f, "{:?}", self.event),
            Some(kill) => write!(f, "{:?}, and is killed before its effect number {}", self.event, kill + 1),
        }
    }
}

impl State {
    /// How large it is, and what can go wrong.
    pub fn bounds(&self) -> String {
        let rings =
            self.sources.iter().flat_map(|host| host.rings.iter().map(|ring| &ring.records).chain([&host.unwritten]));
        let messages = rings.flatten().filter(|record| matches!(record, Record::Message(_))).count();
        let budget = &self.budget;
        let faults = [
            (budget.delays, "lost or late"),
            (budget.copies, "repeated"),
            (budget.hurries, "early timers"),
            (budget.sender_kills, "senders killed"),
            (budget.receiver_kills, "receivers killed"),
            (budget.writer_deaths, "writers dead"),
            (budget.reader_deaths, "readers dead"),
            (budget.other_writers, "other writers"),
            (budget.removals, "removals"),
            (budget.restarts, "restarts"),
        ];
        let mut text = format!("{messages} messages, ring of {}", self.sink.rings[0].capacity);
        for (count, fault) in faults.into_iter().filter(|(count, _)| *count > 0) {
            write!(text, ", {count} {fault}").expect("a string");
        }
        text
    }

    pub fn new(sources: Vec<SourceHost>, capacity: usize, budget: Budget) -> Self {
        let sink = SinkHost { rings: vec![SinkRing::new(capacity)], reader_lives: true, receiver: None, left: None };
        Self {
            sources,
            sink,
            down: VecDeque::new(),
            up: VecDeque::new(),
            late: Vec::new(),
            budget,
            processes: 0,
            broken: None,
        }
    }

    /// Nothing happens unless a timer fires.
    fn is_quiet(&self) -> bool {
        let woken = (0..self.sources.len()).any(|host| self.sender_wakes(host));
        self.down.is_empty() && self.up.is_empty() && !woken && !self.receiver_wakes()
    }

    fn sender_wakes(&self, host: usize) -> bool {
        let host = &self.sources[host];
        host.sender.as_ref().is_some_and(|sender| {
            let ring = &host.rings[sender.at];
            let more = sender.cursor < ring.records.len() || (ring.removed && ring.released == ring.records.len());
            sender.waits == world::Event::Message && more
        })
    }

    fn receiver_wakes(&self) -> bool {
        self.sink.receiver.as_ref().is_some_and(|receiver| {
            let ring = &self.sink.rings[receiver.memory.at];
            let more = match receiver.waits {
                world::Event::Room(_) => ring.room() > 0,
                world::Event::Receipt => receiver.memory.marks.iter().any(|&(length, _)| length <= ring.released),
                _ => false,
            };
            more || (ring.removed && receiver.waits != world::Event::None) || !receiver.memory.unpublished.is_empty()
        })
    }

    /// Whether the processes live that hear what comes down, and what comes up.
    fn ears(&self) -> (bool, bool) {
        let over = self.sources.iter().all(SourceHost::is_over);
        let ups = self.sources.iter().all(|host| host.sender.is_some() || host.is_over());
        (self.sink.receiver.is_some() || over, ups)
    }

    /// All that can happen, the faults last.
    pub fn events(&self, events: &mut Vec<Event>) {
        let hosts = || 0..self.sources.len();
        let budget = &self.budget;
        let restarts = |left: &Option<Outcome>| left.is_none() || budget.restarts > 0;
        let mut offer = |event, can: bool| events.extend(can.then_some(event));
        for host in hosts() {
            let source = &self.sources[host];
            let starts = source.sender.is_none() && !source.is_over() && restarts(&source.left);
            offer(Event::SenderStarts(host), starts);
        }
        let over = self.sources.iter().all(SourceHost::is_over);
        offer(Event::ReceiverStarts, self.sink.receiver.is_none() && !over && restarts(&self.sink.left));
        offer(Event::ReaderStarts, !self.sink.reader_lives);
        let (down, up) = self.ears();
        let (comes_down, comes_up) = (!self.down.is_empty(), !self.up.is_empty());
        offer(Event::ArrivesDown, down && comes_down);
        offer(Event::ArrivesUp, up && comes_up);
        offer(Event::DelayedDown, comes_down && budget.delays > 0);
        offer(Event::DelayedUp, comes_up && budget.delays > 0);
        offer(Event::CopiedDown, comes_down && budget.copies > 0);
        offer(Event::CopiedUp, comes_up && budget.copies > 0);
        for (at, frame) in self.late.iter().enumerate() {
            offer(Event::ArrivesLate(at), if is_for_receiver(frame) { down } else { up });
        }
        let timers = budget.hurries > 0 || self.is_quiet();
        for host in hosts() {
            let source = &self.sources[host];
            let lives = source.sender.is_some();
            offer(Event::SenderWakes(host), self.sender_wakes(host));
            offer(Event::WriterWrites(host), source.writer_lives && !source.unwritten.is_empty());
            offer(Event::WriterStarts(host), !source.writer_lives && !source.is_over());
            offer(Event::SenderTimer(host), lives && timers);
            offer(Event::SenderKilled(host), lives && budget.sender_kills > 0);
            offer(
                Event::WriterDies(host),
                source.writer_lives && budget.writer_deaths > 0 && !source.unwritten.is_empty(),
            );
            let sees = source.sender.as_ref().is_some_and(|sender| {
                let idle = sender.cursor == source.rings[sender.at].records.len();
                !sender.knows_of_death && sender.waits == world::Event::Message && idle
            });
            offer(Event::SenderSeesDeath(host), !source.writer_lives && sees);
        }
        let (lives, ring) = (self.sink.receiver.is_some(), self.sink.rings.last().expect("a ring"));
        offer(Event::ReceiverWakes, self.receiver_wakes());
        let readable = !ring.removed && ring.released < ring.entries.len();
        offer(Event::ReaderReads, self.sink.reader_lives && readable);
        offer(Event::ReceiverTimer, lives && timers);
        offer(Event::ReceiverKilled, lives && budget.receiver_kills > 0);
        offer(Event::ReaderDies, self.sink.reader_lives && budget.reader_deaths > 0);
        let other = !lives && !ring.removed && ring.room() > 0 && budget.other_writers > 0;
        offer(Event::OtherWriter, other);
        offer(Event::RingRemoved, !ring.removed && budget.removals > 0);
    }

    /// The actions for an event: it happens, and it happens to a process that is killed meanwhile.
    pub fn kills(&self, event: Event) -> impl Iterator<Item = Action> + use<> {
        let mortal = match event {
            Event::ArrivesLate(at) if is_for_receiver(&self.late[at]) => self.budget.receiver_kills,
            Event::ArrivesDown | Event::ReceiverStarts | Event::ReceiverWakes | Event::ReceiverTimer => {
                self.budget.receiver_kills
            }
            Event::ArrivesLate(_)
            | Event::ArrivesUp
            | Event::SenderStarts(_)
            | Event::SenderWakes(_)
            | Event::SenderTimer(_) => self.budget.sender_kills,
            _ => 0,
        };
        let kills = (mortal > 0).then_some(0..EFFECTS).into_iter().flatten().map(Some);
        std::iter::once(None).chain(kills).map(move |kill| Action { event, kill })
    }

    /// Lets it happen. `false`: the process would have been killed by then, so that this is another action.
    pub fn happens(&mut self, action: Action, setup: &Setup) -> bool {
        let fuse = Fuse::new(action.kill);
        match action.event {
            Event::SenderStarts(host) => {
                self.comes_again(self.sources[host].left.is_some());
                self.sources[host].left = None;
                self.start_sender(host, &fuse, setup);
            }
            Event::ReceiverStarts => {
                self.comes_again(self.sink.left.is_some());
                self.sink.left = None;
                self.start_receiver(&fuse, setup);
            }
            Event::ArrivesDown => {
                let frame = self.down.pop_front().expect("it was offered");
                self.arrives(frame, &fuse, setup);
            }
            Event::ArrivesUp => {
                let frame = self.up.pop_front().expect("it was offered");
                self.arrives(frame, &fuse, setup);
            }
            Event::ArrivesLate(at) => {
                let frame = self.late.remove(at);
                self.arrives(frame, &fuse, setup);
            }
            Event::DelayedDown | Event::DelayedUp => {
                self.budget.delays -= 1;
                let way = if action.event == Event::DelayedDown { &mut self.down } else { &mut self.up };
                let frame = way.pop_front().expect("it was offered");
                self.is_late(frame);
            }
            Event::CopiedDown | Event::CopiedUp => {
                self.budget.copies -= 1;
                let way = if action.event == Event::CopiedDown { &self.down } else { &self.up };
                self.is_late(way[0].clone());
            }
            Event::SenderWakes(host) => {
                self.sender(host, NOW, &fuse, setup, |_, _, _| Ok(()));
            }
            Event::ReceiverWakes => self.receiver(NOW, &fuse, setup, |_, _, _| {}),
            Event::SenderTimer(host) => {
                self.hurry();
                self.sender(host, LATER, &fuse, setup, |_, _, _| Ok(()));
            }
            Event::ReceiverTimer => {
                self.hurry();
                self.receiver(LATER, &fuse, setup, |_, _, _| {});
            }
            Event::SenderKilled(host) => {
                self.budget.sender_kills -= 1;
                self.sources[host].sender = None;
            }
            Event::ReceiverKilled => {
                self.budget.receiver_kills -= 1;
                self.sink.receiver = None;
            }
            Event::WriterWrites(host) => {
                let record = self.sources[host].unwritten.pop().expect("it was offered");
                self.sources[host].last().records.push(record);
            }
            Event::WriterDies(host) => {
                self.budget.writer_deaths -= 1;
                let source = &mut self.sources[host];
                source.writer_lives = false;
                let written = source.last().records.len();
                source.died_at.get_or_insert(written);
            }
            Event::WriterStarts(host) => self.sources[host].writer_lives = true,
            Event::SenderSeesDeath(host) => {
                self.sources[host].sender.as_mut().expect("it was offered").knows_of_death = true;
                self.sender(host, NOW, &fuse, setup, |machine, _, _| {
                    machine.writer_died();
                    Ok(())
                });
            }
            Event::ReaderReads => {
                let ring = self.sink.rings.last_mut().expect("a ring");
                ring.released += 1;
                ring.removed = matches!(ring.entries[ring.released - 1], Entry::End { .. });
            }
            Event::ReaderDies => {
                self.budget.reader_deaths -= 1;
                self.sink.reader_lives = false;
                self.receiver(NOW, &fuse, setup, |machine, _, _| machine.reader_gone(NOW));
            }
            Event::ReaderStarts => self.sink.reader_lives = true,
            Event::OtherWriter => {
                self.budget.other_writers -= 1;
                self.sink.rings.last_mut().expect("a ring").other_writer(setup.weakness);
            }
            Event::RingRemoved => {
                self.budget.removals -= 1;
                self.sink.rings.last_mut().expect("a ring").removed = true;
            }
        }
        action.kill.is_none() || fuse.is_dead()
    }

    /// Restarts are counted unless the budget is `u32::MAX`, which stands for any number.
    fn comes_again(&mut self, had_left: bool) {
        if had_left && self.budget.restarts != u32::MAX {
            self.budget.restarts -= 1;
        }
    }

    fn hurry(&mut self) {
        if !self.is_quiet() {
            self.budget.hurries = self.budget.hurries.saturating_sub(1);
        }
    }

    fn is_late(&mut self, frame: Frame) {
        let at = self.late.partition_point(|other| *other < frame);
        self.late.insert(at, frame);
    }

    fn arrives(&mut self, frame: Frame, fuse: &Fuse, setup: &Setup) {
        if is_for_receiver(&frame) {
            let frame = weakened(frame, setup);
            self.receiver(NOW, fuse, setup, |machine, sink, wire| {
                machine.hear(frame, NOW, sink, wire);
            });
        } else {
            for host in 0..self.sources.len() {
                self.sender(host, NOW, fuse, setup, |machine, source, wire| {
                    machine.hear(frame.clone(), NOW, source, wire)
                });
            }
        }
    }

    fn start_sender(&mut self, host: usize, fuse: &Fuse, setup: &Setup) {
        self.processes += 1;
        let (id, source) = (u64::from(self.processes), &mut self.sources[host]);
        let is_done = |ring: &SourceRing| ring.removed && ring.released == ring.records.len();
        let mut at = source.rings.iter().position(|ring| !is_done(ring)).expect("the last ring is not removed");
        let ring = &mut source.rings[at];
        if !ring.stream.lasts() {
            ring.stream = Stream::passing(self.processes);
            ring.origin = ring.released;
        }
        let mut cursor = ring.released;
        let (rings, weakness) = (&mut source.rings, setup.weakness);
        let end = SourceEnd { rings, at: &mut at, cursor: &mut cursor, fuse, weakness };
        let machine = Sender::new(setup.limits, id, &end, NOW);
        let waits = world::Event::None;
        source.sender = Some(SenderProcess { machine, at, cursor, waits, knows_of_death: false });
        self.sender(host, NOW, fuse, setup, |_, _, _| Ok(()));
    }

    fn start_receiver(&mut self, fuse: &Fuse, setup: &Setup) {
        self.processes += 1;
        let repeats = setup.weakness == Weakness::SessionsRepeat;
        let session = if repeats { 0 } else { u64::from(self.processes) * 1_000_000 };
        let mut memory = SinkMemory::default();
        match SinkEnd::attach(&mut self.sink.rings, &mut memory, fuse, setup.weakness) {
            Ok(sink) => {
                let machine = Receiver::new(setup.limits, setup.ack_at, session, &sink, NOW);
                self.sink.receiver = Some(ReceiverProcess { machine, memory, waits: world::Event::None });
                self.receiver(NOW, fuse, setup, |_, _, _| {});
            }
            Err(Killed) => self.budget.receiver_kills -= 1,
        }
    }

    /// Lets something happen to a sender, and all steps that follow from it.
    fn sender(
        &mut self,
        host: usize,
        now: Duration,
        fuse: &Fuse,
        setup: &Setup,
        event: impl FnOnce(&mut Sender, &mut SourceEnd<'_>, &mut Wire<'_>) -> Result<(), Killed>,
    ) {
        let source = &mut self.sources[host];
        let Some(mut process) = source.sender.take() else { return };
        let SenderProcess { machine, at, cursor, .. } = &mut process;
        let mut end = SourceEnd { rings: &mut source.rings, at, cursor, fuse, weakness: setup.weakness };
        let mut wire = Wire { frames: &mut self.down, fuse };
        let next = event(machine, &mut end, &mut wire).and_then(|()| {
            loop {
                match machine.step(now, &mut end, &mut wire)? {
                    Next::Step => {}
                    next => return Ok(next),
                }
            }
        });
        machine.rebase(now.saturating_sub(NOW), NOW);
        self.broken = self.broken.take().or(setup.count(&mut machine.numbers));
        if fuse.is_dead() {
            self.budget.sender_kills -= 1;
            return;
        }
        match next.expect("only a killed process fails") {
            Next::Done(outcome) => self.sender_leaves(host, outcome),
            Next::Wait(_, waits) => source.sender = Some(SenderProcess { waits, ..process }),
            Next::Step => unreachable!("it went on stepping"),
        }
    }

    fn receiver(
        &mut self,
        now: Duration,
        fuse: &Fuse,
        setup: &Setup,
        event: impl FnOnce(&mut Receiver, &SinkEnd<'_>, &mut Wire<'_>),
    ) {
        let Some(mut process) = self.sink.receiver.take() else { return };
        let ReceiverProcess { machine, memory, .. } = &mut process;
        let mut end = SinkEnd::wake(&mut self.sink.rings, memory, fuse, setup.weakness);
        let mut wire = Wire { frames: &mut self.up, fuse };
        event(machine, &end, &mut wire);
        let next = loop {
            match machine.step(now, &mut end, &mut wire) {
                Ok(Next::Step) => {}
                next => break next,
            }
        };
        machine.rebase(now.saturating_sub(NOW), NOW);
        self.broken = self.broken.take().or(setup.count(&mut machine.numbers));
        if fuse.is_dead() {
            self.budget.receiver_kills -= 1;
            return;
        }
        match next.expect("only a killed process fails") {
            Next::Done(outcome) => self.receiver_leaves(outcome),
            Next::Wait(_, waits) => self.sink.receiver = Some(ReceiverProcess { waits, ..process }),
            Next::Step => unreachable!("it went on stepping"),
        }
    }

    fn sender_leaves(&mut self, host: usize, outcome: Outcome) {
        let wrong = match outcome {
            Outcome::Ended | Outcome::ReaderGone => false,
            // (A frame that is late for very long shows a slot's dead sender as a living one.)
            Outcome::Taken(stream) => self.sources.len() == 1 && stream.lasts(),
            Outcome::WriterDied => self.sources[host].died_at.is_none(),
            _ => true,
        };
        if wrong {
            self.broken = Some(format!("the sender leaves: {outcome:?}"));
        }
        self.sources[host].left = Some(outcome);
    }

    fn receiver_leaves(&mut self, outcome: Outcome) {
        let wrong = match outcome {
            Outcome::Ended | Outcome::ReaderGone => false,
            Outcome::WriterDied => !self.sources.iter().any(|host| self.is_told_in_time(host)),
            _ => true,
        };
        if wrong {
            self.broken = Some(format!("the receiver leaves: {outcome:?}"));
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
            for (stream, position) in ring.entries.iter().filter_map(|entry| entry.name()) {
                let follows = match last {
                    Some((same, last)) if same == stream => setup.repeats || position == last + UNIT,
                    _ => (ended || setup.repeats) && (epoch > 0 || setup.repeats || position == UNIT),
                };
                if !follows {
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
    fn count(&self, numbers: &mut Numbers) -> Option<String> {
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

fn weakened(frame: Frame, setup: &Setup) -> Frame {
    match frame {
        Frame::Batch(batch) if setup.weakness == Weakness::AnyBase => {
            let mut weak = Batch::new(Flow { base: batch.from(), ..batch.flow() }, batch.from());
            for (position, message) in batch.messages(0) {
                weak.push(position, message);
            }
            batch.end().into_iter().for_each(|end| weak.set_end(end));
            Frame::Batch(weak)
        }
        frame => frame,
    }
}

fn is_for_receiver(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::Hello { .. } | Frame::Batch(_) | Frame::Probe { .. } | Frame::Died { .. } | Frame::SenderLeft { .. }
    )
}

/// Messages have numbers, so that one is known in whichever stream it comes.
fn is_record(entry: Entry, ring: &SourceRing, index: usize) -> bool {
    match (entry, ring.records[index]) {
        (Entry::Message { number, .. }, Record::Message(wanted)) => number == wanted,
        (Entry::End { stream, .. }, Record::End) => !stream.lasts() || stream == ring.stream,
        _ => false,
    }
}
