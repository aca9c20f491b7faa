//! When the machines say something, how often, and when they give up: by a clock that only the tests move.
#![allow(unreachable_pub, reason = "the world is shared with the model")]

mod world;

use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::{Ack, Flow, Frame};
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::{AckAt, Receiver};
use shm_handoff_bridge::sender::Sender;
use shm_handoff_bridge::world::{Next, Outcome, Stream};
use std::collections::VecDeque;
use std::time::Duration;
use world::{Entry, Fuse, Record, SinkEnd, SinkMemory, SinkRing, SourceEnd, SourceRing, UNIT, Weakness, Wire};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A sender at its ring.
struct Sending {
    machine: Sender,
    rings: Vec<SourceRing>,
    cursor: usize,
    fuse: Fuse,
}

impl Sending {
    fn new(limits: Limits, stream: Stream, records: Vec<Record>) -> Self {
        let mut rings = vec![SourceRing::new(stream, records)];
        let fuse = Fuse::default();
        let weakness = Weakness::None;
        let end = SourceEnd { rings: &mut rings, at: &mut 0, cursor: &mut 0, fuse: &fuse, weakness };
        let machine = Sender::new(limits, 7, &end, Duration::ZERO);
        Self { machine, rings, cursor: 0, fuse }
    }

    /// Hears, and steps until it waits. What it says, and what comes next.
    fn go(&mut self, now: Duration, heard: impl IntoIterator<Item = Frame>) -> (Vec<Frame>, Next) {
        let Self { machine, rings, cursor, fuse } = self;
        let mut end = SourceEnd { rings, at: &mut 0, cursor, fuse, weakness: Weakness::None };
        let mut frames = VecDeque::new();
        let mut wire = Wire { frames: &mut frames, fuse };
        for frame in heard {
            machine.hear(frame, now, &mut end, &mut wire).expect("it is not killed");
        }
        loop {
            match machine.step(now, &mut end, &mut wire).expect("it is not killed") {
                Next::Step => {}
                next => return (frames.into(), next),
            }
        }
    }
}

/// A receiver at its ring.
struct Receiving {
    machine: Receiver,
    rings: Vec<SinkRing>,
    memory: SinkMemory,
    fuse: Fuse,
}

impl Receiving {
    fn new(limits: Limits, capacity: usize) -> Self {
        let (mut rings, mut memory, fuse) = (vec![SinkRing::new(capacity)], SinkMemory::default(), Fuse::default());
        let end = SinkEnd::attach(&mut rings, &mut memory, &fuse, Weakness::None).expect("it is not killed");
        let machine = Receiver::new(limits, AckAt::Ring, 100, &end, Duration::ZERO);
        Self { machine, rings, memory, fuse }
    }

    fn go(&mut self, now: Duration, heard: impl IntoIterator<Item = Frame>) -> (Vec<Frame>, Next) {
        let Self { machine, rings, memory, fuse } = self;
        let mut end = SinkEnd::wake(rings, memory, fuse, Weakness::None);
        let mut frames = VecDeque::new();
        let mut wire = Wire { frames: &mut frames, fuse };
        for frame in heard {
            machine.hear(frame, now, &end, &mut wire);
        }
        let next = machine.step(now, &mut end, &mut wire).expect("it is not killed");
        (frames.into(), next)
    }
}

fn messages(count: u32) -> Vec<Record> {
    (0..count).map(Record::Message).collect()
}

fn welcome(greeting: u32, position: Option<u64>) -> Frame {
    Frame::Welcome { session: 5, sender: 7, greeting, position, room: 1 << 20, ring: 9 }
}

fn ack(held: u64, turn: u32, again: bool) -> Frame {
    Frame::Ack(Ack { session: 5, held, taken: held, acked: held, room: 1 << 20, turn, again })
}

fn hello(sender: u64, stream: Stream) -> Frame {
    Frame::Hello { sender, greeting: 0, stream, after: None }
}

fn batch(session: u64, from: u64, count: u64) -> Frame {
    let mut batch = Batch::new(Flow { session, base: 0, turn: 1 }, from);
    for number in 1..=count {
        batch.push(from + number * UNIT, &[0; 4]);
    }
    Frame::Batch(batch)
}

