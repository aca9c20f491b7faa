//! Sides that come and go.

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::place::Place;
use crate::{len_of, slot, text};
use parking_lot::Mutex;
use shm_handoff::backend::Backend;
use shm_handoff::{Error, Reader, RecvError, Role, SendError, Writer};
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

/// How the writers and the reader of S3 stand.
#[derive(Default)]
struct Failures {
    failed: usize,
    heard: usize,
    /// How often the reader has gone on after it heard.
    followed: usize,
    /// Nobody comes after the next one.
    last: bool,
}

/// A writer fails and the next one waits until the reader has gone on.
fn fail_and_wait<B: Backend>(writer: Writer<B>, failures: &Mutex<Failures>) {
    let followed = {
        let mut failures = failures.lock();
        failures.failed += 1;
        failures.followed
    };
    drop(writer);
    while failures.lock().followed == followed {
        thread::yield_now();
    }
}

/// S3, at `place`.
pub(crate) fn writers_come_and_go<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let (oracle, failures) = (Oracle::default(), Arc::new(Mutex::new(Failures::default())));
        let same = place.clone();
        let mut reader = Reader::<P::Memory>::open(place.address()).unwrap();
        let (theirs, said) = (oracle.clone(), Arc::clone(&failures));
        let writers = place.spawn(move || {
            let mut n = 0;
            while n < messages {
                let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
                let until = messages.min(n + thread_rng().gen_range(0..5));
                for n in n..until {
                    send(&mut writer, &theirs, n);
                }
                n = until;
                match thread_rng().gen_range(0..3) {
                    0 => {
                        writer.close().unwrap();
                        noted("left");
                    }
                    1 => {
                        // In this order: who hears of it must find it counted.
                        said.lock().failed += 1;
                        drop(writer);
                        noted("failed");
                    }
                    _ => {
                        fail_and_wait(writer, &said);
                        noted("failed");
                    }
                }
            }
            let writer = Writer::<P::Memory>::open(same.address()).unwrap();
            while !theirs.nothing_is_left() {
                thread::yield_now();
            }
            said.lock().last = true;
            fail_and_wait(writer, &said);
        });
        let mut buffer = [0; 16];
        loop {
            match reader.recv(&mut buffer) {
                Ok(received) => oracle.received(&buffer[..len_of(received)]),
                Err(error) => {
                    assert_eq!(error, RecvError::WriterGone);
                    noted("failure heard");
                    {
                        let mut failures = failures.lock();
                        failures.heard += 1;
                        assert!(failures.heard <= failures.failed, "nobody has failed");
                    }
                    // What was sent by now was sent before that failure.
                    assert!(!oracle.something_waits(), "a failure was heard before the last message");
                    reader.await_next_writer().unwrap();
                    let mut failures = failures.lock();
                    failures.followed += 1;
                    if failures.last {
                        break;
                    }
                }
            }
        }
        writers.join();
        let failures = failures.lock();
        if failures.heard < failures.failed {
            noted("failure forgotten");
        }
        assert_eq!(oracle.count(), messages);
        assert!(oracle.nothing_is_left());
        // The last failure is heard now, if the reader went on after an earlier.
        let nothing = reader.try_recv(&mut buffer);
        assert!(matches!(nothing, Err(RecvError::WouldBlock | RecvError::WriterGone)), "{nothing:?}");
    });
}

/// **S3** Writers come and go: what each has sent arrives in order, once and
/// whole. The reader hears of those that fail, after their last message, and
/// never of those that leave in order. It hears of each that nobody follows,
/// and goes on.
#[test]
fn s3_writers_come_and_go() {
    let size = Size { executions: 50, messages: 1000 };
    let floors = [
        (PREEMPTED, 500_000),
        ("left", 20_000),
        ("failed", 40_000),
        ("failure heard", 20_000),
        ("failure forgotten", 100),
    ];
    claim(
        "S3",
        "writers leave or fail: each message once, in order; a failure is heard after the last message",
        size,
        &floors,
        |messages| writers_come_and_go(&slot(), messages),
    );
}

/// One of the readers of S4, until everything was received.
fn read_now_and_then<P: Place>(place: &P, oracle: &Oracle, messages: usize) {
    while oracle.count() < messages {
        let mut reader = match Reader::<P::Memory>::open(place.address()) {
            Ok(reader) => reader,
            Err(error) => {
                assert!(matches!(error, Error::SeatTaken { role: Role::Reader, .. }), "{error}");
                noted("refused");
                thread::yield_now();
                continue;
            }
        };
        for _ in 0..thread_rng().gen_range(0..5) {
            if oracle.count() == messages {
                break;
            }
            let message = reader.peek().unwrap();
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

/// S4, at `place`.
pub(crate) fn readers_come_and_go<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let (oracle, same) = (Oracle::default(), place.clone());
        let theirs = oracle.clone();
        let writer = place.spawn(move || {
            let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
            for n in 0..messages {
                send(&mut writer, &theirs, n);
            }
            writer.close().unwrap();
        });
        let (same, theirs) = (place.clone(), oracle.clone());
        let other = place.spawn(move || read_now_and_then(&same, &theirs, messages));
        read_now_and_then(place, &oracle, messages);
        other.join();
        writer.join();
        let mut last = Reader::<P::Memory>::open(place.address()).unwrap();
        assert!(oracle.nothing_is_left() && last.try_recv(&mut [0; 16]) == Err(RecvError::WouldBlock));
    });
}

