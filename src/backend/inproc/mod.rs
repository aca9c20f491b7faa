//! Both sides in one process: for tests, for examples, and, under
//! `--cfg loom` or `--cfg shuttle`, for the model checkers.
//!
//! ```
//! # #[cfg(not(model))] {
//! use shm_handoff::{Reader, Writer, backend::inproc::{Channel, InProc}};
//! let slot = Channel::new(2048);
//! let mut reader = Reader::<InProc>::open(&slot).unwrap();
//! let mut writer = Writer::<InProc>::open(&slot).unwrap();
//! writer.send(b"hello\n").unwrap();
//! let mut text = [0; 2048];
//! assert_eq!(reader.recv(&mut text), Ok(6));
//! assert_eq!(&text[..6], b"hello\n");
//! # }
//! ```

mod memory;

use super::memory::WORD;
use super::{Backend, Layout, PeerStatus, RingView, Sealed, SlotView};
use crate::error::{Error, Place, Role};
use crate::sync::{self, AtomicU32, Condvar, Mutex};
use memory::{Memory, Shape};
use std::fmt;
use std::sync::Arc;
#[cfg(model)]
use std::sync::Weak;
use std::time::Duration;

/// What the two sides share, like a segment at its key. Clones name the same.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, backend::inproc::{Channel, InProc}};
/// let slot = Channel::new(2048);
/// let (reader, same) = (Reader::<InProc>::open(&slot)?, slot.clone());
/// assert!(Reader::<InProc>::open(&same).is_err(), "a clone has the same seats");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

struct Shared {
    shape: Shape,
    /// The memory stays when nobody is attached.
    persists: bool,
    state: Mutex<State>,
    #[cfg(not(model))]
    changed: Condvar,
    /// Where sleepers lie, as in the kernel's futex: the lock makes the look at
    /// a parked word and falling asleep one step.
    beds: Mutex<Beds>,
    woken: Condvar,
}

/// Who sleeps.
#[derive(Default)]
struct Beds {
    /// The parked words that somebody sleeps on, by their addresses; whoever is woken is
    /// struck off.
    asleep: Vec<usize>,
    /// The memory that was removed. In a model sleeps have no bound, but for those
    /// on removed memory: nothing else ends them.
    #[cfg(model)]
    removed: Vec<Weak<Memory>>,
}

/// Who sits where, and the memory that newcomers get. Behind a lock, which is
/// the happens-before edge of contract B4.
struct State {
    writer: bool,
    reader: bool,
    /// A writer was seated and has not left in order.
    open: bool,
    current: Arc<Memory>,
}

