//! A side killed at every step of its life: before each of its calls, and before each access to shared memory.

use super::{
    Ledger, Reader, USER, Writer, a_pair_finds_all_well, is_taken, killed_after, reads, ring, sends, slot, wide_ring,
    writes_a_session,
};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::{Call, Fate, Kernel, Process};
use shm_handoff::sync::yield_now;
use shm_handoff::{Received, RecvError, Role};
use std::cell::Cell;
use std::rc::Rc;
#[allow(clippy::disallowed_types)] // what the test notes, and loom must not see
use std::sync::{Arc, Mutex};

/// A creator that is killed while another one comes, and that has done nothing but come.
fn a_creator_and_another(options: Options, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("reader");
    let [mortal, writer, reader] = [(); 3].map(|()| kernel.process(USER));
    let other = actor("writer", move || {
        let died = killed_after(spared, &mortal, || drop(Writer::open(&options).unwrap()));
        trace::note("successor");
        writer.run(|| writes_a_session(&options, &MESSAGES[..1]));
        died
    });
    reader.run(|| match Reader::open(&options) {
        Ok(mut reader) => {
            loop {
                match reader.peek() {
                    Ok(message) if message.ends_session() => break message.end_session().unwrap(),
                    Ok(message) => {
                        assert_eq!(message.text(), MESSAGES[0]);
                        message.release();
                    }
                    Err(error) => {
                        assert_eq!(error, RecvError::WriterGone);
                        reader.await_next_writer().unwrap();
                    }
                }
            }
            reader.close().unwrap();
        }
        Err(error) => panic!("{error}"),
    });
    let died = other.join();
    assert_eq!(kernel.left(), (0, 0));
    died
}

/// **V5** A creator of a slot that is killed at any step, beside a reader that comes meanwhile: the next writer finds
/// all that it needs.
#[test]
fn v5_a_creator_of_a_slot_at_every_step() {
    killed_at_every_step(
        "V5",
        "a creator of a slot, beside a reader that comes: what it leaves the next writer can use; nothing is left at the end",
        24,
        Depth::bound(1, 2790).deep(Depth::bound(2, 0)),
        |spared| a_creator_and_another(slot(), spared),
    );
}

/// **V6** The same for a ring: half made, it is finished by whoever comes next.
#[test]
fn v6_a_creator_of_a_ring_at_every_step() {
    killed_at_every_step(
        "V6",
        "the same for a ring: half made, it is finished by whoever comes next",
        36,
        Depth::bound(1, 4838).deep(Depth::bound(2, 0)),
        |spared| a_creator_and_another(ring(), spared),
    );
}

/// The calls of a process, by name.
#[allow(clippy::disallowed_types)] // see above
fn calls_of(kernel: &Kernel, process: &Process) -> Arc<Mutex<Vec<&'static str>>> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (noted, pid) = (Arc::clone(&calls), process.pid());
    kernel.judge(move |call: Call| {
        if call.pid == pid {
            noted.lock().unwrap().push(call.name);
        }
        Fate::Goes
    });
    calls
}

