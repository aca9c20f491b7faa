//! What the binaries share: the command line, the exit codes, the streams.

mod args;
mod exit;
mod input;
mod output;
mod race;
mod read;
mod signals;
mod stat;
mod stdio;
mod tool;
mod write;

pub use read::shmread;
pub use tool::shm_handoff;
pub use write::shmwrite;

use crate::backend::sysv::{Options, SysV};
use crate::error::Error;
use args::Common;
use exit::Failure;
use signals::Signals;
use std::time::Instant;
use stdio::say;

impl Common {
    fn options(&self) -> Result<Options, Error> {
        let key = self.key.resolve()?;
        let options = match self.ring {
            Some(Some(capacity)) => Options::ring(key, capacity)?,
            Some(None) => Options::any_ring(key),
            None if self.raw => Options::any_ring(key),
            None => Options::any(key),
        };
        Ok(options.mode(self.mode).trust_owner(self.trust_owner))
    }

    fn deadline(&self) -> Option<Instant> {
        self.timeout.and_then(|timeout| Instant::now().checked_add(timeout))
    }
}

/// Opens an end; a signal that came meanwhile is what ended us.
fn open<T, E: Into<Failure>>(signals: &Signals, open: impl FnOnce() -> Result<T, E>) -> Result<T, Failure> {
    open().map_err(|error| signals.caught().map_or_else(|| error.into(), Failure::signal))
}

/// What a user should know of the segment that was met.
fn introduce(program: &str, common: &Common, backend: &SysV, terminal: bool) -> Result<(), Failure> {
    let (segment, stat) = (backend.segment(), backend.segment().stat()?);
    if !common.quiet && (terminal || common.verbose) {
        say!("Memory attached at {:#x}", segment.address());
    }
    if !common.quiet && stat.mode & !common.mode != 0 {
        say!(
            "{program}: warning: the segment at key {:#x} has mode {:03o}: other users can get at the messages (--mode {:03o} accepts that)",
            segment.key().number(),
            stat.mode,
            (stat.mode | common.mode) & 0o666,
        );
    }
    Ok(())
}
