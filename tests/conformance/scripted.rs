//! What a writer does with a status check that comes at one certain moment: told by a backend
//! whose status checks are written down beforehand.

use crate::fuzzed::{Flat, Place};
use crate::soon;
use shm_handoff::backend::memory::{Payload, RingView, SlotView};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::sync::{AtomicU32, Ordering};
use shm_handoff::{Error, Reader, Ring, Role, SendError, WaitPolicy, Writer};
use std::time::Duration;

/// What a status check says, and what happened to the flag shortly before.
struct Entry {
    status: PeerStatus,
    flag: u32,
}

fn entry(peer_seated: bool, attached: usize, flag: u32) -> Entry {
    Entry {
        status: PeerStatus {
            peer_seated,
            writer_failed: false,
            attached,
            observers: 0,
            removed: false,
            reseated: false,
            ended: false,
        },
        flag,
    }
}

/// A slot, and what is to come; the last entry stays.
struct Scripted {
    flag: AtomicU32,
    text: [AtomicU32; 4],
    script: std::vec::IntoIter<Entry>,
}

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl Sealed for Scripted {}

impl Backend for Scripted {
    type Address = fn() -> Vec<Entry>;

    fn open(script: &Self::Address, _: Role) -> Result<Self, Error> {
        let script = script();
        let flag = AtomicU32::new(script[0].flag);
        Ok(Self { flag, text: [const { AtomicU32::new(0) }; 4], script: script.into_iter() })
    }

    fn layout(&self) -> Layout {
        Layout::Slot
    }

    fn slot(&self) -> SlotView<'_> {
        SlotView { flag: &self.flag, text: Payload::from_words(&self.text) }
    }

    fn ring(&self) -> RingView<'_> {
        unreachable!("it is a slot")
    }

    fn sleep(&self, _: Duration) {
        std::thread::yield_now();
    }

    fn wake(&self) {}

    fn park(&self, _: &AtomicU32, _: Duration) {
        unreachable!("nobody is woken at a slot")
    }

    fn unpark(&self, _: &AtomicU32) -> bool {
        unreachable!("nobody is woken at a slot")
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        let Entry { status, flag } = self.script.next().expect("no more is asked than is written down");
        self.flag.store(flag, Ordering::Relaxed);
        Ok(status)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        unreachable!("nothing is removed")
    }

    fn remove(&mut self) -> Result<(), Error> {
        unreachable!("a writer removes nothing")
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        unreachable!("a writer forgets nothing")
    }

    fn leave(self) -> Result<(), Error> {
        Ok(())
    }
}

fn sends(script: fn() -> Vec<Entry>) -> Result<(), SendError> {
    Writer::<Scripted>::open(&script).unwrap().send_with(b"text", &mut WaitPolicy::deadline(soon()))
}

/// A reader that comes and goes before the writer has sent anything to it is not one that has
/// left: what lies in the slot is for the next one.
#[test]
fn who_goes_before_the_first_message_is_forgotten() {
    // Seated, but not attached here yet; gone; the next one, who takes what is there.
    let sent = sends(|| vec![entry(true, 1, 1), entry(false, 1, 1), entry(true, 2, 0)]);
    assert_eq!(sent, Ok(()));
}

/// Room that a reader made before it went is room.
#[test]
fn room_that_was_made_before_the_reader_went() {
    let full = || vec![entry(true, 2, 1), entry(false, 1, 0)];
    assert_eq!(sends(full), Ok(()));
    // And who goes without making any has gone.
    let gone = || vec![entry(true, 2, 1), entry(false, 1, 1)];
    assert_eq!(sends(gone), Err(SendError::ReaderGone));
}

/// A reader whose seat went with the semaphore set has not gone, as long as it has not been
/// seen in the new one.
#[test]
fn a_reader_without_a_seat_has_not_gone() {
    let place = Place::empty_ring();
    let says = |peer_seated, reseated| {
        place.says(PeerStatus {
            peer_seated,
            writer_failed: false,
            attached: 2,
            observers: 0,
            removed: false,
            reseated,
            ended: false,
        });
    };
    let mut writer = Writer::<Flat, Ring>::open(&place).unwrap();
    says(true, false);
    while writer.try_send(&[1; 100]).is_ok() {}
    says(false, true);
    assert_eq!(writer.try_send(&[1; 100]), Err(SendError::WouldBlock));
    says(false, false);
    assert_eq!(writer.try_send(&[1; 100]), Err(SendError::WouldBlock), "it may not have noticed yet");
    says(true, false);
    assert_eq!(writer.try_send(&[1; 100]), Err(SendError::WouldBlock));
    says(false, false);
    assert_eq!(writer.try_send(&[1; 100]), Err(SendError::ReaderGone));
}

/// What a look around has seen of the reader is not forgotten by the wait that follows.
#[test]
fn a_reader_that_was_seen_while_nothing_was_sent_has_gone() {
    let place = Place::empty_ring();
    let says = |peer_seated| {
        place.says(PeerStatus {
            peer_seated,
            writer_failed: false,
            attached: 2,
            observers: 0,
            removed: false,
            reseated: false,
            ended: false,
        });
    };
    says(false);
    let mut writer = Writer::<Flat, Ring>::open(&place).unwrap();
    says(true);
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    says(false);
    while writer.try_send(&[1; 100]).is_ok() {}
    assert_eq!(writer.try_send(&[1; 100]), Err(SendError::ReaderGone));
}

/// The same of a slot's writer, and of a C program, which is known by two looks in a row.
#[test]
fn a_reader_that_was_seen_while_nothing_was_sent_is_known() {
    let script: fn() -> Vec<Entry> =
        || vec![entry(false, 2, 0), entry(false, 2, 0), entry(false, 2, 1), entry(false, 1, 1)];
    let mut writer = Writer::<Scripted>::open(&script).unwrap();
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    // It has been there too shortly to be sent to, and then it goes: what the slot holds is for the next one.
    assert_eq!(writer.try_send(b"text"), Err(SendError::WouldBlock));
    assert_eq!(writer.stranded(), Ok(0));
}

/// `closed` is what a writer takes for the end that was met, so it is said after the removal: a
/// reader that dies before has removed nothing, or lets a successor meet the end once more.
#[test]
fn closed_is_said_after_the_removal() {
    let place = Place::empty_ring();
    Writer::<Flat, Ring>::open(&place).unwrap().end_with(&mut WaitPolicy::non_blocking()).unwrap();
    let mut reader = Reader::<Flat, Ring>::open(&place).unwrap();
    let closed = |reader: &Reader<Flat, Ring>| reader.backend().ring().closed().load(Ordering::Relaxed);
    place.refuses(true);
    assert!(reader.peek().unwrap().end_session().is_err());
    assert_eq!((closed(&reader), place.closed_when_removed()), (0, None), "it was not removed");
    place.refuses(false);
    assert!(reader.peek().unwrap().end_session().is_ok());
    assert_eq!((closed(&reader), place.closed_when_removed()), (1, Some(0)));
}
