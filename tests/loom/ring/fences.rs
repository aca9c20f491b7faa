//! Fences that a side has the kernel make for both, as it sleeps, and the word that says so.
//!
//! Here the side that has published or given back has no fence where it sees the other's
//! word at 1; the one that goes to sleep asks the model's kernel, which has every thread
//! fenced before its next operation, wherever that is, and goes on when all have been.
//! A thread that rests has had its fence as it stopped. One whose process is not
//! registered has none; for one whose process is refused the kernel does nothing.
//!
//! A word that is taken back can be seen too late, once: then the sleep ends by its
//! bound. That is the one sleep on memory in use which has a bound in a model; every
//! later one is woken or found out.

use super::{expect, flow, messages, nothing_more, ring, send_each};
use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, claim_all, main_is};
use shm_handoff::Role;
use shm_handoff::backend::inproc::{Channel, InProc};

use shm_handoff::sync::yield_now;
use trace::ring_words_are_one_way;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

/// A ring whose sides have heavy fences, and on which no side both loads and stores a word but for
/// the parked words.
fn one_way(units: usize, from: u64) -> Channel {
    ring_words_are_one_way(true);
    ring(units, from).with_heavy_fences()
}

/// **R29** Both have heavy fences: R1 without a fence on the way of a record.
#[test]
fn r29_heavy_fences_of_both() {
    claim(
        "R29",
        "both sides have the kernel fence the other before they sleep: R1 without a fence on a record's way",
        Depth::bound(2, 4031).deep(Depth::bound(3, 72_062)),
        || flow(&one_way(4, 0), &[1, 2, 2]),
    );
}

/// What a side's process can't do, from some moment on.
type Lacks = fn();

/// Records through a ring, where a side lacks something from number `at` on.
fn lacking(role: Role, lacks: Lacks, at: usize) -> impl Fn() + Copy {
    move || {
        let ring = one_way(4, 0);
        main_is("reader");
        let units = &[1, 2, 2];
        let theirs = ring.clone();
        let writer = actor("writer", move || {
            let lack = |before| {
                if role == Role::Writer && at == before {
                    lacks();
                }
            };
            lack(0);
            let mut writer = Writer::<Bare>::open(&theirs).unwrap();
            for (number, message) in messages(units).into_iter().enumerate() {
                writer.send(&message).unwrap();
                lack(number + 1);
            }
            writer
        });
        let lack = |before| {
            if role == Role::Reader && at == before {
                lacks();
            }
        };
        lack(0);
        let mut reader = Reader::<Bare>::open(&ring).unwrap();
        for (number, message) in messages(units).into_iter().enumerate() {
            expect(&mut reader, &[message]);
            lack(number + 1);
        }
        drop(writer.join());
        nothing_more(&mut reader);
    }
}

/// **R30** A side that has no heavy fence, or that the other one's does not reach.
#[test]
fn r30_a_side_without_heavy_fences() {
    claim_all(
        "R30",
        "one side is refused by the kernel, or not registered with it: there each side has its own fence",
        Depth::bound(2, 23_316).deep(Depth::bound(3, 0)),
        [
            lacking(Role::Reader, trace::is_refused, 0),
            lacking(Role::Writer, trace::is_refused, 0),
            lacking(Role::Reader, trace::is_unreachable, 0),
            lacking(Role::Writer, trace::is_unreachable, 0),
        ],
    );
}

/// **R31** A side that is refused from some moment on takes its word back before it
/// sleeps. Only the sleep that comes next can be left to its bound.
#[test]
fn r31_a_heavy_fence_that_is_refused() {
    claim_all(
        "R31",
        "one side is refused from some moment on: it takes its word back, and no sleep but its next one needs a bound",
        Depth::bound(2, 13_999).deep(Depth::bound(3, 0)),
        [lacking(Role::Reader, trace::is_refused, 1), lacking(Role::Writer, trace::is_refused, 1)],
    );
}

/// **R32** A side that comes and is refused leaves nothing of its predecessor's word: once
/// it has been there for as long as a sleep takes, none of its sleeps needs a bound.
#[test]
fn r32_a_successor_without_heavy_fences() {
    let reader = || {
        let ring = ring(4, 2).with_heavy_fences();
        main_is("readers");
        let units = &[1, 2, 2];
        let mut writer = Writer::<InProc>::open(&ring).unwrap();
        let writer = actor("writer", move || {
            for message in messages(units) {
                while writer.send(&message).is_err() {
                    yield_now();
                }
            }
            writer.close().unwrap();
        });
        let all = messages(units);
        let mut first = Reader::<InProc>::open(&ring).unwrap();
        expect(&mut first, &all[..1]);
        first.close().unwrap();
        trace::is_refused();
        let mut second = Reader::<InProc>::open(&ring).unwrap();
        second.backend().let_time_pass();
        expect(&mut second, &all[1..]);
        writer.join();
        nothing_more(&mut second);
    };
    let writer = || {
        let ring = ring(4, 2).with_heavy_fences();
        main_is("reader");
        let mut reader = Reader::<InProc>::open(&ring).unwrap();
        let units = &[1, 2, 2];
        let theirs = ring.clone();
        let writers = actor("writers", move || {
            let all = messages(units);
            let mut first = Writer::<InProc>::open(&theirs).unwrap();
            send_each(&mut first, &all[..1]);
            first.close().unwrap();
            trace::is_refused();
            let mut second = Writer::<InProc>::open(&theirs).unwrap();
            second.backend().let_time_pass();
            send_each(&mut second, &all[1..]);
            second.close().unwrap();
        });
        expect(&mut reader, &messages(units));
        writers.join();
        nothing_more(&mut reader);
    };
    claim_all(
        "R32",
        "a side comes whose predecessor had heavy fences, and is refused: nothing of that word is left",
        Depth::bound(2, 16_897).deep(Depth::bound(3, 0)),
        [reader as fn(), writer],
    );
}
