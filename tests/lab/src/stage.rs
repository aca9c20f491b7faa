//! One run of an exercise: its sides as coroutines, each stopped before its next step, and what has happened so far.

use crate::hooks::{Explorer, awaits_turn, made};
use crate::machine::Machine;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use shm_handoff::backend::PeerStatus;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::sync::explored::{From, install};
use shm_handoff::sync::{Killed, Ordering};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a side does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Load {
        place: usize,
        order: Option<Ordering>,
    },
    Store {
        place: usize,
        order: Option<Ordering>,
        value: u64,
    },
    Fence {
        order: Ordering,
    },
    /// It found nothing, and looks again after the others had their turn.
    Wait,
    /// A call of the kernel.
    Kernel(&'static str),
    Sleep,
}

/// A step that was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// What was loaded, and whether it is an old value.
    pub(crate) seen: Option<(u64, bool)>,
    /// The kernel's answer.
    pub(crate) answer: Option<&'static str>,
    pub(crate) killed: bool,
    /// The file of the source that asks for it.
    pub(crate) from: Option<&'static str>,
}

/// What somebody looking on would note down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Said {
    Sent(String),
    Printed(String),
    Refused,
    Left,
    /// It was told that its peer has died.
    Told,
    /// The reader takes this for the end of the session.
    Ends,
    GoesOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Running,
    Asleep,
    Ended,
    Dead,
}

/// What a side knows, in the order in which it came to know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Known {
    Step(Op, Option<u64>, Option<&'static str>),
    Said(Said),
    /// All that a look at the seats has told it.
    Peer(String),
    /// It is attached to what lies at the key now.
    Memory(usize),
    Fresh,
}

/// A side, as the page shows it.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) status: Status,
    pub(crate) next: Option<Op>,
    pub(crate) from: Option<&'static str>,
    /// What it is about to send.
    pub(crate) line: Option<String>,
    /// The flag that it saw last.
    pub(crate) saw: Option<u64>,
    /// The words of text that it has copied out since.
    pub(crate) copy: Vec<u64>,
    pub(crate) said: Vec<Said>,
    pub(crate) known: Vec<Known>,
    /// The last step of each look that found nothing.
    pub(crate) waits: Vec<usize>,
    pub(crate) yielder: *const Yielder<(), ()>,
}

/// Which way a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Way {
    /// The next step; a load sees the value of this number.
    Step(usize),
    Kill,
}

pub(crate) type Move = (usize, Way);

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) sides: Vec<Side>,
    /// Names of the words: which, number, memory.
    pub(crate) names: Vec<(&'static str, usize, usize)>,
    pub(crate) memories: usize,
    /// `None`: the exercise is being set up, or is over.
    pub(crate) running: Option<usize>,
    pub(crate) way: Way,
    pub(crate) last: Option<Step>,
    pub(crate) raced: bool,
    /// Accesses to text have to be ordered.
    pub(crate) text_is_plain: bool,
    pub(crate) over: bool,
}

std::thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    /// What the dead held: the kernel takes it from them.
    static HELD: RefCell<Vec<InProc>> = const { RefCell::new(Vec::new()) };
    /// What the kernel knows is part of each state.
    static CHANNEL: RefCell<Option<Channel>> = const { RefCell::new(None) };
}

/// The sides meet there.
pub(crate) fn meets_at(channel: Channel) -> Channel {
    CHANNEL.set(Some(channel.clone()));
    channel
}

pub(crate) fn with<T>(what: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| what(world.as_mut().expect("an exercise runs")))
}

impl World {
    /// Whether an access has no order: the tutorial's flag, or text, which the copy routines read and write. (On real memory
    /// they do it in relaxed words, and nobody's program depends on which of two that race comes first.)
    pub(crate) fn is_plain(&self, order: Option<Ordering>, from: From) -> bool {
        order.is_none() || (self.text_is_plain && from.file().starts_with("src/backend/memory/"))
    }
}

impl Side {
    /// A look that found what the look before it found leaves the side as it was.
    pub(crate) fn forget_repetition(&mut self) {
        let end = self.known.len();
        if let Some(last) = self.waits.last().copied() {
            let look = &self.known[last..];
            if self.known[..last].ends_with(look) {
                self.known.truncate(last);
                return;
            }
        }
        self.waits.push(end);
    }

    fn says(&mut self, said: Said) {
        self.known.push(Known::Said(said.clone()));
        self.said.push(said);
    }
}

/// A call of the kernel, as a step of its own.
pub(crate) fn calls(name: &'static str) {
    if awaits_turn(Op::Kernel(name), None) {
        with(|world| made(world, Op::Kernel(name), None));
    }
}

/// What the running side was told of its peer.
pub(crate) fn told(status: &PeerStatus) {
    with(|world| {
        if let Some(running) = world.running {
            world.sides[running].known.push(Known::Peer(format!("{status:?}")));
        }
    });
}

/// What the kernel has answered to the last call.
pub(crate) fn answers(answer: &'static str) {
    with(|world| {
        let Some(running) = world.running else { return };
        world.sides[running].known.push(Known::Step(Op::Kernel(""), None, Some(answer)));
        if let Some(step) = &mut world.last {
            step.answer = Some(answer);
        }
    });
}

/// The running side is attached to what lies at the key now.
pub(crate) fn attached() {
    let memory = CHANNEL.with_borrow(|channel| channel.as_ref().map(|channel| channel.facts().0));
    with(|world| {
        if let (Some(running), Some(memory)) = (world.running, memory) {
            world.sides[running].known.push(Known::Memory(memory));
        }
    });
}

pub(crate) fn says(said: Said) {
    with(|world| {
        if let Some(running) = world.running {
            world.sides[running].says(said);
        }
    });
}

/// The running side is about to send `line`, or has nothing more to send.
pub(crate) fn has(line: Option<&str>) {
    with(|world| {
        if let Some(running) = world.running {
            world.sides[running].line = line.map(str::to_owned);
        }
    });
}

/// What the running side knows of earlier messages is of no account any more: it stands where it stood before them.
pub(crate) fn begins_anew() {
    with(|world| {
        if let Some(running) = world.running {
            let side = &mut world.sides[running];
            let rounds = side.known.iter().filter(|known| **known == Known::Fresh).count();
            let memory = side.known.iter().rfind(|known| matches!(known, Known::Memory(_))).cloned();
            side.known = vec![Known::Fresh; rounds + 1];
            side.known.extend(memory);
            side.waits.clear();
            side.copy.clear();
        }
    });
}

/// What the process held that is dying.
pub(crate) fn holds(held: InProc) {
    HELD.with_borrow_mut(|all| all.push(held));
}

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
        let sides = names.iter().map(|_| Side {
            status: Status::Running,
            next: None,
            from: None,
            line: None,
            saw: None,
            copy: Vec::new(),
            said: Vec::new(),
            known: Vec::new(),
            waits: Vec::new(),
            yielder: std::ptr::null(),
        });
        let world = World {
            machine: Machine::new(names.len()),
            sides: sides.collect(),
            names: Vec::new(),
            memories: 0,
            running: None,
            way: Way::Step(0),
            last: None,
            raced: false,
            text_is_plain,
            over: false,
        };
        WORLD.set(Some(world));
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
        let kernel = CHANNEL.with_borrow(|channel| channel.as_ref().map(Channel::facts));
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
        HELD.take();
        CHANNEL.take();
        WORLD.take();
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
        drop(HELD.take());
    }
}
