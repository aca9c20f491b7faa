//! A side's backend: the in-process one, each call of which is a step that can be seen, and before which the process can be
//! killed.

use crate::hooks::Explorer;
use crate::stage::{answers, attached, calls, holds, told};
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::memory::{DeclaredView, RingView, SlotView};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::sync::AtomicU32;
use shm_handoff::sync::explored::Explore;
use shm_handoff::{Error, Role};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::time::Duration;

std::thread_local! {
    static CARELESS: Cell<bool> = const { Cell::new(false) };
}

/// While `run` runs, a side falls asleep though its peer has woken it since its last look: futexes are there against that.
pub(crate) fn carelessly<T>(run: impl FnOnce() -> T) -> T {
    CARELESS.set(true);
    let done = run();
    CARELESS.set(false);
    done
}

/// `QUIET`: the peer is there, always, and no side asks the kernel for it. So the flag alone orders anything between the sides.
pub(crate) struct Seen<const QUIET: bool>(ManuallyDrop<InProc>);

/// A side that asks the kernel for nothing but to sleep and to wake its peer.
pub(crate) type Quiet = Seen<true>;

/// A side with the kernel's calls.
pub(crate) type Called = Seen<false>;

impl<const QUIET: bool> Drop for Seen<QUIET> {
    fn drop(&mut self) {
        // SAFETY: taken once, here; `leave` forgets the rest of us.
        let held = unsafe { ManuallyDrop::take(&mut self.0) };
        if std::thread::panicking() {
            holds(held);
        }
    }
}

impl<const QUIET: bool> Seen<QUIET> {
    fn asks(name: &'static str) {
        if !QUIET {
            calls(name);
        }
    }
}

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl<const QUIET: bool> Sealed for Seen<QUIET> {}

impl<const QUIET: bool> Backend for Seen<QUIET> {
    type Address = Channel;

    fn open(address: &Channel, role: Role) -> Result<Self, Error> {
        Self::asks("open");
        let opened = InProc::open(address, role);
        if opened.is_ok() {
            attached();
        } else {
            answers("taken");
        }
        opened.map(ManuallyDrop::new).map(Self)
    }

    fn layout(&self) -> Layout {
        self.0.layout()
    }

    fn slot(&self) -> SlotView<'_> {
        self.0.slot()
    }

    fn is_classic(&self) -> bool {
        self.0.is_classic()
    }

    fn declared(&self) -> DeclaredView<'_> {
        self.0.declared()
    }

    fn ring(&self) -> RingView<'_> {
        self.0.ring()
    }

    fn sleep(&self, longest: Duration) {
        self.0.sleep(longest);
    }

    fn wake(&self) {}

    fn status(&mut self) -> Result<PeerStatus, Error> {
        if QUIET {
            return Ok(PeerStatus {
                peer_seated: true,
                writer_failed: false,
                attached: 2,
                observers: 0,
                removed: false,
                reseated: false,
                ended: false,
            });
        }
        Self::asks("status");
        let status = self.0.status()?;
        told(&status);
        answers(if status.removed {
            "removed"
        } else if status.peer_seated {
            "peer there"
        } else if status.writer_failed {
            "writer failed"
        } else {
            "nobody there"
        });
        Ok(status)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        Self::asks("reopen");
        self.0.reopen()?;
        attached();
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        Self::asks("remove");
        self.0.remove()
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        Self::asks("forget failure");
        self.0.forget_failure()
    }

    fn leave(self) -> Result<(), Error> {
        Self::asks("leave");
        let mut left = ManuallyDrop::new(self);
        // SAFETY: taken once, here; what is left of us is never dropped.
        unsafe { ManuallyDrop::take(&mut left.0) }.leave()
    }

    // Sleeping and waking are calls of their own, of a quiet side, too: between the last look and the sleep, and between the
    // look at the parked word and the call that wakes, the other side has its turn.

    fn park(&self, parked: &AtomicU32, longest: Duration) {
        calls("sleep");
        if CARELESS.get() {
            return Explorer.sleeps();
        }
        self.0.park(parked, longest);
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        calls("wake");
        self.0.unpark(parked)
    }

    fn heavy_fence(&self) -> bool {
        self.0.heavy_fence()
    }
}
