//! The end of the session, and memory that was removed: by the reader, which has met
//! the end, or by somebody else.

use super::restart::send;
use super::{expect, message, messages, nothing_more, send_each};
use crate::explore::{Actor, Depth, actor, claim, main_is};
use crate::world::{Side, Simulated, World};
use shm_handoff::Role;
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;
use shm_handoff::sync::Ordering;

/// Looks at the end of the session.
fn meet_the_end<B: Backend>(reader: &mut Reader<B>) -> shm_handoff::Message<'_, B, shm_handoff::Ring> {
    let message = reader.peek().unwrap();
    assert!(message.ends_session() && message.text().is_empty());
    message
}

/// Opens the two sides of a model.
fn both<W: World>(ring: &W, receives: &W::Side, sends: &W::Side) -> (Reader<W::Backend>, Writer<W::Backend>) {
    let reader = receives.begins(|| Reader::open(ring.address()).unwrap());
    (reader, sends.begins(|| Writer::open(ring.address()).unwrap()))
}

/// The flag of the record at `position`.
fn flag<B: Backend>(memory: &B, position: u64) -> u32 {
    memory.ring().flag(position).load(Ordering::Relaxed)
}

/// One that is attached, and looks what lies there.
fn looks_on<W: World>(ring: &W) -> (W::Side, W::Backend) {
    let side = ring.side();
    let memory = side.begins(|| W::Backend::open(ring.address(), Role::Guest).unwrap());
    (side, memory)
}

/// **R18** The end of the session is closed by the reader, which removes the memory
/// and releases nothing: nothing comes behind the end, and what is sent after it
/// reaches the next session.
fn r18<W: World>(depth: Depth) {
    let what = "the end of the session: closing removes without releasing; nothing comes behind it; what is sent after it reaches the next session";
    claim(&W::row("R18"), what, depth, || {
        let ring = W::ring(4, 2);
        let sides = [(); 3].map(|()| ring.side());
        let [receives, receives_next, sends] = sides;
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        let (looks, dying) = looks_on(&ring);
        let units = &[1, 2];
        let all = messages(units);
        let writer = receives.lives(|| {
            let writer = actor("writer", move || {
                sends.lives(|| {
                    let messages = messages(units);
                    writer.send(&messages[0]).unwrap();
                    writer.end_with(&mut WaitPolicy::forever()).unwrap();
                    writer.send(&messages[1]).unwrap();
                    writer.close().unwrap();
                });
            });
            expect(&mut reader, &all[..1]);
            meet_the_end(&mut reader).end_session().unwrap();
            drop(reader);
            writer
        });
        receives_next.lives(|| {
            let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut reader, &all[1..]);
            writer.join();
            nothing_more(&mut reader);
        });
        // The end lies where it lay, and the flag behind it is empty.
        assert_eq!([24, 32].map(|at| flag(&dying, at)), [1, 0]);
        looks.lives(|| drop(dying));
        ring.is_left();
    });
}

#[test]
fn r18_the_end_and_what_comes_after() {
    // 2 s.
    r18::<Channel>(Depth::bound(2, 5567).deep(Depth::bound(3, 136_891)));
}

#[test]
fn r18s_the_end_and_what_comes_after() {
    r18::<Simulated>(Depth::bound(1, 191).deep(Depth::bound(2, 16_231)));
}

/// A writer sends the end and leaves; another one comes and has a message.
fn an_end_and_the_next_writer<W: World>(ring: &W) -> Actor<()> {
    let ring = ring.clone();
    let (sends_first, sends_second) = (ring.side(), ring.side());
    actor("writers", move || {
        sends_first.lives(|| {
            let mut first = Writer::<W::Backend>::open(ring.address()).unwrap();
            first.end_with(&mut WaitPolicy::forever()).unwrap();
            first.close().unwrap();
        });
        sends_second.lives(|| {
            let mut second = Writer::<W::Backend>::open(ring.address()).unwrap();
            second.send(&messages(&[2])[0]).unwrap();
            second.close().unwrap();
        });
    })
}

/// **R19** A writer that comes and finds an end that nobody has released appends
/// nothing; it goes on when the end was released, in the same memory.
fn r19<W: World>(depth: Depth) {
    let what = "a writer that finds an unreleased end appends nothing, and goes on when it is released";
    claim(&W::row("R19"), what, depth, || {
        let ring = W::ring(4, 1);
        let receives = ring.side();
        main_is("reader");
        let mut reader = receives.begins(|| Reader::<W::Backend>::open(ring.address()).unwrap());
        let (looks, memory) = looks_on(&ring);
        receives.lives(|| {
            let writers = an_end_and_the_next_writer(&ring);
            meet_the_end(&mut reader);
            // It is never passed over, and nothing comes behind it.
            let next = reader.peek_next(&mut WaitPolicy::non_blocking()).map(|message| message.ends_session());
            assert_eq!(next, Ok(true));
            assert_eq!(flag(&memory, 16), 0, "something lies behind the end");
            meet_the_end(&mut reader).release();
            expect(&mut reader, &messages(&[2]));
            writers.join();
            nothing_more(&mut reader);
            drop(reader);
        });
        looks.lives(|| drop(memory));
        ring.is_left();
    });
}

