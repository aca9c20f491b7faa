//! Anybody who may publish below the key of the two bridges can say anything. Whatever it is, in whatever order, neither machine panics, and
//! neither waits for a moment that has passed.
#![allow(unreachable_pub, reason = "the world is shared with the model")]

mod world;

use proptest::prelude::*;
use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::{Ack, Flow, Frame};
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::{AckAt, Receiver};
use shm_handoff_bridge::sender::Sender;
use shm_handoff_bridge::world::{Next, Stream};
use std::collections::VecDeque;
use std::time::Duration;
use world::{Fuse, Record, SinkEnd, SinkMemory, SinkRing, SourceEnd, SourceRing, UNIT, Weakness, Wire};

/// The machines' own names and sessions, and others.
fn name() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..3_u64, 1 => Just(u64::MAX)]
}

/// Positions that there are, and others.
fn position() -> impl Strategy<Value = u64> {
    prop_oneof![6 => (0..6_u64).prop_map(|count| count * UNIT), 1 => 0..100_u64, 1 => u64::MAX - 20..=u64::MAX]
}

fn flow() -> impl Strategy<Value = Flow> {
    (name(), position(), 0..3_u32).prop_map(|(session, base, turn)| Flow { session, base, turn })
}

fn batch() -> impl Strategy<Value = Frame> {
    let advance = prop_oneof![8 => Just(UNIT), 1 => 1..20_u64];
    let message = (advance.clone(), any::<u32>());
    let messages = proptest::collection::vec(message, 0..4);
    (flow(), position(), messages, proptest::option::of(advance)).prop_map(|(flow, from, messages, end)| {
        // (A frame whose positions go beyond all numbers is refused before it comes here.)
        let mut batch = Batch::new(flow, from.min(u64::MAX - 1000));
        for (advance, number) in messages {
            batch.push(batch.to() + advance, &number.to_le_bytes());
        }
        if let Some(advance) = end {
            batch.set_end(batch.to() + advance);
        }
        Frame::Batch(batch)
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let stream = || prop_oneof![0..3_u64, Just(u64::MAX)].prop_map(Stream);
    let option = || proptest::option::of(position());
    prop_oneof![
        3 => (name(), 0..3_u32, stream(), proptest::option::of(stream())).prop_map(|(sender, greeting, stream, after)| {
            Frame::Hello { sender, greeting, stream, after }
        }),
        6 => batch(),
        1 => (flow(), position()).prop_map(|(flow, sent)| Frame::Probe { flow, sent }),
        1 => (flow(), position()).prop_map(|(flow, at)| Frame::Died { flow, at }),
        1 => name().prop_map(|session| Frame::SenderLeft { session }),
        4 => (name(), name(), 0..3_u32, option(), position(), name()).prop_map(
            |(session, sender, greeting, position, room, ring)| {
                Frame::Welcome { session, sender, greeting, position, room, ring }
            }
        ),
        1 => (name(), 0..3_u32, stream()).prop_map(|(sender, greeting, stream)| Frame::Taken { sender, greeting, stream }),
        6 => (name(), position(), position(), position(), position(), 0..3_u32, any::<bool>()).prop_map(
            |(session, held, taken, acked, room, turn, again)| {
                Frame::Ack(Ack { session, held, taken, acked, room, turn, again })
            }
        ),
        1 => name().prop_map(|session| Frame::Unknown { session }),
        1 => (name(), position()).prop_map(|(session, position)| Frame::Unsendable { session, position, why: "so".into() }),
        1 => name().prop_map(|session| Frame::ReaderGone { session }),
        1 => name().prop_map(|session| Frame::Told { session }),
        1 => name().prop_map(|session| Frame::ReceiverLeft { session }),
    ]
}

/// A frame, and so many milliseconds later.
fn story() -> impl Strategy<Value = Vec<(Frame, u64)>> {
    let pause = prop_oneof![8 => 0..50_u64, 1 => 0..7000_u64];
    proptest::collection::vec((frame(), pause), 0..40)
}

/// More steps than either has to do behind one frame.
const STEPS: usize = 100;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_sender_hears_anything(story in story()) {
        let records = (0..3).map(Record::Message).chain([Record::End]).collect();
        let (mut rings, mut at, mut cursor) = (vec![SourceRing::new(Stream(1), records)], 0, 0);
        let (fuse, weakness, mut out) = (Fuse::default(), Weakness::None, VecDeque::new());
        let mut source = SourceEnd { rings: &mut rings, at: &mut at, cursor: &mut cursor, fuse: &fuse, weakness };
        let mut wire = Wire { frames: &mut out, fuse: &fuse };
        let mut now = Duration::ZERO;
        let mut machine = Sender::new(Limits { batch: 24, ..Limits::default() }, 1, &source, now);
        'story: for (frame, pause) in story {
            machine.hear(frame, now, &mut source, &mut wire).expect("it is not killed");
            for step in 0.. {
                prop_assert!(step < STEPS, "it goes on stepping");
                match machine.step(now, &mut source, &mut wire).expect("it is not killed") {
                    Next::Step => {}
                    Next::Done(_) => break 'story,
                    Next::Wait(until, _) => {
                        prop_assert!(until.is_none_or(|until| until > now), "{until:?} has passed at {now:?}");
                        break;
                    }
                }
            }
            now += Duration::from_millis(pause);
        }
    }

    #[test]
    fn a_receiver_hears_anything(story in story(), received in any::<bool>(), next_stream in any::<bool>(), reads in 1..5_usize) {
        let (mut rings, mut memory, fuse) = (vec![SinkRing::new(3)], SinkMemory::default(), Fuse::default());
        let (mut out, mut now) = (VecDeque::new(), Duration::ZERO);
        let sink = SinkEnd::attach(&mut rings, &mut memory, &fuse, Weakness::None).expect("it is not killed");
        let ack_at = if received { AckAt::Received } else { AckAt::Ring };
        let mut machine = Receiver::new(Limits::default(), ack_at, 0, &sink, now).taking_next(next_stream);
        for (count, (frame, pause)) in story.into_iter().enumerate() {
            let ring = rings.last_mut().expect("a ring");
            if count % reads == 0 && ring.released < ring.entries.len() {
                ring.released += 1;
            }
            let mut sink = SinkEnd::wake(&mut rings, &mut memory, &fuse, Weakness::None);
            let mut wire = Wire { frames: &mut out, fuse: &fuse };
            machine.hear(frame, now, &sink, &mut wire);
            match machine.step(now, &mut sink, &mut wire).expect("it is not killed") {
                Next::Done(_) => break,
                Next::Step => {}
                Next::Wait(until, _) => {
                    prop_assert!(until.is_none_or(|until| until > now), "{until:?} has passed at {now:?}");
                }
            }
            now += Duration::from_millis(pause);
        }
    }
}
