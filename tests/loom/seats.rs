//! Leaving in order, dying, and who comes next.

use crate::explore::{Depth, actor, claim, main_is};
use crate::world::{Side, Simulated, World};
use crate::{MESSAGES, expect};
use loom::thread;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::{Error, Reader, RecvError, SendError, Writer};

/// **L10** A writer leaves in order and another one takes the seat, whenever it
/// finds it free: the reader gets the messages of both in order, and never
/// hears that anybody died.
///
/// (The successor tries a few times and then waits for the first to end: two
/// threads that try again forever would starve the third in some schedules.)
fn l10<W: World>(depth: Depth) {
    let what = "a writer leaves in order, another takes its seat: both are heard in order, nobody \"died\"";
    claim(&W::row("L10"), what, depth, || {
        let world = W::slot();
        let sides = [(); 3].map(|()| world.side());
        let [receives, sends_first, sends_second] = sides;
        main_is("reader");
        receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(world.address()).unwrap();
            let mut first = sends_first.begins(|| Writer::<W::Backend>::open(world.address()).unwrap());
            let first = actor("first writer", move || {
                sends_first.lives(|| {
                    first.send(MESSAGES[0]).unwrap();
                    first.close().unwrap();
                });
            });
            let theirs = world.clone();
            let second = actor("second writer", move || {
                sends_second.lives(|| {
                    let early = (0..2).find_map(|_| {
                        thread::yield_now();
                        Writer::<W::Backend>::open(theirs.address())
                            .map_err(|error| assert!(matches!(error, Error::SeatTaken { .. })))
                            .ok()
                    });
                    let mut second = early.unwrap_or_else(|| {
                        first.join();
                        Writer::open(theirs.address()).unwrap()
                    });
                    second.send(MESSAGES[1]).unwrap();
                    second.close().unwrap();
                });
            });
            expect(&mut reader, &MESSAGES[..2]);
            second.join();
            assert_eq!(reader.try_recv(&mut [0; 8]), Err(RecvError::WouldBlock), "both left in order");
        });
        world.is_left();
    });
}

#[test]
fn l10_a_writer_and_its_successor() {
    // 8 s.
    l10::<Channel>(Depth::bound(3, 148_362).deep(Depth::bound(4, 0)));
}

#[test]
fn l10s_a_writer_and_its_successor() {
    l10::<Simulated>(Depth::bound(1, 1358));
}

/// **L11** A writer that dies after it published: the message is received, and
/// only then is the death heard of.
fn l11<W: World>(depth: Depth) {
    claim(&W::row("L11"), "a dead writer's message is received, and only then its death", depth, || {
        let world = W::slot();
        let (receives, sends) = (world.side(), world.side());
        main_is("reader");
        receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(world.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(world.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    writer.send(MESSAGES[0]).unwrap();
                    drop(writer);
                });
            });
            expect(&mut reader, &MESSAGES[..1]);
            assert_eq!(reader.recv(&mut [0; 8]), Err(RecvError::WriterGone));
            writer.join();
        });
        world.is_left();
    });
}

#[test]
fn l11_a_dead_writers_message_comes_first() {
    l11::<Channel>(Depth::whole(622));
}

#[test]
fn l11s_a_dead_writers_message_comes_first() {
    l11::<Simulated>(Depth::bound(3, 2791).deep(Depth::bound(4, 20_468)));
}

/// **L12** A writer whose reader is gone hears of it as soon as it has to wait
/// for room; it never waits forever.
fn l12<W: World>(depth: Depth) {
    claim(&W::row("L12"), "a writer whose reader has gone hears of it when it needs room", depth, || {
        let world = W::slot();
        let (receives, sends) = (world.side(), world.side());
        main_is("reader");
        let writer = receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(world.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(world.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    writer.send(MESSAGES[0]).unwrap();
                    let second = writer.send(MESSAGES[1]);
                    // Room was made before the reader went, and is seen or not yet.
                    assert!(matches!(second, Ok(()) | Err(SendError::ReaderGone)), "{second:?}");
                    if second.is_ok() {
                        assert_eq!(writer.send(MESSAGES[2]), Err(SendError::ReaderGone));
                    }
                    drop(writer);
                });
            });
            expect(&mut reader, &MESSAGES[..1]);
            drop(reader);
            writer
        });
        writer.join();
        world.is_left();
    });
}

