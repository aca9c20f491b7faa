//! Killed at every step, as in [`crate::killed`]: here a step is also every access
//! to a flag, a hint, the head, the place or the bytes of a record, every fence,
//! and falling asleep and waking somebody. Sleeps have no bound, so that nobody
//! who slept beside the dead is woken but by the successor, as it comes.

use super::{message, remove, ring};
use crate::explore::{Depth, actor, main_is};
use crate::killed::killed_at_every_step;
use crate::mortal::{Mortal, has_removed, live};
use shm_handoff::backend::RingBackend;
use shm_handoff::backend::inproc::{InProc, Slot};
use shm_handoff::protocol::Patience;
use shm_handoff::ring::{Message, Reader, Writer};
use shm_handoff::sync::{probe, yield_now};
use shm_handoff::{RecvError, SendError};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Units of the messages, of which the last is the successor's.
const UNITS: [usize; 3] = [1, 2, 2];
const LAST: What = What::Message(2);

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Message(usize),
    End,
}

/// A message as one of those that can have been sent: whole, or nothing.
fn known<B: RingBackend>(seen: &Message<'_, B>) -> What {
    if seen.ends_session() {
        return What::End;
    }
    let sent = (0..UNITS.len()).find(|number| message(*number, UNITS[*number]) == seen.text());
    What::Message(sent.unwrap_or_else(|| panic!("torn: \"{}\"", seen.text().escape_ascii())))
}

fn bytes(number: usize) -> Vec<u8> {
    message(number, UNITS[number])
}

/// Reads sessions until the last message comes; each that ends is followed by
/// the next.
fn read_until_the_last(ring: &Slot) -> Vec<What> {
    let mut got = Vec::new();
    let mut reader = Reader::<InProc>::open(ring).unwrap();
    loop {
        match reader.look() {
            Ok(message) => {
                let what = known(&message);
                got.push(what);
                if what == What::End {
                    message.close().unwrap();
                    reader.leave().unwrap();
                    reader = Reader::open(ring).unwrap();
                } else {
                    message.release();
                }
                if what == LAST {
                    return got;
                }
            }
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.follow().unwrap();
            }
        }
    }
}

/// How much of what it sends a writer knows to be sent.
type Sent = Rc<Cell<usize>>;

/// A writer's `life`, killed after `spared` steps, and its successor, which sends the
/// last message. Whether it died, how much it knew to be sent, and what came before the last.
fn a_life_and_its_successor(
    ring: &Slot,
    life: impl FnOnce(&mut Writer<Mortal>, &Sent) + 'static,
    spared: usize,
) -> (bool, usize, Vec<What>) {
    main_is("reader");
    let theirs = ring.clone();
    let writer = actor("writer", move || {
        let sent = Sent::default();
        let counted = Rc::clone(&sent);
        let died = live(spared, || {
            let mut writer = Writer::<Mortal>::open(&theirs).unwrap();
            life(&mut writer, &counted);
            writer.leave().unwrap();
        });
        probe::note("successor");
        let mut writer = Writer::<InProc>::open(&theirs).unwrap();
        writer.send(&bytes(2)).unwrap();
        writer.leave().unwrap();
        (died, sent.get())
    });
    let mut got = read_until_the_last(ring);
    let (died, sent) = writer.join();
    assert_eq!(got.pop(), Some(LAST), "the last message at least");
    (died, sent, got)
}

/// The same where `lines` are sent and nobody meddles: what arrives is what the first had
/// sent, and then the last. Whether it died, and how much of it came.
fn a_writer_and_its_successor(
    ring: &Slot,
    lines: [What; 2],
    life: fn(&mut Writer<Mortal>, &Sent),
    spared: usize,
) -> (bool, usize) {
    let (died, sent, got) = a_life_and_its_successor(ring, life, spared);
    assert_eq!(got, lines[..got.len().min(2)], "order holds and nothing comes twice");
    // Dead between publishing and knowing of it: more than it knew of.
    assert!(got.len() == sent || (died && got.len() > sent), "{sent} were sent, {} came", got.len());
    (died, got.len())
}

