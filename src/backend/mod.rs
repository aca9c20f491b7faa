//! What the protocol stands on: a piece of memory that two sides share, two
//! seats, and a way to sleep.
//!
//! A backend *hands out places*; every atomic operation on them is executed by
//! the protocol, with an order from its one table. So a backend cannot ignore an
//! order, and a model checker sees each of them. Backends are [`SysV`](sysv::SysV), between processes, and
//! [`InProc`](inproc::InProc), within one.

pub mod inproc;
mod interrupt;
#[doc(hidden)]
pub mod memory;
#[cfg(target_os = "linux")]
#[cfg_attr(any(model, not(feature = "cli")), allow(dead_code, unused_imports, reason = "the programs look at more"))]
pub mod sysv;

pub use interrupt::Interrupter;
pub(crate) use memory::{DeclaredView, PeerFences, RingView, SlotView};

pub use crate::error::names::Layout;
use crate::error::{Error, Role};
use crate::sync::AtomicU32;
use std::time::Duration;

/// Which sides are there, as far as the backend can tell at one moment.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
pub struct PeerStatus {
    /// The other role's seat is taken.
    pub peer_seated: bool,
    /// The writer's seat is free, and the writer that had it did not leave in
    /// order.
    pub writer_failed: bool,
    /// Attachments to the memory, our own included.
    pub attached: usize,
    /// How many of these may be those of tools that only look: the count tells nothing of them.
    pub observers: usize,
    /// The memory was removed: newcomers will meet at another one.
    pub removed: bool,
    /// Our own seat had gone and was taken anew. The peer's may have gone, too, without its notice: a free
    /// seat says nothing of it.
    pub reseated: bool,
    /// An end was [told](Backend::tell_end) and not [forgotten](Backend::forget_end).
    pub ended: bool,
}

impl PeerStatus {
    /// Somebody beside us is attached, and no tool is taken for it.
    ///
    /// ```
    /// # use shm_handoff::backend::PeerStatus;
    /// let two = PeerStatus { peer_seated: false, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false, ended: false };
    /// assert!(two.has_company() && !two.is_alone());
    /// assert!(!PeerStatus { observers: 1, ..two }.has_company(), "that can be the tool");
    /// assert!(!PeerStatus { observers: 1, ..two }.is_alone(), "the tool can be about to attach still");
    /// assert!(PeerStatus { attached: 1, ..two }.is_alone());
    /// ```
    #[must_use]
    pub fn has_company(&self) -> bool {
        self.attached.saturating_sub(self.observers) >= 2
    }

    /// Nobody beside us is attached.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.attached <= 1
    }
}

/// The one layout that a side can use.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A slot.
    Slot,
    /// A ring of any capacity.
    Ring,
    /// A declared slot.
    Declared,
}

/// For those backends alone that the protocol was checked with.
///
/// # Safety
/// B1 and B9 of [`Backend`]'s contract hold: a view stays what it was, and its memory valid, until
/// `reopen` or the end of the handle.
#[doc(hidden)]
pub unsafe trait Sealed {}

/// Shared memory with two seats. Sealed: [`SysV`](sysv::SysV) and [`InProc`](inproc::InProc) are all there are.
///
/// # Contract
///
/// B1 and B9 are matters of memory safety: what is known of a view is not asked again. The others are
/// not, for the places handed out are atomics and bytes that are reached by atomics, which are defined whatever is
/// done to them: a backend that breaks one of them loses or doubles messages, or waits forever.
///
/// * **B1** `slot` and `ring` name the same memory in every handle that was opened at the same
///   address, until it is removed. New memory is all zero, but for a ring's header.
/// * **B2** The flag and the text do not overlap, and the backend touches neither.
/// * **B3** At most one handle holds each of the seats of [`Role::Writer`] and [`Role::Reader`];
///   [`Role::Guest`] takes none. The seat is taken before the memory is attached, and given back after
///   it was detached, also when the holder is killed.
/// * **B4** Giving back a seat *happens before* it is seen free in a `status` or taken by another
///   side. (In one process a lock does that, between processes the kernel's semaphores do.)
/// * **B5** A writer's handle that is dropped, or whose process dies, without `leave` counts as failed,
///   until the next writer is seated or `forget_failure` is called.
/// * **B6** `status` tells the truth of some moment during the call and does not wait for the peer. Of
///   those attached, `observers` are at least as many as there are tools.
/// * **B7** `sleep` returns after the given time at the latest (the scheduler's delay apart); `wake` may
///   end the peer's sleep early, or do nothing. `pause` returns no earlier, if a program without a seat can be the peer.
/// * **B8** After `remove` the memory stays usable for those attached; `open` and `reopen` lead to new
///   memory.
/// * **B9** A view is valid until `reopen`, and the memory until the handle is dropped.
/// * **B10** `park` returns at once unless the parked word is 1, when `unpark` was called since, and after
///   the given time; and sometimes for no reason. The look at the parked word and falling asleep are
///   one step for `unpark`: an `unpark` after the parked word was changed wakes the side that saw it
///   unchanged.
/// * **B11** The words `peer_fences` are the same in every handle, 0 in new memory. If `heavy_fence`
///   says `true`, then of two sides, one of which stores, calls it and loads, and the other one
///   stores, and loads what comes later in its program, one sees the other's store.
/// * **B12** An end that was told is seen in every `status` of either side until it is forgotten, or a side that comes makes
///   the memory anew.
/// * **B13** What `interrupter` gives ends a sleep or a park of this handle, or else keeps the next one from lasting.
pub trait Backend: Sized + Sealed {
    /// What names the memory.
    type Address;

