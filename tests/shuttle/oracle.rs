//! What has to come out, kept beside the model and unseen by the checker.

use crate::explore::noted;
use crate::text;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// The messages in order. Its lock is held between two of the model's steps and
/// never over one, so it orders nothing and nobody waits for it.
#[derive(Clone, Default)]
pub(crate) struct Oracle(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    /// Offered and not released yet.
    on_their_way: VecDeque<usize>,
    /// How many calls that sent one have returned.
    sent: usize,
    released: usize,
    /// The last that was peeked at.
    peeked: Option<usize>,
}

impl Oracle {
    /// A writer is about to offer `n`: it may arrive before the call returns.
    pub(crate) fn offer(&self, n: usize) {
        self.0.lock().on_their_way.push_back(n);
    }

    /// The call returned: `n` is sent.
    pub(crate) fn sent(&self) {
        self.0.lock().sent += 1;
    }

    /// The call was refused: `n` can't have arrived.
    pub(crate) fn refused(&self, n: usize) {
        assert_eq!(self.0.lock().on_their_way.pop_back(), Some(n), "it was refused, and has arrived");
    }

    /// A reader sees `seen`: it must be the oldest that was not released.
    pub(crate) fn peeked(&self, seen: &[u8]) {
        let mut queue = self.0.lock();
        let seen = seen.escape_ascii().to_string();
        let first = *queue.on_their_way.front().unwrap_or_else(|| panic!("\"{seen}\" was received, and nothing sent"));
        assert_eq!(seen, text(first).escape_ascii().to_string(), "out of order, lost, doubled or torn");
        if queue.peeked.replace(first) == Some(first) {
            noted("came again");
        }
    }

    /// A reader sees `seen` behind as many others that it has not released.
    pub(crate) fn peeked_ahead(&self, ahead: usize, seen: &[u8]) {
        let queue = self.0.lock();
        let seen = seen.escape_ascii().to_string();
        let next = queue.on_their_way.get(ahead).unwrap_or_else(|| panic!("\"{seen}\" was received, and nothing sent"));
        assert_eq!(seen, text(*next).escape_ascii().to_string(), "out of order, lost, doubled or torn");
    }

    /// The reader has released it.
    pub(crate) fn released(&self) {
        let mut queue = self.0.lock();
        assert!(queue.on_their_way.pop_front().is_some());
        queue.released += 1;
    }

    /// Both in one.
    pub(crate) fn received(&self, seen: &[u8]) {
        self.peeked(seen);
        self.released();
    }

    /// How many were received for good.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().released
    }

    /// How many were offered, received or on their way.
    pub(crate) fn offered(&self) -> usize {
        let queue = self.0.lock();
        queue.released + queue.on_their_way.len()
    }

    /// Whether something was sent, its call returned, and was not received.
    pub(crate) fn something_waits(&self) -> bool {
        let queue = self.0.lock();
        queue.sent > queue.released
    }

    /// Whether all that was offered was received.
    pub(crate) fn nothing_is_left(&self) -> bool {
        self.0.lock().on_their_way.is_empty()
    }
}
