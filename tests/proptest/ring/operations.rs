//! Any sequence of operations against a plain queue, and a count of the room.
//!
//! * P1: A send, a batch, a reservation succeeds exactly if the record, what is
//!   skipped before the wrap, and the flag behind it fit into what was given back,
//!   and no end lies unreleased; a longer message than a quarter never does.
//! * P2: What arrives is what was sent or committed, in order, once; what was
//!   abandoned never does.
//! * P3: Looks, in place or not, come in order from the first message that is not
//!   released, and take nothing away, whatever becomes of the reader; an end is not
//!   passed over. A cursor releases up to where it was set, if that was peeked at since, and
//!   nothing else.
//! * P4: Space is given back by the quarter, by whoever runs dry or leaves in order, and
//!   with an end.
//! * P5: Sides that go and come, in order or not, find all of it as it was; the
//!   reader is told of a writer that failed after the last message.
//! * P6: Both backends do all of this alike, wherever positions start.

use super::{Reader, StartsAt, Writer, any_start, bytes, head_of, size_of_record};
use crate::cases;
use crate::common::{InProcess, SystemV};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::error::Unsendable;
use shm_handoff::{Cursor, Received, RecvError, SendError, WaitPolicy};
use std::collections::VecDeque;

/// A length, as a share of the quarter, so that one strategy fits every ring.
#[derive(Debug, Clone, Copy)]
enum Length {
    Bytes(usize),
    /// So much less than a quarter.
    Below(usize),
    /// In 256ths of a quarter.
    Share(usize),
    OneTooMany,
}

impl Length {
    fn of(self, quarter: usize) -> usize {
        match self {
            Self::Bytes(len) => len.min(quarter),
            Self::Below(less) => quarter.saturating_sub(less),
            Self::Share(share) => quarter * share / 256,
            Self::OneTooMany => quarter + 1,
        }
    }
}

fn length() -> impl Strategy<Value = Length> {
    prop_oneof![
        3 => prop_oneof![Just(0_usize), Just(1), Just(7), Just(8), Just(9), 0..40_usize].prop_map(Length::Bytes),
        3 => (0..18_usize).prop_map(Length::Below),
        6 => (0..=256_usize).prop_map(Length::Share),
        1 => Just(Length::OneTooMany),
    ]
}

#[derive(Debug, Clone)]
enum Action {
    Send(Length, u8),
    SendAll(Vec<(Length, u8)>),
    Reserve {
        len: Length,
        seed: u8,
        commit: Option<usize>,
        in_place: bool,
    },
    End,
    Receive {
        room: Length,
    },
    Peek {
        anew: bool,
        in_place: bool,
        release: bool,
    },
    PeekNext {
        release: bool,
    },
    ReleasePeeked,
    /// Notes how far it has looked.
    Mark,
    /// Releases up to one of those cursors, the last one first.
    ReleaseUpTo(usize),
    Anew,
    OpenWriter,
    LeaveWriter,
    DropWriter,
    OpenReader,
    LeaveReader,
    DropReader,
    Follow,
}

fn action() -> impl Strategy<Value = Action> {
    let reserve = (length(), any::<u8>(), prop::option::weighted(0.8, 0..=256_usize), any::<bool>())
        .prop_map(|(len, seed, commit, in_place)| Action::Reserve { len, seed, commit, in_place });
    prop_oneof![
        12 => (length(), any::<u8>()).prop_map(|(len, seed)| Action::Send(len, seed)),
        4 => vec((length(), any::<u8>()), 0..6).prop_map(Action::SendAll),
        6 => reserve,
        1 => Just(Action::End),
        10 => length().prop_map(|room| Action::Receive { room }),
        8 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(anew, in_place, release)| Action::Peek { anew: anew && !in_place, in_place, release }),
        4 => any::<bool>().prop_map(|release| Action::PeekNext { release }),
        3 => Just(Action::ReleasePeeked),
        3 => Just(Action::Mark),
        3 => (0..4_usize).prop_map(Action::ReleaseUpTo),
        1 => Just(Action::Anew),
        3 => Just(Action::OpenWriter),
        1 => Just(Action::LeaveWriter),
        1 => Just(Action::DropWriter),
        3 => Just(Action::OpenReader),
        1 => Just(Action::LeaveReader),
        1 => Just(Action::DropReader),
        1 => Just(Action::Follow),
    ]
}