/// The moments up to `until` at which a sender says something that hears nothing.
fn moments(sending: &mut Sending, mut now: Duration, until: Duration) -> Vec<Duration> {
    let mut moments = Vec::new();
    while now <= until {
        let (frames, next) = sending.go(now, []);
        moments.extend((!frames.is_empty()).then_some(now));
        let Next::Wait(Some(at), _) = next else { break };
        assert!(at > now, "it would spin at {now:?}");
        now = at;
    }
    moments
}

#[test]
fn a_greeting_is_repeated_more_and_more_slowly() {
    let mut sending = Sending::new(Limits::default(), Stream(1), messages(1));
    let said = moments(&mut sending, ms(0), ms(4000));
    assert_eq!(said, [0, 200, 600, 1400, 2400, 3400].map(ms));
}

/// It greets once a second by then. A receiver that comes is greeted at once, and again as soon as the first time.
#[test]
fn a_receiver_that_comes_is_greeted_at_once() {
    let mut sending = Sending::new(Limits::default(), Stream(1), messages(1));
    moments(&mut sending, ms(0), ms(4000));
    assert_eq!(sending.go(ms(4100), []).0, []);
    sending.machine.receiver_came();
    let said = moments(&mut sending, ms(4100), ms(5000));
    assert_eq!(said, [4100, 4300, 4700].map(ms));
}

#[test]
fn an_idle_sender_is_heard_of() {
    let mut sending = Sending::new(Limits::default(), Stream(1), Vec::new());
    sending.go(ms(0), []);
    sending.go(ms(0), [welcome(0, None)]);
    let said = moments(&mut sending, ms(1), ms(60_000));
    assert!(said.windows(2).all(|pair| pair[1] <= pair[0] + Limits::default().slowest), "{said:?}");
    assert!(said.len() > 50 && said.len() < 70, "{said:?}");
}

/// However many frames show one loss, it is sent again once.
#[test]
fn one_loss_is_sent_again_once() {
    let limits = Limits { batch: 12, ..Limits::default() };
    let mut sending = Sending::new(limits, Stream(1), messages(10));
    sending.go(ms(0), []);
    let (sent, _) = sending.go(ms(0), [welcome(0, None)]);
    assert_eq!(sent.len(), 10);
    let (again, _) = sending.go(ms(50), [ack(UNIT, 1, false), ack(UNIT, 1, true), ack(UNIT, 1, true)]);
    assert_eq!(again.len(), 9, "{again:?}");
    let (none, _) = sending.go(ms(60), [ack(UNIT, 1, true)]);
    assert_eq!(none, [], "it was of the turn before");
    let (again, _) = sending.go(ms(90), [ack(UNIT, 2, true)]);
    assert_eq!(again.len(), 9, "and this is of this one: {again:?}");
    assert_eq!(sending.machine.numbers.again, 2);
}

#[test]
fn a_gap_is_asked_for_at_a_measured_pace() {
    let mut receiving = Receiving::new(Limits::default(), 64);
    receiving.go(ms(0), [hello(7, Stream(1))]);
    receiving.go(ms(0), [batch(100, 0, 1)]);
    let asks = |frames: &[Frame]| frames.iter().filter(|frame| matches!(frame, Frame::Ack(ack) if ack.again)).count();
    let asked: Vec<usize> =
        [1, 2, 15, 22, 23].map(|at| asks(&receiving.go(ms(at), [batch(100, 5 * UNIT, 1)]).0)).into();
    assert_eq!(asked, [1, 0, 0, 1, 0]);
    assert_eq!(receiving.machine.numbers.gaps, 5);
}

#[test]
fn without_progress_both_give_up() {
    let limits = Limits { timeout: Some(ms(3000)), ..Limits::default() };
    let mut sending = Sending::new(limits, Stream(1), messages(1));
    assert!(matches!(sending.go(ms(2999), []).1, Next::Wait(Some(at), _) if at == ms(3000)));
    assert_eq!(sending.go(ms(3000), []).1, Next::Done(Outcome::TimedOut));
    let mut receiving = Receiving::new(limits, 64);
    assert!(matches!(receiving.go(ms(2999), []).1, Next::Wait(Some(at), _) if at == ms(3000)));
    assert_eq!(receiving.go(ms(3000), []).1, Next::Done(Outcome::TimedOut));
}

