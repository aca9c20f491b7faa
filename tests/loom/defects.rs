//! The tutorial's defects of concurrency, D1 to D5: each shown by itself, in
//! the tutorial's own protocol with all the others mended, and absent from
//! ours. `docs/defects.md` shows their pictures.
//!
//! Three searches make up what is shown: with the defect the checker finds a
//! counterexample; with that mended as well, and nothing else changed, it
//! explores everything and finds none; and neither in ours. `records` shows those
//! of them that a struct without text has.

mod records;

use crate::bare::Bare;
use crate::explore::{Counterexample, Depth, Failure, Search, actor, claim, explore, main_is, refute, row};
use crate::history::sequentially_consistent;
use crate::picture::picture;
use crate::slot;
use loom::thread;
use shm_handoff::Received;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::inside::tutorial::{Mended, Reader, Taken, Writer};
use shm_handoff::{Error, Role};
use std::time::Instant;
use trace::{note, record};

/// Seven bytes, so that a copy is two words and can be half made.
const AAA: &[u8] = b"AAAAAA\n";
const BBB: &[u8] = b"BBBBBB\n";
const END: &[u8] = b"end\n";

/// Shows a defect: `model` goes wrong with `mended`, in the way that is
/// expected, and is right once everything is mended.
fn shown<M: Fn() + Send + Sync + 'static>(
    name: &str,
    what: &str,
    search: Search,
    (mended, expected): (Mended, Failure),
    model: impl Fn(Mended) -> M,
) -> Box<Counterexample> {
    let started = Instant::now();
    let found = refute(search, || model(mended)).unwrap_or_else(|| panic!("{name}: nothing was found"));
    println!("{found}");
    assert_eq!(found.failure, expected, "{name}: {found}");
    match explore(search, model(Mended::ALL)) {
        Ok(count) => {
            let result = format!("{expected}, in execution {}; mended: none in {count}", found.executions);
            row(name, what, &search, &result, started);
        }
        Err(wrong) => panic!("{name}, mended: {wrong}"),
    }
    found
}

/// Whether what was seen shows the defect: a failure that needs no stale value
/// to happen is shown by an execution without one.
fn plainly() -> bool {
    sequentially_consistent(&record()).is_some()
}

/// Offers `line` until it is taken.
fn put(writer: &Writer<Bare>, line: &[u8]) {
    while !writer.offer(line) {
        thread::yield_now();
    }
}

/// Takes a message as soon as there is one.
fn get(reader: &mut Reader<Bare>) -> Taken {
    let taken = loop {
        match reader.take() {
            Some(taken) => break taken,
            None => thread::yield_now(),
        }
    };
    note(format!("has printed \"{}\"", taken.text.escape_ascii()));
    taken
}

/// One message from the tutorial's writer to its reader.
fn one_message(mended: Mended) -> impl Fn() {
    move || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<Bare>::open(&slot, mended).unwrap();
        let writer = Writer::<Bare>::open(&slot, mended).unwrap();
        let writer = actor("writer", move || assert!(writer.offer(AAA)));
        // One look, whenever it comes. (Who yields sees no stale value in loom.)
        if let Some(taken) = reader.take() {
            let text = taken.text.escape_ascii().to_string();
            note(format!("has printed \"{text}\""));
            assert!(taken.text == AAA, "the reader printed \"{text}\", and \"AAAAAA\\n\" was written");
        }
        writer.join();
    }
}

/// **D1** `written` is a plain int: writer and reader race on the flag itself,
/// whatever else is right.
#[test]
fn d1_shown() {
    let mended = Mended { flag: false, ..Mended::ALL };
    let found = shown("D1", "a plain flag", Search::ALL, (mended, Failure::Race), one_message);
    assert_eq!(found.history.contested(), "written");
    picture("d1", "D1: written is a plain int", &found);
}

/// **D2** Nothing orders text and flag: they race on the text, though the flag
/// is an atomic.
#[test]
fn d2_shown() {
    let mended = Mended { order: false, ..Mended::ALL };
    let found = shown("D2", "an unordered flag", Search::ALL, (mended, Failure::Race), one_message);
    assert_eq!(found.history.contested(), "text[0]");
}

/// **D2** What comes of it on real memory: the reader sees the flag, and not
/// the text.
#[test]
fn d2_shown_stale_text() {
    let mended = Mended { order: false, ..Mended::ALL };
    let found =
        shown("D2", "an unordered flag, on real memory", Search::WORDS, (mended, Failure::WrongValue), one_message);
    picture("d2", "D2: nothing orders text and flag", &found);
}

/// What our own sides make of one message; the twin of D1 and of D2.
fn our_message() {
    let slot = slot();
    main_is("reader");
    let mut reader = shm_handoff::Reader::<Bare>::open(&slot).unwrap();
    let mut writer = shm_handoff::Writer::<Bare>::open(&slot).unwrap();
    let writer = actor("writer", move || writer.send(AAA).unwrap());
    let message = reader.peek().unwrap();
    assert_eq!(message.text(), AAA);
    message.release();
    writer.join();
}

