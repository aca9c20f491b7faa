//! Killed at every step, as in [`crate::killed`]: here a step is also every access
//! to a flag, a parked word, the head, the released position or the bytes of a record, every fence,
//! and falling asleep and waking somebody. Sleeps have no bound, so that nobody
//! who slept beside the dead is woken but by the successor, as it comes.

use super::message;
use crate::explore::{Depth, actor, main_is};
use crate::killed::killed_at_every_step;
use crate::mortal::has_removed;
use crate::world::{Side, Simulated, World};
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;

use shm_handoff::sync::{Ordering, yield_now};
type Message<'r, B> = shm_handoff::Message<'r, B, shm_handoff::Ring>;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;
use shm_handoff::{RecvError, SendError};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use trace::{Action, Event, Place, Record};

/// Units of the messages, of which number 2 is the successor's, and comes last.
const UNITS: [usize; 4] = [1, 2, 2, 2];
pub(super) const LAST: What = What::Message(2);

/// What comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Message(usize),
    End,
}

/// A message as one of those that can have been sent: whole, or nothing.
fn known<B: Backend>(seen: &Message<'_, B>) -> What {
    if seen.ends_session() { What::End } else { known_bytes(seen.text()) }
}

pub(super) fn known_bytes(seen: &[u8]) -> What {
    let sent = (0..UNITS.len()).find(|number| bytes(*number) == seen);
    What::Message(sent.unwrap_or_else(|| panic!("torn: \"{}\"", seen.escape_ascii())))
}

pub(super) fn bytes(number: usize) -> Vec<u8> {
    message(number, UNITS[number])
}

/// Reads sessions until the last message comes; each that ends is followed by
/// the next.
fn read_until_the_last<W: World>(ring: &W) -> Vec<What> {
    let mut got = Vec::new();
    let mut reader = Reader::<W::Backend>::open(ring.address()).unwrap();
    loop {
        match reader.peek() {
            Ok(message) => {
                let what = known(&message);
                got.push(what);
                if what == What::End {
                    message.end_session().unwrap();
                    reader.close().unwrap();
                    reader = Reader::open(ring.address()).unwrap();
                } else {
                    message.release();
                }
                if what == LAST {
                    return got;
                }
            }
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.await_next_writer().unwrap();
            }
        }
    }
}

/// What a model notes as the first life is over, and as somebody removes the memory.
const SUCCESSOR: &str = "successor";
const REMOVES: &str = "removes";

/// How much of what it sends a writer knows to be sent.
pub(super) type Sent = Rc<Cell<usize>>;

/// A writer's `life`, killed after `spared` steps, and its successor, which sends the
/// last message after `between`. Whether it died, how much it knew to be sent, and what
/// came before the last.
fn a_life_and_its_successor<W: World>(
    ring: &W,
    life: impl FnOnce(&mut Writer<W::Mortal>, &Sent) + 'static,
    between: fn(),
    spared: usize,
) -> (bool, usize, Vec<What>) {
    let (receives, sends_next) = (ring.side(), ring.side());
    main_is("reader");
    let theirs = ring.clone();
    let writer = actor("writer", move || {
        let sent = Sent::default();
        let counted = Rc::clone(&sent);
        let died = theirs.live(spared, || {
            let mut writer = Writer::<W::Mortal>::open(theirs.address()).unwrap();
            life(&mut writer, &counted);
            writer.close().unwrap();
        });
        trace::note(SUCCESSOR);
        between();
        sends_next.lives(|| {
            let mut writer = Writer::<W::Backend>::open(theirs.address()).unwrap();
            writer.send(&bytes(2)).unwrap();
            writer.close().unwrap();
        });
        (died, sent.get())
    });
    let mut got = receives.lives(|| read_until_the_last(ring));
    let (died, sent) = writer.join();
    assert_eq!(got.pop(), Some(LAST), "the last message at least");
    ring.is_left();
    (died, sent, got)
}

/// The same where `lines` are sent and nobody meddles: what arrives is what the first had
/// sent, and then the last. Whether it died, and how much of it came.
pub(super) fn a_writer_and_its_successor<W: World>(
    ring: &W,
    lines: [What; 2],
    life: fn(&mut Writer<W::Mortal>, &Sent),
    between: fn(),
    spared: usize,
) -> (bool, usize) {
    let (died, sent, got) = a_life_and_its_successor(ring, life, between, spared);
    assert_eq!(got, lines[..got.len().min(2)], "order holds and nothing comes twice");
    // Dead between publishing and knowing of it: more than it knew of.
    assert!(got.len() == sent || (died && got.len() > sent), "{sent} were sent, {} came", got.len());
    (died, got.len())
}

