//! The lock under which memory is made, judged and replaced.

use super::comer::{Comer, Told, made_by_other, number, of, peer, told_by};
use super::kernel::{now, since, sleep, step};
use super::key::Key;
use super::set::{ENDED, LAYOUT, LOCK, MADE, MOVING, Met, OBSERVERS, Set, Values, give};
use super::taken::{AGAIN, ATTEMPTS, Taken, taken_by};
use super::want::Plan;
use crate::error::Error;
use libc::{IPC_NOWAIT, SEM_UNDO};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long a side waits for the creation lock: its holder takes microseconds, but where it waits for others to detach.
pub(super) const LOCKED: Duration = Duration::from_secs(1);

/// How long its holder may wait for others to go, to judge a ring that is half made: newcomers wait twice as long.
pub(super) const JUDGED: Duration = Duration::from_millis(500);

/// The creation lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    set: Set,
    comer: Comer,
    /// This side has MADE.
    made: Cell<bool>,
}

impl Lock {
    /// Of a side that has just taken it.
    pub(super) fn new(set: Set, comer: Comer, made: bool) -> Self {
        Self { set, comer, made: Cell::new(made) }
    }

    /// Whether this side has MADE by now.
    pub(super) fn has_made(&self) -> bool {
        self.made.get()
    }

    /// Notes whether this side, which asks for no layout, has made the slot that it is attached to now: then the other one
    /// may put another layout in its place. (Under the lock: a side that comes next has to find it.)
    pub(super) fn note_made(&self, made: bool) -> Result<(), Error> {
        if !self.comer.asks_none || made == self.has_made() {
            return Ok(());
        }
        let mark = of(self.comer.role, MADE);
        let mut steps = [if made { step(mark, 1, SEM_UNDO | IPC_NOWAIT) } else { give(mark) }];
        match self.set.change(&mut steps) {
            Err(Met::Failed(error)) => return Err(error),
            // In the next set there is none.
            Err(Met::Gone | Met::Busy) => self.made.set(false),
            Ok(()) => self.made.set(made),
        }
        Ok(())
    }

    /// The layout with this hash is about to be made: who finds it finds the hash, too.
    pub(super) fn announce(&self, hash: u16) -> Result<(), Error> {
        self.set.put(LAYOUT, hash.into()).or_else(Met::unless_gone)
    }

    /// A side that came beside another one's layout, or to what a dead side left, is attached to `plan` now, which it has
    /// `made` or found: what the set says becomes true.
    pub(super) fn settle(&self, plan: Plan, made: bool) -> Result<(), Error> {
        let values = match self.set.values() {
            Ok(values) => values,
            Err(met) => return met.unless_gone(),
        };
        let layout = values.of(LAYOUT);
        if layout != plan.hash() {
            if layout != 0 && plan.hash() != 0 && !made {
                let pid = self.set.holder(number(peer(self.comer.role))).unwrap_or(0);
                return Err(Error::OtherDeclared { key: self.comer.key.number(), wanted: None, pid });
            }
            self.set.put(LAYOUT, plan.hash().into()).or_else(Met::unless_gone)?;
        }
        // The side that was called is dead; or the slot is there still, or again, and the side that was about to replace
        // it is dead.
        if values.taken(MOVING) && (!made_by_other(&values, self.comer.role) || (plan == Plan::Slot && !made)) {
            self.set.put(MOVING, 0).or_else(Met::unless_gone)?;
        }
        Ok(())
    }

    /// This side has come over, to what has this hash: or to nothing, for the side that called it is dead.
    pub(super) fn end_move(&self, hash: u16) -> Result<(), Error> {
        let ended = self.set.put(LAYOUT, hash.into()).and_then(|()| self.set.put(MOVING, 0));
        ended.or_else(Met::unless_gone)
    }

    /// What is told of the other side's layout.
    pub(super) fn told(&self) -> Option<Told> {
        told_by(self.set, &[peer(self.comer.role)])
    }

