//! What the binaries share: the command line, the exit codes, the streams.

mod answers;
mod args;
mod bench;
mod chosen;
mod content;
mod doctor;
mod exit;
mod fields;
mod generate;
mod hex;
mod hint;
mod input;
mod json;
mod lab;
mod layout;
mod link;
mod log;
mod look;
mod ls;
mod metrics;
mod notice;
pub mod numbered;
mod output;
pub mod plot;
mod positions;
mod progress;
mod race;
mod raw;
mod read;
pub mod record;
mod records;
mod report;
mod rm;
mod scratch;
mod session;
mod signals;
mod spec;
mod stat;
mod stdio;
mod suspect;
mod table;
mod tool;
mod watch;
mod who;
mod workers;
mod write;

/// What a program beside the three is made of.
pub mod kit {
    pub use super::args::{Common, ENVIRONMENT, parse};
    pub use super::chosen::{Carries, Chosen};
    pub use super::exit::{Exit, Failure, help};
    pub use super::generate::write as write_share;
    pub use super::progress::Progress;
    pub use super::signals::Signals;
    pub use super::stdio::{choose_color, divert, print, print_as_it_is};
    pub use super::{introduce, open};
}

pub use read::shmread;
pub use tool::shm_handoff;
pub use write::shmwrite;

use crate::backend::sysv::{Options, SysV};
use crate::error::Error;
use args::Common;
use chosen::Chosen;
use exit::Failure;
use signals::Signals;
use std::time::Instant;
use stdio::say;

impl Common {
    /// What is asked for at the key.
    ///
    /// # Errors
    /// The key can't be had.
    pub fn options(&self, chosen: Option<&Chosen>) -> Result<Options, Error> {
        let key = self.key.resolve()?;
        let options = match (chosen, self.ring) {
            (Some(chosen), _) => Options::declared(key, &chosen.declared),
            (None, Some(Some(capacity))) => Options::ring(key, capacity)?,
            (None, Some(None)) => Options::any_ring(key),
            (None, None) if self.raw => Options::any_ring(key),
            (None, None) => Options::any(key),
        };
        let options = options.mode(self.mode).trust_owner(self.trust_owner);
        Ok(if self.verbose { options.watched(log::seen) } else { options })
    }

    fn deadline(&self) -> Option<Instant> {
        self.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }
}

/// Opens an end; a signal that came meanwhile is what ended us.
pub fn open<T, E: Into<Failure>>(signals: &Signals, open: impl FnOnce() -> Result<T, E>) -> Result<T, Failure> {
    open().map_err(|error| signals.caught().map_or_else(|| error.into(), Failure::signal))
}

/// What a user should know of the segment that was met.
pub fn introduce(program: &str, common: &Common, backend: &SysV, terminal: bool) -> Result<(), Failure> {
    let (segment, stat) = (backend.segment(), backend.segment().stat()?);
    if !common.quiet && (terminal || common.verbose) {
        say!("Memory attached at {:#x}", segment.address());
    }
    let key = segment.key();
    let seats = backend.seats_mode()?.unwrap_or(0);
    let wide = [
        (stat.mode, "segment", "other users can get at the messages"),
        (seats, "seats' semaphore set", "other users can take a seat, or both away"),
    ];
    // What is there keeps its mode.
    if !common.quiet && common.mode & !stat.mode != 0 {
        let mode = stat.mode;
        stdio::warn(
            program,
            format_args!("the segment at {key} was there already, and keeps mode {mode:03o}"),
            Some(format_args!(
                "for --mode {:03o}, end both sides and remove it first: shm-handoff rm {}",
                common.mode,
                key.number()
            )),
        );
    }
    // A set as wide as the segment beside it is no news.
    let accepted = [common.mode, common.mode | stat.mode];
    for ((mode, what, so), accepted) in wide.into_iter().zip(accepted) {
        if !common.quiet && mode & !accepted != 0 {
            stdio::warn(
                program,
                format_args!("the {what} at {key} has mode {mode:03o}: {so}"),
                Some(format_args!("--mode {:03o} accepts that", (mode | common.mode) & 0o666)),
            );
        }
    }
    Ok(())
}