/// **K4** A writer killed at any step of opening, sending two messages with a jump
/// over the wrap between them, for which it has to wait, and leaving.
fn k4<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a writer that opens, sends two messages over the wrap, waiting for space, and leaves";
    killed_at_every_step(&W::row("K4"), what, steps, depth, a_writer::<W>);
}

/// K4's.
pub(crate) fn a_writer<W: World>(spared: usize) -> bool {
    a_writer_and_its_successor(&W::ring(4, 2), [What::Message(0), What::Message(1)], one_by_one, || (), spared).0
}

/// Sends the first two messages.
pub(super) fn one_by_one<B: Backend>(writer: &mut Writer<B>, sent: &Sent) {
    for number in 0..2 {
        writer.send(&bytes(number)).unwrap();
        sent.set(number + 1);
    }
}

#[test]
fn k4_a_writer_to_a_ring_at_every_step() {
    // 3 s; deep: 2 min.
    k4::<Channel>(36, Depth::bound(1, 6139).deep(Depth::bound(2, 473_703)));
}

#[test]
fn k4s_a_writer_to_a_ring_at_every_step() {
    k4::<Simulated>(77, Depth::bound(1, 34_759));
}

/// **K5** A writer killed at any step of sending a batch: all of what it publishes
/// at once comes, or nothing.
fn k5<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a writer that opens, sends a batch over the wrap, and leaves: all of it comes or nothing";
    killed_at_every_step(&W::row("K5"), what, steps, depth, |spared| {
        let at_once = |writer: &mut Writer<W::Mortal>, sent: &Sent| {
            writer.send_all(&[&bytes(0), &bytes(1)]).unwrap();
            sent.set(2);
        };
        let (died, came) =
            a_writer_and_its_successor(&W::ring(8, 6), [What::Message(0), What::Message(1)], at_once, || (), spared);
        assert!(came == 0 || came == 2, "half a batch came");
        died
    });
}

#[test]
fn k5_a_batch_at_every_step() {
    // 1 s; deep: 15 s.
    k5::<Channel>(20, Depth::bound(1, 2099).deep(Depth::bound(2, 56_405)));
}

#[test]
fn k5s_a_batch_at_every_step() {
    k5::<Simulated>(52, Depth::bound(1, 6775));
}

/// **K6** A writer killed at any step of a session with its end: the reader removes
/// the memory meanwhile. On the simulated kernel either side makes the ring.
fn k6<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a writer that opens, sends a message and the end, and leaves";
    killed_at_every_step(&W::row("K6"), what, steps, depth, |spared| {
        let with_an_end = |writer: &mut Writer<W::Mortal>, sent: &Sent| {
            writer.send(&bytes(0)).unwrap();
            sent.set(1);
            writer.end_with(&mut WaitPolicy::forever()).unwrap();
            sent.set(2);
        };
        a_writer_and_its_successor(&W::new_ring(4, 2), [What::Message(0), What::End], with_an_end, || (), spared).0
    });
}

#[test]
fn k6_a_writer_with_its_end_at_every_step() {
    // 1 s; deep: 2 min. (Before a writer stayed where it is when there is nothing to take along, a
    // life had up to 42 steps: the rest was the way to memory that nobody needed.)
    k6::<Channel>(28, Depth::bound(1, 5249).deep(Depth::bound(2, 360_882)));
}

#[test]
fn k6s_a_writer_with_its_end_at_every_step() {
    k6::<Simulated>(64, Depth::bound(1, 11_858));
}

/// What was put out, in order.
pub(super) type Ledger = Rc<RefCell<Vec<What>>>;

/// Reads until `last` as `shmread` does: a message is put out, and then released;
/// both ends of putting it out are points at which to die. An end is closed.
pub(super) fn read_and_leave<B: Backend>(ring: &B::Address, last: What, out: &Ledger) {
    let mut reader = Reader::<B>::open(ring).unwrap();
    loop {
        let message = reader.peek().unwrap();
        let what = known(&message);
        trace::step();
        out.borrow_mut().push(what);
        trace::step();
        if what == What::End {
            message.end_session().unwrap();
        } else {
            message.release();
        }
        if what == last {
            return reader.close().unwrap();
        }
    }
}

