//! Killed at every step, as in [`super::killed`], in the other ways to take a message and
//! to send one: received into the reader's own memory, several peeked at and released up
//! to a place, read where it lies, built where it lies.

use super::killed::{
    LAST, Ledger, Sent, What, a_writer_and_its_successor, bytes, known_bytes, one_by_one, read_and_leave,
};
use super::ring;
use crate::explore::{Depth, actor, main_is};
use crate::killed::killed_at_every_step;
use crate::mortal::{Mortal, live};
use shm_handoff::Received;
use shm_handoff::SendError;
use shm_handoff::WaitPolicy;
use shm_handoff::backend::inproc::{Channel, InProc};

use shm_handoff::sync::yield_now;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How many messages a reader has begun to release, and how many it has released.
#[derive(Default)]
struct Released {
    begun: Cell<usize>,
    done: Cell<usize>,
}

impl Released {
    /// Notes the release of all messages up to this number.
    fn up_to(&self, number: usize, release: impl FnOnce()) {
        self.begun.set(number);
        release();
        self.done.set(number);
    }
}

/// Puts a message out; both ends of it are points at which to die.
fn put_out(out: &Ledger, what: What) {
    trace::step();
    out.borrow_mut().push(what);
    trace::step();
}

/// A reader's `life`, killed after `spared` steps, and its successor, which reads until the
/// last of `lines`. The first one's successor begins where it stopped releasing. Whether the
/// first died, and what it had put out.
fn a_reader_and_its_successor(
    ring: &Channel,
    lines: &'static [What],
    life: fn(&mut Reader<Mortal>, &Ledger, &Released),
    spared: usize,
) -> (bool, Vec<What>) {
    main_is("writer");
    let theirs = ring.clone();
    let reader = actor("reader", move || {
        let (out, released) = (Ledger::default(), Rc::new(Released::default()));
        let died = live(spared, || {
            let mut reader = Reader::<Mortal>::open(&theirs).unwrap();
            life(&mut reader, &out, &released);
            reader.close().unwrap();
        });
        trace::note("successor");
        let rest = Ledger::default();
        read_and_leave::<InProc>(&theirs, *lines.last().expect("some"), &rest);
        (died, out.take(), released.begun.get(), released.done.get(), rest.take())
    });
    let mut writer = Writer::<InProc>::open(ring).unwrap();
    for line in lines {
        let What::Message(number) = line else { unreachable!("messages alone") };
        while let Err(error) = writer.send(&bytes(*number)) {
            assert_eq!(error, SendError::ReaderGone);
            yield_now();
        }
    }
    writer.close().unwrap();
    let (died, out, begun, done, rest) = reader.join();
    assert_eq!(out, lines[..out.len()], "in order, and nothing twice");
    let from = lines.len() - rest.len();
    assert_eq!(rest, lines[from..], "the successor's");
    assert!((done..=begun).contains(&from), "{done} to {begun} were released, and the next one begins with {from}");
    (died, out)
}

/// **K12** A reader killed at any step of `recv`: a message is in the caller's memory, whole,
/// or it comes to the next reader. So it is copied before its release is noted.
#[test]
fn k12_received_into_the_readers_own_at_every_step() {
    killed_at_every_step(
        "K12",
        "ring: a reader that opens, receives two messages into its own memory, and leaves: each is there whole, or comes to the next",
        50,
        Depth::bound(1, 8307).deep(Depth::bound(2, 0)),
        |spared| a_receiver_and_its_successor(&ring(4, 2), spared),
    );
}

/// **K17** As K12 in a ring of which a record is less than a quarter: there the first one is taken
/// at a glance, and no position but that of the next message is noted.
#[test]
fn k17_received_at_a_glance_at_every_step() {
    killed_at_every_step(
        "K17",
        "ring: K12's reader where a record is less than a quarter, so that the first is taken at a glance",
        39,
        Depth::bound(1, 1978),
        |spared| a_receiver_and_its_successor(&ring(16, 2), spared),
    );
}

