//! The mark of an observer in the semaphores of a [`Set`].

use super::kernel::{Home, step};
use super::set::{LOCK, LOOKS, MOST, Met, OBSERVERS, READER, Set, WRITER, give_some};
use libc::{IPC_NOWAIT, SEM_UNDO};
use std::time::Duration;

/// The mark of an observer: it is in the set from before the observer attaches until it has detached, and
/// the kernel takes it back behind the attachment if the observer dies.
#[derive(Debug)]
pub(super) struct Mark {
    set: Set,
    /// What of OBSERVERS is ours.
    held: i16,
    /// Who had the seats last, when we came.
    before: [u32; 2],
    /// A side was seated then.
    seated: bool,
    /// The process that set it: a child that was forked has a copy of this, and no mark.
    home: Home,
}

/// While an attachment is being made the kernel counts it twice.
const ATTACHING: i16 = 2;

/// How often observers can meet in beginning the count of looks anew.
const TRIES: usize = 100;

impl Mark {
    /// Marks an observer, when nobody is making memory.
    pub(super) fn set(set: Set, longest: Duration) -> Result<Self, Met> {
        for _ in 0..TRIES {
            let values = set.values()?;
            if values.of(LOOKS) == MOST.cast_unsigned() {
                match set.change(&mut [step(LOOKS, -MOST, IPC_NOWAIT)]) {
                    // Busy: another observer was faster.
                    Ok(()) | Err(Met::Busy) => {}
                    Err(met) => return Err(met),
                }
            }
            let mut steps = [step(LOCK, 0, 0), step(OBSERVERS, ATTACHING, SEM_UNDO), step(LOOKS, 1, 0)];
            match set.change_within(&mut steps, longest) {
                Err(Met::Busy) => {
                    let now = set.values()?.of(LOOKS);
                    // Busy for the count's sake: it is at its end, or another observer has begun it anew since.
                    if now != MOST.cast_unsigned() && now >= values.of(LOOKS) {
                        return Err(Met::Busy);
                    }
                    continue;
                }
                done => done?,
            }
            let seated = values.taken(WRITER) || values.taken(READER);
            return Ok(Self { set, held: ATTACHING, before: last_seated(set), seated, home: Home::here() });
        }
        Err(Met::Busy)
    }

    /// The observer is attached: once from now on.
    pub(super) fn attached(&mut self) {
        if self.set.change(&mut [give_some(OBSERVERS, ATTACHING - 1)]).is_ok() {
            self.held = 1;
        }
    }
}

fn last_seated(set: Set) -> [u32; 2] {
    [WRITER, READER].map(|seat| set.holder(seat).unwrap_or(0))
}

impl Drop for Mark {
    fn drop(&mut self) {
        if self.home != Home::here() {
            return;
        }
        let given = self.set.change(&mut [give_some(OBSERVERS, self.held)]);
        // A side that left while we looked has left the set to us.
        if given.is_ok() && (self.seated || last_seated(self.set) != self.before) {
            self.set.remove_if_unused();
        }
    }
}
