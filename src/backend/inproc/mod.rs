//! Both sides in one process: for tests, for examples, and, under
//! `--cfg loom` or `--cfg shuttle`, for the model checkers. [`InProc`] stands in place of
//! [`SysV`](crate::backend::sysv::SysV), and a [`Channel`] in that of the options.

mod channel;
mod memory;

pub use channel::Channel;

use super::interrupt::Interrupt;
use super::{Backend, DeclaredView, Interrupter, Layout, PeerStatus, RingView, Sealed, SlotView};
#[cfg(loom)]
use crate::backend::memory::modelled::HeavyFence;
use crate::error::{Error, Place, Role};
use crate::sync::{self, AtomicU32};
use memory::{Memory, Shape};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One side's handle on a [`Channel`].
///
/// ```
/// # use shm_handoff::example::*; skip_model();
/// let channel = Channel::ring(4096);
/// let mut reader = Reader::<InProc>::open(&channel)?;
/// let sender = std::thread::spawn(move || {
///     let mut writer = Writer::<InProc>::open(&channel)?;
///     writer.send(b"hello")?;
///     writer.close()
/// });
/// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(5));
/// sender.join().expect("it does not panic")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InProc {
    slot: Channel,
    role: Role,
    /// No other handle of the channel has it.
    number: u64,
    /// `None` only while the handle is being dropped.
    memory: Option<Arc<Memory>>,
}

impl fmt::Debug for InProc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProc").field("role", &self.role).finish_non_exhaustive()
    }
}

impl InProc {
    fn memory(&self) -> &Arc<Memory> {
        self.memory.as_ref().expect("held until the drop")
    }

    /// For models: lets pass what one sleep takes, so that everybody has seen what this
    /// side has taken back.
    #[doc(hidden)]
    #[cfg(loom)]
    pub fn let_time_pass(&self) {
        sync::trace().time_passes();
        if let Some(fence) = self.heavy_fence_state() {
            fence.may_miss.set(false);
        }
    }

    /// Our own heavy fences.
    #[cfg(loom)]
    fn heavy_fence_state(&self) -> Option<&HeavyFence> {
        match (&**self.memory(), self.role) {
            (Memory::Ring(memory::RingMemory { peer_fences: Some([reader, _]), .. }), Role::Reader) => Some(reader),
            (Memory::Ring(memory::RingMemory { peer_fences: Some([_, writer]), .. }), Role::Writer) => Some(writer),
            _ => None,
        }
    }

    /// In a model: the bound on sleeping, for a side that sleeps on memory that was removed.
    #[cfg(model)]
    fn end_sleeps(&self) {
        if let Memory::Ring(_) = **self.memory() {
            let mut beds = self.slot.shared.beds.lock();
            beds.removed.push(Arc::downgrade(self.memory()));
            self.slot.shared.woken.notify_all();
        }
    }

    /// Detaches, then gives the seat back: in this order, by contract B3.
    fn give_back(&mut self, in_order: bool) {
        if let Some(memory) = self.memory.take() {
            let mut state = self.slot.shared.state.lock();
            drop(memory);
            if !self.slot.shared.persists && Arc::strong_count(&state.current) == 1 {
                state.current = Memory::new(&self.slot.shared.shape);
            }
            match self.role {
                Role::Writer => {
                    state.writer = false;
                    state.open &= !in_order;
                }
                Role::Reader => state.reader = false,
                Role::Guest => {}
            }
        }
    }
}

/// A handle of a channel, for those who may end its sleeps.
struct Handle {
    channel: Channel,
    number: u64,
}

impl Interrupt for Handle {
    fn interrupt(&self) {
        let shared = &self.channel.shared;
        note(&mut shared.beds.lock().interrupted, self.number);
        shared.woken.notify_all();
        #[cfg(not(model))]
        {
            note(&mut shared.state.lock().interrupted, self.number);
            shared.changed.notify_all();
        }
    }
}

/// A handle was interrupted: once is enough.
fn note(interrupted: &mut Vec<u64>, handle: u64) {
    take(interrupted, handle);
    interrupted.push(handle);
}

/// Whether a handle was interrupted, which is forgotten.
fn take(interrupted: &mut Vec<u64>, handle: u64) -> bool {
    let before = interrupted.len();
    interrupted.retain(|other| *other != handle);
    interrupted.len() < before
}

impl Drop for InProc {
    fn drop(&mut self) {
        // A model that failed unwinds: nothing of it may be touched any more.
        if cfg!(model) && std::thread::panicking() {
            std::mem::forget(self.memory.take());
        }
        self.give_back(false);
    }
}

// SAFETY: the views are of memory that the handle holds, and are made anew with it.
unsafe impl Sealed for InProc {}

impl Backend for InProc {
    type Address = Channel;

    fn open(slot: &Channel, role: Role) -> Result<Self, Error> {
        let mut state = slot.shared.state.lock();
        let seat = match role {
            Role::Writer => Some(&mut state.writer),
            Role::Reader => Some(&mut state.reader),
            Role::Guest => None,
        };
        if let Some(seat) = seat {
            if *seat {
                return Err(Error::SeatTaken { at: Place::Channel, role, pid: std::process::id() });
            }
            *seat = true;
        }
        state.open |= role == Role::Writer;
        // As with the real one: a reader that comes later was not there to see
        // an earlier writer fail.
        state.open &= role != Role::Reader || state.writer;
        let memory = Some(Arc::clone(&state.current));
        state.handles += 1;
        let number = state.handles;
        drop(state);
        Ok(Self { slot: slot.clone(), role, number, memory })
    }

