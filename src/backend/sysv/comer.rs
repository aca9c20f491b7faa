//! What a side comes with that takes a seat: its role, and the layout that it asks for. Both sides have one layout, so
//! a seat is taken in one step with a look at the other one's.

use super::kernel::step;
use super::key::Key;
use super::set::{ENDED, LAYOUT, MADE, MOST, Met, NONE_REQUESTED, READER, Set, Values, WRITER, take};
use super::taken::{Taken, taken_by};
use crate::error::{Error, Role};
use libc::{IPC_NOWAIT, SEM_UNDO};
use std::time::Duration;

/// What a side that takes a seat comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comer {
    pub(super) key: Key,
    pub(super) role: Role,
    /// Permission bits of a set that has to be made.
    pub(super) mode: u32,
    pub(super) trust_owner: bool,
    /// Of its declared layout; 0: a classic slot or a ring.
    pub(super) hash: u16,
    /// It has asked for no layout, and takes the other side's.
    pub(super) asks_none: bool,
}

/// The one of a pair of semaphores that is `role`'s.
pub(super) fn of(role: Role, pair: u16) -> u16 {
    pair + u16::from(role == Role::Reader)
}

pub(super) fn peer(role: Role) -> Role {
    if role == Role::Writer { Role::Reader } else { Role::Writer }
}

pub(super) fn number(role: Role) -> u16 {
    match role {
        Role::Writer => WRITER,
        Role::Reader => READER,
        Role::Guest => unreachable!("a guest has no seat"),
    }
}

/// Whether LAYOUT has this value: by taking it away, and putting it back.
pub(super) fn is_layout(hash: u16) -> Vec<libc::sembuf> {
    become_layout(hash, hash)
}

/// From one value of LAYOUT to another.
fn become_layout(from: u16, to: u16) -> Vec<libc::sembuf> {
    let by = |amount: i16| step(LAYOUT, amount, IPC_NOWAIT);
    // A hash has 15 bits.
    let (from, to) = (from.cast_signed(), to.cast_signed());
    let mut steps = vec![by(0)];
    if from > 0 {
        steps.insert(0, by(-from));
    }
    if to > 0 {
        steps.push(by(to));
    }
    steps
}

impl Comer {
    /// Takes the seat and its mark, with what LAYOUT has to be.
    pub(super) fn steps(&self, mut layout: Vec<libc::sembuf>) -> Vec<libc::sembuf> {
        let mut steps = take(number(self.role)).to_vec();
        if self.asks_none {
            steps.push(step(of(self.role, NONE_REQUESTED), 1, SEM_UNDO | IPC_NOWAIT));
        }
        steps.append(&mut layout);
        steps
    }

    /// Lowers the mark of a free seat that can't be raised any more, since somebody has set it (SETVAL). It would keep out
    /// every side that asks for no layout.
    pub(super) fn lower_mark(&self, set: Set, values: &Values) -> Result<(), Met> {
        let mark = of(self.role, NONE_REQUESTED);
        let is_full = values.of(mark) == MOST.cast_unsigned();
        if is_full && !values.taken(number(self.role)) { set.put(mark, 0) } else { Ok(()) }
    }

    /// Takes a seat that is free where LAYOUT is another one: that of a side that has gone, or one that the
    /// other side will leave for ours.
    pub(super) fn take_beside(&self, set: Set, values: &Values, since: Duration) -> Result<(), Met> {
        if values.of(LAYOUT) == self.hash {
            // It was the seat that was taken, and it is free by now: the next try gets it.
            return Err(Met::Busy);
        }
        let other = peer(self.role);
        if !values.taken(number(other)) {
            let mut steps = self.steps(become_layout(values.of(LAYOUT), self.hash));
            steps.push(step(number(other), 0, IPC_NOWAIT));
            // An end that nobody has met was one of another layout.
            if values.taken(ENDED) {
                steps.push(step(ENDED, -1, IPC_NOWAIT));
            }
            return set.change(&mut steps);
        }
        // One of the two takes the other's, or is refused under the lock.
        if self.asks_none || values.taken(of(other, NONE_REQUESTED)) {
            return set.change(&mut self.steps(is_layout(values.of(LAYOUT))));
        }
        match taken_by(set, number(other), since)? {
            Taken::Again => Err(Met::Busy),
            Taken::Stuck => set.remove().and(Err(Met::Gone)),
            Taken::By(pid) => Err(Error::OtherDeclared { key: self.key.number(), wanted: None, pid }.into()),
        }
    }
}

/// Whether the other side than `role` is there, has made the memory, and asks for no layout.
pub(super) fn made_by_other(values: &Values, role: Role) -> bool {
    let other = peer(role);
    values.taken(number(other)) && values.taken(of(other, NONE_REQUESTED)) && values.taken(of(other, MADE))
}

/// What LAYOUT says: a hash, and who has declared that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) hash: u16,
    /// The process that is seated and may have declared it, of the roles that were looked for.
    pub(super) pid: Option<u32>,
}

/// What LAYOUT says of the sides with these roles; `None`: neither has, or had, a declared layout.
pub(super) fn told_by(set: Set, roles: &[Role]) -> Option<Told> {
    let values = set.values().ok().filter(|values| values.taken(LAYOUT))?;
    // A side that has made a slot has declared no layout. The side that has declared one is dead, and was about to
    // replace that slot.
    let declares = |role: &&Role| values.taken(number(**role)) && !values.taken(of(**role, MADE));
    let pid = roles.iter().find(declares).map(|role| set.holder(number(*role)).unwrap_or(0));
    Some(Told { hash: values.of(LAYOUT), pid })
}

/// The same, of whichever side is at `key`.
pub(super) fn told_at(key: Key) -> Option<Told> {
    told_by(Set::find(key).ok()??, &[Role::Writer, Role::Reader])
}

/// Whether the other side at `key` asks for no layout, and may take that of a side that comes: whether it has made what
/// is there, the lock tells.
pub(super) fn may_replace(key: Key, role: Role) -> bool {
    let other = peer(role);
    let asks_none = |values: Values| values.taken(number(other)) && values.taken(of(other, NONE_REQUESTED));
    let values = Set::find(key).and_then(|set| set.map(Set::values).transpose());
    matches!(values, Ok(Some(values)) if asks_none(values))
}
