//! The slot: one flag and one text, as the tutorial's C programs use it.
//!
//! `producer` and `consumer` hold all of its atomic operations; `flag` says what the flag's values
//! mean, `rules` what a text can be.

mod consumer;
pub mod flag;
mod producer;
pub mod rules;

use crate::backend::Wanted;

pub use consumer::Consumer;
pub use producer::Producer;

/// The layout of the tutorial's C programs: one flag, and a text of at most 2047 bytes. Messages
/// have no NUL, and a text that begins with `end` ends the session: our writer sends such a text as [`Writer::end`](crate::Writer::end)
/// alone.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// writer.send(b"one\n")?;
/// assert_eq!(writer.try_send(b"two\n"), Err(SendError::WouldBlock), "one at a time");
/// assert!(matches!(writer.send(b"endless\n"), Err(SendError::Unsendable(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Slot {}

impl super::core::Core for Slot {
    type Producer = Producer;
    type Consumer = Consumer;
    const NAME: &'static str = "a classic slot";
    const WANTED: Option<Wanted> = Some(Wanted::Slot);
}
