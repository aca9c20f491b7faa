//! Killed at every step: one side dies before its k-th operation, for every k
//! that there is, in every interleaving; a successor takes its seat. No message
//! is lost, none comes twice but the one that was received and not yet
//! released, the order holds, and nobody waits forever.
//!
//! What the ledger says is asserted at the end of every execution, and for each
//! k that somebody did die there. See `mortal` for what dying is.

use crate::explore::{Counterexample, Depth, Search, actor, alone, explore, hold_to_floor, main_is, row};
use crate::mortal::{Mortal, has_removed, live};
use crate::world::{Side, Simulated, World};
use crate::{MESSAGES, slot};
use shm_handoff::Received;
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::inside::slot::rules::END;

use shm_handoff::{Reader, RecvError, SendError, Writer};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
#[allow(clippy::disallowed_types)] // counts the dead: outside of every model, and loom must not see it
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// What has gone over the counter, in order.
type Ledger = Rc<RefCell<Vec<&'static [u8]>>>;

/// Explores `model` for every k, until a k is reached at which nobody dies any
/// more because every life is shorter; how many steps and executions there were, or the
/// step and what went wrong.
#[allow(clippy::disallowed_types)] // as above
pub(crate) fn each_step(
    search: Search,
    model: impl Fn(usize) -> bool + Send + Sync + Clone + 'static,
) -> Result<(usize, usize), (usize, Box<Counterexample>)> {
    let mut executions = 0;
    for k in 0.. {
        let died = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&died);
        let model = model.clone();
        let explored = explore(search, move || {
            if model(k) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        executions += explored.map_err(|counterexample| (k + 1, counterexample))?;
        if died.load(Ordering::Relaxed) == 0 {
            return Ok((k, executions));
        }
    }
    unreachable!("a life ends")
}

/// Holds `model` to what it asserts at every step, and the number of steps, and that of
/// executions, to what is on record.
pub(crate) fn killed_at_every_step(
    name: &str,
    what: &str,
    steps: usize,
    depth: Depth,
    model: impl Fn(usize) -> bool + Send + Sync + Clone + 'static,
) {
    alone(|| {
        let started = Instant::now();
        match each_step(depth.search, model) {
            Ok((k, executions)) => {
                row(name, what, &depth.search, &format!("{k} steps, {executions} executions"), started);
                assert!(k >= steps, "{name}: a life has {k} steps only; {steps} and more are on record");
                hold_to_floor(name, executions, depth.floor);
            }
            Err((step, counterexample)) => panic!("{name}, {what}, killed before step {step}:\n{counterexample}"),
        }
    });
}

/// A text as one of those that can have been sent: whole, or nothing.
fn known(text: &[u8]) -> &'static [u8] {
    let all = MESSAGES.iter().copied().chain([END]);
    all.into_iter().find(|one| *one == text).unwrap_or_else(|| panic!("torn: \"{}\"", text.escape_ascii()))
}

