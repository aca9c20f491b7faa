//! The only door to atomics, cells, locks and time:
//!
//! | build | what stands behind it |
//! | --- | --- |
//! | ordinary | `core` and `parking_lot` |
//! | `--cfg loom` | loom, with what watches each operation: see `trace` |
//! | `--cfg shuttle` | shuttle |
//! | `--cfg explored` | the explorer of `tests/lab`, which is asked what each operation does: see `explored` |
//! | `--cfg crash` | `core`, with a failpoint before each operation |
//!
//! So the code that is model-checked is the code that ships (`cfg(model)` stands for any of the three checkers).
//! `clippy.toml` bans the originals everywhere else.
#![allow(clippy::disallowed_types)] // this is the door

pub use core::sync::atomic::{Ordering, compiler_fence};

#[cfg(crash)]
mod crash;
#[cfg(explored)]
pub mod explored;
#[cfg(loom)]
mod loom;
#[cfg(shuttle)]
mod shuttle;
#[cfg(not(model))]
mod std;
#[cfg(loom)]
pub mod trace;

#[cfg(explored)]
pub use self::explored::*;
#[cfg(loom)]
pub use self::loom::*;
#[cfg(shuttle)]
pub use self::shuttle::*;
#[cfg(not(model))]
pub use self::std::*;

/// Time stands still in a model: what depended on it could not be replayed.
#[cfg(model)]
#[must_use]
pub fn now() -> ::std::time::Instant {
    static ONLY: ::std::sync::OnceLock<::std::time::Instant> = ::std::sync::OnceLock::new();
    *ONLY.get_or_init(::std::time::Instant::now)
}

/// What the thread of a process that was killed unwinds with. It is not a panic: the model has not failed.
#[cfg(model)]
#[derive(Debug)]
pub struct Killed;

/// The word of a sleeper as a kernel's futex looks at it: ordered by the lock around the sleepers, and
/// by nothing else.
#[cfg(not(any(loom, explored)))]
pub(crate) fn as_the_kernel_sees(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

/// An access without any order, as of C's plain `int`: the tutorial's flag. loom reports two of them
/// that race. On real memory they are relaxed, which is defined in our program and as permissive as
/// the processor is.
#[cfg(not(any(loom, explored)))]
pub(crate) mod plain {
    use super::{AtomicU32, Ordering};

    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        flag.load(Ordering::Relaxed)
    }

    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        flag.store(value, Ordering::Relaxed);
    }
}
