//! Handles that stay recognisable when they are closed, and in a child that inherits them.

use crate::status::{Fault, SHMH_E_CLOSED};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Reader, Writer};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

/// Closed handles that wait before one of them is used again.
const QUARANTINE: usize = 64;

/// One end of a channel.
#[allow(non_camel_case_types)] // its name in C
#[allow(missing_debug_implementations)] // it is opaque
pub struct shmh {
    /// The next wait ends, or the one that goes on.
    pub(crate) interrupted: AtomicBool,
    /// Pid of the process that opened it.
    opened_by: AtomicU32,
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
        /// The end was peeked at.
        at_end: bool,
        /// The end was met, and the session is over.
        ended: bool,
    },
}

/// The pid of this process, once it has opened a handle. The kernel zeroes it in every child, so
/// that a load tells a child's handles from its parent's. `None`: a kernel before 4.14, or a
/// sandbox; then each call asks for the pid.
static PID: LazyLock<Option<&'static AtomicU32>> = LazyLock::new(|| {
    const LEN: usize = size_of::<AtomicU32>();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping of its own, at an address that the kernel chooses, and never unmapped;
    // zero is a valid atomic.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), LEN, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        let is_ours = page != libc::MAP_FAILED && libc::madvise(page, LEN, libc::MADV_WIPEONFORK) == 0;
        is_ours.then(|| AtomicU32::from_ptr(page.cast()))
    }
});

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
        let side = UnsafeCell::new(Side::Closed);
        Box::leak(Box::new(shmh { interrupted: AtomicBool::new(false), opened_by: AtomicU32::new(0), side }))
    });
    header.interrupted.store(false, Ordering::Relaxed);
    let pid = std::process::id();
    header.opened_by.store(pid, Ordering::Relaxed);
    if let Some(mark) = *PID {
        mark.store(pid, Ordering::Relaxed);
    }
    // SAFETY: it was taken out of the list, or just made: nobody else uses it.
    unsafe { *header.side.get() = side };
    std::ptr::from_ref(header).cast_mut()
}

/// The header behind a handle of this process; `None`: it is NULL.
///
/// In a forked child what is behind its parent's must not be touched: the memory is not there,
/// and the seat is the parent's to give back.
///
/// # Safety
/// A handle that [`open`] gave, or NULL.
#[inline]
pub(crate) unsafe fn header(handle: *const shmh) -> Result<Option<&'static shmh>, Fault> {
    // SAFETY: the caller's promise; the memory of a header is never given back.
    let Some(header) = (unsafe { handle.as_ref() }) else { return Ok(None) };
    let pid = PID.map_or_else(std::process::id, |mark| mark.load(Ordering::Relaxed));
    if header.opened_by.load(Ordering::Relaxed) == pid { Ok(Some(header)) } else { Err(inherited()) }
}

#[cold]
fn inherited() -> Fault {
    Fault::new(SHMH_E_CLOSED, c"the handle is the parent process's: a child opens one of its own")
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
