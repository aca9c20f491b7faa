//! Frames: what is decoded is what was encoded, and no bytes, whoever sent them, make a bridge panic.

mod fuzzed;

use proptest::prelude::*;
use shm_handoff_bridge::batch::Batch;
use shm_handoff_bridge::frame::{Ack, Flow, Frame, MAGIC, Malformed, VERSION};
use shm_handoff_bridge::world::Stream;
use std::path::Path;

fn flow() -> impl Strategy<Value = Flow> {
    any::<(u64, u64, u32)>().prop_map(|(session, base, turn)| Flow { session, base, turn })
}

fn batch() -> impl Strategy<Value = Batch> {
    let message = (1..1_u64 << 32, proptest::collection::vec(any::<u8>(), 0..40));
    let messages = proptest::collection::vec(message, 0..20);
    (flow(), 0..u64::MAX / 2, messages, proptest::option::of(1..100_u64)).prop_map(|(flow, from, messages, end)| {
        let mut batch = Batch::new(flow, from);
        for (advance, bytes) in messages {
            batch.push(batch.to() + advance, &bytes);
        }
        if let Some(advance) = end {
            batch.set_end(batch.to() + advance);
        }
        batch
    })
}

fn ack() -> impl Strategy<Value = Ack> {
    any::<(u64, u64, u64, u64, u64, u32, bool)>().prop_map(|(session, held, taken, acked, room, turn, again)| Ack {
        session,
        held,
        taken,
        acked,
        room,
        turn,
        again,
    })
}

fn frame() -> impl Strategy<Value = Frame> {
    let number = any::<u64>;
    prop_oneof![
        (number(), any::<u32>(), number(), any::<Option<u64>>()).prop_map(|(sender, greeting, stream, after)| {
            Frame::Hello { sender, greeting, stream: Stream(stream), after: after.map(Stream) }
        }),
        batch().prop_map(Frame::Batch),
        (flow(), number()).prop_map(|(flow, sent)| Frame::Probe { flow, sent }),
        (flow(), number()).prop_map(|(flow, at)| Frame::Died { flow, at }),
        number().prop_map(|session| Frame::SenderLeft { session }),
        (number(), number(), any::<u32>(), any::<Option<u64>>(), number()).prop_map(
            |(session, sender, greeting, position, room)| Frame::Welcome {
                session,
                sender,
                greeting,
                position,
                room,
                ring: room ^ 1
            }
        ),
        (number(), any::<u32>(), number()).prop_map(|(sender, greeting, stream)| Frame::Taken {
            sender,
            greeting,
            stream: Stream(stream)
        }),
        ack().prop_map(Frame::Ack),
        number().prop_map(|session| Frame::Unknown { session }),
        (number(), number(), ".{0,80}").prop_map(|(session, position, why)| Frame::Unsendable {
            session,
            position,
            why
        }),
        number().prop_map(|session| Frame::ReaderGone { session }),
        number().prop_map(|session| Frame::Told { session }),
        number().prop_map(|session| Frame::ReceiverLeft { session }),
    ]
}

/// Bytes that are nearly a frame: cut, lengthened, or with one byte changed.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    (frame(), any::<prop::sample::Index>(), any::<u8>(), 0..3_u8).prop_map(|(frame, at, byte, how)| {
        let mut bytes = frame.encode();
        let at = at.index(bytes.len());
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            _ => bytes.insert(at, byte),
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_comes_back(frame in frame()) {
        prop_assert_eq!(Frame::decode(frame.clone().encode()), Ok(frame));
    }

    /// What is understood at all has one encoding only: nothing of a frame is passed over.
    #[test]
    fn what_is_understood_was_encoded_so(bytes in nearly()) {
        if let Ok(frame) = Frame::decode(bytes.clone()) {
            prop_assert_eq!(frame.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(kind in 0..16_u8, mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        bytes.splice(0..0, [&MAGIC[..], &[VERSION, kind]].concat());
        if let Ok(frame) = Frame::decode(bytes.clone()) {
            prop_assert_eq!(frame.encode(), bytes);
        }
    }

    #[test]
    fn a_batch_knows_where_a_position_is(batch in batch(), at in any::<prop::sample::Index>()) {
        let ends: Vec<u64> = std::iter::once(batch.from()).chain(batch.messages(0).map(|(end, _)| end)).collect();
        let at = at.index(ends.len());
        prop_assert_eq!(batch.up_to(ends[at]), Some(at));
        prop_assert_eq!(batch.messages(at).map(|(end, _)| end).collect::<Vec<_>>(), &ends[at + 1..]);
        prop_assert_eq!(batch.up_to(batch.to() + 1), Some(batch.len()));
        if let Some(next) = ends.get(at + 1).filter(|&&next| next > ends[at] + 1) {
            prop_assert_eq!(batch.up_to(next - 1), None);
        }
    }
}

/// Inputs that each take a way of their own. The fuzzer begins with them (`ci/fuzz.sh`, on nightly), and keeps here what it finds beside.
#[test]
fn what_the_fuzzer_begins_with() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/frames");
    let inputs = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let count = inputs.map(|input| fuzzed::frame(&std::fs::read(input.unwrap().path()).unwrap())).count();
    assert!(count > 20, "{} holds {count}", folder.display());
}

#[test]
fn another_version_is_named() {
    let mut bytes = Frame::Unknown { session: 7 }.encode();
    bytes[MAGIC.len()] = VERSION + 1;
    let refused = Frame::decode(bytes).expect_err("it is of another version");
    assert_eq!(refused, Malformed::Version(VERSION + 1));
    assert!(refused.to_string().contains("version 2 and this one version 1"), "{refused}");
}

#[test]
fn what_another_program_publishes_there_is_of_no_version() {
    for bytes in [&b""[..], b"hello", b"\x02", b"shm", &MAGIC] {
        assert_eq!(Frame::decode(bytes.to_vec()), Err(Malformed::Frame), "{bytes:?}");
    }
}

/// A table that says it has more entries than the frame has bytes costs no memory.
#[test]
fn a_count_is_held_against_the_frame() {
    let mut bytes = Frame::Batch(Batch::new(Flow { session: 1, base: 2, turn: 3 }, 4)).encode();
    let count = bytes.len() - 4;
    bytes[count..].fill(0xff);
    assert_eq!(Frame::decode(bytes), Err(Malformed::Frame));
}

/// Appending stops behind the message with which a batch is full.
#[test]
fn a_batch_is_full_behind_one_message_more() {
    let mut batch = Batch::new(Flow { session: 1, base: 0, turn: 0 }, 0);
    let count = batch.append(100, |bytes, more| {
        (1..9).find(|n| {
            bytes.extend_from_slice(&[0; 32]);
            !more(bytes.len(), n * 48)
        })
    });
    assert_eq!((count, batch.len(), batch.size()), (Some(3), 3, 120));
}