/// A reader that reads until `last`, killed after `spared` steps, and its
/// successor, which reads until `end`, unless the first has removed the memory.
/// The writer sends `lines`; before number `removed`, if there is one, somebody removes
/// the memory. Whether the first died.
fn a_reader_and_its_successor<W: World>(
    ring: &W,
    lines: &'static [What],
    last: What,
    removed: Option<usize>,
    spared: usize,
) -> bool {
    let (receives_next, sends) = (ring.side(), ring.side());
    main_is("writer");
    let theirs = ring.clone();
    let end = *lines.last().expect("some");
    let reader = actor("reader", move || {
        let out = Ledger::default();
        let died = theirs.live(spared, || read_and_leave::<W::Mortal>(theirs.address(), last, &out));
        let before = out.borrow().len();
        let is_followed = !has_removed();
        if is_followed {
            trace::note(SUCCESSOR);
            receives_next.lives(|| read_and_leave::<W::Backend>(theirs.address(), end, &out));
        }
        (died, is_followed, before, out.take())
    });
    sends.lives(|| {
        let mut writer = Writer::<W::Backend>::open(ring.address()).unwrap();
        for (number, line) in lines.iter().enumerate() {
            if removed == Some(number) {
                ring.remove();
            }
            let mut send = || match line {
                What::Message(number) => writer.send(&bytes(*number)),
                What::End => writer.end_with(&mut WaitPolicy::forever()),
            };
            while let Err(error) = send() {
                assert_eq!(error, SendError::ReaderGone);
                yield_now();
            }
        }
        writer.close().unwrap();
    });
    let (died, is_followed, before, mut out) = reader.join();
    // Only the last that the first reader put out may have come again.
    if before > 0 && out.get(before) == Some(&out[before - 1]) {
        out.remove(before);
    }
    assert_eq!(out, lines, "{before} of them by the first reader");
    // The next side clears away what the dead one left.
    if !died || is_followed {
        ring.is_left();
    }
    died
}

/// **K7** A reader killed at any step of opening, reading two messages, releasing
/// them, and leaving: the next reader gets the rest, and before it only what the
/// first had put out and not released.
fn k7<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a reader that opens, reads two messages over the wrap, releases them and leaves";
    killed_at_every_step(&W::row("K7"), what, steps, depth, a_reader::<W>);
}

/// K7's.
pub(crate) fn a_reader<W: World>(spared: usize) -> bool {
    const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
    a_reader_and_its_successor(&W::ring(4, 2), LINES, What::Message(1), None, spared)
}

#[test]
fn k7_a_reader_of_a_ring_at_every_step() {
    // 4 s; deep: 3 min.
    k7::<Channel>(50, Depth::bound(1, 8919).deep(Depth::bound(2, 764_973)));
}

#[test]
fn k7s_a_reader_of_a_ring_at_every_step() {
    k7::<Simulated>(90, Depth::bound(1, 48_151));
}

/// **K8** The same with an end, which it closes. On the simulated kernel either side makes
/// the ring.
fn k8<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a reader that opens, reads a message and the end, removes and leaves";
    killed_at_every_step(&W::row("K8"), what, steps, depth, |spared| {
        const LINES: &[What] = &[What::Message(0), What::End];
        a_reader_and_its_successor(&W::new_ring(4, 2), LINES, What::End, None, spared)
    });
}

#[test]
fn k8_a_reader_with_an_end_at_every_step() {
    // 1 s; deep: 10 s.
    k8::<Channel>(32, Depth::bound(1, 1076).deep(Depth::bound(2, 53_882)));
}

#[test]
fn k8s_a_reader_with_an_end_at_every_step() {
    k8::<Simulated>(69, Depth::bound(1, 4351));
}

/// **K9** The same as K7 on memory that somebody removes between two messages: what is
/// not taken from it comes on the new one, to whoever reads there.
fn k9<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a reader that opens, reads two messages, between which somebody removes the memory, and leaves";
    killed_at_every_step(&W::row("K9"), what, steps, depth, |spared| {
        const LINES: &[What] = &[What::Message(0), What::Message(1), LAST];
        a_reader_and_its_successor(&W::ring(4, 2), LINES, What::Message(1), Some(1), spared)
    });
}

