//! SIGKILL, and segments that are removed, with a ring: what is noticed, what
//! becomes of the messages.

use crate::support::{Channel, Peer, eventually, ipc, is_writable, numbers};
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::{RECORDS_AT, RELEASED_AT, SMALLEST};
use shm_handoff::backend::sysv::Segment;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

const RING: &str = "--ring=64K";

/// Up to where everything was released.
fn place(channel: &Channel) -> u64 {
    Segment::open(channel.key()).unwrap().double_word(RELEASED_AT).load(Ordering::Acquire)
}

/// A stopped reader, that has released `first`, and a writer: in the ring lies what
/// it typed.
fn with_messages_in_the_ring(channel: &Channel) -> (Peer, Peer) {
    let mut reader = channel.seated_reader(&[RING]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("first\n");
    reader.until_prints("first\n");
    reader.until("released", |_| place(channel) == 16);
    reader.stop();
    writer.type_in("in the ring\nand there\n");
    writer.until("two messages in the ring", |_| {
        // 8 and 12 bytes, 8 and 10, with their padding, from 16 on.
        let segment = Segment::open(channel.key()).unwrap();
        segment.word(8192 + 16 + 24).load(Ordering::Acquire) == 11
    });
    (reader, writer)
}

fn lines(len: usize, count: usize) -> String {
    (0..count).fold(String::new(), |text, number| text + &format!("{number:0len$}\n"))
}

// Deaths.

#[test]
fn d9_absent_a_killed_writer_is_noticed() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("a\n");
    reader.until_prints("a\n");
    writer.kill();
    reader.end().code(3).prints("a\n").says(&["the writer died", "--follow"]);
}

#[test]
fn what_a_killed_writer_sent_is_read_first() {
    let channel = Channel::new();
    let (reader, writer) = with_messages_in_the_ring(&channel);
    writer.kill();
    reader.go_on();
    reader.end().code(3).prints("first\nin the ring\nand there\n");
}

#[test]
fn a_killed_reader_is_noticed_by_a_writer_that_needs_room() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
    reader.stop();
    let mut writer = channel.writer(["-v"]).input(lines(8000, 20)).start();
    writer.until_says("Waiting...");
    writer.stays("");
    reader.kill();
    writer.end().code(3).says(&["the reader left or died", "8 messages sent"]);
}

/// It was seen while the writer waited for input, and gave nothing back: nobody takes what it prints.
#[test]
fn a_reader_that_dies_before_it_gave_anything_back_is_noticed() {
    for signal in [libc::SIGKILL, libc::SIGTERM] {
        let channel = Channel::new();
        let (_unread, mut full) = std::io::pipe().unwrap();
        // SAFETY: F_GETPIPE_SZ takes no pointer.
        let size = unsafe { libc::fcntl(full.as_raw_fd(), libc::F_GETPIPE_SZ) };
        full.write_all(&vec![b'x'; usize::try_from(size).unwrap()]).unwrap();
        let mut reader = channel.reader([RING]).output_to(full).start();
        channel.await_seated(Role::Reader, &mut reader);
        let (input, mut typed) = std::io::pipe().unwrap();
        let mut writer = channel.writer([RING]).input_from(input).start();
        channel.await_seated(Role::Writer, &mut writer);
        typed.write_all(b"first\n").unwrap();
        writer.until("a message in the ring", |_| {
            Segment::open(channel.key()).unwrap().word(RECORDS_AT).load(Ordering::Acquire) == 7
        });
        // For some looks of the writer at its peer.
        writer.stays("");
        reader.signal(signal);
        reader.end();
        // That it takes no more of it is what it should do.
        std::thread::spawn(move || drop(typed.write_all(numbers(0..100_000).as_bytes())));
        writer.end().code(3).says(&["the reader left or died"]);
    }
}

#[test]
fn the_successor_of_a_killed_reader_gets_what_was_not_released() {
    let channel = Channel::new();
    let (reader, mut writer) = with_messages_in_the_ring(&channel);
    reader.kill();
    // The writer has room: it lives on with the next one.
    let mut next = channel.seated_reader(&[]);
    next.until_prints("in the ring\nand there\n");
    writer.type_in("and on\n");
    writer.close_input();
    writer.end().code(0);
    next.end().code(0).prints("in the ring\nand there\nand on\n");
    channel.assert_nothing_left();
}

