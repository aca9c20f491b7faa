//! D14: both sides sleep for a second between two looks.
//!
//! Nothing here is timed. C peers in steps are counted in seconds; what ours
//! ask of the system is noted by a backend whose sleep takes no time at all.

use crate::support::{Channel, Peer};
use shm_handoff::backend::inproc::{self, InProc};
use shm_handoff::backend::memory::{RingView, SlotView};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::sync::{AtomicU32, Ordering};
use shm_handoff::{Error, Reader, Role, SendError, WaitPolicy, Writer};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// In which of its seconds the C reader prints each of five messages, where
/// both sides wake up in the same order every second.
fn printed_in(turns: [usize; 2]) -> Vec<usize> {
    let channel = Channel::new();
    let reader = channel.c_reader_in_steps();
    let writer = channel.c_writer_in_steps("1\n2\n3\n4\n5\nend\n");
    let mut peers: [Peer; 2] = [reader, writer];
    let mut printed = Vec::new();
    for second in 1.. {
        for turn in turns {
            assert!(peers[turn].second(), "it has ended");
        }
        let count = peers[0].messages().lines().count();
        if count > printed.len() {
            printed.push(second);
        }
        if printed.len() == 5 {
            break;
        }
        assert!(second < crate::FOR_EVER, "only {count} messages come");
    }
    printed
}

/// Shown: a message takes two seconds, whichever of the two wakes up first;
/// both sides sleep through both.
#[test]
fn d14_shown() {
    assert_eq!(printed_in([0, 1]), [1, 3, 5, 7, 9], "the reader wakes up first");
    assert_eq!(printed_in([1, 0]), [1, 3, 5, 7, 9], "the writer wakes up first");
}

/// In one process, as [`InProc`]; but a sleep is noted and over at once.
struct Noting {
    inner: InProc,
    sleeps: Rc<RefCell<Vec<Duration>>>,
}

/// Where two of them meet, and what they note.
#[derive(Clone)]
struct Place {
    slot: inproc::Channel,
    sleeps: Rc<RefCell<Vec<Duration>>>,
}

impl Place {
    fn new() -> Self {
        Self { slot: inproc::Channel::new(2048), sleeps: Rc::default() }
    }
}

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl Sealed for Noting {}

impl Backend for Noting {
    type Address = Place;

    fn open(address: &Place, role: Role) -> Result<Self, Error> {
        Ok(Self { inner: InProc::open(&address.slot, role)?, sleeps: Rc::clone(&address.sleeps) })
    }

    fn layout(&self) -> Layout {
        self.inner.layout()
    }

    fn slot(&self) -> SlotView<'_> {
        self.inner.slot()
    }

    fn ring(&self) -> RingView<'_> {
        self.inner.ring()
    }

    fn sleep(&self, longest: Duration) {
        self.sleeps.borrow_mut().push(longest);
    }

    fn wake(&self) {
        self.inner.wake();
    }

    fn park(&self, parked: &AtomicU32, longest: Duration) {
        self.inner.park(parked, longest);
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        self.inner.unpark(parked)
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        self.inner.status()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        self.inner.reopen()
    }

    fn remove(&mut self) -> Result<(), Error> {
        self.inner.remove()
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        self.inner.forget_failure()
    }

    fn leave(self) -> Result<(), Error> {
        self.inner.leave()
    }
}

/// Absent: who need not wait does not sleep at all.
#[test]
fn d14_absent_where_nothing_is_awaited() {
    let place = Place::new();
    let mut reader = Reader::<Noting>::open(&place).unwrap();
    let mut writer = Writer::<Noting>::open(&place).unwrap();
    writer.send(b"the first meets the reader").unwrap();
    place.sleeps.borrow_mut().clear();
    let mut text = [0; 2048];
    for _ in 0..1000 {
        reader.recv(&mut text).unwrap();
        writer.send(b"hello\n").unwrap();
    }
    assert_eq!(place.sleeps.borrow().len(), 0);
}

