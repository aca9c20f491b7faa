//! What has to come out of a system whose processes die, and whose memory is removed.
//!
//! What was sent for sure comes, once and in order, but for what the contract gives up: a message that lay in
//! removed memory, or can have lain there, when its writer had ended without having looked since.

use crate::explore::noted;
use crate::text;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a writer offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Message(usize),
    End,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // facts, by name
struct Offer {
    item: Item,
    writer: usize,
    /// The call returned.
    sent: bool,
    /// Its writer has ended.
    orphan: bool,
    /// It may be lost.
    given_up: bool,
    /// Its release was begun.
    releasing: bool,
}

impl Offer {
    /// Whether it may be missing where what this other writer has sent later is there.
    fn may_be_missing(&self, before: Option<usize>) -> bool {
        // What a call that never returned would have sent came before what the same writer sent next.
        self.given_up || self.releasing || (!self.sent && before != Some(self.writer))
    }
}

/// A writer's look at what was removed: how often something was, and whether it was sure to see that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Look {
    removals: usize,
    is_sure: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Offered and not released.
    offers: VecDeque<Offer>,
    /// The first message that was not offered yet.
    next: usize,
    /// The writer that is there.
    writer: usize,
    looked: Look,
    /// Beginnings and ends of removals.
    removals: usize,
    removing: bool,
    /// The reader has seen the first offer.
    peeked: bool,
}

impl State {
    fn removal(&mut self, begins: bool) {
        self.removing = begins;
        self.removals += 1;
        // The removal is an end's answer.
        for offer in self.offers.iter_mut().filter(|offer| offer.orphan || offer.item == Item::End) {
            offer.given_up = true;
        }
    }
}

/// Seen by nobody in the model: held between two of its steps, and never over one.
#[derive(Clone, Default)]
pub(super) struct Oracle(Arc<Mutex<State>>);

impl Oracle {
    /// The next message's number.
    pub(super) fn next(&self) -> usize {
        self.0.lock().next
    }

    /// Another writer begins.
    pub(super) fn writer_begins(&self) {
        let look = self.look();
        let mut state = self.0.lock();
        state.writer += 1;
        state.looked = look;
    }

    /// It has ended, in one way or another.
    pub(super) fn writer_ends(&self) {
        let mut state = self.0.lock();
        let (writer, looked) = (state.writer, state.looked);
        let given_up = state.removing || !looked.is_sure || looked.removals != state.removals;
        for offer in state.offers.iter_mut().filter(|offer| offer.writer == writer) {
            offer.orphan = true;
            offer.given_up |= given_up;
        }
    }

    /// The writer is about to look whether its memory was removed.
    pub(super) fn look(&self) -> Look {
        let state = self.0.lock();
        Look { removals: state.removals, is_sure: !state.removing }
    }

    /// It has looked, and taken along what has to be.
    pub(super) fn looked(&self, look: Look) {
        self.0.lock().looked = look;
    }

    /// A third party is about to remove the memory.
    pub(super) fn removal_begins(&self) {
        self.0.lock().removal(true);
    }

    /// It has done so, or something else, or was killed.
    pub(super) fn removal_is_over(&self) {
        let mut state = self.0.lock();
        if state.removing {
            state.removal(false);
        }
    }

    /// The writer is about to offer the next message, or an end.
    pub(super) fn offer(&self, end: bool) -> Item {
        let mut state = self.0.lock();
        let item = if end { Item::End } else { Item::Message(state.next) };
        state.next += usize::from(!end);
        let given_up = end && state.removing;
        let writer = state.writer;
        state.offers.push_back(Offer { item, writer, sent: false, orphan: false, given_up, releasing: false });
        item
    }

    /// All that the writer has offered is sent.
    pub(super) fn sent(&self) {
        let mut state = self.0.lock();
        let writer = state.writer;
        state.offers.iter_mut().filter(|offer| offer.writer == writer).for_each(|offer| offer.sent = true);
    }

    /// The last offer was refused: it can't have arrived.
    pub(super) fn refused(&self, item: Item) {
        let mut state = self.0.lock();
        let seen = state.peeked && state.offers.len() == 1;
        assert!(!seen, "{item:?} was refused, and has arrived");
        assert_eq!(state.offers.pop_back().map(|offer| offer.item), Some(item), "it was refused, and has arrived");
        if matches!(item, Item::Message(_)) {
            state.next -= 1;
        }
    }

    /// A reader sees `seen`; `None`: an end.
    pub(super) fn peeked(&self, seen: Option<&[u8]>) {
        let mut state = self.0.lock();
        let is_it = |offer: &Offer| match (offer.item, seen) {
            (Item::Message(n), Some(seen)) => text(n) == seen,
            (Item::End, None) => true,
            _ => false,
        };
        let said = seen.map_or("an end".to_owned(), |seen| seen.escape_ascii().to_string());
        let Some(at) = state.offers.iter().position(is_it) else {
            panic!("\"{said}\" was received, which is none of {:?}: torn, doubled or out of order", state.offers)
        };
        if at > 0 {
            state.peeked = false;
        }
        let writer = state.offers[at].writer;
        for missing in state.offers.drain(..at) {
            miss(&missing, Some(writer), &said);
        }
        // One end is like another: if this one may be missing, it can be the next that was seen.
        if seen.is_none() && state.offers[0].may_be_missing(None) {
            for end in state.offers.iter_mut().filter(|offer| offer.item == Item::End) {
                end.given_up = true;
            }
        }
        if std::mem::replace(&mut state.peeked, true) {
            noted("came again");
        }
    }

    /// The reader is about to release what it has seen.
    pub(super) fn releasing(&self) {
        self.0.lock().offers[0].releasing = true;
    }

    /// It has released it.
    pub(super) fn released(&self) {
        let mut state = self.0.lock();
        assert!(state.offers.pop_front().is_some());
        state.peeked = false;
    }

    /// There is nothing any more, and nobody who could take anything along.
    pub(super) fn nothing_is_left(&self) {
        for missing in self.0.lock().offers.drain(..) {
            miss(&missing, None, "nothing");
        }
    }
}

fn miss(missing: &Offer, writer: Option<usize>, seen: &str) {
    assert!(missing.may_be_missing(writer), "{seen} was received instead of {missing:?}, which is lost");
    noted(match missing {
        Offer { releasing: true, .. } => "killed behind a release",
        Offer { item: Item::End, .. } => "an end was answered by a removal",
        Offer { sent: false, .. } => "killed before it had sent",
        _ => "lost in removed memory",
    });
}