impl Channel {
    /// A slot for texts of up to `text_len` - 1 bytes; the classic layout has
    /// a `text_len` of 2048.
    ///
    /// # Panics
    /// If `text_len` is not a multiple of 4, or 0.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Writer, backend::inproc::{Channel, InProc}};
    /// let writer = Writer::<InProc>::open(&Channel::new(2048))?;
    /// assert_eq!(writer.capacity(), 2047);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(text_len: usize) -> Self {
        assert!(text_len > 0 && text_len.is_multiple_of(WORD), "text_len is {text_len}, not a multiple of {WORD}");
        Self::of(Shape::Slot { text_len })
    }

    /// A ring with `capacity` bytes for records of up to a quarter of it.
    ///
    /// # Panics
    /// If `capacity` is not a power of two of 64 at least.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// let ring = Channel::ring(4096);
    /// let mut writer = Writer::<InProc>::open(&ring).unwrap();
    /// writer.send(b"any\0bytes").unwrap();
    /// let mut bytes = [0; 1024];
    /// let mut reader = Reader::<InProc>::open(&ring).unwrap();
    /// assert_eq!(reader.recv(&mut bytes), Ok(9));
    /// assert_eq!(&bytes[..9], b"any\0bytes");
    /// # }
    /// ```
    #[must_use]
    pub fn ring(capacity: usize) -> Self {
        assert!(capacity.is_power_of_two() && capacity >= 64, "{capacity} bytes are no ring");
        Self::ring_from(capacity, capacity / 4, 0)
    }

    /// A ring for records of up to `longest` bytes, whose positions start at
    /// `start`: what tests use to be at a boundary at once.
    ///
    /// # Panics
    /// If `capacity` is not a power of two, of 16 at least, with room for two of
    /// the longest records, or `start` is not a multiple of 8.
    #[doc(hidden)]
    #[must_use]
    pub fn ring_from(capacity: usize, longest: usize, start: u64) -> Self {
        assert!(capacity.is_power_of_two() && capacity >= 16, "{capacity} bytes are no ring");
        assert!(
            2 * (8 + longest.next_multiple_of(8)) <= capacity,
            "a ring of {capacity} has no room for two of {longest}"
        );
        assert!(start.is_multiple_of(8), "{start} is no position");
        Self::of(Shape::Ring {
            capacity,
            longest,
            start,
            #[cfg(loom)]
            peer_fences: false,
        })
    }

    /// The same, whose sides have heavy fences.
    #[doc(hidden)]
    #[must_use]
    #[cfg(loom)]
    pub fn with_heavy_fences(self) -> Self {
        match self.shared.shape {
            Shape::Ring { capacity, longest, start, .. } => {
                Self::of(Shape::Ring { capacity, longest, start, peer_fences: true })
            }
            Shape::Slot { .. } => panic!("a classic slot has no heavy fences"),
        }
    }

    fn of(shape: Shape) -> Self {
        Self::with(shape, true)
    }

    /// As this one, with memory that goes with its last attachment.
    #[doc(hidden)]
    #[must_use]
    pub fn that_goes_with_its_last(self) -> Self {
        Self::with(self.shared.shape, false)
    }

    fn with(shape: Shape, persists: bool) -> Self {
        let state = State { writer: false, reader: false, open: false, current: Memory::new(shape) };
        Self {
            shared: Arc::new(Shared {
                shape,
                persists,
                state: Mutex::new(state),
                #[cfg(not(model))]
                changed: Condvar::new(),
                beds: Mutex::new(Beds::default()),
                woken: Condvar::new(),
            }),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("shape", &self.shared.shape).finish_non_exhaustive()
    }
}

/// One side's handle on a [`Channel`].
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
/// # let slot = Channel::new(2048);
/// let mut reader = InProc::open(&slot, Role::Reader)?;
/// let writer = InProc::open(&slot, Role::Writer)?;
/// assert!(reader.status()?.peer_seated);
/// writer.leave()?;
/// assert!(!reader.status()?.peer_seated);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InProc {
    slot: Channel,
    role: Role,
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
    fn heavy_fence_state(&self) -> Option<&memory::HeavyFence> {
        match (&**self.memory(), self.role) {
            (Memory::Ring(memory::RingMemory { peer_fences: Some([reader, _]), .. }), Role::Reader) => Some(reader),
            (Memory::Ring(memory::RingMemory { peer_fences: Some([_, writer]), .. }), Role::Writer) => Some(writer),
            _ => None,
        }
    }

    /// In a model: the bound on sleeping, for who sleeps on memory that was removed.
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
                state.current = Memory::new(self.slot.shared.shape);
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

impl Drop for InProc {
    fn drop(&mut self) {
        // A model that failed unwinds: nothing of it may be touched any more.
        if cfg!(model) && std::thread::panicking() {
            std::mem::forget(self.memory.take());
        }
        self.give_back(false);
    }
}

impl Sealed for InProc {}

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
        drop(state);
        Ok(Self { slot: slot.clone(), role, memory })
    }

    fn layout(&self) -> Layout {
        match self.slot.shared.shape {
            Shape::Slot { .. } => Layout::Slot,
            Shape::Ring { capacity, .. } => Layout::Ring { capacity },
        }
    }

    fn slot(&self) -> SlotView<'_> {
        self.memory().slot()
    }

    fn ring(&self) -> RingView<'_> {
        self.memory().ring()
    }

    #[cfg(not(model))]
    fn sleep(&self, longest: Duration) {
        // A wake between the look at the flag and here is missed, and costs
        // `longest`: sleeps are bounded for that.
        let mut state = self.slot.shared.state.lock();
        let _ = self.slot.shared.changed.wait_for(&mut state, longest);
    }

    #[cfg(model)]
    fn sleep(&self, _: Duration) {
        crate::sync::yield_now();
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
            state.current = Memory::new(self.slot.shared.shape);
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
        // In a model without a bound: who would sleep for ever is found out.
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
