//! INT, TERM and HUP: exit 128+n from every place where a program waits, the
//! seat given back, and what was sent counted.

use crate::support::{Channel, Peer, Run};
use shm_handoff::Role;
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{Reader, Received, RecvError, WaitPolicy};
use std::io::{Seek, Write};

const SIGNALS: [(i32, &str); 3] = [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM"), (libc::SIGHUP, "SIGHUP")];

/// Ends `peer` by each signal, at the place where `prepare` has brought it.
fn each_signal(role: Role, place: &str, prepare: impl Fn(&Channel) -> (Peer, Vec<Peer>)) {
    for (signal, name) in SIGNALS {
        let channel = Channel::new();
        let (peer, others) = prepare(&channel);
        peer.signal(signal);
        let ended = peer.end();
        ended.code(128 + signal).says(&["ended by", name]);
        assert!(!channel.is_seated(role), "the {role}'s seat was not given back ({name}, {place})");
        println!("latency: {role} {place}, {name} to exit: {:?}", ended.took);
        drop(others);
    }
}

#[test]
fn a_reader_that_waits_for_a_message() {
    each_signal(Role::Reader, "alone", |channel| (channel.seated_reader(&[]), Vec::new()));
    each_signal(Role::Reader, "with a writer", |channel| {
        let mut reader = channel.seated_reader(&["--follow"]);
        let mut writer = channel.seated_writer(&[]);
        writer.type_in("a\n");
        reader.until_prints("a\n");
        (reader, vec![writer])
    });
}

#[test]
fn a_reader_whose_output_is_full() {
    each_signal(Role::Reader, "before a full output", |channel| {
        let mut reader = channel.reader([""; 0]).held_output().start();
        channel.await_seated(Role::Reader, &mut reader);
        let lines = format!("{}\n", "x".repeat(2000)).repeat(100);
        let mut writer = channel.writer(["-v"]).input(lines).start();
        writer.until_says("Waiting...");
        (reader, vec![writer])
    });
}

#[test]
fn a_writer_that_waits_for_input() {
    each_signal(Role::Writer, "before its input", |channel| {
        let mut reader = channel.seated_reader(&[]);
        let mut writer = channel.seated_writer(&[]);
        writer.type_in("a\nb\n");
        reader.until_prints("a\nb\n");
        (writer, vec![reader])
    });
}

#[test]
fn a_writer_that_waits_for_a_reader() {
    each_signal(Role::Writer, "without a reader", |channel| {
        let mut writer = channel.writer(["x"]).start();
        channel.await_seated(Role::Writer, &mut writer);
        writer.until_says("no reader");
        (writer, Vec::new())
    });
}

#[test]
fn a_writer_that_waits_for_room() {
    each_signal(Role::Writer, "without room", |channel| {
        let mut reader = channel.seated_reader(&[]);
        reader.stop();
        let mut writer = channel.writer(["-v"]).input("a\nb\n").start();
        writer.until_says("Waiting...");
        (writer, vec![reader])
    });
}

#[test]
fn a_signal_says_how_many_messages_were_sent_and_fails_the_reader() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("a\nb\nc\n");
    reader.until_prints("a\nb\nc\n");
    writer.signal(libc::SIGTERM);
    writer.end().code(143).says(&["3 messages sent"]);
    reader.end().code(3).prints("a\nb\nc\n");
}

/// How many messages come from a writer after it has caught SIGTERM, if there is room
/// for all that it sends, so that it waits for nothing any more.
fn sent_after_a_signal(channel: &Channel, options: &Options, writer: Run) -> usize {
    let mut reader = Reader::<SysV>::open(options).unwrap();
    let mut writer = writer.start();
    writer.until_says("Waiting...");
    // Where it stops it waits for room. The signal is caught before it looks for room again.
    writer.stop();
    writer.signal(libc::SIGTERM);
    let mut bytes = vec![0; reader.capacity()];
    let mut receive = |policy: &mut WaitPolicy<'_>| reader.recv_with(&mut bytes, policy);
    while matches!(receive(&mut WaitPolicy::non_blocking()), Ok(Received::Message(_))) {}
    writer.go_on();
    let mut came = 0;
    let ended = loop {
        match receive(&mut WaitPolicy::forever()) {
            Ok(Received::Message(_)) => came += 1,
            Ok(Received::End) => panic!("it was ended, and ends no session"),
            Err(error) => break error,
        }
    };
    assert_eq!(ended, RecvError::WriterGone);
    writer.end().code(143).says(&["ended by SIGTERM"]);
    drop(reader);
    assert!(!channel.is_seated(Role::Writer));
    came
}

/// A file with this in it, to be read from its beginning.
fn file(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// A writer that never has to wait hears a signal before the next message: one, whose
/// turn it was, comes after it.
#[test]
fn a_writer_at_full_rate() {
    let (lines, line) = (b"x\n".repeat(100_000), b"x".repeat(100_000));
    let texts = vec!["x"; 10_000];
    let ways: [(&str, bool, &[&str], &[u8]); 6] = [
        ("lines to a ring", true, &[], &lines),
        ("lines to a slot", false, &[], &lines),
        ("TEXT to a ring", true, &texts, b""),
        ("TEXT to a slot", false, &texts, b""),
        ("pieces of a line to a slot", false, &["--long=split"], &line),
        ("bytes to a ring", true, &["--raw"], &line),
    ];
    let came = ways.map(|(way, to_ring, args, input)| {
        let channel = Channel::new();
        let key = channel.key();
        let options = if to_ring { Options::ring(key, 64 * 1024).unwrap() } else { Options::slot(key) };
        let ring: &[&str] = if to_ring { &["--ring=64K"] } else { &[] };
        let writer = channel.writer([&["-v"], ring, args].concat()).input_from(file(input));
        (way, sent_after_a_signal(&channel, &options, writer))
    });
    assert!(came.iter().all(|(_, came)| *came <= 1), "messages after the signal: {came:?}");
}

/// A reader that always finds messages takes none after a signal.
#[test]
fn a_reader_at_full_rate() {
    for args in [&["-v"][..], &["-v", "--ring=64K"]] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(args);
        reader.stop();
        let mut writer = channel.writer(args).input_from(file(&b"x\n".repeat(100_000))).start();
        writer.until_says("Waiting...");
        reader.signal(libc::SIGTERM);
        reader.go_on();
        reader.end().code(143).prints("");
    }
}

/// `nohup` and `&` start programs with signals ignored: so they stay.
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let channel = Channel::new();
    let script = format!("trap '' HUP INT; exec '{}' -k {}", crate::support::SHMREAD, channel.key().number());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]);
    let mut reader = crate::support::Run::new(shell).start();
    channel.await_seated(Role::Reader, &mut reader);
    reader.signal(libc::SIGHUP);
    reader.signal(libc::SIGINT);
    reader.stays("");
    reader.signal(libc::SIGTERM);
    reader.end().code(143);
}
