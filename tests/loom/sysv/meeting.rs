//! Two that come at once, and who holds a seat.

use super::{
    Reader, USER, Writer, a_pair_finds_all_well, comes, is_taken, reads_a_session, ring, slot, wide_ring,
    writes_a_session,
};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim, claim_all, main_is};
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::{Fate, Kernel};
use shm_handoff::sync::yield_now;
use shm_handoff::{Error, Role};
use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

/// A session of one message, whose sides come at once.
fn two_creators(options: Options) {
    let kernel = Kernel::new();
    main_is("reader");
    let (writer, reader) = (kernel.process(USER), kernel.process(USER));
    let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
    reader.run(|| reads_a_session(&options, &MESSAGES[..1]));
    writer.join();
    assert_eq!(kernel.left(), (0, 0));
}

/// **V1** Two creators of a slot meet: one makes it, a message and the end go through it, nothing is left.
#[test]
fn v1_two_creators_meet() {
    claim(
        "V1",
        "two creators of a slot meet: one makes it, a message and the end go through it, nothing is left",
        Depth::bound(2, 4894),
        || two_creators(slot()),
    );
}

/// **V2** The same for a ring: a side that comes while the header is being made waits until it is there.
#[test]
fn v2_two_creators_of_a_ring_meet() {
    claim(
        "V2",
        "two creators of a ring meet: one makes its header, the other one waits for it",
        Depth::bound(2, 6391),
        || {
            two_creators(ring());
        },
    );
}

/// **V3** Two of one role come at once, and a third of it later: each gets the seat or is told that it is taken, and
/// whoever was refused has changed nothing.
#[test]
fn v3_two_of_one_role() {
    let two = |role: Role| {
        move || {
            let kernel = Kernel::new();
            main_is("first");
            let first = kernel.process(USER);
            let second = kernel.process(USER);
            let second = actor("second", move || second.run(|| comes_and_goes(role, &Cell::default())));
            let came = first.run(|| comes_and_goes(role, &Cell::default()));
            let came = [came, second.join()];
            assert!(came.contains(&Some(true)), "both were refused");
            assert_eq!(kernel.left(), (1, 0));
            a_pair_finds_all_well(&kernel, &wide_ring());
        }
    };
    claim_all(
        "V3",
        "two writers, or two readers, come at once: one is refused, or comes after the other; nothing is left",
        Depth::bound(3, 25_418),
        [two(Role::Writer), two(Role::Reader)],
    );
}

/// **V29** Seats that somebody holds, and goes on to hold, are refused with the holder's pid. Nobody waits for them.
#[test]
fn v29_seats_that_are_held() {
    claim(
        "V29",
        "seats that their holder keeps are refused with its pid, and nobody waits for them",
        Depth::whole(1),
        || {
            let kernel = Kernel::new();
            main_is("holder");
            let options = wide_ring();
            let (holder, other) = (kernel.process(USER), kernel.process(USER));
            let by = holder.pid();
            holder.run(|| {
                let held = (Writer::open(&options).unwrap(), Reader::open(&options).unwrap());
                let other = actor("other", move || {
                    other.run(|| {
                        for role in [Role::Writer, Role::Reader] {
                            let came = comes(role, &options);
                            let told = matches!(came, Err(Error::SeatTaken { role: taken, pid, .. }) if (taken, pid) == (role, by));
                            assert!(told, "{came:?}");
                        }
                    })
                });
                other.join();
                drop(held);
            });
            a_pair_finds_all_well(&kernel, &options);
        },
    );
}

/// **V33** Before any one call of a newcomer the holder of its seat dies, and another process takes the seat: the newcomer
/// is refused, and takes nothing away, for what it learnt of the dead says nothing of the living.
#[test]
fn v33_a_seat_that_changes_hands() {
    /// More calls than a newcomer that is refused makes.
    const CALLS: usize = 40;
    claim_all(
        "V33",
        "a seat changes hands before any one call of a newcomer: it is refused, and removes nothing",
        Depth::whole(CALLS),
        (0..CALLS).map(|at| {
            move || {
                let kernel = Kernel::new();
                main_is("newcomer");
                let options = slot();
                let [first, second, newcomer] = [(); 3].map(|()| kernel.process(USER));
                let sits_down = move || std::mem::forget(Writer::open(&options).unwrap());
                first.begins(sits_down);
                let (by, dies, takes_over) = (newcomer.pid(), first.clone(), second.clone());
                kernel.judge(move |call| {
                    assert!(call.pid != by || call.name != "semctl(IPC_RMID)", "somebody has the seat");
                    if (call.pid, call.number) == (by, at) {
                        dies.run(|| ());
                        takes_over.begins(sits_down);
                    }
                    Fate::Goes
                });
                let came = newcomer.run(|| comes(Role::Writer, &options)).unwrap();
                assert!(is_taken(&came, Role::Writer), "{came:?}");
                let calls = kernel.calls(&newcomer);
                assert!(calls < CALLS, "{calls} calls");
                kernel.judge(|_| Fate::Goes);
                // Where the newcomer made fewer calls the first one is there still.
                let last = if at < calls { second } else { first };
                last.run(|| ());
                a_pair_finds_all_well(&kernel, &options);
            }
        }),
    );
}

/// Takes a seat and gives it back; whether it was free.
fn comes_and_goes(role: Role, holders: &Cell<usize>) -> bool {
    let options = wide_ring();
    match role {
        Role::Writer => holds(role, Writer::open(&options), holders, |writer| writer.close().unwrap()),
        Role::Reader => holds(role, Reader::open(&options), holders, |reader| reader.close().unwrap()),
        Role::Guest => unreachable!("a guest has no seat"),
    }
}

/// While one has the seat nobody else does.
fn holds<S: Debug>(role: Role, opened: Result<S, Error>, holders: &Cell<usize>, leave: impl FnOnce(S)) -> bool {
    assert!(opened.is_ok() || is_taken(&opened, role), "{opened:?}");
    let Ok(side) = opened else { return false };
    assert_eq!(holders.replace(holders.get() + 1), 0, "a seat that somebody holds");
    yield_now();
    holders.set(holders.get() - 1);
    leave(side);
    true
}

/// **V4** Of three processes that want one seat, at most one holds it at any moment, whichever makes and removes the set.
///
/// (With more preemptions a leaver can be held between its last two calls for as long as two others look, and loom
/// lets these two take turns forever. A side that waits there gives up after ten seconds.)
#[test]
fn v4_one_holder_at_a_time() {
    claim_all(
        "V4",
        "three processes want one seat, while sets are made and removed: at most one holds it at any moment",
        Depth::bound(1, 1108),
        [Role::Writer, Role::Reader].map(|role| {
            move || {
                let kernel = Kernel::new();
                main_is("first");
                let holders = Rc::new(Cell::new(0));
                let [first, second, third] = [(); 3].map(|()| kernel.process(USER));
                let theirs = Rc::clone(&holders);
                let second = actor("second", move || second.run(|| comes_and_goes(role, &theirs)));
                let theirs = Rc::clone(&holders);
                let third = actor("third", move || third.run(|| comes_and_goes(role, &theirs)));
                let came = first.run(|| comes_and_goes(role, &holders));
                let came = [came, second.join(), third.join()];
                assert!(came.contains(&Some(true)), "all were refused");
                assert_eq!(kernel.left(), (1, 0));
            }
        }),
    );
}
