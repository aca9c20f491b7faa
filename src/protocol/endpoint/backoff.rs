//! How a side waits: spin briefly, then sleep, and look around on the way.
//!
//! A C peer never wakes anyone, so the classic slot is polled: 100 pauses (an
//! answer that takes less costs no system call and no look at the clock), 50
//! yields (one core is enough), then sleeps of 50 µs that double to 5 ms, and
//! after a second without an answer 20 ms: waking up is what idling costs. Each
//! sleep follows a *tick*: the caller's hook, the deadline, and, a few
//! milliseconds apart, the status check that notices a peer or a segment that has gone.
//!
//! A yield takes half a microsecond where nobody else wants the core, and
//! milliseconds where others do. So the hook and the deadline are asked before
//! the first one, the yields of a wait end when they have taken 100 µs, and a thread
//! whose yields cost more than they save makes none for a while: it sleeps at once
//! instead, which brings it back to a busy core sooner than a yield does.
//!
//! In a ring a side is woken instead: after pauses and yields it sleeps on its
//! parked word, for 20 ms at most, doubled to 100 ms.

use super::policy::{Tick, WaitPolicy, WaitingFor};
use crate::error::{RecvError, SendError};
use crate::sync;
use std::cell::Cell;
use std::time::{Duration, Instant};
#[cfg(any(model, not(test)))]
use sync::{now, yield_now};
#[cfg(all(test, not(model)))]
use tests::{now, yield_now};

const PAUSES: u32 = 100;
const YIELDS: u32 = 50;

/// Pauses between two questions to the hook and the deadline, if so many were asked for.
const PAUSES_A_QUESTION: u32 = 4096;

/// How long the yields of a wait may take: all of them where the core is ours, not one
/// of them where it is not.
const YIELDING: Duration = Duration::from_micros(100);

const SHORTEST: Duration = Duration::from_micros(50);

/// The longest sleep between two looks while an answer is to be expected.
pub(crate) const LONGEST: Duration = Duration::from_millis(5);

/// The sleep of a side that idles, and after how many of the longest it does.
const IDLE: Duration = Duration::from_millis(20);
const IDLE_AFTER: u32 = 200;

/// The first and the longest sleep on a parked word: a peer wakes us, so they are for
/// what nobody wakes us from, a peer's death and removed memory.
const SHORTEST_PARK: Duration = Duration::from_millis(20);
const LONGEST_PARK: Duration = Duration::from_millis(100);

/// Time between two status checks; longer than the millisecond for which a tool of
/// ours is attached, much shorter than the 50 ms that two looks in a row may
/// lie apart.
const STATUS_EVERY: Duration = Duration::from_millis(20);

std::thread_local! {
    /// The core is the thread's, not one side's.
    static BALANCE: Cell<Balance> = const { Cell::new(Balance::EVEN) };
}

/// Whether yields pay. Each is made in place of a sleep, and some of them take a
/// thousand times as long as others: on a core that is busy all of them, on one that is
/// not quite idle one in a thousand, where they pay all the same.
#[derive(Clone, Copy)]
struct Balance {
    /// What yields have saved.
    saved: Duration,
    /// When they may be tried again, after one that cost more.
    none_before: Option<Instant>,
}

impl Balance {
    const EVEN: Self = Self { saved: Duration::ZERO, none_before: None };
    /// What a yield saves.
    const A_SLEEP: Duration = SHORTEST;
    /// A core that was idle can be busy now.
    const MOST: Duration = Duration::from_millis(10);
    /// For so many times what was lost there are no yields: where none pays, trying takes
    /// a small part of the time. And no longer than a second, for what stopped a thread
    /// for very long is no matter of the core's.
    const TIMES: u32 = 16;
    const NO_LONGER: Duration = Duration::from_secs(1);

    /// After a yield that took so long.
    fn after(self, took: Duration, now: Instant) -> Self {
        let saved = self.saved + Self::A_SLEEP;
        let lost = took.saturating_sub(saved);
        let pause = lost.saturating_mul(Self::TIMES).min(Self::NO_LONGER);
        Self {
            saved: saved.saturating_sub(took).min(Self::MOST),
            none_before: if lost.is_zero() { None } else { now.checked_add(pause) },
        }
    }
}

/// Why a wait ended without what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GaveUp {
    Deadline,
    Interrupted,
}

