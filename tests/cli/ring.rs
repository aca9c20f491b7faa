//! `--ring`: which rings are made and met, what they carry, and every exit code on
//! this layout. (Deaths, and what becomes of messages then, are in the tests of
//! processes.)

use crate::support::{Channel, Ended, Peer, numbers, skipped};
use base64::Engine;
use serde_json::{Value, json};
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::{DEFAULT, SMALLEST, size};
use shm_handoff::backend::sysv::Segment;
use std::fs::OpenOptions;

/// A reader on a small ring, and a writer that takes what it finds: (reader, writer).
fn session(reader: &[&str], writer: &[&str], input: impl Into<Vec<u8>>) -> (Ended, Ended) {
    let channel = Channel::new();
    let reader = seated_reader(&channel, reader);
    let writer = channel.writer(writer).input(input).end();
    (reader.end(), writer)
}

fn seated_reader(channel: &Channel, args: &[&str]) -> Peer {
    channel.seated_reader(&[&["--ring=64K"], args].concat())
}

/// The longest message in the smallest ring.
const MOST: usize = SMALLEST / 4;

// Which ring.

#[test]
fn a_ring_of_every_capacity_is_made() {
    let given = [
        ("--ring=64K", 64 << 10),
        ("--ring=65536", 64 << 10),
        ("--ring=64k", 64 << 10),
        ("--ring=128KiB", 128 << 10),
        ("--ring=256kb", 256 << 10),
        ("--ring=1M", 1 << 20),
        ("--ring=4MiB", 4 << 20),
        ("--ring=1024K", 1 << 20),
        ("--ring=1G", 1 << 30),
        ("--ring", DEFAULT),
        ("--raw", DEFAULT),
    ];
    for (option, capacity) in given {
        for writes in [true, false] {
            let channel = Channel::new();
            let made = if writes {
                channel.writer([option, "--no-end"]).end()
            } else {
                channel.reader([option, "--timeout=0s"]).end()
            };
            if capacity == 1 << 30 && made.stderr.contains("limit") {
                skipped("this machine makes no segment of 1 GiB");
                continue;
            }
            made.code(if writes { 0 } else { 124 });
            assert_eq!(channel.stat().unwrap().size, size(capacity), "{option}");
        }
    }
}

#[test]
fn capacities_that_no_ring_has_are_usage_errors() {
    for capacity in [
        "",
        "0",
        "1",
        "K",
        "63K",
        "32K",
        "65535",
        "65537",
        "100K",
        "3M",
        "2G",
        "1T",
        "64Q",
        "1.5M",
        "-64K",
        "+64K",
        "64 K",
        "0x10000",
        "18446744073709617152",
        "18014398509481984K",
        "17179869185G",
    ] {
        // At a key of its own: what is taken all the same harms nobody.
        let channel = Channel::new();
        let given = format!("--ring={capacity}");
        for run in [channel.reader([&given, "--timeout=0s"]), channel.writer([&given, "--timeout=0s"])] {
            run.end().code(2).prints("").says(&["--ring"]);
        }
    }
}

#[test]
fn another_layout_or_capacity_is_refused_with_both_named_and_a_way_out() {
    for (there, asked, names) in [
        // The tutorial's struct, asked for as such.
        (&["--layout=text[2048]"][..], "--ring=64K", ["a classic slot", "a ring of 64 KiB"]),
        (&["--layout=text[2048]"], "--ring", ["a classic slot", "a ring of 2 MiB"]),
        (&["--layout=text[2048]"], "--raw", ["a classic slot", "a ring of 2 MiB"]),
        (&["--ring=64K"], "--ring=128K", ["a ring of 64 KiB", "a ring of 128 KiB"]),
        (&["--ring=1M"], "--ring=64K", ["a ring of 1 MiB", "a ring of 64 KiB"]),
    ] {
        let channel = Channel::new();
        // It is in use: `rm` would be refused.
        let who = format!("shm-handoff who {}", channel.key().number());
        let says = [names[0], names[1], "start the other side", &who];
        let reader = channel.seated_reader(there);
        channel.writer([asked]).input("x\n").end().code(4).says(&says);
        // Those who were there notice nothing.
        let mut writer = channel.seated_writer(there);
        writer.type_in("hello\n");
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0).prints("hello\n").says_nothing();
        channel.assert_nothing_left();

        let channel = Channel::new();
        let _writer = channel.seated_writer(there);
        channel.reader([asked]).end().code(4).says(&says[..3]);
    }
}

