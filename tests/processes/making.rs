//! How a ring is made, and what passes for one.

use crate::support::{Channel, Run, SHM_HANDOFF, eventually, ipc, rounds};
use shm_handoff::backend::memory::offsets::SLOT;
use shm_handoff::backend::memory::offsets::ring::{
    CAPACITY_AT, DECOY, HEAD_AT, MAGIC, MAGIC_AT, RECORDS_AT, SCHEMA_AT, SMALLEST, STREAM_AT, VERSION, VERSION_AT,
    WRITER_PARKED_AT, has_wide, size,
};
use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::{Error, Reader, RecvError, Ring, Role, SendError, Slot, WaitPolicy, Writer};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

const ORDER: Ordering = Ordering::SeqCst;

/// Both programs, which should not get far.
fn each(channel: &Channel) -> [Run; 2] {
    [channel.reader(["--timeout=20ms"]), channel.writer(["--timeout=20ms", "x"])]
}

/// What lies in all of a segment.
fn contents(segment: &Segment) -> Vec<u32> {
    let is_wide = |at: &usize| has_wide(*at, at + 4);
    let words = (0..segment.size()).step_by(4).filter(|at| !is_wide(at)).map(|at| segment.word(at).load(ORDER));
    let wide = (0..segment.size()).step_by(8).filter(is_wide).map(|at| segment.double_word(at).load(ORDER));
    words
        .chain(wide.flat_map(|wide| [wide >> 32, wide & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap())))
        .collect()
}

/// A session works, and leaves nothing.
fn works(channel: &Channel) {
    channel.writer(["--ring=64K"]).input("hello\n").end().code(0);
    channel.reader([""; 0]).end().code(0).prints("hello\n");
    channel.assert_nothing_left();
}

fn raw_segment(channel: &Channel, change: impl FnOnce(&Segment)) {
    let segment = Segment::create_new(channel.key(), size(SMALLEST), 0o600).unwrap();
    change(&segment);
}

#[test]
fn a_ring_is_as_the_table_says() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "hello"]).end().code(0);
    let segment = Segment::open(channel.key()).unwrap();
    assert_eq!(segment.size(), RECORDS_AT + SMALLEST);
    // What a program of the tutorial sees.
    let mut text = [0; 2048];
    let len = segment.payload(SLOT.text_at, SLOT.text_len).read_text(&mut text);
    assert_eq!((segment.word(SLOT.flag_at).load(ORDER), len), (1, Some(DECOY.len())));
    assert_eq!(&text[..DECOY.len()], DECOY);
    assert_eq!(&segment.double_word(MAGIC_AT).load(ORDER).to_ne_bytes(), b"shm-ring");
    assert_eq!(segment.word(VERSION_AT).load(ORDER), 2);
    assert_eq!(segment.double_word(CAPACITY_AT).load(ORDER), SMALLEST as u64);
    assert_ne!(segment.double_word(STREAM_AT).load(ORDER), 0);
    assert_eq!(segment.double_word(SCHEMA_AT).load(ORDER), 0, "no type was told");
    // A record: its length and one, its kind, its bytes.
    assert_eq!((segment.word(RECORDS_AT).load(ORDER), segment.word(RECORDS_AT + 4).load(ORDER)), (7, 0));
    let mut bytes = [0; 6];
    segment.payload(RECORDS_AT + 8, 8).read_bytes(&mut bytes);
    assert_eq!(&bytes, b"hello\n");
    // Its decoy is nothing that we rely upon.
    segment.payload(0, 2052).write_bytes(&[0xFF; 2052]);
    drop(segment);
    channel.reader(["--count=1"]).end().code(0).prints("hello\n");
}

#[test]
fn a_ring_whose_maker_died_is_made_anew() {
    let steps: [fn(&Segment); 6] = [
        |_| {},
        // Whatever its id and its schema were to be.
        |segment| {
            segment.word(VERSION_AT).store(VERSION, ORDER);
            segment.double_word(STREAM_AT).store(u64::MAX, ORDER);
            segment.double_word(SCHEMA_AT).store(u64::MAX, ORDER);
        },
        |segment| assert!(segment.payload(SLOT.text_at, SLOT.text_len).write_text(&DECOY[..20])),
        |segment| assert!(segment.payload(SLOT.text_at, SLOT.text_len).write_text(DECOY)),
        |segment| segment.word(SLOT.flag_at).store(1, ORDER),
        |segment| {
            segment.payload(SLOT.text_at, SLOT.text_len).write_text(DECOY);
            segment.word(SLOT.flag_at).store(1, ORDER);
            segment.word(VERSION_AT).store(VERSION, ORDER);
            segment.double_word(CAPACITY_AT).store(SMALLEST as u64, ORDER);
        },
    ];
    for step in steps {
        let channel = Channel::new();
        raw_segment(&channel, step);
        let id = ipc::find_segment(channel.key().number());
        channel.writer(["--no-end"]).input("first\n").end().code(0);
        assert_eq!(ipc::find_segment(channel.key().number()), id, "it is the same segment");
        channel.reader(["--ring=64K", "--count=1"]).end().code(0).prints("first\n");
        works(&channel);
    }
}

