//! `shm-handoff record` between a writer and a reader on rings, killed again and again at any instruction and started anew:
//! each message is once in the file and comes once at the second ring, in order. So is the end.

use crate::support::{Channel, DEADLINE, Run, SHM_HANDOFF, rounds};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::cli::record::format::{Entry, Kind};
use shm_handoff::cli::record::scan::{Entries, Stop};
use shm_handoff::{Reader, RecvError, Ring, SendError, WaitPolicy, Writer};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Message `number`: of most lengths.
fn message(number: u64) -> Vec<u8> {
    let len = if number.is_multiple_of(97) { 1500 } else { 1 + number % 40 };
    number.to_ne_bytes().repeat(usize::try_from(len).unwrap())
}

fn record(from: &Channel, to: Option<&Channel>, file: &Path, more: &[&str]) -> Run {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["record", "--follow", &from.key().number().to_string()]).arg(file).args(more);
    if let Some(to) = to {
        command.args(["--onto", &to.key().number().to_string()]);
    }
    Run::new(command)
}

/// All that is in the file, which is whole.
fn recorded(file: &Path) -> Vec<(Entry, Vec<u8>)> {
    let opened = File::open(file).unwrap();
    let len = opened.metadata().unwrap().len();
    let mut entries = Entries::new(std::io::BufReader::new(opened), len).unwrap();
    let (mut all, mut body) = (Vec::new(), Vec::new());
    while let Some(entry) = entries.next(&mut body).unwrap() {
        all.push((entry, body.clone()));
    }
    assert_eq!(entries.stop(), Some(Stop::Whole));
    all
}

/// Sends messages until it is told to end; how many.
fn write(mut writer: Writer<SysV, Ring>, ends: &Receiver<()>) -> u64 {
    let mut number = 0;
    while ends.try_recv() == Err(TryRecvError::Empty) {
        match writer.send_with(&message(number), &mut WaitPolicy::timeout(Duration::from_millis(5))) {
            Ok(()) => number += 1,
            // The recorder was killed, or is slow.
            Err(SendError::ReaderGone | SendError::TimedOut) => {}
            Err(error) => panic!("{error}"),
        }
    }
    while let Err(error) = writer.end_with(&mut WaitPolicy::timeout(Duration::from_millis(5))) {
        assert!(matches!(error, SendError::ReaderGone | SendError::TimedOut), "{error}");
    }
    number
}

/// Takes messages for so long; whether the end came.
fn read(reader: &mut Reader<SysV, Ring>, next: &mut u64, for_so_long: Duration) -> bool {
    let started = Instant::now();
    while started.elapsed() < for_so_long {
        match reader.peek_with(&mut WaitPolicy::timeout(Duration::from_millis(1))) {
            Ok(found) if found.ends_session() => return true,
            Ok(found) => {
                assert!(found.text() == message(*next), "message {next} is not what came");
                *next += 1;
                found.release();
            }
            Err(RecvError::TimedOut) => {}
            Err(RecvError::WriterGone) => reader.await_next_writer().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    false
}

#[test]
fn recorded_once_and_handed_on_once_by_recorders_that_are_killed() {
    let (from, to) = (Channel::new(), Channel::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let writer = Writer::open(&Options::ring(from.key(), 64 << 10).unwrap()).unwrap();
    let mut reader = Reader::open(&Options::ring(to.key(), 64 << 10).unwrap()).unwrap();
    let (end, ends) = channel();
    let kills = rounds(100);
    let (mut next, mut cut) = (0, 0);
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || write(writer, &ends));
        for kill in 0..kills {
            let mut recorder = record(&from, Some(&to), &file, &[]).start();
            let before = next;
            // Every other one while it comes, at another instruction each time; the others at work.
            let pause = u64::from(kill) * 97 % 8000;
            if kill % 2 == 0 {
                assert!(!read(&mut reader, &mut next, Duration::from_micros(pause)), "an early end");
            } else {
                recorder.until("messages that are handed on", |_| {
                    assert!(!read(&mut reader, &mut next, Duration::from_micros(pause)), "an early end");
                    next > before
                });
            }
            cut += u32::from(recorder.kill().stderr.contains("are cut off"));
        }
        end.send(()).unwrap();
        let mut last = record(&from, Some(&to), &file, &[]).start();
        last.until("the end", |_| read(&mut reader, &mut next, Duration::from_millis(10)));
        reader.end_session().unwrap();
        last.end().code(0);
        assert_eq!(writing.join().unwrap(), next, "messages that came");
    });
    let mut all = recorded(&file).into_iter().filter(|(entry, _)| matches!(entry.kind, Kind::Message | Kind::End));
    for number in 0..next {
        let (entry, body) = all.next().expect("as many as came");
        assert!(entry.kind == Kind::Message && body == message(number), "message {number} is not what stands there");
    }
    assert_eq!(all.map(|(entry, _)| entry.kind).collect::<Vec<_>>(), [Kind::End]);
    println!("{kills} kills, {next} messages, {cut} torn ends cut off");
    drop(reader);
    from.assert_nothing_left();
    to.assert_nothing_left();
}

