//! Standard input and output that answer as files may: in pieces that end anywhere, "not
//! now", "interrupted", "reset". `tests/c/odd.c` makes them do so.

use crate::support::{Channel, Ended, eventually, is_writable, numbers};
use serde_json::Value;
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};

/// The longest message in a classic slot and in the smallest ring.
const CLASSIC: usize = 2047;
const RING: usize = SMALLEST / 4;

/// A line of `len` bytes, newline included.
fn line(len: usize) -> Vec<u8> {
    let mut line: Vec<u8> = (b'a'..=b'z').cycle().take(len - 1).collect();
    line.push(b'\n');
    line
}

/// Lines as long as a message and a little longer, among them such as have an `end` where
/// they are cut, or beside that.
fn lines_of_about(most: usize) -> Vec<u8> {
    let lengths = [most - 1, most, most + 1, most + 2, most + 3, most + 4, most + 5, 2 * most, 2 * most + 1, 3 * most];
    let plain = lengths.into_iter().flat_map(line);
    let with_end = [most - 3, most - 2, most - 1, most, most + 1, 2 * most - 1, 2 * most].into_iter().flat_map(|at| {
        let mut line = line(2 * most + 10);
        line[at..at + 3].copy_from_slice(b"end");
        line
    });
    plain.chain(with_end).chain(*b"short\nand no newline").collect()
}

/// What becomes of this input when it is read as `reads` says: the messages, and how the
/// writer ended.
fn read_as(reads: &str, layout: &[&str], policy: &str, input: &[u8]) -> (Vec<Value>, Option<i32>, String) {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[layout, &["--format=json"]].concat());
    let writer = channel.writer([layout, &["--long", policy]].concat()).input(input).odd(reads, "").end();
    let reader = reader.end();
    reader.code(if writer.status.success() { 0 } else { 3 });
    let text = String::from_utf8(reader.stdout).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), writer.status.code(), writer.stderr)
}

/// Wherever a `read` ends, what is sent is the same.
fn ends_anywhere(layout: &[&str], most: usize, beside: &[usize]) {
    for policy in ["split", "truncate", "error"] {
        let input = lines_of_about(most);
        let at_once = read_as("", layout, policy, &input);
        for len in beside {
            let reads = format!("{len} ").repeat(input.len() / len + 1);
            let in_pieces = read_as(&reads, layout, policy, &input);
            assert!(in_pieces == at_once, "--long {policy}, {len} bytes a read: {in_pieces:?}\nat once: {at_once:?}");
        }
    }
}

#[test]
fn reads_that_end_beside_the_longest_message() {
    let beside = [CLASSIC - 1, CLASSIC, CLASSIC + 1, CLASSIC + 2, CLASSIC + 3, CLASSIC + 4, 1, 1000, 2 * CLASSIC];
    ends_anywhere(&[], CLASSIC, &beside);
}

#[test]
fn reads_that_end_beside_the_longest_message_of_a_ring() {
    let beside = [RING - 1, RING, RING + 1, RING + 2, RING + 3, RING + 4, 100, 2 * RING];
    ends_anywhere(&["--ring=64K"], RING, &beside);
}

/// A line that is longer than what is read at once, and lines that end beside that.
#[test]
fn lines_beside_the_size_of_the_buffer() {
    const BLOCK: usize = 64 * 1024;
    let lengths = [BLOCK - 1, 1, BLOCK, BLOCK + 1, 2 * BLOCK - 2, 3, 2 * BLOCK + 1, 4 * BLOCK - 1, 4 * BLOCK];
    let longer = [4 * BLOCK + 1, 4 * BLOCK + 3, 10 * BLOCK];
    let input: Vec<u8> = lengths.into_iter().chain(longer).flat_map(line).collect();
    let (messages, code, _) = read_as("", &["--ring=1M"], "split", &input);
    assert_eq!(code, Some(0));
    let expected = lengths.into_iter().chain(longer).flat_map(|len| {
        let pieces = line(len);
        pieces.chunks(4 * BLOCK).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect::<Vec<_>>()
    });
    let got = messages.iter().filter(|object| object["end"] == false).map(|object| object["text"].as_str().unwrap());
    assert!(got.eq(expected));
}

/// Not now, later: neither is the end of the input.
#[test]
fn input_that_answers_again_is_read_on() {
    let reads = "AGAIN INTR 3 AGAIN 1 INTR INTR AGAIN 2 AGAIN";
    for args in [&[][..], &["--ring=64K"], &["--ring=64K", "--raw"]] {
        let channel = Channel::new();
        let reader = channel.seated_reader(args);
        let writer = channel.writer(args).input("one\ntwo\nthree").odd(reads, "").end();
        writer.code(0).says_nothing();
        reader.end().code(0).prints("one\ntwo\nthree");
    }
}

#[test]
fn output_that_answers_again_or_takes_little_gets_all_of_it_once() {
    let lines = numbers(0..2000);
    let writes = "AGAIN INTR 1 AGAIN AGAIN 2 7 INTR ".repeat(200);
    for args in [&[][..], &["--ring=64K"], &["--ring=64K", "--raw"], &["--ring=64K", "--format=label"]] {
        let channel = Channel::new();
        let mut reader = channel.reader(args).odd("", &writes).start();
        channel.await_seated(Role::Reader, &mut reader);
        channel.writer(args.iter().filter(|arg| !arg.starts_with("--format"))).input(lines.clone()).end().code(0);
        let labels = args.contains(&"--format=label");
        let shown = if labels {
            lines.split_inclusive('\n').flat_map(|line| ["You wrote: ", line]).collect()
        } else {
            lines.clone()
        };
        reader.end().code(0).prints(shown).says_nothing();
    }
}