#[test]
fn what_only_has_a_ring_s_size_is_no_channel_and_left_alone() {
    let steps: [fn(&Segment); 10] = [
        |segment| segment.word(0).store(2, ORDER),
        |segment| assert!(segment.payload(4, 8).write_text(b"other")),
        |segment| segment.word(3000).store(1, ORDER),
        |segment| segment.double_word(MAGIC_AT).store(MAGIC + 1, ORDER),
        |segment| segment.word(VERSION_AT).store(VERSION + 1, ORDER),
        |segment| segment.double_word(HEAD_AT).store(8, ORDER),
        |segment| segment.word(WRITER_PARKED_AT).store(1, ORDER),
        |segment| segment.word(RECORDS_AT).store(1, ORDER),
        |segment| segment.word(50_000).store(1, ORDER),
        |segment| segment.word(segment.size() - 4).store(1, ORDER),
    ];
    for (number, step) in steps.into_iter().enumerate() {
        let channel = Channel::new();
        raw_segment(&channel, step);
        let before = contents(&Segment::open(channel.key()).unwrap());
        for run in each(&channel) {
            run.end().code(4).prints("").says(&["no ring's header", "shm-handoff rm --force"]);
        }
        assert!(contents(&Segment::open(channel.key()).unwrap()) == before, "it was changed, step {number}");
    }
}

/// Somebody may be about to make it.
#[test]
fn what_somebody_is_attached_to_is_not_made_anew() {
    let channel = Channel::new();
    let somebody = Segment::create_new(channel.key(), size(SMALLEST), 0o600).unwrap();
    for run in each(&channel) {
        run.end().code(4).says(&["no ring's header"]);
    }
    assert!(contents(&somebody).iter().all(|word| *word == 0));
    drop(somebody);
    works(&channel);
}

/// What a side that waits for its maker has found is no longer at the key.
#[test]
fn what_is_removed_while_a_side_waits_for_its_maker_keeps_nobody_out() {
    let channel = Channel::new();
    let somebody = Segment::create_new(channel.key(), size(SMALLEST), 0o600).unwrap();
    let reader = channel.reader(["--ring=64K"]).start();
    eventually("the reader is attached", || (somebody.stat().unwrap().attached == 2).then_some(()));
    somebody.remove().unwrap();
    channel.writer(["--ring=64K"]).input("hello\n").end().code(0);
    reader.end().code(0).prints("hello\n");
    channel.assert_nothing_left();
}

#[test]
fn a_ring_of_another_version_or_capacity_is_no_channel() {
    for (wrong, says) in [
        ((VERSION_AT, 1), &["version 1", "version 2"]),
        ((VERSION_AT, 3), &["version 3", "version 2"]),
        ((VERSION_AT, 0), &["version 0", "version 2"]),
        ((CAPACITY_AT, 2 * SMALLEST as u64), &["131072 bytes", "and has 65536"]),
        ((CAPACITY_AT, 0), &["0 bytes", "and has 65536"]),
        ((CAPACITY_AT, u64::MAX), &["18446744073709551615 bytes", "and has 65536"]),
    ] {
        let channel = Channel::new();
        channel.writer(["--ring=64K", "kept"]).end().code(0);
        let segment = Segment::open(channel.key()).unwrap();
        let (at, value) = wrong;
        if at == VERSION_AT {
            segment.word(at).store(u32::try_from(value).unwrap(), ORDER);
        } else {
            segment.double_word(at).store(value, ORDER);
        }
        let before = contents(&segment);
        for run in each(&channel) {
            run.end().code(4).prints("").says(says);
        }
        assert!(contents(&segment) == before, "it was changed");
        // Where nobody uses it any more, the way out is named.
        drop(segment);
        let key = channel.key().number().to_string();
        for run in each(&channel) {
            run.end().code(4).says(&[&format!("shm-handoff rm --force {key}")]);
        }
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["rm", "--force", &key]);
        Run::new(command).end().code(0);
        channel.assert_nothing_left();
    }
}

/// The first two of each session, a fresh key each time: one makes it, and both meet.
#[test]
fn two_makers_at_once_meet_in_one_ring() {
    for round in 0..rounds(200) {
        let channel = Channel::new();
        let read = channel.reader(["--ring=64K"]);
        let write = channel.writer(["--ring=64K"]).input(format!("{round}\n"));
        let (reader, writer) = if round % 2 == 0 {
            let reader = read.start();
            (reader, write.start())
        } else {
            let writer = write.start();
            (read.start(), writer)
        };
        writer.end().code(0).says_nothing();
        reader.end().code(0).prints(format!("{round}\n")).says_nothing();
        channel.assert_nothing_left();
    }
}

