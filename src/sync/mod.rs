//! The only door to atomics, cells, locks and time. It has four faces:
//!
//! | build | what stands behind it |
//! | --- | --- |
//! | ordinary | `core` and `parking_lot` |
//! | `--cfg loom` | loom, every operation noted by its `probe` as it happens |
//! | `--cfg shuttle` | shuttle |
//! | `--cfg storm` | `core`, with a point before every operation at which the process can be killed |
//!
//! so that the code that is model-checked is the code that ships (`cfg(model)`
//! stands for either checker). `clippy.toml` bans the originals everywhere else.
#![allow(clippy::disallowed_types)] // this is the door

pub use core::sync::atomic::{Ordering, compiler_fence};

#[cfg(not(any(model, storm)))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, fence};
#[cfg(not(model))]
mod core_face;
#[cfg(not(model))]
pub use core_face::*;

#[cfg(all(storm, not(model)))]
mod storm_face;
#[cfg(all(storm, not(model)))]
pub use storm_face::*;

/// Around what a storm must be able to kill this process before, and after; nothing
/// anywhere else.
#[cfg(not(any(model, storm)))]
#[inline(always)]
pub(crate) fn around(_: &'static str) -> Around {
    Around
}

/// See [`around`].
#[cfg(not(any(model, storm)))]
pub(crate) struct Around;

/// What a storm is told of messages that were sent.
#[cfg(not(any(model, storm)))]
#[inline(always)]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a program counts"))]
pub(crate) fn sent(_: u64) {}

#[cfg(loom)]
mod loom_face;
#[cfg(loom)]
pub use loom_face::*;
#[cfg(loom)]
#[doc(hidden)]
pub mod probe;

#[cfg(all(shuttle, not(loom)))]
mod shuttle_face;
#[cfg(all(shuttle, not(loom)))]
pub use shuttle_face::*;

/// Time stands still in a model: whatever depended on it could not be
/// replayed.
#[cfg(model)]
#[must_use]
pub fn now() -> std::time::Instant {
    static ONLY: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    *ONLY.get_or_init(std::time::Instant::now)
}

/// The parked word as a kernel's futex looks at it: ordered by the lock around the
/// sleepers, and by nothing else.
#[cfg(not(loom))]
pub(crate) fn as_the_kernel_sees(parked: &AtomicU32) -> u32 {
    parked.load(Ordering::Relaxed)
}

/// What lies in a segment besides a ring's header and its records: made once, under the
/// kernel's lock, and looked at by the next maker or by an observer. No order of it
/// matters, so it is of no model.
#[cfg(not(model))]
pub(crate) mod as_the_maker {
    use super::{AtomicU32, Ordering};

    #[cfg_attr(storm, track_caller)]
    pub(crate) fn put(word: &AtomicU32, value: u32) {
        word.store(value, Ordering::Relaxed);
    }

    #[cfg_attr(storm, track_caller)]
    pub(crate) fn peek(word: &AtomicU32) -> u32 {
        word.load(Ordering::Relaxed)
    }
}

/// An access without any order, as of C's plain `int`: the tutorial's flag.
/// loom reports two of them that race; on real memory they are relaxed, which
/// is defined in our program and as permissive as the processor is.
#[cfg(not(loom))]
pub(crate) mod plain {
    use super::{AtomicU32, Ordering};

    pub(crate) fn load(flag: &AtomicU32) -> u32 {
        flag.load(Ordering::Relaxed)
    }

    pub(crate) fn store(flag: &AtomicU32, value: u32) {
        flag.store(value, Ordering::Relaxed);
    }
}