/// What was sent, and where it ends; `None`: the end of the session.
struct Sent {
    bytes: Option<Vec<u8>>,
    end: u64,
}

/// What a ring should be.
struct Oracle {
    capacity: usize,
    queue: VecDeque<Sent>,
    /// Messages at the queue's front that were peeked at.
    peeked: usize,
    head: u64,
    released: u64,
    tail: u64,
    /// The head as this writer saw it last, and whether it has met a reader.
    seen_head: u64,
    met: bool,
    /// A writer failed, and the reader has not been told to forget it.
    failed: bool,
}

impl Oracle {
    fn quarter(&self) -> usize {
        self.capacity / 4
    }

    /// Where a record of `len` bytes begins and ends if it fits.
    fn fit(&self, len: usize) -> Option<u64> {
        let capacity = self.capacity as u64;
        let to_wrap = capacity - self.tail % capacity;
        let size = size_of_record(len);
        let skipped = if size > to_wrap { to_wrap } else { 0 };
        let used = self.tail.wrapping_sub(self.head);
        (used + skipped + size + 8 <= capacity).then(|| self.tail.wrapping_add(skipped + size))
    }

    fn has_end(&self) -> bool {
        self.queue.back().is_some_and(|last| last.bytes.is_none())
    }

    /// Whether the writer need not look at the head to know that there is room.
    fn fits_as_seen(&self, len: usize) -> bool {
        let seen = Self { head: self.seen_head, queue: VecDeque::new(), ..*self };
        !self.has_end() && seen.fit(len).is_some()
    }

    /// What a writer that does not wait is told; `reserve` and the like say
    /// `TimedOut`.
    fn try_room(&mut self, len: usize, seated: bool) -> Result<u64, SendError> {
        if len > self.quarter() {
            return Err(Unsendable::TooLong { most: self.quarter() }.into());
        }
        if !self.fits_as_seen(len) {
            self.met |= self.seen_head != self.head;
            self.seen_head = self.head;
        }
        match self.fit(len) {
            Some(end) if !self.has_end() => Ok(end),
            _ => {
                self.met |= seated;
                Err(if self.met && !seated { SendError::ReaderGone } else { SendError::TimedOut })
            }
        }
    }

    fn push(&mut self, bytes: Option<Vec<u8>>, end: u64) {
        self.tail = end;
        self.queue.push_back(Sent { bytes, end });
    }

    /// The first `count` were dealt with.
    fn release(&mut self, count: usize) {
        for _ in 0..count {
            let sent = self.queue.pop_front().expect("no more than there are");
            self.released = sent.end;
            if sent.bytes.is_none() {
                self.head = self.released;
            }
        }
        self.peeked = 0;
        if self.released.wrapping_sub(self.head) >= self.quarter() as u64 {
            self.head = self.released;
        }
    }

    /// Up to where it has looked.
    fn peeked_to(&self) -> u64 {
        self.peeked.checked_sub(1).map_or(self.released, |last| self.queue[last].end)
    }

    /// Those that end at `to` or before were dealt with, if all of them were peeked at.
    fn release_up_to(&mut self, to: u64) {
        let (released, peeked) = (self.released, self.peeked);
        if to.wrapping_sub(released) > self.peeked_to().wrapping_sub(released) {
            return;
        }
        let ends = |sent: &&Sent| sent.end.wrapping_sub(released) <= to.wrapping_sub(released);
        let count = self.queue.iter().take(peeked).take_while(ends).count();
        self.release(count);
        self.peeked = peeked - count;
    }

