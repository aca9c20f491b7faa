//! D8 and D9: the end of the input, and the end of the other side.

use crate::FOR_EVER;
use crate::support::{Channel, DEADLINE, Peer, eventually};
use std::time::{Duration, Instant};

/// More copies of a line than anybody sent.
const COPIES: &str = "last\nlast\nlast\nlast\nlast\n";

/// D8, shown: the C writer's input has ended, and its last line goes out again
/// and again.
#[test]
fn d8_shown() {
    let channel = Channel::new();
    let mut reader = channel.c_reader().start();
    channel.await_attached(1);
    let mut writer = channel.c_writer().input("last\n").start();
    reader.until("the line, again and again", |peer| peer.messages().ends_with(COPIES));
    assert!(!writer.has_ended());
}

/// D8, absent: at the end of the input our writer sends an end, which ends a C
/// reader too.
#[test]
fn d8_absent() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    channel.writer([""; 0]).input("last\n").end().code(0);
    reader.end().code(0).prints("last\n");

    let reader = channel.c_reader().start();
    channel.writer([""; 0]).input("last\n").end().code(0);
    reader.end().got("last\nend\n");
    channel.assert_nothing_left();
}

/// What remains of D8 beside a C writer: each copy is a message like any other.
#[test]
fn d8_shown_to_our_reader() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--count", "5"]);
    let mut writer = channel.c_writer().input("last\n").start();
    reader.end().code(0).prints(COPIES);
    assert!(!writer.has_ended());
}

/// D9, shown: the C reader's writer is dead, and it waits forever.
#[test]
fn d9_shown_by_the_reader() {
    let channel = Channel::new();
    let mut reader = channel.c_reader_in_steps();
    let mut writer = channel.c_writer().open_input().start();
    writer.type_in("last words\n");
    channel.await_full(&mut writer);
    writer.kill();
    for _ in 0..FOR_EVER {
        assert!(reader.second(), "it has ended");
    }
    assert_eq!(reader.messages(), "last words\n");
}

/// D9, shown: the C writer's reader is dead, and it waits forever.
#[test]
fn d9_shown_by_the_writer() {
    let channel = Channel::new();
    let reader = channel.c_reader_in_steps();
    let mut writer = channel.c_writer_in_steps("in the slot\nnever\nend\n");
    reader.kill();
    for _ in 0..FOR_EVER {
        assert!(writer.second(), "it has ended");
    }
    assert_eq!(waits(&mut writer), FOR_EVER);
}

/// How often a C writer has said that it waits.
pub(crate) fn waits(writer: &mut Peer) -> usize {
    String::from_utf8_lossy(writer.printed()).matches("Waiting...\n").count()
}

/// D9, absent beside a C writer: our reader notices its death.
#[test]
fn d9_absent_from_a_c_writer() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut all = String::new();
    let started = Instant::now();
    let killed = loop {
        assert!(started.elapsed() < DEADLINE, "it notices nothing");
        let mut writer = channel.c_writer().open_input().start();
        writer.type_in("last words\n");
        all += "last words\n";
        reader.until_prints(&all);
        // A C writer must be there at two looks to be seen at all, and nothing
        // says when it was: one that was not has to be followed by another.
        std::thread::sleep(Duration::from_millis(200));
        writer.kill();
        let killed = Instant::now();
        while !reader.has_ended() && killed.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if reader.has_ended() {
            break killed;
        }
    };
    println!("latency: C writer killed to exit 3 of the reader: {:?}", killed.elapsed());
    reader.end().code(3).prints(all).says(&["the writer died"]);
    // Only an `end` removes: the next reader goes on with what is there.
    assert!(channel.stat().is_some());
}

/// D9, absent beside a C reader: our writer notices its death as soon as it
/// needs room.
#[test]
fn d9_absent_from_a_c_reader() {
    let channel = Channel::new();
    let mut reader = channel.c_reader_in_steps();
    let writer = channel.writer([""; 0]).input("one\ntwo\nthree\n").start();
    eventually("the first message", || {
        assert!(reader.second(), "it has ended");
        (reader.messages() == "one\n").then_some(())
    });
    reader.kill();
    let ended = writer.end();
    ended.code(3).says(&["the reader left or died", "1 message sent"]);
    println!("latency: C reader killed to exit 3 of the writer: {:?}", ended.took);
}
