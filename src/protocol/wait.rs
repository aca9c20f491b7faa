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

use crate::sync;
use std::cell::Cell;
use std::fmt;
use std::ops::ControlFlow;
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

/// Whether yields pay. Each is made in the place of a sleep, and some of them take a
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

/// What a side waits for.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::ops::ControlFlow;
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut what = None;
/// let mut hook = |tick: Tick| {
///     what = Some(tick.waiting_for);
///     ControlFlow::Break(())
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
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
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::{ops::ControlFlow, time::Duration};
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut hook = |tick: Tick| {
///     assert_eq!(tick.waiting_for, WaitingFor::Message);
///     if tick.waited < Duration::from_millis(1) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
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
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use std::time::{Duration, Instant};
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1)).spins(0);
/// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct WaitPolicy<'h> {
    deadline: Option<Instant>,
    /// From the first tick on that is the deadline.
    timeout: Option<Duration>,
    /// Looks before it sleeps; `None`: as many as pay.
    spins: Option<u32>,
    hook: Option<&'h mut dyn FnMut(Tick) -> ControlFlow<()>>,
}

impl fmt::Debug for WaitPolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitPolicy").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<'h> WaitPolicy<'h> {
    /// Waits for as long as it takes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever()), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn forever() -> Self {
        Self::default()
    }

    /// Gives up at `deadline`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::{Duration, Instant};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn deadline(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Gives up after waiting for `time`. It begins when there is something to wait for, so
    /// that no clock is read where there is not.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::Duration;
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn timeout(time: Duration) -> Self {
        Self { timeout: Some(time), ..Self::default() }
    }

    /// Does not wait at all.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn non_blocking() -> Self {
        Self { deadline: Some(now()), spins: Some(0), ..Self::default() }
    }

    /// Looks `spins` times, with a pause between, before it sleeps. By default it makes
    /// 100 pauses and then 50 yields: fewer save the core and may cost a sleep for an answer
    /// that was on its way (tens of microseconds); more are for who has a core to spare.
    /// From 100 on the yields follow, unless others want the core. The hook and the deadline
    /// are heard meanwhile; that the peer has gone is noticed after it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::Reader};
    /// use std::time::{Duration, Instant};
    /// let mut reader = Reader::<InProc>::open(&Channel::ring(4096)).unwrap();
    /// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1)).spins(0);
    /// assert_eq!(reader.recv_with(&mut [], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// ```
    #[must_use]
    pub fn spins(self, spins: u32) -> Self {
        Self { spins: Some(spins), ..self }
    }

    /// Calls `hook` on every tick, at most 20 ms apart (in a ring 100 ms); `Break` ends the wait.
    /// A wait that is over within its pauses has no tick.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::{ops::ControlFlow, sync::atomic::{AtomicBool, Ordering::Relaxed}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let stop = AtomicBool::new(true); // set by a signal handler, say
    /// let mut hook = |_| if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    /// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
    /// assert_eq!(result, Err(RecvError::Interrupted));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_tick(self, hook: &'h mut dyn FnMut(Tick) -> ControlFlow<()>) -> Self {
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
        *self = Self { gave_up: self.gave_up, since: self.since, ..Self::new(policy) };
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
            // One that is beyond all times is none.
            policy.deadline = now.checked_add(time);
        }
        match policy.deadline {
            Some(deadline) if deadline <= now => Err(GaveUp::Deadline),
            Some(deadline) => Ok(deadline - now),
            None => Ok(Duration::MAX),
        }
    }

    /// Whether it is time to look who is there; the moment, if so.
    pub(super) fn status_due(&mut self) -> Option<Instant> {
        let now = now();
        let due = cfg!(model) || self.last_status.is_none_or(|last| now - last >= STATUS_EVERY);
        due.then(|| *self.last_status.insert(now))
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    const MICRO: Duration = Duration::from_micros(1);

    /// What time it is on this thread, what its yields take, and what it has done.
    struct Script {
        now: Instant,
        yields: VecDeque<Duration>,
        done: Vec<&'static str>,
    }

    std::thread_local! {
        static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
    }

    /// From here on these are what this thread's yields take, and all others a microsecond.
    fn yields_take(yields: impl IntoIterator<Item = Duration>) {
        BALANCE.set(Balance::EVEN);
        SCRIPT.set(Some(Script { now: Instant::now(), yields: yields.into_iter().collect(), done: Vec::new() }));
    }

    fn scripted<T>(then: impl FnOnce(&mut Script) -> T) -> Option<T> {
        SCRIPT.with_borrow_mut(|script| script.as_mut().map(then))
    }

    fn goes_by(time: Duration) {
        scripted(|script| script.now += time);
    }

    /// What was done since the last time, but for looks at the clock.
    fn done() -> Vec<&'static str> {
        let done = scripted(|script| std::mem::take(&mut script.done)).expect("there is a script");
        done.into_iter().filter(|done| *done != "clock").collect()
    }

    pub(super) fn now() -> Instant {
        scripted(|script| {
            script.done.push("clock");
            script.now
        })
        .unwrap_or_else(sync::now)
    }

    pub(super) fn yield_now() {
        let scripted = scripted(|script| {
            script.done.push("yield");
            script.now += script.yields.pop_front().unwrap_or(MICRO);
        });
        scripted.unwrap_or_else(sync::yield_now);
    }

    fn step(backoff: &mut Backoff, policy: &mut WaitPolicy<'_>) -> Step {
        backoff.step(policy, WaitingFor::Message)
    }

    /// Looks before the first sleep, and the sleeps that follow.
    fn pace(mut backoff: Backoff, sleeps: usize) -> (usize, Vec<Duration>) {
        let mut looks = 0;
        let mut lengths = Vec::new();
        while lengths.len() < sleeps {
            match step(&mut backoff, &mut WaitPolicy::forever()) {
                Step::Look => looks += 1,
                Step::Sleep(length) => lengths.push(length),
            }
        }
        (looks, lengths)
    }

    fn looks(policy: &WaitPolicy<'_>) -> usize {
        pace(Backoff::new(policy), 1).0
    }

    #[test]
    fn sleeps_grow_to_their_longest_and_then_idle() {
        yields_take([]);
        let (looks, lengths) = pace(Backoff::new(&WaitPolicy::forever()), 210);
        assert_eq!(looks, 150, "100 pauses and 50 yields");
        let micros = lengths.iter().map(Duration::as_micros).collect::<Vec<_>>();
        assert_eq!(micros[..8], [50, 100, 200, 400, 800, 1600, 3200, 5000]);
        assert!(micros[7..207].iter().all(|length| *length == 5000), "a second long");
        assert_eq!(micros[207..], [20_000; 3]);
    }

    #[test]
    fn who_is_woken_sleeps_longer() {
        yields_take([]);
        let (looks, lengths) = pace(Backoff::parking(&WaitPolicy::forever()), 5);
        assert_eq!(looks, 150);
        assert_eq!(lengths.iter().map(Duration::as_millis).collect::<Vec<_>>(), [20, 40, 80, 100, 100]);
    }

    #[test]
    fn as_many_looks_as_were_asked_for() {
        yields_take([]);
        let spins = [0, 7, 99, 100, 200];
        assert_eq!(spins.map(|spins| looks(&WaitPolicy::forever().spins(spins))), [0, 7, 99, 150, 250]);
        assert_eq!(looks(&WaitPolicy::non_blocking()), 0);
    }

    #[test]
    fn no_clock_within_the_pauses() {
        yields_take([]);
        let mut hook = |_| panic!("asked too soon");
        let policy = &mut WaitPolicy::timeout(MICRO).on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        for _ in 0..PAUSES {
            assert!(matches!(step(&mut backoff, policy), Step::Look));
        }
        assert_eq!(scripted(|script| script.done.len()), Some(0));
    }

    #[test]
    fn the_hook_is_asked_before_the_yields() {
        yields_take([]);
        let mut hook = |tick: Tick| {
            assert_eq!(tick, Tick { waiting_for: WaitingFor::Message, waited: Duration::ZERO });
            scripted(|script| script.done.push("hook"));
            ControlFlow::Continue(())
        };
        let policy = &mut WaitPolicy::forever().on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        while let Step::Look = step(&mut backoff, policy) {}
        let done = done();
        assert_eq!(done[..2], ["hook", "yield"]);
        assert_eq!(done[1..], ["yield"; 50]);
    }

    /// The tick says so, behind the status check; and the hook is not asked again.
    #[test]
    fn who_gives_up_does_not_yield() {
        yields_take([]);
        let mut asked = 0;
        let mut hook = |_| {
            asked += 1;
            ControlFlow::Break(())
        };
        let hooked = WaitPolicy::forever().on_tick(&mut hook);
        for (mut policy, why) in [(hooked, GaveUp::Interrupted), (WaitPolicy::deadline(now()), GaveUp::Deadline)] {
            let mut backoff = Backoff::new(&policy);
            while let Step::Look = step(&mut backoff, &mut policy) {}
            assert_eq!(done(), [""; 0]);
            assert_eq!(backoff.tick(&mut policy, WaitingFor::Message), Err(why));
        }
        assert_eq!(asked, 1);
    }

    /// Nor is what it has said forgotten.
    #[test]
    fn who_begins_again_has_given_up_as_before() {
        yields_take([]);
        let mut asked = 0;
        let mut hook = |_| {
            asked += 1;
            if asked == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let policy = &mut WaitPolicy::forever().on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        while let Step::Look = step(&mut backoff, policy) {}
        backoff.begin_again(policy);
        assert_eq!(backoff.tick(policy, WaitingFor::Room), Err(GaveUp::Interrupted));
    }

    #[test]
    fn who_begins_again_waits_for_as_long_as_before() {
        yields_take([]);
        let mut waited = Vec::new();
        let mut hook = |tick: Tick| {
            waited.push(tick.waited);
            ControlFlow::Continue(())
        };
        let policy = &mut WaitPolicy::forever().on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        backoff.tick(policy, WaitingFor::Room).unwrap();
        goes_by(MICRO);
        backoff.begin_again(policy);
        backoff.tick(policy, WaitingFor::Room).unwrap();
        assert_eq!(waited, [Duration::ZERO, MICRO]);
    }

    /// As many pauses as a person asks for keep neither the deadline nor the hook from being heard.
    #[test]
    fn the_hook_is_asked_between_many_pauses() {
        yields_take([]);
        let mut asked = 0;
        let mut hook = |_| {
            asked += 1;
            if asked == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let policy = &mut WaitPolicy::forever().spins(u32::MAX).on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        while let Step::Look = step(&mut backoff, policy) {}
        assert_eq!(backoff.tick(policy, WaitingFor::Room), Err(GaveUp::Interrupted));
    }

    #[test]
    fn a_slow_yield_is_the_last_one_for_a_while() {
        let lost = Duration::from_millis(3);
        yields_take([SHORTEST + lost]);
        assert_eq!((looks(&WaitPolicy::forever()), done().len()), (101, 1));
        // In another wait, of either kind, too.
        assert_eq!((looks(&WaitPolicy::forever()), done().len()), (100, 0));
        assert_eq!((pace(Backoff::parking(&WaitPolicy::forever()), 1).0, done().len()), (100, 0));
        goes_by(lost * (Balance::TIMES - 1));
        assert_eq!(looks(&WaitPolicy::forever()), 100, "not yet");
        goes_by(lost);
        assert_eq!(looks(&WaitPolicy::forever()), 150, "again");
    }

    #[test]
    fn a_slow_yield_in_a_thousand_ends_one_wait_alone() {
        let fast = std::iter::repeat_n(MICRO, 1000);
        yields_take(fast.chain([Duration::from_millis(3)]));
        assert_eq!([(); 20].map(|()| looks(&WaitPolicy::forever())), [150; 20]);
        assert_eq!(looks(&WaitPolicy::forever()), 101);
        assert_eq!(looks(&WaitPolicy::forever()), 150);
    }

    /// However much the fast ones have saved.
    #[test]
    fn slow_yields_one_after_the_other_are_the_last() {
        let fast = std::iter::repeat_n(MICRO, 100_000);
        yields_take(fast.chain([Duration::from_millis(6); 2]));
        assert_eq!([(); 2000].map(|()| looks(&WaitPolicy::forever())), [150; 2000]);
        assert_eq!([(); 3].map(|()| looks(&WaitPolicy::forever())), [101, 101, 100]);
    }

    #[test]
    fn yields_that_are_slow_together_end() {
        yields_take([SHORTEST; 4]);
        assert_eq!((looks(&WaitPolicy::forever()), done().len()), (103, 3));
        assert_eq!(looks(&WaitPolicy::forever()), 150, "each was worth it");
    }

    /// Such as one that was stopped in it.
    #[test]
    fn a_yield_of_an_hour_is_made_up_for_in_a_second() {
        yields_take([Duration::from_secs(3600)]);
        assert_eq!(looks(&WaitPolicy::forever()), 101);
        assert_eq!(looks(&WaitPolicy::forever()), 100);
        goes_by(Balance::NO_LONGER);
        assert_eq!(looks(&WaitPolicy::forever()), 150);
    }

    /// A hook that takes its time says nothing of the core.
    #[test]
    fn a_slow_hook_is_no_slow_yield() {
        yields_take([]);
        let mut hook = |_| {
            goes_by(Duration::from_secs(1));
            ControlFlow::Continue(())
        };
        let policy = &mut WaitPolicy::forever().on_tick(&mut hook);
        let mut backoff = Backoff::new(policy);
        while let Step::Look = step(&mut backoff, policy) {}
        assert_eq!(done().len(), 50);
    }

    #[test]
    fn a_status_now_and_then() {
        yields_take([]);
        let mut backoff = Backoff::new(&WaitPolicy::forever());
        let first = backoff.status_due().expect("the first look is at once");
        goes_by(STATUS_EVERY / 2);
        assert_eq!(backoff.status_due(), None);
        goes_by(STATUS_EVERY / 2);
        assert_eq!(backoff.status_due(), Some(first + STATUS_EVERY));
    }
}