    /// Whether the other side has made what is there, and asks for no layout. No observer that was there
    /// is attached any more then, or it stays for long.
    pub(super) fn may_replace(&self) -> bool {
        let is_made = |values: Values| made_by_other(&values, self.comer.role);
        let may = self.set.values().is_ok_and(is_made);
        if may {
            self.await_observers();
        }
        may
    }

    /// The slot that the other side has made is about to be removed for our layout.
    pub(super) fn begin_move(&self) -> Result<(), Error> {
        let moved = self.set.put(MOVING, 1).and_then(|()| self.set.put(LAYOUT, self.comer.hash.into()));
        moved.or_else(Met::unless_gone)
    }

    /// A side that comes has made the memory: no end was told of it. (One that was there before, and comes over, may find
    /// that an end was told meanwhile.)
    pub(super) fn forget_end(&self) -> Result<(), Error> {
        self.set.put(ENDED, 0).or_else(Met::unless_gone)
    }

    /// Waits until the observers have gone that were there when the lock was taken, or for a while.
    pub(super) fn await_observers(&self) {
        // Where they stay, or have gone with the set, the count of attachments tells.
        let _ = self.set.change_within(&mut [step(OBSERVERS, 0, 0)], JUDGED);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A set that is gone has no lock, and what else can fail here fails at the next look, too.
        let _ = self.set.change(&mut [give(LOCK)]);
    }
}

/// What a try to lock came to.
pub(super) enum Tried {
    /// The lock is ours.
    Locked,
    Again,
    /// The set was removed.
    Gone,
    /// The set was removed just now, for nobody would ever have given the lock back.
    Freed,
}

/// Waits for LOCK and takes it, of a side that has waited since `started`.
pub(super) fn try_lock(set: Set, key: Key, started: Instant) -> Result<Tried, Error> {
    let left = LOCKED.saturating_sub(since(started));
    match set.change_within(&mut [step(LOCK, 0, 0), step(LOCK, 1, SEM_UNDO)], left) {
        Ok(()) => return Ok(Tried::Locked),
        Err(Met::Gone) => return Ok(Tried::Gone),
        Err(Met::Failed(error)) => return Err(error),
        Err(Met::Busy) => {}
    }
    match taken_by(set, LOCK, since(started)) {
        Ok(Taken::Stuck) => return set.remove().or_else(Met::unless_gone).map(|()| Tried::Freed),
        Ok(Taken::Again) => sleep(AGAIN),
        // Its holder is stopped, or this is no lock of ours.
        Ok(Taken::By(pid)) => return Err(Error::Locked { key: key.number(), pid }),
        Err(met) => met.unless_gone()?,
    }
    Ok(Tried::Again)
}

/// The lock of seats that are another slot's, until it is dropped.
struct Held(Set);

impl Drop for Held {
    fn drop(&mut self) {
        // As for `Lock`; and the set may have been made for this.
        let _ = self.0.change(&mut [give(LOCK)]);
        self.0.remove_if_unused();
    }
}

/// Runs `create` under the lock of the seats at `key`, without a seat there: for a slot in the middle of a
/// segment, whose seats are elsewhere.
pub(super) fn locked_at<T>(
    key: Key,
    mode: u32,
    trust_owner: bool,
    create: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut started = now();
    let mut gone = 0;
    while gone < ATTEMPTS {
        let set = match Set::find_or_make(key, mode, trust_owner) {
            Ok(set) => set,
            Err(Met::Failed(error)) => return Err(error),
            Err(Met::Gone | Met::Busy) => {
                gone += 1;
                continue;
            }
        };
        match try_lock(set, key, started)? {
            Tried::Locked => {
                let _held = Held(set);
                return create();
            }
            Tried::Again => {}
            Tried::Gone => gone += 1,
            Tried::Freed => started = now(),
        }
    }
    Err(Error::Locked { key: key.number(), pid: 0 })
}
