//! Writers and readers that die or leave: the other host is told, as at a pipe, unless a bridge follows.

use crate::support::{Hosts, numbers};

const RING: &[&str] = &["--ring"];
const SMALL: &[&str] = &["--ring=64K"];

#[test]
fn a_writers_death_is_told_there() {
    for layout in [RING, &[]] {
        let hosts = Hosts::new();
        let (sender, receiver) = hosts.bridges(layout, layout);
        let mut reader = hosts.there.reader(layout).start();
        let mut writer = hosts.here.writer(layout).open_input().start();
        writer.type_in("alive\n");
        reader.until_prints("alive\n");
        writer.kill();
        reader.end().code(3).prints("alive\n").says(&["the writer died"]);
        sender.end().code(3).says(&["the writer here died", "--follow"]);
        receiver.end().code(3).says(&["the writer on the sender's side died"]);
    }
}

#[test]
fn a_sender_that_follows_waits_for_the_next_writer() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(&["--ring", "--follow"], RING);
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("one\n");
    reader.until_prints("one\n");
    writer.kill();
    hosts.here.writer(RING).input("two\n").end().code(0);
    reader.end().code(0).prints("one\ntwo\n");
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn that_the_reader_there_has_gone_is_told_to_the_writer() {
    a_reader_goes("ring");
}

#[test]
fn that_is_told_where_receipts_are_acknowledged_too() {
    a_reader_goes("received");
}

/// Both rings are full of what nobody takes: acknowledged, or not.
fn a_reader_goes(ack: &str) {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(SMALL, &[SMALL, &["--ack", ack]].concat());
    let mut reader = hosts.there.reader(SMALL).start();
    let mut writer = hosts.here.writer(SMALL).open_input().start();
    writer.type_in("one\n");
    reader.until_prints("one\n");
    reader.kill();
    // Two rings and what is between.
    let lines = numbers(0..200_000);
    std::thread::scope(|scope| {
        let typed = scope.spawn(move || {
            let mut typed = writer;
            // It may have gone before it has read all.
            typed.type_in_vain(&lines);
            typed
        });
        receiver.end().code(3).says(&["the reader here left or died"]);
        sender.end().code(3).says(&["the reader on the receiver's side left or died"]);
        typed.join().expect("it does not panic").end().code(3).says(&["the reader left or died"]);
    });
}

#[test]
fn a_receiver_that_follows_waits_for_the_next_reader() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(SMALL, &["--ring=64K", "--follow"]);
    let first = hosts.there.reader(&["--ring=64K", "--count", "1"]).start();
    let lines = numbers(0..60_000);
    let writer = hosts.here.writer(SMALL).input(lines.clone()).start();
    let first = first.end();
    let second = hosts.there.reader(SMALL).end();
    first.code(0);
    second.code(0);
    let both = [first.stdout, second.stdout].concat();
    assert!(both == lines.as_bytes(), "{} bytes came of {}", both.len(), lines.len());
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn a_ring_that_is_removed_on_either_side_loses_nothing() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    let mut so_far = String::new();
    for (line, channel) in [("one\n", &hosts.here), ("two\n", &hosts.there), ("three\n", &hosts.here)] {
        writer.type_in(line);
        so_far += line;
        reader.until_prints(&so_far);
        channel.remove_segment();
    }
    writer.type_in("last\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(so_far + "last\n");
    sender.end().code(0);
    receiver.end().code(0);
}
