//! What the bench and its two processes say to each other. Each request is answered by one
//! response.

use crate::cli::workers::Part;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::os::fd::RawFd;
use std::time::Duration;

/// The subcommand that the processes of a bench are started with.
pub(in crate::cli) const SIDE: &str = "bench-side";

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Transport {
    /// The tutorial's slot, one for each direction
    Classic,
    /// A ring of 2 MiB for each direction
    Ring,
    /// A pipe for each direction
    Pipe,
    /// One pair of Unix stream sockets
    Socket,
}

impl Transport {
    pub(super) const ALL: [Self; 4] = [Self::Classic, Self::Ring, Self::Pipe, Self::Socket];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Ring => "ring",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
        }
    }
}

/// What a process opens, to send to the other one and to receive from it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Opening {
    Keys {
        to: u32,
        from: u32,
    },
    /// Files that it was started with, and that are named once.
    Files {
        to: RawFd,
        from: RawFd,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Stay on this core: [`Response::Done`].
    Pin { core: usize },
    /// Open a transport for messages of so many bytes: [`Response::Done`].
    Open { transport: Transport, opening: Opening, size: usize },
    /// Send messages that are answered, for so long: [`Response::Trips`].
    Ask { transport: Transport, time: Duration },
    /// Answer until there are no more: [`Response::Done`].
    Answer { transport: Transport },
    /// Send messages for so long: [`Response::Done`].
    Send { transport: Transport, time: Duration },
    /// Receive until there are no more: [`Response::Received`].
    Receive { transport: Transport },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    Done,
    /// Nanoseconds, and how many round trips took so long.
    Trips(Vec<(u64, u64)>),
    Received(Received),
}

/// Messages, and the time in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Received {
    pub(super) messages: u64,
    pub(super) nanos: u64,
}

/// The two processes: the near one asks and sends, the far one answers and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Near,
    Far,
}

impl Part for Side {
    type Request = Request;
    type Response = Response;

    const SUBCOMMAND: &'static str = SIDE;

    fn name(self) -> &'static str {
        match self {
            Self::Near => "near side",
            Self::Far => "far side",
        }
    }
}
