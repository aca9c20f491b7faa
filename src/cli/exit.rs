//! Exit codes, and the one way in which a binary fails.

use super::signals;
use crate::error::Error;
use nix::errno::Errno;
use std::fmt;

/// How a program ends when it does not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// A system call failed, permission, limits, or the output.
    System,
    /// The peer died; for a writer also: the reader left.
    PeerGone,
    /// What is at the key is no channel that can be used.
    NotAChannel,
    /// The input can't be carried.
    BadInput,
    /// Another process has the role.
    RoleTaken,
    /// `--timeout` passed.
    TimedOut,
    /// Ended by this signal.
    Signal(i32),
}

impl Exit {
    /// The number. 2, for usage, is clap's; 0 is success.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::System => 1,
            Self::PeerGone => 3,
            Self::NotAChannel => 4,
            Self::BadInput => 5,
            Self::RoleTaken => 6,
            Self::TimedOut => 124,
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}

/// The table of exit codes, for `--help`.
pub(super) const HELP: &str = "\
Exit status:
  0      done: the session ended, or everything was sent
  1      a system call failed, permission, limits, or the output
  2      usage
  3      the peer died; for a writer also: the reader left
  4      the segment or the seats' semaphore set is not a channel of ours to use
  5      the input can't be carried: that message was not sent, those before were
  6      the role is taken by another process
  124    --timeout passed
  128+n  ended by signal n";

/// Why a program ends otherwise than well.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    pub(super) fn signal(number: i32) -> Self {
        Self::new(Exit::Signal(number), format!("ended by {}", signals::name(number)))
    }

    pub(super) fn timed_out() -> Self {
        Self::new(Exit::TimedOut, "no progress for as long as --timeout allows")
    }

    /// Nobody was met in all the time: where that was.
    pub(super) fn met_nobody(what_came: &str, key: u32) -> Self {
        let namespace = std::fs::read_link("/proc/self/ns/ipc").unwrap_or_default();
        let why = format!(
            "{what_came} to key {key} ({key:#x}) in this IPC namespace ({}) for as long as --timeout allows (what is in another container is not seen)",
            namespace.display()
        );
        Self::new(Exit::TimedOut, why)
    }

    pub(super) fn io(what: &str, errno: Errno, hint: &str) -> Self {
        Self::new(Exit::System, format!("{what}: {} ({errno:?}){hint}", errno.desc()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::NotAChannel { .. }
            | Error::OtherLayout { .. }
            | Error::OtherOwner { .. }
            | Error::ForeignSeats { .. } => Exit::NotAChannel,
            Error::SeatTaken { .. } => Exit::RoleTaken,
            _ => Exit::System,
        };
        Self::new(exit, error)
    }
}