#[test]
fn r19_an_end_that_is_released() {
    // 3 s.
    r19::<Channel>(Depth::bound(2, 7063).deep(Depth::bound(3, 147_823)));
}

#[test]
fn r19s_an_end_that_is_released() {
    r19::<Simulated>(Depth::bound(1, 352).deep(Depth::bound(2, 24_384)));
}

/// **R20** Or it goes on when the memory was removed, in the new one.
fn r20<W: World>(depth: Depth) {
    let what = "the same, and goes on in new memory when it is closed";
    claim(&W::row("R20"), what, depth, || {
        let ring = W::ring(4, 1);
        let (receives, receives_next) = (ring.side(), ring.side());
        main_is("reader");
        let mut reader = receives.begins(|| Reader::<W::Backend>::open(ring.address()).unwrap());
        let (looks, dying) = looks_on(&ring);
        let writers = receives.lives(|| {
            let writers = an_end_and_the_next_writer(&ring);
            meet_the_end(&mut reader).end_session().unwrap();
            drop(reader);
            writers
        });
        receives_next.lives(|| {
            let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut reader, &messages(&[2]));
            writers.join();
            nothing_more(&mut reader);
        });
        assert_eq!([8, 16].map(|at| flag(&dying, at)), [1, 0]);
        looks.lives(|| drop(dying));
        ring.is_left();
    });
}

#[test]
fn r20_an_end_that_ends_the_session() {
    // 2 s.
    r20::<Channel>(Depth::bound(2, 4574).deep(Depth::bound(3, 96_442)));
}

#[test]
fn r20s_an_end_that_ends_the_session() {
    r20::<Simulated>(Depth::bound(1, 185).deep(Depth::bound(2, 15_708)));
}

/// **R21** A message that nobody took from removed memory is sent again on the
/// new memory, once, and before the next one. (The ring is small: its writer has
/// not left before the removal. On the kernel a reader detaches first, and then gives its seat back: a writer
/// that has moved on between the two has met a reader that goes.)
fn r21<W: World>(depth: Depth) {
    let what = "what nobody took from removed memory is sent again, once, in order, before the next";
    claim(&W::row("R21"), what, depth, || {
        let ring = W::ring(4, 2);
        let sides = [(); 3].map(|()| ring.side());
        let [receives, receives_next, sends] = sides;
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        let units = &[1, 2, 2];
        let all = messages(units);
        let writer = receives.lives(|| {
            let writer = actor("writer", move || {
                sends.lives(|| {
                    for message in messages(units) {
                        send(&mut writer, &message);
                    }
                    writer.close().unwrap();
                });
            });
            expect(&mut reader, &all[..1]);
            let message = reader.peek().unwrap();
            assert_eq!(message.text(), all[1]);
            message.end_session().unwrap();
            drop(reader);
            writer
        });
        receives_next.lives(|| {
            let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut reader, &all[1..]);
            writer.join();
            nothing_more(&mut reader);
        });
        ring.is_left();
    });
}

#[test]
fn r21_stranded_messages_are_sent_again_once() {
    // 5 s.
    r21::<Channel>(Depth::bound(2, 13_626).deep(Depth::bound(3, 648_638)));
}

#[test]
fn r21s_stranded_messages_are_sent_again_once() {
    r21::<Simulated>(Depth::bound(1, 739).deep(Depth::bound(2, 107_050)));
}

/// **R22** Memory removed by somebody else while both are at work, between two
/// sends, wherever the reader is: every message is received once and in order, on
/// the old memory or the new.
///
/// (The one who removes shares a thread with a side, as in L8.)
fn r22<W: World>(depth: Depth) {
    let what = "memory removed by somebody else between two sends: each message once, in order";
    claim(&W::row("R22"), what, depth, || {
        let ring = W::ring(4, 2);
        let (receives, sends) = (ring.side(), ring.side());
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        let theirs = ring.clone();
        receives.lives(|| {
            let units = &[1, 2];
            let writer = actor("writer", move || {
                sends.lives(|| {
                    let messages = messages(units);
                    writer.send(&messages[0]).unwrap();
                    theirs.remove();
                    writer.send(&messages[1]).unwrap();
                    writer.close().unwrap();
                });
            });
            expect(&mut reader, &messages(units));
            writer.join();
            nothing_more(&mut reader);
            drop(reader);
        });
        ring.is_left();
    });
}

