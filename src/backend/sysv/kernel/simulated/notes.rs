//! What a model's kernel notes of its processes. The checker need not see it: no process decides by it, and it is
//! never held where threads can be switched.
#![allow(clippy::disallowed_types, reason = "see above")]

use super::fate::Judge;
use crate::backend::sysv::kernel::rows::Life;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Book(Mutex<Notes>);

impl Book {
    pub(super) fn note<T>(&self, note: impl FnOnce(&mut Notes) -> T) -> T {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Default)]
pub(super) struct Notes {
    pub(super) processes: Vec<State>,
    /// How often an object was changed.
    pub(super) changes: u64,
    pub(super) judge: Option<Judge>,
}

pub(super) struct State {
    pub(super) uid: u32,
    pub(super) life: Life,
    pub(super) calls: usize,
    pub(super) clock: Duration,
    /// The changes that the last sleep on a word ended by.
    pub(super) seen: u64,
    pub(super) waits: Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// It runs, or is about to.
    No,
    /// Until it is woken.
    Unbounded,
    /// Until so late by its own clock.
    Until(Duration),
    /// Its time is over.
    TimedOut,
}

impl Notes {
    pub(super) fn of(&mut self, pid: u32) -> &mut State {
        &mut self.processes[pid as usize - 1]
    }

    /// Where no process can go on, the first bound is over; whether one is.
    pub(super) fn settle(&mut self) -> bool {
        let goes_on = |state: &State| match state.life {
            Life::Goes => matches!(state.waits, Waits::No | Waits::TimedOut),
            Life::Ending => true,
            _ => false,
        };
        if self.processes.iter().any(goes_on) {
            return false;
        }
        let bound = |state: &State| match state.waits {
            Waits::Until(then) if state.life == Life::Goes => Some(then.saturating_sub(state.clock)),
            _ => None,
        };
        let Some((left, state)) =
            self.processes.iter_mut().filter_map(|state| Some((bound(state)?, state))).min_by_key(|(left, _)| *left)
        else {
            return false;
        };
        state.clock += left;
        state.waits = Waits::TimedOut;
        true
    }
}

impl State {
    pub(super) fn wakes(&mut self) {
        if self.waits != Waits::TimedOut {
            self.waits = Waits::No;
        }
    }
}
