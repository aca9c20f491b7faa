//! What the protocol's operations do while an exercise runs: each is a step of the side that runs.

use crate::stage::{Known, Op, Status, Step, Way, World, with};
use core::panic::Location;
use shm_handoff::sync::explored::{Explore, From};
use shm_handoff::sync::{Killed, Ordering};
use std::panic::resume_unwind;

/// Stops the running side before `op` until it is chosen. Whether there is a side that runs.
pub(crate) fn awaits_turn(op: Op, from: Option<From>) -> bool {
    let yielder = with(|world| {
        let side = &mut world.sides[world.running?];
        side.next = Some(op);
        side.from = from.map(Location::file);
        Some(side.yielder)
    });
    let Some(yielder) = yielder else { return false };
    // SAFETY: it is that of the coroutine which is running this, and lives for as long as that does.
    unsafe { &*yielder }.suspend(());
    if with(|world| world.way == Way::Kill) {
        resume_unwind(Box::new(Killed));
    }
    true
}

pub(crate) fn made(world: &mut World, op: Op, seen: Option<(u64, bool)>) {
    let at = world.running.expect("a side runs");
    let side = &mut world.sides[at];
    side.next = None;
    side.known.push(Known::Step(op, seen.map(|(value, _)| value), None));
    world.last = Some(Step { op, seen, answer: None, killed: false, from: side.from });
    if op == Op::Wait {
        side.forget_repetition();
    }
}

/// Asked before each operation.
pub(crate) struct Explorer;

impl Explore for Explorer {
    fn place(&self, value: u64) -> usize {
        with(|world| {
            world.names.push(("", 0, 0));
            world.machine.place(value)
        })
    }

    fn label(&self, place: usize, name: &'static str, number: usize) {
        with(|world| world.names[place] = (name, number, world.memories - 1));
    }

    fn new_memory(&self) {
        with(|world| world.memories += 1);
    }

    fn load(&self, place: usize, order: Option<Ordering>, from: From) -> u64 {
        let op = Op::Load { place, order };
        if !awaits_turn(op, Some(from)) {
            return with(|world| world.machine.newest(place));
        }
        with(|world| {
            let at = world.running.expect("a side runs");
            let Way::Step(choice) = world.way else { unreachable!("it lives") };
            if world.is_plain(order, from) {
                world.raced |= world.machine.races(at, place, false);
            }
            let seen = world.machine.load(at, place, choice, order);
            let side = &mut world.sides[at];
            match world.names[place].0 {
                "written" => {
                    side.saw = Some(seen.0);
                    side.copy.clear();
                }
                "text" => side.copy.push(seen.0),
                _ => {}
            }
            made(world, op, Some(seen));
            seen.0
        })
    }

    fn store(&self, place: usize, value: u64, order: Option<Ordering>, from: From) {
        let op = Op::Store { place, order, value };
        let runs = awaits_turn(op, Some(from));
        with(|world| {
            if !runs {
                if !world.over {
                    world.machine.set(place, value);
                }
                return;
            }
            let at = world.running.expect("a side runs");
            if world.is_plain(order, from) {
                world.raced |= world.machine.races(at, place, true);
            }
            world.machine.store(at, place, value, order);
            made(world, op, None);
        });
    }

    fn newest(&self, place: usize) -> u64 {
        with(|world| world.machine.newest(place))
    }

    fn fence(&self, order: Ordering, from: From) {
        let op = Op::Fence { order };
        if awaits_turn(op, Some(from)) {
            with(|world| {
                world.machine.fence(world.running.expect("a side runs"), order);
                made(world, op, None);
            });
        }
    }

    fn yields(&self) {
        if awaits_turn(Op::Wait, None) {
            with(|world| made(world, Op::Wait, None));
        }
    }

    fn locks(&self, lock: usize) {
        with(|world| world.machine.lock(world.running, lock));
    }

    fn sleeps(&self) {
        let running = with(|world| {
            let side = &mut world.sides[world.running?];
            side.status = Status::Asleep;
            world.running
        });
        if running.is_some() && awaits_turn(Op::Sleep, None) {
            with(|world| made(world, Op::Sleep, None));
        }
    }

    fn wakes(&self) {
        with(|world| {
            for side in &mut world.sides {
                if side.status == Status::Asleep {
                    side.status = Status::Running;
                }
            }
        });
    }
}
