//! Segment and semaphore set are removed under us, as `ipcrm` does it.

use crate::support::{Channel, Peer, eventually, ipc, numbers};
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::ring::{self, WRITER_PARKED_AT};
use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::{Reader, Received, Ring, Role, WaitPolicy, Writer};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Waits until somebody has made another segment at the key.
fn await_new_segment(channel: &Channel, old: i32) {
    eventually("a new segment", || ipc::find_segment(channel.key().number()).filter(|id| *id != old));
}

fn segment(channel: &Channel) -> i32 {
    ipc::find_segment(channel.key().number()).expect("there is a segment")
}

#[test]
fn the_segment_is_removed_while_the_reader_waits() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let old = segment(&channel);
    channel.remove_segment();
    await_new_segment(&channel, old);
    channel.writer([""; 0]).input("once\n").end().code(0);
    reader.end().code(0).prints("once\n");
    channel.assert_nothing_left();
}

/// Without giving the reader time to notice.
#[test]
fn the_segment_is_removed_just_before_the_writer_comes() {
    for _ in 0..10 {
        let channel = Channel::new();
        let reader = channel.seated_reader(&[]);
        channel.remove_segment();
        channel.writer([""; 0]).input("once\n").end().code(0);
        reader.end().code(0).prints("once\n");
        channel.assert_nothing_left();
    }
}

#[test]
fn the_segment_is_removed_while_the_writer_waits_for_a_reader() {
    let channel = Channel::new();
    let mut writer = channel.writer([""; 0]).input("once\n").start();
    channel.await_seated(Role::Writer, &mut writer);
    writer.until_says("no reader");
    let old = segment(&channel);
    channel.remove_segment();
    await_new_segment(&channel, old);
    channel.reader([""; 0]).end().code(0).prints("once\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

#[test]
fn the_segment_is_removed_while_the_writer_waits_for_input() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("before\n");
    reader.until_prints("before\n");
    channel.remove_segment();
    writer.type_in("after\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints("before\nafter\n");
    channel.assert_nothing_left();
}

/// The reader has moved to a new segment by then, or will; the `end` must find
/// it, or it would wait forever.
#[test]
fn the_segment_is_removed_shortly_before_the_end() {
    for turn in 0..12 {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&[]);
        let mut writer = channel.seated_writer(&[]);
        writer.type_in("before\n");
        reader.until_prints("before\n");
        let old = segment(&channel);
        channel.remove_segment();
        if turn % 2 == 0 {
            await_new_segment(&channel, old);
        }
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0).prints("before\n");
        channel.assert_nothing_left();
    }
}

/// A stopped reader, a message in the slot, and a writer that wants room.
fn waiting_for_room(channel: &Channel) -> (Peer, Peer) {
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    let mut writer = channel.writer(["-v"]).input("one\ntwo\nthree\n").start();
    channel.await_full(&mut writer);
    writer.until_says("Waiting...");
    (reader, writer)
}

#[test]
fn the_segment_is_removed_while_the_writer_waits_for_room() {
    let channel = Channel::new();
    let (reader, mut writer) = waiting_for_room(&channel);
    channel.remove_segment();
    writer.stays("");
    reader.go_on();
    writer.end().code(0).says(&["3 messages sent"]);
    reader.end().code(0).prints("one\ntwo\nthree\n");
    channel.assert_nothing_left();
}