/// Reads sessions until `last` comes; each that ends is followed by the next.
fn read_until<W: World>(slot: &W, last: &[u8]) -> Vec<&'static [u8]> {
    let mut got = Vec::new();
    let mut reader = Reader::<W::Backend>::open(slot.address()).unwrap();
    loop {
        match reader.peek() {
            Ok(message) => {
                let text = known(message.text());
                got.push(text);
                if message.ends_session() {
                    message.end_session().unwrap();
                    reader.close().unwrap();
                    reader = Reader::open(slot.address()).unwrap();
                } else {
                    message.release();
                }
                if text == last {
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

/// A writer that sends `lines`, killed after `spared` steps, and its successor,
/// which sends the last message: what arrives is what the first had sent, and
/// then the last. Whether it died.
fn a_writer_and_its_successor<W: World>(lines: [&'static [u8]; 2], spared: usize) -> bool {
    let slot = W::slot();
    let (receives, sends_next) = (slot.side(), slot.side());
    main_is("reader");
    let theirs = slot.clone();
    let writer = actor("writer", move || {
        let sent: Ledger = Rc::default();
        let counted = Rc::clone(&sent);
        let died = theirs.live(spared, || {
            let mut writer = Writer::<W::Mortal>::open(theirs.address()).unwrap();
            for line in lines {
                writer.send(line).unwrap();
                counted.borrow_mut().push(line);
            }
            writer.close().unwrap();
        });
        trace::note("successor");
        sends_next.lives(|| {
            let mut writer = Writer::<W::Backend>::open(theirs.address()).unwrap();
            writer.send(MESSAGES[2]).unwrap();
            writer.close().unwrap();
        });
        (died, sent.borrow().len())
    });
    let got = receives.lives(|| read_until(&slot, MESSAGES[2]));
    let (died, sent) = writer.join();
    let (last, before) = got.split_last().expect("the last message at least");
    assert_eq!(*last, MESSAGES[2]);
    assert_eq!(before, &lines[..before.len().min(2)], "order holds and nothing comes twice");
    // Dead between publishing and knowing of it: one more than it knew of.
    assert!(before.len() == sent || (died && before.len() == sent + 1), "{sent} were sent, {} came", before.len());
    slot.is_left();
    died
}

/// **K1** A writer killed at any step of opening, sending two messages and
/// leaving.
fn k1<W: World>(steps: usize, depth: Depth) {
    killed_at_every_step(&W::row("K1"), "a writer that opens, sends two messages and leaves", steps, depth, |spared| {
        a_writer_and_its_successor::<W>([MESSAGES[0], MESSAGES[1]], spared)
    });
}

#[test]
fn k1_a_writer_at_every_step() {
    k1::<Channel>(24, Depth::bound(3, 145_052).deep(Depth::bound(4, 1_426_985)));
}

#[test]
fn k1s_a_writer_at_every_step() {
    k1::<Simulated>(62, Depth::bound(1, 6992));
}

/// **K2** A writer killed at any step of a session with its `end`: the reader
/// removes the memory meanwhile.
fn k2<W: World>(steps: usize, depth: Depth) {
    let what = "a writer that opens, sends a message and `end`, and leaves";
    killed_at_every_step(&W::row("K2"), what, steps, depth, |spared| {
        a_writer_and_its_successor::<W>([MESSAGES[0], END], spared)
    });
}

#[test]
fn k2_a_writer_with_its_end_at_every_step() {
    k2::<Channel>(26, Depth::bound(3, 199_824).deep(Depth::bound(4, 2_148_331)));
}

#[test]
fn k2s_a_writer_with_its_end_at_every_step() {
    k2::<Simulated>(68, Depth::bound(1, 8885));
}

/// Reads a session to its end as `shmread` does: a message is put out, and then
/// released. Both ends of putting it out are points at which to die.
fn read_session<B: Backend>(slot: &B::Address, out: &Ledger, released: &RefCell<usize>) {
    let mut reader = Reader::<B>::open(slot).unwrap();
    loop {
        let message = reader.peek().unwrap();
        let text = known(message.text());
        trace::step();
        out.borrow_mut().push(text);
        trace::step();
        let ends = message.ends_session();
        if ends {
            message.end_session().unwrap();
        } else {
            message.release();
        }
        *released.borrow_mut() += 1;
        if ends {
            reader.close().unwrap();
            return;
        }
    }
}

/// **K3** A reader killed at any step of opening, reading two messages and an
/// `end`, removing and leaving: the next reader gets the rest, and before it
/// only what the first had put out and not released.
fn k3<W: World>(steps: usize, depth: Depth) {
    let what = "a reader that opens, reads a message and `end`, removes and leaves";
    killed_at_every_step(&W::row("K3"), what, steps, depth, |spared| {
        let slot = W::slot();
        let (receives_next, sends) = (slot.side(), slot.side());
        main_is("writer");
        let lines = [MESSAGES[0], END];
        let theirs = slot.clone();
        let reader = actor("reader", move || {
            let (out, released) = (Ledger::default(), RefCell::new(0));
            let died = theirs.live(spared, || read_session::<W::Mortal>(theirs.address(), &out, &released));
            let before = out.borrow().len();
            // Who dies after the removal leaves nothing to read behind.
            let is_followed = died && !has_removed();
            if is_followed {
                trace::note("successor");
                receives_next.lives(|| read_session::<W::Mortal>(theirs.address(), &out, &RefCell::default()));
            }
            let out = out.take();
            (died, is_followed, before, out)
        });
        sends.lives(|| {
            let mut writer = Writer::<W::Backend>::open(slot.address()).unwrap();
            for line in lines {
                while let Err(error) = writer.send(line) {
                    assert_eq!(error, SendError::ReaderGone);
                    shm_handoff::sync::yield_now();
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
            slot.is_left();
        }
        died
    });
}

#[test]
fn k3_a_reader_at_every_step() {
    k3::<Channel>(27, Depth::bound(3, 89_741).deep(Depth::bound(4, 592_701)));
}

#[test]
fn k3s_a_reader_at_every_step() {
    k3::<Simulated>(60, Depth::bound(1, 6873));
}

/// **K11** A reader killed at any step of `recv`: a message is in the caller's memory,
/// whole, or it comes to the next reader.
#[test]
fn k11_received_into_the_readers_own_at_every_step() {
    killed_at_every_step(
        "K11",
        "a reader that opens, receives two messages into its own memory, and leaves: each is there whole, or comes to the next",
        21,
        Depth::bound(2, 19_219).deep(Depth::bound(3, 0)),
        |spared| {
            let slot = slot();
            main_is("writer");
            let theirs = slot.clone();
            let reader = actor("reader", move || {
                // What the dead leave here is what they had received.
                let room = RefCell::new([[0; 8]; 2]);
                let died = live(spared, || {
                    let mut reader = Reader::<Mortal>::open(&theirs).unwrap();
                    for (number, message) in MESSAGES[..2].iter().enumerate() {
                        let len = reader.recv_with(&mut room.borrow_mut()[number], &mut WaitPolicy::forever()).unwrap();
                        assert_eq!(len, Received::Message(message.len()));
                    }
                    reader.close().unwrap();
                });
                trace::note("successor");
                let mut reader = Reader::<InProc>::open(&theirs).unwrap();
                let mut rest = Vec::new();
                while rest.last() != Some(&MESSAGES[2]) {
                    let message = reader.peek().unwrap();
                    rest.push(known(message.text()));
                    message.release();
                }
                (died, room.take(), rest)
            });
            let mut writer = Writer::<InProc>::open(&slot).unwrap();
            for message in MESSAGES {
                while let Err(error) = writer.send(message) {
                    assert_eq!(error, SendError::ReaderGone);
                    shm_handoff::sync::yield_now();
                }
            }
            writer.close().unwrap();
            let (died, room, mut rest) = reader.join();
            let whole = (0..2).take_while(|number| room[*number].starts_with(MESSAGES[*number])).count();
            // The last one can have been received and not released yet.
            if whole > 0 && rest.first() == Some(&MESSAGES[whole - 1]) {
                rest.remove(0);
            }
            assert_eq!(rest, MESSAGES[whole..], "{whole} were received");
            died
        },
    );
}
