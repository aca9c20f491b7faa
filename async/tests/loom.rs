//! The hand-over between a task and the thread that waits in its place, under the model checker: with the library's own
//! ring in one process, its parked words and its sleep, every interleaving up to a number of preemptions.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p shm-handoff-async --test loom -- --nocapture` prints how many executions each claim
//! took, as a row of docs/verification.md. A task that is not woken is a deadlock, which loom reports.
#![cfg(loom)]
#![allow(clippy::disallowed_types, reason = "it counts executions, and is no part of them")]

use loom::future::block_on;
use loom::thread;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::{Received, RecvError, Ring};
use shm_handoff_async::{Reader, Writer};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Instant;

type Sender = shm_handoff::Writer<InProc, Ring>;
type Receiver = shm_handoff::Reader<InProc, Ring>;

/// Runs `model` through every execution with at most `bound` preemptions; fewer than on record prove less.
fn claim(name: &str, claim: &str, bound: usize, floor: usize, model: impl Fn() + Sync + Send + 'static) {
    let started = Instant::now();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(bound);
    builder.max_branches = 5_000;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let (count, time) = (count.load(Ordering::Relaxed), started.elapsed().as_secs_f32());
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    println!("{name} | {claim} | `{test}` | {bound} | {count} executions | {time:.1} s");
    assert!(count >= floor, "{name}: {count} executions, and {floor} are on record");
}

/// With room for one record of 8 bytes beside the next one's flag.
fn channel() -> Channel {
    Channel::ring_from(32, 8, 0)
}

/// Polls `future` once, which has nothing to be ready for.
async fn once(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// **W1** A task that waits for a message is woken by it, whenever it is sent.
#[test]
fn w1_a_message_wakes_the_task() {
    claim("W1", "a task that waits for a message is woken by it", 3, 15_065, || {
        let channel = channel();
        let mut reader = Reader::<InProc, Ring>::open(&channel).unwrap();
        let mut writer = Sender::open(&channel).unwrap();
        let sends = thread::spawn(move || {
            writer.send(b"one").unwrap();
            writer
        });
        let mut bytes = [0; 8];
        assert_eq!(block_on(reader.recv(&mut bytes)), Ok(Received::Message(3)));
        assert_eq!(&bytes[..3], b"one");
        drop(sends.join().unwrap());
    });
}

/// **W2** A future that is dropped while the thread waits has taken nothing: the next one receives the message, once.
#[test]
fn w2_a_dropped_future_takes_nothing() {
    claim("W2", "a future that is dropped has taken nothing", 3, 20_253, || {
        let channel = channel();
        let mut reader = Reader::<InProc, Ring>::open(&channel).unwrap();
        let mut writer = Sender::open(&channel).unwrap();
        let sends = thread::spawn(move || {
            writer.send(b"one").unwrap();
            writer
        });
        let mut bytes = [0; 8];
        let early = block_on(once(reader.recv(&mut bytes)));
        if !early {
            assert_eq!(block_on(reader.recv(&mut bytes)), Ok(Received::Message(3)));
        }
        drop(sends.join().unwrap());
        assert_eq!(reader.into_inner().is_ready(), Ok(false), "it came once");
    });
}

/// **W3** A reader that is dropped while its thread waits is gone when the drop is over: the seat is free, and what was sent is the
/// next reader's. The thread ends.
#[test]
fn w3_a_drop_takes_the_endpoint_back() {
    claim("W3", "a drop takes the endpoint back, and ends the thread", 3, 10_236, || {
        let channel = channel();
        let mut reader = Reader::<InProc, Ring>::open(&channel).unwrap();
        let mut writer = Sender::open(&channel).unwrap();
        let sends = thread::spawn(move || {
            writer.send(b"one").unwrap();
            writer
        });
        let mut bytes = [0; 8];
        let early = block_on(once(reader.recv(&mut bytes)));
        drop(reader);
        let mut next = Receiver::open(&channel).expect("the seat is free");
        let writer = sends.join().unwrap();
        assert_eq!(next.is_ready(), Ok(!early), "what was not received is there");
        drop((next, writer));
    });
}

/// **W4** A task that waits for room is woken by a release; one that was waiting for more is recalled.
#[test]
fn w4_room_wakes_the_task() {
    claim("W4", "a task that waits for room is woken, whatever it waited for before", 2, 23_254, || {
        let channel = channel();
        let mut writer = Writer::<InProc, Ring>::open(&channel).unwrap();
        let mut reader = Receiver::open(&channel).unwrap();
        block_on(writer.send(b"one")).unwrap();
        let receives = thread::spawn(move || {
            assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(3)));
            assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(2)));
            reader
        });
        block_on(once(writer.ready(8)));
        block_on(writer.send(b"22")).unwrap();
        drop(receives.join().unwrap());
    });
}

/// **W5** An end whose future is dropped was told once or not at all, and telling it again tells it once.
#[test]
fn w5_an_end_is_told_once() {
    claim("W5", "an end whose future is dropped is told once or not at all", 2, 23_103, || {
        let channel = channel();
        let mut writer = Writer::<InProc, Ring>::open(&channel).unwrap();
        let mut reader = Receiver::open(&channel).unwrap();
        block_on(writer.send(b"12345678")).unwrap();
        block_on(writer.send(b"")).unwrap(); // the ring is full
        let receives = thread::spawn(move || {
            assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(8)));
            assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(0)));
            assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::End));
            reader.peek().unwrap().release();
            assert_eq!(reader.try_recv(&mut [0; 8]), Err(RecvError::WouldBlock), "no second end");
            reader
        });
        // Ready at once where there was room already: that is told.
        if !block_on(once(writer.end())) {
            block_on(writer.end()).unwrap();
        }
        drop(receives.join().unwrap());
    });
}

/// **W6** A task that wants something else while its thread waits has its endpoint back without a peer's doing: the thread is
/// interrupted, asleep or about to be.
#[test]
fn w6_a_recall_needs_no_peer() {
    claim("W6", "a recall needs no peer", 3, 389, || {
        let channel = channel();
        let mut writer = Writer::<InProc, Ring>::open(&channel).unwrap();
        block_on(writer.send(b"one")).unwrap();
        assert!(!block_on(once(writer.ready(8))), "there is no room for so much");
        block_on(writer.send(b"")).unwrap();
        let mut reader = Receiver::open(&channel).unwrap();
        assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(3)));
        assert_eq!(reader.recv(&mut [0; 8]), Ok(Received::Message(0)));
    });
}
