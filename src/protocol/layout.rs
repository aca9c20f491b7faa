//! Where things lie in a segment, and where sides meet.

pub use crate::backend::layout::*;

/// The key that the tutorial's programs use.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{backend::sysv::Key, protocol::layout::DEFAULT_KEY};
/// assert_eq!(Key::new(DEFAULT_KEY)?.to_string(), "1234 (0x4d2)");
/// # }
/// # Ok::<(), shm_handoff::Error>(())
/// ```
pub const DEFAULT_KEY: u32 = 1234;
