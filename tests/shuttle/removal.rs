//! Memory that is removed: by a third party, as `ipcrm` does, and by the reader
//! at the end of each session.

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::place::Place;
use crate::{len_of, slot, text};
use shm_handoff::inside::slot::flag::FULL;
use shm_handoff::sync::Ordering;
use shm_handoff::{Reader, RecvError, Role, SendError, Writer, backend::Backend};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

/// What ends a session.
const END: &[u8] = b"end\n";

/// Removes something at `place` every now and then, until so many were received;
/// and, if `one_at_a_time`, not again before a message has gone through the new
/// memory.
fn remove_now_and_then<P: Place>(place: &P, oracle: &Oracle, until: usize, one_at_a_time: bool) {
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
        let offered = oracle.offered();
        while one_at_a_time && oracle.count() < until.min(offered + 1) {
            thread::yield_now();
        }
    }
}

/// S5, at `place`, between sides that stay.
pub(crate) fn removed_by_a_third_party<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let (oracle, same) = (Oracle::default(), place.clone());
        let mut reader = Reader::<P::Memory>::open(place.address()).unwrap();
        let theirs = oracle.clone();
        let writer = place.spawn(move || {
            let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
            for n in 0..messages {
                theirs.offer(n);
                writer.send(&text(n)).unwrap();
                theirs.sent();
            }
            writer.close().unwrap();
        });
        let (same, theirs) = (place.clone(), oracle.clone());
        let third = place.spawn(move || remove_now_and_then(&same, &theirs, messages - 10, false));
        let mut buffer = [0; 16];
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
        assert!(oracle.nothing_is_left() && reader.try_recv(&mut buffer) == Err(RecvError::WouldBlock));
    });
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
        |messages| removed_by_a_third_party(&slot(), messages),
    );
}

/// S5, at `place`, while writers leave.
pub(crate) fn removed_while_writers_leave<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let oracle = Oracle::default();
        let mut reader = Reader::<P::Memory>::open(place.address()).unwrap();
        let (theirs, same) = (oracle.clone(), place.clone());
        let writers = place.spawn(move || {
            let mut n = 0;
            while n < messages {
                let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
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
        let (same, theirs) = (place.clone(), oracle.clone());
        let third = place.spawn(move || remove_now_and_then(&same, &theirs, messages, true));
        let mut buffer = [0; 16];
        while oracle.count() < messages {
            match reader.recv(&mut buffer) {
                Ok(received) => oracle.received(&buffer[..len_of(received)]),
                // Its seat had gone without its notice, so it was taken for a C program; and it has left.
                Err(RecvError::WriterGone) if P::SEATS_GO => {
                    noted("taken for dead");
                    reader.await_next_writer().unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
        third.join();
        writers.join();
        assert!(oracle.nothing_is_left() && reader.try_recv(&mut buffer) == Err(RecvError::WouldBlock));
    });
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
        |messages| removed_while_writers_leave(&slot(), messages),
    );
}

/// Sends `n`, or the end of the session, again and again while no reader is
/// there to wait for.
fn send<B: Backend>(writer: &mut Writer<B>, text: &[u8]) -> Result<(), SendError> {
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
struct Closed<B> {
    memory: B,
    text: Vec<u8>,
}

impl<B: Backend> Closed<B> {
    fn check(&self) {
        let mut text = [0; 16];
        assert_eq!(self.memory.slot().flag.load(Ordering::Relaxed), FULL, "closed memory was released");
        let len = self.memory.slot().text.read_text(&mut text).unwrap();
        assert_eq!(text[..len], self.text, "somebody has written into closed memory");
    }
}

/// S6, at `place`.
pub(crate) fn session_after_session<P: Place>(place: &P, messages: usize) {
    place.run(|| {
        let oracle = Oracle::default();
        let (theirs, same) = (oracle.clone(), place.clone());
        let writer = place.spawn(move || {
            let mut writer = Writer::<P::Memory>::open(same.address()).unwrap();
            for n in 0..messages {
                theirs.offer(n);
                send(&mut writer, &text(n)).unwrap();
                theirs.sent();
                if n + 1 == messages || thread_rng().gen_bool(0.3) {
                    send(&mut writer, END).unwrap();
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
        let mut closed: Option<Closed<P::Memory>> = None;
        loop {
            let message = reader.peek().unwrap();
            if let Some(closed) = closed.take() {
                closed.check();
            }
            let end = message.ends_session();
            if end {
                noted("ended");
                let memory = P::Memory::open(place.address(), Role::Guest).unwrap();
                closed = Some(Closed { memory, text: END.to_vec() });
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
            reader = Reader::open(place.address()).unwrap();
        }
        writer.join();
        closed.expect("the last session").check();
        let mut next = Reader::<P::Memory>::open(place.address()).unwrap();
        assert!(oracle.nothing_is_left() && next.try_recv(&mut [0; 16]) == Err(RecvError::WouldBlock));
    });
}

/// **S6** Session after session, each ended by `end` and closed by its reader:
/// what was sent in one is received in it, what comes after its `end` reaches
/// the next, and nobody writes into closed memory. A reader that closes early,
/// at a message it has not released, gets that message again in the next.
#[test]
fn s6_session_after_session() {
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
        |messages| session_after_session(&slot(), messages),
    );
}