#[test]
fn a_ring_that_is_there_is_met_without_a_capacity() {
    for args in [&[][..], &["--ring"], &["--ring=64K"]] {
        let channel = Channel::new();
        let reader = seated_reader(&channel, &[]);
        channel.writer(args).input("any\0bytes\n").end().code(0);
        reader.end().code(0).prints("any\0bytes\n");
        channel.assert_nothing_left();

        let channel = Channel::new();
        channel.writer(["--ring=64K"]).input("any\0bytes\n").end().code(0);
        channel.reader(args).end().code(0).prints("any\0bytes\n");
        channel.assert_nothing_left();
    }
}

// What it carries.

#[test]
fn any_line_arrives_as_it_was() {
    let mut input: Vec<u8> = (0..=255).collect();
    input.extend_from_slice(b"\nend\nendless\nend \n\0\n\n\xff\xfe\nend");
    let (reader, writer) = session(&[], &["-v"], input.clone());
    writer.code(0).says(&["9 messages sent"]);
    reader.code(0).prints(input).says_nothing();
}

#[test]
fn end_as_text_is_a_message() {
    let channel = Channel::new();
    let mut reader = seated_reader(&channel, &[]);
    channel.writer(["end", "endless", "after"]).end().code(0).says_nothing();
    reader.until_prints("end\nendless\nafter\n");
    reader.stays("end\nendless\nafter\n");
    channel.writer([""; 0]).input("end\nmore\n").end().code(0);
    reader.end().code(0).prints("end\nendless\nafter\nend\nmore\n");
    channel.assert_nothing_left();
}

#[test]
fn without_a_reader_a_writer_waits_for_room_alone() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "--timeout=0s", "hello"]).end().code(0).says_nothing();
    channel.writer(["world"]).end().code(0).says_nothing();
    let line = [&vec![b'x'; 9999][..], b"\n"].concat();
    let writer = channel.writer(["--timeout=50ms"]).input(line.repeat(10)).end();
    writer.code(124).says(&["6 messages sent"]);
    channel.reader(["--count=2"]).end().code(0).prints("hello\nworld\n");
    channel.reader([""; 0]).with(|run| _ = run.arg("--timeout=50ms")).end().code(124).prints(line.repeat(6));
}

fn line(len: usize) -> Vec<u8> {
    let mut line: Vec<u8> = (b'a'..=b'z').cycle().take(len - 1).collect();
    line.push(b'\n');
    line
}

#[test]
fn a_line_of_a_quarter_is_carried_and_a_longer_one_follows_the_policy() {
    for len in [2047, 2048, 2049, MOST - 1, MOST] {
        for policy in ["error", "split", "truncate"] {
            let input = [b"before\n", &line(len)[..], b"after\n"].concat();
            let (reader, writer) = session(&[], &["--long", policy], input.clone());
            writer.code(0).says_nothing();
            reader.code(0).prints(input);
        }
    }
    for len in [MOST + 1, MOST + 9, 3 * MOST, 1 << 20] {
        let input = [b"before\n", &line(len)[..], b"after\n"].concat();
        let (reader, writer) = session(&[], &[], input.clone());
        writer.code(5).says(&["line 2", "16384 bytes", "1 message sent"]);
        reader.code(3).prints("before\n");

        let (reader, writer) = session(&["--format=json"], &["--long=split"], input.clone());
        writer.code(0).says_nothing();
        let lengths = messages(reader.code(0)).into_iter().map(|object| object["bytes"].as_u64().unwrap());
        let pieces = line(len).chunks(MOST).map(|piece| piece.len() as u64).collect::<Vec<_>>();
        assert_eq!(lengths.collect::<Vec<_>>(), [&[7][..], &pieces, &[6, 0]].concat(), "{len}");
        let (reader, _) = session(&[], &["--long=split"], input.clone());
        reader.code(0).prints(input);

        let input = [&line(len)[..], b"after\n"].concat();
        let (reader, writer) = session(&[], &["--long=truncate"], input);
        writer.code(0).says(&["warning", "line 1", "16384 bytes"]);
        reader.code(0).prints([&line(len)[..MOST - 1], b"\nafter\n"].concat());
    }
}

