//! Sides that leave or fail, and who comes next: it finds its place by walking
//! over the records, or by what its predecessor noted.

use super::{expect, messages, nothing_more, ring};
use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use crate::world::{Side, Simulated, World};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;
use shm_handoff::sync::yield_now;
use shm_handoff::{RecvError, SendError};

/// Receives `expected` in spite of writers that fail.
fn expect_and_follow<B: Backend>(reader: &mut Reader<B>, expected: &[Vec<u8>]) {
    for expected in expected {
        while let Err(error) = reader.wait_with(&mut shm_handoff::WaitPolicy::forever()) {
            assert_eq!(error, RecvError::WriterGone);
            reader.await_next_writer().unwrap();
        }
        expect(reader, std::slice::from_ref(expected));
    }
}

/// Sends `message`, again and again while no reader is there to wait for.
pub(super) fn send<B: Backend>(writer: &mut Writer<B>, message: &[u8]) {
    while let Err(error) = writer.send(message) {
        assert_eq!(error, SendError::ReaderGone);
        yield_now();
    }
}

/// **R13** A writer leaves in order, and the next one goes on behind its records:
/// it walks over them, the jump over the wrap included.
fn r13<W: World>(depth: Depth) {
    let what = "a writer leaves in order; its successor goes on behind its records, nobody \"died\"";
    claim(&W::row("R13"), what, depth, || {
        let ring = W::ring(4, 3);
        let sides = [(); 3].map(|()| ring.side());
        let [receives, sends_first, sends_second] = sides;
        main_is("reader");
        let theirs = ring.clone();
        receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
            let mut first = sends_first.begins(|| Writer::<W::Backend>::open(ring.address()).unwrap());
            let units = &[2, 1, 2];
            let writer = actor("writers", move || {
                let messages = messages(units);
                sends_first.lives(|| {
                    first.send(&messages[0]).unwrap();
                    first.close().unwrap();
                });
                sends_second.lives(|| {
                    let mut second = Writer::<W::Backend>::open(theirs.address()).unwrap();
                    second.send(&messages[1]).unwrap();
                    second.send(&messages[2]).unwrap();
                    second.close().unwrap();
                });
            });
            expect(&mut reader, &messages(units));
            writer.join();
            nothing_more(&mut reader);
        });
        ring.is_left();
    });
}

#[test]
fn r13_a_writer_and_its_successor() {
    // 3 s.
    r13::<Channel>(Depth::bound(2, 8532).deep(Depth::bound(3, 373_504)));
}

#[test]
fn r13s_a_writer_and_its_successor() {
    r13::<Simulated>(Depth::bound(1, 483).deep(Depth::bound(2, 58_518)));
}

/// **R14** A writer fails; what it had sent comes first, and its successor's
/// records behind that. A reader that slept is woken by the successor.
fn r14<W: World>(depth: Depth) {
    let what = "a writer fails: what it had sent comes first, its successor's records behind it";
    claim(&W::row("R14"), what, depth, || {
        let ring = W::ring(4, 2);
        let sides = [(); 3].map(|()| ring.side());
        let [receives, sends_first, sends_second] = sides;
        main_is("reader");
        let theirs = ring.clone();
        receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
            let mut first = sends_first.begins(|| Writer::<W::Backend>::open(ring.address()).unwrap());
            let units = &[1, 2, 2];
            let writer = actor("writers", move || {
                let messages = messages(units);
                sends_first.lives(|| {
                    first.send(&messages[0]).unwrap();
                    first.send(&messages[1]).unwrap();
                    drop(first);
                });
                sends_second.lives(|| {
                    let mut second = Writer::<W::Backend>::open(theirs.address()).unwrap();
                    second.send(&messages[2]).unwrap();
                    second.close().unwrap();
                });
            });
            expect_and_follow(&mut reader, &messages(units));
            writer.join();
            nothing_more(&mut reader);
        });
        ring.is_left();
    });
}

#[test]
fn r14_a_writer_that_fails() {
    // 3 s.
    r14::<Channel>(Depth::bound(2, 8792).deep(Depth::bound(3, 345_196)));
}

#[test]
fn r14s_a_writer_that_fails() {
    r14::<Simulated>(Depth::bound(1, 576).deep(Depth::bound(2, 60_866)));
}

/// **R15** A reader leaves what it peeked at and did not release to the next one,
/// and nothing of what it did release, though it has not given all of that back.
fn r15<W: World>(depth: Depth) {
    let what = "a reader goes without a release: its successor begins with what was not released, and nothing else comes twice";
    claim(&W::row("R15"), what, depth, || {
        // A quarter of it is two units: the first release is not given back.
        let ring = W::ring(8, 6);
        let sides = [(); 3].map(|()| ring.side());
        let [receives_first, receives_second, sends] = sides;
        main_is("reader");
        let units = &[1, 2, 2];
        let all = messages(units);
        let writer = receives_first.lives(|| {
            let mut first = Reader::<W::Backend>::open(ring.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(ring.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    for message in messages(units) {
                        send(&mut writer, &message);
                    }
                    writer.close().unwrap();
                });
            });
            expect(&mut first, &all[..1]);
            assert_eq!(first.peek().unwrap().text(), all[1]);
            drop(first);
            writer
        });
        receives_second.lives(|| {
            let mut second = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut second, &all[1..]);
            writer.join();
            nothing_more(&mut second);
        });
        ring.is_left();
    });
}