    fn layout(&self) -> Layout {
        match self.slot.shared.shape {
            Shape::Slot { .. } => Layout::Slot,
            Shape::Ring { capacity, .. } => Layout::Ring { capacity },
            Shape::Declared(_) => Layout::Declared,
        }
    }

    fn slot(&self) -> SlotView<'_> {
        self.memory().slot()
    }

    #[inline(always)]
    fn is_classic(&self) -> bool {
        self.memory().is_classic()
    }

    fn declared(&self) -> DeclaredView<'_> {
        self.memory().declared()
    }

    fn tell_end(&mut self) -> Result<(), Error> {
        self.slot.shared.state.lock().ended = true;
        Ok(())
    }

    fn forget_end(&self) {
        self.slot.shared.state.lock().ended = false;
    }

    fn ring(&self) -> RingView<'_> {
        self.memory().ring()
    }

    #[cfg(not(model))]
    fn sleep(&self, longest: Duration) {
        // A wake between the look at the flag and here is missed, and costs
        // `longest`: sleeps are bounded for that.
        let mut state = self.slot.shared.state.lock();
        if !take(&mut state.interrupted, self.number) {
            let _ = self.slot.shared.changed.wait_for(&mut state, longest);
            take(&mut state.interrupted, self.number);
        }
    }

    #[cfg(model)]
    fn sleep(&self, _: Duration) {
        crate::sync::yield_now();
    }

    fn interrupter(&mut self) -> Interrupter {
        Interrupter::of(Arc::new(Handle { channel: self.slot.clone(), number: self.number }))
    }

    fn wake(&self) {
        #[cfg(not(model))]
        self.slot.shared.changed.notify_all();
    }

    fn status(&mut self) -> Result<PeerStatus, Error> {
        let state = self.slot.shared.state.lock();
        let memory = self.memory();
        let removed = !Arc::ptr_eq(&state.current, memory);
        Ok(PeerStatus {
            peer_seated: match self.role {
                Role::Writer => state.reader,
                Role::Reader => state.writer,
                Role::Guest => false,
            },
            writer_failed: state.open && !state.writer,
            // The slot itself keeps one reference to what is current.
            attached: Arc::strong_count(memory) - usize::from(!removed),
            observers: 0,
            removed,
            reseated: false,
            ended: state.ended,
        })
    }

    fn persists(&self) -> bool {
        self.slot.shared.persists
    }

    fn reopen(&mut self) -> Result<(), Error> {
        let state = self.slot.shared.state.lock();
        self.memory = Some(Arc::clone(&state.current));
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        let mut state = self.slot.shared.state.lock();
        if Arc::ptr_eq(&state.current, self.memory()) {
            state.current = Memory::new(&self.slot.shared.shape);
            drop(state);
            #[cfg(model)]
            self.end_sleeps();
        }
        Ok(())
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        let mut state = self.slot.shared.state.lock();
        state.open &= state.writer;
        Ok(())
    }

    fn leave(mut self) -> Result<(), Error> {
        self.give_back(true);
        Ok(())
    }

    #[cfg_attr(model, allow(unused_variables))]
    fn park(&self, parked: &AtomicU32, longest: Duration) {
        let shared = &self.slot.shared;
        let mut beds = shared.beds.lock();
        if sync::as_the_kernel_sees(parked) != 1 {
            return;
        }
        if take(&mut beds.interrupted, self.number) {
            return;
        }
        // In a model without a bound: a side that would sleep forever is found out.
        #[cfg(model)]
        if beds.removed.iter().any(|removed| core::ptr::eq(removed.as_ptr(), Arc::as_ptr(self.memory()))) {
            drop(beds);
            return sync::yield_now();
        }
        #[cfg(loom)]
        if self.heavy_fence_state().is_some_and(|fence| fence.may_miss.replace(false)) {
            drop(beds);
            return self.let_time_pass();
        }
        let bed = core::ptr::from_ref(parked).addr();
        beds.asleep.push(bed);
        #[cfg(model)]
        {
            beds = shared.woken.wait(beds);
        }
        #[cfg(not(model))]
        let _ = shared.woken.wait_for(&mut beds, longest);
        if let Some(at) = beds.asleep.iter().position(|other| *other == bed) {
            beds.asleep.swap_remove(at);
        }
        take(&mut beds.interrupted, self.number);
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        let mut beds = self.slot.shared.beds.lock();
        // Whoever sleeps on another parked word wakes for no reason, and sleeps again.
        self.slot.shared.woken.notify_all();
        let before = beds.asleep.len();
        beds.asleep.retain(|bed| *bed != core::ptr::from_ref(parked).addr());
        beds.asleep.len() < before
    }

    #[cfg(loom)]
    fn heavy_fence(&self) -> bool {
        let Some(fence) = self.heavy_fence_state() else { return false };
        let can = sync::trace().can_fence_others();
        // A peer can have read the word just before it is taken back.
        if fence.kept.replace(can) && !can {
            fence.may_miss.set(true);
        }
        if can {
            sync::trace().heavy_fence();
        }
        can
    }
}
