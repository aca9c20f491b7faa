//! A ring whose sides come and go, whose memory is removed, and whose streams end.

use super::{Reader, Writer, nothing_more, ring};
use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::place::Place;
use crate::text;
use parking_lot::Mutex;
use shm_handoff::{Error, RecvError, Role, SendError, WaitPolicy, backend::Backend};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::sync::Arc;

/// Sends `n`, again and again while no reader is there to wait for.
fn send<B: Backend>(writer: &mut Writer<B>, oracle: &Oracle, n: usize) {
    loop {
        oracle.offer(n);
        match writer.send(&text(n)) {
            Ok(()) => return oracle.sent(),
            Err(error) => assert_eq!(error, SendError::ReaderGone),
        }
        oracle.refused(n);
        noted("reader gone");
        thread::yield_now();
    }
}

/// One of the readers of S14, until everything was received.
fn read_now_and_then<P: Place>(place: &P, oracle: &Oracle, messages: usize) {
    while oracle.count() < messages {
        let mut reader = match Reader::<P::Memory>::open(place.address()) {
            Ok(reader) => reader,
            Err(error) => {
                let taken = matches!(error, Error::SeatTaken { role: Role::Reader, .. });
                assert!(taken, "{error}");
                noted("refused");
                thread::yield_now();
                continue;
            }
        };
        for _ in 0..thread_rng().gen_range(0..5) {
            if oracle.count() == messages {
                break;
            }
            let message = match reader.peek() {
                Ok(message) => message,
                Err(error) => {
                    assert_eq!(error, RecvError::WriterGone);
                    noted("failure heard");
                    reader.await_next_writer().unwrap();
                    continue;
                }
            };
            oracle.peeked(message.text());
            if thread_rng().gen_bool(0.7) {
                message.release();
                oracle.released();
            } else {
                noted("not released");
            }
        }
        if thread_rng().gen_bool(0.5) {
            reader.close().unwrap();
        }
    }
}

/// S14, at `place`.
pub(crate) fn sides_come_and_go<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let oracle = Oracle::default();
        let (same, theirs) = (place.clone(), oracle.clone());
        let writers = place.spawn(move || {
            let mut n = 0;
            while n < messages {
                let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
                let until = messages.min(n + thread_rng().gen_range(0..6));
                for n in n..until {
                    send(&mut writer, &theirs, n);
                }
                n = until;
                if thread_rng().gen_bool(0.5) {
                    writer.close().unwrap();
                    noted("left");
                } else {
                    drop(writer);
                    noted("failed");
                }
            }
        });
        let (same, theirs) = (place.clone(), oracle.clone());
        let other = place.spawn(move || read_now_and_then(&same, &theirs, messages));
        read_now_and_then(place, &oracle, messages);
        other.join();
        writers.join();
        let mut last = Reader::<P::Memory>::open(place.address()).unwrap();
        last.await_next_writer().unwrap();
        nothing_more(&mut last, &oracle);
    });
}

/// **S14** Writers and readers come and go, in order or failing: what each has sent
/// arrives in order, once and whole, and only what was not released comes again,
/// however much was released and not given back. Who sleeps is woken by whoever
/// comes.
#[test]
fn s14_sides_come_and_go() {
    let size = Size { executions: 30, messages: 1000 };
    let floors = [
        (PREEMPTED, 1_000_000),
        ("left", 16_000),
        ("failed", 16_000),
        ("failure heard", 70),
        ("not released", 35_000),
        ("came again", 35_000),
        ("reader gone", 300),
        ("refused", 150_000),
    ];
    claim(
        "S14",
        "ring: writers and readers come and go, or fail: in order, once, whole; only what was not released comes again",
        size,
        &floors,
        |messages| sides_come_and_go(&ring(), messages),
    );
}

/// Removes something at `place` every now and then, until so many were received.
fn remove_now_and_then<P: Place>(place: &P, oracle: &Oracle, until: usize) {
    loop {
        // Long pauses, and now and then almost none.
        let longest = [2, 20, 200][thread_rng().gen_range(0..3)];
        for _ in 0..thread_rng().gen_range(0..longest) {
            thread::yield_now();
        }
        if oracle.count() >= until {
            return;
        }
        place.remove();
    }
}

