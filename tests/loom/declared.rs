//! Declared slots on the flag alone: records of two words, and answers.

use crate::bare::Bare;
use crate::explore::{Depth, Failure, Search, actor, alone, claim, explore, main_is, row};
use loom::thread;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::orders::{Orders, SHIPPED};
use shm_handoff::sync::Ordering::Relaxed;
use shm_handoff::{Reader, SendError, WaitPolicy, Writer};
use std::time::Instant;

const RECORDS: [&[u8]; 2] = [b"aaaabbbb", b"ccccdddd"];

fn channel(spec: &str) -> Channel {
    Channel::declared(&spec.parse().unwrap())
}

/// Two records of a word on either side of the flag.
fn records() {
    let slot = channel("flag=i32@4,data=4@0+4@8,size=12");
    main_is("reader");
    let mut reader = Reader::<Bare>::open(&slot).unwrap();
    let mut writer = Writer::<Bare>::open(&slot).unwrap();
    let writer = actor("writer", move || {
        for record in &RECORDS {
            writer.send(record).unwrap();
        }
        writer
    });
    crate::expect(&mut reader, &RECORDS);
    let writer = writer.join();
    assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
    drop(writer);
}

/// **J1** Records are handed over as texts are.
#[test]
fn j1_records_by_the_flag_alone() {
    claim(
        "J1",
        "two records in two spans around the flag arrive in order, once, whole, by the flag alone; no access to them races; both sides finish",
        Depth::bound(5, 3088),
        records,
    );
}

const REQUESTS: [&[u8]; 2] = [b"aaaa", b"bbbb"];

/// What a request of four bytes is answered with: eight bytes of its first one's capital letter.
fn answer_to(request: &[u8]) -> [u8; 8] {
    [request[0].to_ascii_uppercase(); 8]
}

fn to_be_answered() -> Channel {
    channel("flag=i32@0,data=4@4,reply=8@8,size=16")
}

/// Answers requests until the last one.
fn answers(mut reader: Reader<Bare>) {
    loop {
        let mut message = reader.peek().unwrap();
        let is_last = message.text() == REQUESTS[1];
        let answer = answer_to(message.text());
        message.reply(&answer).unwrap();
        message.release();
        if is_last {
            return;
        }
    }
}

fn is_answered(request: &[u8], answer: [u8; 8]) {
    let expected = answer_to(request);
    assert!(
        answer == expected,
        "\"{}\" was answered with \"{}\", not \"{}\"",
        request.escape_ascii(),
        answer.escape_ascii(),
        expected.escape_ascii()
    );
}

/// Two calls, one after the other.
fn two_calls() {
    let slot = to_be_answered();
    main_is("writer");
    let reader = Reader::<Bare>::open(&slot).unwrap();
    let mut writer = Writer::<Bare>::open(&slot).unwrap();
    let reader = actor("reader", move || answers(reader));
    for request in REQUESTS {
        let mut answer = [0; 8];
        writer.call(request, &mut answer).unwrap();
        is_answered(request, answer);
    }
    reader.join();
    drop(writer);
}

/// **J6** An answer goes back by the edge of the release.
#[test]
fn j6_an_answer_by_the_release_alone() {
    claim(
        "J6",
        "two calls: each answer is whole, and belongs to its request; no access to it races, the next request's answer included",
        Depth::bound(4, 4075),
        two_calls,
    );
}

/// **J9** A call that is given up leaves its request: the next call waits it out.
#[test]
fn j9_a_call_that_is_given_up() {
    claim(
        "J9",
        "a call that times out, and the next one: this one's answer is its own, whole, whatever becomes of the first",
        Depth::bound(4, 4091),
        || {
            let slot = to_be_answered();
            main_is("writer");
            let reader = Reader::<Bare>::open(&slot).unwrap();
            let mut writer = Writer::<Bare>::open(&slot).unwrap();
            let reader = actor("reader", move || answers(reader));
            let mut answer = [0; 8];
            match writer.call_with(REQUESTS[0], &mut answer, &mut WaitPolicy::non_blocking()) {
                Ok(()) => is_answered(REQUESTS[0], answer),
                Err(error) => assert_eq!(error, SendError::TimedOut),
            }
            thread::yield_now();
            writer.call(REQUESTS[1], &mut answer).unwrap();
            is_answered(REQUESTS[1], answer);
            reader.join();
            drop(writer);
        },
    );
}

/// A twin of a model, with one order relaxed, that has to fail: on cells, and on memory as it is.
fn twin(name: &str, entry: &str, orders: Orders, model: fn(), on_memory: Option<Failure>) {
    let started = Instant::now();
    let search = Search { orders, bound: Some(3), ..Search::ALL };
    let found = [false, true].map(|words| explore(Search { words, ..search }, model));
    let failures = found.each_ref().map(|found| found.as_ref().err().map(|found| found.failure));
    assert_eq!(failures, [Some(Failure::Race), on_memory], "{entry} relaxed");
    let told = found.map(|found| match found {
        Err(found) => {
            format!("{}, in execution {}: {}", found.failure, found.executions, found.said.lines().next().unwrap_or(""))
        }
        Ok(executions) => format!("nothing in {executions} executions"),
    });
    let [cells, memory] = told;
    row(name, &format!("`{entry}` → Relaxed"), &search, &format!("{cells}; on real memory: {memory}"), started);
}

/// **J2** to **J5**, **J7**, **J8** Without its order, each edge is found out.
#[test]
fn j2_to_j8_each_order_is_needed() {
    alone(|| {
        let wrong = Some(Failure::WrongValue);
        twin("J2", "J1, publish", Orders { publish: Relaxed, ..SHIPPED }, records, wrong);
        twin("J3", "J1, see_full", Orders { see_full: Relaxed, ..SHIPPED }, records, wrong);
        twin("J4", "J1, release", Orders { release: Relaxed, ..SHIPPED }, records, None);
        twin("J5", "J1, see_empty", Orders { see_empty: Relaxed, ..SHIPPED }, records, None);
        twin("J7", "J6, release", Orders { release: Relaxed, ..SHIPPED }, two_calls, wrong);
        twin("J8", "J6, see_empty", Orders { see_empty: Relaxed, ..SHIPPED }, two_calls, wrong);
    });
}