/// A slot's next process gets the ring when the one before is silent, and no sooner.
#[test]
fn a_slots_next_sender_waits_until_the_last_is_silent() {
    let (one, other) = (Stream::passing(1), Stream::passing(2));
    let mut receiving = Receiving::new(Limits::default(), 64);
    receiving.go(ms(0), [hello(7, one)]);
    receiving.go(ms(0), [batch(100, 0, 1)]);
    assert_eq!(receiving.go(ms(100), [hello(8, other)]).0, []);
    assert_eq!(receiving.go(ms(4999), [hello(8, other)]).0, []);
    let (granted, _) = receiving.go(ms(5000), [hello(8, other)]);
    assert!(matches!(granted[..], [Frame::Welcome { session: 101, sender: 8, position: None, .. }]), "{granted:?}");
    // And this one lives.
    let probe = |session| Frame::Probe { flow: Flow { session, base: 0, turn: 1 }, sent: 0 };
    receiving.go(ms(5000), [batch(101, 0, 1), hello(9, one)]);
    let (refused, _) = receiving.go(ms(6500), [probe(101), hello(9, one)]);
    assert!(refused.contains(&Frame::Taken { sender: 9, greeting: 0, stream: other }), "{refused:?}");
}

/// What nobody sent can't be acknowledged, whatever the frame says.
#[test]
fn an_acknowledgement_of_nothing_is_passed_over() {
    let mut sending = Sending::new(Limits::default(), Stream(1), messages(2));
    sending.go(ms(0), []);
    sending.go(ms(0), [welcome(0, None)]);
    sending.rings[0].records.push(Record::Message(2));
    let odd = Frame::Ack(Ack { session: 5, held: 0, taken: UNIT, acked: UNIT, room: 0, turn: 1, again: false });
    sending.go(ms(1), [ack(4 * UNIT, 1, false), ack(u64::MAX, 1, true), odd]);
    assert_eq!((sending.rings[0].released, sending.machine.numbers.foreign), (0, 3));
    assert_eq!(sending.go(ms(2), [ack(UNIT + 1, 1, false)]).1, {
        let (position, released) = (UNIT + 1, 0);
        Next::Done(Outcome::Strange { position, released })
    });
    assert_eq!(sending.rings[0].released, 0);
}

/// A receiver of which too much is asked holds its limit, and no more.
#[test]
fn a_flood_costs_no_memory() {
    let limits = Limits { waiting: 1000, ..Limits::default() };
    let mut receiving = Receiving::new(limits, 2);
    receiving.go(ms(0), [hello(7, Stream(1))]);
    let flood = (0..1000).map(|at| batch(100, 10 * at * UNIT, 10));
    let (frames, _) = receiving.go(ms(1), flood);
    let Some(Frame::Ack(ack)) = frames.last() else { panic!("{frames:?}") };
    assert_eq!((ack.taken, ack.held), (2 * UNIT, 80 * UNIT), "eight batches of 120 bytes");
    assert_eq!(receiving.machine.numbers.dropped, 1);
    assert!(receiving.machine.numbers.gaps > 900);
}

/// The receiver's reader leaves: the sender hears so until it answers, or for as long as the limit says.
#[test]
fn a_farewell_is_repeated_until_it_is_answered() {
    let mut receiving = Receiving::new(Limits::default(), 64);
    receiving.go(ms(0), [hello(7, Stream(1))]);
    receiving.machine.reader_gone(ms(0));
    for at in [0, 200, 600, 1400] {
        assert_eq!(receiving.go(ms(at), []).0, [Frame::ReaderGone { session: 100 }], "at {at} ms");
    }
    let mut silent = receiving.machine.clone();
    std::mem::swap(&mut receiving.machine, &mut silent);
    assert_eq!(receiving.go(ms(5000), []).1, Next::Done(Outcome::ReaderGone));
    receiving.machine = silent;
    let left = Frame::SenderLeft { session: 100 };
    assert_eq!(receiving.go(ms(1500), [left]).1, Next::Done(Outcome::ReaderGone));
    assert_eq!(receiving.rings[0].entries, Vec::<Entry>::new());
}