    /// The next one to look at, and how many would be released with it.
    fn next(&self) -> Option<(&Sent, usize)> {
        self.queue.get(self.peeked).map(|sent| (sent, self.peeked + 1))
    }
}

struct World<'a, H: StartsAt> {
    place: &'a H,
    writer: Option<Writer<H::Backend>>,
    reader: Option<Reader<H::Backend>>,
    /// Marks, and where they are.
    cursors: Vec<(Cursor, u64)>,
    oracle: Oracle,
}

fn of_a_try(met: SendError) -> SendError {
    if met == SendError::TimedOut { SendError::WouldBlock } else { met }
}

impl<H: StartsAt> World<'_, H> {
    fn act(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Send(..) | Action::SendAll(_) | Action::Reserve { .. } | Action::End => self.write(action)?,
            Action::Receive { .. }
            | Action::Peek { .. }
            | Action::PeekNext { .. }
            | Action::ReleasePeeked
            | Action::Mark
            | Action::ReleaseUpTo(_)
            | Action::Anew => self.read(&action)?,
            _ => self.come_or_go(&action)?,
        }
        if let Some(reader) = &self.reader {
            prop_assert_eq!(head_of(reader.backend()), self.oracle.head, "what was given back");
        }
        Ok(())
    }

    fn write(&mut self, action: Action) -> Result<(), TestCaseError> {
        let (Some(writer), oracle, seated) = (&mut self.writer, &mut self.oracle, self.reader.is_some()) else {
            return Ok(());
        };
        let quarter = oracle.quarter();
        match action {
            Action::Send(len, seed) => {
                let bytes = bytes(len.of(quarter), seed);
                let expected = oracle.try_room(bytes.len(), seated);
                prop_assert_eq!(writer.try_send(&bytes), expected.clone().map(drop).map_err(of_a_try));
                if let Ok(end) = expected {
                    oracle.push(Some(bytes), end);
                }
            }
            Action::SendAll(all) => {
                let all: Vec<_> = all.into_iter().map(|(len, seed)| bytes(len.of(quarter), seed)).collect();
                let slices: Vec<_> = all.iter().map(Vec::as_slice).collect();
                let met = writer.send_all_with(&slices, &mut WaitPolicy::non_blocking());
                let mut expected = Ok(());
                for (number, bytes) in all.into_iter().enumerate() {
                    match oracle.try_room(bytes.len(), seated) {
                        Ok(end) => oracle.push(Some(bytes), end),
                        Err(why) => {
                            expected = Err((number, why));
                            break;
                        }
                    }
                }
                prop_assert_eq!(met, expected);
            }
            Action::Reserve { len, seed, commit, in_place } => {
                let bytes = bytes(len.of(quarter), seed);
                let expected = oracle.try_room(bytes.len(), seated);
                let mut reserved = match (writer.reserve_with(bytes.len(), &mut WaitPolicy::non_blocking()), expected) {
                    (Ok(reserved), Ok(_)) => reserved,
                    (met, expected) => {
                        prop_assert_eq!(met.map(drop), expected.map(drop));
                        return Ok(());
                    }
                };
                prop_assert_eq!((reserved.len(), reserved.is_empty()), (bytes.len(), bytes.is_empty()));
                if in_place {
                    // SAFETY: this thread alone is at work here.
                    unsafe { reserved.bytes() }.copy_from_slice(&bytes);
                } else {
                    let middle = bytes.len() / 2 / 4 * 4;
                    reserved.write_at(middle, &bytes[middle..]);
                    reserved.write_at(0, &bytes[..middle]);
                }
                // 256: all of it; nothing said: abandoned.
                let Some(share) = commit else { return Ok(()) };
                let len = bytes.len() * share / 256;
                // A shorter one begins where the reserved one does.
                let at = oracle.fit(bytes.len()).expect("it fits").wrapping_sub(size_of_record(bytes.len()));
                if len == bytes.len() && share == 256 {
                    reserved.commit();
                } else {
                    reserved.commit_first(len);
                }
                oracle.push(Some(bytes[..len].to_vec()), at.wrapping_add(size_of_record(len)));
            }
            _ => {
                // It looks around first.
                oracle.met |= seated;
                let expected = oracle.try_room(0, seated);
                prop_assert_eq!(writer.end_with(&mut WaitPolicy::non_blocking()), expected.clone().map(drop));
                if let Ok(end) = expected {
                    oracle.push(None, end);
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, action: &Action) -> Result<(), TestCaseError> {
        let (Some(reader), oracle) = (&mut self.reader, &mut self.oracle) else { return Ok(()) };
        match action {
            Action::Receive { room } => {
                let mut out = vec![0; room.of(oracle.quarter())];
                oracle.peeked = 0;
                let met = reader.try_recv(&mut out);
                match oracle.next() {
                    None => {
                        prop_assert_eq!(met, Err(nothing(oracle, RecvError::WouldBlock)));
                        oracle.head = oracle.released;
                    }
                    Some((Sent { bytes: None, .. }, _)) => prop_assert_eq!(met, Ok(Received::End)),
                    Some((Sent { bytes: Some(front), .. }, _)) if front.len() > out.len() => {
                        prop_assert_eq!(met, Err(RecvError::BufferTooSmall { capacity: front.len() }));
                    }
                    Some((Sent { bytes: Some(front), .. }, _)) => {
                        prop_assert_eq!(met, Ok(Received::Message(front.len())));
                        prop_assert_eq!(&out[..front.len()], &front[..]);
                        oracle.release(1);
                    }
                }
            }
            Action::Peek { anew, in_place, release } => {
                if *anew {
                    oracle.peeked = 0;
                }
                let none = &mut WaitPolicy::non_blocking();
                let Some((sent, count)) = oracle.next() else {
                    let met = match (*in_place, *anew) {
                        (true, _) => reader.peek_in_place(none).map(drop),
                        (_, true) => reader.peek_with(none).map(drop),
                        _ => reader.peek_next(none).map(drop),
                    };
                    prop_assert_eq!(met, Err(nothing(oracle, RecvError::TimedOut)));
                    oracle.head = oracle.released;
                    return Ok(());
                };
                let expected = sent.bytes.as_deref().unwrap_or_default();
                if *in_place {
                    let message = reader.peek_in_place(none).expect("a message");
                    // SAFETY: this thread alone is at work here.
                    prop_assert_eq!(unsafe { message.bytes() }, expected);
                    prop_assert_eq!((message.len(), message.is_empty()), (expected.len(), expected.is_empty()));
                    prop_assert_eq!(message.ends_session(), sent.bytes.is_none());
                    if *release {
                        message.release();
                    }
                } else {
                    let met = if *anew { reader.peek_with(none) } else { reader.peek_next(none) };
                    let message = met.expect("a message");
                    prop_assert_eq!(message.text(), expected);
                    prop_assert_eq!(message.ends_session(), sent.bytes.is_none());
                    if *release {
                        message.release();
                    }
                }
                peeked_at(oracle, count, *release);
            }
            Action::PeekNext { release } => {
                let Some((sent, count)) = oracle.next() else {
                    prop_assert!(reader.try_peek_next().unwrap().is_none());
                    return Ok(());
                };
                let message = reader.try_peek_next().unwrap().expect("a message");
                prop_assert_eq!(message.text(), sent.bytes.as_deref().unwrap_or_default());
                prop_assert_eq!(message.ends_session(), sent.bytes.is_none());
                if *release {
                    message.release();
                }
                peeked_at(oracle, count, *release);
            }
            Action::ReleasePeeked => {
                reader.release_peeked();
                oracle.release(oracle.peeked);
            }
            Action::Mark => self.cursors.push((reader.cursor(), oracle.peeked_to())),
            Action::ReleaseUpTo(which) => {
                if let Some((cursor, to)) = self.cursors.iter().nth_back(*which) {
                    reader.release_up_to(*cursor);
                    oracle.release_up_to(*to);
                }
            }
            _ => {
                reader.rewind();
                oracle.peeked = 0;
            }
        }
        Ok(())
    }

    fn come_or_go(&mut self, action: &Action) -> Result<(), TestCaseError> {
        let (seated, oracle) = (self.reader.is_some(), &mut self.oracle);
        match action {
            Action::OpenWriter if self.writer.is_none() => {
                self.writer = Some(Writer::open(self.place.address()).unwrap());
                (oracle.seen_head, oracle.met, oracle.failed) = (oracle.head, false, false);
            }
            Action::LeaveWriter => {
                if let Some(writer) = self.writer.take() {
                    prop_assert_eq!(writer.close(), Ok(()));
                }
            }
            // A reader that comes later was not there to see it.
            Action::DropWriter => oracle.failed |= self.writer.take().is_some() && seated,
            Action::OpenReader if !seated => {
                self.reader = Some(Reader::open(self.place.address()).unwrap());
                (oracle.peeked, oracle.failed) = (0, false);
            }
            Action::LeaveReader => {
                if let Some(reader) = self.reader.take() {
                    prop_assert_eq!(reader.close(), Ok(()));
                    oracle.head = oracle.released;
                }
            }
            Action::DropReader => drop(self.reader.take()),
            Action::Follow => {
                if let Some(reader) = &mut self.reader {
                    prop_assert_eq!(reader.await_next_writer(), Ok(()));
                    oracle.failed = false;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a reader is told if there is no message.
fn nothing(oracle: &Oracle, otherwise: RecvError) -> RecvError {
    if oracle.failed { RecvError::WriterGone } else { otherwise }
}

fn peeked_at(oracle: &mut Oracle, count: usize, release: bool) {
    if release {
        oracle.release(count);
    } else if oracle.queue[count - 1].bytes.is_some() {
        oracle.peeked = count;
    }
}

fn run<H: StartsAt>(start: u64, actions: Vec<Action>) -> Result<(), TestCaseError> {
    let place = H::starting_at(start);
    let oracle = Oracle {
        capacity: H::CAPACITY,
        queue: VecDeque::new(),
        peeked: 0,
        head: start,
        released: start,
        tail: start,
        seen_head: start,
        met: false,
        failed: false,
    };
    let mut world = World { place: &place, writer: None, reader: None, cursors: Vec::new(), oracle };
    world.act(Action::OpenWriter)?;
    world.act(Action::OpenReader)?;
    for action in actions {
        world.act(action)?;
    }
    let World { writer, reader, oracle, .. } = world;
    drop((writer, reader));
    // Whatever lies there is there for the next reader, and nothing else.
    let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
    let mut room = vec![0; H::CAPACITY / 4];
    for Sent { bytes, .. } in &oracle.queue {
        let met = reader.try_recv(&mut room);
        prop_assert_eq!(met, Ok(bytes.as_ref().map_or(Received::End, |bytes| Received::Message(bytes.len()))));
        if let Some(bytes) = bytes {
            prop_assert_eq!(&room[..bytes.len()], &bytes[..]);
        }
    }
    let last = if oracle.has_end() { Ok(Received::End) } else { Err(RecvError::WouldBlock) };
    prop_assert_eq!(reader.try_recv(&mut room), last);
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn p1_to_p6_in_one_process(start in any_start(InProcess::CAPACITY), actions in vec(action(), 0..120)) {
        run::<InProcess>(start, actions)?;
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn p1_to_p6_in_a_segment(start in any_start(SystemV::CAPACITY), actions in vec(action(), 0..120)) {
        run::<SystemV>(start, actions)?;
    }
}
