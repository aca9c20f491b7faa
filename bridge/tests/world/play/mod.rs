//! The whole of two hosts and a network as one state.

mod claims;
mod events;
mod moves;

use super::{Record, SinkMemory, SinkRing, SourceRing, Weakness};
use parking_lot::Mutex;
use shm_handoff_bridge::frame::Frame;
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::{AckAt, Receiver};
use shm_handoff_bridge::sender::Sender;
use shm_handoff_bridge::world::{self, Numbers, Outcome};
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
    /// The receiver takes the next stream, where the one before has not ended.
    pub next_stream: bool,
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
    /// A sender that was refused is started again.
    pub insists: bool,
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
    /// What the receiver had of a ring that is lost, as far as it is still there: the ring's host and number, and how many records.
    pub had: Vec<(usize, usize, usize)>,
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
    /// The sender's machine is restarted: its ring is gone, and the next one is there.
    MachineRestarts(usize),
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
        Self { rings, unwritten, writer_lives: true, died_at: None, sender: None, left: None, insists: false }
    }

    fn last(&mut self) -> &mut SourceRing {
        self.rings.last_mut().expect("a ring")
    }

    /// Nothing more is to be done here. (A sender can be killed behind the end.)
    pub fn is_over(&self) -> bool {
        self.rings.iter().any(|ring| ring.ended)
            || (self.left_for_another() && self.rings[0].stream.lasts() && !self.insists)
    }

    /// Its machine can be restarted, once for each ring but the last. (One that has ended would be removed.)
    fn can_restart(&self) -> bool {
        let lost = self.rings.iter().filter(|ring| ring.lost).count();
        lost + 1 < self.rings.len() && !self.rings.iter().any(|ring| ring.removed || ring.ended)
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
            had: Vec::new(),
            broken: None,
        }
    }
}

fn is_for_receiver(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::Hello { .. } | Frame::Batch(_) | Frame::Probe { .. } | Frame::Died { .. } | Frame::SenderLeft { .. }
    )
}