/// **D1**, **D2** Ours: no race on the flag or on the text.
#[test]
fn d1_d2_absent() {
    claim("D1, D2", "ours: one message, no race", Depth::whole(44), our_message);
}

/// **D2** Ours on real memory: the flag is never seen before the text.
#[test]
fn d2_absent_stale_text() {
    claim("D2", "ours, on real memory: never stale or torn", Depth::whole(44).in_words(), our_message);
}

/// `end` and the first message of the next writer, who comes at once; or a
/// message and the `end`.
fn an_end(lines: [&'static [u8]; 2]) -> impl Fn(Mended) -> Box<dyn Fn() + Send + Sync> {
    move |mended| {
        Box::new(move || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&slot, mended).unwrap();
            let writer = Writer::<Bare>::open(&slot, mended).unwrap();
            let writer = actor("writer", move || lines.iter().for_each(|line| put(&writer, line)));
            let taken = get(&mut reader);
            assert_eq!(taken.text, lines[0]);
            note(if taken.leaves { "leaves" } else { "goes on" });
            assert!(
                taken.leaves == (lines[0] == END) || !plainly(),
                "the reader printed \"{}\" and {}",
                lines[0].escape_ascii(),
                if taken.leaves { "leaves" } else { "goes on" }
            );
            // So that the writer comes to its end.
            get(&mut reader);
            writer.join();
        })
    }
}

/// **D3** The reader looks for `end` after it gave the slot back: it races with
/// the next text.
#[test]
fn d3_shown() {
    let mended = Mended { judging: false, ..Mended::ALL };
    let found = shown("D3", "judging a released slot", Search::ALL, (mended, Failure::Race), an_end([END, AAA]));
    assert_eq!(found.history.contested(), "text[0]");
}

/// **D3** What comes of it: the end is missed, for what was judged is the next
/// text.
#[test]
fn d3_shown_missed_end() {
    let mended = Mended { judging: false, ..Mended::ALL };
    let found = shown("D3", "a missed end", Search::WORDS, (mended, Failure::WrongValue), an_end([END, AAA]));
    picture("d3", "D3: the reader releases the slot, then looks for end in it", &found);
}

/// **D3** And the other way round: a false end, and the last text is not read.
#[test]
fn d3_shown_false_end() {
    let mended = Mended { judging: false, ..Mended::ALL };
    let found = shown("D3", "a false end", Search::WORDS, (mended, Failure::WrongValue), an_end([AAA, END]));
    picture("d3-false-end", "D3, the other way round: a false end", &found);
}

/// **D3** Ours: the text is judged in a private copy.
#[test]
fn d3_absent() {
    // Behind an end the writer looks once less.
    let [first, last] = [23_264, 50_480].map(Depth::whole);
    for (where_, [first, last]) in [("", [first, last]), (", on real memory", [first, last].map(Depth::in_words))] {
        for (lines, which, depth) in
            [([END, AAA], "an end that comes first", first), ([AAA, END], "an end that comes last", last)]
        {
            claim("D3", &format!("ours: {which} is seen as what it is{where_}"), depth, move || {
                let slot = slot();
                main_is("reader");
                let mut reader = shm_handoff::Reader::<Bare>::open(&slot).unwrap();
                let mut writer = shm_handoff::Writer::<Bare>::open(&slot).unwrap();
                let writer = actor("writer", move || lines.iter().for_each(|line| writer.send(line).unwrap()));
                for line in lines {
                    let message = reader.peek().unwrap();
                    assert_eq!((message.text(), message.ends_session()), (line, line == END));
                    message.release();
                }
                writer.join();
            });
        }
    }
}

/// **D4** The reader zeroes the flag when it starts: a message that waits for
/// it is lost.
#[test]
fn d4_shown() {
    let mended = Mended { starting: false, ..Mended::ALL };
    let found = shown("D4", "zeroing the flag", Search::ALL, (mended, Failure::WrongValue), |mended| {
        move || {
            let slot = slot();
            main_is("reader");
            let writer = Writer::<Bare>::open(&slot, mended).unwrap();
            let writer = actor("writer", move || {
                put(&writer, AAA);
                note("sent");
            });
            let mut reader = Reader::<Bare>::open(&slot, mended).unwrap();
            writer.join();
            let taken = reader.take();
            let arrived = taken.is_some_and(|taken| taken.text == AAA);
            assert!(arrived || !plainly(), "the message was sent, and the slot is empty");
        }
    });
    picture("d4", "D4: the reader sets written = 0 when it starts", &found);
}

/// **D4** Ours: a reader that starts finds what waits for it.
#[test]
fn d4_absent() {
    claim("D4", "ours: what waits is read", Depth::whole(1), || {
        let slot = slot();
        main_is("reader");
        let mut writer = shm_handoff::Writer::<Bare>::open(&slot).unwrap();
        let writer = actor("writer", move || writer.send(AAA).unwrap());
        let mut reader = shm_handoff::Reader::<Bare>::open(&slot).unwrap();
        writer.join();
        let mut text = [0; 8];
        assert_eq!(reader.try_recv(&mut text), Ok(Received::Message(AAA.len())));
        assert_eq!(&text[..AAA.len()], AAA);
    });
}

