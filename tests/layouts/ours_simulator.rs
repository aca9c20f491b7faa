//! Ours as either side of the driving simulator.

use crate::ours::{Pair, reader, seated, writer};
use crate::programs::await_full;
use crate::simulator::{IMAGES, Program, SPEC, programs, said};
use crate::support::{Channel, Ended, Peer, Run};
use shm_handoff::Role;
use std::ops::RangeInclusive;

/// The bytes of an image, and of what comes with it.
const RECORD: usize = 640 * 480 * 3 + 24;
/// The bytes of the commands.
const ANSWER: usize = 8 + 24;

/// The records that the programs agree on: see `simulator.cpp`.
fn records(which: RangeInclusive<usize>) -> Vec<u8> {
    let mut all = Vec::with_capacity(which.clone().count() * RECORD);
    for number in which {
        all.extend((0..RECORD - 24).map(|at| u8::try_from((at + number * 37) % 251).unwrap()));
        let told = f64::from(u32::try_from(number).unwrap());
        all.extend([told, told * -0.25, told * 0.5].into_iter().flat_map(f64::to_ne_bytes));
    }
    all
}

/// The commands that answer them.
fn answers(which: RangeInclusive<usize>) -> Vec<u8> {
    which.flat_map(|number| answer(i32::try_from(number).unwrap())).collect()
}

fn answer(control: i32) -> Vec<u8> {
    let pause = control ^ 0x5a5a;
    let (steer, throttle) = (f64::from(control) / 4.0, f64::from(control) / -8.0);
    let brake = f64::from(control + pause) + steer + throttle;
    let mut bytes = [control.to_ne_bytes(), pause.to_ne_bytes()].concat();
    bytes.extend([steer, throttle, brake].into_iter().flat_map(f64::to_ne_bytes));
    assert_eq!(bytes.len(), ANSWER);
    bytes
}

/// `shmread` for all images, not started yet.
fn our_reader(channel: &Channel, args: &[&str]) -> Run {
    reader(SPEC, channel, &[&[&format!("--count={IMAGES}")[..]], args].concat())
}

/// `shmwrite` with these images, which prints the answers; not started yet.
fn our_writer(channel: &Channel, which: RangeInclusive<usize>) -> Run {
    writer(SPEC, channel, &["--reply"]).input(records(which))
}

/// A simulator that looks for no commands: `shmread` gives none.
fn unanswered(program: &Program, channel: &Channel, first: usize) -> Run {
    program.run("produce", channel, &[&first.to_string(), &IMAGES.to_string(), "unanswered"])
}

/// Every image came whole, and in order.
#[track_caller]
fn assert_images(ended: &Ended) {
    ended.code(0).says_nothing();
    let all = records(1..=IMAGES);
    assert_eq!(ended.stdout.len(), all.len(), "{ended}");
    for (number, (got, sent)) in ended.stdout.chunks(RECORD).zip(all.chunks(RECORD)).enumerate() {
        assert!(got == sent, "image {} is torn, or another one", number + 1);
    }
}

#[test]
fn to_our_reader_either_side_first() {
    for program in programs() {
        for ours_first in [true, false] {
            let channel = Channel::new();
            let theirs = unanswered(program, &channel, 1);
            let pair = Pair { role: Role::Reader, ours: our_reader(&channel, &["-q"]), theirs };
            let (ours, theirs) = pair.start(ours_first, SPEC, &channel);
            assert_images(&ours.end());
            theirs.end().code(0).prints(said("answer", 1..=IMAGES));
            channel.assert_nothing_left();
        }
    }
}

#[test]
fn from_our_writer_either_side_first() {
    for program in programs() {
        for ours_first in [true, false] {
            let channel = Channel::new();
            let pair =
                Pair { role: Role::Writer, ours: our_writer(&channel, 1..=IMAGES), theirs: program.consumer(&channel) };
            let (ours, theirs) = pair.start(ours_first, SPEC, &channel);
            ours.end().code(0).prints(answers(1..=IMAGES));
            theirs.end().code(0).prints(said("image", 1..=IMAGES));
            channel.assert_no_seats();
        }
    }
}

#[test]
fn the_simulator_is_killed_and_started_again() {
    for program in programs() {
        let channel = Channel::new();
        let ours = seated(Role::Reader, &channel, our_reader(&channel, &["--follow", "-q"]));
        program.kill_producer_with(&channel, "unanswered,stop");
        let theirs = unanswered(program, &channel, 5).end();
        theirs.code(0).prints(said("answer", 5..=IMAGES));
        assert_images(&ours.end());
        channel.assert_nothing_left();
    }
}

/// The image in its hands is asked again, by the next pair.
#[test]
fn what_drives_is_killed_and_started_again() {
    for program in programs() {
        let channel = Channel::new();
        let ours = our_writer(&channel, 1..=IMAGES).start();
        program.kill_consumer(&channel);
        ours.end().code(3).prints(answers(1..=4)).says(&["the reader left or died", "5 messages sent"]);
        let theirs = program.consumer(&channel).start();
        our_writer(&channel, 6..=IMAGES).end().code(0).prints(answers(6..=IMAGES));
        theirs.end().code(0).prints(said("image", 5..=IMAGES));
        channel.assert_no_seats();
    }
}

/// With an image that its output had not taken in full.
#[test]
fn our_reader_is_killed_and_started_again() {
    for program in programs() {
        let channel = Channel::new();
        let theirs = unanswered(program, &channel, 1).start();
        let mut ours = our_reader(&channel, &[]).held_output().start();
        channel.await_seated(Role::Reader, &mut ours);
        await_full(SPEC, &channel);
        ours.kill();
        assert_images(&our_reader(&channel, &["-q"]).end());
        theirs.end().code(0);
        channel.assert_nothing_left();
    }
}

/// With an image that was in its reader's hands: the commands for it are lost, and nothing else.
#[test]
fn our_writer_is_killed_and_started_again() {
    for program in programs() {
        let channel = Channel::new();
        let ours = our_writer(&channel, 1..=IMAGES).start();
        let mut theirs = program.run("consume", &channel, &["5", "stop"]).start();
        theirs.until("an image without its answer", |peer: &mut Peer| peer.has_stopped());
        ours.kill().prints(answers(1..=4));
        theirs.go_on();
        theirs.end().code(0).prints(said("image", 1..=5));
        let theirs = program.consumer(&channel).start();
        our_writer(&channel, 6..=IMAGES).end().code(0).prints(answers(6..=IMAGES));
        theirs.end().code(0).prints(said("image", 6..=IMAGES));
        channel.assert_no_seats();
    }
}