/// S15, at `place`.
pub(crate) fn removed_by_a_third_party<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let (oracle, same) = (Oracle::default(), place.clone());
        let mut reader = Reader::<P::Memory>::open(place.address()).unwrap();
        let theirs = oracle.clone();
        let writer = place.spawn(move || {
            let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
            let mut n = 0;
            while n < messages {
                let many = thread_rng().gen_range(1..5_usize).min(messages - n);
                (n..n + many).for_each(|n| theirs.offer(n));
                if thread_rng().gen_bool(0.5) {
                    (n..n + many).for_each(|n| writer.send(&text(n)).unwrap());
                } else {
                    let texts: Vec<_> = (n..n + many).map(text).collect();
                    writer.send_all(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
                    noted("batch");
                }
                (0..many).for_each(|_| theirs.sent());
                n += many;
            }
            writer.close().unwrap();
        });
        let (same, theirs) = (place.clone(), oracle.clone());
        let third = place.spawn(move || remove_now_and_then(&same, &theirs, messages - 20));
        while oracle.count() < messages {
            let message = reader.peek().unwrap();
            oracle.peeked(message.text());
            if thread_rng().gen_bool(0.8) {
                message.release();
                oracle.released();
            }
        }
        third.join();
        writer.join();
        nothing_more(&mut reader, &oracle);
    });
}

/// **S15** A third party removes the memory at any moment, again and again, while a
/// writer, which sends one by one or many at once, and a reader are at work: each
/// message is received once and in order, on the old memory or on the new. (It
/// stops before the writer leaves, as S5 does.)
#[test]
fn s15_removed_by_a_third_party() {
    let size = Size { executions: 30, messages: 1000 };
    let floors = [(PREEMPTED, 800_000), ("removed", 11_000), ("came again", 20_000), ("batch", 16_000)];
    claim(
        "S15",
        "ring: memory removed by a third party at random moments: each message once, in order",
        size,
        &floors,
        |messages| removed_by_a_third_party(&ring(), messages),
    );
}

/// S16, at `place`.
pub(crate) fn session_after_session<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let oracle = Oracle::default();
        // How many messages had been sent when each session ended.
        let ends: Arc<Mutex<Vec<usize>>> = Arc::default();
        let (same, theirs, said) = (place.clone(), oracle.clone(), Arc::clone(&ends));
        let writer = place.spawn(move || {
            let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
            for n in 0..messages {
                send(&mut writer, &theirs, n);
                if n + 1 == messages || thread_rng().gen_bool(0.3) {
                    said.lock().push(n + 1);
                    while let Err(error) = writer.end_with(&mut WaitPolicy::forever()) {
                        assert_eq!(error, SendError::ReaderGone);
                        thread::yield_now();
                    }
                    if thread_rng().gen_bool(0.5) {
                        writer.close().unwrap();
                        writer = Writer::open(same.address()).unwrap();
                        noted("new writer");
                    }
                }
            }
            writer.close().unwrap();
        });
        let mut reader = Reader::<P::Memory>::open(place.address()).unwrap();
        let mut sessions = 0;
        loop {
            let message = reader.peek().unwrap();
            if !message.ends_session() {
                oracle.peeked(message.text());
                message.release();
                oracle.released();
                continue;
            }
            noted("ended");
            assert_eq!(ends.lock().get(sessions), Some(&oracle.count()), "session {sessions}");
            sessions += 1;
            if thread_rng().gen_bool(0.5) {
                message.release();
                noted("released");
            } else {
                message.end_session().unwrap();
                noted("closed");
                drop(reader);
                reader = Reader::open(place.address()).unwrap();
            }
            if oracle.count() == messages {
                break;
            }
        }
        writer.join();
        nothing_more(&mut reader, &oracle);
    });
}

/// **S16** Session after session, each with its end, which the reader closes or
/// releases: what was sent in one is received in it, nothing comes behind an end
/// that was not released, and what comes after it reaches the next. Writers leave
/// after an end or stay.
#[test]
fn s16_session_after_session() {
    let size = Size { executions: 30, messages: 1000 };
    let floors =
        [(PREEMPTED, 650_000), ("ended", 24_000), ("released", 11_000), ("closed", 12_000), ("new writer", 12_000)];
    claim(
        "S16",
        "ring: sessions with an end that is closed or released: each message once, in its session",
        size,
        &floors,
        |messages| session_after_session(&ring(), messages),
    );
}
