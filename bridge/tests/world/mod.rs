//! Two hosts in memory, for the model and the simulation: rings of a few messages, processes that can be killed at each of their calls.
//!
//! A record takes [`UNIT`] bytes of either ring. What a host keeps when a process is killed is [`SourceRing`] and [`SinkRing`]; what dies
//! with the process is the machine, the cursor, and what a writer remembers.
#![allow(dead_code, reason = "the model and the simulation use what they need of it")]

use shm_handoff_bridge::frame::Frame;
use shm_handoff_bridge::world::Carrier;
use std::cell::Cell;
use std::collections::VecDeque;

pub mod fair;
pub mod play;
pub mod sink;
pub mod source;

pub use sink::{Entry, SinkEnd, SinkMemory, SinkRing};
pub use source::{Record, SourceEnd, SourceRing};

/// What a record takes of a ring, and by how much a position advances.
pub const UNIT: u64 = 16;

/// How a process is killed: before its call number `left`, if that is told. Calls of the dead have no effect.
#[derive(Debug, Default)]
pub struct Fuse {
    left: Cell<Option<u32>>,
    dead: Cell<bool>,
}

/// The process was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Killed;

impl Fuse {
    pub fn new(left: Option<u32>) -> Self {
        Self { left: Cell::new(left), dead: Cell::new(false) }
    }

    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// Before each effect on the world.
    fn burn(&self) -> Result<(), Killed> {
        match self.left.get() {
            Some(0) => self.dead.set(true),
            left => self.left.set(left.map(|left| left - 1)),
        }
        if self.dead.get() { Err(Killed) } else { Ok(()) }
    }
}

/// What of the protocol is left out, to see that the claims notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    None,
    /// The receiving ring stores no intents.
    NoIntent,
    /// Intents have one place, and not two by turns.
    OnePlace,
    /// Another writer appends without settling what the last one intended.
    NoSettling,
    /// The sender releases what it sends.
    ReleaseOnSend,
    /// The sink says that it has published, and publishes a moment later.
    AckBeforePublish,
    /// Each receiver's sessions have the same numbers.
    SessionsRepeat,
    /// A receiving ring without a history begins with whatever comes first.
    AnyBase,
    /// The receiving ring says that everything was read, whatever lies there.
    SaysRead,
}

/// One direction of the network.
pub struct Wire<'a> {
    pub frames: &'a mut VecDeque<Frame>,
    pub fuse: &'a Fuse,
}

impl Carrier for Wire<'_> {
    fn send(&mut self, frame: Frame) {
        if self.fuse.burn().is_ok() {
            self.frames.push_back(frame);
        }
    }
}
