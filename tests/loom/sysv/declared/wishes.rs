//! Two sides with different layouts, and what may not be replaced.

use super::super::{a_pair_finds_all_well, ring, sends, slot, wide_ring, writes_a_session};
use super::{Ledger, Reader, USER, Writer, declared, key, killed_after, records};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim_all, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::Backend;
use shm_handoff::backend::sysv::simulated::{Kernel, remove_segment};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::error::Class;
use shm_handoff::sync::yield_now;
use shm_handoff::{Error, RecvError, Role};
use std::cell::Cell;
use std::rc::Rc;

fn text() -> Options {
    declared("flag=i32@0,text=12@4,size=16")
}

fn is_refused(error: &Error) {
    let told = matches!(error, Error::OtherDeclared { .. } | Error::OtherLayout { .. } | Error::NotAChannel { .. });
    assert!(told && error.class() == Class::NotOurs, "{error:?}");
}

/// A writer and a reader with different wishes come at once, and stay until both have tried.
fn one_is_refused(theirs: Options, ours: Options) {
    let kernel = Kernel::new();
    main_is("reader");
    let [writer, reader] = [(); 2].map(|()| kernel.process(USER));
    let tried = Rc::new(Cell::new(0));
    let has_tried = Rc::clone(&tried);
    let both = |tried: &Cell<u32>| {
        tried.set(tried.get() + 1);
        while tried.get() < 2 {
            yield_now();
        }
    };
    let writer = actor("writer", move || {
        writer.run(|| {
            let writer = Writer::open(&theirs);
            both(&has_tried);
            writer.map(|writer| writer.close().unwrap()).map_err(|error| is_refused(&error)).is_ok()
        })
    });
    let got_in = reader.run(|| {
        let mut reader = Reader::open(&ours);
        both(&tried);
        if let Ok(reader) = &mut reader {
            assert_eq!(reader.try_recv(&mut [0; 64]), Err(RecvError::WouldBlock), "who is refused has not failed");
        }
        reader.map(|reader| reader.close().unwrap()).map_err(|error| is_refused(&error)).is_ok()
    });
    let other = writer.join();
    assert_ne!(got_in, other, "exactly one gets in");
    assert!(kernel.left().1 == 0, "seats are left");
}

/// **J40** Two creators with different wishes.
#[test]
fn j40_two_wishes() {
    claim_all(
        "J40",
        "a writer and a reader with different wishes come at once (two layouts of one size; a ring or a slot and a layout; two rings): exactly one gets in, the other is told so, and counts as failed for nobody",
        Depth::bound(2, 2904),
        [(text(), records()), (records(), ring()), (ring(), text()), (slot(), text()), (ring(), wide_ring())]
            .map(|(theirs, ours)| move || one_is_refused(theirs, ours)),
    );
}

/// **J41** What a dead side said of its layout keeps nobody out.
#[test]
fn j41_a_layout_that_a_dead_side_left() {
    killed_at_every_step(
        "J41",
        "a writer with a layout, killed while a reader with another one of the same size comes: once the first is dead the second gets in, and a pair of its layout finds all well",
        37,
        Depth::bound(1, 1216).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let [mortal, reader] = [(); 2].map(|()| kernel.process(USER));
            let writer =
                actor("writer", move || killed_after(spared, &mortal, || drop(Writer::open(&text()).unwrap())));
            reader.run(|| {
                Reader::open(&records()).map(|reader| reader.close().unwrap()).map_err(|error| is_refused(&error))
            });
            let died = writer.join();
            a_pair_finds_all_well(&kernel, &records());
            died
        },
    );
}

/// **J14** An end that was told of one layout is no end of another, and keeps no set alive.
#[test]
fn j14_an_end_that_nobody_met() {
    claim_all(
        "J14",
        "a reader dies before it meets the end that it was told, and somebody removes the segment: a pair comes, of this layout or another: it meets its own end alone, and nothing is left",
        Depth::whole(4),
        [records(), text(), slot(), ring()].map(|next| {
            move || {
                let kernel = Kernel::new();
                let [writer, reader, third] = [(); 3].map(|()| kernel.process(USER));
                reader.begins(|| std::mem::forget(Reader::open(&records()).unwrap()));
                writer.run(|| writes_a_session(&records(), &[]));
                reader.run(|| ());
                assert_eq!(kernel.left(), (1, 1), "the set says that an end was told");
                assert!(third.run(|| remove_segment(key())).unwrap());
                a_pair_finds_all_well(&kernel, &next);
            }
        }),
    );
}

/// **J42** What may not be replaced is not.
#[test]
fn j42_what_is_not_replaced() {
    claim_all(
        "J42",
        "a reader that asks for no layout has made a slot, a C program is attached, or a message waits; a writer comes with a ring or a declared layout: it is refused, nothing is removed, and the reader hears of no death",
        Depth::bound(2, 478),
        [(true, ring()), (true, text()), (false, ring()), (false, text())].map(|(by_a_program, wish)| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                let [reader, first, program, writer] = [(); 4].map(|()| kernel.process(USER));
                reader.run(|| {
                    let mut reader = Reader::open(&Options::any(key())).unwrap();
                    if by_a_program {
                        program.begins(|| std::mem::forget(SysV::open(&slot(), Role::Guest).unwrap()));
                    } else {
                        first.run(|| sends(&slot(), &MESSAGES[..1], &Ledger::default()));
                    }
                    let writer = actor("writer", move || {
                        writer.run(|| is_refused(&Writer::open(&wish).map(drop).unwrap_err()));
                    });
                    let look = |reader: &mut Reader| {
                        let looked = reader
                            .peek_with(&mut shm_handoff::WaitPolicy::non_blocking())
                            .map(|found| found.text().to_vec());
                        if by_a_program {
                            assert_eq!(looked, Err(RecvError::TimedOut));
                        } else {
                            assert_eq!(looked.as_deref(), Ok(MESSAGES[0]));
                        }
                    };
                    look(&mut reader);
                    writer.join();
                    look(&mut reader);
                    assert!(!reader.backend().segment().stat().unwrap().removed);
                });
                program.run(|| ());
            }
        }),
    );
}
