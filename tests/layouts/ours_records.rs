//! Ours with the program that has `int mat[9]`: records of 36 bytes.

use crate::ours::{Pair, await_taken, reader, seated, sent, writer};
use crate::programs::{attached, await_empty, await_full};
use crate::records::{SPEC, c_reader, c_writer, lines, matrices};
use crate::support::Channel;
use shm_handoff::Role;
use std::ops::Range;

/// As `shmread` prints them and `shmwrite` takes them.
fn bytes(which: Range<i32>) -> Vec<u8> {
    matrices(which).flatten().flat_map(i32::to_ne_bytes).collect()
}

#[test]
fn to_our_reader_either_side_first() {
    for ours_first in [true, false] {
        let channel = Channel::new();
        let theirs = c_writer(&channel).input(lines(0..100));
        let pair = Pair { role: Role::Reader, ours: reader(SPEC, &channel, &["--count=100"]), theirs };
        let (ours, theirs) = pair.start(ours_first, SPEC, &channel);
        ours.end().code(0).prints(bytes(0..100));
        theirs.end().code(0);
        channel.assert_nothing_left();
    }
}

/// There is no end that the C program could be told of: our writer leaves, and the segment stays.
#[test]
fn from_our_writer_either_side_first() {
    for ours_first in [true, false] {
        let channel = Channel::new();
        let ours = writer(SPEC, &channel, &[]).input(bytes(0..100));
        let pair = Pair { role: Role::Writer, ours, theirs: c_reader(&channel, 100) };
        let (ours, theirs) = pair.start(ours_first, SPEC, &channel);
        ours.end().code(0);
        theirs.end().code(0).prints(lines(0..100));
        channel.assert_no_seats();
    }
}

/// The end is told beside the data; after none, too.
#[test]
fn ours_among_themselves() {
    for reader_first in [true, false] {
        for count in [100, 1, 0] {
            let channel = Channel::new();
            let (read, write) = (reader(SPEC, &channel, &[]), writer(SPEC, &channel, &["--raw"]));
            let write = write.input(bytes(0..count));
            let (read, write) = if reader_first || count == 0 {
                let read = seated(Role::Reader, &channel, read);
                (read, write.start())
            } else {
                let write = seated(Role::Writer, &channel, write);
                (read.start(), write)
            };
            write.end().code(0);
            read.end().code(0).prints(bytes(0..count));
            channel.assert_nothing_left();
        }
    }
}

/// A session later starts without the end of the one before.
#[test]
fn writers_one_after_the_other() {
    let channel = Channel::new();
    let ours = seated(Role::Reader, &channel, reader(SPEC, &channel, &["--raw"]));
    writer(SPEC, &channel, &["--no-end"]).input(bytes(0..2)).end().code(0);
    writer(SPEC, &channel, &[]).input(bytes(2..3)).end().code(0);
    ours.end().code(0).prints(bytes(0..3));
    channel.assert_nothing_left();
    let ours = seated(Role::Reader, &channel, reader(SPEC, &channel, &[]));
    writer(SPEC, &channel, &[]).input(bytes(3..4)).end().code(0);
    ours.end().code(0).prints(bytes(3..4));
    channel.assert_nothing_left();
}

/// Nothing is sent of a record that is short.
#[test]
fn the_input_ends_within_a_record() {
    for left in [1, 35] {
        let channel = Channel::new();
        let theirs = attached(c_reader(&channel, 3));
        let mut input = bytes(0..3);
        input.truncate(72 + left);
        let ours = writer(SPEC, &channel, &[]).input(input).end();
        let why =
            format!("it has {left} byte{}, and a record of this layout has 36;", if left == 1 { "" } else { "s" });
        assert_eq!(sent(ours.code(5).says(&[&why])), 2, "{ours}");
        writer(SPEC, &channel, &[]).input(bytes(3..4)).end().code(0);
        theirs.end().code(0).prints(lines(0..2) + &lines(3..4));
        channel.assert_no_seats();
    }
    let channel = Channel::new();
    writer(SPEC, &channel, &["a text"]).end().code(2).says(&["--json"]);
}

#[test]
fn either_side_of_ours_is_killed_and_started_again() {
    let channel = Channel::new();
    let mut theirs = attached(c_writer(&channel).open_input());
    let mut ours = seated(Role::Reader, &channel, reader(SPEC, &channel, &[]));
    theirs.type_in(lines(0..2));
    ours.until_prints(bytes(0..2));
    await_empty(SPEC, &channel);
    ours.kill();
    theirs.type_in(lines(2..3));
    theirs.close_input();
    reader(SPEC, &channel, &["--count=1"]).end().code(0).prints(bytes(2..3));
    theirs.end().code(0);
    channel.assert_nothing_left();

    let mut theirs = attached(c_reader(&channel, 3));
    theirs.stop();
    let mut ours = writer(SPEC, &channel, &[]).open_input().start();
    // Half a record dies with it.
    ours.type_in(&bytes(0..2)[..54]);
    await_full(SPEC, &channel);
    ours.kill();
    theirs.go_on();
    writer(SPEC, &channel, &[]).input(bytes(1..3)).end().code(0);
    theirs.end().code(0).prints(lines(0..3));
    channel.assert_no_seats();
}

#[test]
fn either_c_program_is_killed_and_started_again() {
    let channel = Channel::new();
    let mut theirs = attached(c_writer(&channel).open_input());
    theirs.type_in(lines(0..1));
    await_full(SPEC, &channel);
    theirs.kill();
    let ours = reader(SPEC, &channel, &["--follow", "--count=3"]).start();
    await_empty(SPEC, &channel);
    c_writer(&channel).input(lines(1..3)).end().code(0);
    ours.end().code(0).prints(bytes(0..3));
    channel.assert_nothing_left();

    let mut theirs = attached(c_reader(&channel, 9));
    let mut ours = writer(SPEC, &channel, &[]).open_input().start();
    ours.type_in(bytes(0..1));
    theirs.until_prints(lines(0..1));
    await_taken(SPEC, &channel, &mut ours);
    theirs.kill();
    ours.type_in(bytes(1..3));
    let ended = ours.end();
    ended.code(3).says(&["the reader left or died"]);
    let sent = sent(&ended);
    assert!((1..=2).contains(&sent), "{ended}");
    // What may lie there, and the one that comes now.
    let theirs = attached(c_reader(&channel, sent));
    writer(SPEC, &channel, &[]).input(bytes(2..3)).end().code(0);
    theirs.end().code(0).prints(lines(1..i32::try_from(sent).unwrap()) + &lines(2..3));
    channel.assert_no_seats();
}