/// Absent: who has to wait looks again after 5 ms at the latest, or 20 ms where
/// there was nothing for a second; and takes what is there at that look.
#[test]
fn d14_absent_where_something_is_awaited() {
    let (soon, late, second) = (Duration::from_millis(5), Duration::from_millis(20), Duration::from_secs(1));
    for ticks in [1, 2, 5, 10, 100, 500] {
        let place = Place::new();
        let mut reader = Reader::<Noting>::open(&place).unwrap();
        let writer = InProc::open(&place.slot, Role::Guest).unwrap();
        let left = Cell::new(ticks);
        let mut hook = |_| {
            // Just before the reader goes to sleep.
            left.set(left.get() - 1);
            if left.get() == 0 {
                writer.slot().text.write_text(b"hello\n");
                writer.slot().flag.store(1, Ordering::Release);
            }
            ControlFlow::Continue(())
        };
        // A side that yields first has a tick before it, with no sleep.
        reader.wait_with(&mut WaitPolicy::forever().spins(0).on_tick(&mut hook)).unwrap();
        let sleeps = place.sleeps.borrow();
        assert_eq!(sleeps.len(), ticks, "it sleeps after each tick, and no more once there is a message");
        let mut slept = Duration::ZERO;
        for &sleep in &*sleeps {
            assert!(sleep <= if slept < second { soon } else { late }, "{sleep:?}, after {slept:?}");
            slept += sleep;
        }
    }
}

/// Absent beside a C reader: its second look at what it released (D3) is waited for once, before the text is touched, and
/// not once more by the send that follows.
#[test]
fn d3_absent_and_waited_for_once() {
    let place = Place::new();
    let reader = InProc::open(&place.slot, Role::Guest).unwrap();
    let mut writer = Writer::<Noting>::open(&place).unwrap();
    let the_pause = Duration::from_millis(5);
    for text in [&b"one\n"[..], b"two\n", b"three\n"] {
        writer.await_room(text.len(), &mut WaitPolicy::forever()).unwrap();
        assert_eq!(place.sleeps.borrow().last(), Some(&the_pause), "the pause comes last, with the slot still free");
        place.sleeps.borrow_mut().clear();
        assert_eq!(writer.try_send(text), Ok(()));
        assert_eq!(place.sleeps.borrow().len(), 0, "it has paused");
        assert_eq!(reader.slot().flag.load(Ordering::Acquire), 1);
        reader.slot().flag.store(0, Ordering::Release);
    }
}

/// Absent, and whole: an interrupt ends a wait, and not the pause before the text is touched.
#[test]
fn d3_absent_beside_an_interrupt() {
    let channel = Channel::new();
    let options = Options::slot(channel.key());
    let mut writer = Writer::<SysV>::open(&options).unwrap();
    let reader = SysV::open(&options, Role::Guest).unwrap();
    let interrupter = writer.interrupter();
    writer.send(b"one\n").unwrap();
    for _ in 0..5 {
        let began = Instant::now();
        reader.slot().flag.store(0, Ordering::Release);
        interrupter.interrupt();
        writer.send(b"two\n").unwrap();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(5), "the reader had {took:?} for its second look");
    }
    reader.segment().remove().unwrap();
}

/// A C reader that was there when the writer looked for room can be gone when it sends: the first message waits for the next one (D4).
#[test]
fn d4_absent_behind_a_look_for_room() {
    let channel = Channel::new();
    let options = Options::slot(channel.key());
    let mut writer = Writer::<SysV>::open(&options).unwrap();
    let reader = SysV::open(&options, Role::Guest).unwrap();
    writer.await_room(4, &mut WaitPolicy::forever()).unwrap();
    drop(reader);
    let sent = writer.send_with(b"one\n", &mut WaitPolicy::timeout(Duration::from_millis(100)));
    assert_eq!(sent, Err(SendError::TimedOut), "nobody is there");
    let reader = SysV::open(&options, Role::Guest).unwrap();
    writer.send(b"one\n").unwrap();
    reader.segment().remove().unwrap();
}

/// What remains beside a C reader: its own two sleeps for a message. Ours adds
/// none to them: the next message is there while the reader still sleeps.
#[test]
fn d14_absent_from_our_side() {
    let channel = Channel::new();
    let mut reader = channel.c_reader_in_steps();
    let mut writer = channel.writer([""; 0]).input("1\n2\n3\n").start();
    let mut so_far = String::new();
    for line in ["1\n", "2\n", "3\n", "end\n"] {
        channel.await_full(&mut writer);
        reader.second();
        so_far += line;
        assert_eq!(reader.messages(), so_far);
        // Given back; and, unless that was the end, asleep again.
        reader.second();
    }
    reader.end().got("1\n2\n3\nend\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}