/// The reader dies on the removed segment: what it left unread is sent again,
/// once, on the new one.
#[test]
fn what_lies_in_a_removed_segment_is_sent_again() {
    let channel = Channel::new();
    let (reader, writer) = waiting_for_room(&channel);
    let old = segment(&channel);
    channel.remove_segment();
    // The reader goes before it could see that.
    reader.kill();
    await_new_segment(&channel, old);
    channel.reader([""; 0]).end().code(0).prints("one\ntwo\nthree\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

/// Again and again, at moments of their own choosing.
#[test]
fn the_segment_is_removed_in_the_middle_of_many_lines() {
    let channel = Channel::new();
    let lines = numbers(0..20_000);
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.writer([""; 0]).input(lines.clone()).start();
    let mut removals = 0;
    while !writer.has_ended() && !reader.has_ended() {
        // Any moment of theirs: no condition says which.
        std::thread::sleep(std::time::Duration::from_millis(7));
        if removals < 20 {
            channel.remove_segment();
            removals += 1;
        }
    }
    writer.end().code(0);
    println!("20,000 lines over {removals} removals");
    // An end on a removed segment counts as received.
    let ended = reader.end();
    ended.code(0).prints(lines);
    channel.remove_segment();
}

/// Both take their seats anew; a message still arrives once.
#[test]
fn the_semaphore_set_is_removed() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    for round in 0..3 {
        channel.remove_seats();
        eventually("both seated anew", || {
            (channel.is_seated(Role::Reader) && channel.is_seated(Role::Writer)).then_some(())
        });
        writer.type_in(format!("{round}\n"));
        reader.until_prints(numbers(0..round + 1));
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints("0\n1\n2\n");
    channel.assert_nothing_left();
}

/// Lines that lie between writer and reader, so that the one finds room and the other a message.
const BETWEEN: usize = 100;

/// A side that always finds a message, or room for one, looks around all the same.
#[test]
fn the_semaphore_set_is_removed_under_sides_that_never_wait() {
    for how in [&["--ring=64K"][..], &["--ring=64K", "--raw"], &[]] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(how);
        let mut writer = channel.seated_writer(how);
        let mut lines = 0;
        for _ in 0..3 {
            channel.remove_seats();
            writer.until("both seated anew", |writer| {
                // No more than that: what is typed has to arrive in the end, at any speed.
                let printed = reader.printed().len() / "x\n".len();
                while lines < printed + BETWEEN {
                    writer.type_in("x\n");
                    lines += 1;
                }
                channel.is_seated(Role::Reader) && channel.is_seated(Role::Writer)
            });
        }
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0).prints("x\n".repeat(lines));
        channel.assert_nothing_left();
    }
}

/// Its messages lie there already, and its output goes on slowly: wherever it looks there is one.
#[test]
fn the_semaphore_set_is_removed_under_a_reader_that_never_waits() {
    for how in [&["--ring=8M"][..], &["--ring=8M", "--raw"]] {
        let channel = Channel::new();
        let sent = "x\n".repeat(200_000);
        channel.writer(["--ring=8M", "--no-end"]).input(sent.clone()).end().code(0);
        let mut reader = channel.reader(how).held_output().start();
        channel.await_seated(Role::Reader, &mut reader);
        channel.remove_seats();
        let mut output = reader.take_output();
        let mut got = 0;
        reader.until("seated anew", |_| {
            got += output.read(&mut [0; 1024]).unwrap();
            channel.is_seated(Role::Reader)
        });
        // (What a pipe holds is out of its hands.)
        assert!(got + 65_536 < sent.len(), "it had a message to the last, and looked only then");
    }
}

/// Nobody reads, and there is room.
#[test]
fn a_ring_is_removed_while_lines_come_one_by_one() {
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&["--ring=64K"]);
    let mut lines = 0;
    for _ in 0..3 {
        let old = segment(&channel);
        channel.remove_segment();
        writer.until("another ring", |writer| {
            writer.type_in("x\n");
            lines += 1;
            ipc::find_segment(channel.key().number()).is_some_and(|id| id != old)
        });
    }
    writer.close_input();
    writer.end().code(0);
    channel.reader([""; 0]).end().code(0).prints("x\n".repeat(lines));
    channel.assert_nothing_left();
}

