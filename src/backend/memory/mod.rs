//! What lies in shared memory, and how it is reached. Knows no kernel.
//!
//! A *view* is a base and a mask: cheap to copy, and validated once, where the memory is
//! attached ([`mapped`]). Every place is at a constant offset from the base, so nothing about a
//! mapping is looked at again on the way of a message.

#[cfg(vectors)]
mod copy;
pub mod declared;
#[cfg(not(model))]
mod exact;
mod fences;
pub mod header;
mod intent;
pub mod mapped;
#[cfg(model)]
pub(crate) mod modelled;
pub mod offsets;
mod payload;
mod ring;
pub mod slot;
#[cfg(all(test, not(model)))]
mod tests;
mod text;

pub use declared::{DeclaredView, Geometry};
pub use fences::PeerFences;
pub(crate) use intent::BODY as INTENT_BODY;
pub use payload::Payload;
pub(crate) use payload::{Cell, WORD};
pub use ring::RingView;
#[cfg(model)]
pub(crate) use ring::Words;
pub use slot::SlotView;