/// **K4** A writer killed at any step of opening, sending two messages with a jump
/// over the wrap between them, for which it has to wait, and leaving.
#[test]
fn k4_a_writer_to_a_ring_at_every_step() {
    // 3 s; deep: 2 min.
    killed_at_every_step(
        "K4",
        "ring: a writer that opens, sends two messages over the wrap, waiting for space, and leaves",
        36,
        Depth::bound(1, 6031).deep(Depth::bound(2, 0)),
        |spared| {
            let one_by_one = |writer: &mut Writer<Mortal>, sent: &Sent| {
                for number in 0..2 {
                    writer.send(&bytes(number)).unwrap();
                    sent.set(number + 1);
                }
            };
            a_writer_and_its_successor(&ring(4, 2), [What::Message(0), What::Message(1)], one_by_one, spared).0
        },
    );
}

/// **K5** A writer killed at any step of sending a batch: all of what it publishes
/// at once comes, or nothing.
#[test]
fn k5_a_batch_at_every_step() {
    // 1 s; deep: 15 s.
    killed_at_every_step(
        "K5",
        "ring: a writer that opens, sends a batch over the wrap, and leaves: all of it comes or nothing",
        20,
        Depth::bound(1, 1987).deep(Depth::bound(2, 0)),
        |spared| {
            let at_once = |writer: &mut Writer<Mortal>, sent: &Sent| {
                writer.send_all(&[&bytes(0), &bytes(1)]).unwrap();
                sent.set(2);
            };
            let (died, came) =
                a_writer_and_its_successor(&ring(8, 6), [What::Message(0), What::Message(1)], at_once, spared);
            assert!(came == 0 || came == 2, "half a batch came");
            died
        },
    );
}

/// **K6** A writer killed at any step of a session with its end: the reader removes
/// the memory meanwhile.
#[test]
fn k6_a_writer_with_its_end_at_every_step() {
    // 1 s; deep: 2 min. (Before a writer stayed where it is when there is nothing to take along, a
    // life had up to 42 steps: the rest was the way to memory that nobody needed.)
    killed_at_every_step(
        "K6",
        "ring: a writer that opens, sends a message and the end, and leaves",
        28,
        Depth::bound(1, 5089).deep(Depth::bound(2, 0)),
        |spared| {
            let with_an_end = |writer: &mut Writer<Mortal>, sent: &Sent| {
                writer.send(&bytes(0)).unwrap();
                sent.set(1);
                writer.end_with(&mut Patience::endless()).unwrap();
                sent.set(2);
            };
            a_writer_and_its_successor(&ring(4, 2), [What::Message(0), What::End], with_an_end, spared).0
        },
    );
}

/// What was put out, in order.
type Ledger = Rc<RefCell<Vec<What>>>;

/// Reads until `last` as `shmread` does: a message is put out, and then released;
/// both ends of putting it out are points at which to die. An end is closed.
fn read_and_leave<B: RingBackend<Address = Slot>>(ring: &Slot, last: What, out: &Ledger) {
    let mut reader = Reader::<B>::open(ring).unwrap();
    loop {
        let message = reader.look().unwrap();
        let what = known(&message);
        probe::step();
        out.borrow_mut().push(what);
        probe::step();
        if what == What::End {
            message.close().unwrap();
        } else {
            message.release();
        }
        if what == last {
            return reader.leave().unwrap();
        }
    }
}

