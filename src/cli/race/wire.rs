//! What the race and its processes say to each other. Each request is answered by one
//! response before the next is given, but for [`Request::Told`].

use super::tally::Tally;
use super::torn::Torn;
use crate::backend::memory::offsets;
use crate::backend::sysv::{Key, Options};
use crate::cli::workers::Part;
use crate::declare::Declared;
use crate::error::{Error, Role};
use serde::{Deserialize, Serialize};

/// The subcommand that the processes of a race are started with.
pub(in crate::cli) const SIDE: &str = "race-side";

/// Whose protocol is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Protocol {
    Tutorial,
    Ours,
    /// Ours, with many records in place of one slot.
    Ring,
}

impl Protocol {
    /// Those that are run; a ring has no struct to declare.
    pub(super) fn all(declared: Option<&Declared>) -> &'static [Self] {
        if declared.is_some() { &[Self::Tutorial, Self::Ours] } else { &[Self::Tutorial, Self::Ours, Self::Ring] }
    }

    /// Where it is run at `key`, in the tutorial's struct or another one.
    pub(super) fn options(self, key: Key, declared: Option<&Declared>) -> Result<Options, Error> {
        match self {
            Self::Tutorial | Self::Ours => {
                Ok(declared.map_or(Options::slot(key), |declared| Options::declared(key, declared)))
            }
            // So small that the writer has to wait for space.
            Self::Ring => Options::ring(key, offsets::ring::SMALLEST),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Start as this role, in a struct of this layout: [`Response::Opened`] or [`Response::Refused`].
    Open { protocol: Protocol, key: u32, writes: bool, layout: Option<String> },
    /// Send the texts of these numbers, and `end` after every so many (0: no
    /// `end`): [`Response::Sent`], perhaps after [`Response::Waits`]. After a while an
    /// `end` is the last of it. `typed`: as if somebody else made the texts.
    Send { session: u32, writer: u32, from: u32, upto: u32, end_every: u32, typed: bool },
    /// Read until the protocol says leave, or until there are so many:
    /// [`Response::Read`].
    Read { session: u32, most: Option<u32>, through_ends: bool },
    /// Stop as one who leaves in order does: [`Response::Left`].
    Leave,
    /// Count what was read since the last time: [`Response::Judged`].
    Judge { sent: [u32; 2], ends: u32 },
    /// The other side is done. Whoever waits *after* this waits forever: that
    /// is how a hang is known, not by the clock. No answer.
    Told,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    Opened,
    /// The seat is taken.
    Refused,
    /// Nobody is there to take the first text, which is not sent yet.
    Waits,
    /// `stuck`: there will never be room for the next one.
    Sent {
        texts: u32,
        ends: u32,
        nanos: u64,
        stuck: bool,
    },
    Read(Done),
    Left,
    Judged(Tally, Option<Torn>),
}

/// Why a reader stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Done {
    /// By its protocol this was the end.
    Left,
    /// It has as many as it was to read.
    Enough,
    /// It waits, and nothing will ever come.
    Stuck,
}

/// The processes of a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Writer,
    Second,
    Reader,
}

impl Who {
    pub(super) const ALL: [Self; 3] = [Self::Writer, Self::Second, Self::Reader];

    pub(super) fn role(self) -> Role {
        if self == Self::Reader { Role::Reader } else { Role::Writer }
    }
}

impl Part for Who {
    type Request = Request;
    type Response = Response;

    const SUBCOMMAND: &'static str = SIDE;

    fn name(self) -> &'static str {
        match self {
            Self::Writer => "writer",
            Self::Second => "second writer",
            Self::Reader => "reader",
        }
    }
}
