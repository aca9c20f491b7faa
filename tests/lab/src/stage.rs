//! The world of the run that is under way: its sides, its memory, and what has happened so far.

use crate::hooks::{awaits_turn, made};
use crate::machine::Machine;
use corosensei::Yielder;
use shm_handoff::backend::PeerStatus;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::sync::Ordering;
use shm_handoff::sync::explored::From;
use std::cell::RefCell;

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

/// A world that begins.
pub(crate) fn opens(world: World) {
    WORLD.set(Some(world));
}

/// It is over.
pub(crate) fn closes() {
    buries();
    CHANNEL.take();
    WORLD.take();
}

/// The kernel takes what the dead held.
pub(crate) fn buries() {
    drop(HELD.take());
}

/// What the kernel knows, where there is one: the memory at the key first.
pub(crate) fn kernel() -> Option<(usize, [bool; 4])> {
    CHANNEL.with_borrow(|channel| channel.as_ref().map(Channel::facts))
}

impl World {
    pub(crate) fn new(sides: usize, text_is_plain: bool) -> Self {
        Self {
            machine: Machine::new(sides),
            sides: std::iter::repeat_with(Side::new).take(sides).collect(),
            names: Vec::new(),
            memories: 0,
            running: None,
            way: Way::Step(0),
            last: None,
            raced: false,
            text_is_plain,
            over: false,
        }
    }

    /// Whether an access has no order: the tutorial's flag, or text, which the copy routines read and write. (On real memory
    /// they do it in relaxed words, and nobody's program depends on which of two that race comes first.)
    pub(crate) fn is_plain(&self, order: Option<Ordering>, from: From) -> bool {
        order.is_none() || (self.text_is_plain && from.file().starts_with("src/backend/memory/"))
    }
}

impl Side {
    fn new() -> Self {
        Self {
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
        }
    }

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
    let kernel = kernel();
    with(|world| {
        if let (Some(running), Some((memory, _))) = (world.running, kernel) {
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