    /// Takes the seat of `role`, then attaches the memory at `address`, made anew if there is none.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another handle has the role; otherwise the error from opening the memory.
    #[doc(hidden)]
    fn open(address: &Self::Address, role: Role) -> Result<Self, Error>;

    /// As [`open`](Self::open), of a side that can use `wanted` alone, if it can't use both.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    fn open_as(address: &Self::Address, role: Role, _: Option<Wanted>) -> Result<Self, Error> {
        Self::open(address, role)
    }

    /// What the memory is laid out as.
    fn layout(&self) -> Layout;

    /// The places of a classic slot. Where the layout is another one, this can be a slot that nobody fills.
    ///
    /// # Panics
    /// Or there is none.
    #[doc(hidden)]
    fn slot(&self) -> SlotView<'_>;

    /// Of memory that is no ring: whether it is a classic slot. If it is not, [`declared`](Self::declared) has the places,
    /// and [`slot`](Self::slot) is one that nobody fills.
    #[doc(hidden)]
    #[inline(always)]
    fn is_classic(&self) -> bool {
        true
    }

    /// The places of a declared slot.
    ///
    /// # Panics
    /// Where the layout is another one.
    #[doc(hidden)]
    fn declared(&self) -> DeclaredView<'_> {
        unreachable!("a backend without declared slots")
    }

    /// The places of a ring.
    ///
    /// # Panics
    /// Where the layout is another one.
    #[doc(hidden)]
    fn ring(&self) -> RingView<'_>;

    /// Sleeps for `longest` at most.
    #[doc(hidden)]
    fn sleep(&self, longest: Duration);

    /// Sleeps for that time at least: nothing ends it.
    #[doc(hidden)]
    fn pause(&self, time: Duration) {
        self.sleep(time);
    }

    /// What ends the sleeps of this handle from another thread.
    #[doc(hidden)]
    fn interrupter(&mut self) -> Interrupter {
        Interrupter::of_none()
    }

    /// Wakes a peer that [sleeps](Self::sleep), where sleepers can be woken.
    #[doc(hidden)]
    fn wake(&self);

    /// Sleeps while `parked` is 1, for `longest` at most.
    #[doc(hidden)]
    fn park(&self, parked: &AtomicU32, longest: Duration);

    /// Wakes the side that sleeps on `parked`; whether one did.
    #[doc(hidden)]
    fn unpark(&self, parked: &AtomicU32) -> bool;

    /// Orders the accesses of all threads of both sides that can be reached, at once; whether it
    /// could.
    #[doc(hidden)]
    fn heavy_fence(&self) -> bool {
        false
    }

    /// Looks which sides are there.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if this handle lost its seat to another side; else what the look-up met.
    #[doc(hidden)]
    fn status(&mut self) -> Result<PeerStatus, Error>;

    /// Whether the memory stays when nobody is attached any more. Where it does not, what was sent
    /// and not released goes with its last attachment.
    fn persists(&self) -> bool {
        true
    }

    /// Beside the memory, tells the reader that the session has ended.
    ///
    /// # Errors
    /// The error of the system call.
    #[doc(hidden)]
    fn tell_end(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Takes back what [`tell_end`](Self::tell_end) told. What that meets, the next status check meets, too.
    #[doc(hidden)]
    fn forget_end(&self) {}

    /// Whether the other side has replaced our memory by its own, of another layout. Then an end that was not released is
    /// sent again, too.
    #[doc(hidden)]
    fn is_moving(&self) -> bool {
        false
    }

    /// For a side that is about to leave, or to publish first: waits until a removal that has begun, for a move or behind an
    /// end that was told, is over, so that the next `status` says whether the memory was removed; whether one can have begun.
    ///
    /// # Errors
    /// The error of the system call.
    #[doc(hidden)]
    fn await_move(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Whether the memory is the session's alone, so that its end removes it.
    #[doc(hidden)]
    fn is_ours_to_remove(&self) -> bool {
        true
    }

    /// Lets the memory go and attaches what is at the address now, made anew if there is none. The
    /// seat is kept. The layout is the same, unless this side asked for none and the other one has made another; a
    /// ring's capacity can be another one.
    ///
    /// # Errors
    /// As [`open`](Self::open). The handle stays on the old memory then.
    #[doc(hidden)]
    fn reopen(&mut self) -> Result<(), Error>;

    /// Removes the memory; those attached keep it.
    ///
    /// # Errors
    /// What the removal met. Memory that is removed already is no error.
    #[doc(hidden)]
    fn remove(&mut self) -> Result<(), Error>;

    /// Forgets an end that was [told](Self::tell_end), and then removes the memory: who sees the first, and
    /// [awaits](Self::await_move) the second, publishes nothing where nobody reads any more.
    ///
    /// # Errors
    /// As [`remove`](Self::remove); the end is forgotten all the same.
    #[doc(hidden)]
    fn remove_behind_end(&mut self) -> Result<(), Error> {
        self.forget_end();
        self.remove()
    }

    /// For a reader: forgets that a writer failed, so that the next failure is seen as a new one.
    /// Does nothing while a writer is seated.
    ///
    /// # Errors
    /// The error of the system call.
    #[doc(hidden)]
    fn forget_failure(&mut self) -> Result<(), Error>;

    /// Detaches and gives the seat back *in order*: a reader goes on waiting for the next writer.
    ///
    /// # Errors
    /// What the system call met; the seat is given back all the same.
    #[doc(hidden)]
    fn leave(self) -> Result<(), Error>;
}
