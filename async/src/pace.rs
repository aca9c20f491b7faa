//! How a task looks before it gives its endpoint to a thread: as the blocking endpoints do, briefly and with pauses, then by
//! letting other tasks have their turn.

use std::hint::spin_loop;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Pauses between looks in one poll: some microseconds.
const PAUSES: u32 = 100;

/// Polls that only look, and for how long. A turn of a busy runtime can take long.
const TURNS: u32 = 50;
const TURNING: Duration = Duration::from_micros(100);

/// Operations that were ready in a row until other tasks have their turn.
const STREAK: u32 = 128;

/// Of one endpoint.
#[derive(Debug)]
pub(crate) struct Pace {
    pauses: u32,
    /// Of the wait that goes on.
    turns: u32,
    since: Option<Instant>,
    streak: u32,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { pauses: PAUSES, turns: 0, since: None, streak: 0 }
    }

    /// So many pauses; without any, no further turns either.
    pub(crate) fn set_pauses(&mut self, pauses: u32) {
        self.pauses = pauses;
    }

    /// Whether the operation may be done now. An endpoint that is always ready would keep all other tasks of its thread from
    /// running.
    #[inline]
    pub(crate) fn poll_go(&mut self, context: &Context<'_>) -> Poll<()> {
        self.streak += 1;
        if self.streak <= STREAK {
            return Poll::Ready(());
        }
        self.streak = 0;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// How often this poll looks, with a pause between: only the first one of a wait does so.
    pub(crate) fn pauses(&self) -> u32 {
        if self.turns == 0 && !cfg!(loom) { self.pauses } else { 0 }
    }

    /// Looks until `look` says yes, or the pauses are over.
    pub(crate) fn spin<E>(&self, mut look: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
        for _ in 0..self.pauses() {
            if look()? {
                return Ok(true);
            }
            spin_loop();
        }
        look()
    }

    /// Whether the task is to look again after the others of its thread.
    pub(crate) fn takes_turns(&mut self, context: &Context<'_>) -> bool {
        if self.pauses == 0 || self.turns == TURNS || cfg!(loom) {
            return false;
        }
        let now = Instant::now();
        if now - *self.since.get_or_insert(now) > TURNING {
            return false;
        }
        self.turns += 1;
        self.streak = 0;
        context.waker().wake_by_ref();
        true
    }

    /// The wait is over, or a thread's.
    pub(crate) fn rest(&mut self) {
        (self.turns, self.since) = (0, None);
    }
}
