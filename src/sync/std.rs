//! Builds that are no model: the originals.

#[cfg(crash)]
pub use super::crash::{AtomicU8, AtomicU32, AtomicU64, fence};
pub use core::hint::spin_loop;
#[cfg(not(crash))]
pub use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, fence};
pub use parking_lot::{Condvar, Mutex};
pub use std::thread::yield_now;

/// The present moment.
#[must_use]
pub fn now() -> std::time::Instant {
    std::time::Instant::now()
}
