//! A process that can be killed at any operation, as by SIGKILL.
//!
//! Its thread unwinds from the operation before which it dies; no code of the
//! protocol runs on the way, for neither side has a destructor. What the kernel
//! does for the dead is done afterwards, by [`live`]: the memory is detached
//! and the seat given back, not in order. That takes the lock around the
//! seats, and so does whoever sits down next: this is the happens-before edge
//! from the dead to the successor (contract B4). Between processes it is the
//! kernel's: `SEM_UNDO` gives the semaphore back, and the successor's `semop`
//! takes it.

use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::memory::{DeclaredView, RingView, SlotView};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::sync::AtomicU32;
use shm_handoff::{Error, Role};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

std::thread_local! {
    /// What the dead held. (All of a model's threads are one of the machine's.)
    static HELD: RefCell<Vec<InProc>> = const { RefCell::new(Vec::new()) };
    static REMOVED: Cell<bool> = const { Cell::new(false) };
}

/// `InProc`, with each call a point at which its process can die. The flags'
/// and the text's accesses, and those to a ring's words, are such points by
/// themselves. Who dies asleep has died before it fell asleep.
pub(crate) struct Mortal(ManuallyDrop<InProc>);

impl Drop for Mortal {
    fn drop(&mut self) {
        // SAFETY: taken once, here; `leave` forgets the rest of us.
        let held = unsafe { ManuallyDrop::take(&mut self.0) };
        if std::thread::panicking() {
            HELD.with_borrow_mut(|all| all.push(held));
        }
    }
}

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl Sealed for Mortal {}

impl Backend for Mortal {
    type Address = Channel;

    fn open(address: &Channel, role: Role) -> Result<Self, Error> {
        trace::step();
        InProc::open(address, role).map(ManuallyDrop::new).map(Self)
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

    fn wake(&self) {
        trace::step();
        self.0.wake();
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        trace::step();
        self.0.status()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        trace::step();
        self.0.reopen()
    }

    fn remove(&mut self) -> Result<(), Error> {
        trace::step();
        self.0.remove()?;
        has_removed_now();
        Ok(())
    }

    fn tell_end(&mut self) -> Result<(), Error> {
        trace::step();
        self.0.tell_end()
    }

    fn forget_end(&self) {
        trace::step();
        self.0.forget_end();
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        trace::step();
        self.0.forget_failure()
    }

    fn leave(self) -> Result<(), Error> {
        trace::step();
        let mut left = ManuallyDrop::new(self);
        // SAFETY: taken once, here; what is left of us is never dropped.
        unsafe { ManuallyDrop::take(&mut left.0) }.leave()
    }

    fn park(&self, parked: &AtomicU32, longest: Duration) {
        trace::step();
        self.0.park(parked, longest);
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        trace::step();
        self.0.unpark(parked)
    }

    fn heavy_fence(&self) -> bool {
        trace::step();
        self.0.heavy_fence()
    }
}

/// Whether the life that was lived last removed its memory.
pub(crate) fn has_removed() -> bool {
    REMOVED.get()
}

/// A life begins.
pub(crate) fn begins() {
    REMOVED.set(false);
}

/// It removes its memory.
pub(crate) fn has_removed_now() {
    REMOVED.set(true);
}

/// Runs a life that ends before its operation number `spared` + 1, if it gets
/// there; whether it died.
pub(crate) fn live(spared: usize, life: impl FnOnce()) -> bool {
    begins();
    trace::doom(spared);
    let lived = catch_unwind(AssertUnwindSafe(life));
    let _ = trace::reprieve();
    match lived {
        Ok(()) => false,
        Err(why) if why.is::<trace::Killed>() => {
            // The kernel's part.
            drop(HELD.take());
            true
        }
        Err(why) => resume_unwind(why),
    }
}
