//! A kernel in memory: what System V calls do to segments and semaphore sets.
//!
//! [`Objects`] is a state machine without locks, clocks or waiting: each call changes it at once, in
//! one step, as Linux does in `ipc/shm.c`, `ipc/sem.c` and `ipc/util.c`. Its rules are numbered in
//! `kernel/conformance/rules.rs`; the suite there tries each of them on this kernel and on the real one.

#[cfg(model)]
pub(super) mod face;
#[cfg(model)]
mod fate;
#[cfg(model)]
mod memory;
#[cfg(model)]
mod notes;
mod objects;
mod permissions;
mod segment;
mod segments;
mod semop;
mod sets;
mod table;
#[cfg(model)]
mod third;
#[cfg(model)]
mod world;

#[cfg(model)]
pub use fate::{Call, Fate};
pub(crate) use objects::{Limits, Objects};
pub(crate) use permissions::Caller;
pub(crate) use semop::{Outcome, Ticket};
#[cfg(model)]
pub use third::{remove_seats, remove_segment};
#[cfg(model)]
pub use world::{Kernel, Process, waiting};