impl From<GaveUp> for SendError {
    fn from(why: GaveUp) -> Self {
        match why {
            GaveUp::Deadline => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

impl From<GaveUp> for RecvError {
    fn from(why: GaveUp) -> Self {
        match why {
            GaveUp::Deadline => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

/// What to do before the next look.
pub(super) enum Step {
    /// Nothing: a pause was made.
    Look,
    /// Tick, then sleep for this long.
    Sleep(Duration),
}

/// One wait, from its first look to its last.
pub(super) struct Backoff {
    pauses: u32,
    yields: u32,
    /// When the yields began, and when the last one was over.
    yielding: Option<(Instant, Instant)>,
    /// What was found while it spun. The tick tells it, for a status check comes before that:
    /// it can tell more.
    gave_up: Option<GaveUp>,
    sleep: Duration,
    longest: Duration,
    long_sleeps: u32,
    since: Option<Instant>,
    last_status: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(policy: &WaitPolicy<'_>) -> Self {
        // In a model there is nothing to gain from spinning either: there,
        // every step is a tick.
        let pauses = if cfg!(model) { 0 } else { policy.spins.unwrap_or(PAUSES) };
        let yields = if pauses < PAUSES { 0 } else { YIELDS };
        Self {
            pauses,
            yields,
            yielding: None,
            gave_up: None,
            sleep: SHORTEST,
            longest: LONGEST,
            long_sleeps: 0,
            since: None,
            last_status: None,
        }
    }

    /// Of a side that is woken.
    pub(super) fn parking(policy: &WaitPolicy<'_>) -> Self {
        Self { sleep: SHORTEST_PARK, longest: LONGEST_PARK, ..Self::new(policy) }
    }

    /// From its first look again, for the same policy: on other memory.
    pub(super) fn begin_again(&mut self, policy: &WaitPolicy<'_>) {
        let anew = if self.longest == LONGEST_PARK { Self::parking(policy) } else { Self::new(policy) };
        *self = Self { gave_up: self.gave_up, since: self.since, ..anew };
    }

    /// Spins; from the end of the budget on says how long to sleep.
    pub(super) fn step(&mut self, policy: &mut WaitPolicy<'_>, waiting_for: WaitingFor) -> Step {
        if self.pauses > 0 {
            self.pauses -= 1;
            sync::spin_loop();
            if self.pauses > 0 && self.pauses.is_multiple_of(PAUSES_A_QUESTION) {
                self.ask_while_spinning(now(), policy, waiting_for);
            }
            return Step::Look;
        }
        if self.yields > 0 {
            if let Some((began, last)) = self.begin_yielding(policy, waiting_for) {
                self.yields -= 1;
                yield_now();
                let now = now();
                BALANCE.set(BALANCE.get().after(now - last, now));
                self.yielding = Some((began, now));
                if now - began > YIELDING {
                    self.yields = 0;
                }
                return Step::Look;
            }
            self.yields = 0;
        }
        let sleep = self.sleep;
        self.sleep = (sleep * 2).min(self.longest);
        if sleep == LONGEST {
            self.long_sleeps = self.long_sleeps.saturating_add(1);
        }
        Step::Sleep(if self.long_sleeps > IDLE_AFTER { IDLE } else { sleep })
    }

    /// As `self.yielding`; `None`: there are to be none.
    fn begin_yielding(&mut self, policy: &mut WaitPolicy<'_>, waiting_for: WaitingFor) -> Option<(Instant, Instant)> {
        if self.yielding.is_none() {
            let mut began = now();
            if BALANCE.get().none_before.is_some_and(|then| began < then) {
                return None;
            }
            self.ask_while_spinning(began, policy, waiting_for);
            if self.gave_up.is_some() {
                return None;
            }
            if policy.hook.is_some() {
                // What that takes is no matter of the core's.
                began = now();
            }
            self.yielding = Some((began, began));
        }
        self.yielding
    }

    fn ask_while_spinning(&mut self, now: Instant, policy: &mut WaitPolicy<'_>, waiting_for: WaitingFor) {
        self.gave_up = self.ask(now, policy, waiting_for).err();
        if self.gave_up.is_some() {
            (self.pauses, self.yields) = (0, 0);
        }
    }

    /// Asks the hook and the clock; returns the time left if there is a limit.
    pub(super) fn tick(&mut self, policy: &mut WaitPolicy<'_>, waiting_for: WaitingFor) -> Result<Duration, GaveUp> {
        match self.gave_up.take() {
            Some(why) => Err(why),
            None => self.ask(now(), policy, waiting_for),
        }
    }

    fn ask(&mut self, now: Instant, policy: &mut WaitPolicy<'_>, waiting_for: WaitingFor) -> Result<Duration, GaveUp> {
        let since = *self.since.get_or_insert(now);
        if let Some(hook) = &mut policy.hook {
            let tick = Tick { waiting_for, waited: now - since };
            if hook(tick).is_break() {
                return Err(GaveUp::Interrupted);
            }
        }
        if let Some(time) = policy.timeout.take() {
            // A deadline that overflows `Instant` means no deadline.
            policy.deadline = now.checked_add(time);
        }
        match policy.deadline {
            Some(deadline) if deadline <= now => Err(GaveUp::Deadline),
            Some(deadline) => Ok(deadline - now),
            None => Ok(Duration::MAX),
        }
    }

    /// Whether it is time to look at the peer.
    pub(super) fn status_due(&mut self) -> bool {
        let now = now();
        let due = cfg!(model) || self.last_status.is_none_or(|last| now - last >= STATUS_EVERY);
        if due {
            self.last_status = Some(now);
        }
        due
    }
}

#[cfg(all(test, not(model)))]
mod tests;
