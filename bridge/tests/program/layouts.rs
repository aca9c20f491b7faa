//! Any layout to any other one.

use crate::support::{Hosts, numbers};

/// Everything that is written here is read there, and all four programs end well.
fn carries(here: &[&str], there: &[&str], input: impl Into<Vec<u8>>) {
    let input = input.into();
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(here, there);
    let reader = hosts.there.reader(there).start();
    hosts.here.writer(here).input(input.clone()).end().code(0);
    reader.end().code(0).prints(&input);
    sender.end().code(0);
    receiver.end().code(0);
    hosts.assert_nothing_left();
}

const TEXT: &[&str] = &["--layout", "text[64]"];
const RECORDS: &[&str] = &["--layout", "flag=i32@0,data=48@8,size=56"];
const RING: &[&str] = &["--ring"];
const SLOT: &[&str] = &[];

#[test]
fn a_ring_to_a_ring() {
    carries(RING, RING, numbers(0..50_000));
}

#[test]
fn a_ring_to_a_smaller_one() {
    carries(RING, &["--ring=64K"], numbers(0..50_000));
}

#[test]
fn messages_as_long_as_the_ring_takes() {
    let line = |len: usize| [vec![b'x'; len - 1], vec![b'\n']].concat();
    let lines = [line(512 << 10), line(1), line((512 << 10) - 1), line(65_536), line(2)].concat();
    carries(RING, RING, lines.repeat(3));
}

#[test]
fn any_bytes() {
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let reader = hosts.there.reader(&["--raw"]).start();
    hosts.here.writer(&["--raw"]).input(bytes.clone()).end().code(0);
    reader.end().code(0).prints(&bytes);
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn a_slot_to_a_slot() {
    carries(SLOT, SLOT, numbers(0..50));
}

#[test]
fn a_slot_to_a_ring() {
    carries(SLOT, RING, numbers(0..50));
}

#[test]
fn a_ring_to_a_slot() {
    carries(RING, SLOT, numbers(0..50));
}

#[test]
fn a_declared_text_to_a_ring_and_back() {
    carries(TEXT, RING, numbers(0..50));
    carries(RING, TEXT, numbers(0..50));
}

#[test]
fn records_to_records() {
    carries(RECORDS, RECORDS, vec![0x5A; 48 * 30]);
}

#[test]
fn records_through_rings() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RECORDS, RING);
    let reader = hosts.there.reader(&["--raw"]).start();
    hosts.here.writer(RECORDS).input([7; 48 * 20]).end().code(0);
    reader.end().code(0).prints([7; 48 * 20]);
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn nothing_but_an_end() {
    carries(RING, RING, "");
    carries(SLOT, SLOT, "");
}

#[test]
fn the_tutorials_programs_on_both_hosts() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(SLOT, SLOT);
    let reader = hosts.there.c_program("reader").start();
    let writer = hosts.here.c_program("writer").input(numbers(0..20) + "end\n").start();
    reader.end().got(&(numbers(0..20) + "end\n"));
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
}

/// A C program ends its session by any text that begins with `end`. As through a pipe between `shmread` and `shmwrite`, it is a message,
/// and then the end.
#[test]
fn a_c_programs_own_end_reaches_a_ring() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(SLOT, RING);
    let reader = hosts.there.reader(RING).start();
    let writer = hosts.here.c_program("writer").input("hello\nend of story\n").start();
    reader.end().code(0).prints("hello\nend of story\n");
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn a_writer_that_leaves_in_order_is_followed_by_the_next() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let mut reader = hosts.there.reader(RING).start();
    hosts.here.writer(&["--ring", "--no-end"]).input("one\n").end().code(0);
    reader.until_prints("one\n");
    hosts.here.writer(RING).input("two\n").end().code(0);
    reader.end().code(0).prints("one\ntwo\n");
    sender.end().code(0);
    receiver.end().code(0);
}