#[test]
fn r22_removed_under_the_reader() {
    // 2 s.
    r22::<Channel>(Depth::bound(2, 4517).deep(Depth::bound(3, 90_058)));
}

#[test]
fn r22s_removed_under_the_reader() {
    r22::<Simulated>(Depth::bound(1, 141).deep(Depth::bound(2, 8548)));
}

/// **R23** As R22, with the removal between two looks, wherever the writer is: it
/// may be asleep on a full ring.
fn r23<W: World>(depth: Depth) {
    claim(&W::row("R23"), "the same, between two looks", depth, || {
        let ring = W::ring(4, 2);
        let (receives, sends) = (ring.side(), ring.side());
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        receives.lives(|| {
            let units = &[2, 2];
            let writer = actor("writer", move || {
                sends.lives(|| {
                    send_each(&mut writer, &messages(units));
                    writer.close().unwrap();
                });
            });
            ring.remove();
            expect(&mut reader, &messages(units));
            writer.join();
            nothing_more(&mut reader);
            drop(reader);
        });
        ring.is_left();
    });
}

#[test]
fn r23_removed_under_the_writer() {
    // 3 s.
    r23::<Channel>(Depth::bound(2, 7754).deep(Depth::bound(3, 183_873)));
}

#[test]
fn r23s_removed_under_the_writer() {
    r23::<Simulated>(Depth::bound(1, 334).deep(Depth::bound(2, 20_758)));
}

/// **R24** A writer that publishes into memory from which the reader has gone finds
/// that out at its next send, without asking each time whether the memory is there:
/// the reader has left its parked word set, and nobody sleeps on it.
fn r24<W: World>(depth: Depth) {
    let what = "a writer that publishes into removed memory hears of it by the parked word, at its next send";
    claim(&W::row("R24"), what, depth, || {
        let ring = W::ring(8, 2);
        let (receives, sends) = (ring.side(), ring.side());
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        let (theirs, begins) = (ring.clone(), sends.clone());
        receives.lives(|| {
            let units = &[1, 2, 2];
            let first = actor("writer", move || {
                begins.begins(|| {
                    let messages = messages(units);
                    writer.send(&messages[0]).unwrap();
                    theirs.remove();
                    writer.send(&messages[1]).unwrap();
                    writer.send(&messages[2]).unwrap();
                    writer
                })
            });
            let all = messages(units);
            // Without the writer's leaving, which looks at the memory.
            expect(&mut reader, &all[..2]);
            let writer = first.join();
            let last = actor("writer, leaving", move || sends.lives(|| writer.close().unwrap()));
            expect(&mut reader, &all[2..]);
            last.join();
            nothing_more(&mut reader);
            drop(reader);
        });
        ring.is_left();
    });
}

#[test]
fn r24_the_parked_word_tells_of_a_removal() {
    // 1 s.
    r24::<Channel>(Depth::bound(2, 4332).deep(Depth::bound(3, 64_600)));
}

#[test]
fn r24s_the_parked_word_tells_of_a_removal() {
    r24::<Simulated>(Depth::bound(1, 287).deep(Depth::bound(2, 8612)));
}

/// **R26** Memory removed by somebody else around the end of the session, which the reader
/// has not met yet: the end reaches it, on the old memory or on the new. A removal alone
/// does not answer an end.
fn r26<W: World>(depth: Depth) {
    let what = "memory removed by somebody else while the end of the session is sent: the reader meets the end";
    claim(&W::row("R26"), what, depth, || {
        let ring = W::ring(4, 2);
        let (receives, sends) = (ring.side(), ring.side());
        main_is("reader");
        let (mut reader, mut writer) = both(&ring, &receives, &sends);
        let writer = receives.lives(|| {
            let writer = actor("writer", move || {
                sends.lives(|| {
                    writer.send(&message(0, 1)).unwrap();
                    writer.end_with(&mut WaitPolicy::forever()).unwrap();
                    writer.close().unwrap();
                });
            });
            ring.remove();
            expect(&mut reader, &[message(0, 1)]);
            meet_the_end(&mut reader).end_session().unwrap();
            reader.close().unwrap();
            writer
        });
        writer.join();
        ring.is_left();
    });
}

#[test]
fn r26_an_end_on_removed_memory() {
    // 3 s.
    r26::<Channel>(Depth::bound(2, 3991).deep(Depth::bound(3, 81_431)));
}

#[test]
fn r26s_an_end_on_removed_memory() {
    r26::<Simulated>(Depth::bound(1, 101).deep(Depth::bound(2, 6222)));
}