/// **V7** A writer killed at any step of its life has failed if, and only if, it was killed between its coming and the one
/// operation by which it leaves: the reader is told so behind the last message.
#[test]
fn v7_a_death_is_told_from_leaving() {
    killed_at_every_step(
        "V7",
        "a writer that comes, sends two messages and leaves: the reader gets what was sent, and is told of a failure if and only if the one operation that leaves was not made",
        50,
        Depth::bound(2, 7712).deep(Depth::bound(3, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let options = wide_ring();
            let (writer, reader) = (kernel.process(USER), kernel.process(USER));
            let calls = calls_of(&kernel, &writer);
            let mut died = false;
            reader.run(|| {
                let mut reader = Reader::open(&options).unwrap();
                let writer = actor("writer", move || {
                    let sent = Ledger::default();
                    let died = killed_after(spared, &writer, || sends(&options, &MESSAGES[..2], &sent));
                    (died, sent.take().len())
                });
                let mut got = 0;
                let mut take = |reader: &mut Reader| {
                    let mut bytes = [0; 8];
                    let taken = reader.try_recv(&mut bytes);
                    if let Ok(Received::Message(len)) = taken {
                        assert_eq!(&bytes[..len], MESSAGES[got], "in order, and once");
                        got += 1;
                    }
                    taken
                };
                // Wherever the writer is.
                let mut told = take(&mut reader) == Err(RecvError::WriterGone);
                let sent;
                (died, sent) = writer.join();
                while take(&mut reader).is_ok() {}
                told |= take(&mut reader) == Err(RecvError::WriterGone);
                assert!(got == sent || (died && got == sent + 1), "{sent} were sent, {got} came");
                let calls = calls.lock().unwrap();
                let has_come = calls.contains(&"semctl(SETVAL)");
                // Behind the detaching there is the operation that leaves, in one step.
                let has_left = calls.iter().skip_while(|name| **name != "shmdt").any(|name| *name == "semop");
                assert_eq!(told, has_come && !has_left, "{calls:?}");
                reader.close().unwrap();
            });
            a_pair_finds_all_well(&kernel, &options);
            died
        },
    );
}

/// **V8** A reader killed at any step of its life: the next one gets the rest, and before it only what the first had put out
/// and not released.
#[test]
fn v8_a_reader_at_every_step() {
    killed_at_every_step(
        "V8",
        "a reader that comes, puts out a message and leaves: the next one gets the rest, and before it only what the first had put out and not released",
        66,
        Depth::bound(1, 19_001).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("writer");
            let options = ring();
            let [writer, mortal, next] = [(); 3].map(|()| kernel.process(USER));
            let reader = actor("reader", move || {
                let out = Ledger::default();
                let died = killed_after(spared, &mortal, || reads(&options, MESSAGES[0], &out));
                let before = out.borrow().len();
                trace::note("successor");
                next.run(|| reads(&options, MESSAGES[1], &out));
                (died, before, out.take())
            });
            let sent = Ledger::default();
            writer.run(|| sends(&options, &MESSAGES[..2], &sent));
            let (died, before, mut out) = reader.join();
            if before > 0 && out.get(before) == Some(&out[before - 1]) {
                out.remove(before);
            }
            assert_eq!(out, MESSAGES[..2], "{before} of them by the first reader");
            a_pair_finds_all_well(&kernel, &options);
            died
        },
    );
}

/// **V27** While the kernel clears away a holder that was killed, a newcomer waits, and gets the seat.
#[test]
fn v27_a_newcomer_beside_the_dying() {
    claim(
        "V27",
        "a newcomer comes while the kernel clears away the holder of the seat, in two steps: it gets the seat",
        Depth::bound(3, 9232).deep(Depth::bound(4, 0)),
        || {
            let kernel = Kernel::new();
            main_is("holder");
            let options = wide_ring();
            let is_dying = Rc::new(Cell::new(false));
            let (holder, newcomer) = (kernel.process(USER), kernel.process(USER));
            let dies = Rc::clone(&is_dying);
            let newcomer = actor("newcomer", move || {
                newcomer.run(|| {
                    let after = is_dying.get();
                    let opened = Writer::open(&options);
                    assert!(opened.is_ok() || (!after && is_taken(&opened, Role::Writer)), "{opened:?}");
                    if let Ok(writer) = opened {
                        writer.close().unwrap();
                    }
                })
            });
            killed_after(usize::MAX, &holder, || {
                let opened = Writer::open(&options);
                dies.set(true);
                trace::doom(0);
                trace::step();
                drop(opened);
            });
            newcomer.join();
            a_pair_finds_all_well(&kernel, &options);
        },
    );
}

/// **V28** A reader that was told of one death and goes on is told of the next, however its going on and the next
/// writer's coming meet.
#[test]
fn v28_the_next_death_is_told_as_well() {
    killed_at_every_step(
        "V28",
        "a writer is killed, at every step, and the next one fails while the reader goes on: it is told of the second death, too",
        36,
        Depth::bound(2, 6334).deep(Depth::bound(3, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let options = wide_ring();
            let [mortal, second, reader] = [(); 3].map(|()| kernel.process(USER));
            let died = reader.run(|| {
                let mut reader = Reader::open(&options).unwrap();
                let died = killed_after(spared, &mortal, || Writer::open(&options).unwrap().close().unwrap());
                let fails = Rc::new(Cell::new(false));
                let failing = Rc::clone(&fails);
                let second = actor("second writer", move || {
                    second.run(|| {
                        let writer = Writer::open(&options).unwrap();
                        yield_now();
                        failing.set(true);
                        drop(writer);
                    });
                });
                let mut told = false;
                let mut look = |reader: &mut Reader| {
                    let looked = reader.try_recv(&mut [0; 8]);
                    if looked == Err(RecvError::WriterGone) {
                        reader.await_next_writer().unwrap();
                        told |= fails.get();
                    }
                    assert!(looked.is_err(), "nothing was sent");
                };
                look(&mut reader);
                second.join();
                look(&mut reader);
                assert!(told, "the second writer has failed");
                reader.close().unwrap();
                died
            });
            a_pair_finds_all_well(&kernel, &options);
            died.expect("nobody kills the reader")
        },
    );
}