/// With a file alone: what was killed before it released is not recorded again.
#[test]
fn recorded_once_by_recorders_that_are_killed_and_hand_nothing_on() {
    let from = Channel::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let writer = Writer::open(&Options::ring(from.key(), 64 << 10).unwrap()).unwrap();
    let (end, ends) = channel();
    let sent = std::thread::scope(|scope| {
        let writing = scope.spawn(move || write(writer, &ends));
        for kill in 0..rounds(50) {
            let mut recorder = record(&from, None, &file, &[]).start();
            let len = || std::fs::metadata(&file).map_or(0, |stat| stat.len());
            let before = len();
            if kill % 2 == 0 {
                // Any moment will do: it varies where the recorder is killed, and nothing is awaited.
                std::thread::sleep(Duration::from_micros(u64::from(kill) * 97 % 5000));
            } else {
                recorder.until("a longer file", |_| len() > before);
            }
            recorder.kill();
        }
        end.send(()).unwrap();
        record(&from, None, &file, &[]).end().code(0);
        writing.join().unwrap()
    });
    let all = recorded(&file);
    let texts = all.iter().filter(|(entry, _)| entry.kind == Kind::Message).map(|(_, body)| body);
    assert!(texts.eq(&(0..sent).map(message).collect::<Vec<_>>()), "{sent} messages, once each");
    assert_eq!(all.last().map(|(entry, _)| entry.kind), Some(Kind::End));
    from.assert_nothing_left();
}

/// A recorder that dies between handing the end on and ending the session here does not end a second one there.
#[test]
fn an_end_that_was_handed_on_is_handed_on_once() {
    let (from, to) = (Channel::new(), Channel::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording");
    let deadline = Instant::now() + DEADLINE;
    for kill in 0..rounds(30) {
        let mut writer = Writer::<SysV, Ring>::open(&Options::ring(from.key(), 64 << 10).unwrap()).unwrap();
        writer.send(&message(0)).unwrap();
        writer.end().unwrap();
        writer.close().unwrap();
        let mut reader = Reader::<SysV, Ring>::open(&Options::ring(to.key(), 64 << 10).unwrap()).unwrap();
        let mut next = 0;
        let recorder = record(&from, Some(&to), &file, &[]).start();
        read(&mut reader, &mut next, Duration::from_micros(u64::from(kill) * 331 % 12000));
        let was_at_end = recorder.kill_or_end();
        while !read(&mut reader, &mut next, Duration::from_millis(1)) {
            assert!(Instant::now() < deadline, "no end came");
            if !was_at_end && from.stat().is_some() {
                record(&from, Some(&to), &file, &["--timeout=1s"]).end();
            }
        }
        assert_eq!(next, 1);
        // It removes the ring, and goes.
        reader.end_session().unwrap();
        reader.close().unwrap();
        if from.stat().is_some() {
            record(&from, Some(&to), &file, &["--timeout=5s"]).end().code(0);
        } else if !was_at_end {
            // Killed between the segment and the set, which says nothing then that anybody needs.
            from.remove_seats();
        }
        from.assert_nothing_left();
        to.assert_nothing_left();
    }
}
