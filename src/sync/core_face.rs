//! Builds that are no model: the originals, but for the atomics.

pub use parking_lot::{Condvar, Mutex};
pub use std::thread::yield_now;
use std::time::Instant;

/// Tells the processor that this is a spin loop (`pause` on x86).
#[inline]
pub fn spin_loop() {
    core::hint::spin_loop();
}

/// The present moment.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}