/// What an output has taken, by one write after another, was received: of that comes
/// again what the last write carried a part of.
#[test]
fn only_what_was_not_wholly_written_comes_again() {
    for (len, format) in [(99, "plain"), (9, "plain"), (3000, "plain"), (5000, "plain"), (99, "label")] {
        let channel = Channel::new();
        let sent = lines(len, (1 << 20) / (len + 1));
        let (mut output, full) = std::io::pipe().unwrap();
        let run = channel.reader([RING, "--format", format]).output_to(full.try_clone().unwrap());
        let mut reader = run.start();
        channel.await_seated(Role::Reader, &mut reader);
        let mut writer = channel.writer([""; 0]).input(sent.clone()).start();
        // Nothing goes into the pipe any more, so whatever the reader sleeps for now comes after
        // the release of what it has written.
        reader.until("a reader that waits for its output", |reader| !is_writable(&full) && reader.waits());
        drop(full);
        // It needs room, and would end if it looked before the next reader comes.
        writer.stop();
        reader.kill();
        let mut first = Vec::new();
        output.read_to_end(&mut first).unwrap();
        let mut second = channel.reader(["--format", format]).start();
        channel.await_seated(Role::Reader, &mut second);
        writer.go_on();
        let mut second = second.end();
        second.code(0);
        writer.end().code(0);
        let label = |line: &str| if format == "label" { format!("You wrote: {line}") } else { line.to_owned() };
        let expected: String = sent.split_inclusive('\n').map(label).collect();
        assert!(expected.as_bytes().starts_with(&first), "the first reader's output");
        let second = std::mem::take(&mut second.stdout);
        assert!(expected.as_bytes().ends_with(&second), "the second reader's output");
        let twice = (first.len() + second.len()).checked_sub(expected.len()).expect("nothing is lost");
        // A message that was cut in two by the end of the pipe.
        assert!(twice < label("").len() + len + 1, "{twice} bytes came twice, of lines of {len}");
    }
}

#[test]
fn messages_outlive_both_sides() {
    let channel = Channel::new();
    let (reader, writer) = with_messages_in_the_ring(&channel);
    writer.kill();
    reader.kill();
    channel.writer(["behind"]).end().code(0);
    channel.reader(["--count=3"]).end().code(0).prints("in the ring\nand there\nbehind\n");
    let reader = channel.seated_reader(&[]);
    channel.writer([""; 0]).end().code(0);
    reader.end().code(0).prints("");
    channel.assert_nothing_left();
}

#[test]
fn an_end_in_the_ring_of_a_killed_writer_is_an_end() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
    reader.stop();
    channel.writer([""; 0]).input("last\n").end().code(0);
    channel.seated_writer(&[]).kill();
    reader.go_on();
    reader.end().code(0).prints("last\n");
    channel.assert_nothing_left();
}

#[test]
fn follow_outlives_killed_writers() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING, "--follow"]);
    let mut sent = String::new();
    for round in 0..5 {
        let mut writer = channel.seated_writer(&[]);
        let line = format!("{round}\n");
        writer.type_in(&line);
        sent += &line;
        reader.until_prints(&sent);
        writer.kill();
    }
    channel.writer(["--no-end"]).input("in order\n").end().code(0);
    channel.writer([""; 0]).input("last\n").end().code(0);
    reader.end().code(0).prints(sent + "in order\nlast\n");
    channel.assert_nothing_left();
}

/// Each is killed in the middle of many lines, and another one goes on.
#[test]
fn readers_killed_in_the_middle_lose_nothing() {
    let channel = Channel::new();
    let sent = numbers(0..200_000);
    // It ends when it is told to: else the lines could be over before a reader is killed.
    let mut writer = channel.seated_writer(&[RING]);
    let mut at_least = 0;
    for round in 0..8 {
        let mut reader = channel.reader([""; 0]).start();
        channel.await_seated(Role::Reader, &mut reader);
        writer.go_on();
        writer.type_in(numbers(25_000 * round..25_000 * (round + 1)));
        reader.until("some output", |reader| reader.printed().len() > 1000);
        // Another moment each time: no condition says which.
        std::thread::sleep(std::time::Duration::from_micros(500 * u64::from(round)));
        // It has met readers: without one it would not wait for room.
        writer.stop();
        let got = reader.kill().stdout;
        // A part of the whole, that begins where the one before ended or earlier.
        let got = String::from_utf8(got).unwrap();
        let whole = got.rfind('\n').map_or("", |end| &got[..=end]);
        let begins = if sent.starts_with(whole) { 0 } else { sent.find(&format!("\n{whole}")).unwrap() + 1 };
        assert!(begins <= at_least, "{} bytes are lost", begins - at_least);
        at_least = at_least.max(begins + whole.len());
    }
    let mut last = channel.reader([""; 0]).start();
    channel.await_seated(Role::Reader, &mut last);
    writer.go_on();
    writer.close_input();
    let last = last.end();
    let got = String::from_utf8(last.code(0).stdout.clone()).unwrap();
    assert!(sent.ends_with(&got) && sent.len() - got.len() <= at_least, "the rest is there");
    writer.end().code(0);
    channel.assert_nothing_left();
}

// Segments that are removed.

fn segment(channel: &Channel) -> i32 {
    ipc::find_segment(channel.key().number()).expect("there is a segment")
}

fn await_new_segment(channel: &Channel, old: i32) {
    eventually("a new segment", || ipc::find_segment(channel.key().number()).filter(|id| *id != old));
}

#[test]
fn the_segment_is_removed_while_the_reader_waits() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[RING]);
    let old = segment(&channel);
    channel.remove_segment();
    await_new_segment(&channel, old);
    assert_eq!(channel.stat().unwrap().size, 8192 + SMALLEST, "a ring like the one before");
    channel.writer([""; 0]).input("once\n").end().code(0);
    reader.end().code(0).prints("once\n");
    channel.assert_nothing_left();
}

