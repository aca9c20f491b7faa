//! One run of an exercise: its sides as coroutines, each stopped before its next step.

use crate::hooks::Explorer;
use crate::machine::Machine;
use crate::stage::{Known, Move, Op, Said, Side, Status, Step, Way, World, buries, closes, kernel, opens, with};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use shm_handoff::sync::Killed;
use shm_handoff::sync::explored::install;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// An exercise's sides, made anew for each run.
pub(crate) type Cast = Vec<(&'static str, Box<dyn FnOnce()>)>;

/// A run.
pub(crate) struct Run {
    coroutines: Vec<Coroutine<(), (), ()>>,
}

#[allow(clippy::unused_self, reason = "there is one world at a time, that of this run")]
impl Run {
    pub(crate) fn new(names: &[&'static str], text_is_plain: bool, cast: impl FnOnce() -> Cast) -> Self {
        install(&Explorer);
        opens(World::new(names.len(), text_is_plain));
        let cast = cast();
        assert!(cast.iter().map(|(name, _)| *name).eq(names.iter().copied()), "the cast is what was announced");
        let coroutines = cast.into_iter().enumerate().map(|(at, (_, life))| {
            Coroutine::new(move |yielder: &Yielder<(), ()>, ()| {
                with(|world| world.sides[at].yielder = yielder);
                lives(at, life);
            })
        });
        let mut run = Self { coroutines: coroutines.collect() };
        // Up to the first step of each.
        for at in 0..run.coroutines.len() {
            run.goes_on(at);
        }
        run
    }

    fn goes_on(&mut self, at: usize) {
        with(|world| world.running = Some(at));
        if let CoroutineResult::Return(()) = self.coroutines[at].resume(()) {
            with(|world| {
                let side = &mut world.sides[at];
                if side.status != Status::Dead {
                    side.status = Status::Ended;
                }
                side.next = None;
            });
        }
        with(|world| world.running = None);
    }

    /// Makes a move, and says what it was.
    pub(crate) fn make(&mut self, (at, way): Move) -> Step {
        let dying = with(|world| {
            world.way = way;
            world.last = None;
            world.sides[at].next.expect("it has a next step")
        });
        self.goes_on(at);
        let step = with(|world| world.last.take());
        step.unwrap_or(Step { op: dying, seen: None, answer: None, killed: true, from: None })
    }

    /// The moves that there are, `mortal` being the sides that can be killed.
    pub(crate) fn moves(&self, mortal: &[usize]) -> Vec<Move> {
        with(|world| {
            let mut moves = Vec::new();
            let somebody_died = world.sides.iter().any(|side| side.status == Status::Dead);
            for (at, side) in world.sides.iter().enumerate() {
                if side.status == Status::Running {
                    let ways = match side.next {
                        Some(Op::Load { place, .. }) => world.machine.visible(at, place).len(),
                        Some(_) => 1,
                        None => 0,
                    };
                    moves.extend((0..ways).map(|way| (at, Way::Step(way))));
                }
                if mortal.contains(&at) && side.next.is_some() && !somebody_died {
                    moves.push((at, Way::Kill));
                }
            }
            moves
        })
    }

    /// All that the rest of the run can depend on, and all that is shown of it.
    pub(crate) fn key(&self) -> Key {
        let kernel = kernel();
        with(|world| {
            let live: Vec<bool> =
                world.sides.iter().map(|side| matches!(side.status, Status::Running | Status::Asleep)).collect();
            let sides = world.sides.iter().map(|side| {
                let known = if side.next.is_some() { side.known.clone() } else { Vec::new() };
                (side.status, side.next, known, side.said.clone(), side.line.clone())
            });
            Key { sides: sides.collect(), machine: world.machine.key(&live), kernel, raced: world.raced }
        })
    }

    /// Shows the run as it stands.
    pub(crate) fn show<T>(
        &self,
        show: impl FnOnce(&[Side], &Machine, &[(&'static str, usize, usize)], bool) -> T,
    ) -> T {
        with(|world| show(&world.sides, &world.machine, &world.names, world.raced))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        with(|world| {
            world.running = None;
            world.over = true;
        });
        // The sides unwind; what they do on the way changes nothing any more.
        self.coroutines.clear();
        closes();
    }
}

type SideKey = (Status, Option<Op>, Vec<Known>, Vec<Said>, Option<String>);

/// What tells states apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    sides: Vec<SideKey>,
    machine: Vec<u64>,
    kernel: Option<(usize, [bool; 4])>,
    raced: bool,
}

/// A side's life; a death ends it, and the kernel takes what it held.
fn lives(at: usize, life: Box<dyn FnOnce()>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(life)) {
        if !payload.is::<Killed>() {
            resume_unwind(payload);
        }
        with(|world| world.sides[at].status = Status::Dead);
        buries();
    }
}
