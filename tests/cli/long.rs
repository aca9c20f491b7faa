//! `--long`: lines over 2047 bytes.

use crate::session;
use crate::support::Channel;

/// The longest message, in bytes, newline included.
const MOST: usize = 2047;

/// A line of `len` bytes, newline included.
fn line(len: usize) -> Vec<u8> {
    let mut line: Vec<u8> = (b'a'..=b'z').cycle().take(len - 1).collect();
    line.push(b'\n');
    line
}

const LENGTHS: [usize; 6] = [2046, 2047, 2048, 2049, 8192, 1 << 20];

#[test]
fn error_is_the_default_and_sends_what_fits() {
    for args in [&[][..], &["--long", "error"]] {
        for len in LENGTHS {
            let (reader, writer) = session(&[], args, [b"before\n", &line(len)[..]].concat());
            if len <= MOST {
                writer.code(0);
                reader.code(0).prints([b"before\n", &line(len)[..]].concat());
            } else {
                writer.code(5).says(&["line 2", "2047 bytes", "--long split", "1 message sent"]);
                reader.code(3).prints("before\n");
            }
        }
    }
}

#[test]
fn split_pieces_together_equal_the_line() {
    let input: Vec<u8> = LENGTHS.into_iter().flat_map(line).chain(b"short\n".iter().copied()).collect();
    let (reader, writer) = session(&[], &["--long", "split"], input.clone());
    writer.code(0);
    reader.code(0).prints(input);
}

/// Lengths of the messages that arrive, the end left out.
fn lengths_of_split(input: Vec<u8>) -> Vec<u64> {
    let (reader, writer) = session(&["--format", "json"], &["--long", "split"], input);
    writer.code(0);
    let text = String::from_utf8(reader.code(0).stdout.clone()).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    objects.filter(|object| object["end"] == false).map(|object| object["bytes"].as_u64().unwrap()).collect()
}

#[test]
fn split_fills_each_piece() {
    assert_eq!(lengths_of_split(line(2047)), [2047]);
    assert_eq!(lengths_of_split(line(2048)), [2047, 1]);
    assert_eq!(lengths_of_split(line(2049)), [2047, 2]);
    assert_eq!(lengths_of_split(line(8192)), [2047, 2047, 2047, 2047, 4]);
}

#[test]
fn split_never_begins_a_piece_with_end() {
    for (place, expected) in [
        (2047, vec![2046, 2047, 7]),
        (2046, vec![2047, 2047, 6]),
        (2048, vec![2047, 2047, 6]),
        (4094, vec![2047, 2046, 7]),
    ] {
        let mut input = line(4100);
        input[place..place + 3].copy_from_slice(b"end");
        assert_eq!(lengths_of_split(input.clone()), expected, "`end` at {place}");
        let (reader, writer) = session(&[], &["--long", "split"], input.clone());
        writer.code(0);
        reader.code(0).prints(input);
    }
    // At the very end of the input too: `end` is what is left of the line.
    let input = [&vec![b'x'; 2047][..], b"end"].concat();
    assert_eq!(lengths_of_split(input), [2046, 4]);
}

#[test]
fn truncate_keeps_the_beginning_and_a_newline_and_warns() {
    for len in LENGTHS {
        let (reader, writer) = session(&[], &["--long", "truncate"], [&line(len)[..], b"after\n"].concat());
        writer.code(0);
        if len <= MOST {
            writer.says_nothing();
            reader.code(0).prints([&line(len)[..], b"after\n"].concat());
        } else {
            writer.says(&["warning", "line 1", "2047 bytes"]);
            reader.code(0).prints([&line(len)[..MOST - 1], b"\nafter\n"].concat());
        }
    }
    let (_, writer) = session(&[], &["-q", "--long", "truncate"], line(8192));
    writer.code(0).says_nothing();
}

#[test]
fn no_policy_lets_an_end_or_a_nul_through() {
    for policy in ["split", "truncate"] {
        let mut input = line(8192);
        input[..3].copy_from_slice(b"end");
        let (reader, writer) = session(&[], &["--long", policy], input);
        writer.code(5).says(&["line 1", "begins with `end`", "0 messages sent"]);
        reader.code(3).prints("");
        let mut input = line(4000);
        input[1000] = 0;
        let (reader, writer) = session(&[], &["--long", policy], input);
        writer.code(5).says(&["line 1", "NUL at byte 1000", "0 messages sent"]);
        reader.code(3).prints("");
    }
}

#[test]
fn long_text_arguments_follow_the_policy() {
    let channel = Channel::new();
    let text = "x".repeat(3000);
    let mut reader = channel.seated_reader(&[]);
    channel.writer(["--long", "split", &text]).end().code(0);
    reader.until_prints(format!("{text}\n"));
    channel.writer(["--long", "truncate", &text]).end().code(0).says(&["TEXT number 1"]);
    reader.until_prints(format!("{text}\n{}\n", "x".repeat(2046)));
}
