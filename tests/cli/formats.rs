//! `--format`, `--count`, `--keep`, `--follow`, `--no-end`.

use crate::session;
use crate::support::Channel;
use base64::Engine;
use serde_json::{Value, json};

#[test]
fn plain_gives_back_what_went_in() {
    let text = "one\n\n two\tthree\nEnd\nen\n end\nlast\n";
    for args in [&[][..], &["--format", "plain"]] {
        let (reader, writer) = session(args, &[], text);
        reader.code(0).prints(text);
        writer.code(0);
    }
}

#[test]
fn label_is_the_tutorial_s_and_shows_the_end() {
    let (reader, writer) = session(&["--format", "label"], &[], "one\n\nlast");
    writer.code(0);
    reader.code(0).prints("You wrote: one\nYou wrote: \nYou wrote: last\nYou wrote: end\n");
}

#[test]
fn label_leaves_control_bytes_alone_where_no_terminal_is() {
    let (reader, _) = session(&["--format", "label"], &[], b"\x1b[31m\xff\n".to_vec());
    reader.code(0).prints(b"You wrote: \x1b[31m\xff\nYou wrote: end\n");
}

#[test]
fn json_is_one_object_a_line() {
    let (reader, writer) = session(&["--format", "json"], &[], b"hello\n\xff\xfe\n\"\\\t\xc3\xa9\nlast".to_vec());
    writer.code(0);
    let text = String::from_utf8(reader.code(0).stdout.clone()).unwrap();
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(b"\xff\xfe\n");
    assert_eq!(
        objects,
        [
            json!({"seq": 1, "bytes": 6, "end": false, "text": "hello\n"}),
            json!({"seq": 2, "bytes": 3, "end": false, "base64": base64}),
            json!({"seq": 3, "bytes": 6, "end": false, "text": "\"\\\té\n"}),
            json!({"seq": 4, "bytes": 4, "end": false, "text": "last"}),
            json!({"seq": 5, "bytes": 4, "end": true, "text": "end\n"}),
        ]
    );
    assert!(text.ends_with('\n'), "the last object has its newline too");
}

/// A message can end within a character, and the next one begin there: each is bytes by
/// itself, and together they are what went in.
#[test]
fn json_of_a_message_that_ends_within_a_character() {
    let bytes_of = |object: &Value| match (&object["text"], &object["base64"]) {
        (Value::String(text), Value::Null) => text.clone().into_bytes(),
        (Value::Null, Value::String(base64)) => base64::engine::general_purpose::STANDARD.decode(base64).unwrap(),
        other => panic!("either text or base64: {other:?}"),
    };
    for (layout, most) in [(&[][..], 2047), (&["--ring=64K"], 16384)] {
        // Of two, three and four bytes, cut behind each of them.
        for (character, before) in [("é", 1), ("€", 1), ("€", 2), ("😀", 1), ("😀", 2), ("😀", 3)] {
            let line = "x".repeat(most - before) + character + "y\n";
            let input = format!("{line}{line}z{character}");
            let (last, input) = (input.len(), &input.as_bytes()[..input.len() - 1]);
            let (reader, writer) =
                session(&[layout, &["--format=json"]].concat(), &[layout, &["--long=split"]].concat(), input);
            writer.code(0);
            let text = String::from_utf8(reader.code(0).stdout.clone()).unwrap();
            let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let messages: Vec<_> = objects.iter().filter(|object| object["end"] == false).collect();
            let lengths: Vec<_> = messages.iter().map(|object| object["bytes"].as_u64().unwrap()).collect();
            let (longest, rest) = (most as u64, (line.len() - most) as u64);
            assert_eq!(lengths, [longest, rest, longest, rest, (last - 1 - 2 * line.len()) as u64]);
            for object in &messages {
                let bytes = bytes_of(object);
                assert_eq!(bytes.len() as u64, object["bytes"].as_u64().unwrap());
                assert_eq!(object["text"].is_string(), std::str::from_utf8(&bytes).is_ok(), "{object}");
            }
            assert_eq!(messages.iter().flat_map(|object| bytes_of(object)).collect::<Vec<_>>(), input);
        }
    }
}

#[test]
fn count_stops_after_so_many_and_leaves_the_segment() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--count", "2"]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("a\nb\n");
    reader.end().code(0).prints("a\nb\n");
    assert!(channel.stat().is_some(), "only an end removes");
    assert!(!channel.is_full(), "the last one was released");

    // The end itself is no message: it ends the next reader, which counts on.
    let next = channel.seated_reader(&["--count", "2"]);
    writer.type_in("c\n");
    writer.close_input();
    writer.end().code(0);
    next.end().code(0).prints("c\n");
    channel.assert_nothing_left();
}

#[test]
fn keep_releases_the_end_and_leaves_the_segment() {
    let channel = Channel::new();
    for text in ["first\n", "second\n"] {
        let reader = channel.seated_reader(&["--keep"]);
        channel.writer([""; 0]).input(text).end().code(0);
        reader.end().code(0).prints(text);
        assert!(channel.stat().is_some_and(|stat| !stat.removed), "the segment was to be kept");
        assert!(!channel.is_full(), "the end was to be released");
    }
    // Without it the next session removes what was kept.
    let reader = channel.seated_reader(&[]);
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn no_end_leaves_the_session_open_for_the_next_writer() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    channel.writer(["--no-end"]).input("a\nb\n").end().code(0);
    reader.until_prints("a\nb\n");
    channel.writer(["c", "d e"]).end().code(0);
    reader.stays("a\nb\nc\nd e\n");
    channel.writer(["--no-end"]).input("").end().code(0);
    channel.writer([""; 0]).input("f\n").end().code(0);
    reader.end().code(0).prints("a\nb\nc\nd e\nf\n").says_nothing();
    channel.assert_nothing_left();
}

#[test]
fn follow_outlives_a_writer_that_fails_but_not_an_end() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--follow", "-v"]);
    channel.writer([""; 0]).input("a\nendless\n").end().code(5);
    reader.until_says("waiting for the next one");
    channel.writer([""; 0]).input("b\n").end().code(0);
    reader.end().code(0).prints("a\nb\n");
    channel.assert_nothing_left();
}

#[test]
fn a_writer_that_fails_ends_a_reader_that_does_not_follow() {
    let (reader, writer) = session(&[], &[], "a\nendless\n");
    writer.code(5);
    reader.code(3).prints("a\n").says(&["--follow"]);
}

/// C writers send whatever begins with `end`; the reader stops at it and, as
/// it is more than a bare end, prints it.
#[test]
fn any_message_that_begins_with_end_ends_the_reader() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let segment = shm_handoff::backend::sysv::Segment::open(channel.key()).unwrap();
    segment.payload(4, 2048).write_text(b"endless\n");
    segment.word(0).store(1, std::sync::atomic::Ordering::Release);
    reader.end().code(0).prints("endless\n");
    assert!(channel.stat().is_none(), "an end removes");
}