/// A reader that receives two messages into its own memory, killed after `spared` steps, and its successor.
/// Whether the first died.
fn a_receiver_and_its_successor(ring: &Channel, spared: usize) -> bool {
    const LINES: &[What] = &[What::Message(1), What::Message(3), LAST];
    main_is("writer");
    let theirs = ring.clone();
    let reader = actor("reader", move || {
        // What the dead leave here is what they had received.
        let room = RefCell::new([[0; 8]; 2]);
        let died = live(spared, || {
            let mut reader = Reader::<Mortal>::open(&theirs).unwrap();
            for number in 0..2 {
                let mut room = room.borrow_mut();
                let len = reader.recv_with(&mut room[number], &mut WaitPolicy::forever()).unwrap();
                assert_eq!(len, Received::Message(8));
            }
            reader.close().unwrap();
        });
        trace::note("successor");
        let rest = Ledger::default();
        read_and_leave::<InProc>(&theirs, LAST, &rest);
        (died, room.take(), rest.take())
    });
    let mut writer = Writer::<InProc>::open(ring).unwrap();
    for line in LINES {
        let What::Message(number) = line else { unreachable!("messages alone") };
        while let Err(error) = writer.send(&bytes(*number)) {
            assert_eq!(error, SendError::ReaderGone);
            yield_now();
        }
    }
    writer.close().unwrap();
    let (died, room, mut rest) = reader.join();
    let whole = (0..2).take_while(|number| bytes([1, 3][*number]) == room[*number]).count();
    // The last one can have been received and not released yet.
    if whole > 0 && rest.first() == Some(&LINES[whole - 1]) {
        rest.remove(0);
    }
    assert_eq!(rest, LINES[whole..], "{whole} were received");
    died
}

/// **K13** A reader killed at any step of peeking at two messages and releasing them up to a
/// place: what it has released does not come again, and all else does.
#[test]
fn k13_released_up_to_a_cursor_at_every_step() {
    killed_at_every_step(
        "K13",
        "ring: a reader that opens, peeks at two messages, releases up to the first, then the other, and leaves",
        52,
        Depth::bound(1, 2832).deep(Depth::bound(2, 130_805)),
        |spared| {
            const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
            let life = |reader: &mut Reader<Mortal>, out: &Ledger, released: &Released| {
                let mut first = None;
                for _ in 0..2 {
                    reader.wait_with(&mut WaitPolicy::forever()).unwrap();
                    let message = reader.try_peek_next().unwrap().expect("it was waited for");
                    let what = known_bytes(message.text());
                    put_out(out, what);
                    first.get_or_insert(reader.cursor());
                }
                released.up_to(1, || reader.release_up_to(first.expect("two")));
                released.up_to(2, || reader.release_peeked());
            };
            a_reader_and_its_successor(&ring(8, 6), LINES, life, spared).0
        },
    );
}

/// **K14** A reader killed at any step of reading two messages where they lie.
#[test]
fn k14_in_place_at_every_step() {
    killed_at_every_step(
        "K14",
        "ring: a reader that opens, reads two messages where they lie, over the wrap, releases each, and leaves",
        53,
        Depth::bound(1, 8919).deep(Depth::bound(2, 0)),
        |spared| {
            const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
            let life = |reader: &mut Reader<Mortal>, out: &Ledger, released: &Released| {
                for number in 1..=2 {
                    let message = reader.peek_in_place(&mut WaitPolicy::forever()).unwrap();
                    put_out(out, known_bytes(&message.read()));
                    released.up_to(number, || message.release());
                }
            };
            a_reader_and_its_successor(&ring(4, 2), LINES, life, spared).0
        },
    );
}

/// Sends the first two messages, each built where it lies, after one that is given up.
fn build_in_place(writer: &mut Writer<Mortal>, sent: &Sent) {
    for number in 0..2 {
        writer.reserve(8).unwrap().write_at(0, b"........");
        let mut reserved = writer.reserve(8).unwrap();
        reserved.write_at(0, b"--------");
        let message = bytes(number);
        reserved.write_at(0, &message);
        reserved.commit_first(message.len());
        sent.set(number + 1);
    }
}

/// **K15** A writer killed at any step of a reservation: what was committed comes, and
/// nothing else.
#[test]
fn k15_a_reservation_at_every_step() {
    killed_at_every_step(
        "K15",
        "ring: a writer that opens, reserves and gives up, reserves and commits in part, twice, over the wrap, and leaves",
        51,
        Depth::bound(1, 7819).deep(Depth::bound(2, 0)),
        |spared| {
            let lines = [What::Message(0), What::Message(1)];
            a_writer_and_its_successor(&ring(4, 2), lines, build_in_place, || (), spared).0
        },
    );
}

/// **K16** As K4 where both sides have heavy fences, and the dead writer's successor has none.
#[test]
fn k16_a_writer_with_heavy_fences_at_every_step() {
    killed_at_every_step(
        "K16",
        "ring: K4's writer where both sides have heavy fences; its successor has none",
        39,
        Depth::bound(1, 4458).deep(Depth::bound(2, 395_535)),
        |spared| {
            let lines = [What::Message(0), What::Message(1)];
            let ring = ring(4, 2).with_heavy_fences();
            a_writer_and_its_successor(&ring, lines, one_by_one, trace::is_refused, spared).0
        },
    );
}
