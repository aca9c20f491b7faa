//! What `-v` says of a session: who made the segment, which peer came and went, and when. The wording is documented, and
//! people look for it with `grep`.

use crate::support::{Channel, Peer};
use shm_handoff::Role;
use shm_handoff::backend::sysv::Segment;

/// The lines of the log, each without its time, program and pid, which are looked at here.
fn log(peer: &mut Peer, program: &str) -> Vec<String> {
    let own = format!(" {program}[{}]: ", peer.pid());
    let said = peer.said();
    let lines = said.lines().filter_map(|line| line.split_once(&own));
    lines
        .map(|(time, what)| {
            // 2026-11-29T07:40:08.426Z
            let shape: String = time.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
            assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{said}");
            what.to_owned()
        })
        .collect()
}

fn until_logs(peer: &mut Peer, program: &str, line: &str) {
    peer.until(line, |peer| log(peer, program).iter().any(|found| found == line));
}

fn segment(channel: &Channel) -> i32 {
    crate::support::ipc::find_segment(channel.key().number()).unwrap()
}

/// Either order, in a slot and in a ring: the one has made the segment, the other has found it, and both know the pid of
/// their peer.
#[test]
fn each_side_knows_who_made_the_segment_and_who_came() {
    for (options, layout) in [(&["-v"][..], "classic slot"), (&["-v", "--ring=64K"][..], "ring of 65536 bytes")] {
        for first in [Role::Reader, Role::Writer] {
            let channel = Channel::new();
            let (mut reader, mut writer) = if first == Role::Reader {
                let reader = channel.seated_reader(options);
                (reader, channel.seated_writer(options))
            } else {
                let writer = channel.seated_writer(options);
                (channel.seated_reader(options), writer)
            };
            let (id, key) = (segment(&channel), channel.key());
            let pids = [reader.pid(), writer.pid()];
            let made = format!("made segment {id} at {key}: {layout}");
            let found = |by: u32| format!("found segment {id} at {key}: {layout}, made by pid {by}");
            let (by_reader, by_writer) =
                if first == Role::Reader { (made, found(pids[0])) } else { (found(pids[1]), made) };
            writer.type_in("one\n");
            until_logs(&mut reader, "shmread", &by_reader);
            until_logs(&mut writer, "shmwrite", &by_writer);
            until_logs(&mut reader, "shmread", &format!("writer came: pid {} shmwrite", pids[1]));
            until_logs(&mut writer, "shmwrite", &format!("reader came: pid {} shmread", pids[0]));
            writer.close_input();
            writer.end().code(0);
            reader.end().code(0).prints("one\n").says(&[&format!("the session has ended; removed segment {id}\n")]);
        }
    }
}

/// Memory that is larger than the layout is not this session's to remove.
#[test]
fn what_stays_is_not_said_to_be_removed() {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 4096, 0o600).unwrap());
    let layout = "--layout=text[64],size>=100";
    let reader = channel.seated_reader(&["-v", layout]);
    channel.writer([layout]).input("one\n").end().code(0);
    let reader = reader.end();
    reader.code(0).says(&["the session has ended\n"]);
    assert!(!reader.stderr.contains("removed"), "{reader}");
    assert!(channel.stat().is_some());
}

#[test]
fn how_a_writer_went_is_told() {
    for options in [&["-v", "--follow"][..], &["-v", "--follow", "--ring=64K"][..]] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(options);
        let writer = channel.seated_writer(&[]);
        let pid = writer.pid();
        until_logs(&mut reader, "shmread", &format!("writer came: pid {pid} shmwrite"));
        writer.kill();
        until_logs(&mut reader, "shmread", &format!("writer died or failed: pid {pid}"));
        let mut writer = channel.seated_writer(&["--no-end"]);
        let pid = writer.pid();
        until_logs(&mut reader, "shmread", &format!("writer came: pid {pid} shmwrite"));
        writer.close_input();
        writer.end().code(0);
        until_logs(&mut reader, "shmread", &format!("writer left in order: pid {pid}"));
        // One line each.
        let log = log(&mut reader, "shmread");
        assert_eq!(log.iter().filter(|line| line.starts_with("writer ")).count(), 4, "{log:?}");
    }
}

#[test]
fn a_reader_that_is_killed_is_told_and_so_is_the_next_one() {
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&["-v", "--ring=64K"]);
    for _ in 0..2 {
        let reader = channel.seated_reader(&[]);
        let pid = reader.pid();
        until_logs(&mut writer, "shmwrite", &format!("reader came: pid {pid} shmread"));
        reader.kill();
        until_logs(&mut writer, "shmwrite", &format!("reader left or died: pid {pid}"));
    }
    writer.close_input();
    writer.end().code(0);
}

#[test]
fn a_c_program_has_no_seat_and_is_told_by_its_attachment() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["-v", "--follow"]);
    let writer = channel.c_writer_in_steps("one\n");
    let pid = writer.pid();
    until_logs(&mut reader, "shmread", &format!("writer came: pid {pid} writer-in-steps, a program without a seat"));
    writer.kill();
    until_logs(&mut reader, "shmread", &format!("writer left or died: pid {pid}"));
    drop(reader);
    channel.remove_segment();

    let mut writer = channel.seated_writer(&["-v"]);
    let reader = channel.c_reader_in_steps();
    let pid = reader.pid();
    writer.type_in("one\n");
    until_logs(&mut writer, "shmwrite", &format!("reader came: pid {pid} reader-in-steps, a program without a seat"));
    reader.kill();
    // It notices while it waits: for room, here.
    writer.type_in("two\nthree\n");
    until_logs(&mut writer, "shmwrite", &format!("reader left or died: pid {pid}"));
}

#[test]
fn a_segment_that_is_replaced_is_told() {
    for options in [&["-v"][..], &["-v", "--ring=64K"][..]] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(options);
        let before = segment(&channel);
        channel.remove_segment();
        reader.until("a segment anew", |_| channel.stat().is_some());
        let (after, key) = (segment(&channel), channel.key());
        let layout = if options.len() == 1 { "classic slot" } else { "ring of 65536 bytes" };
        let line = format!("segment {before} was removed; made segment {after} at {key}: {layout}");
        until_logs(&mut reader, "shmread", &line);
    }
}

/// Without `-v` there is not one of these lines, and with it none says twice what happened once.
#[test]
fn only_those_who_asked_are_told() {
    let channel = Channel::new();
    let (mut talkative, mut writer) = (channel.seated_reader(&["-v"]), channel.seated_writer(&[]));
    writer.type_in("one\ntwo\n");
    talkative.until_prints("one\ntwo\n");
    assert!(log(&mut writer, "shmwrite").is_empty());
    until_logs(&mut talkative, "shmread", &format!("writer came: pid {} shmwrite", writer.pid()));
    let log = log(&mut talkative, "shmread");
    assert_eq!(log.len(), 2, "{log:?}");
}
