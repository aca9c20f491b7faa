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
//!
//! A declared slot has the same table with other values for EMPTY and FULL.

pub use crate::backend::memory::slot::{EMPTY, FULL};
