//! What carries the messages from one host to the other.

pub(crate) mod nats;
pub(crate) mod ring;
mod tcp;
pub(crate) mod zenoh;

use crate::tally::Tally;
use std::fmt::Display;

/// The sender's host, and the receiver's.
pub(crate) const HERE: &str = "10.77.0.1";
pub(crate) const THERE: &str = "10.77.0.2";

/// Which carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Carrier {
    /// shm-bridge, ring to ring
    Bridge,
    /// zenoh alone
    Zenoh,
    /// Messages with their length before them, through a TCP stream
    Tcp,
    /// NATS with its persistent streams
    Nats,
}

impl Carrier {
    /// What the tables call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bridge => "shm-bridge, ring to ring",
            Self::Zenoh => "zenoh alone",
            Self::Tcp => "TCP pipe",
            Self::Nats => "NATS JetStream",
        }
    }

    /// Opens the sending side, once the other one is ready.
    pub(crate) fn sender(self) -> Result<Box<dyn Sender>, String> {
        match self {
            Self::Bridge => ring::sender(),
            Self::Zenoh => zenoh::sender(),
            Self::Tcp => tcp::sender(),
            Self::Nats => nats::sender(),
        }
    }

    /// Receives until the sender has gone, or forever. It calls `ready` as soon as the sender may come.
    pub(crate) fn receive(self, tally: &'static Tally, ready: &dyn Fn()) -> Result<(), String> {
        match self {
            Self::Bridge => ring::receive(tally, ready),
            Self::Zenoh => zenoh::receive(tally, ready),
            Self::Tcp => tcp::receive(tally, ready),
            Self::Nats => nats::receive(tally, ready),
        }
    }
}

/// A sending side.
pub(crate) trait Sender {
    /// Sends a message, or leaves it in a buffer.
    fn send(&mut self, message: &[u8]) -> Result<(), String>;

    /// Sends what lies in a buffer: nothing follows at the moment.
    fn flush(&mut self) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) fn text(error: impl Display) -> String {
    error.to_string()
}
