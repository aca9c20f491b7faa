//! `--raw`: bytes in, bytes out.

use crate::support::Channel;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use std::fs::File;
use std::io::{Read, Seek, Write};

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

/// From file to file, into a ring that is made by either side.
fn file_to_file(mut file: File, ring: &str) {
    let mut sent = Vec::new();
    for reader_first in [true, false] {
        file.rewind().unwrap();
        let channel = Channel::new();
        let output = tempfile::NamedTempFile::new().unwrap();
        let read = || channel.reader([ring, "--raw"]).output_to(output.reopen().unwrap()).start();
        let write = || channel.writer([ring, "--raw"]).input_from(file.try_clone().unwrap()).start();
        let (reader, writer) = if reader_first {
            let reader = read();
            (reader, write())
        } else {
            let writer = write();
            (read(), writer)
        };
        writer.end().code(0).says_nothing();
        reader.end().code(0).says_nothing();
        channel.assert_nothing_left();
        sent.clear();
        file.rewind().unwrap();
        file.read_to_end(&mut sent).unwrap();
        let got = std::fs::read(output.path()).unwrap();
        assert!(got == sent, "{} bytes of {} came, or others", got.len(), sent.len());
    }
}

#[test]
fn files_of_any_size_come_out_as_they_went_in() {
    for len in [0, 1, 7, 8, 4095, 4096, SMALLEST / 4, SMALLEST / 4 + 1, SMALLEST, 10 << 20] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&random(len)).unwrap();
        file_to_file(file.try_clone().unwrap(), "--ring=64K");
        if len > SMALLEST {
            file_to_file(file, "--ring");
        }
    }
}

#[test]
fn a_sparse_file_comes_out_as_it_went_in() {
    let mut file = tempfile::tempfile().unwrap();
    file.set_len(3 << 20).unwrap();
    file.seek(std::io::SeekFrom::Start(1 << 20)).unwrap();
    file.write_all(b"in the middle").unwrap();
    file_to_file(file, "--ring=64K");
}

#[test]
fn a_pipe_in_odd_chunks_comes_out_as_it_went_in() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--raw", "--ring=64K"]);
    let mut writer = channel.seated_writer(&["--raw"]);
    let mut sent = Vec::new();
    for len in [1, 2, 3, 5, 4097, 1, 70_001, 0, 13, 200_000] {
        let bytes = random(len);
        writer.type_in(&bytes);
        sent.extend_from_slice(&bytes);
        // Not one of them waits for the next.
        reader.until("as many bytes as went in", |reader| reader.printed().len() == sent.len());
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(sent);
    channel.assert_nothing_left();
}

/// What a full pipe holds up is not lost, and the reader's output gets all of it.
#[test]
fn a_slow_output_gets_everything() {
    let channel = Channel::new();
    let mut reader = channel.reader(["--raw", "--ring=64K"]).held_output().start();
    let sent = random(1 << 20);
    let writer = channel.writer(["--raw", "--ring=64K"]).input(sent.clone()).start();
    reader.stays("");
    let mut output = reader.take_output();
    let mut got = Vec::new();
    output.read_to_end(&mut got).unwrap();
    assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
    writer.end().code(0);
    reader.end().code(0);
}

#[test]
fn lines_and_raw_bytes_are_the_same_ring() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--raw"]);
    channel.writer(["--no-end"]).input("a line\nend\n").end().code(0);
    channel.writer(["--raw"]).input("bytes").end().code(0);
    reader.end().code(0).prints("a line\nend\nbytes");
    channel.assert_nothing_left();
}

#[test]
fn no_end_leaves_the_session_open() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--raw"]);
    channel.writer(["--raw", "--no-end"]).input("one").end().code(0);
    reader.until_prints("one");
    reader.stays("one");
    channel.writer(["--raw"]).input("two").end().code(0);
    reader.end().code(0).prints("onetwo");
    channel.assert_nothing_left();
}

/// All was sent, and there is nothing to wait for.
#[test]
fn a_writer_waits_for_no_more_room_than_it_needs() {
    let sent = random(7 * SMALLEST / 8);
    let channel = Channel::new();
    let args = ["--raw", "--ring=64K", "--timeout=1s"];
    channel.writer(args).with(|run| _ = run.arg("--no-end")).input(sent.clone()).end().code(0);
    channel.reader(["--raw", "--timeout=50ms"]).end().code(124).prints(&sent);
    let channel = Channel::new();
    channel.writer(args).input(sent.clone()).end().code(0);
    channel.reader(["--raw"]).end().code(0).prints(sent);
    channel.assert_nothing_left();
}

#[test]
fn what_makes_no_sense_with_raw_is_a_usage_error() {
    let channel = Channel::new();
    for args in [&["text"][..], &["--long=split"], &["--long", "error"]] {
        channel.writer([&["--raw", "--timeout=0s"], args].concat()).end().code(2).prints("");
    }
    for args in [&["--format=plain"][..], &["--format", "json"]] {
        channel.reader([&["--raw", "--timeout=0s"], args].concat()).end().code(2).prints("");
    }
    channel.assert_nothing_left();
}