/// **S4** Two readers take turns, and go when they like: what was peeked at and
/// not released comes again, to whoever is next; nothing else comes twice, and
/// the order holds. The writer goes on after each.
#[test]
fn s4_readers_come_and_go() {
    let size = Size { executions: 30, messages: 1000 };
    let floors = [
        (PREEMPTED, 600_000),
        ("refused", 150_000),
        ("not released", 30_000),
        ("came again", 30_000),
        ("reader gone", 1_500),
    ];
    claim(
        "S4",
        "readers go without a release: only what they did not release comes again",
        size,
        &floors,
        |messages| readers_come_and_go(&slot(), messages),
    );
}

/// What is known of one seat.
#[derive(Default, Clone, Copy, PartialEq)]
struct Seat {
    /// Somebody has it for certain.
    held: bool,
    /// Somebody is about to take it or to give it back.
    unsettled: usize,
    /// How often somebody began to.
    changes: usize,
}

/// Tries to take a seat: refused for certain if it was held all the while, and
/// admitted for certain if it was free all the while.
fn take<T>(seat: &Mutex<Seat>, role: Role, open: impl FnOnce() -> Result<T, Error>) -> Option<T> {
    let before = {
        let mut seat = seat.lock();
        let before = *seat;
        seat.unsettled += 1;
        seat.changes += 1;
        before
    };
    let taken = open();
    let mut seat = seat.lock();
    seat.unsettled -= 1;
    let alone = before.unsettled == 0 && seat.changes == before.changes + 1;
    match taken {
        Ok(taken) => {
            assert!(!seat.held, "two have the seat of the {role:?}");
            seat.held = true;
            noted("admitted");
            Some(taken)
        }
        Err(error) => {
            let ours = matches!(error, Error::SeatTaken { role: whose, .. } if whose == role);
            assert!(ours, "{error}");
            assert!(before.held || !alone, "the seat of the {role:?} was free");
            noted("refused");
            None
        }
    }
}

/// Gives it back.
fn give_back(seat: &Mutex<Seat>, leave: impl FnOnce()) {
    {
        let mut seat = seat.lock();
        seat.held = false;
        seat.unsettled += 1;
        seat.changes += 1;
    }
    leave();
    seat.lock().unsettled -= 1;
}

/// S7, at `place`.
pub(crate) fn second_ones_are_refused<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let oracle = Oracle::default();
        let seats: Arc<[Mutex<Seat>; 2]> = Arc::default();
        let next = Arc::new(Mutex::new(0));
        let mut all = Vec::new();
        for _ in 0..3 {
            let (same, oracle, seats, next) = (place.clone(), oracle.clone(), Arc::clone(&seats), Arc::clone(&next));
            all.push(place.spawn(move || {
                while *next.lock() < messages {
                    let Some(mut writer) = take(&seats[0], Role::Writer, || Writer::<P::Memory>::open(same.address()))
                    else {
                        thread::yield_now();
                        continue;
                    };
                    for _ in 0..thread_rng().gen_range(0..4) {
                        let n = *next.lock();
                        if n < messages {
                            send(&mut writer, &oracle, n);
                            *next.lock() += 1;
                        }
                    }
                    give_back(&seats[0], || writer.close().unwrap());
                }
            }));
        }
        for _ in 0..3 {
            let (same, oracle, seats) = (place.clone(), oracle.clone(), Arc::clone(&seats));
            all.push(place.spawn(move || {
                let mut buffer = [0; 16];
                while oracle.count() < messages {
                    let Some(mut reader) = take(&seats[1], Role::Reader, || Reader::<P::Memory>::open(same.address()))
                    else {
                        thread::yield_now();
                        continue;
                    };
                    for _ in 0..thread_rng().gen_range(0..4) {
                        if oracle.count() < messages {
                            let len = len_of(reader.recv(&mut buffer).unwrap());
                            oracle.received(&buffer[..len]);
                        }
                    }
                    give_back(&seats[1], || drop(reader));
                }
            }));
        }
        for one in all {
            one.join();
        }
        assert!(oracle.count() == messages && oracle.nothing_is_left());
    });
}

/// **S7** Three writers and three readers contend for the two seats: whoever
/// comes second is refused for as long as the first holds the seat, is admitted
/// once it is free, and what they hand over stays in order, once and whole.
#[test]
fn s7_second_ones_are_refused() {
    let size = Size { executions: 20, messages: 1000 };
    let floors = [(PREEMPTED, 700_000), ("refused", 300_000), ("admitted", 60_000)];
    claim(
        "S7",
        "a second writer or reader is refused while the first holds the seat, and admitted after",
        size,
        &floors,
        |messages| second_ones_are_refused(&slot(), messages),
    );
}
