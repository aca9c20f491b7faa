//! Carries a [shm-handoff](https://docs.rs/shm-handoff) channel of one machine to one of another.
//!
//! On the first machine a sender reads a channel, as its reader. On the second one a receiver writes a channel, as its writer.
//! Between the two lies a network that may lose, delay, repeat and reorder what it carries. From ring to ring, each message
//! arrives exactly once and in order:
//!
//! * A message has a name, the ring's [stream](world::Stream) and the position behind the message. The same name is always the same
//!   bytes.
//! * The sender peeks at messages, sends them, and releases one in its ring only after the receiver has acknowledged it. What got
//!   lost is therefore still there.
//! * The receiving ring itself says how far it has come. So duplicates are noticed and gaps are asked for again, whichever process
//!   was killed and started anew.
//!
//! [`Sender`](sender::Sender) and [`Receiver`](receiver::Receiver) are two state machines without input or output. They act on the traits of [`world`], and
//! say what to wait for. A model checker runs the same source on a world of its own.

pub mod batch;
pub mod carrier;
#[doc(hidden)]
pub mod cli;
pub mod frame;
pub mod pace;
pub mod receiver;
pub mod sender;
pub mod sink;
pub mod source;
pub mod world;
