//! Which process holds a semaphore, and what a side that wants it can do.

use super::kernel::proc::{self, Life};
use super::set::{LOCK, Met, READER, Set, WRITER};
use std::time::Duration;

/// How long a taken seat may be a leaver's last step.
const LEAVER: Duration = Duration::from_millis(100);

/// How long the kernel may take to clear away a process that was killed, and a leaver to remove the set.
const DYING: Duration = Duration::from_secs(10);

/// Time between two tries.
pub(super) const AGAIN: Duration = Duration::from_millis(1);

/// Attempts at a set that keeps being removed under us.
pub(super) const ATTEMPTS: usize = 1000;

/// What there is to do about a semaphore that is taken.
pub(super) enum Taken {
    /// Try again: it is free, or will be in a moment.
    Again,
    /// Nobody will ever give it back.
    Stuck,
    By(u32),
}

/// Looks who has `semaphore`, of a try that began so long ago.
pub(super) fn taken_by(set: Set, semaphore: u16, since: Duration) -> Result<Taken, Met> {
    if since < LEAVER {
        return Ok(Taken::Again);
    }
    let pid = set.holder(semaphore)?;
    let values = set.values()?;
    if !values.taken(semaphore) {
        return Ok(Taken::Again);
    }
    // A process that has all three is about to remove the set: the system or a stop keeps it from that.
    let has = |semaphore| Ok::<_, Met>(values.taken(semaphore) && set.holder(semaphore)? == pid);
    let is_closing = has(LOCK)? && has(WRITER)? && has(READER)?;
    Ok(match proc::life(pid) {
        Life::Goes | Life::Stopped | Life::Hidden if is_closing && since < DYING => Taken::Again,
        Life::Ending if since < DYING => Taken::Again,
        // The kernel has done all that it does at a death: somebody has set the value (SETVAL clears
        // the undo). Unless another process has it by now.
        Life::Over if set.values()?.taken(semaphore) && set.holder(semaphore)? == pid => Taken::Stuck,
        Life::Over => Taken::Again,
        Life::Goes | Life::Stopped | Life::Hidden | Life::Ending => Taken::By(pid),
    })
}