/// `end` has no meaning here, so nothing is cut for it.
#[test]
fn split_fills_each_piece_whatever_comes_next() {
    let mut input = line(MOST + 100);
    input[MOST..MOST + 3].copy_from_slice(b"end");
    let (reader, writer) = session(&["--format=json"], &["--long=split"], input);
    writer.code(0);
    let objects = messages(reader.code(0));
    assert_eq!((&objects[0]["bytes"], &objects[1]["bytes"]), (&json!(MOST), &json!(100)));
}

/// Lines that come with one read are sent together.
#[test]
fn what_comes_before_a_line_that_is_too_long_is_sent() {
    let before = numbers(0..500);
    // As the last line of what is read at once, and cut by its end.
    for more in [MOST + 1, 2 * MOST, 1 << 17] {
        let (reader, writer) = session(&[], &["-v"], [before.as_bytes(), &line(more)[..]].concat());
        writer.code(5).says(&["line 501", "16384 bytes", "500 messages sent"]);
        reader.code(3).prints(&before);
        // And there is something behind it.
        let input = [before.as_bytes(), &line(more)[..], b"after\n"].concat();
        let (reader, writer) = session(&[], &["--long=truncate"], input);
        writer.code(0).says(&["warning", "line 501", "16384 bytes"]);
        reader.code(0).prints([before.as_bytes(), &line(more)[..MOST - 1], b"\nafter\n"].concat());
        let input = [before.as_bytes(), &line(more)[..], before.as_bytes()].concat();
        let (reader, writer) = session(&[], &["--long=split"], input.clone());
        writer.code(0).says_nothing();
        reader.code(0).prints(input);
    }
}

/// A block of short lines takes more room than a small ring has: what goes is sent, and the writer waits for
/// the rest.
#[test]
fn more_lines_than_a_ring_has_room_for_go_in_order() {
    let lines = numbers(0..100_000);
    let (reader, writer) = session(&[], &["-v"], &*lines);
    writer.code(0).says(&["100000 messages sent"]);
    reader.code(0).prints(&lines);
    let (reader, writer) = session(&["--format=json"], &[], &*lines);
    writer.code(0);
    assert_eq!(messages(reader.code(0)).len(), 100_001);

    // Nobody reads: what had room was sent, and is counted.
    let channel = Channel::new();
    let empty = "\n".repeat(20_000);
    let writer = channel.writer(["--ring=64K", "--timeout=50ms"]).input(empty).end();
    writer.code(124).says(&["; 4095 messages sent"]);
    channel.reader(["--count=4095"]).end().code(0).prints("\n".repeat(4095));
}

