//! Standard input and output that do not behave, and a reader that leaves.

use crate::support::{Channel, Peer, Run, SHMREAD, SHMWRITE, eventually, skipped};
use shm_handoff::Role;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Stdio};

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

/// `program` as a shell runs it with `redirection`.
fn redirected(channel: &Channel, program: &str, args: &str, redirection: &str) -> Run {
    let run = format!("exec '{program}' -k {} {args} {redirection}", channel.key().number());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &run]);
    Run::new(shell)
}

/// The runtime opens /dev/null in the place of a closed stream: an empty input
/// that would end the session, and an output where every message vanishes.
#[test]
fn a_closed_stream_is_an_error() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--follow"]);
    let writer = redirected(&channel, SHMWRITE, "--no-end", "<&-").end();
    writer.code(1).says(&["standard input is closed", "EBADF", "0 messages sent"]);
    reader.stays("");
    reader.kill();
    let reader = redirected(&channel, SHMREAD, "--timeout 10s", ">&-").end();
    reader.code(1).says(&["standard output is closed", "EBADF"]);
}

/// A diagnostic that nobody can read ends nothing.
#[test]
fn diagnostics_that_cant_be_written_change_nothing() {
    if !std::path::Path::new("/dev/full").exists() {
        return skipped("there is no /dev/full");
    }
    let channel = Channel::new();
    redirected(&channel, SHMREAD, "--timeout 50ms", "2>/dev/full").end().code(124);
    let writer = redirected(&channel, SHMWRITE, "--timeout 400ms hello", "2>/dev/full").end();
    writer.code(124);
    redirected(&channel, SHMREAD, "--timeout 50ms", "2>&-").end().code(124);
}

/// A diagnostic that nobody takes keeps nobody.
#[test]
fn diagnostics_that_nobody_reads_change_nothing() {
    let channel = Channel::new();
    let (unread, mut full) = std::io::pipe().unwrap();
    let size = nix::fcntl::fcntl(&full, nix::fcntl::FcntlArg::F_GETPIPE_SZ).unwrap();
    full.write_all(&vec![0; usize::try_from(size).unwrap()]).unwrap();
    let start = |program: &str, args: &[&str]| {
        let mut command = channel.command(program.as_ref(), args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(full.try_clone().unwrap()).spawn().unwrap()
    };
    let ended = |mut child: Child| eventually("its end", || child.try_wait().unwrap());
    // "Waiting... no reader", and the failure's own line.
    assert_eq!(ended(start(SHMWRITE, &["--timeout", "400ms", "hello"])).code(), Some(124));
    let waits = start(SHMWRITE, &["-v", "hello"]);
    eventually("a seated writer", || channel.is_seated(Role::Writer).then_some(()));
    // SAFETY: a child of ours that was not waited for.
    unsafe { libc::kill(waits.id().cast_signed(), libc::SIGTERM) };
    assert_eq!(ended(waits).code(), Some(128 + libc::SIGTERM));
    drop(unread);
}

/// Of a message that is longer than a `write` the beginning can be out already.
#[test]
fn a_message_that_is_left_in_the_middle_is_said_to_come_again() {
    let channel = Channel::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![b'x'; 100_000]).unwrap();
    channel.writer(["--ring=1M", "--raw", "--no-end"]).input_from(file.reopen().unwrap()).end().code(0);
    let mut reader = channel.reader(["--raw"]).held_output().start();
    let mut output = reader.take_output();
    // It writes, and can't go on.
    output.read_exact(&mut [0; 10]).unwrap();
    reader.signal(libc::SIGTERM);
    reader.end().code(128 + libc::SIGTERM).says(&["bytes of the message that the next reader gets are written"]);
    channel.reader(["--raw", "--count", "1"]).end().code(0);
}

/// Where a file may not grow further, that is an error and no death.
#[test]
fn a_file_that_may_not_grow_is_an_error_that_releases_nothing() {
    let channel = Channel::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    channel.writer(["--no-end", "--ring=64K", "precious"]).end().code(0);
    let mut shell = std::process::Command::new("sh");
    let key = channel.key().number();
    let run = format!("ulimit -f 0; exec '{SHMREAD}' -k {key} >'{}'", file.path().display());
    shell.args(["-c", &run]);
    Run::new(shell).end().code(1).says(&["EFBIG", "not released"]);
    channel.reader(["--count", "1"]).end().code(0).prints("precious\n");
}

/// A socket says that its reader is gone in another way than a pipe.
#[test]
fn a_socket_closed_by_its_reader_ends_an_idle_reader() {
    let channel = Channel::new();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut reader = channel.reader([""; 0]).output_to(std::os::fd::OwnedFd::from(theirs)).start();
    channel.await_seated(Role::Reader, &mut reader);
    drop(ours);
    reader.end().code(0).says_nothing();
}
