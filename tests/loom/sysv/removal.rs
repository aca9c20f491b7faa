//! A set or a segment that is removed, by a side that leaves or by somebody else, at any moment.

use super::{
    Ledger, Reader, USER, Writer, a_pair_finds_all_well, is_taken, key, reads, reads_a_session, ring, sends, slot,
    wide_ring, writes_a_session,
};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim, claim_all, main_is};
use shm_handoff::Role;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::{Kernel, remove_seats, remove_segment};
use shm_handoff::sync::yield_now;
use std::cell::Cell;
use std::rc::Rc;

/// **V11** A side that leaves removes the set, while others come: each of these gets in, in the old set or in the next.
#[test]
fn v11_a_leaver_and_newcomers() {
    claim_all(
        "V11",
        "a writer leaves, and removes the set, while a reader and the next writer come: both get in, nothing is lost",
        Depth::bound(2, 19_681).deep(Depth::bound(3, 0)),
        [slot(), ring()].map(|options| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                let [first, second, reader] = [(); 3].map(|()| kernel.process(USER));
                let writer = actor("writer", move || {
                    first.run(|| Writer::open(&options).unwrap().close().unwrap());
                    second.run(|| writes_a_session(&options, &MESSAGES[..1]));
                });
                reader.run(|| reads_a_session(&options, &MESSAGES[..1]));
                writer.join();
                assert_eq!(kernel.left(), (0, 0));
            }
        }),
    );
}

/// **V12** Somebody removes the set again and again, at any moments: whoever comes meanwhile gets in once that is over.
#[test]
fn v12_a_set_removed_again_and_again() {
    claim(
        "V12",
        "somebody removes the set three times, whenever, while both sides come: both get in, nothing is lost or left",
        Depth::bound(1, 608).deep(Depth::bound(2, 0)),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let options = slot();
            let [writer, reader, third] = [(); 3].map(|()| kernel.process(USER));
            let third = actor("third", move || {
                third.run(|| {
                    for _ in 0..3 {
                        let _ = remove_seats(key());
                    }
                })
            });
            let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
            reader.run(|| reads_a_session(&options, &MESSAGES[..1]));
            writer.join();
            third.join();
            assert_eq!(kernel.left(), (0, 0));
        },
    );
}

/// **V13** A holder whose set was removed takes its seat anew. From when it has, until it gives it back, nobody else gets it:
/// no seat is freed twice.
#[test]
fn v13_a_seat_taken_anew() {
    claim(
        "V13",
        "a holder whose set was removed takes its seat anew, while two others want it: one has it at any moment",
        Depth::bound(1, 768).deep(Depth::bound(2, 0)),
        || {
            let kernel = Kernel::new();
            main_is("holder");
            let options = wide_ring();
            let holders = Rc::new(Cell::new(0));
            let [holder, second, third] = [(); 3].map(|()| kernel.process(USER));
            let holds = |holders: &Cell<usize>| {
                assert_eq!(holders.replace(holders.get() + 1), 0, "a seat that somebody holds");
                yield_now();
                holders.set(holders.get() - 1);
            };
            holder.run(|| {
                let mut reader = Reader::open(&options).unwrap();
                assert!(remove_seats(key()));
                let others = [("second", second), ("third", third)].map(|(name, process)| {
                    let holders = Rc::clone(&holders);
                    actor(name, move || {
                        process.run(|| {
                            let opened = Reader::open(&options);
                            assert!(opened.is_ok() || is_taken(&opened, Role::Reader), "{opened:?}");
                            if let Ok(reader) = opened {
                                holds(&holders);
                                reader.close().unwrap();
                            }
                        })
                    })
                });
                for _ in 0..2 {
                    let looked = reader.refresh_seat();
                    assert!(looked.is_ok() || is_taken(&looked, Role::Reader), "{looked:?}");
                    if looked.is_err() {
                        break;
                    }
                    holds(&holders);
                }
                drop(reader);
                for other in others {
                    other.join();
                }
            });
            a_pair_finds_all_well(&kernel, &options);
        },
    );
}

/// Two messages are handed over while a third party does what it does, once, at any moment.
fn meddled_with(options: Options, meddle: fn() -> bool) {
    let kernel = Kernel::new();
    main_is("reader");
    let [writer, reader, third] = [(); 3].map(|()| kernel.process(USER));
    let third = actor("third", move || third.run(meddle));
    let writer = actor("writer", move || writer.run(|| sends(&options, &MESSAGES[..2], &Ledger::default())));
    let out = Ledger::default();
    reader.run(|| reads(&options, MESSAGES[1], &out));
    writer.join();
    third.join();
    assert_eq!(out.take(), MESSAGES[..2], "each message, once, in order");
}

fn meddling() -> [fn() -> bool; 3] {
    [|| remove_segment(key()), || remove_seats(key()), || remove_segment(key()) | remove_seats(key())]
}

/// **V14** Somebody removes the segment, the set, or both, at any moment of a handover through a slot.
#[test]
fn v14_removed_during_a_handover_through_a_slot() {
    claim_all(
        "V14",
        "slot: somebody removes the segment, the set, or both, at any moment from the making on: each message once, in order",
        Depth::bound(1, 2211).deep(Depth::bound(2, 0)),
        meddling().map(|meddle| move || meddled_with(slot(), meddle)),
    );
}

/// **V15** The same through a ring.
#[test]
fn v15_removed_during_a_handover_through_a_ring() {
    claim_all(
        "V15",
        "ring: the same",
        Depth::bound(1, 6224).deep(Depth::bound(2, 0)),
        meddling().map(|meddle| move || meddled_with(ring(), meddle)),
    );
}

/// **V30** The memory is removed by somebody else between a reader's meeting of the end and its answer: what it removes
/// is what it has read, and not the memory of the session that has begun since.
#[test]
fn v30_an_end_answered_late() {
    claim(
        "V30",
        "somebody removes the segment before the reader answers the end: the next session, begun meanwhile, is not lost",
        Depth::bound(2, 157).deep(Depth::bound(3, 0)),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let options = wide_ring();
            let [first, second, reader, next] = [(); 4].map(|()| kernel.process(USER));
            reader.run(|| {
                let mut reader = Reader::open(&options).unwrap();
                first.run(|| writes_a_session(&options, &[]));
                assert!(reader.peek().unwrap().ends_session());
                assert!(remove_segment(key()));
                let second = actor("second writer", move || {
                    second.run(|| sends(&options, &MESSAGES[..1], &Ledger::default()));
                });
                yield_now();
                assert!(reader.end_session().unwrap());
                reader.close().unwrap();
                second.join();
            });
            let out = Ledger::default();
            next.run(|| reads(&options, MESSAGES[0], &out));
            assert_eq!(out.take(), MESSAGES[..1]);
            a_pair_finds_all_well(&kernel, &options);
        },
    );
}
