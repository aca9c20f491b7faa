//! What is behind a `Reader` or a `Writer`: one side, which one thread of one process uses at a time.

use crate::error;
use pyo3::prelude::*;
use shm_handoff_async::{Descriptor, Paused};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

/// How often this process was forked on the way from the one that imported the module.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Has every fork counted from now on, in the child.
pub(crate) fn watch_forks() -> PyResult<()> {
    extern "C" fn count() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    static WATCHED: Mutex<bool> = Mutex::new(false);
    let mut is_watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_watched {
        // SAFETY: the function touches an atomic alone, and the module is never unloaded.
        match unsafe { libc::pthread_atfork(None, None, Some(count)) } {
            0 => *is_watched = true,
            errno => return Err(std::io::Error::from_raw_os_error(errno).into()),
        }
    }
    Ok(())
}

/// The process in which a side was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home(u32);

impl Home {
    pub(crate) fn here() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// A forked child has no part in its parent's sides: their memory is not even mapped there.
    #[inline]
    pub(crate) fn check(self) -> PyResult<()> {
        if self == Self::here() { Ok(()) } else { Err(error::forked()) }
    }
}

/// The library's end of a channel.
enum Source<E: shm_handoff_async::Endpoint> {
    Plain(E),
    /// From the first call of `fileno()` on.
    Watched(Box<Descriptor<E>>),
}

impl<E: shm_handoff_async::Endpoint> Source<E> {
    #[inline]
    fn with<T>(&mut self, call: impl FnOnce(&mut E) -> T) -> T {
        match self {
            Self::Plain(end) => call(end),
            Self::Watched(end) => end.with(call),
        }
    }

    fn watch(self, want: Option<impl FnOnce(&mut Paused<E>)>) -> (Self, Result<RawFd, shm_handoff::Error>) {
        let (end, mut paused) = match self {
            Self::Watched(watched) if want.is_none() => {
                let descriptor = watched.as_raw_fd();
                return (Self::Watched(watched), Ok(descriptor));
            }
            Self::Watched(watched) => watched.pause(),
            Self::Plain(end) => match Paused::new() {
                Ok(paused) => (end, paused),
                Err(error) => return (Self::Plain(end), Err(error)),
            },
        };
        if let Some(want) = want {
            want(&mut paused);
        }
        let descriptor = paused.as_raw_fd();
        (Self::Watched(Box::new(paused.resume(end))), Ok(descriptor))
    }
}

/// One end of a channel until it is closed, and what is noted beside it.
pub(crate) struct Endpoint<E: shm_handoff_async::Endpoint, S> {
    home: Home,
    side: Mutex<Option<(Source<E>, S)>>,
}

impl<E: shm_handoff_async::Endpoint, S> Endpoint<E, S> {
    pub(crate) fn new(end: E, noted: S) -> Self {
        Self { home: Home::here(), side: Mutex::new(Some((Source::Plain(end), noted))) }
    }

    pub(crate) fn home(&self) -> Home {
        self.home
    }

    /// Runs `call` with the end. Nobody is waited for: a thread that waits inside a call may wait forever.
    #[inline]
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut E, &mut S) -> PyResult<T>) -> PyResult<T> {
        self.slot(|side| {
            let (source, noted) = side.as_mut().ok_or_else(error::closed)?;
            source.with(|end| call(end, noted))
        })
    }

    /// A descriptor that is readable when there is something to do; `want` says what, if that is to change. Where there can be
    /// none, the side goes on without.
    pub(crate) fn fileno(
        &self,
        want: Option<impl FnOnce(&mut Paused<E>)>,
    ) -> PyResult<Result<RawFd, shm_handoff::Error>> {
        self.slot(|side| {
            let (source, noted) = side.take().ok_or_else(error::closed)?;
            let (source, descriptor) = source.watch(want);
            *side = Some((source, noted));
            Ok(descriptor)
        })
    }

    /// Takes the end out, if it was not closed before.
    pub(crate) fn take(&self) -> PyResult<Option<E>> {
        self.slot(|side| {
            Ok(side.take().map(|(source, _)| match source {
                Source::Plain(end) => end,
                Source::Watched(end) => end.into_inner(),
            }))
        })
    }

    /// Whether it was closed; one that another thread is in a call with was not.
    pub(crate) fn is_closed(&self) -> bool {
        self.side.try_lock().is_ok_and(|side| side.is_none())
    }

    #[inline]
    fn slot<T>(&self, call: impl FnOnce(&mut Option<(Source<E>, S)>) -> PyResult<T>) -> PyResult<T> {
        self.home.check()?;
        match self.side.try_lock() {
            Ok(mut side) => call(&mut side),
            Err(TryLockError::Poisoned(side)) => call(&mut side.into_inner()),
            Err(TryLockError::WouldBlock) => Err(error::in_use()),
        }
    }
}