/// A pipe that others have made non-blocking, with a reader that is slow.
#[test]
fn output_that_does_not_block_gets_all_of_it() {
    for args in [&["--ring=1M"][..], &["--ring=1M", "--raw"], &[]] {
        let channel = Channel::new();
        let (mut ours, theirs) = std::io::pipe().unwrap();
        // SAFETY: no memory is involved.
        assert_eq!(unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
        let mut reader = channel.reader(args).output_to(theirs.try_clone().unwrap()).start();
        channel.await_seated(Role::Reader, &mut reader);
        let sent = line(2000).repeat(150);
        let writer = channel.writer(args).input(sent.clone()).start();
        reader.until("a reader that waits for its output", |reader| !is_writable(&theirs) && reader.waits());
        drop(theirs);
        let mut got = Vec::new();
        ours.read_to_end(&mut got).unwrap();
        assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
        writer.end().code(0);
        reader.end().code(0).says_nothing();
    }
}

/// Nobody reads on: that is no error, and what was not taken is there for the next reader.
#[test]
fn output_that_was_reset_was_closed() {
    for args in [&[][..], &["--ring=64K"], &["--ring=64K", "--raw"]] {
        let channel = Channel::new();
        let mut reader = channel.reader(args).odd("", "RESET").start();
        channel.await_seated(Role::Reader, &mut reader);
        channel.writer([args, &["--no-end"]].concat()).input("precious\n").end().code(0);
        reader.end().code(0).prints("").says_nothing();
        channel.reader([args, &["--count=1"]].concat()).end().code(0).prints("precious\n");
    }
    let channel = Channel::new();
    channel.writer(["--ring=64K", "--no-end"]).input("one\ntwo\nthree\n").end().code(0);
    channel.reader([""; 0]).odd("", "6 RESET").end().code(0).prints("one\ntw").says_nothing();
    channel.reader(["--count=2"]).end().code(0).prints("two\nthree\n");
}

/// A connection that its other end has reset.
#[test]
fn a_connection_that_was_reset_was_closed() {
    let channel = Channel::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    let watch = theirs.try_clone().unwrap();
    let mut reader = channel.reader([""; 0]).output_to(OwnedFd::from(theirs)).start();
    channel.await_seated(Role::Reader, &mut reader);
    reader.stop();
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = u32::try_from(size_of::<libc::linger>()).unwrap();
    // SAFETY: reads one `linger`.
    let done = unsafe {
        libc::setsockopt(ours.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), size)
    };
    assert_eq!(done, 0);
    drop(ours);
    eventually("a connection that is no more", || watch.peer_addr().is_err().then_some(()));
    channel.writer(["precious"]).end().code(0);
    reader.go_on();
    reader.end().code(0).says_nothing();
    channel.reader(["--count=1"]).end().code(0).prints("precious\n");
}

/// The output is full after what these `write`s took; what it says and what the next reader
/// gets.
fn full_after(writes: &str, args: &[&str], messages: usize) -> (Ended, Ended) {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "--no-end"]).input("aaaa\nbbbb\ncccc\n").end().code(0);
    let ended = channel.reader(args).odd("", &format!("{writes} NOSPC")).end();
    ended.code(1).says(&["ENOSPC", "not released"]);
    (ended, channel.reader(["--count", &messages.to_string()]).end())
}

/// What was taken is released, message by message, and what of the next one is out already is
/// said to the byte.
#[test]
fn what_writes_took_in_part_is_counted() {
    let lines = "aaaa\nbbbb\ncccc\n";
    for (writes, taken) in [
        ("", 0),
        ("1", 1),
        ("4", 4),
        ("5", 5),
        ("7", 7),
        ("3 4", 7),
        ("5 5", 10),
        ("4 2", 6),
        ("9 1", 10),
        ("1 1 1 1 1 1 1 1 1 1 1 1 1", 13),
        ("10 AGAIN 4", 14),
    ] {
        let whole = taken / 5;
        let (ended, next) = full_after(writes, &[], 3 - whole);
        ended.prints(&lines[..taken]);
        let begun = taken % 5;
        let (bytes, are) = if begun == 1 { ("byte", "is") } else { ("bytes", "are") };
        let said = format!("; {begun} {bytes} of the message that the next reader gets {are} written already");
        assert_eq!(ended.stderr.contains("of the message that"), begun > 0, "after {writes:?}\n{ended}");
        assert!(begun == 0 || ended.stderr.contains(&said), "after {writes:?}: {begun} bytes\n{ended}");
        next.code(0).prints(&lines[whole * 5..]);
    }
    // One message a time: the first, where it lies.
    let (ended, next) = full_after("2 1", &["--raw"], 3);
    ended.prints("aaa").says(&["; 3 bytes of the message"]);
    next.code(0).prints(lines);
    let channel = Channel::new();
    let mut reader = channel.reader([""; 0]).odd("", "2 1 NOSPC").start();
    channel.await_seated(Role::Reader, &mut reader);
    channel.writer(["slot"]).end().code(0);
    reader.end().code(1).prints("slo").says(&["; 3 bytes of the message"]);
    channel.reader(["--count=1"]).end().code(0).prints("slot\n");
}

/// An output that goes on after it was full, as a pipe does: nothing comes twice.
#[test]
fn what_is_taken_byte_by_byte_comes_once() {
    let channel = Channel::new();
    let lines = numbers(0..300);
    channel.writer(["--ring=64K"]).input(lines.clone()).end().code(0);
    let (mut ours, theirs) = std::io::pipe().unwrap();
    let reader = channel.reader([""; 0]).odd("", &"1 ".repeat(lines.len())).output_to(theirs).start();
    let mut got = String::new();
    ours.read_to_string(&mut got).unwrap();
    assert_eq!(got, lines);
    reader.end().code(0).says_nothing();
    channel.assert_nothing_left();
}
