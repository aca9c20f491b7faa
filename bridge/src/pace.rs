//! How much, how often and how long: the constants of the protocol, and its one kind of timer.

use std::time::Duration;

/// How much the machines send and hold, and how long they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes with which a batch is full, or one message more.
    pub batch: usize,
    /// Bytes that the receiver holds while its ring is full, or one batch more.
    pub waiting: usize,
    /// How soon a greeting or a probe is repeated. The pause doubles each time.
    pub first: Duration,
    /// The longest such pause. An idle sender is heard of so often.
    pub slowest: Duration,
    /// How soon the receiver asks again for the same gap.
    pub gap: Duration,
    /// How long a side that leaves waits for the other side's answer, and after how long a sender counts as gone.
    pub silence: Duration,
    /// How long the machine goes on without progress.
    pub timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: 256 << 10,
            waiting: 256 << 10,
            first: Duration::from_millis(200),
            slowest: Duration::from_secs(1),
            gap: Duration::from_millis(20),
            silence: Duration::from_secs(5),
            timeout: None,
        }
    }
}

/// Fires at a moment, and each time a little later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Timer {
    pub(crate) at: Duration,
    delay: Duration,
}

impl Timer {
    /// One that is due.
    pub(crate) fn due(limits: &Limits) -> Self {
        Self { at: Duration::ZERO, delay: limits.first }
    }

    /// One that fires after the first delay.
    pub(crate) fn after(now: Duration, limits: &Limits) -> Self {
        Self { at: now + limits.first, delay: limits.first }
    }

    /// Whether it has fired. Then it waits twice as long.
    pub(crate) fn fires(&mut self, now: Duration, limits: &Limits) -> bool {
        let fires = now >= self.at;
        if fires {
            self.at = now + self.delay;
            self.delay = (self.delay * 2).min(limits.slowest);
        }
        fires
    }

    /// For models: see [`Sender::rebase`](crate::sender::Sender::rebase).
    pub(crate) fn rebase(&mut self, by: Duration, now: Duration) {
        self.at = if self.at <= now + by { Duration::ZERO } else { self.at.saturating_sub(by) };
    }
}