#[test]
fn the_segment_is_removed_while_the_writer_waits_for_input() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
    let mut writer = channel.seated_writer(&[]);
    for round in 0..5 {
        writer.type_in(format!("{round}\n"));
        reader.until_prints(numbers(0..round + 1));
        channel.remove_segment();
    }
    writer.type_in("5\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(numbers(0..6));
    channel.assert_nothing_left();
}

#[test]
fn the_segment_is_removed_while_the_writer_waits_for_room() {
    let channel = Channel::new();
    let sent = lines(8000, 20);
    let mut reader = channel.seated_reader(&[RING]);
    reader.stop();
    let mut writer = channel.writer(["-v"]).input(sent.clone()).start();
    writer.until_says("Waiting...");
    channel.remove_segment();
    writer.stays("");
    reader.go_on();
    writer.end().code(0).says(&["20 messages sent"]);
    reader.end().code(0).prints(sent);
    channel.assert_nothing_left();
}

/// The reader dies on the removed segment: what it left unread is sent again, once,
/// on the new one.
#[test]
fn what_lies_in_a_removed_segment_is_sent_again() {
    let channel = Channel::new();
    let (reader, mut writer) = with_messages_in_the_ring(&channel);
    let old = segment(&channel);
    channel.remove_segment();
    reader.kill();
    await_new_segment(&channel, old);
    writer.type_in("and on\n");
    writer.close_input();
    writer.end().code(0);
    channel.reader([""; 0]).end().code(0).prints("in the ring\nand there\nand on\n");
    channel.assert_nothing_left();
}

/// A capacity that nobody asked for is none that is insisted on.
#[test]
fn the_next_ring_may_have_another_capacity() {
    let channel = Channel::new();
    let (reader, mut writer) = with_messages_in_the_ring(&channel);
    // The writer has no time to notice before the next one is there.
    writer.stop();
    channel.remove_segment();
    reader.kill();
    let mut next = channel.seated_reader(&["--ring=1M"]);
    writer.go_on();
    next.until_prints("in the ring\nand there\n");
    writer.type_in("and on\n");
    writer.close_input();
    writer.end().code(0);
    next.end().code(0).prints("in the ring\nand there\nand on\n");
    channel.assert_nothing_left();
}

/// What was asked for is.
#[test]
fn the_next_ring_must_have_the_capacity_that_was_asked_for() {
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&[RING]);
    writer.stop();
    channel.remove_segment();
    let _next = channel.seated_reader(&["--ring=1M"]);
    writer.go_on();
    writer.end().code(4).says(&["a ring of 1 MiB", "a ring of 64 KiB"]);
}

/// What goes into the old one does not always go into the new one: it is reported.
#[test]
fn what_is_too_long_for_the_next_ring_is_reported() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--ring=1M"]);
    reader.stop();
    let long = format!("{}\n", "x".repeat(99_999));
    let mut writer = channel.seated_writer(&["-v"]);
    writer.type_in(&long);
    writer.until("a message in the ring", |_| {
        Segment::open(channel.key()).unwrap().word(8192).load(Ordering::Acquire) == 100_001
    });
    writer.stop();
    channel.remove_segment();
    reader.kill();
    let next = channel.seated_reader(&[RING]);
    writer.go_on();
    writer.end().code(5).says(&[
        "shmwrite: what was sent before can't be sent again: it has more than 16384 bytes; 1 sent before lies in a removed \
         segment, unread; 1 message sent",
    ]);
    next.end().code(3).prints("");
}

/// Again and again, wherever the two are. The input ends after the last removal: what a
/// writer has sent and left behind, before any reader was attached there, goes with a
/// removal that comes later.
#[test]
fn the_segment_is_removed_in_the_middle_of_many_lines() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[RING]);
    // It asks for a ring, too: where it meets none it would make a classic slot.
    let mut writer = channel.seated_writer(&[RING]);
    for part in 0..20 {
        writer.type_in(numbers(5000 * part..5000 * (part + 1)));
        if part < 19 {
            // As above: another moment each time.
            std::thread::sleep(std::time::Duration::from_micros(u64::from(part) * 300));
            channel.remove_segment();
        }
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(numbers(0..100_000));
    channel.remove_segment();
}

/// Both take their seats anew.
#[test]
fn the_semaphore_set_is_removed() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
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

/// A program of the tutorial that comes by mistake gets the decoy, and harms nothing.
#[test]
fn a_program_of_the_tutorial_takes_the_decoy() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING]);
    let segment = Segment::open(channel.key()).unwrap();
    segment.word(0).store(0, Ordering::Release);
    segment.payload(4, 2048).write_text(b"end\n");
    segment.word(0).store(1, Ordering::Release);
    drop(segment);
    reader.stays("");
    channel.writer([""; 0]).input("fine\n").end().code(0);
    reader.end().code(0).prints("fine\n");
    channel.assert_nothing_left();
}
