//! Peeking, ending the session, and what lies in memory that was removed.

use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use crate::{MESSAGES, expect, slot};
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::inside::slot::flag::FULL;
use shm_handoff::sync::Ordering;
use shm_handoff::{Reader, Role, Writer, backend::Backend};

/// **L5** A peek without a release leaves the message as it was, for the next
/// look; only after the release comes the next message.
#[test]
fn l5_a_peek_leaves_the_message() {
    // 2 s.
    claim("L5", "a peek without a release leaves the message for the next peek", Depth::whole(50_480), || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<Bare>::open(&slot).unwrap();
        let mut writer = Writer::<Bare>::open(&slot).unwrap();
        let writer = actor("writer", move || {
            writer.send(MESSAGES[0]).unwrap();
            writer.send(MESSAGES[1]).unwrap();
        });
        assert_eq!(reader.peek().unwrap().text(), MESSAGES[0]);
        expect(&mut reader, &MESSAGES[..2]);
        writer.join();
    });
}

/// **L6** Closing removes the memory and releases nothing: no writer publishes
/// into the dying slot, whose `end` lies there forever, and what the writer
/// sends after its `end` reaches the next session's reader.
#[test]
fn l6_end_session_lets_nobody_publish() {
    // 2 s.
    claim(
        "L6",
        "closing removes without releasing: no writer publishes into the dying slot; what comes after `end` reaches the next session",
        Depth::bound(5, 44_051).deep(Depth::bound(8, 0)),
        || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let dying = InProc::open(&slot, Role::Guest).unwrap();
            let writer = actor("writer", move || {
                writer.send(b"end\n").unwrap();
                writer.send(MESSAGES[0]).unwrap();
                writer.close().unwrap();
            });
            let end = reader.peek().unwrap();
            assert!(end.ends_session());
            end.end_session().unwrap();
            drop(reader);
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            expect(&mut reader, &MESSAGES[..1]);
            writer.join();
            assert_eq!(dying.slot().flag.load(Ordering::Relaxed), FULL);
            let mut text = [0; 8];
            assert_eq!(dying.slot().text.read_text(&mut text), Some(4));
            assert_eq!(&text[..4], b"end\n");
        },
    );
}

/// **L7** A message that nobody took from removed memory is sent again on the
/// new memory, once, and before the next one.
#[test]
fn l7_a_stranded_message_is_sent_again_once() {
    // 2 s.
    claim(
        "L7",
        "a message that nobody took from removed memory is sent again, once, before the next",
        Depth::bound(4, 40_229).deep(Depth::bound(6, 0)),
        || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let writer = actor("writer", move || {
                writer.send(MESSAGES[0]).unwrap();
                writer.send(MESSAGES[1]).unwrap();
                writer.close().unwrap();
            });
            let message = reader.peek().unwrap();
            assert_eq!(message.text(), MESSAGES[0]);
            message.end_session().unwrap();
            drop(reader);
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            expect(&mut reader, &MESSAGES[..2]);
            writer.join();
            assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
        },
    );
}

/// Removes the memory at `slot`, as `ipcrm` would.
fn remove(slot: &Channel) {
    InProc::open(slot, Role::Guest).unwrap().remove().unwrap();
}

/// **L8** Memory removed by somebody else while both are at work: every
/// message is received once and in order, on the old memory or the new. Here
/// the removal comes between two sends, wherever the reader is.
///
/// (The one who removes shares a thread with a side: beside two sides that
/// wait for it, a third thread would be starved in some schedules without end.)
#[test]
fn l8_removed_under_the_reader() {
    // 2 s.
    claim(
        "L8",
        "memory removed by somebody else between two sends: each message once, in order",
        Depth::bound(4, 38_222).deep(Depth::bound(6, 0)),
        || {
            let slot = slot();
            main_is("reader");
            let mut reader = Reader::<InProc>::open(&slot).unwrap();
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            let writer = actor("writer", move || {
                writer.send(MESSAGES[0]).unwrap();
                remove(&slot);
                writer.send(MESSAGES[1]).unwrap();
                writer.close().unwrap();
            });
            expect(&mut reader, &MESSAGES[..2]);
            writer.join();
            assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
        },
    );
}

/// **L9** As L8, with the removal between two looks, wherever the writer is.
#[test]
fn l9_removed_under_the_writer() {
    // 6 s.
    claim("L9", "the same, between two looks", Depth::bound(5, 132_153).deep(Depth::bound(6, 0)), || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let writer = actor("writer", move || {
            writer.send(MESSAGES[0]).unwrap();
            writer.send(MESSAGES[1]).unwrap();
            writer.close().unwrap();
        });
        remove(&slot);
        expect(&mut reader, &MESSAGES[..2]);
        writer.join();
        assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
    });
}
