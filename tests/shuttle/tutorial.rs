//! The checker's checker: the tutorial's protocol, with all mended but one of
//! its defects, must be rejected for that one.
//!
//! D1 and D2 are out of reach: they are races, and every value that is read
//! here is the one that was written last. loom finds them (`tests/loom`).

use crate::explore::{Chance, PREEMPTED, Size, claim, explore, row};
use crate::slot;
use parking_lot::Mutex;
use shm_handoff::backend::inproc::InProc;
use shm_handoff::inside::tutorial::{Mended, Reader, Taken, Writer};
use shm_handoff::{Error, Role};
use shuttle::thread;
use std::sync::Arc;
use std::time::Instant;

/// Seven bytes, so that a copy is two words and can be half made.
const AAA: &[u8] = b"AAAAAA\n";
const BBB: &[u8] = b"BBBBBB\n";
const END: &[u8] = b"end\n";

/// Offers `line` until it is taken.
fn put(writer: &Writer<InProc>, line: &[u8]) {
    while !writer.offer(line) {
        thread::yield_now();
    }
}

/// Takes a message as soon as there is one.
fn get(reader: &mut Reader<InProc>) -> Taken {
    loop {
        match reader.take() {
            Some(taken) => return taken,
            None => thread::yield_now(),
        }
    }
}

/// A defect is shown: each kind of chance meets an execution that goes wrong as
/// expected; and with all mended the same model holds in all of them.
fn shown(name: &str, what: &str, mended: Mended, expected: &str, model: fn(Mended, usize)) {
    let size = Size { executions: 500, messages: 10 };
    let mut found = Vec::new();
    let started = Instant::now();
    let chances = [Chance::Random, Chance::Pct(3)];
    for chance in chances {
        let (tally, result) = explore(chance, size, move || model(mended, size.messages));
        let said = result.expect_err(name);
        assert!(said.contains(expected), "{name}, {chance}: {said}");
        found.push(tally["executions"].to_string());
    }
    row(name, what, size, &chances, &format!("{expected}, in execution {}", found.join(" and ")), started);
    claim(name, "the same model, mended", size, &[(PREEMPTED, 60_000)], move |messages| model(Mended::ALL, messages));
}

/// Every third message is an `end`, and whoever sees it must know it.
fn ends(mended: Mended, messages: usize) {
    let slot = slot();
    let line = |n| if n % 3 == 2 { END } else { AAA };
    let mut reader = Reader::<InProc>::open(&slot, mended).unwrap();
    let writer = Writer::<InProc>::open(&slot, mended).unwrap();
    let writer = thread::spawn(move || (0..messages).for_each(|n| put(&writer, line(n))));
    for n in 0..messages {
        let taken = get(&mut reader);
        assert_eq!(taken.text, line(n));
        assert_eq!(taken.leaves, line(n) == END, "an end was missed, or a false one seen");
    }
    writer.join().unwrap();
}

/// **S8** D3 is found: the reader judges a text that is not the one it printed.
#[test]
fn s8_d3_is_found() {
    let mended = Mended { judging: false, ..Mended::ALL };
    shown("S8", "D3 alone, judging a released slot", mended, "an end was missed, or a false one seen", ends);
}

/// Readers that come one after the other, each for one message.
fn starts(mended: Mended, messages: usize) {
    let slot = slot();
    let writer = Writer::<InProc>::open(&slot, mended).unwrap();
    let writer = thread::spawn(move || {
        for n in 0..messages {
            put(&writer, format!("{n:06}\n").as_bytes());
        }
        // So that a reader which waits for what was lost does not wait forever.
        put(&writer, END);
    });
    for n in 0..messages {
        let taken = get(&mut Reader::<InProc>::open(&slot, mended).unwrap());
        assert!(taken.text == format!("{n:06}\n").as_bytes(), "a message that was sent is lost");
    }
    get(&mut Reader::<InProc>::open(&slot, mended).unwrap());
    writer.join().unwrap();
}