#[test]
fn l12_a_reader_that_has_gone() {
    // 1 s.
    l12::<Channel>(Depth::whole(25_375));
}

#[test]
fn l12s_a_reader_that_has_gone() {
    l12::<Simulated>(Depth::bound(3, 8725).deep(Depth::bound(4, 89_771)));
}

/// **L13** A reader that goes without a release leaves the message to the next
/// reader, whole; nothing else comes twice, and the order holds.
fn l13<W: World>(depth: Depth) {
    claim(&W::row("L13"), "a reader that goes without a release leaves the message to the next", depth, || {
        let world = W::slot();
        let sides = [(); 3].map(|()| world.side());
        let [receives_first, receives_second, sends] = sides;
        main_is("reader");
        let writer = receives_first.lives(|| {
            let mut first = Reader::<W::Backend>::open(world.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(world.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    writer.send(MESSAGES[0]).unwrap();
                    // While one reader has gone and the other is not there yet there
                    // is nobody to wait for.
                    while let Err(error) = writer.send(MESSAGES[1]) {
                        assert_eq!(error, SendError::ReaderGone);
                        thread::yield_now();
                    }
                    writer.close().unwrap();
                });
            });
            assert_eq!(first.peek().unwrap().text(), MESSAGES[0]);
            drop(first);
            writer
        });
        receives_second.lives(|| {
            let mut second = Reader::<W::Backend>::open(world.address()).unwrap();
            expect(&mut second, &MESSAGES[..2]);
            writer.join();
        });
        world.is_left();
    });
}

#[test]
fn l13_a_reader_and_its_successor() {
    // 2 s.
    l13::<Channel>(Depth::bound(5, 37_208).deep(Depth::bound(8, 887_482)));
}

#[test]
fn l13s_a_reader_and_its_successor() {
    l13::<Simulated>(Depth::bound(2, 2220).deep(Depth::bound(3, 55_993)));
}

/// **L14** A session ended by the reader: the writer's leave returns in every
/// interleaving with the removal, and both seats are free afterwards.
fn l14<W: World>(depth: Depth) {
    let what = "a session ended by the reader: both leave, both seats are free, the next session is fresh";
    claim(&W::row("L14"), what, depth, || {
        let world = W::slot();
        let sides = [(); 4].map(|()| world.side());
        let [receives, sends, receives_next, sends_next] = sides;
        main_is("reader");
        let writer = receives.lives(|| {
            let mut reader = Reader::<W::Backend>::open(world.address()).unwrap();
            let mut writer = sends.begins(|| Writer::<W::Backend>::open(world.address()).unwrap());
            let writer = actor("writer", move || {
                sends.lives(|| {
                    writer.send(b"end\n").unwrap();
                    writer.close().unwrap();
                });
            });
            reader.peek().unwrap().end_session().unwrap();
            drop(reader);
            writer
        });
        writer.join();
        receives_next.lives(|| {
            let mut reader = Reader::<W::Backend>::open(world.address()).unwrap();
            assert_eq!(reader.try_recv(&mut [0; 8]), Err(RecvError::WouldBlock), "the next session is a fresh one");
            sends_next.lives(|| drop(Writer::<W::Backend>::open(world.address()).unwrap()));
        });
        world.is_left();
    });
}

#[test]
fn l14_the_end_of_a_session() {
    l14::<Channel>(Depth::whole(5410));
}

#[test]
fn l14s_the_end_of_a_session() {
    l14::<Simulated>(Depth::bound(3, 9674).deep(Depth::bound(4, 104_486)));
}
