//! Handles that stay recognisable when they are closed, and in a child that inherits them.

use crate::polled::Polled;
use crate::status::{Fault, SHMH_E_CLOSED};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Reader, Writer};
use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Closed handles that wait before one of them is used again.
const QUARANTINE: usize = 64;

/// One end of a channel.
#[allow(non_camel_case_types)] // its name in C
#[allow(missing_debug_implementations)] // it is opaque
pub struct shmh {
    /// The next wait ends, or the one that goes on.
    pub(crate) interrupted: AtomicBool,
    /// 1 in the process that opened it: the kernel zeroes it in every child, so that a load tells a
    /// child's handles from its parent's. [`UNKNOWN`]: a kernel before 4.14, or a sandbox.
    mark: &'static AtomicU32,
    /// Pid of the process that opened it; for where the mark is unknown.
    opened_by: AtomicU32,
    side: UnsafeCell<Side>,
}

// SAFETY: `interrupted` is an atomic. `side` is touched by `with` and `close` alone, whose
// caller promises to be the only one at the time; what is in it may go from thread to thread.
unsafe impl Sync for shmh {}

pub(crate) enum Side {
    Closed,
    Writer(Writer<SysV>),
    Reader(Reader<SysV>),
    /// A reader whose last peek was at the end of the session.
    AtEnd(Reader<SysV>),
    /// A reader that has met the end: it keeps its seat until it is closed.
    Ended(Reader<SysV>),
    /// Any of these, with a descriptor.
    Polled(Box<Polled>),
}

static UNKNOWN: AtomicU32 = AtomicU32::new(0);

/// Marks, by the page.
const MARKS: usize = 1024;

/// Marks that the kernel zeroes in every child, and that are never given back.
fn marks() -> &'static [AtomicU32] {
    const LEN: usize = MARKS * size_of::<AtomicU32>();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping of its own, at an address that the kernel chooses, and never unmapped, of as many atomics;
    // zero is a valid one.
    unsafe {
        let page = libc::mmap(std::ptr::null_mut(), LEN, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        if page == libc::MAP_FAILED {
            return &[];
        }
        if libc::madvise(page, LEN, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, LEN);
            return &[];
        }
        std::slice::from_raw_parts(page.cast(), MARKS)
    }
}

impl Side {
    /// The reader is `to` now.
    pub(crate) fn turn(&mut self, to: fn(Reader<SysV>) -> Self) {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Reader(reader) | Self::AtEnd(reader) | Self::Ended(reader) => to(reader),
            other => other,
        };
    }
}

/// What is left for the handles that are opened next.
struct Unused {
    /// Headers of closed handles, the longest closed first. Their memory is never given back, so
    /// that a look at one is a look at a header.
    closed: VecDeque<&'static shmh>,
    marks: &'static [AtomicU32],
}

static UNUSED: Mutex<Unused> = Mutex::new(Unused { closed: VecDeque::new(), marks: &[] });

impl Unused {
    fn header(&mut self) -> &'static shmh {
        if self.closed.len() > QUARANTINE
            && let Some(header) = self.closed.pop_front()
        {
            return header;
        }
        if self.marks.is_empty() {
            self.marks = marks();
        }
        let mark = self.marks.split_off_first().unwrap_or(&UNKNOWN);
        let (interrupted, opened_by) = (AtomicBool::new(false), AtomicU32::new(0));
        Box::leak(Box::new(shmh { mark, opened_by, interrupted, side: UnsafeCell::new(Side::Closed) }))
    }
}

fn unused() -> std::sync::MutexGuard<'static, Unused> {
    UNUSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A handle to `side`.
pub(crate) fn open(side: Side) -> *mut shmh {
    let header = unused().header();
    header.interrupted.store(false, Ordering::Relaxed);
    header.opened_by.store(std::process::id(), Ordering::Relaxed);
    if !header.is_unknown() {
        header.mark.store(1, Ordering::Relaxed);
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
    let is_ours =
        header.is_ours() || (header.is_unknown() && header.opened_by.load(Ordering::Relaxed) == std::process::id());
    if is_ours { Ok(Some(header)) } else { Err(inherited()) }
}

/// What is behind a handle of this process, if a glance tells; `None` for NULL.
///
/// # Safety
/// As [`header`] and [`shmh::side`].
#[inline(always)]
pub(crate) unsafe fn glance<'a>(handle: *mut shmh) -> Option<&'a mut Side> {
    // SAFETY: the caller's promise.
    let header = unsafe { handle.as_ref() }?;
    // SAFETY: the caller's promise.
    header.is_ours().then(|| unsafe { header.side() })
}

#[cold]
fn inherited() -> Fault {
    Fault::new(SHMH_E_CLOSED, c"the handle is the parent process's: a child opens one of its own")
}

impl shmh {
    /// It was opened by this process, as far as a glance tells.
    #[inline(always)]
    fn is_ours(&self) -> bool {
        self.mark.load(Ordering::Relaxed) != 0
    }

    /// No glance tells.
    fn is_unknown(&self) -> bool {
        std::ptr::eq(self.mark, &raw const UNKNOWN)
    }

    /// What is behind it.
    ///
    /// # Safety
    /// No other thread uses the handle meanwhile, and nothing from an earlier call is left.
    #[allow(clippy::mut_from_ref)] // that is what the promise is about
    #[inline(always)]
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
        // Not before: a side that leaves may wait, and it is this handle that can be interrupted.
        if was_open {
            unused().closed.push_back(self);
        }
        left
    }
}
