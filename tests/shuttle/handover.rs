//! Long hand-overs between two sides that stay.

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::{len_of, slot, text};
use shm_handoff::backend::inproc::InProc;
use shm_handoff::{Reader, RecvError, SendError, Tick, WaitPolicy, Writer};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::ops::ControlFlow;

/// **S1** A long hand-over: every message arrives in order, once and whole, and
/// both sides finish.
#[test]
fn s1_a_long_hand_over() {
    let size = Size { executions: 20, messages: 2000 };
    claim(
        "S1",
        "a long hand-over: in order, once, whole; both sides finish",
        size,
        &[(PREEMPTED, 400_000)],
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
            let mut buffer = [0; 16];
            for _ in 0..messages {
                let len = len_of(reader.recv(&mut buffer).unwrap());
                oracle.received(&buffer[..len]);
            }
            writer.join().unwrap();
            assert_eq!(reader.try_recv(&mut buffer), Err(RecvError::WouldBlock), "nothing comes twice");
            assert!(oracle.nothing_is_left());
        },
    );
}

/// A hook that ends a wait at its first, second or third tick.
fn soon() -> impl FnMut(Tick) -> ControlFlow<()> {
    let mut ticks = thread_rng().gen_range(0..3);
    move |_| {
        if ticks == 0 {
            return ControlFlow::Break(());
        }
        ticks -= 1;
        ControlFlow::Continue(())
    }
}

/// Sends `n` in one way or another.
fn send_somehow(writer: &mut Writer<InProc>, n: usize) -> Result<(), SendError> {
    match thread_rng().gen_range(0..3) {
        0 => writer.send(&text(n)),
        1 => writer.try_send(&text(n)),
        _ => writer.send_with(&text(n), &mut WaitPolicy::forever().on_tick(&mut soon())),
    }
}

/// Does something or other that a reader can do.
fn read_somehow(reader: &mut Reader<InProc>, oracle: &Oracle) -> Result<(), RecvError> {
    let mut buffer = [0; 16];
    match thread_rng().gen_range(0..7) {
        0 => {
            let len = len_of(reader.recv(&mut buffer)?);
            oracle.received(&buffer[..len]);
        }
        1 => {
            let len = len_of(reader.try_recv(&mut buffer)?);
            oracle.received(&buffer[..len]);
        }
        2 => oracle.peeked(reader.peek()?.text()),
        3 => {
            let message = reader.peek()?;
            oracle.peeked(message.text());
            message.release();
            oracle.released();
        }
        4 => oracle.peeked(reader.peek_with(&mut WaitPolicy::forever().on_tick(&mut soon()))?.text()),
        5 => {
            reader.rewind();
            reader.wait_with(&mut WaitPolicy::forever().on_tick(&mut soon()))?;
        }
        _ => {
            let too_small = reader.try_recv(&mut buffer[..4]);
            if !matches!(too_small, Err(RecvError::BufferTooSmall { capacity: 16 })) {
                return too_small.map(drop);
            }
            noted("too small");
        }
    }
    Ok(())
}

/// **S2** Any mixture of sending, trying, giving up, peeking and receiving is a
/// queue: what was refused has not arrived, and nothing is refused without a
/// reason (a message that was sent is there, and so is room that was made).
#[test]
fn s2_a_mixture_is_a_queue() {
    let size = Size { executions: 20, messages: 1000 };
    let floors = [
        (PREEMPTED, 250_000),
        ("send refused", 30_000),
        ("receive refused", 20_000),
        ("came again", 35_000),
        ("too small", 10_000),
    ];
    claim(
        "S2",
        "any mixture of operations is a queue; nothing is refused without a reason",
        size,
        &floors,
        |messages| {
            let (slot, oracle) = (slot(), Oracle::default());
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let theirs = oracle.clone();
            let writer = thread::spawn(move || {
                for n in 0..messages {
                    loop {
                        let room = theirs.nothing_is_left();
                        theirs.offer(n);
                        match send_somehow(&mut writer, n) {
                            Ok(()) => break theirs.sent(),
                            Err(error) => assert!(matches!(error, SendError::WouldBlock | SendError::Interrupted)),
                        }
                        assert!(!room, "there was room for {n}");
                        theirs.refused(n);
                        noted("send refused");
                        thread::yield_now();
                    }
                }
                writer.close().unwrap();
            });
            while oracle.count() < messages {
                let waits = oracle.something_waits();
                if let Err(error) = read_somehow(&mut reader, &oracle) {
                    assert!(matches!(error, RecvError::WouldBlock | RecvError::Interrupted), "{error}");
                    assert!(!waits, "a message was there");
                    noted("receive refused");
                    thread::yield_now();
                }
            }
            writer.join().unwrap();
            assert!(oracle.nothing_is_left() && reader.try_recv(&mut [0; 16]).is_err(), "nothing comes twice");
        },
    );
}
