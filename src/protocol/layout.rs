//! Where things lie in a segment, and where sides meet.

pub use crate::backend::layout::*;

/// The key that the tutorial's programs use.
pub const DEFAULT_KEY: u32 = 1234;