/// At any moment of its start.
#[test]
fn a_maker_that_is_killed_is_no_obstacle() {
    for round in 0..40_u64 {
        let channel = Channel::new();
        let mut maker = channel.reader(["--ring=64K"]).start();
        match round % 4 {
            0 => {}
            1 => eventually("a segment", || (channel.stat().is_some() || maker.has_ended()).then_some(())),
            // Another moment each time, before there is a segment or after: no condition says which.
            _ => std::thread::sleep(std::time::Duration::from_micros(100 * round)),
        }
        maker.kill();
        works(&channel);
    }
}

/// A side that can use one layout makes that one, where either would have done.
#[test]
fn a_typed_side_makes_its_own_layout() {
    let channel = Channel::new();
    let any = Options::any(channel.key());
    let writer = Writer::<SysV, Ring>::open(&any).unwrap();
    assert!(matches!(writer.backend().layout(), Layout::Ring { .. }));
    let reader = Reader::<SysV>::open(&any).unwrap();
    assert_eq!(reader.backend().layout(), writer.backend().layout());
    writer.backend().segment().remove().unwrap();
    drop((writer, reader));
    let writer = Writer::<SysV, Slot>::open(&any).unwrap();
    assert_eq!(writer.backend().layout(), Layout::Slot);
    writer.backend().segment().remove().unwrap();
}

/// Whose id is another's could be taken for it, by whoever passes messages on.
#[test]
fn each_ring_has_an_id_of_its_own() {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let channel = Channel::new();
        let ring = SysV::open(&Options::any_ring(channel.key()), Role::Guest).unwrap();
        ring.segment().remove().unwrap();
        assert!(seen.insert(ring.stream().expect("a ring has one")));
    }
}

#[test]
fn a_side_of_another_schema_is_refused_and_changes_nothing() {
    let channel = Channel::new();
    let options = Options::ring(channel.key(), SMALLEST).unwrap();
    let mut writer = Writer::<SysV>::open(&options.schema(0xAB)).unwrap();
    writer.send(b"kept\n").unwrap();
    let refused = Reader::<SysV>::open(&options.schema(0xCD)).unwrap_err();
    assert_eq!(refused, Error::OtherSchema { key: channel.key().number(), found: 0xAB, wanted: 0xCD, text: None });
    assert_eq!(refused.class(), shm_handoff::error::Class::NotOurs, "exit 4");
    let says = refused.to_string();
    assert!(says.contains("0x00000000000000ab") && says.contains("0x00000000000000cd"), "both are named: {says}");
    drop(writer);
    channel.reader(["--count=1"]).end().code(0).prints("kept\n");
    works(&channel);
}

/// The guard is there for those who ask for it.
#[test]
fn a_ring_without_a_schema_suits_every_side() {
    let channel = Channel::new();
    let options = Options::any_ring(channel.key());
    let writer = Writer::<SysV>::open(&options).unwrap();
    let reader = Reader::<SysV>::open(&options.schema(0xCD)).unwrap();
    assert_eq!((writer.backend().schema(), reader.backend().schema()), (None, None));
    reader.backend().segment().remove().unwrap();
}

/// The guard must not end the session of those that it guards.
#[test]
fn a_side_of_another_schema_disturbs_nobody() {
    let channel = Channel::new();
    let options = Options::ring(channel.key(), SMALLEST).unwrap();
    let (ours, theirs) = (options.schema(8), options.schema(7));
    let mut reader = Reader::<SysV>::open(&ours).unwrap();
    let waits = std::thread::spawn(move || {
        let received = reader.recv_with(&mut [0; 1024], &mut WaitPolicy::timeout(Duration::from_millis(300)));
        (received, reader)
    });
    while !waits.is_finished() {
        assert!(matches!(Writer::<SysV>::open(&theirs), Err(Error::OtherSchema { .. })));
    }
    let (received, reader) = waits.join().unwrap();
    assert_eq!(received, Err(RecvError::TimedOut), "no writer was there that could have died");
    reader.close().unwrap();
    let mut writer = Writer::<SysV>::open(&ours).unwrap();
    while writer.try_send(&[0; SMALLEST / 4]).is_ok() {}
    let waits = std::thread::spawn(move || {
        let sent = writer.send_with(&[0; SMALLEST / 4], &mut WaitPolicy::timeout(Duration::from_millis(300)));
        (sent, writer)
    });
    while !waits.is_finished() {
        assert!(matches!(Reader::<SysV>::open(&theirs), Err(Error::OtherSchema { .. })));
    }
    let (sent, writer) = waits.join().unwrap();
    assert_eq!(sent, Err(SendError::TimedOut), "no reader was there that could have gone");
    writer.backend().segment().remove().unwrap();
}