#[test]
fn k9_a_reader_of_removed_memory_at_every_step() {
    // 1 s.
    k9::<Channel>(55, Depth::bound(1, 11_881).deep(Depth::bound(2, 1_073_136)));
}

#[test]
fn k9s_a_reader_of_removed_memory_at_every_step() {
    k9::<Simulated>(109, Depth::bound(1, 60_947));
}

/// Of what the writer published before it died, or before it left: what has to come. On
/// memory that stays, all of it. On memory that is removed, if a reader is there, what was
/// published before the removal, and what comes later until the parked word says that the reader
/// has gone, which the writer looks at behind each message.
fn has_to_come(record: &Record) -> Vec<What> {
    let thread = |name| record.threads.iter().position(|one| one == name).expect("a thread of this model");
    let (reader, writer) = (thread("reader"), thread("writer"));
    let is_removed = |memory| memory == 0;
    let on = |place| match place {
        Place::Flag(memory) | Place::Text(memory, _) | Place::Record(memory, _) | Place::Header(memory, _) => {
            Some(memory)
        }
        Place::Lock(_) | Place::Nowhere => None,
    };
    let is_read = |memory| record.events.iter().any(|one| one.thread == reader && on(one.place) == Some(memory));
    let says = |event: &Event, what| event.note.as_deref() == Some(what);
    let life: Vec<&Event> =
        record.events.iter().filter(|one| one.thread == writer).take_while(|one| !says(one, SUCCESSOR)).collect();
    let removal = life.iter().position(|one| says(one, REMOVES)).unwrap_or(life.len());
    let published = life.iter().enumerate().filter_map(|(at, event)| match (event.action, event.order, event.place) {
        (Action::Store, Some(Ordering::Release), Place::Record(memory, _)) => Some((at, memory, event.value)),
        _ => None,
    });
    published
        .filter(|(at, memory, _)| {
            let parked = || {
                let looks =
                    |one: &&&Event| one.action == Action::Load && one.place == Place::Header(*memory, "reader sleeps");
                life[*at..].iter().find(looks).and_then(|look| look.value)
            };
            !is_removed(*memory) || (is_read(*memory) && (*at < removal || parked() == Some(0)))
        })
        // The first has no bytes, and no jump before it.
        .map(|(_, _, flag)| What::Message(usize::from(flag != Some(1))))
        .collect()
}

/// **K10** A writer killed at any step while the memory it has written to is removed. What
/// it has published comes once, in order, on the old memory or on the new. Not promised, as
/// `docs/reliability.md` says: what lies on removed memory when its reader has gone from it,
/// or was never there, goes with a writer that is killed before it has taken it along.
///
/// (The first memory is the one that is removed: on the simulated kernel nobody was there before.)
fn k10<W: World>(steps: usize, depth: Depth) {
    let what = "ring: a writer that opens, sends two messages, between which somebody removes the memory, and leaves: all it has sent comes but what lies on the removed memory when no reader is there (any more) and the writer dies before it looks";
    killed_at_every_step(&W::row("K10"), what, steps, depth, |spared| {
        let ring = W::new_ring(4, 2);
        let theirs = ring.clone();
        let life = move |writer: &mut Writer<W::Mortal>, sent: &Sent| {
            for number in 0..2 {
                if number == 1 {
                    trace::note(REMOVES);
                    theirs.remove();
                }
                writer.send(&bytes(number)).unwrap();
                sent.set(number + 1);
            }
        };
        let (died, sent, got) = a_life_and_its_successor(&ring, life, || (), spared);
        let in_order: &[&[What]] =
            &[&[], &[What::Message(0)], &[What::Message(1)], &[What::Message(0), What::Message(1)]];
        assert!(in_order.contains(&&got[..]), "{got:?}");
        for message in has_to_come(&trace::record()) {
            assert!(got.contains(&message), "{message:?} was published and {got:?} came ({sent} were sent)");
        }
        assert!(died || got.len() == 2, "who lives loses nothing: {got:?}");
        died
    });
}

#[test]
fn k10_a_writer_to_removed_memory_at_every_step() {
    // 2 s.
    k10::<Channel>(62, Depth::bound(1, 11_761).deep(Depth::bound(2, 838_427)));
}

#[test]
fn k10s_a_writer_to_removed_memory_at_every_step() {
    k10::<Simulated>(126, Depth::bound(1, 24_996));
}
