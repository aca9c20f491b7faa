//! The ring, in long schedules: a small one, so that every few records there is a
//! wrap and a wait for space. Sleeps have no bound (but on removed memory), so a
//! wake that is lost is a deadlock. Here sides that stay; in `sides` those that come
//! and go, memory that is removed, and ends.

pub(crate) mod sides;

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::oracle::Oracle;
use crate::{len_of, text};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::{RecvError, Ring, SendError, Tick, WaitPolicy};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::ops::ControlFlow;

type Reader<B> = shm_handoff::Reader<B, Ring>;
type Writer<B> = shm_handoff::Writer<B, Ring>;

/// A ring for three or four messages of up to 16 bytes, whose positions begin
/// anywhere, also just below 2^32 and 2^64.
fn ring() -> Channel {
    let below = [0, 1 << 32, 0][thread_rng().gen_range(0..3)];
    let units = thread_rng().gen_range(0..16_u64);
    Channel::ring_from(64, 16, u64::wrapping_sub(below, 8 * units))
}

/// What a message is seen as by a reader that has it all.
fn receive(reader: &mut Reader<InProc>, oracle: &Oracle) -> Result<(), RecvError> {
    let mut buffer = [0; 16];
    let len = len_of(reader.recv(&mut buffer)?);
    oracle.received(&buffer[..len]);
    Ok(())
}

fn nothing_more<B: Backend>(reader: &mut Reader<B>, oracle: &Oracle) {
    assert_eq!(reader.try_recv(&mut [0; 16]), Err(RecvError::WouldBlock), "nothing comes twice");
    assert!(oracle.nothing_is_left());
}

/// **S12** A long hand-over through a ring: every message arrives in order, once
/// and whole; nobody sleeps forever, and both sides finish.
#[test]
fn s12_a_long_hand_over() {
    let size = Size { executions: 20, messages: 2000 };
    claim(
        "S12",
        "ring: a long hand-over: in order, once, whole; nobody sleeps forever",
        size,
        &[(PREEMPTED, 550_000)],
        |messages| {
            let (ring, oracle) = (ring(), Oracle::default());
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let theirs = oracle.clone();
            let writer = thread::spawn(move || {
                for n in 0..messages {
                    theirs.offer(n);
                    writer.send(&text(n)).unwrap();
                    theirs.sent();
                }
                writer.close().unwrap();
            });
            for _ in 0..messages {
                receive(&mut reader, &oracle).unwrap();
            }
            writer.join().unwrap();
            nothing_more(&mut reader, &oracle);
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

/// Sends messages from `n` on in one way or another, `left` at most; how many
/// were sent.
fn send_somehow(writer: &mut Writer<InProc>, oracle: &Oracle, n: usize, left: usize) -> usize {
    let many = thread_rng().gen_range(1..6_usize).min(left);
    let offered = if thread_rng().gen_bool(0.3) { many } else { 1 };
    (n..n + offered).for_each(|n| oracle.offer(n));
    let result = match (offered, thread_rng().gen_range(0..5)) {
        (1, 0) => writer.send(&text(n)).map_err(|error| (0, error)),
        (1, 1) => writer.try_send(&text(n)).map_err(|error| (0, error)),
        (1, 2) => {
            writer.send_with(&text(n), &mut WaitPolicy::forever().on_tick(&mut soon())).map_err(|error| (0, error))
        }
        (1, _) => reserve_somehow(writer, &text(n)).map_err(|error| (0, error)),
        (_, which) => {
            let texts: Vec<_> = (n..n + offered).map(text).collect();
            let texts: Vec<_> = texts.iter().map(Vec::as_slice).collect();
            noted("batch");
            match which {
                0 | 1 => writer.send_all(&texts).map_err(|error| panic!("{error}")),
                2 => writer.send_all_with(&texts, &mut WaitPolicy::non_blocking()),
                _ => writer.send_all_with(&texts, &mut WaitPolicy::forever().on_tick(&mut soon())),
            }
        }
    };
    let sent = match result {
        Ok(()) => offered,
        Err((sent, error)) => {
            let refused = matches!(error, SendError::WouldBlock | SendError::TimedOut | SendError::Interrupted);
            assert!(refused, "{error}");
            noted("send refused");
            sent
        }
    };
    (0..sent).for_each(|_| oracle.sent());
    (n + sent..n + offered).rev().for_each(|n| oracle.refused(n));
    sent
}

/// Builds a message where it lies; often one is given up before.
fn reserve_somehow(writer: &mut Writer<InProc>, text: &[u8]) -> Result<(), SendError> {
    if thread_rng().gen_bool(0.5) {
        let mut given_up = writer.reserve_with(16, &mut WaitPolicy::forever().on_tick(&mut soon()))?;
        given_up.write_at(0, b"given up");
        noted("given up");
    }
    let mut reserved = writer.reserve_with(text.len(), &mut WaitPolicy::forever().on_tick(&mut soon()))?;
    let (head, tail) = text.split_at(4);
    reserved.write_at(4, tail);
    reserved.write_at(0, head);
    reserved.commit();
    Ok(())
}

/// Does something or other that a reader can do.
fn read_somehow(reader: &mut Reader<InProc>, oracle: &Oracle) -> Result<(), RecvError> {
    let mut buffer = [0; 16];
    match thread_rng().gen_range(0..8) {
        0 => receive(reader, oracle)?,
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
        6 => {
            // As many as are there, and all of them released together, or none.
            reader.rewind();
            let mut ahead = 0;
            while let Ok(message) = reader.peek_next(&mut WaitPolicy::non_blocking()) {
                oracle.peeked_ahead(ahead, message.text());
                ahead += 1;
            }
            if thread_rng().gen_bool(0.7) {
                reader.release_peeked();
                (0..ahead).for_each(|_| oracle.released());
                noted(if ahead > 1 { "released together" } else { "released alone" });
            }
        }
        _ => {
            let too_small = reader.try_recv(&mut buffer[..4]);
            if !matches!(too_small, Err(RecvError::BufferTooSmall { .. })) {
                return too_small.map(drop);
            }
            noted("too small");
        }
    }
    Ok(())
}

/// **S13** Any mixture of sending, batches, reservations, trying, giving up,
/// peeking ahead and releasing together is a queue: what was refused has not
/// arrived, and what was sent is there.
#[test]
fn s13_a_mixture_is_a_queue() {
    let size = Size { executions: 20, messages: 1000 };
    let floors = [
        (PREEMPTED, 280_000),
        ("batch", 11_000),
        ("given up", 5_500),
        ("send refused", 11_000),
        ("receive refused", 7_000),
        ("released together", 5_500),
        ("came again", 24_000),
        ("too small", 11_000),
    ];
    claim(
        "S13",
        "ring: any mixture of operations, batches, reservations and peeks ahead is a queue",
        size,
        &floors,
        |messages| {
            let (ring, oracle) = (ring(), Oracle::default());
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let theirs = oracle.clone();
            let writer = thread::spawn(move || {
                let mut n = 0;
                while n < messages {
                    let empty = theirs.nothing_is_left();
                    let sent = send_somehow(&mut writer, &theirs, n, messages - n);
                    if sent == 0 {
                        assert!(!empty, "there was room for {n}");
                        thread::yield_now();
                    }
                    n += sent;
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
            nothing_more(&mut reader, &oracle);
        },
    );
}
