//! What is measured.

use crate::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest message.
pub(crate) const LONGEST: usize = 16 * 1024;

/// Bytes that a ring holds, and every other peer that can be told.
pub(crate) const RING: usize = 2 * 1024 * 1024;

/// One kind of work, for one length of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum Work {
    /// There and back.
    Trip(usize),
    /// As many as go through.
    OneWay(usize),
    /// One way, lengths from 16 to 512.
    Mixed,
    /// From send to receipt, where the receiver has slept.
    Wake,
    /// Processor time of a receiver and a sender that have nothing to do.
    Idle,
    /// One way, 64 bytes, so many messages.
    Soak(u64),
}

/// All that the table shows, in its order, but idling.
pub(crate) const TIMED: [Work; 14] = [
    Work::Trip(8),
    Work::Trip(64),
    Work::Trip(2047),
    Work::OneWay(8),
    Work::OneWay(24),
    Work::OneWay(56),
    Work::OneWay(64),
    Work::OneWay(120),
    Work::OneWay(256),
    Work::OneWay(1024),
    Work::OneWay(2048),
    Work::OneWay(LONGEST),
    Work::Mixed,
    Work::Wake,
];

impl Work {
    /// The longest message of this work.
    pub(crate) fn longest(self) -> usize {
        match self {
            Self::Trip(len) | Self::OneWay(len) => len,
            Self::Mixed => MIXED_TO,
            Self::Wake | Self::Idle | Self::Soak(_) => 64,
        }
    }

    /// How many messages a peer with slots gets room for: 2 MiB of them, within
    /// what all of them can hold.
    pub(crate) fn slots(self) -> usize {
        (RING / self.longest()).clamp(64, 1024)
    }

    /// Length of message `number`.
    #[inline]
    pub(crate) fn len_of(self, number: u64) -> usize {
        match self {
            Self::Mixed => mixed(number),
            _ => self.longest(),
        }
    }

    /// Whether many messages are under way at a time.
    pub(crate) fn is_one_way(self) -> bool {
        matches!(self, Self::OneWay(_) | Self::Mixed | Self::Soak(_))
    }
}

const MIXED_FROM: usize = 16;
const MIXED_TO: usize = 512;

/// Spread evenly, the same in every run.
#[inline]
fn mixed(number: u64) -> usize {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let within = (spread * (MIXED_TO - MIXED_FROM + 1) as u64) >> 32;
    MIXED_FROM + usize::try_from(within).unwrap_or(0)
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trip(len) => write!(f, "trip-{len}"),
            Self::OneWay(len) => write!(f, "oneway-{len}"),
            Self::Mixed => f.write_str("mixed"),
            Self::Wake => f.write_str("wake"),
            Self::Idle => f.write_str("idle"),
            Self::Soak(count) => write!(f, "soak-{count}"),
        }
    }
}

impl FromStr for Work {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        Ok(match name.split_once('-') {
            Some(("trip", len)) => Self::Trip(len.parse()?),
            Some(("oneway", len)) => Self::OneWay(len.parse()?),
            Some(("soak", count)) => Self::Soak(count.parse()?),
            _ => match name {
                "mixed" => Self::Mixed,
                "wake" => Self::Wake,
                "idle" => Self::Idle,
                _ => return Err(format!("no work is called {name}").into()),
            },
        })
    }
}

impl From<Work> for String {
    fn from(work: Work) -> Self {
        work.to_string()
    }
}

impl TryFrom<String> for Work {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map_err(|error: Failure| error.to_string())
    }
}
