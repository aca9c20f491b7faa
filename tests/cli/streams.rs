//! Standard input and output that do not behave, and a reader that leaves.

use crate::support::{Channel, Peer, Run, SHMWRITE, skipped};
use shm_handoff::error::Role;
use std::fs::{File, OpenOptions};
use std::io::Read;

/// A reader whose output nobody takes.
fn held_reader(channel: &Channel) -> Peer {
    let mut reader = channel.reader([""; 0]).held_output().start();
    channel.await_seated(Role::Reader, &mut reader);
    reader
}

#[test]
fn a_full_disk_is_an_error_that_releases_nothing() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    let channel = Channel::new();
    let mut reader = channel.reader([""; 0]).output_to(full).start();
    channel.await_seated(Role::Reader, &mut reader);
    channel.writer(["precious"]).end().code(0);
    reader.end().code(1).says(&["ENOSPC", "not released"]);
    // It is there for the next one.
    channel.reader(["--count", "1"]).end().code(0).prints("precious\n");
}

#[test]
fn a_full_disk_at_the_end_leaves_the_end() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    let channel = Channel::new();
    let mut reader = channel.reader(["--format", "json"]).output_to(full).start();
    channel.await_seated(Role::Reader, &mut reader);
    channel.writer([""; 0]).input("").end().code(0);
    reader.end().code(1).says(&["ENOSPC"]);
    channel.reader([""; 0]).end().code(0).prints("");
    channel.assert_nothing_left();
}

#[test]
fn an_output_that_is_closed_while_nothing_comes_ends_the_reader_quietly() {
    let channel = Channel::new();
    let mut reader = held_reader(&channel);
    drop(reader.take_output());
    let ended = reader.end();
    ended.code(0).says_nothing();
    println!("latency: closed output to exit 0: {:?}", ended.took);
}

#[test]
fn an_output_that_is_closed_when_a_message_comes_loses_nothing() {
    let channel = Channel::new();
    let mut reader = held_reader(&channel);
    reader.stop();
    drop(reader.take_output());
    channel.writer(["precious"]).end().code(0);
    reader.go_on();
    reader.end().code(0).says_nothing();
    channel.reader(["--count", "1"]).end().code(0).prints("precious\n");
}

/// `shmread | head -n 2`, again and again.
#[test]
fn readers_whose_output_is_closed_now_and_then_lose_nothing() {
    let channel = Channel::new();
    for round in 0..5 {
        let mut reader = held_reader(&channel);
        let writer = channel.writer(["--no-end"]).input(format!("{round}a\n{round}b\n")).start();
        let mut output = reader.take_output();
        let mut got = [0; 6];
        output.read_exact(&mut got).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), format!("{round}a\n{round}b\n"));
        drop(output);
        writer.end().code(0);
        reader.end().code(0).says_nothing();
    }
}

#[test]
fn a_reader_that_leaves_ends_the_writer() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--count", "1"]);
    let writer = channel.writer([""; 0]).input("a\nb\nc\nd\n").end();
    writer.code(3).says(&["the reader left or died", "sent"]);
    reader.end().code(0).prints("a\n");
}

#[test]
fn input_that_is_a_directory_is_an_error() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--follow"]);
    let folder = tempfile::tempdir().unwrap();
    let writer = channel.writer([""; 0]).input_from(File::open(folder.path()).unwrap()).end();
    writer.code(1).says(&["standard input", "EISDIR", "0 messages sent"]);
    reader.stays("");
}

#[test]
fn a_closed_input_is_an_empty_one() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--follow"]);
    // Standard streams that are closed are opened as /dev/null by the
    // runtime: an empty input, which ends the session as an empty file does.
    let run = format!("exec '{SHMWRITE}' -k {} --no-end <&-", channel.key().number());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &run]);
    Run::new(shell).end().code(0).says_nothing();
    reader.stays("");
}
