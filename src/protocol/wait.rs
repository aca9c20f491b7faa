//! How a side waits: spin briefly, then sleep, and look around on the way.
//!
//! A C peer never wakes anyone, so the classic slot is polled: 100 pauses (an
//! answer that takes less costs no system call), 50 yields (one core is
//! enough), then sleeps of 50 µs that double to 5 ms, and after a second without
//! an answer 20 ms: waking up is what idling costs. Each sleep is followed by
//! a *tick*: the caller's hook, the deadline, and, a few milliseconds apart,
//! the census that notices a peer or a segment that has gone.
//!
//! In a ring a side is woken instead: after pauses and yields it sleeps on its
//! hint, for 20 ms at most, doubled to 100 ms.

use crate::sync;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

const PAUSES: u32 = 100;
const YIELDS: u32 = 50;
const SHORTEST: Duration = Duration::from_micros(50);

/// The longest sleep between two looks while an answer is to be expected.
pub(crate) const LONGEST: Duration = Duration::from_millis(5);

/// The sleep of a side that idles, and after how many of the longest it does.
const IDLE: Duration = Duration::from_millis(20);
const IDLE_AFTER: u32 = 200;

/// The first and the longest sleep on a hint: a peer wakes us, so they are for
/// what nobody wakes us from, a peer's death and removed memory.
const SHORTEST_PARK: Duration = Duration::from_millis(20);
const LONGEST_PARK: Duration = Duration::from_millis(100);

/// Time between two censuses; longer than the millisecond for which a tool of
/// ours is attached, much shorter than the 50 ms that two looks in a row may
/// lie apart.
const CENSUS_EVERY: Duration = Duration::from_millis(20);

/// What a side waits for.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::ops::ControlFlow;
/// # let slot = Slot::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut what = None;
/// let mut hook = |tick: Tick| {
///     what = Some(tick.waiting_for);
///     ControlFlow::Break(())
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut Patience::endless().with_hook(&mut hook));
/// assert_eq!((result, what), (Err(RecvError::Interrupted), Some(WaitingFor::Message)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// A writer, for the first reader of this memory.
    Reader,
    /// A writer, for the last message to be released.
    Room,
    /// A reader, for a message.
    Message,
    /// A writer on removed memory, for the reader to take what it takes.
    Drain,
    /// A writer that leaves memory which goes with it, for what it sent to be released.
    Receipt,
}

/// One tick of a wait, as the hook is told.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::{ops::ControlFlow, time::Duration};
/// # let slot = Slot::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut hook = |tick: Tick| {
///     assert_eq!(tick.waiting_for, WaitingFor::Message);
///     if tick.waited < Duration::from_millis(1) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut Patience::endless().with_hook(&mut hook));
/// assert_eq!(result, Err(RecvError::Interrupted));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// What for.
    pub waiting_for: WaitingFor,
    /// How long this wait has gone on.
    pub waited: Duration,
}

/// How long to wait, and who may cut it short.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
/// # use std::time::{Duration, Instant};
/// # let slot = Slot::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut patience = Patience::until(Instant::now() + Duration::from_millis(1)).spins(0);
/// assert_eq!(reader.recv_with(&mut [0; 2048], &mut patience), Err(RecvError::TimedOut));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct Patience<'h> {
    deadline: Option<Instant>,
    /// From the first tick on that is the deadline.
    within: Option<Duration>,
    /// Looks before it sleeps; `None`: as many as pay.
    spins: Option<u32>,
    hook: Option<&'h mut dyn FnMut(Tick) -> ControlFlow<()>>,
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<'h> Patience<'h> {
    /// Waits for as long as it takes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Patience, Reader, Writer, backend::inproc::{InProc, Slot}};
    /// # let slot = Slot::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut Patience::endless()), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn endless() -> Self {
        Self::default()
    }

    /// Gives up at `deadline`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
    /// # use std::time::{Duration, Instant};
    /// # let slot = Slot::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut patience = Patience::until(Instant::now() + Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut patience), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Gives up after waiting for `time`. It begins when there is something to wait for, so
    /// that no clock is read where there is not.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
    /// # use std::time::Duration;
    /// # let slot = Slot::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut patience = Patience::within(Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut patience), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { within: Some(time), ..Self::default() }
    }

    /// Does not wait at all.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
    /// # let slot = Slot::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut Patience::none()), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Self { deadline: Some(sync::now()), spins: Some(0), ..Self::default() }
    }

    /// Looks `spins` times, with a pause between, before it sleeps. By default it makes
    /// 100 pauses and then 50 yields: fewer save the core and may cost a sleep for an answer
    /// that was on its way (tens of microseconds); more are for who has a core to spare.
    /// From 100 on the yields follow.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{Patience, RecvError, backend::inproc::{InProc, Slot}, ring::Reader};
    /// use std::time::{Duration, Instant};
    /// let mut reader = Reader::<InProc>::open(&Slot::ring(4096)).unwrap();
    /// let mut patience = Patience::until(Instant::now() + Duration::from_millis(1)).spins(0);
    /// assert_eq!(reader.recv_with(&mut [], &mut patience), Err(RecvError::TimedOut));
    /// # }
    /// ```
    #[must_use]
    pub fn spins(self, spins: u32) -> Self {
        Self { spins: Some(spins), ..self }
    }

    /// Calls `hook` on every tick, at most 20 ms apart (in a ring 100 ms); `Break` ends the wait.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Patience, Reader, RecvError, Writer, backend::inproc::{InProc, Slot}};
    /// # use std::{ops::ControlFlow, sync::atomic::{AtomicBool, Ordering::Relaxed}};
    /// # let slot = Slot::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let stop = AtomicBool::new(true); // set by a signal handler, say
    /// let mut hook = |_| if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    /// let result = reader.recv_with(&mut [0; 2048], &mut Patience::endless().with_hook(&mut hook));
    /// assert_eq!(result, Err(RecvError::Interrupted));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_hook(self, hook: &'h mut dyn FnMut(Tick) -> ControlFlow<()>) -> Self {
        Self { hook: Some(hook), ..self }
    }
}