#[test]
fn r15_a_reader_and_its_successor() {
    // 1 s.
    r15::<Channel>(Depth::bound(2, 1718).deep(Depth::bound(3, 33_096)));
}

#[test]
fn r15s_a_reader_and_its_successor() {
    r15::<Simulated>(Depth::bound(2, 6137));
}

/// **R16** The same where the writer waits for space meanwhile: the next reader
/// wakes it.
fn r16<W: World>(depth: Depth) {
    let what = "the same on a full ring, whose writer sleeps or hears that the reader has gone";
    claim(&W::row("R16"), what, depth, || {
        let ring = W::ring(4, 2);
        let sides = [(); 3].map(|()| ring.side());
        let [receives_first, receives_second, sends] = sides;
        main_is("reader");
        let units = &[2, 2];
        let all = messages(units);
        let writer = receives_first.lives(|| {
            let mut first = Reader::<W::Backend>::open(ring.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(ring.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    for message in messages(units) {
                        send(&mut writer, &message);
                    }
                    writer.close().unwrap();
                });
            });
            assert_eq!(first.peek().unwrap().text(), all[0]);
            drop(first);
            writer
        });
        receives_second.lives(|| {
            let mut second = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut second, &all);
            writer.join();
            nothing_more(&mut second);
        });
        ring.is_left();
    });
}

#[test]
fn r16_a_reader_and_its_successor_on_a_full_ring() {
    // 1 s.
    r16::<Channel>(Depth::bound(2, 4059).deep(Depth::bound(3, 72_002)));
}

#[test]
fn r16s_a_reader_and_its_successor_on_a_full_ring() {
    r16::<Simulated>(Depth::bound(1, 301).deep(Depth::bound(2, 18_605)));
}

/// **R17** Both sides are followed by others, in any order: nothing is lost, and
/// only what was peeked at and not released comes again.
fn r17<W: World>(depth: Depth) {
    let what = "both sides leave, in any order, and others come: nothing is lost, and nothing comes twice but what was not released";
    claim(&W::row("R17"), what, depth, || {
        let ring = W::ring(4, 2);
        let sides = [(); 4].map(|()| ring.side());
        let [receives_first, receives_second, sends_first, sends_second] = sides;
        main_is("reader");
        let units = &[1, 2, 2];
        let all = messages(units);
        let theirs = ring.clone();
        let writers = receives_first.lives(|| {
            let mut first = Reader::<W::Backend>::open(ring.address()).unwrap();
            let mut writer = sends_first.begins(|| Writer::<W::Backend>::open(ring.address()).unwrap());
            let writers = actor("writers", move || {
                let messages = messages(units);
                sends_first.lives(|| {
                    send(&mut writer, &messages[0]);
                    send(&mut writer, &messages[1]);
                    writer.close().unwrap();
                });
                sends_second.lives(|| {
                    let mut second = Writer::<W::Backend>::open(theirs.address()).unwrap();
                    send(&mut second, &messages[2]);
                    second.close().unwrap();
                });
            });
            expect(&mut first, &all[..1]);
            assert_eq!(first.peek().unwrap().text(), all[1]);
            first.close().unwrap();
            writers
        });
        receives_second.lives(|| {
            let mut second = Reader::<W::Backend>::open(ring.address()).unwrap();
            expect(&mut second, &all[1..]);
            writers.join();
            nothing_more(&mut second);
        });
        ring.is_left();
    });
}

#[test]
fn r17_both_and_their_successors() {
    // 4 s.
    r17::<Channel>(Depth::bound(2, 11_870).deep(Depth::bound(3, 461_806)));
}

#[test]
fn r17s_both_and_their_successors() {
    r17::<Simulated>(Depth::bound(1, 529).deep(Depth::bound(2, 61_265)));
}

/// **R27** A writer that comes writes as far as the head lets it that it finds, and over
/// nothing that is still being copied out.
///
/// (Not on the simulated kernel: this is about an edge that a lock of the kernel's would hide.)
#[test]
fn r27_space_that_was_given_back_before() {
    claim(
        "R27",
        "a writer that comes writes over what was given back before, and over nothing that is being copied out",
        Depth::bound(2, 10_787).deep(Depth::bound(3, 276_576)),
        || {
            let ring = ring(4, 0);
            main_is("reader");
            // It takes no lock between its copy and the look of the one that comes.
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut first = Writer::<InProc>::open(&ring).unwrap();
            let units = &[2, 1, 2];
            let writers = actor("writers", move || {
                let messages = messages(units);
                first.send(&messages[0]).unwrap();
                first.send(&messages[1]).unwrap();
                first.close().unwrap();
                let mut second = Writer::<InProc>::open(&ring).unwrap();
                // Over the first one; without a look at the head of its own, if both were
                // given back before it came.
                second.send(&messages[2]).unwrap();
                second.close().unwrap();
            });
            expect(&mut reader, &messages(units));
            writers.join();
            nothing_more(&mut reader);
        },
    );
}
