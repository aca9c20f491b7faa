//! Many lines, in a slot and in a ring, whoever comes first, and one writer after
//! another.

use crate::support::{Channel, QUIET, numbers};
use shm_handoff::Role;
use std::fmt::Write;
use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

const LINES: u32 = 100_000;

/// 100,000 lines from file to file; says how long they took.
fn all_arrive(reader_first: bool, ring: &[&str], told: &str) {
    let channel = Channel::new();
    let text = numbers(0..LINES);
    let mut input = tempfile::NamedTempFile::new().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    let output = tempfile::NamedTempFile::new().unwrap();
    let reader = || channel.reader(ring).output_to(output.reopen().unwrap());
    let writer = || channel.writer([ring, &["-v"]].concat()).input_from(File::open(input.path()).unwrap());

    let started;
    let (reader, writer) = if reader_first {
        let mut reader = reader().start();
        channel.await_seated(Role::Reader, &mut reader);
        started = Instant::now();
        (reader, writer().start())
    } else {
        let mut writer = writer().start();
        // Where all of it fits, the writer leaves without a reader.
        writer.until("a writer seated, or done", |peer| channel.is_seated(Role::Writer) || peer.has_ended());
        started = Instant::now();
        (reader().start(), writer)
    };
    let printed = || output.as_file().metadata().unwrap().len();
    writer.end_while(|_| printed()).code(0).says(&[told]);
    reader.end_while(|_| printed()).code(0).says_nothing();
    println!("{LINES} lines, {ring:?}, reader first: {reader_first}: {:?}", started.elapsed());
    let got = std::fs::read_to_string(output.path()).unwrap();
    if got != text {
        let wrong = got.lines().zip(text.lines()).enumerate().find(|(_, (got, sent))| got != sent);
        panic!("{} bytes of {} arrived; the first line that differs: {wrong:?}", got.len(), text.len());
    }
    channel.assert_nothing_left();
}

#[test]
fn a_hundred_thousand_lines_in_order_reader_first() {
    all_arrive(true, &[], "100000 messages sent");
}

#[test]
fn a_hundred_thousand_lines_in_order_writer_first() {
    all_arrive(false, &[], "100000 messages sent");
}

#[test]
fn a_hundred_thousand_lines_in_order_through_a_ring() {
    for ring in ["--ring=64K", "--ring"] {
        for reader_first in [true, false] {
            all_arrive(reader_first, &[ring], "100000 messages sent");
        }
    }
}

#[test]
fn d10_absent_a_message_without_a_reader_waits_for_one() {
    let channel = Channel::new();
    let mut writer = channel.writer(["hello"]).start();
    channel.await_seated(Role::Writer, &mut writer);
    writer.stays("");
    channel.reader(["--count", "1"]).end().code(0).prints("hello\n");
    writer.end().code(0);
}

#[test]
fn writers_that_leave_in_order_follow_each_other() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut sent = String::new();
    for round in 0..10 {
        let text = format!("{round}a\n{round}b\n");
        channel.writer(["--no-end"]).input(text.clone()).end().code(0);
        channel.writer([format!("{round}c")]).end().code(0);
        sent += &text;
        writeln!(sent, "{round}c").unwrap();
    }
    reader.until_prints(&sent);
    // Longer than it takes to notice a death.
    std::thread::sleep(QUIET);
    reader.stays(&sent);
    channel.writer(["end"]).end().code(0);
    reader.end().code(0).prints(&sent).says_nothing();
    channel.assert_nothing_left();
}

#[test]
fn readers_that_leave_by_count_follow_each_other() {
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&[]);
    for round in 0..10 {
        let reader = channel.seated_reader(&["--count", "1"]);
        writer.type_in(format!("{round}\n"));
        reader.end().code(0).prints(format!("{round}\n"));
    }
    let reader = channel.seated_reader(&[]);
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints("");
    channel.assert_nothing_left();
}
