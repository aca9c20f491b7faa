//! The flag's values.
//!
//! ```text
//! value  name    owner    who may change it       to     meaning
//! -----  ------  -------  ----------------------  -----  ---------------------------
//! 0      EMPTY   writer   the writer, publishing  1      the slot may be written
//! 1      FULL    reader   the reader, releasing   0      the slot may be read
//! other  (full)  reader   the reader, releasing   0      read as FULL, never written
//! ```
//!
//! The tutorial's text says "non-zero: readable" while its code tests `== 1`
//! (defect D12); here the text is right, and any non-zero flag is a message.

/// The writer may write.
pub const EMPTY: u32 = 0;

/// The reader may read: what our writer publishes.
pub const FULL: u32 = 1;

/// Whether the slot is the reader's.
///
/// ```
/// use shm_handoff::inside::slot::flag::{EMPTY, FULL, is_full};
/// assert!(is_full(FULL) && is_full(7) && !is_full(EMPTY));
/// ```
#[must_use]
pub const fn is_full(flag: u32) -> bool {
    flag != EMPTY
}
