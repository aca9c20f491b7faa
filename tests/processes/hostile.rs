//! Peers that break the protocol, and third parties, where they were found to have
//! led astray: whatever they do, our side ends as it says it does.

use crate::support::{Channel, eventually, numbers};
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring::{RECORDS_AT, SMALLEST};
use shm_handoff::backend::sysv::Segment;
use std::io::Read;
use std::sync::atomic::Ordering;

const RING: &str = "--ring=64K";

/// A ring full of empty records, with no end, for a reader that looks ahead until it
/// has something to print. (One that releases them one by one sees a writer that sends
/// and sends.)
#[test]
fn records_without_an_end_are_no_ring_s() {
    let channel = Channel::new();
    channel.writer([RING, "--no-end"]).end().code(0);
    let segment = Segment::open(channel.key()).unwrap();
    for at in (0..SMALLEST).step_by(8) {
        segment.word(RECORDS_AT + at).store(1, Ordering::Release);
    }
    channel.reader(["--format=plain", "--timeout=5s"]).end().code(4).says(&["the records have no end"]);
}

/// A peer that keeps a reader busy with nothing does not keep it from a signal.
#[test]
fn a_signal_is_heard_between_empty_messages() {
    use shm_handoff::backend::sysv::{Options, SysV};
    use shm_handoff::{Ring, Writer};
    use std::time::{Duration, Instant};
    for format in ["--raw", "--format=plain"] {
        let channel = Channel::new();
        let mut writer = Writer::<SysV, Ring>::open(&Options::ring(channel.key(), SMALLEST).unwrap()).unwrap();
        let mut reader = channel.seated_reader(&[format]);
        let empties = [&b""[..]; 64];
        let mut asked = false;
        let limit = Instant::now() + Duration::from_secs(20);
        // Until the reader has gone, which it is asked to when it is at work.
        loop {
            assert!(Instant::now() < limit, "it does not hear");
            let policy = &mut shm_handoff::WaitPolicy::deadline(Instant::now() + Duration::from_millis(100));
            if writer.send_all_with(&empties, policy).is_err() && reader.has_ended() {
                break;
            }
            if !asked {
                reader.signal(libc::SIGINT);
                asked = true;
            }
        }
        reader.end().code(130);
        drop(writer);
    }
}

/// An end that is no end any more when the output took what came before it.
#[test]
fn an_end_that_is_taken_back_is_no_end() {
    for what in [0_u32, 5] {
        let channel = Channel::new();
        let line = "x".repeat(100_000) + "\n";
        channel.writer(["--ring=1M"]).input(line.clone()).end().code(0);
        let segment = Segment::open(channel.key()).unwrap();
        let end = RECORDS_AT + 8 + line.len().next_multiple_of(8);
        assert_eq!(segment.word(end).load(Ordering::Acquire), 1, "the end lies there");
        // The pipe holds 64 KiB of it.
        let mut reader = channel.reader(["--timeout=5s"]).held_output().start();
        channel.await_seated(Role::Reader, &mut reader);
        let mut output = reader.take_output();
        let mut first = [0; 1];
        output.read_exact(&mut first).unwrap();
        segment.word(end + 4).store(0, Ordering::Release);
        segment.word(end).store(what, Ordering::Release);
        let mut rest = Vec::new();
        output.read_to_end(&mut rest).unwrap();
        // It had looked at the end already, or it finds none now; it never takes
        // another message for one.
        let ended = reader.end();
        assert!(matches!(ended.status.code(), Some(3 | 4 | 124)), "{ended}");
        assert!(channel.stat().is_some(), "the segment was removed, with what came in the end's place");
    }
}

/// The semaphore set removed while the reader is busy with its output, and the writer
/// waits for room: a reader that can't take its seat anew yet has not gone.
#[test]
fn a_reader_without_a_seat_through_no_fault_of_its_own_has_not_gone() {
    let channel = Channel::new();
    let mut reader = channel.reader([RING, "--timeout=15s"]).held_output().start();
    channel.await_seated(Role::Reader, &mut reader);
    let sent = numbers(0..60_000);
    let mut writer = channel.writer([RING]).input(sent.clone()).start();
    // 300 kB: more than ring and pipe hold.
    eventually("the writer sleeps for room", || {
        let segment = Segment::open(channel.key()).ok()?;
        (segment.word(4608).load(Ordering::Acquire) == 1).then_some(())
    });
    channel.remove_seats();
    writer.until("seated anew", |_| channel.is_seated(Role::Writer));
    writer.stays("");
    let mut got = String::new();
    reader.take_output().read_to_string(&mut got).unwrap();
    assert!(got == sent, "{} bytes of {} came", got.len(), sent.len());
    writer.end().code(0);
    reader.end().code(0);
}

/// The memory removed while the end of the session waits for room: the end goes to the
/// new memory, where the reader is.
#[test]
fn an_end_that_waited_for_room_follows_the_reader() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[RING, "--raw"]);
    reader.stop();
    // All but the flag behind the last record: 16 bytes a line of 8, and one more.
    let lines = "1234567\n".repeat(4094) + "123456789012345\n";
    let mut writer = channel.writer([RING]).input(lines.clone()).start();
    eventually("the end waits for room", || {
        let segment = Segment::open(channel.key()).ok()?;
        (segment.word(4608).load(Ordering::Acquire) == 1).then_some(())
    });
    writer.stop();
    channel.remove_segment();
    reader.go_on();
    reader.until("on new memory", |_| channel.stat().is_some());
    writer.go_on();
    writer.end().code(0);
    reader.end().code(0).prints(lines);
}
