//! A writer that carries another ring's messages on and dies at any step, another writer that comes between, and the
//! successor that goes on: none of them is lost, and none comes twice.

use crate::explore::{Depth, actor, alone, hold_to_floor, main_is, row};
use crate::killed::{each_step, killed_at_every_step};
use crate::mortal::{Mortal, live};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::{RecvError, WaitPolicy};
use std::cell::Cell;
use std::sync::Arc;
#[allow(clippy::disallowed_types)] // outside of every model, and loom must not see it
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

/// The other ring.
const STREAM: u64 = 7;
/// Its messages, and the position behind each. The first two are one batch.
const CARRIED: [(u64, &[u8]); 3] = [(8, b""), (24, b"bbbbbbbb"), (40, b"cccccccc")];
/// The end behind them.
const END_AT: u64 = 48;
/// What a writer sends that carries nothing on.
const BETWEEN: &[u8] = b"between!";

/// What is not in yet, and where that begins.
fn rest<B: Backend>(writer: &mut Writer<B>) -> (u64, &'static [(u64, &'static [u8])]) {
    let from = writer.carried().map_or(0, |carried| {
        assert_eq!(carried.stream, STREAM);
        carried.position
    });
    let done = CARRIED.iter().filter(|(position, _)| *position <= from).count();
    assert!(from == 0 || from == END_AT || CARRIED[done - 1].0 == from, "{from} is behind no message");
    (from, &CARRIED[done..])
}

/// Carries on what is not in.
fn carry_on<B: Backend>(writer: &mut Writer<B>) {
    loop {
        let (from, rest) = rest(writer);
        // The first two go together, where nothing of them is in.
        let batch = if rest.len() == CARRIED.len() { &rest[..2] } else { rest };
        if batch.is_empty() {
            return;
        }
        writer.carry(STREAM, from, batch, &mut WaitPolicy::forever()).unwrap();
    }
}

/// The same, and the end.
fn carry_to_the_end<B: Backend>(writer: &mut Writer<B>) {
    carry_on(writer);
    if let Some(carried) = writer.carried()
        && !carried.ended
    {
        writer.carry_end(STREAM, carried.position, END_AT, &mut WaitPolicy::forever()).unwrap();
    }
}

/// What lies there in the end: the messages that were carried, each once and in order, and those that came between.
/// Whether the first life, killed after `spared` steps, died.
fn lives(
    ring: &Channel,
    first: fn(&mut Writer<Mortal>),
    between: fn(&Channel),
    last: fn(&mut Writer<InProc>),
    spared: usize,
) -> (bool, Vec<Vec<u8>>) {
    main_is("reader");
    let theirs = ring.clone();
    let writer = actor("writer", move || {
        let died = live(spared, || {
            let mut writer = Writer::<Mortal>::open(&theirs).unwrap();
            first(&mut writer);
            writer.close().unwrap();
        });
        between(&theirs);
        let mut writer = Writer::<InProc>::open(&theirs).unwrap();
        last(&mut writer);
        writer.close().unwrap();
        died
    });
    let mut got: Vec<Vec<u8>> = Vec::new();
    let mut reader = Reader::<InProc>::open(ring).unwrap();
    while got.iter().filter(|text| *text != BETWEEN).count() < CARRIED.len() {
        match reader.peek() {
            Ok(message) => {
                assert!(!message.ends_session(), "the end comes behind everything");
                got.push(message.text().to_vec());
                message.release();
            }
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.await_next_writer().unwrap();
            }
        }
    }
    let died = writer.join();
    got.append(&mut lies_there(&mut reader));
    (died, got)
}

/// What was not released, the end included.
fn lies_there(reader: &mut Reader<InProc>) -> Vec<Vec<u8>> {
    let mut got = Vec::new();
    while let Some(message) = reader.try_peek_next().unwrap() {
        if message.ends_session() {
            got.push(b"the end".to_vec());
            break;
        }
        got.push(message.text().to_vec());
    }
    got
}

/// A writer that carries nothing on comes, sends a message, and leaves.
fn another_writer(ring: &Channel) {
    let mut writer = Writer::<InProc>::open(ring).unwrap();
    writer.send(BETWEEN).unwrap();
    writer.close().unwrap();
}

