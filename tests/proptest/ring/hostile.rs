//! Whatever another program puts into a ring, before we come or while we are there.
//!
//! * P1: Reader and writer open it or say that it is broken; nothing panics, and
//!   nothing waits that was told not to.
//! * P2: A message that is peeked at, in place or not, has a quarter of the ring at
//!   most, and lies within it.
//! * P3: What a writer sends is refused, or lies within the ring: no word of the
//!   header but the parked words is changed by it.
//! * P4: On removed memory the writer takes along no more than a ring can hold, and
//!   goes on in the new one.

use super::{Reader, StartsAt, Writer, guest};
use crate::cases;
use crate::common::{InProcess, SystemV};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::RingView;
use shm_handoff::sync::Ordering;
use shm_handoff::{Error, Received, RecvError, SendError, WaitPolicy};

/// A word anywhere in a ring.
#[derive(Debug, Clone, Copy)]
enum Scribble {
    Head(u64),
    Released(u64),
    Parked(u32, u32),
    /// A flag or anything else: where, in words, and what.
    Record(usize, u32),
    /// All of the records from one seed.
    Everything(u32),
    /// Records of one length, from place to place, all over the ring.
    Records(u32, u32),
}

fn any_position() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => (0..200_u64).prop_map(|units| units * 8),
        1 => any::<u64>(),
        1 => (0..100_u64).prop_map(|units| 0_u64.wrapping_sub(units * 8)),
        1 => 0..70_000_u64,
        1 => Just(u64::MAX),
    ]
}

/// A flag: of a record that can be, of one that can't, a jump, and any word.
fn any_flag() -> impl Strategy<Value = u32> {
    prop_oneof![
        2 => Just(0_u32),
        4 => 1..140_u32,
        2 => 16_360..16_400_u32,
        2 => Just(u32::MAX),
        1 => Just(u32::MAX - 1),
        1 => any::<u32>(),
    ]
}

fn scribble() -> impl Strategy<Value = Scribble> {
    prop_oneof![
        3 => any_position().prop_map(Scribble::Head),
        3 => any_position().prop_map(Scribble::Released),
        1 => (any::<u32>(), any::<u32>()).prop_map(|(one, other)| Scribble::Parked(one, other)),
        8 => (0..400_usize, any_flag()).prop_map(|(at, word)| Scribble::Record(at, word)),
        4 => (any::<usize>(), any_flag()).prop_map(|(at, word)| Scribble::Record(at, word)),
        1 => any::<u32>().prop_map(Scribble::Everything),
        2 => (any_flag(), 0..3_u32).prop_map(|(flag, kind)| Scribble::Records(flag, kind)),
    ]
}

impl Scribble {
    fn put(self, ring: RingView<'_>) {
        let words = ring.capacity() / 4;
        // Every other word can be a flag, and those between a kind.
        let store = |at: usize, value| {
            let unit = (at % words / 2 * 8) as u64;
            if at.is_multiple_of(2) {
                ring.flag(unit).store(value, Ordering::Relaxed);
            } else {
                ring.set_kind(unit, value);
            }
        };
        match self {
            Self::Head(position) => ring.head().store(position, Ordering::Relaxed),
            Self::Released(position) => ring.released().store(position, Ordering::Relaxed),
            Self::Parked(one, other) => {
                ring.reader_parked().store(one, Ordering::Relaxed);
                ring.writer_parked().store(other, Ordering::Relaxed);
            }
            Self::Record(at, value) => store(at, value),
            Self::Everything(seed) => {
                let mut state = u64::from(seed) | 1 << 40;
                for at in 0..words {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let value = u32::try_from(state >> 40).unwrap();
                    // Many of them lengths that can be.
                    store(at, if value % 3 == 0 { value } else { value % 200 });
                }
            }
            Self::Records(flag, kind) => {
                let units = 2 + (flag.wrapping_sub(1) / 8) as usize % words;
                for at in (0..words).step_by(units * 2) {
                    store(at, flag);
                    store(at + 1, kind);
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Action {
    Scribble(Scribble),
    Peek { in_place: bool, release: bool },
    PeekNext,
    Rewind,
    Receive,
    ReleasePeeked,
    Send(usize),
    SendAll(usize),
    Reserve { len: usize, commit: bool },
    End,
    Stranded,
    Remove,
    Mend,
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => scribble().prop_map(Action::Scribble),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(in_place, release)| Action::Peek { in_place, release }),
        2 => Just(Action::PeekNext),
        1 => Just(Action::Rewind),
        3 => Just(Action::Receive),
        1 => Just(Action::ReleasePeeked),
        4 => (0..140_usize).prop_map(Action::Send),
        2 => (0..140_usize).prop_map(Action::SendAll),
        2 => (0..140_usize, any::<bool>()).prop_map(|(len, commit)| Action::Reserve { len, commit }),
        1 => Just(Action::End),
        2 => Just(Action::Stranded),
        1 => Just(Action::Remove),
        2 => Just(Action::Mend),
        3 => Just(Action::Reopen),
    ]
}

/// (A writer that does not come in has failed.)
fn told(met: &RecvError) -> bool {
    matches!(met, RecvError::TimedOut | RecvError::WriterGone | RecvError::Backend(Error::Corrupt(_)))
        || matches!(met, RecvError::BufferTooSmall { .. })
}

fn refused(met: &SendError) -> bool {
    matches!(
        met,
        SendError::TimedOut | SendError::Backend(Error::Corrupt(_)) | SendError::Unsendable(_) | SendError::ReaderGone
    )
}

struct World<'a, H: StartsAt> {
    place: &'a H,
    reader: Option<Reader<H::Backend>>,
    writer: Option<Writer<H::Backend>>,
    /// Since they were opened: they move on when they notice.
    removed: bool,
}

impl<H: StartsAt> World<'_, H> {
    fn open(&mut self) -> Result<(), TestCaseError> {
        // A removed ring's parties first: who reopens meets the new one.
        (self.reader, self.writer, self.removed) = (None, None, false);
        match Reader::open(self.place.address()) {
            Ok(reader) => self.reader = Some(reader),
            Err(met) => prop_assert!(matches!(met, Error::Corrupt(_)), "{}", met),
        }
        match Writer::open(self.place.address()) {
            Ok(writer) => self.writer = Some(writer),
            Err(met) => prop_assert!(matches!(met, Error::Corrupt(_)), "{}", met),
        }
        Ok(())
    }

    fn read(&mut self, action: &Action) -> Result<(), TestCaseError> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let (longest, none) = (H::CAPACITY / 4, &mut WaitPolicy::non_blocking());
        let met = match action {
            Action::Peek { in_place: true, release } => {
                let begins = reader.backend().ring().flag(0).as_ptr().addr();
                reader.peek_in_place(none).map(|message| {
                    let (at, len) = (message.as_ptr().addr(), message.len());
                    assert!(len <= longest && at >= begins + 8 && at + len <= begins + H::CAPACITY);
                    // SAFETY: this thread alone is at work here.
                    assert_eq!(unsafe { message.bytes() }.to_vec().len(), len);
                    if *release {
                        message.release();
                    }
                })
            }
            Action::Peek { release, .. } => reader.peek_next(none).map(|message| {
                assert!(message.text().len() <= longest);
                if *release {
                    message.release();
                }
            }),
            Action::PeekNext => match reader.try_peek_next() {
                Ok(message) => {
                    prop_assert!(message.is_none_or(|message| message.text().len() <= longest));
                    Ok(())
                }
                Err(corrupt) => Err(corrupt),
            },
            Action::Rewind => {
                reader.rewind();
                Ok(())
            }
            Action::Receive => reader
                .recv_with(&mut [0; 100], none)
                .map(|got| assert!(matches!(got, Received::End | Received::Message(..=100)))),
            _ => {
                reader.release_peeked();
                Ok(())
            }
        };
        prop_assert!(met.as_ref().err().is_none_or(told), "{:?}", met);
        Ok(())
    }

