//! Our programs with C peers that behave exactly as the tutorial's pair does
//! (`tests/c`), sleeping a millisecond where the originals sleep a second.
//!
//! How long something took is printed (`--nocapture`) and never judged. What the
//! tutorial's defects do to a peer of ours is in `tests/defects`.
#![cfg(not(model))]

mod support;

use shm_handoff::Role;
use std::time::Instant;
use support::{Channel, numbers};

#[test]
fn c_writer_to_our_reader_that_is_there_first() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let writer = channel.c_writer().input("hello\nworld\nend\n").start();
    reader.end().code(0).prints("hello\nworld\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn c_writer_that_is_there_first_loses_nothing() {
    let channel = Channel::new();
    let mut writer = channel.c_writer().open_input().start();
    writer.type_in("hello\n");
    channel.await_full(&mut writer);
    let mut reader = channel.seated_reader(&[]);
    // The tutorial's reader would have wiped this one (D4).
    reader.until_prints("hello\n");
    writer.type_in("world\nend\n");
    reader.end().code(0).prints("hello\nworld\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn our_writer_to_a_c_reader_that_is_there_first() {
    let channel = Channel::new();
    let reader = channel.c_reader().start();
    channel.await_attached(1);
    let writer = channel.writer([""; 0]).input("hello\nworld\nend\n").start();
    writer.end().code(0);
    reader.end().got("hello\nworld\nend\n");
    channel.assert_nothing_left();
}

#[test]
fn our_writer_waits_for_a_c_reader_which_wipes_nothing() {
    let channel = Channel::new();
    let mut writer = channel.writer([""; 0]).input("hello\nworld\n").start();
    channel.await_seated(Role::Writer, &mut writer);
    // Long enough to publish, if it did not wait: the reader would wipe it (D4).
    writer.stays("");
    let reader = channel.c_reader().start();
    writer.end().code(0);
    // The end of our input is an end.
    reader.end().got("hello\nworld\nend\n");
    channel.assert_nothing_left();
}

#[test]
fn the_longest_line_of_ours_to_a_c_reader() {
    let channel = Channel::new();
    let longest = "z".repeat(2046) + "\n";
    let writer = channel.writer([""; 0]).input(format!("{longest}short\n")).start();
    let reader = channel.c_reader().start();
    writer.end().code(0);
    reader.end().got(&format!("{longest}short\nend\n"));
    channel.assert_nothing_left();
}

#[test]
fn two_hundred_from_c_in_order() {
    let channel = Channel::new();
    let messages = numbers(0..200);
    let reader = channel.seated_reader(&[]);
    let started = Instant::now();
    let writer = channel.c_writer().input(format!("{messages}end\n")).start();
    reader.end().code(0).prints(&messages);
    println!("200 messages, C writer to shmread: {:?}", started.elapsed());
    writer.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn two_hundred_to_c_in_order() {
    let channel = Channel::new();
    let messages = numbers(0..200);
    let reader = channel.c_reader().start();
    let started = Instant::now();
    channel.writer([""; 0]).input(messages.clone()).end().code(0);
    reader.end().got(&format!("{messages}end\n"));
    println!("200 messages, shmwrite to C reader: {:?}", started.elapsed());
    channel.assert_nothing_left();
}

#[test]
fn what_a_killed_c_writer_left_is_read_first() {
    let channel = Channel::new();
    let mut writer = channel.c_writer().open_input().start();
    writer.type_in("left behind\n");
    channel.await_full(&mut writer);
    writer.kill();
    let mut reader = channel.seated_reader(&[]);
    reader.until_prints("left behind\n");
    // Nobody was seen to die, so it waits on: for this one.
    let next = channel.c_writer().input("and more\nend\n").start();
    reader.end().code(0).prints("left behind\nand more\n");
    next.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn c_reader_that_comes_back_gets_what_follows() {
    let channel = Channel::new();
    let mut first = channel.c_reader().start();
    let mut writer = channel.writer([""; 0]).open_input().start();
    writer.type_in("one\n");
    first.until_gets("one\n");
    first.kill();
    writer.type_in("two\nthree\n");
    writer.end().code(3);
    // A new pair on the old segment: nothing of the first stands in its way.
    let second = channel.c_reader().start();
    channel.writer([""; 0]).input("four\n").end().code(0);
    second.end().got("four\nend\n");
    channel.assert_nothing_left();
}
