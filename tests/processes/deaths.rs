//! SIGKILL and SIGSTOP: who notices what, and what becomes of the message in
//! the slot.

use crate::support::{Channel, Peer};
use shm_handoff::Role;
use std::time::Instant;

/// A stopped reader, a writer, and between them a message that waits.
fn with_a_message_in_the_slot(channel: &Channel) -> (Peer, Peer) {
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("first\n");
    reader.until_prints("first\n");
    // It prints, and releases after that: one stopped in between
    // would leave *that* message in the slot.
    channel.await_empty(&mut reader);
    reader.stop();
    writer.type_in("in the slot\n");
    channel.await_full(&mut writer);
    (reader, writer)
}

#[test]
fn d9_absent_a_killed_writer_is_noticed() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("a\n");
    reader.until_prints("a\n");
    let killed = Instant::now();
    writer.kill();
    reader.end().code(3).prints("a\n").says(&["the writer died", "--follow"]);
    println!("latency: writer killed to exit 3 of the reader: {:?}", killed.elapsed());
}

#[test]
fn a_writer_killed_before_it_sent_anything_is_noticed() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    channel.seated_writer(&[]).kill();
    reader.end().code(3).prints("");
}

/// Only a writer that was there with us can end us.
#[test]
fn a_writer_killed_before_the_reader_came_is_not_the_reader_s_affair() {
    let channel = Channel::new();
    channel.seated_writer(&[]).kill();
    let mut reader = channel.seated_reader(&[]);
    reader.stays("");
    channel.writer([""; 0]).input("a\n").end().code(0);
    reader.end().code(0).prints("a\n");
    channel.assert_nothing_left();
}

#[test]
fn what_a_killed_writer_sent_is_read_first() {
    let channel = Channel::new();
    let (reader, writer) = with_a_message_in_the_slot(&channel);
    writer.kill();
    reader.go_on();
    reader.end().code(3).prints("first\nin the slot\n");
}

#[test]
fn an_end_in_the_slot_of_a_killed_writer_is_an_end() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    // A writer sends its `end` and leaves in order at once: the seat is then
    // taken and left by one that dies.
    channel.writer(["end"]).end().code(0);
    channel.seated_writer(&[]).kill();
    reader.go_on();
    reader.end().code(0).prints("");
    channel.assert_nothing_left();
}

#[test]
fn d9_absent_a_killed_reader_is_noticed_by_a_writer_that_needs_room() {
    let channel = Channel::new();
    let (reader, mut writer) = with_a_message_in_the_slot(&channel);
    writer.type_in("no room for this\n");
    writer.stays("");
    let killed = Instant::now();
    reader.kill();
    writer.end().code(3).says(&["the reader left or died", "2 messages sent", "wait for the next reader"]);
    println!("latency: reader killed to exit 3 of the writer: {:?}", killed.elapsed());
}

#[test]
fn the_successor_of_a_killed_reader_gets_what_was_not_released() {
    let channel = Channel::new();
    let (reader, mut writer) = with_a_message_in_the_slot(&channel);
    reader.kill();
    // The writer needs nothing at the moment: it lives on with the next one.
    let mut next = channel.seated_reader(&[]);
    next.until_prints("in the slot\n");
    writer.type_in("and on\n");
    writer.close_input();
    writer.end().code(0);
    next.end().code(0).prints("in the slot\nand on\n");
    channel.assert_nothing_left();
}

#[test]
fn a_message_outlives_both_sides() {
    let channel = Channel::new();
    let (reader, writer) = with_a_message_in_the_slot(&channel);
    writer.kill();
    reader.kill();
    assert!(channel.stat().is_some(), "a death removes nothing");
    channel.reader(["--count", "1"]).end().code(0).prints("in the slot\n");
    let reader = channel.seated_reader(&[]);
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn follow_outlives_killed_writers() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--follow", "-v"]);
    let mut sent = String::new();
    for round in 0..5 {
        let mut writer = channel.seated_writer(&[]);
        let line = format!("{round}\n");
        writer.type_in(&line);
        sent += &line;
        reader.until_prints(&sent);
        writer.kill();
    }
    reader.until_says("the writer died; waiting for the next one");
    reader.stays(&sent);
    channel.writer([""; 0]).input("last\n").end().code(0);
    reader.end().code(0).prints(sent + "last\n");
    channel.assert_nothing_left();
}

#[test]
fn the_seat_of_a_killed_one_is_free_at_once() {
    let channel = Channel::new();
    for _ in 0..5 {
        channel.seated_reader(&[]).kill();
        assert!(!channel.is_seated(Role::Reader));
        channel.seated_writer(&[]).kill();
        assert!(!channel.is_seated(Role::Writer));
    }
    let reader = channel.seated_reader(&[]);
    channel.writer([""; 0]).input("a\n").end().code(0);
    reader.end().code(0).prints("a\n");
}

#[test]
fn a_stopped_peer_is_not_a_dead_one() {
    let channel = Channel::new();
    let (mut reader, mut writer) = with_a_message_in_the_slot(&channel);
    // The writer wants room, and waits for it.
    writer.type_in("more\n");
    writer.stays("");
    writer.stop();
    reader.go_on();
    // What a stopped writer sent is there; then there is nothing, for a while.
    reader.until_prints("first\nin the slot\n");
    reader.stays("first\nin the slot\n");
    writer.go_on();
    reader.until_prints("first\nin the slot\nmore\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn who_is_asked_to_leave_leaves_and_gives_the_seat_back() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&["--follow"]);
        let mut writer = channel.seated_writer(&[]);
        writer.type_in("a\n");
        reader.until_prints("a\n");
        for (role, peer) in [(Role::Writer, writer), (Role::Reader, reader)] {
            peer.signal(signal);
            let ended = peer.end();
            ended.code(128 + signal);
            assert!(!channel.is_seated(role), "the {role}'s seat was not given back");
            println!("latency: signal {signal} to exit of the {role}: {:?}", ended.took);
        }
        // The next ones sit down without waiting for anything.
        let reader = channel.seated_reader(&[]);
        channel.writer([""; 0]).input("b\n").end().code(0);
        reader.end().code(0).prints("b\n");
    }
}