/// Holds what lies there to what was carried, once and in order.
fn once_and_in_order(got: &[Vec<u8>], between: usize) {
    let carried: Vec<_> = got.iter().filter(|text| *text != BETWEEN && *text != b"the end").collect();
    assert_eq!(carried, CARRIED.map(|(_, bytes)| bytes), "each comes once, in order");
    assert_eq!(got.iter().filter(|text| *text == BETWEEN).count(), between, "nor is another writer's message lost");
}

/// **K18** A writer killed at any step of carrying a batch over the wrap, and another one: another writer appends before
/// the successor goes on, and so the walk of the last one tells nothing; what the second has settled does.
#[test]
fn k18_carried_on_at_every_step() {
    killed_at_every_step(
        "K18",
        "ring: a writer that opens, carries three messages of another ring on, and leaves; another one appends before its successor",
        97,
        Depth::bound(1, 29_199),
        |spared| {
            let ring = super::ring(8, 6).that_carries();
            let (died, got) = lives(&ring, carry_on, another_writer, carry_on, spared);
            once_and_in_order(&got, 1);
            died
        },
    );
}

/// **K19** The same with the end, and nobody between.
#[test]
fn k19_carried_to_the_end_at_every_step() {
    killed_at_every_step(
        "K19",
        "ring: a writer that opens, carries three messages of another ring and its end on, and leaves",
        139,
        Depth::bound(1, 34_242),
        |spared| {
            let ring = super::ring(8, 6).that_carries();
            let (died, got) = lives(&ring, carry_to_the_end, |_| (), carry_to_the_end, spared);
            once_and_in_order(&got, 0);
            assert_eq!(got.last().map(Vec::as_slice), Some(&b"the end"[..]), "and the end once, behind them");
            died
        },
    );
}

/// **K20** As K18, where the one that comes between dies, too, at any step of settling and of appending. One after the other:
/// the reader comes last.
#[test]
#[allow(clippy::disallowed_types)] // outside of every model, and loom must not see it
fn k20_settled_at_every_step() {
    let depth = Depth::bound(1, 4278);
    alone(|| {
        let started = Instant::now();
        let (mut steps, mut executions, mut spared_between) = (0, 0, 0);
        loop {
            // Whether the one between died, of any.
            let died_between = Arc::new(AtomicBool::new(false));
            let noted = Arc::clone(&died_between);
            let model = move |spared| {
                let (died, between) = two_deaths(spared, spared_between);
                noted.fetch_or(between, Ordering::Relaxed);
                died
            };
            let (k, more) = each_step(depth.search, model).unwrap_or_else(|(step, counterexample)| {
                panic!("K20, killed before step {step}, and the next before {}:\n{counterexample}", spared_between + 1)
            });
            (steps, executions) = (steps.max(k), executions + more);
            if !died_between.load(Ordering::Relaxed) {
                break;
            }
            spared_between += 1;
        }
        let what =
            "ring: K18's writer, and the one that settles and appends behind it is killed at each of its steps, too";
        row(
            "K20",
            what,
            &depth.search,
            &format!("{steps} by {spared_between} steps, {executions} executions"),
            started,
        );
        assert!(steps >= 92 && spared_between >= 45, "{steps} by {spared_between} steps; 92 by 45 are on record");
        hold_to_floor("K20", executions, depth.floor);
    });
}

/// A life that carries on, one behind it that sends, both killed; then a successor, and a reader. Whether the two died.
fn two_deaths(spared: usize, spared_between: usize) -> (bool, bool) {
    let ring = super::ring(16, 6).that_carries();
    let died = live(spared, || {
        let mut writer = Writer::<Mortal>::open(&ring).unwrap();
        carry_on(&mut writer);
        writer.close().unwrap();
    });
    let sent = Cell::new(false);
    let died_between = live(spared_between, || {
        let mut writer = Writer::<Mortal>::open(&ring).unwrap();
        writer.send(BETWEEN).unwrap();
        sent.set(true);
        writer.close().unwrap();
    });
    let mut last = Writer::<InProc>::open(&ring).unwrap();
    carry_on(&mut last);
    last.close().unwrap();
    let got = lies_there(&mut Reader::open(&ring).unwrap());
    let between = got.iter().filter(|text| *text == BETWEEN).count();
    assert!(between == 1 || (died_between && !sent.get()), "what was sent is there");
    once_and_in_order(&got, between);
    (died, died_between)
}
