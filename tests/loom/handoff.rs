//! Two sides and a slot of two cells.

use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use crate::{MESSAGES, expect, slot};
use loom::thread;
use shm_handoff::backend::inproc::InProc;
use shm_handoff::{Reader, Received, RecvError, SendError, Writer, backend::Backend};

/// `messages` messages from a writer to a reader that looks and releases.
pub(crate) fn handoff<B: Backend<Address = shm_handoff::backend::inproc::Channel> + Send + 'static>(messages: usize) {
    let slot = slot();
    main_is("reader");
    let mut reader = Reader::<B>::open(&slot).unwrap();
    let mut writer = Writer::<B>::open(&slot).unwrap();
    let writer = actor("writer", move || {
        for message in &MESSAGES[..messages] {
            writer.send(message).unwrap();
        }
        writer
    });
    expect(&mut reader, &MESSAGES[..messages]);
    // Both sides have finished, and there is nothing more.
    let writer = writer.join();
    assert!(reader.try_recv(&mut [0; 8]).is_err());
    drop(writer);
}

/// **L1** Two messages arrive in order, each exactly once and whole, by the
/// flag alone; no access to the text races with another; both sides finish.
#[test]
fn l1_two_messages_by_the_flag_alone() {
    // 2 s.
    claim(
        "L1",
        "two messages arrive in order, once, whole, by the flag alone; no access to the text races; both sides finish",
        Depth::whole(50_480),
        || handoff::<Bare>(2),
    );
}

/// **L2** The same for three messages.
#[test]
fn l2_three_messages_by_the_flag_alone() {
    // 3 s; deep: 47 s.
    claim("L2", "the same for three messages", Depth::bound(5, 64_888).deep(Depth::bound(7, 0)), || handoff::<Bare>(3));
}

/// **L3** The same for two messages where every tick looks at the seats, as
/// the code that ships does.
#[test]
fn l3_two_messages_with_seats() {
    // 32 s.
    claim("L3", "as L1, where every tick looks at the seats, as shipped", Depth::whole(700_110), || {
        handoff::<InProc>(2);
    });
}

/// **L4** Sides that never wait, but try again, hand over two messages in
/// order, each exactly once: a refused try changes nothing. The messages go
/// straight into the caller's buffer.
#[test]
fn l4_trying_again() {
    // 3 s.
    claim("L4", "sides that try again instead of waiting; a refused try changes nothing", Depth::whole(65_616), || {
        let slot = slot();
        main_is("reader");
        let mut reader = Reader::<Bare>::open(&slot).unwrap();
        let mut writer = Writer::<Bare>::open(&slot).unwrap();
        let writer = actor("writer", move || {
            for message in &MESSAGES[..2] {
                while let Err(error) = writer.try_send(message) {
                    assert_eq!(error, SendError::WouldBlock);
                    thread::yield_now();
                }
            }
            writer
        });
        let mut text = [0; 8];
        for expected in &MESSAGES[..2] {
            let len = loop {
                match reader.try_recv(&mut text) {
                    Ok(Received::Message(len)) => break len,
                    Ok(Received::End) => panic!("no end was sent"),
                    Err(error) => assert_eq!(error, RecvError::WouldBlock),
                }
                thread::yield_now();
            };
            assert_eq!(&text[..len], *expected);
        }
        drop(writer.join());
        assert_eq!(reader.try_recv(&mut text), Err(RecvError::WouldBlock));
    });
}
