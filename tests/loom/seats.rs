//! Leaving in order, dying, and who comes next.

use crate::explore::{Depth, actor, claim, main_is};
use crate::{MESSAGES, expect, slot};
use loom::thread;
use shm_handoff::backend::inproc::InProc;
use shm_handoff::{Error, Reader, RecvError, SendError, Writer};

/// **L10** A writer leaves in order and another one takes the seat, whenever it
/// finds it free: the reader gets the messages of both in order, and never
/// hears that anybody died.
///
/// (The successor tries a few times and then waits for the first to end: two
/// threads that try again forever would starve the third in some schedules.)
#[test]
fn l10_a_writer_and_its_successor() {
    // 8 s.
    claim(
        "L10",
        "a writer leaves in order, another takes its seat: both are heard in order, nobody \"died\"",
        Depth::bound(3, 148_362).deep(Depth::bound(4, 0)),
        || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut first = Writer::<InProc>::open(&slot).unwrap();
            let first = actor("first writer", move || {
                first.send(MESSAGES[0]).unwrap();
                first.close().unwrap();
            });
            let second = actor("second writer", move || {
                let early = (0..2).find_map(|_| {
                    thread::yield_now();
                    Writer::<InProc>::open(&slot)
                        .map_err(|error| assert!(matches!(error, Error::SeatTaken { .. })))
                        .ok()
                });
                let mut second = early.unwrap_or_else(|| {
                    first.join();
                    Writer::open(&slot).unwrap()
                });
                second.send(MESSAGES[1]).unwrap();
                second.close().unwrap();
            });
            expect(&mut reader, &MESSAGES[..2]);
            second.join();
            assert_eq!(reader.try_recv(&mut [0; 8]), Err(RecvError::WouldBlock), "both left in order");
        },
    );
}

/// **L11** A writer that dies after it published: the message is received, and
/// only then is the death heard of.
#[test]
fn l11_a_dead_writers_message_comes_first() {
    claim("L11", "a dead writer's message is received, and only then its death", Depth::whole(622), || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let writer = actor("writer", move || {
            writer.send(MESSAGES[0]).unwrap();
            drop(writer);
        });
        expect(&mut reader, &MESSAGES[..1]);
        assert_eq!(reader.recv(&mut [0; 8]), Err(RecvError::WriterGone));
        writer.join();
    });
}

/// **L12** A writer whose reader is gone hears of it as soon as it has to wait
/// for room; it never waits forever.
#[test]
fn l12_a_reader_that_has_gone() {
    // 1 s.
    claim("L12", "a writer whose reader has gone hears of it when it needs room", Depth::whole(25_375), || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let writer = actor("writer", move || {
            writer.send(MESSAGES[0]).unwrap();
            let second = writer.send(MESSAGES[1]);
            // Room was made before the reader went, and is seen or not yet.
            assert!(matches!(second, Ok(()) | Err(SendError::ReaderGone)), "{second:?}");
            if second.is_ok() {
                assert_eq!(writer.send(MESSAGES[2]), Err(SendError::ReaderGone));
            }
        });
        expect(&mut reader, &MESSAGES[..1]);
        drop(reader);
        writer.join();
    });
}

/// **L13** A reader that goes without a release leaves the message to the next
/// reader, whole; nothing else comes twice, and the order holds.
#[test]
fn l13_a_reader_and_its_successor() {
    // 2 s.
    claim(
        "L13",
        "a reader that goes without a release leaves the message to the next",
        Depth::bound(5, 37_208).deep(Depth::bound(8, 887_482)),
        || {
            let slot = slot();
            main_is("reader");
            let mut first = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let writer = actor("writer", move || {
                writer.send(MESSAGES[0]).unwrap();
                // While one reader has gone and the other is not there yet there
                // is nobody to wait for.
                while let Err(error) = writer.send(MESSAGES[1]) {
                    assert_eq!(error, SendError::ReaderGone);
                    thread::yield_now();
                }
                writer.close().unwrap();
            });
            assert_eq!(first.peek().unwrap().text(), MESSAGES[0]);
            drop(first);
            let mut second = Reader::<InProc>::open(&slot).unwrap();
            expect(&mut second, &MESSAGES[..2]);
            writer.join();
        },
    );
}

/// **L14** A session ended by the reader: the writer's leave returns in every
/// interleaving with the removal, and both seats are free afterwards.
#[test]
fn l14_the_end_of_a_session() {
    claim(
        "L14",
        "a session ended by the reader: both leave, both seats are free, the next session is fresh",
        Depth::whole(5410),
        || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let writer = actor("writer", move || {
                writer.send(b"end\n").unwrap();
                writer.close().unwrap();
            });
            reader.peek().unwrap().end_session().unwrap();
            drop(reader);
            writer.join();
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            assert_eq!(reader.try_recv(&mut [0; 8]), Err(RecvError::WouldBlock), "the next session is a fresh one");
            drop(Writer::<InProc>::open(&slot).unwrap());
        },
    );
}