/// Millions of messages lie in removed memory, and a stopped reader may take them yet.
#[test]
fn a_writer_beside_a_full_ring_that_was_removed_hears_signals() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--ring=64M"]);
    reader.stop();
    let mut endless = Command::new("yes").arg("").stdout(Stdio::piped()).spawn().unwrap();
    let mut writer = channel.writer([""; 0]).input_from(endless.stdout.take().unwrap()).start();
    writer.until("asleep before a full ring", |_| {
        Segment::open(channel.key()).unwrap().word(WRITER_PARKED_AT).load(Ordering::Relaxed) == 1
    });
    channel.remove_segment();
    writer.until_says("may still take");
    writer.signal(libc::SIGTERM);
    let ended = writer.end();
    ended.code(128 + libc::SIGTERM).says(&["lie in a removed segment, unread"]);
    println!("latency: SIGTERM to exit beside 64 MiB of messages: {:?}", ended.took);
    endless.kill().unwrap();
    endless.wait().unwrap();
}

#[test]
fn a_second_one_that_slips_in_is_noticed() {
    for role in [Role::Writer, Role::Reader] {
        let channel = Channel::new();
        let start = |role| match role {
            Role::Writer => channel.writer([""; 0]).open_input().start(),
            _ => channel.reader(["--follow"]).start(),
        };
        let mut first = start(role);
        channel.await_seated(role, &mut first);
        first.stop();
        channel.remove_seats();
        let mut second = start(role);
        channel.await_seated(role, &mut second);
        first.go_on();
        let ended = first.end();
        ended.code(6).says(&[&format!("another {role}"), &format!("pid {}", second.pid())]);
        println!("latency: exit 6 of the first {role}: {:?}", ended.took);
        // The one that is seated works.
        let (mut writer, mut reader) =
            if role == Role::Writer { (second, start(Role::Reader)) } else { (start(Role::Writer), second) };
        writer.type_in("works\n");
        reader.until_prints("works\n");
    }
}

/// A ring is replaced by a smaller one whose header makes no sense: the sides say so, each time, and touch
/// nothing of it; when it does make sense they go on there.
#[test]
fn what_takes_the_place_of_a_ring_is_judged_anew() {
    let channel = Channel::new();
    let options = Options::any_ring(channel.key());
    let large = SysV::open(&Options::ring(channel.key(), 4 * ring::SMALLEST).unwrap(), Role::Guest).unwrap();
    let mut writer = Writer::<SysV, Ring>::open(&options).unwrap();
    let mut reader = Reader::<SysV, Ring>::open(&options).unwrap();
    let mut room = vec![0; ring::SMALLEST];
    // Positions beyond all of the smaller one.
    for _ in 0..15 {
        writer.send(&[7; 12_000]).unwrap();
        assert_eq!(reader.recv(&mut room), Ok(Received::Message(12_000)));
    }
    large.segment().remove().unwrap();
    let small = SysV::open(&Options::ring(channel.key(), ring::SMALLEST).unwrap(), Role::Guest).unwrap();
    small.ring().head().store(1, Ordering::Relaxed);
    let corrupt =
        |met: &dyn std::fmt::Debug| assert!(format!("{met:?}").contains("the head is no position"), "{met:?}");
    corrupt(&writer.recover(&mut WaitPolicy::non_blocking()).unwrap_err());
    corrupt(&reader.recv_with(&mut room, &mut WaitPolicy::timeout(Duration::from_secs(20))).unwrap_err());
    for _ in 0..3 {
        corrupt(&writer.try_send(&[7; 12_000]).unwrap_err());
        corrupt(&writer.try_send(b"short").unwrap_err());
        corrupt(&writer.send_all(&[b"one", b"two"]).unwrap_err());
        corrupt(&writer.reserve(8).map(drop).unwrap_err());
        corrupt(&reader.try_recv(&mut room).unwrap_err());
        corrupt(&reader.try_peek_next().map(drop).unwrap_err());
    }
    let untouched = |at: &usize| small.segment().word(*at).load(Ordering::Relaxed) == 0;
    assert!((ring::RECORDS_AT..ring::size(ring::SMALLEST)).step_by(4).all(|at| untouched(&at)));
    small.ring().head().store(0, Ordering::Relaxed);
    writer.try_send(b"at last").unwrap();
    assert_eq!(reader.try_recv(&mut room), Ok(Received::Message(7)));
    assert_eq!(&room[..7], b"at last");
}
