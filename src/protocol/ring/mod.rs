//! The ring: records one behind the other, each with a flag of its own.
//!
//! The same handoff as in the classic slot, many times over: a record's flag is
//! its length, stored last; zero means that the writer may write there. As in
//! Aeron's log buffers and Agrona's one-to-one ring buffer, records are packed,
//! positions only grow, and a record never goes beyond the wrap.
//!
//! ```text
//!            released,        peeked at     unread
//!            not given back
//!   ────────┬────────────────┬─────────────┬──────────────┬───┬─────────────
//!    free   │ records ...    │ records ... │ records ...  │ 0 │   free
//!   ────────┴────────────────┴─────────────┴──────────────┴───┴─────────────
//!           ^ head           ^ released                   ^ the writer's tail
//!
//!   record:  flag u32 │ kind u32 │ bytes, padded to 8
//!
//!   flag      meaning                        kind  meaning
//!   --------  -----------------------------  ----  ----------------------
//!   0         nothing yet: the writer's      0     bytes
//!   len + 1   a record of `len` bytes        1     the end of the session
//!   u32::MAX  goes on where the ring begins
//! ```
//!
//! Two happens-before edges carry it, named alike at both ends in the source:
//! `record` from the store of a flag to the load that sees it, and `space` from
//! the store of the head to the load that sees that. A side that is about to sleep sets
//! its parked word and polls once more; a side that publishes or gives back then looks at the
//! other's parked word. Two fences make sure that one of the two sees the other.
//!
//! `docs/protocol.md` has the whole story.

mod carry;
mod coalesce;
mod consumer;
mod event;
mod in_place;
mod intent;
#[cfg(not(model))]
mod onto;
mod producer;
mod record;
mod reserved;
#[cfg(all(feature = "cli", not(model)))]
mod waiting;

use super::core::Core;
use crate::backend::{Layout, Wanted};
use crate::error::Error;

pub use carry::Standing;
pub(crate) use consumer::Consumer;
pub use in_place::InPlace;
pub use intent::Carried;
pub(crate) use producer::Producer;
pub use reserved::Reserved;
#[cfg(all(feature = "cli", not(model)))]
pub(crate) use waiting::{Waiting, waiting};

/// The layout for speed and for any bytes: records one behind the other. C programs of the tutorial can't use it.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send(b"any\0bytes")?;
/// writer.send(b"many at a time")?;
/// assert_eq!(reader.peek()?.text(), b"any\0bytes");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Ring {}

impl Core for Ring {
    type Producer = Producer;
    type Consumer = Consumer;
    const NAME: &'static str = "a ring";
    const WANTED: Option<Wanted> = Some(Wanted::Ring);
}

/// A layout that is a ring, or can be one: [`Ring`] and [`Either`](crate::Either). Its sides can build messages in the shared memory
/// ([`Writer::reserve`](crate::Writer::reserve)) and read them there
/// ([`Reader::peek_in_place`](crate::Reader::peek_in_place)).
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// fn send_two<L: shm_handoff::MaybeRing>(writer: &mut Writer<InProc, L>) -> Result<(), SendError> {
///     let mut reserved = writer.reserve(2)?;
///     reserved.write_at(0, b"ab");
///     reserved.commit();
///     Ok(())
/// }
/// send_two(&mut writer)?;
/// assert_eq!(reader.peek()?.text(), b"ab");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait MaybeRing: Core {
    #[doc(hidden)]
    fn producer(core: &mut Self::Producer) -> Option<&mut Producer>;
    #[doc(hidden)]
    fn consumer(core: &mut Self::Consumer) -> Option<&mut Consumer>;
}

impl MaybeRing for Ring {
    #[inline(always)]
    fn producer(core: &mut Producer) -> Option<&mut Producer> {
        Some(core)
    }

    #[inline(always)]
    fn consumer(core: &mut Consumer) -> Option<&mut Consumer> {
        Some(core)
    }
}

/// What a slot says where a ring is needed.
#[cold]
fn no_ring() -> Error {
    Error::WrongLayout { found: Layout::Slot, wanted: Ring::NAME }
}
