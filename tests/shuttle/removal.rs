//! Memory that is removed: by a third party, as `ipcrm` does, and by the reader
//! at the end of each session.

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::{len_of, slot, text};
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::inside::slot::flag::FULL;
use shm_handoff::sync::Ordering;
use shm_handoff::{Reader, RecvError, Role, SendError, Writer, backend::Backend};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

/// Removes the memory at `slot` every now and then, until so many were received;
/// and, if `one_at_a_time`, not again before a message has gone through the new
/// memory.
fn remove_now_and_then(slot: &Channel, oracle: &Oracle, until: usize, one_at_a_time: bool) {
    loop {
        // Long pauses, and now and then almost none.
        let longest = [2, 20, 200][thread_rng().gen_range(0..3)];
        for _ in 0..thread_rng().gen_range(0..longest) {
            thread::yield_now();
        }
        if oracle.count() >= until {
            return;
        }
        InProc::open(slot, Role::Guest).unwrap().remove().unwrap();
        noted("removed");
        let offered = oracle.offered();
        while one_at_a_time && oracle.count() < until.min(offered + 1) {
            thread::yield_now();
        }
    }
}

/// **S5** A third party removes the memory at any moment, again and again,
/// while a writer and a reader are at work: each message is received once and
/// in order, on the old memory or on the new.
///
/// (It stops before the writer leaves: a message that was sent again while
/// leaving is not looked after any more, and a second removal right then loses
/// it. The next claim is about leaving.)
#[test]
fn s5_removed_by_a_third_party() {
    let size = Size { executions: 30, messages: 1000 };
    let floors = [(PREEMPTED, 500_000), ("removed", 6_000)];
    claim(
        "S5",
        "memory removed by a third party at random moments: each message once, in order",
        size,
        &floors,
        |messages| {
            let (slot, oracle) = (slot(), Oracle::default());
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let theirs = oracle.clone();
            let writer = thread::spawn(move || {
                for n in 0..messages {
                    theirs.offer(n);
                    writer.send(&text(n)).unwrap();
                    theirs.sent();
                }
                writer.close().unwrap();
            });
            let theirs = oracle.clone();
            let third = thread::spawn(move || remove_now_and_then(&slot, &theirs, messages - 10, false));
            let mut buffer = [0; 16];
            while oracle.count() < messages {
                let message = reader.peek().unwrap();
                oracle.peeked(message.text());
                if thread_rng().gen_bool(0.8) {
                    message.release();
                    oracle.released();
                }
            }
            third.join().unwrap();
            writer.join().unwrap();
            assert!(oracle.nothing_is_left() && reader.try_recv(&mut buffer) == Err(RecvError::WouldBlock));
        },
    );
}

/// **S5** The same for writers that leave after a message or two, where the
/// memory is not removed again before a message has gone through the new one.
#[test]
fn s5_removed_while_writers_leave() {
    let size = Size { executions: 30, messages: 1000 };
    let floors = [(PREEMPTED, 500_000), ("removed", 6_000)];
    claim(
        "S5",
        "the same with writers that leave after a message or two; one removal at a time",
        size,
        &floors,
        |messages| {
            let (slot, oracle) = (slot(), Oracle::default());
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let (theirs, same) = (oracle.clone(), slot.clone());
            let writers = thread::spawn(move || {
                let mut n = 0;
                while n < messages {
                    let mut writer = Writer::<InProc>::open(&same).unwrap();
                    for _ in 0..thread_rng().gen_range(1..3) {
                        if n < messages {
                            theirs.offer(n);
                            writer.send(&text(n)).unwrap();
                            theirs.sent();
                            n += 1;
                        }
                    }
                    writer.close().unwrap();
                }
            });
            let theirs = oracle.clone();
            let third = thread::spawn(move || remove_now_and_then(&slot, &theirs, messages, true));
            let mut buffer = [0; 16];
            while oracle.count() < messages {
                let len = len_of(reader.recv(&mut buffer).unwrap());
                oracle.received(&buffer[..len]);
            }
            third.join().unwrap();
            writers.join().unwrap();
            assert!(oracle.nothing_is_left() && reader.try_recv(&mut buffer) == Err(RecvError::WouldBlock));
        },
    );
}

/// Sends `n`, or the end of the session, again and again while no reader is
/// there to wait for.
fn send(writer: &mut Writer<InProc>, text: &[u8]) -> Result<(), SendError> {
    loop {
        match writer.send(text) {
            Err(SendError::ReaderGone) => {
                noted("reader gone");
                thread::yield_now();
            }
            other => return other,
        }
    }
}

/// What a session's reader leaves behind: the memory that it closed. It must
/// stay as it is, forever full.
struct Closed {
    memory: InProc,
    text: Vec<u8>,
}

impl Closed {
    fn check(&self) {
        let mut text = [0; 16];
        assert_eq!(self.memory.slot().flag.load(Ordering::Relaxed), FULL, "closed memory was released");
        let len = self.memory.slot().text.read_text(&mut text).unwrap();
        assert_eq!(text[..len], self.text, "somebody has written into closed memory");
    }
}

/// **S6** Session after session, each ended by `end` and closed by its reader:
/// what was sent in one is received in it, what comes after its `end` reaches
/// the next, and nobody writes into closed memory. A reader that closes early,
/// at a message it has not released, gets that message again in the next.
#[test]
fn s6_session_after_session() {
    const END: &[u8] = b"end\n";
    let size = Size { executions: 30, messages: 1000 };
    let floors = [
        (PREEMPTED, 500_000),
        ("ended", 20_000),
        ("closed early", 8_000),
        ("came again", 8_000),
        ("new writer", 10_000),
    ];
    claim(
        "S6",
        "sessions with `end` and close: each message once, in its session; nobody writes into closed memory",
        size,
        &floors,
        |messages| {
            let (slot, oracle) = (slot(), Oracle::default());
            let (theirs, same) = (oracle.clone(), slot.clone());
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let writer = thread::spawn(move || {
                for n in 0..messages {
                    theirs.offer(n);
                    send(&mut writer, &text(n)).unwrap();
                    theirs.sent();
                    if n + 1 == messages || thread_rng().gen_bool(0.3) {
                        send(&mut writer, END).unwrap();
                        if thread_rng().gen_bool(0.5) {
                            writer.close().unwrap();
                            writer = Writer::open(&same).unwrap();
                            noted("new writer");
                        }
                    }
                }
                writer.close().unwrap();
            });
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut closed: Option<Closed> = None;
            loop {
                let message = reader.peek().unwrap();
                if let Some(closed) = closed.take() {
                    closed.check();
                }
                let end = message.ends_session();
                if end {
                    noted("ended");
                    closed = Some(Closed { memory: InProc::open(&slot, Role::Guest).unwrap(), text: END.to_vec() });
                } else {
                    oracle.peeked(message.text());
                    if thread_rng().gen_bool(0.9) {
                        message.release();
                        oracle.released();
                        continue;
                    }
                    noted("closed early");
                }
                message.end_session().unwrap();
                drop(reader);
                if end && oracle.count() == messages {
                    break;
                }
                reader = Reader::open(&slot).unwrap();
            }
            writer.join().unwrap();
            closed.expect("the last session").check();
            let mut next = Reader::<InProc>::open(&slot).unwrap();
            assert!(oracle.nothing_is_left() && next.try_recv(&mut [0; 16]) == Err(RecvError::WouldBlock));
        },
    );
}