/// A reader that reads until `last`, killed after `spared` steps, and its
/// successor, which reads until `end`, unless the first has removed the memory.
/// The writer sends `lines`; before number `removed`, if there is one, somebody removes
/// the memory. Whether the first died.
fn a_reader_and_its_successor(lines: &'static [What], last: What, removed: Option<usize>, spared: usize) -> bool {
    let ring = ring(4, 2);
    main_is("writer");
    let theirs = ring.clone();
    let end = *lines.last().expect("some");
    let reader = actor("reader", move || {
        let out = Ledger::default();
        let died = live(spared, || read_and_leave::<Mortal>(&theirs, last, &out));
        let before = out.borrow().len();
        if !has_removed() {
            probe::note("successor");
            read_and_leave::<InProc>(&theirs, end, &out);
        }
        (died, before, out.take())
    });
    let mut writer = Writer::<InProc>::open(&ring).unwrap();
    for (number, line) in lines.iter().enumerate() {
        if removed == Some(number) {
            remove(&ring);
        }
        let mut send = || match line {
            What::Message(number) => writer.send(&bytes(*number)),
            What::End => writer.end_with(&mut Patience::endless()),
        };
        while let Err(error) = send() {
            assert_eq!(error, SendError::ReaderGone);
            yield_now();
        }
    }
    writer.leave().unwrap();
    let (died, before, mut out) = reader.join();
    // Only the last that the first reader put out may have come again.
    if before > 0 && out.get(before) == Some(&out[before - 1]) {
        out.remove(before);
    }
    assert_eq!(out, lines, "{before} of them by the first reader");
    died
}

/// **K7** A reader killed at any step of opening, reading two messages, releasing
/// them, and leaving: the next reader gets the rest, and before it only what the
/// first had put out and not released.
#[test]
fn k7_a_reader_of_a_ring_at_every_step() {
    // 4 s; deep: 3 min.
    killed_at_every_step(
        "K7",
        "ring: a reader that opens, reads two messages over the wrap, releases them and leaves",
        50,
        Depth::bound(1, 8919).deep(Depth::bound(2, 0)),
        |spared| {
            const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
            a_reader_and_its_successor(LINES, What::Message(1), None, spared)
        },
    );
}

/// **K8** The same with an end, which it closes.
#[test]
fn k8_a_reader_with_an_end_at_every_step() {
    // 1 s; deep: 10 s.
    killed_at_every_step(
        "K8",
        "ring: a reader that opens, reads a message and the end, removes and leaves",
        32,
        Depth::bound(1, 1047).deep(Depth::bound(2, 0)),
        |spared| {
            const LINES: &[What] = &[What::Message(0), What::End];
            a_reader_and_its_successor(LINES, What::End, None, spared)
        },
    );
}

/// **K9** The same as K7 on memory that somebody removes between two messages: what is
/// not taken from it comes on the new one, to whoever reads there.
#[test]
fn k9_a_reader_of_removed_memory_at_every_step() {
    // 1 s.
    killed_at_every_step(
        "K9",
        "ring: a reader that opens, reads two messages, between which somebody removes the memory, and leaves",
        55,
        Depth::bound(1, 11_881).deep(Depth::bound(2, 0)),
        |spared| {
            const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
            a_reader_and_its_successor(LINES, What::Message(1), Some(1), spared)
        },
    );
}

/// **K10** A writer killed at any step while the memory it has written to is removed: what
/// it had sent into that memory can go with it, as `docs/reliability.md` says, but only if
/// it died; nothing comes twice, and the order holds.
#[test]
fn k10_a_writer_to_removed_memory_at_every_step() {
    // 2 s.
    killed_at_every_step(
        "K10",
        "ring: a writer that opens, sends two messages, between which somebody removes the memory, and leaves",
        62,
        Depth::bound(1, 11_619).deep(Depth::bound(2, 838_427)),
        |spared| {
            let ring = ring(4, 2);
            let theirs = ring.clone();
            let life = move |writer: &mut Writer<Mortal>, sent: &Sent| {
                for number in 0..2 {
                    if number == 1 {
                        remove(&theirs);
                    }
                    writer.send(&bytes(number)).unwrap();
                    sent.set(number + 1);
                }
            };
            let (died, _, got) = a_life_and_its_successor(&ring, life, spared);
            let in_order: &[&[What]] =
                &[&[], &[What::Message(0)], &[What::Message(1)], &[What::Message(0), What::Message(1)]];
            assert!(in_order.contains(&&got[..]), "{got:?}");
            assert!(died || got.len() == 2, "who lives loses nothing: {got:?}");
            died
        },
    );
}
