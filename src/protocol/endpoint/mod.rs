//! One writer and one reader for every layout.
//!
//! The endpoints wait, and know the peer: its death, its removals of the memory, what has to be sent
//! again. What is done to shared memory stands in the cores of the layouts; no atomic operation
//! stands here.

mod backoff;
mod message;
mod peer;
mod policy;
mod reader;
mod writer;

pub use message::{Message, Messages};
pub use peer::{Peer, PeerWatch, Verdict};
pub use policy::{Tick, WaitPolicy, WaitingFor};
pub use reader::{Reader, Received};
pub use writer::Writer;
