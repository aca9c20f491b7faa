//! A backend whose status check is a constant and takes no lock, so that the flag is
//! the only edge between the sides: a lock that both take now and then would
//! order what the flag alone has to order, and multiply the executions.

use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::memory::{DeclaredView, RingView, SlotView};
use shm_handoff::backend::{Backend, Layout, PeerStatus, Sealed};
use shm_handoff::sync::AtomicU32;
use shm_handoff::{Error, Role};
use std::mem::ManuallyDrop;
use std::time::Duration;

/// Both peers are there, always. Its seat is never given back: where a model
/// fails, the unwinding must not take a lock of that model.
pub(crate) struct Bare(ManuallyDrop<InProc>);

// SAFETY: the views are those of one memory, which stays as long as the handle.
unsafe impl Sealed for Bare {}

impl Backend for Bare {
    type Address = Channel;

    fn open(address: &Channel, role: Role) -> Result<Self, Error> {
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
        self.0.wake();
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        Ok(PeerStatus {
            peer_seated: true,
            writer_failed: false,
            attached: 2,
            observers: 0,
            removed: false,
            reseated: false,
            ended: false,
        })
    }

    fn reopen(&mut self) -> Result<(), Error> {
        unreachable!("it is never removed")
    }

    fn remove(&mut self) -> Result<(), Error> {
        unreachable!("it is never removed")
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn leave(self) -> Result<(), Error> {
        Ok(())
    }

    fn park(&self, parked: &AtomicU32, longest: Duration) {
        self.0.park(parked, longest);
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        self.0.unpark(parked)
    }

    fn heavy_fence(&self) -> bool {
        self.0.heavy_fence()
    }
}