    fn write(&mut self, action: &Action) -> Result<(), TestCaseError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let none = &mut WaitPolicy::non_blocking();
        let header = |writer: &Writer<H::Backend>| {
            let ring = writer.backend().ring();
            (ring.head().load(Ordering::Relaxed), ring.released().load(Ordering::Relaxed))
        };
        let before = header(writer);
        let met = match action {
            Action::Send(len) => writer.send_with(&vec![0x5A; *len], none),
            Action::SendAll(len) => {
                let bytes = vec![0xA5; *len];
                writer.send_all_with(&[&bytes, b"", &bytes], none).map_err(|(_, met)| met)
            }
            Action::Reserve { len, commit } => writer.reserve_with(*len, none).map(|mut reserved| {
                assert_eq!(reserved.len(), *len);
                // SAFETY: this thread alone is at work here.
                unsafe { reserved.bytes() }.fill(0x77);
                if *commit {
                    reserved.commit_first(len / 2);
                }
            }),
            Action::End => writer.end_with(none),
            Action::Mend => writer.recover(none),
            _ => {
                let stranded = writer.stranded().unwrap();
                prop_assert!(stranded <= 2 * H::CAPACITY / 8);
                Ok(())
            }
        };
        prop_assert!(met.as_ref().err().is_none_or(refused), "{:?}", met);
        prop_assert!(self.removed || header(writer) == before, "a writer stores neither head nor released");
        Ok(())
    }
}

fn run<H: StartsAt>(first: Vec<Scribble>, actions: Vec<Action>) -> Result<(), TestCaseError> {
    let place = H::starting_at(0);
    let stranger = guest(&place);
    for scribble in first {
        scribble.put(stranger.ring());
    }
    let mut world = World { place: &place, reader: None, writer: None, removed: false };
    world.open()?;
    for action in actions {
        match action {
            Action::Scribble(scribble) => scribble.put(guest(&place).ring()),
            Action::Remove => {
                guest(&place).remove().unwrap();
                world.removed = true;
            }
            Action::Reopen => world.open()?,
            Action::Peek { .. } | Action::PeekNext | Action::Rewind | Action::Receive | Action::ReleasePeeked => {
                world.read(&action)?;
            }
            _ => world.write(&action)?,
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn p1_to_p4_in_one_process(first in vec(scribble(), 0..12), actions in vec(action(), 0..60)) {
        run::<InProcess>(first, actions)?;
    }
}

proptest! {
    #![proptest_config(cases(25))]

    #[test]
    fn p1_to_p4_in_a_segment(first in vec(scribble(), 0..12), actions in vec(action(), 0..60)) {
        run::<SystemV>(first, actions)?;
    }
}