/// Why a wait ended without what it waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GaveUp {
    Deadline,
    Interrupted,
}

/// What to do before the next look.
pub(super) enum Step {
    /// Nothing: a pause was made.
    Look,
    /// Tick, then sleep for this long.
    Sleep(Duration),
}

/// One wait, from its first look to its last.
pub(super) struct Wait {
    pauses: u32,
    yields: u32,
    sleep: Duration,
    longest: Duration,
    long_sleeps: u32,
    since: Option<Instant>,
    last_census: Option<Instant>,
}

impl Wait {
    pub(super) fn new(patience: &Patience<'_>) -> Self {
        // In a model there is nothing to gain from spinning either: there,
        // every step is a tick.
        let pauses = if cfg!(model) { 0 } else { patience.spins.unwrap_or(PAUSES) };
        let yields = if pauses < PAUSES { 0 } else { YIELDS };
        Self { pauses, yields, sleep: SHORTEST, longest: LONGEST, long_sleeps: 0, since: None, last_census: None }
    }

    /// Of a side that is woken.
    pub(super) fn parking(patience: &Patience<'_>) -> Self {
        Self { sleep: SHORTEST_PARK, longest: LONGEST_PARK, ..Self::new(patience) }
    }

    /// Spins; from the end of the budget on says how long to sleep.
    pub(super) fn step(&mut self) -> Step {
        if self.pauses > 0 {
            self.pauses -= 1;
            sync::spin_loop();
            return Step::Look;
        }
        if self.yields > 0 {
            self.yields -= 1;
            sync::yield_now();
            return Step::Look;
        }
        let sleep = self.sleep;
        self.sleep = (sleep * 2).min(self.longest);
        if sleep == LONGEST {
            self.long_sleeps = self.long_sleeps.saturating_add(1);
        }
        Step::Sleep(if self.long_sleeps > IDLE_AFTER { IDLE } else { sleep })
    }

    /// Asks the hook and the clock; returns the time left if there is a limit.
    pub(super) fn tick(&mut self, patience: &mut Patience<'_>, waiting_for: WaitingFor) -> Result<Duration, GaveUp> {
        let now = sync::now();
        let since = *self.since.get_or_insert(now);
        if let Some(hook) = &mut patience.hook {
            let tick = Tick { waiting_for, waited: now - since };
            if hook(tick).is_break() {
                return Err(GaveUp::Interrupted);
            }
        }
        if let Some(time) = patience.within.take() {
            // One that is beyond all times is none.
            patience.deadline = now.checked_add(time);
        }
        match patience.deadline {
            Some(deadline) if deadline <= now => Err(GaveUp::Deadline),
            Some(deadline) => Ok(deadline - now),
            None => Ok(Duration::MAX),
        }
    }

    /// Whether it is time to look who is there; the moment, if so.
    pub(super) fn census_due(&mut self) -> Option<Instant> {
        let now = sync::now();
        let due = cfg!(model) || self.last_census.is_none_or(|last| now - last >= CENSUS_EVERY);
        due.then(|| *self.last_census.insert(now))
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;

    /// Looks before the first sleep, and the sleeps that follow.
    fn pace(mut wait: Wait, sleeps: usize) -> (usize, Vec<Duration>) {
        let mut looks = 0;
        let mut lengths = Vec::new();
        while lengths.len() < sleeps {
            match wait.step() {
                Step::Look => looks += 1,
                Step::Sleep(length) => lengths.push(length),
            }
        }
        (looks, lengths)
    }

    #[test]
    fn sleeps_grow_to_their_longest_and_then_idle() {
        let (looks, lengths) = pace(Wait::new(&Patience::endless()), 210);
        assert_eq!(looks, 150, "100 pauses and 50 yields");
        let micros = lengths.iter().map(Duration::as_micros).collect::<Vec<_>>();
        assert_eq!(micros[..8], [50, 100, 200, 400, 800, 1600, 3200, 5000]);
        assert!(micros[7..207].iter().all(|length| *length == 5000), "a second long");
        assert_eq!(micros[207..], [20_000; 3]);
    }

    #[test]
    fn who_is_woken_sleeps_longer() {
        let (looks, lengths) = pace(Wait::parking(&Patience::endless()), 5);
        assert_eq!(looks, 150);
        assert_eq!(lengths.iter().map(Duration::as_millis).collect::<Vec<_>>(), [20, 40, 80, 100, 100]);
    }

    #[test]
    fn as_many_looks_as_were_asked_for() {
        let looks = |patience: Patience<'_>| pace(Wait::new(&patience), 1).0;
        assert_eq!([0, 7, 99, 100, 200].map(|spins| looks(Patience::endless().spins(spins))), [0, 7, 99, 150, 250]);
        assert_eq!(looks(Patience::none()), 0);
    }

    #[test]
    fn a_census_now_and_then() {
        let mut wait = Wait::new(&Patience::endless());
        let before = Instant::now();
        let first = wait.census_due().expect("the first look is at once");
        let second = wait.census_due();
        assert!(second.is_none() || before.elapsed() >= CENSUS_EVERY);
        std::thread::sleep(CENSUS_EVERY);
        assert!(wait.census_due().is_some_and(|third| third - first >= CENSUS_EVERY) || second.is_some());
    }
}
