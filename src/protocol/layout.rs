//! Where things lie in a segment.

use crate::backend::Layout;

/// The tutorial's `struct { int written; char text[2048]; }`.
///
/// ```text
/// bytes    field    meaning
/// -------  -------  ---------------------------------------------------
/// 0..4     written  native-endian i32: the flag
/// 4..2052  text     a C string: at most 2047 bytes and a NUL
/// ```
///
/// The size is exact, as a C peer's `shmget` asks for it.
pub const CLASSIC: Layout = Layout { size: 2052, flag_at: 0, text_at: 4, text_len: 2048 };

/// The key that the tutorial's programs use.
pub const DEFAULT_KEY: u32 = 1234;
