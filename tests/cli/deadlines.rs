//! `--timeout` is the longest wait without progress: what is no progress does not start it
//! anew, and a message does.

use crate::support::{Channel, Peer};
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::{READER_PARKED_AT, WRITER_PARKED_AT};
use shm_handoff::backend::sysv::Segment;
use std::time::{Duration, Instant};

/// Long enough that what happens again and again does so several times within it.
const LIMIT: Duration = Duration::from_millis(1500);

fn limited<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [more, &["--timeout=1500ms"]].concat()
}

/// Does this until the peer's time is over, which it is after [`LIMIT`] and not before.
fn times_out_beside(mut peer: Peer, since: Instant, mut again: impl FnMut()) {
    peer.until("its end", |peer| {
        again();
        peer.has_ended()
    });
    assert!(since.elapsed() >= LIMIT, "after {:?}", since.elapsed());
    peer.end().code(124);
}

/// Wakes whoever sleeps there, for nothing.
fn wake(channel: &Channel, hint: usize) {
    let segment = Segment::open(channel.key()).unwrap();
    // SAFETY: FUTEX_WAKE reads no memory; the address is that of a word of ours.
    unsafe { libc::syscall(libc::SYS_futex, segment.word(hint).as_ptr(), libc::FUTEX_WAKE, 1) };
}

#[test]
fn a_wake_without_a_message_is_no_progress() {
    let channel = Channel::new();
    let since = Instant::now();
    let mut reader = channel.reader(limited(&["--ring=64K"])).start();
    channel.await_seated(Role::Reader, &mut reader);
    times_out_beside(reader, since, || wake(&channel, READER_PARKED_AT));
}

#[test]
fn a_wake_without_room_is_no_progress() {
    let channel = Channel::new();
    channel.seated_reader(&["--ring=64K"]).kill();
    let since = Instant::now();
    let mut writer = channel.writer(limited(&["-v"])).input("x\n".repeat(100_000)).start();
    writer.until_says("Waiting...");
    times_out_beside(writer, since, || wake(&channel, WRITER_PARKED_AT));
}

/// Each of them wakes the reader, and leaves in order.
#[test]
fn writers_that_come_and_send_nothing_are_no_progress() {
    for layout in [&["--ring=64K"][..], &[]] {
        let channel = Channel::new();
        let since = Instant::now();
        let mut reader = channel.reader(limited(layout)).start();
        channel.await_seated(Role::Reader, &mut reader);
        times_out_beside(reader, since, || _ = channel.writer([layout, &["--no-end"]].concat()).input("").end());
    }
}

/// Nor are such as die.
#[test]
fn writers_that_die_are_no_progress() {
    for layout in [&["--ring=64K"][..], &[]] {
        let channel = Channel::new();
        let since = Instant::now();
        let mut reader = channel.reader(limited(&[layout, &["--follow", "-v"]].concat())).start();
        channel.await_seated(Role::Reader, &mut reader);
        let mut deaths = 0;
        times_out_beside(reader, since, || {
            let mut writer = channel.writer(layout).open_input().start();
            // Attached, it has been noted as a writer that has not left in order.
            writer.until("a writer to be missed", |_| channel.attached() == 2 || !channel.is_seated(Role::Reader));
            writer.kill();
            deaths += 1;
        });
        println!("{deaths} writers died in vain");
    }
}

/// The segment is removed again and again, and made anew.
#[test]
fn another_segment_is_no_progress() {
    for layout in [&["--ring=64K"][..], &[]] {
        let channel = Channel::new();
        let since = Instant::now();
        let mut reader = channel.reader(limited(layout)).start();
        channel.await_seated(Role::Reader, &mut reader);
        times_out_beside(reader, since, || channel.remove_segment());
    }
}

/// Together they take longer than the limit, each alone much less.
#[test]
fn a_message_starts_it_anew() {
    let lives_on = |layout: &[&str]| {
        let channel = Channel::new();
        let since = Instant::now();
        let mut reader = channel.reader([layout, &["--timeout=3s"]].concat()).start();
        channel.await_seated(Role::Reader, &mut reader);
        let mut writer = channel.seated_writer(layout);
        let mut sent = String::new();
        while since.elapsed() < Duration::from_secs(4) {
            writer.type_in("x\n");
            sent += "x\n";
            reader.until_prints(&sent);
            // The pace of the messages, which is what this is about.
            std::thread::sleep(Duration::from_millis(500));
        }
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0).prints(sent);
    };
    std::thread::scope(|scope| {
        for layout in [&["--ring=64K"][..], &["--ring=64K", "--raw"], &[]] {
            scope.spawn(move || lives_on(layout));
        }
    });
}
