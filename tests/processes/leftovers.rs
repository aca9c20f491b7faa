//! Who makes and who removes: nothing is left behind by a clean end, whoever
//! comes or leaves first.

use crate::support::{Channel, Peer, eventually, ipc, rounds};
use shm_handoff::Role;

#[test]
fn nothing_is_left_when_the_reader_leaves_last() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    channel.writer(["end"]).end().code(0);
    assert!(channel.stat().is_some() && channel.is_seated(Role::Reader));
    reader.go_on();
    reader.end().code(0);
    channel.assert_nothing_left();
}

/// As long as one side is seated the set is its own, and the next one of the
/// other side finds it there.
#[test]
fn who_leaves_first_leaves_the_seats_to_the_other() {
    for first in [Role::Writer, Role::Reader] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&["--follow"]);
        let mut writer = channel.seated_writer(&[]);
        let set = ipc::find_set(channel.key().seats());
        if first == Role::Writer {
            writer.signal(libc::SIGTERM);
            writer.end().code(143);
            writer = channel.seated_writer(&[]);
        } else {
            reader.signal(libc::SIGTERM);
            reader.end().code(143);
            reader = channel.seated_reader(&["--follow"]);
        }
        assert_eq!(ipc::find_set(channel.key().seats()), set, "the {first} that left took the set along");
        writer.type_in("hello\n");
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0).prints("hello\n");
        channel.assert_nothing_left();
    }
}

/// Both started at once, with a fresh key each time: one of the two makes the
/// segment and the set, and whoever leaves last takes the set away.
#[test]
fn two_creators_at_once_meet_and_leave_nothing() {
    let mut readers_last = 0;
    let rounds = rounds(50);
    for round in 0..rounds {
        let channel = Channel::new();
        let (read, write) = (channel.reader([""; 0]), channel.writer([""; 0]).input(format!("{round}\n")));
        let (mut reader, mut writer) = if round % 2 == 0 {
            let reader = read.start();
            (reader, write.start())
        } else {
            let writer = write.start();
            (read.start(), writer)
        };
        eventually("an end of either side", || (reader.has_ended() || writer.has_ended()).then_some(()));
        readers_last += u32::from(!reader.has_ended());
        writer.end().code(0);
        reader.end().code(0).prints(format!("{round}\n"));
        channel.assert_nothing_left();
    }
    println!(
        "{rounds} sessions; the reader was the last to leave in {readers_last} or fewer, the writer in the others"
    );
}

/// Several of one kind at once: one gets the seat, the others are told so.
#[test]
fn of_many_at_once_one_gets_each_seat() {
    for _ in 0..5 {
        let channel = Channel::new();
        let mut readers: Vec<_> = (0..4).map(|_| channel.reader([""; 0]).start()).collect();
        eventually("three readers that were refused", || {
            (readers.iter_mut().map(Peer::has_ended).filter(|ended| *ended).count() == 3).then_some(())
        });
        channel.writer([""; 0]).input("one\n").end().code(0);
        let ended: Vec<_> = readers.into_iter().map(Peer::end).collect();
        let codes: Vec<_> = ended.iter().map(|ended| ended.status.code().unwrap()).collect();
        assert_eq!(codes.iter().filter(|code| **code == 6).count(), 3, "{codes:?}");
        ended.iter().find(|ended| ended.status.success()).expect("one of them reads").prints("one\n");
        channel.assert_nothing_left();
    }
}

/// Every way to leave but an end leaves the segment, with what is in it.
#[test]
fn only_an_end_removes_the_segment() {
    let channel = Channel::new();
    let id = |channel: &Channel| ipc::find_segment(channel.key().number()).unwrap();
    let mut reader = channel.seated_reader(&[]);
    let first = id(&channel);
    channel.writer(["--no-end"]).input("a\n").end().code(0);
    reader.until_prints("a\n");
    reader.signal(libc::SIGINT);
    reader.end().code(130);
    channel.reader(["--timeout", "1ms"]).end().code(124);
    channel.writer(["--timeout", "1ms", "x"]).end().code(124);
    channel.seated_reader(&[]).kill();
    channel.seated_writer(&[]).kill();
    assert_eq!(id(&channel), first, "the segment is another one");
    let reader = channel.seated_reader(&[]);
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}
