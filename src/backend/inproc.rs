//! Both sides in one process: for tests, for examples, and, under
//! `--cfg loom` or `--cfg shuttle`, for the model checkers.
//!
//! ```
//! # #[cfg(not(model))] {
//! use shm_handoff::{Reader, Writer, backend::inproc::{InProc, Slot}};
//! let slot = Slot::new(2048);
//! let mut reader = Reader::<InProc>::open(&slot).unwrap();
//! let mut writer = Writer::<InProc>::open(&slot).unwrap();
//! writer.send(b"hello\n").unwrap();
//! let mut text = [0; 2048];
//! assert_eq!(reader.recv(&mut text), Ok(6));
//! assert_eq!(&text[..6], b"hello\n");
//! # }
//! ```

use super::payload::{Cell, Payload, WORD};
use super::{Backend, Census};
use crate::error::{Error, Role};
use crate::sync::{AtomicU32, Mutex};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the two sides share, like a segment at its key. Clones name the same.
#[derive(Clone)]
pub struct Slot {
    shared: Arc<Shared>,
}

struct Shared {
    text_len: usize,
    state: Mutex<State>,
    #[cfg(not(model))]
    changed: crate::sync::Condvar,
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

struct Memory {
    flag: AtomicU32,
    text: Box<[Cell]>,
}

// SAFETY: the cells are the payload, reached through `Payload` alone, one word
// at a time; loom checks each access, and stops the model at a race before it
// happens. In ordinary builds the cells are atomics and this is derived.
#[cfg(loom)]
unsafe impl Sync for Memory {}

impl Memory {
    fn new(text_len: usize) -> Arc<Self> {
        let words = text_len / WORD;
        let memory = Arc::new(Self { flag: AtomicU32::new(0), text: (0..words).map(|_| Cell::new(0)).collect() });
        #[cfg(loom)]
        crate::sync::probe::label(&memory.flag, &memory.text);
        memory
    }
}

impl Slot {
    /// A slot for texts of up to `text_len` - 1 bytes; the classic layout has
    /// a `text_len` of 2048.
    ///
    /// # Panics
    /// If `text_len` is not a multiple of 4, or 0.
    #[must_use]
    pub fn new(text_len: usize) -> Self {
        assert!(text_len > 0 && text_len.is_multiple_of(WORD), "text_len is {text_len}, not a multiple of {WORD}");
        let state = State { writer: false, reader: false, open: false, current: Memory::new(text_len) };
        Self {
            shared: Arc::new(Shared {
                text_len,
                state: Mutex::new(state),
                #[cfg(not(model))]
                changed: crate::sync::Condvar::new(),
            }),
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("text_len", &self.shared.text_len).finish_non_exhaustive()
    }
}

/// One side's handle on a [`Slot`].
pub struct InProc {
    slot: Slot,
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

    /// Detaches, then gives the seat back: in this order, by contract B3.
    fn give_back(&mut self, in_order: bool) {
        if let Some(memory) = self.memory.take() {
            let mut state = self.slot.shared.state.lock();
            drop(memory);
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

impl Backend for InProc {
    type Address = Slot;

    fn open(slot: &Slot, role: Role) -> Result<Self, Error> {
        let mut state = slot.shared.state.lock();
        let seat = match role {
            Role::Writer => Some(&mut state.writer),
            Role::Reader => Some(&mut state.reader),
            Role::Guest => None,
        };
        if let Some(seat) = seat {
            if *seat {
                return Err(Error::SeatTaken { key: 0, role, pid: std::process::id() });
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

    fn flag(&self) -> &AtomicU32 {
        &self.memory().flag
    }

    fn payload(&self) -> Payload<'_> {
        Payload::from_words(&self.memory().text)
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

    fn census(&mut self) -> Result<Census, Error> {
        let state = self.slot.shared.state.lock();
        let memory = self.memory();
        let removed = !Arc::ptr_eq(&state.current, memory);
        Ok(Census {
            peer_seated: match self.role {
                Role::Writer => state.reader,
                Role::Reader => state.writer,
                Role::Guest => false,
            },
            writer_failed: state.open && !state.writer,
            // The slot itself keeps one reference to what is current.
            attached: Arc::strong_count(memory) - usize::from(!removed),
            removed,
        })
    }

    fn reopen(&mut self) -> Result<(), Error> {
        let state = self.slot.shared.state.lock();
        self.memory = Some(Arc::clone(&state.current));
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        let mut state = self.slot.shared.state.lock();
        if Arc::ptr_eq(&state.current, self.memory()) {
            state.current = Memory::new(self.slot.shared.text_len);
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
}
