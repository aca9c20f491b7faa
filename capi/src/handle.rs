//! Handles that stay recognisable when they are closed.

use shm_handoff::any::{Reader, Writer};
use shm_handoff::backend::sysv::SysV;
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Closed handles that wait before one of them is used again.
const QUARANTINE: usize = 64;

/// One end of a channel.
#[allow(non_camel_case_types)] // its name in C
#[allow(missing_debug_implementations)] // it is opaque
pub struct shmh {
    /// The next wait ends, or the one that goes on.
    pub(crate) interrupted: AtomicBool,
    side: UnsafeCell<Side>,
}

// SAFETY: `interrupted` is an atomic. `side` is touched by `with` and `close` alone, whose
// caller promises to be the only one at the time; what is in it may go from thread to thread.
unsafe impl Sync for shmh {}

pub(crate) enum Side {
    Closed,
    Writer(Writer<SysV>),
    Reader {
        reader: Reader<SysV>,
        /// The end was looked at.
        at_end: bool,
        /// The end was met, and the session is over.
        ended: bool,
    },
}

/// Headers of closed handles, the longest closed first. Their memory is never given back, so
/// that a look at one is a look at a header.
static CLOSED: Mutex<VecDeque<&'static shmh>> = Mutex::new(VecDeque::new());

fn closed() -> std::sync::MutexGuard<'static, VecDeque<&'static shmh>> {
    CLOSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A handle to `side`.
pub(crate) fn open(side: Side) -> *mut shmh {
    let mut closed = closed();
    let used = if closed.len() > QUARANTINE { closed.pop_front() } else { None };
    drop(closed);
    let header: &'static shmh = used.unwrap_or_else(|| {
        Box::leak(Box::new(shmh { interrupted: AtomicBool::new(false), side: UnsafeCell::new(Side::Closed) }))
    });
    header.interrupted.store(false, Ordering::Relaxed);
    // SAFETY: it was taken out of the list, or just made: nobody else uses it.
    unsafe { *header.side.get() = side };
    std::ptr::from_ref(header).cast_mut()
}

/// The header behind a handle; `None`: it is NULL.
///
/// # Safety
/// A handle that [`open`] gave, or NULL.
pub(crate) unsafe fn header(handle: *const shmh) -> Option<&'static shmh> {
    // SAFETY: the caller's promise; the memory of a header is never given back.
    unsafe { handle.as_ref() }
}

impl shmh {
    /// What is behind it.
    ///
    /// # Safety
    /// No other thread uses the handle meanwhile, and nothing from an earlier call is left.
    #[allow(clippy::mut_from_ref)] // that is what the promise is about
    pub(crate) unsafe fn side(&self) -> &mut Side {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.side.get() }
    }

    /// Closes it: `leave` is given what was behind it.
    ///
    /// # Safety
    /// As [`side`](Self::side).
    pub(crate) unsafe fn close<T>(&'static self, leave: impl FnOnce(Side) -> T) -> T {
        // SAFETY: the caller's promise.
        let side = std::mem::replace(unsafe { self.side() }, Side::Closed);
        let was_open = !matches!(side, Side::Closed);
        let left = leave(side);
        // Not before: who leaves may wait, and it is this handle that can be interrupted.
        if was_open {
            closed().push_back(self);
        }
        left
    }
}
