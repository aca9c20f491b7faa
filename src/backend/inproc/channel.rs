//! What two sides in one process share.

use super::memory::{Memory, Shape};
use crate::backend::memory::{Geometry, WORD};
use crate::declare::Declared;
use crate::sync::{Condvar, Mutex};
use std::fmt;
use std::sync::Arc;
#[cfg(model)]
use std::sync::Weak;

/// What the two sides share, like a segment at its key. Clones name the same.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// let same = channel.clone();
/// assert!(Reader::<InProc>::open(&same).is_err(), "a clone has the same seats");
/// ```
#[derive(Clone)]
pub struct Channel {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) shape: Shape,
    /// The memory stays when nobody is attached.
    pub(super) persists: bool,
    pub(super) state: Mutex<State>,
    #[cfg(not(model))]
    pub(super) changed: Condvar,
    /// Where sleepers lie, as in the kernel's futex: the lock makes the look at
    /// a parked word and falling asleep one step.
    pub(super) beds: Mutex<Beds>,
    pub(super) woken: Condvar,
}

/// The sides that sleep.
#[derive(Default)]
pub(super) struct Beds {
    /// The parked words that a side sleeps on, by their addresses; a side that is woken is
    /// struck off.
    pub(super) asleep: Vec<usize>,
    /// The handles whose next park is to be over at once.
    pub(super) interrupted: Vec<u64>,
    /// The memory that was removed. In a model sleeps have no bound, but for those
    /// on removed memory: nothing else ends them.
    #[cfg(model)]
    pub(super) removed: Vec<Weak<Memory>>,
}

/// Which seats are taken, and the memory that newcomers get. Behind a lock, which is
/// the happens-before edge of contract B4.
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
pub(super) struct State {
    pub(super) writer: bool,
    pub(super) reader: bool,
    /// A writer was seated and has not left in order.
    pub(super) open: bool,
    /// An end of records was told, and not met.
    pub(super) ended: bool,
    /// The handles whose next sleep is to be over at once.
    #[cfg(not(model))]
    pub(super) interrupted: Vec<u64>,
    /// How many there have been.
    pub(super) handles: u64,
    pub(super) current: Arc<Memory>,
}

impl Channel {
    /// A slot for texts of up to `text_len` - 1 bytes; the classic layout has
    /// a `text_len` of 2048.
    ///
    /// # Panics
    /// If `text_len` is not a multiple of 4, or 0.
    ///
    /// ```
    /// # use shm_handoff::example::*; skip_model();
    /// let writer = Writer::<InProc>::open(&Channel::new(64))?;
    /// assert_eq!((writer.backend().layout(), writer.capacity()), (Layout::Slot, 63));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(text_len: usize) -> Self {
        assert!(text_len > 0 && text_len.is_multiple_of(WORD), "text_len is {text_len}, not a multiple of {WORD}");
        Self::of(Shape::Slot { text_len })
    }

    /// A slot in the struct that `declared` describes. (In one process the sides share what a segment of that size would
    /// have, so nothing lies beside the struct that anybody else uses.)
    ///
    /// ```
    /// # use shm_handoff::example::*; skip_model();
    /// let channel = Channel::declared(&"struct { int written; float image[4]; }".parse()?);
    /// let mut reader = Reader::<InProc>::open(&channel)?;
    /// let mut writer = Writer::<InProc>::open(&channel)?;
    /// writer.send(&[7; 16])?;
    /// assert_eq!(reader.recv(&mut [0; 16])?, Received::Message(16));
    /// writer.end()?;
    /// assert_eq!(reader.recv(&mut [0; 16])?, Received::End);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn declared(declared: &Declared) -> Self {
        Self::of(Shape::Declared(Arc::new(Geometry::from(declared))))
    }

    /// A ring with `capacity` bytes for records of up to a quarter of it.
    ///
    /// # Panics
    /// If `capacity` is not a power of two of 64 at least.
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
            #[cfg(model)]
            carries: false,
            #[cfg(loom)]
            peer_fences: false,
        })
    }

    /// The same, into which something is [carried on](crate::Writer::carry).
    #[doc(hidden)]
    #[must_use]
    #[cfg(model)]
    pub fn that_carries(self) -> Self {
        let mut shape = self.shared.shape.clone();
        let Shape::Ring { carries, .. } = &mut shape else { panic!("a slot carries nothing on") };
        *carries = true;
        Self::of(shape)
    }

    /// Who is seated, what the seats say of the writer, and which memory newcomers get: all that the kernel knows.
    #[doc(hidden)]
    #[must_use]
    #[cfg(explored)]
    pub fn facts(&self) -> (usize, [bool; 4]) {
        let state = self.shared.state.lock();
        (state.current.number(), [state.writer, state.reader, state.open, state.ended])
    }

    /// The same, whose sides have heavy fences.
    #[doc(hidden)]
    #[must_use]
    #[cfg(loom)]
    pub fn with_heavy_fences(self) -> Self {
        match self.shared.shape {
            Shape::Ring { capacity, longest, start, carries, .. } => {
                Self::of(Shape::Ring { capacity, longest, start, carries, peer_fences: true })
            }
            Shape::Slot { .. } | Shape::Declared(_) => panic!("a slot has no heavy fences"),
        }
    }

    fn of(shape: Shape) -> Self {
        Self::with(shape, true)
    }

    /// As this one, with memory that goes with its last attachment.
    #[doc(hidden)]
    #[must_use]
    pub fn that_goes_with_its_last(self) -> Self {
        Self::with(self.shared.shape.clone(), false)
    }

    fn with(shape: Shape, persists: bool) -> Self {
        let state = State {
            writer: false,
            reader: false,
            open: false,
            ended: false,
            #[cfg(not(model))]
            interrupted: Vec::new(),
            handles: 0,
            current: Memory::new(&shape),
        };
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
