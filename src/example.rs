//! What an example of the documentation begins with, in one hidden line. Under a model checker, which
//! has nothing to do there, such an example ends at that line.

pub use crate::backend::inproc::{Channel, InProc};
pub use crate::backend::sysv::{Key, KeySpec, Observer, Options, Segment, SysV};
pub use crate::backend::{Backend, Layout};
pub use crate::error::{Class, Corrupt, Limit, Object, Place, Unsendable};
pub use crate::{
    Either, Error, Reader, Received, RecvError, Ring, Role, SendError, Slot, Tick, WaitPolicy, WaitingFor, Writer,
};
pub use std::ops::ControlFlow;
pub use std::time::{Duration, Instant};

use crate::protocol::core::Core;

/// Both sides, and where they meet.
type Pair<L> = (Writer<InProc, L>, Reader<InProc, L>, Channel);

/// At a classic slot, of the tutorial's size.
///
/// # Panics
/// Never.
#[must_use]
pub fn slot() -> Pair<Slot> {
    pair(|| Channel::new(2048))
}

/// At a ring of 4 KiB.
///
/// # Panics
/// Never.
#[must_use]
pub fn ring() -> Pair<Ring> {
    pair(|| Channel::ring(4096))
}

fn pair<L: Core>(make: impl FnOnce() -> Channel) -> Pair<L> {
    skip_model();
    let channel = make();
    let writer = Writer::open(&channel).expect("the seat is free");
    let reader = Reader::open(&channel).expect("the seat is free");
    (writer, reader, channel)
}

/// A classic slot, and nobody there.
///
/// # Panics
/// Never.
#[must_use]
pub fn channel() -> Channel {
    skip_model();
    Channel::new(2048)
}

/// Ends the example here under a model checker.
pub fn skip_model() {
    if cfg!(model) {
        std::process::exit(0);
    }
}

/// A key that no other process uses.
///
/// # Panics
/// Never.
#[must_use]
pub fn key() -> Key {
    skip_model();
    Key::new(std::process::id() << 8 | 1).expect("it is not 0")
}
