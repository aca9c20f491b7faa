//! Looking, closing, and what lies in memory that was removed.

use crate::bare::Bare;
use crate::{MESSAGES, claim, expect, slot};
use loom::thread;
use shm_handoff::backend::inproc::InProc;
use shm_handoff::protocol::flag::FULL;
use shm_handoff::sync::Ordering;
use shm_handoff::{Backend, Reader, Role, Writer};

/// **L5** A look without a release leaves the message as it was, for the next
/// look; only after the release comes the next message.
#[test]
fn l5_a_look_leaves_the_message() {
    claim("L5", None, 1, || {
        let slot = slot();
        let mut reader = Reader::<Bare>::open(&slot).unwrap();
        let mut writer = Writer::<Bare>::open(&slot).unwrap();
        let writer = thread::spawn(move || {
            writer.send(MESSAGES[0]).unwrap();
            writer.send(MESSAGES[1]).unwrap();
        });
        assert_eq!(reader.look().unwrap().text(), MESSAGES[0]);
        expect(&mut reader, &MESSAGES[..2]);
        writer.join().unwrap();
    });
}

/// **L6** Closing removes the memory and releases nothing: no writer publishes
/// into the dying slot, whose `end` lies there for ever, and what the writer
/// sends after its `end` reaches the next session's reader.
#[test]
fn l6_close_lets_nobody_publish() {
    claim("L6", Some(2), 1, || {
        let slot = slot();
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let dying = InProc::open(&slot, Role::Guest).unwrap();
        let writer = thread::spawn(move || {
            writer.send(b"end\n").unwrap();
            writer.send(MESSAGES[0]).unwrap();
            writer.leave().unwrap();
        });
        let end = reader.look().unwrap();
        assert!(end.ends_session());
        end.close().unwrap();
        drop(reader);
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        expect(&mut reader, &MESSAGES[..1]);
        writer.join().unwrap();
        assert_eq!(dying.flag().load(Ordering::Relaxed), FULL);
        let mut text = [0; 8];
        assert_eq!(dying.payload().read_text(&mut text), Some(4));
        assert_eq!(&text[..4], b"end\n");
    });
}

/// **L7** A message that nobody took from removed memory is sent again on the
/// new memory, once, and before the next one.
#[test]
fn l7_a_stranded_message_is_sent_again_once() {
    claim("L7", Some(2), 1, || {
        let slot = slot();
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let writer = thread::spawn(move || {
            writer.send(MESSAGES[0]).unwrap();
            writer.send(MESSAGES[1]).unwrap();
            writer.leave().unwrap();
        });
        let message = reader.look().unwrap();
        assert_eq!(message.text(), MESSAGES[0]);
        message.close().unwrap();
        drop(reader);
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        expect(&mut reader, &MESSAGES[..2]);
        writer.join().unwrap();
        assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
    });
}

/// **L8** Memory removed by somebody else while both are at work: every
/// message is received once and in order, on the old memory or the new.
#[test]
fn l8_removed_under_both() {
    claim("L8", Some(2), 1, || {
        let slot = slot();
        let mut reader = Reader::<InProc>::open(&slot).unwrap();
        let mut writer = Writer::<InProc>::open(&slot).unwrap();
        let mut guest = InProc::open(&slot, Role::Guest).unwrap();
        let writer = thread::spawn(move || {
            writer.send(MESSAGES[0]).unwrap();
            writer.send(MESSAGES[1]).unwrap();
            writer.leave().unwrap();
        });
        let guest = thread::spawn(move || {
            guest.remove().unwrap();
        });
        expect(&mut reader, &MESSAGES[..2]);
        writer.join().unwrap();
        guest.join().unwrap();
        assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
    });
}