/// Two writers that each try once, and what lies in the one slot.
fn two_writers(mixed: bool) -> impl Fn(Mended) -> Box<dyn Fn() + Send + Sync> {
    move |mended| {
        Box::new(move || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&slot, mended).unwrap();
            let write = |slot: Channel, line: &'static [u8]| {
                move || match Writer::<Bare>::open(&slot, mended) {
                    Ok(writer) => {
                        let sent = writer.offer(line);
                        note(if sent { "sent" } else { "waits" });
                        sent
                    }
                    Err(error) => {
                        assert!(matches!(error, Error::SeatTaken { role: Role::Writer, .. }));
                        false
                    }
                }
            };
            let one = actor("writer A", write(slot.clone(), AAA));
            let other = actor("writer B", write(slot.clone(), BBB));
            let sent = [(one.join(), AAA), (other.join(), BBB)];
            let text = reader.take().expect("one of them has written").text;
            note(format!("has printed \"{}\"", text.escape_ascii()));
            let whole = sent.iter().any(|(_, line)| text == *line);
            if mixed {
                assert!(whole || !plainly(), "the two are mixed: \"{}\"", text.escape_ascii());
                return;
            }
            for (sent, line) in sent {
                let arrived = text == line || !whole;
                assert!(!sent || arrived || !plainly(), "\"{}\" was sent and has vanished", line.escape_ascii());
            }
        })
    }
}

/// **D5** Nothing keeps a second writer out: they race on the text.
#[test]
fn d5_shown() {
    let mended = Mended { seats: false, ..Mended::ALL };
    let found = shown("D5", "two writers", Search::ALL, (mended, Failure::Race), two_writers(true));
    assert_eq!(found.history.contested(), "text[0]");
}

/// **D5** What comes of it: both have sent, and one message has vanished.
#[test]
fn d5_shown_vanished() {
    let mended = Mended { seats: false, ..Mended::ALL };
    let found = shown("D5", "a message vanishes", Search::WORDS, (mended, Failure::WrongValue), two_writers(false));
    picture("d5", "D5: nothing keeps a second writer out", &found);
}

/// **D5** Or the two are mixed.
#[test]
fn d5_shown_mixed() {
    let mended = Mended { seats: false, ..Mended::ALL };
    let found = shown("D5", "two messages are mixed", Search::WORDS, (mended, Failure::WrongValue), two_writers(true));
    picture("d5-mixed", "D5: two writers, and a text that nobody wrote", &found);
}

/// **D5** The same with two readers: one message is printed twice.
#[test]
fn d5_shown_readers() {
    let mended = Mended { seats: false, ..Mended::ALL };
    let found = shown("D5", "two readers", Search::ALL, (mended, Failure::WrongValue), |mended| {
        move || {
            let slot = slot();
            main_is("writer, then reader A");
            let writer = Writer::<Bare>::open(&slot, mended).unwrap();
            assert!(writer.offer(AAA));
            let read = move |slot: &Channel| {
                let taken = Reader::<Bare>::open(slot, mended).ok().and_then(|mut reader| reader.take());
                if taken.is_some() {
                    note("has printed it");
                }
                taken.is_some()
            };
            let theirs = slot.clone();
            let other = actor("reader B", move || read(&theirs));
            let printed = usize::from(read(&slot)) + usize::from(other.join());
            assert!(printed == 1 || !plainly(), "one message was printed {printed} times");
        }
    });
    picture("d5-readers", "D5, with two readers", &found);
}

/// **D5** Ours: whoever comes second is told that the seat is taken, in every
/// execution, and the two messages arrive whole, one after the other.
#[test]
fn d5_absent() {
    claim("D5", "ours: the second writer is kept out", Depth::bound(3, 22_842), || {
        let slot = slot();
        main_is("reader");
        let mut reader = shm_handoff::Reader::<InProc>::open(&slot).unwrap();
        let mut writer = shm_handoff::Writer::<InProc>::open(&slot).unwrap();
        let theirs = slot.clone();
        let second = actor("second writer", move || {
            let refused = shm_handoff::Writer::<InProc>::open(&theirs).map(drop);
            assert!(matches!(refused, Err(Error::SeatTaken { role: Role::Writer, .. })), "{refused:?}");
        });
        let first = actor("writer", move || {
            writer.send(AAA).unwrap();
            second.join();
            writer.send(BBB).unwrap();
            writer.close().unwrap();
        });
        let refused = shm_handoff::Reader::<InProc>::open(&slot).map(drop);
        assert!(matches!(refused, Err(Error::SeatTaken { role: Role::Reader, .. })), "{refused:?}");
        crate::expect(&mut reader, &[AAA, BBB]);
        first.join();
    });
}
