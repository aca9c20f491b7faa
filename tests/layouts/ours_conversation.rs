//! Ours with the program that has two slots in one segment: a pair of ours stands in for one of its sides.

use crate::conversation::{A, B, talker};
use crate::ours::{Used, reader, writer};
use crate::programs::{attached, await_empty};
use crate::support::{Channel, Peer, ipc, numbers};

#[test]
fn both_directions_at_once_either_side_first() {
    let (up, down) = (numbers(0..50), numbers(1000..1050));
    for ours_first in [true, false] {
        let channel = Channel::new();
        let mut used = Used::default();
        let theirs = talker("a", &channel).input(format!("{up}end\n"));
        let (read, write) = (reader(A, &channel, &[]), writer(B, &channel, &[]).input(down.clone()));
        let (theirs, read, write) = if ours_first {
            // The segment is made for the slot that does not begin it.
            let write = write.start();
            used.by(&write);
            channel.await_attached(1);
            (theirs.start(), read.start(), write)
        } else {
            (attached(theirs), read.start(), write.start())
        };
        used.by(&read);
        used.by(&write);
        read.end().code(0).prints(&up);
        write.end().code(0);
        theirs.end().code(0).prints(format!("{down}end\n"));
        used.assert_none_left();
    }
}

/// Both pairs, and a third reader and writer: each slot has seats of its own.
#[test]
fn each_slot_has_seats_of_its_own() {
    let channel = Channel::new();
    let mut used = Used::default();
    let mut readers = Vec::new();
    for slot in [A, B] {
        let mut read = reader(slot, &channel, &[]).start();
        used.by(&read);
        let at_most_one = || reader(slot, &channel, &["--count=1"]).end();
        let are_taken = || used.sets().into_iter().filter(|set| ipc::value(*set, 3) == Some(1)).count();
        read.until("its seat", |_| are_taken() == readers.len() + 1);
        at_most_one().code(6).says(&[&format!("another reader is attached, pid {}\n", read.pid())]);
        readers.push(read);
    }
    for (slot, mut read) in [A, B].into_iter().zip(readers) {
        read.until("its attachment", |_| channel.attached() > 0);
        let write = writer(slot, &channel, &[]).input(format!("{slot}\n")).start();
        used.by(&write);
        write.end().code(0);
        read.end().code(0).prints(format!("{slot}\n"));
    }
    used.assert_none_left();
    assert!(channel.stat().is_some(), "what holds two slots is not removed by a reader of one");
}

/// A reader that waits at one slot sees those of the other come and go, by the one count of attachments. They are no
/// writer of its own that died.
#[test]
fn those_of_the_other_slot_are_no_writer_that_died() {
    let channel = Channel::new();
    let mut used = Used::default();
    let mut read = reader(B, &channel, &[]).start();
    used.by(&read);
    read.until("its attachment", |_| channel.attached() == 1);
    for _ in 0..2 {
        let mut other = reader(A, &channel, &[]).start();
        used.by(&other);
        other.until("its attachment", |_| channel.attached() == 2);
        // Longer than two looks at the count.
        other.stays("");
        other.kill();
        read.stays("");
    }
    let write = writer(B, &channel, &[]).input("heard\n").start();
    used.by(&write);
    write.end().code(0);
    read.end().code(0).prints("heard\n");
    used.assert_none_left();
}

#[test]
fn the_c_program_is_killed_and_started_again() {
    let channel = Channel::new();
    let mut used = Used::default();
    let mut theirs = attached(talker("a", &channel).open_input());
    let (mut read, mut write) =
        (reader(A, &channel, &["--follow"]).start(), writer(B, &channel, &[]).open_input().start());
    used.by(&read);
    used.by(&write);
    one_each_way(&channel, &mut theirs, &mut read, &mut write);
    theirs.kill();
    let theirs = attached(talker("a", &channel).input("two\nend\n"));
    write.type_in("zwei\n");
    write.close_input();
    read.end().code(0).prints("one\ntwo\n");
    write.end().code(0);
    theirs.end().code(0).prints("zwei\nend\n");
    used.assert_none_left();
}

#[test]
fn ours_are_killed_and_started_again() {
    let channel = Channel::new();
    let mut used = Used::default();
    let mut theirs = attached(talker("a", &channel).open_input());
    let mut read = reader(A, &channel, &[]).start();
    let mut write = writer(B, &channel, &[]).open_input().start();
    used.by(&read);
    used.by(&write);
    one_each_way(&channel, &mut theirs, &mut read, &mut write);
    read.kill();
    write.kill();
    theirs.type_in("two\nend\n");
    let (read, write) = (reader(A, &channel, &[]).start(), writer(B, &channel, &[]).input("zwei\n").start());
    used.by(&read);
    used.by(&write);
    read.end().code(0).prints("two\n");
    write.end().code(0);
    theirs.end().code(0).prints("eins\nzwei\nend\n");
    used.assert_none_left();
}

/// A line each way, printed and released on both sides.
fn one_each_way(channel: &Channel, theirs: &mut Peer, read: &mut Peer, write: &mut Peer) {
    theirs.type_in("one\n");
    write.type_in("eins\n");
    read.until_prints("one\n");
    theirs.until_prints("eins\n");
    await_empty(A, channel);
    await_empty(B, channel);
}
