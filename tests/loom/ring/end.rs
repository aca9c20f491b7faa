//! The end of the session, and memory that was removed: by the reader, which has met
//! the end, or by somebody else.

use super::{expect, message, messages, nothing_more, remove, ring, send_each};
use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::Role;
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;
use shm_handoff::sync::Ordering;

/// Looks at the end of the session.
fn meet_the_end(reader: &mut Reader<InProc>) -> shm_handoff::Message<'_, InProc, shm_handoff::Ring> {
    let message = reader.peek().unwrap();
    assert!(message.ends_session() && message.text().is_empty());
    message
}

/// **R18** The end of the session is closed by the reader, which removes the memory
/// and releases nothing: nothing comes behind the end, and what is sent after it
/// reaches the next session.
#[test]
fn r18_the_end_and_what_comes_after() {
    // 2 s.
    claim(
        "R18",
        "the end of the session: closing removes without releasing; nothing comes behind it; what is sent after it reaches the next session",
        Depth::bound(2, 5567).deep(Depth::bound(3, 136_891)),
        || {
            let ring = ring(4, 2);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let dying = InProc::open(&ring, Role::Guest).unwrap();
            let units = &[1, 2];
            let writer = actor("writer", move || {
                let messages = messages(units);
                writer.send(&messages[0]).unwrap();
                writer.end_with(&mut WaitPolicy::forever()).unwrap();
                writer.send(&messages[1]).unwrap();
                writer.close().unwrap();
            });
            let all = messages(units);
            expect(&mut reader, &all[..1]);
            meet_the_end(&mut reader).end_session().unwrap();
            drop(reader);
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            expect(&mut reader, &all[1..]);
            writer.join();
            nothing_more(&mut reader);
            // The end lies where it lay, and the flag behind it is empty.
            let records = dying.ring();
            assert_eq!([24, 32].map(|at| records.flag(at).load(Ordering::Relaxed)), [1, 0]);
        },
    );
}

/// A writer sends the end and leaves; another one comes and has a message.
fn an_end_and_the_next_writer(ring: &Channel) -> crate::explore::Actor<()> {
    let ring = ring.clone();
    actor("writers", move || {
        let mut first = Writer::<InProc>::open(&ring).unwrap();
        first.end_with(&mut WaitPolicy::forever()).unwrap();
        first.close().unwrap();
        let mut second = Writer::<InProc>::open(&ring).unwrap();
        second.send(&messages(&[2])[0]).unwrap();
        second.close().unwrap();
    })
}

/// **R19** A writer that comes and finds an end that nobody has released appends
/// nothing; it goes on when the end was released, in the same memory.
#[test]
fn r19_an_end_that_is_released() {
    // 3 s.
    claim(
        "R19",
        "a writer that finds an unreleased end appends nothing, and goes on when it is released",
        Depth::bound(2, 7063).deep(Depth::bound(3, 147_823)),
        || {
            let ring = ring(4, 1);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let memory = InProc::open(&ring, Role::Guest).unwrap();
            let writers = an_end_and_the_next_writer(&ring);
            meet_the_end(&mut reader);
            // It is never passed over, and nothing comes behind it.
            let next = reader.peek_next(&mut WaitPolicy::non_blocking()).map(|message| message.ends_session());
            assert_eq!(next, Ok(true));
            assert_eq!(memory.ring().flag(16).load(Ordering::Relaxed), 0, "something lies behind the end");
            meet_the_end(&mut reader).release();
            expect(&mut reader, &messages(&[2]));
            writers.join();
            nothing_more(&mut reader);
        },
    );
}

/// **R20** Or it goes on when the memory was removed, in the new one.
#[test]
fn r20_an_end_that_ends_the_session() {
    // 2 s.
    claim(
        "R20",
        "the same, and goes on in new memory when it is closed",
        Depth::bound(2, 4574).deep(Depth::bound(3, 96_442)),
        || {
            let ring = ring(4, 1);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let dying = InProc::open(&ring, Role::Guest).unwrap();
            let writers = an_end_and_the_next_writer(&ring);
            meet_the_end(&mut reader).end_session().unwrap();
            drop(reader);
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            expect(&mut reader, &messages(&[2]));
            writers.join();
            nothing_more(&mut reader);
            let records = dying.ring();
            assert_eq!([8, 16].map(|at| records.flag(at).load(Ordering::Relaxed)), [1, 0]);
        },
    );
}