/// **S9** D4 is found: a reader that starts wipes a message.
#[test]
fn s9_d4_is_found() {
    let mended = Mended { starting: false, ..Mended::ALL };
    shown("S9", "D4 alone, zeroing the flag", mended, "a message that was sent is lost", starts);
}

/// What a reader prints from two writers with `messages` each, as far as there
/// is anything. With seats, one of them writes after the other.
fn printed_of_two_writers(mended: Mended, messages: usize) -> Vec<Vec<u8>> {
    let slot = slot();
    let at_work = Arc::new(Mutex::new(2));
    let mut reader = Reader::<InProc>::open(&slot, mended).unwrap();
    let writers = [AAA, BBB].map(|line| {
        let (slot, at_work) = (slot.clone(), Arc::clone(&at_work));
        thread::spawn(move || {
            let writer = loop {
                match Writer::<InProc>::open(&slot, mended) {
                    Ok(writer) => break writer,
                    Err(error) => assert!(matches!(error, Error::SeatTaken { role: Role::Writer, .. })),
                }
                thread::yield_now();
            };
            (0..messages).for_each(|_| put(&writer, line));
            *at_work.lock() -= 1;
        })
    });
    let mut printed = Vec::new();
    loop {
        // In this order: after the last message there is one more look.
        let over = *at_work.lock() == 0;
        match reader.take() {
            Some(taken) => printed.push(taken.text),
            None if over => break,
            None => thread::yield_now(),
        }
    }
    for writer in writers {
        writer.join().unwrap();
    }
    printed
}

fn unmixed(mended: Mended, messages: usize) {
    let printed = printed_of_two_writers(mended, messages);
    assert!(printed.iter().all(|text| text == AAA || text == BBB), "two texts are mixed");
}

fn unlost(mended: Mended, messages: usize) {
    let printed = printed_of_two_writers(mended, messages);
    assert!(printed.len() >= 2 * messages, "a message that was sent has vanished");
}

/// Two readers of which each prints what it finds.
fn undoubled(mended: Mended, messages: usize) {
    let slot = slot();
    let over = Arc::new(Mutex::new(false));
    let writer = Writer::<InProc>::open(&slot, mended).unwrap();
    let readers = [(); 2].map(|()| {
        let (slot, over) = (slot.clone(), Arc::clone(&over));
        thread::spawn(move || {
            let mut printed = 0;
            // Kept out while the other one is there; then it is over.
            let mut reader = Reader::<InProc>::open(&slot, mended).ok()?;
            loop {
                let over = *over.lock();
                match reader.take() {
                    Some(_) => printed += 1,
                    None if over => return Some(printed),
                    None => thread::yield_now(),
                }
            }
        })
    });
    (0..messages).for_each(|_| put(&writer, AAA));
    *over.lock() = true;
    let printed = readers.into_iter().filter_map(|reader| reader.join().unwrap()).sum::<usize>();
    assert!(printed <= messages, "one message was printed twice");
}

/// **S10** D5 is found: two writers write into each other's text, or over it,
/// and two readers print the same.
#[test]
fn s10_d5_is_found() {
    let mended = Mended { seats: false, ..Mended::ALL };
    shown("S10", "D5 alone, two writers", mended, "two texts are mixed", unmixed);
    shown("S10", "D5 alone, two writers", mended, "a message that was sent has vanished", unlost);
    shown("S10", "D5 alone, two readers", mended, "one message was printed twice", undoubled);
}

/// **S11** What this tool can't see: with D1 and D2 left as they are, and all
/// else mended, everything passes.
#[test]
fn s11_d1_and_d2_are_out_of_reach() {
    let size = Size { executions: 500, messages: 10 };
    for (what, mended) in [
        ("not to be seen here: D1 alone, a plain flag", Mended { flag: false, ..Mended::ALL }),
        ("not to be seen here: D2 alone, an unordered flag", Mended { order: false, ..Mended::ALL }),
    ] {
        claim("S11", what, size, &[(PREEMPTED, 60_000)], move |messages| ends(mended, messages));
    }
}
