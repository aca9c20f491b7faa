//! Paces, by a clock and yields that a test writes down.

use super::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::ControlFlow;

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
    assert!(backoff.status_due(), "the first look is at once");
    goes_by(STATUS_EVERY / 2);
    assert!(!backoff.status_due());
    goes_by(STATUS_EVERY / 2);
    assert!(backoff.status_due());
}