/// **R21** A message that nobody took from removed memory is sent again on the
/// new memory, once, and before the next one. (The ring is small: its writer has
/// not left before the removal.)
#[test]
fn r21_stranded_messages_are_sent_again_once() {
    // 5 s.
    claim(
        "R21",
        "what nobody took from removed memory is sent again, once, in order, before the next",
        Depth::bound(2, 13_626).deep(Depth::bound(3, 648_638)),
        || {
            let ring = ring(4, 2);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let units = &[1, 2, 2];
            let writer = actor("writer", move || {
                send_each(&mut writer, &messages(units));
                writer.close().unwrap();
            });
            let all = messages(units);
            expect(&mut reader, &all[..1]);
            let message = reader.peek().unwrap();
            assert_eq!(message.text(), all[1]);
            message.end_session().unwrap();
            drop(reader);
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            expect(&mut reader, &all[1..]);
            writer.join();
            nothing_more(&mut reader);
        },
    );
}

/// **R22** Memory removed by somebody else while both are at work, between two
/// sends, wherever the reader is: every message is received once and in order, on
/// the old memory or the new.
///
/// (The one who removes shares a thread with a side, as in L8.)
#[test]
fn r22_removed_under_the_reader() {
    // 2 s.
    claim(
        "R22",
        "memory removed by somebody else between two sends: each message once, in order",
        Depth::bound(2, 4517).deep(Depth::bound(3, 90_058)),
        || {
            let ring = ring(4, 2);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let units = &[1, 2];
            let writer = actor("writer", move || {
                let messages = messages(units);
                writer.send(&messages[0]).unwrap();
                remove(&ring);
                writer.send(&messages[1]).unwrap();
                writer.close().unwrap();
            });
            expect(&mut reader, &messages(units));
            writer.join();
            nothing_more(&mut reader);
        },
    );
}

/// **R23** As R22, with the removal between two looks, wherever the writer is: it
/// may be asleep on a full ring.
#[test]
fn r23_removed_under_the_writer() {
    // 3 s.
    claim("R23", "the same, between two looks", Depth::bound(2, 7754).deep(Depth::bound(3, 183_873)), || {
        let ring = ring(4, 2);
        main_is("reader");
        let mut reader = Reader::<InProc>::open(&ring).unwrap();
        let mut writer = Writer::<InProc>::open(&ring).unwrap();
        let units = &[2, 2];
        let writer = actor("writer", move || {
            send_each(&mut writer, &messages(units));
            writer.close().unwrap();
        });
        remove(&ring);
        expect(&mut reader, &messages(units));
        writer.join();
        nothing_more(&mut reader);
    });
}

/// **R24** A writer that publishes into memory from which the reader has gone finds
/// that out at its next send, without asking each time whether the memory is there:
/// the reader has left its parked word set, and nobody sleeps on it.
#[test]
fn r24_the_parked_word_tells_of_a_removal() {
    // 1 s.
    claim(
        "R24",
        "a writer that publishes into removed memory hears of it by the parked word, at its next send",
        Depth::bound(2, 4332).deep(Depth::bound(3, 64_600)),
        || {
            let ring = ring(8, 2);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let units = &[1, 2, 2];
            let first = actor("writer", move || {
                let messages = messages(units);
                writer.send(&messages[0]).unwrap();
                remove(&ring);
                writer.send(&messages[1]).unwrap();
                writer.send(&messages[2]).unwrap();
                writer
            });
            let all = messages(units);
            // Without the writer's leaving, which looks at the memory.
            expect(&mut reader, &all[..2]);
            let writer = first.join();
            let last = actor("writer, leaving", move || writer.close().unwrap());
            expect(&mut reader, &all[2..]);
            last.join();
            nothing_more(&mut reader);
        },
    );
}

/// **R26** Memory removed by somebody else around the end of the session, which the reader
/// has not met yet: the end reaches it, on the old memory or on the new. A removal alone
/// does not answer an end.
#[test]
fn r26_an_end_on_removed_memory() {
    // 3 s.
    claim(
        "R26",
        "memory removed by somebody else while the end of the session is sent: the reader meets the end",
        Depth::bound(2, 3991).deep(Depth::bound(3, 81_431)),
        || {
            let ring = ring(4, 2);
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&ring).unwrap();
            let mut writer = Writer::<InProc>::open(&ring).unwrap();
            let writer = actor("writer", move || {
                writer.send(&message(0, 1)).unwrap();
                writer.end_with(&mut WaitPolicy::forever()).unwrap();
                writer.close().unwrap();
            });
            remove(&ring);
            expect(&mut reader, &[message(0, 1)]);
            meet_the_end(&mut reader).end_session().unwrap();
            reader.close().unwrap();
            writer.join();
        },
    );
}