/// What was read is not held back until more comes.
#[test]
fn lines_that_were_read_wait_for_no_others() {
    let channel = Channel::new();
    let mut reader = seated_reader(&channel, &[]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("one\ntwo\nthr");
    reader.until_prints("one\ntwo\n");
    writer.type_in("ee\n");
    reader.until_prints("one\ntwo\nthree\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0);
}

// How it is printed.

fn messages(reader: &Ended) -> Vec<Value> {
    let text = String::from_utf8(reader.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn formats() {
    let input = b"one\n\nend\nen\0d\xff";
    let (reader, _) = session(&["--format=plain"], &[], input.to_vec());
    reader.code(0).prints(input);
    let (reader, _) = session(&["--format=label"], &[], input.to_vec());
    reader.code(0).prints(b"You wrote: one\nYou wrote: \nYou wrote: end\nYou wrote: en\0d\xff\n");
    let (reader, _) = session(&["--format=json"], &[], input.to_vec());
    let base64 = base64::engine::general_purpose::STANDARD.encode(b"en\0d\xff");
    assert_eq!(
        messages(reader.code(0)),
        [
            json!({"seq": 1, "bytes": 4, "end": false, "text": "one\n"}),
            json!({"seq": 2, "bytes": 1, "end": false, "text": "\n"}),
            json!({"seq": 3, "bytes": 4, "end": false, "text": "end\n"}),
            json!({"seq": 4, "bytes": 5, "end": false, "base64": base64}),
            json!({"seq": 5, "bytes": 0, "end": true, "text": ""}),
        ]
    );
}

#[test]
fn count_releases_so_many_and_no_more() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "--no-end"]).input("a\nb\nc\nd\ne\n").end().code(0);
    for (count, lines) in [("--count=2", "a\nb\n"), ("--count=1", "c\n"), ("--count=2", "d\ne\n")] {
        channel.reader([count]).end().code(0).prints(lines);
    }
    assert!(channel.stat().is_some(), "only an end removes");
    // An end is none of those that are counted.
    channel.writer([""; 0]).input("f\n").end().code(0);
    channel.reader(["--count=5"]).end().code(0).prints("f\n");
    channel.assert_nothing_left();
}

#[test]
fn keep_releases_the_end_and_leaves_the_ring() {
    let channel = Channel::new();
    for text in ["first\n", "second\n"] {
        let reader = seated_reader(&channel, &["--keep"]);
        channel.writer([""; 0]).input(text).end().code(0);
        reader.end().code(0).prints(text);
        assert!(channel.stat().is_some_and(|stat| !stat.removed), "the segment was to be kept");
    }
    let reader = seated_reader(&channel, &[]);
    channel.writer([""; 0]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

/// A writer that finds an end which nobody has read puts nothing behind it.
#[test]
fn a_session_waits_for_the_end_of_the_one_before() {
    let channel = Channel::new();
    channel.writer(["--ring=64K"]).input("one\n").end().code(0);
    channel.writer(["--timeout=50ms", "two"]).end().code(124).says(&["0 messages sent"]);
    let mut writer = channel.writer(["-v"]).input("two\n").start();
    writer.until_says("Waiting...");
    channel.reader([""; 0]).end().code(0).prints("one\n");
    channel.reader(["--ring"]).end().code(0).prints("two\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

// What was not taken by the output is there for the next reader.

#[test]
fn a_full_disk_releases_nothing() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    for raw in [&[][..], &["--raw"]] {
        let channel = Channel::new();
        channel.writer(["--ring=64K", "precious", "as well"]).end().code(0);
        let reader = channel.reader(raw).output_to(full.try_clone().unwrap()).end();
        reader.code(1).says(&["ENOSPC", "not released"]);
        channel.reader([&["--count=2"], raw].concat()).end().code(0).prints("precious\nas well\n");
    }
}

#[test]
fn an_output_that_is_closed_when_messages_come_loses_none() {
    for raw in [&[][..], &["--raw"]] {
        let channel = Channel::new();
        let mut reader = channel.reader([&["--ring=64K"], raw].concat()).held_output().start();
        channel.await_seated(Role::Reader, &mut reader);
        reader.stop();
        drop(reader.take_output());
        channel.writer(["precious", "as well"]).end().code(0);
        reader.go_on();
        reader.end().code(0).says_nothing();
        channel.reader([&["--count=2"], raw].concat()).end().code(0).prints("precious\nas well\n");
    }
}

#[test]
fn an_output_that_is_closed_while_nothing_comes_ends_the_reader_quietly() {
    let channel = Channel::new();
    let mut reader = channel.reader(["--ring=64K"]).held_output().start();
    channel.await_seated(Role::Reader, &mut reader);
    drop(reader.take_output());
    reader.end().code(0).says_nothing();
}

// The other exit codes.

#[test]
fn a_writer_that_needs_room_ends_when_its_reader_has_left() {
    let channel = Channel::new();
    let reader = seated_reader(&channel, &["--count=1"]);
    let writer = channel.writer([""; 0]).input(line(8000).repeat(100)).end();
    writer.code(3).says(&["the reader left or died", "messages sent"]);
    reader.end().code(0).prints(line(8000));
}

#[test]
fn a_writer_that_fails_ends_the_reader() {
    let (reader, writer) = session(&[], &[], [b"a\n", &line(MOST + 1)[..]].concat());
    writer.code(5);
    reader.code(3).prints("a\n").says(&["--follow"]);
}

#[test]
fn a_taken_role_is_told_with_its_holder() {
    let channel = Channel::new();
    let reader = seated_reader(&channel, &[]);
    let writer = channel.seated_writer(&[]);
    let pid = |peer: &Peer| format!("pid {}", peer.pid());
    channel.reader(["--ring"]).end().code(6).says(&["another reader", &pid(&reader)]);
    channel.writer(["--ring", "x"]).end().code(6).says(&["another writer", &pid(&writer)]);
}

#[test]
fn signals_end_either_side() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let channel = Channel::new();
        let reader = seated_reader(&channel, &[]);
        reader.signal(signal);
        reader.end().code(128 + signal).says(&["ended by"]);
        let mut writer = channel.writer(["-v"]).input(line(8000).repeat(100)).start();
        writer.until_says("Waiting...");
        writer.signal(signal);
        writer.end().code(128 + signal).says(&["ended by", "8 messages sent"]);
        assert!(!channel.is_seated(Role::Reader) && !channel.is_seated(Role::Writer));
    }
}

#[test]
fn a_corrupt_ring_is_no_channel() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "fine"]).end().code(0);
    let segment = Segment::open(channel.key()).unwrap();
    let at = shm_handoff::backend::memory::offsets::ring::RECORDS_AT;
    for flag in [u32::MAX - 1, u32::try_from(MOST).unwrap() + 2] {
        segment.word(at).store(flag, std::sync::atomic::Ordering::Release);
        channel.reader([""; 0]).end().code(4).prints("").says(&["breaks its layout", "remove the segment"]);
        channel.writer(["x"]).end().code(4).says(&["breaks its layout", "0 messages sent"]);
    }
    segment.word(at).store(6, std::sync::atomic::Ordering::Release);
    channel.reader(["--count=1"]).end().code(0).prints("fine\n");
}

