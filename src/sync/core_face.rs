//! Builds that are no model: the originals, but for the atomics.

pub use parking_lot::{Condvar, Mutex};
pub use std::thread::yield_now;
use std::time::Instant;

/// Tells the processor that this is a spin loop (`pause` on x86).
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::sync::{AtomicU32, Ordering, spin_loop};
/// let flag = AtomicU32::new(0);
/// std::thread::scope(|scope| {
///     scope.spawn(|| flag.store(1, Ordering::Release));
///     while flag.load(Ordering::Acquire) == 0 {
///         spin_loop();
///     }
/// });
/// assert_eq!(flag.into_inner(), 1);
/// # }
/// ```
#[inline]
pub fn spin_loop() {
    core::hint::spin_loop();
}

/// The present moment.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::sync::now;
/// assert!(now() <= now());
/// # }
/// ```
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}
