//! What the protocol stands on: a piece of memory that two sides share, two
//! seats, and a way to sleep.
//!
//! A backend *hands out places*; every atomic operation on them is executed by
//! [`protocol`](crate::protocol), with an order from its one
//! [`Orders`](crate::protocol::Orders) table. So a backend cannot ignore an
//! order, and a model checker that stands behind [`sync`](crate::sync) sees
//! each of them.

pub mod inproc;
pub mod layout;
mod payload;
mod ring;
#[cfg(all(not(model), target_os = "linux"))]
#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "the programs look at more"))]
pub mod sysv;
#[cfg(vectors)]
mod vector;

pub use payload::Payload;
pub use ring::{Promises, Records, Ring};

pub use crate::error::Kind;
use crate::error::{Error, Role};
use crate::sync::AtomicU32;
use std::time::Duration;

/// Who is there, as far as the backend can tell at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
pub struct Census {
    /// The other role's seat is taken.
    pub peer_seated: bool,
    /// The writer's seat is free, and the writer that had it did not leave in
    /// order.
    pub writer_failed: bool,
    /// Attachments to the memory, our own included.
    pub attached: usize,
    /// The memory was removed: newcomers will meet at another one.
    pub removed: bool,
    /// Our own seat had gone and was taken anew: so may the peer's have, who has not
    /// noticed yet. Its free seat says nothing.
    pub reseated: bool,
}

/// Shared memory with two seats.
///
/// # Contract
///
/// None of these is a matter of memory safety: the places handed out are
/// atomics and [`Payload`]s, which are defined whatever is done to them. A
/// backend that breaks one loses or doubles messages, or waits for ever.
///
/// * **B1** [`flag`](Self::flag) and [`payload`](Self::payload) name the same
///   memory in every handle that was opened at the same address, until it is
///   removed. New memory is all zero.
/// * **B2** The flag and the payload do not overlap, and the backend touches
///   neither.
/// * **B3** At most one handle holds each of the seats of [`Role::Writer`] and
///   [`Role::Reader`]; [`Role::Guest`] takes none. The seat is taken before the
///   memory is attached, and given back after it was detached, also when the
///   holder is killed.
/// * **B4** Giving back a seat *happens before* it is seen free in a
///   [`census`](Self::census) or taken by somebody else. (In one process a
///   lock does that, between processes the kernel's semaphores do.)
/// * **B5** A writer's handle that is dropped, or whose process dies, without
///   [`leave`](Self::leave) counts as failed, until the next writer is seated
///   or [`forget_failure`](Self::forget_failure) is called.
/// * **B6** [`census`](Self::census) tells the truth of some moment during the
///   call and does not wait for the peer.
/// * **B7** [`sleep`](Self::sleep) returns after the given time at the latest
///   (the scheduler's delay apart); [`wake`](Self::wake) may end the peer's
///   sleep early, or do nothing.
/// * **B8** After [`remove`](Self::remove) the memory stays usable for those
///   attached; [`open`](Self::open) and [`reopen`](Self::reopen) lead to new
///   memory.
pub trait Backend: Sized {
    /// What names the memory.
    type Address;

    /// Takes the seat of `role`, then attaches the memory at `address`, made
    /// anew if there is none.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another handle has the role; else what the
    /// memory's opening met.
    fn open(address: &Self::Address, role: Role) -> Result<Self, Error>;

    /// What the memory is laid out as.
    fn kind(&self) -> Kind {
        Kind::Classic
    }

    /// The flag.
    fn flag(&self) -> &AtomicU32;

    /// The text's bytes.
    fn payload(&self) -> Payload<'_>;

    /// Sleeps for `longest` at most.
    fn sleep(&self, longest: Duration);

    /// Wakes a sleeping peer, where sleepers can be woken.
    fn wake(&self);

    /// Looks who is there.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if this handle lost its seat to somebody; else what
    /// the look-up met.
    fn census(&mut self) -> Result<Census, Error>;

    /// Lets the memory go and attaches what is at the address now, made anew
    /// if there is none. The seat is kept. The layout is the same; a ring's capacity
    /// can be another one.
    ///
    /// # Errors
    /// As [`open`](Self::open). The handle stays on the old memory then.
    fn reopen(&mut self) -> Result<(), Error>;

    /// Removes the memory; those attached keep it.
    ///
    /// # Errors
    /// What the removal met. Memory that is removed already is no error.
    fn remove(&mut self) -> Result<(), Error>;

    /// For a reader: forgets that a writer failed, so that the next failure is
    /// seen as a new one. Does nothing while a writer is seated.
    ///
    /// # Errors
    /// What the system call met.
    fn forget_failure(&mut self) -> Result<(), Error>;

    /// Detaches and gives the seat back *in order*: a reader goes on waiting
    /// for the next writer.
    ///
    /// # Errors
    /// What the system call met; the seat is given back all the same.
    fn leave(self) -> Result<(), Error>;
}

/// Shared memory that can be a ring.
///
/// # Contract
///
/// As for [`Backend`], and:
///
/// * **B9** [`ring`](Self::ring) names the same memory in every handle opened at
///   the same address, until it is removed. New memory is all zero.
/// * **B10** [`park`](Self::park) returns at once unless the hint is 1, when
///   [`unpark`](Self::unpark) was called since, and after the given time; and
///   sometimes for no reason. The look at the hint and falling asleep are one
///   step for `unpark`: an `unpark` after the hint was changed wakes whoever saw
///   it unchanged.
/// * **B11** [`Ring::promises`] are the same words in every handle, 0 in new memory. If
///   [`fence_everywhere`](Self::fence_everywhere) says `true`, then of two sides, one
///   of which stores, calls it and loads, and the other one stores, and loads what
///   comes later in its program, one sees the other's store.
pub trait RingBackend: Backend {
    /// The places of the ring.
    ///
    /// # Panics
    /// May panic where [`kind`](Backend::kind) is another one.
    fn ring(&self) -> Ring<'_>;

    /// Sleeps while `hint` is 1, for `longest` at most.
    fn park(&self, hint: &AtomicU32, longest: Duration);

    /// Wakes whoever sleeps on `hint`; whether anybody did.
    fn unpark(&self, hint: &AtomicU32) -> bool;

    /// A `fence(SeqCst)` in every thread that runs, of all processes whose
    /// [`Ring::promises`] are `reachable`; whether there was one.
    fn fence_everywhere(&self) -> bool {
        false
    }
}
