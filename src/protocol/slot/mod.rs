//! The slot: one flag and one text, as the tutorial's C programs use it, or what a program's own struct has in the place of these.
//!
//! `producer` and `consumer` hold all of its atomic operations; `flag` says what the flag's values
//! mean, `rules` what a text can be.

mod consumer;
pub mod flag;
mod producer;
pub mod rules;

use crate::backend::memory::DeclaredView;
use crate::backend::memory::slot::AnySlot;
use crate::backend::{Backend, Layout, SlotView, Wanted};

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
#[derive(Debug, Clone, Copy)]
pub enum Slot {}

/// A slot that a [declaration](crate::declare) describes: a flag of 32 or 8 bits that hands over a text, or records of one
/// length with any bytes. A text keeps the rules of [`Slot`]. Records have no `end`: the end of a session of records is
/// told beside them, by the seats.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// use shm_handoff::DeclaredSlot;
/// let matrix = "struct { int mat[9]; int flag; }".parse()?;
/// let options = Options::declared(key, &matrix);
/// let mut reader = Reader::<SysV, DeclaredSlot>::open(&options)?;
/// let mut writer = Writer::<SysV>::open(&options)?;
/// writer.send(&[7; 36])?;
/// assert_eq!(reader.recv(&mut [0; 36])?, Received::Message(36));
/// assert!(writer.send(b"short").is_err(), "each record has 36 bytes");
/// writer.end()?;
/// assert_eq!(reader.recv(&mut [0; 36])?, Received::End);
/// reader.end_session()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub enum DeclaredSlot {}

/// Which struct a slot has.
pub trait Form: std::fmt::Debug + Clone + Copy {
    /// What memory with such a slot is laid out as.
    const LAYOUT: Layout;
    /// Its places.
    type View<'a>: AnySlot;

    /// Its places in `memory`.
    fn view<B: Backend>(memory: &B) -> Self::View<'_>;
}

impl Form for Slot {
    const LAYOUT: Layout = Layout::Slot;
    type View<'a> = SlotView<'a>;

    #[inline(always)]
    fn view<B: Backend>(memory: &B) -> SlotView<'_> {
        memory.slot()
    }
}

impl Form for DeclaredSlot {
    const LAYOUT: Layout = Layout::Declared;
    type View<'a> = DeclaredView<'a>;

    #[inline(always)]
    fn view<B: Backend>(memory: &B) -> DeclaredView<'_> {
        memory.declared()
    }
}

impl super::core::Core for DeclaredSlot {
    type Producer = Producer<Self>;
    type Consumer = Consumer<Self>;
    const NAME: &'static str = "a declared slot";
    const WANTED: Option<Wanted> = Some(Wanted::Declared);
}

impl super::core::Core for Slot {
    type Producer = Producer;
    type Consumer = Consumer;
    const NAME: &'static str = "a classic slot";
    const WANTED: Option<Wanted> = Some(Wanted::Slot);
}