#[test]
fn timeout_ends_either_wait() {
    let channel = Channel::new();
    channel.reader(["--ring=64K", "--timeout=20ms"]).end().code(124).prints("");
    let writer = channel.writer(["--timeout=20ms"]).input(line(8000).repeat(9)).end();
    writer.code(124).says(&["8 messages sent"]);
}

/// The capacity belongs to the option: a text that looks like one is sent, and said to be.
#[test]
fn a_capacity_in_the_wrong_place_is_said() {
    let channel = Channel::new();
    channel.writer(["--ring", "64M", "hi"]).end().code(0).says(&["`64M` is sent as a message", "--ring=64M"]);
    channel.reader(["--count=2"]).end().code(0).prints("64M\nhi\n");
}

/// A session that nobody has read is still to be met, before the next one begins: the writer says that it waits for that.
#[test]
fn a_writer_behind_an_end_that_nobody_has_met_says_so() {
    let channel = Channel::new();
    channel.writer(["--ring=64K"]).input("one\n").end().code(0);
    let ended = channel.writer(["--ring=64K", "--timeout=300ms"]).input("two\n").end();
    ended.code(124).says(&["the end of the session before lies unread, and no reader came"]);
    let mut next = channel.writer(["--ring=64K"]).input("two\n").start();
    next.until_says("Waiting... no reader has met the end of the session before yet");
    channel.reader([""; 0]).end().code(0).prints("one\n");
    let second = channel.reader([""; 0]).end();
    next.end().code(0);
    second.code(0).prints("two\n");
}
