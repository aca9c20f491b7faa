//! The search: many random schedules of one model, by two kinds of chance.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::{Duration, Instant};

/// The schedules of a round follow from it alone: of the first round it is this one, so that the gate sees the
/// same in every run, or `SHUTTLE_SEED` in the environment (`0x` and hexadecimal digits, or decimal ones). The next
/// round has the next number, so that any round is repeated by its own seed, as a first one.
fn first_seed() -> u64 {
    const ALWAYS: u64 = 0x5eed_0fac_1a55_1c50;
    let Ok(given) = std::env::var("SHUTTLE_SEED") else { return ALWAYS };
    let parsed = given.strip_prefix("0x").map_or_else(|| given.parse(), |digits| u64::from_str_radix(digits, 16));
    parsed.unwrap_or_else(|error| panic!("SHUTTLE_SEED={given}: {error}"))
}

/// Who is still at work after so many steps for each message waits forever;
/// the slowest model that passes needs a tenth of it.
const STEPS_PER_MESSAGE: usize = 10_000;

/// A thread of the model is chosen at every step by this.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chance {
    /// Any thread that can run, each as likely.
    Random,
    /// Probabilistic concurrency testing: the thread of highest priority runs
    /// until it yields or waits, but for (this many - 1) points at which it
    /// is put last. So one thread can be held back for long, where the other
    /// kind makes all of them keep about the same pace.
    Pct(usize),
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Pct(depth) => write!(f, "PCT({depth})"),
        }
    }
}

/// The few preemptions that most defects need, and as many as a long schedule
/// has room for.
const CHANCES: [Chance; 3] = [Chance::Random, Chance::Pct(3), Chance::Pct(100)];

/// How much of a model is explored in a round.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Executions by each kind of chance.
    pub(crate) executions: usize,
    /// Messages in each execution.
    pub(crate) messages: usize,
}

/// How many rounds there are: by `SHUTTLE_TIMES` in the environment, or until `SHUTTLE_MINUTES` are over; 1 without.
struct Rounds {
    done: usize,
    most: usize,
    until: Option<Instant>,
}

impl Rounds {
    fn new() -> Self {
        let asked = |name| {
            let given = std::env::var(name).ok()?;
            Some(given.parse::<usize>().unwrap_or_else(|error| panic!("{name}={given}: {error}")))
        };
        let minutes = |minutes| Instant::now() + Duration::from_secs(60) * u32::try_from(minutes).unwrap_or(u32::MAX);
        let until = asked("SHUTTLE_MINUTES").map(minutes);
        let times = asked("SHUTTLE_TIMES");
        Self { done: 0, most: times.unwrap_or(if until.is_some() { usize::MAX } else { 1 }), until }
    }

    /// The seed of the next round.
    fn next(&mut self) -> Option<u64> {
        let is_over =
            self.done == self.most || (self.done > 0 && self.until.is_some_and(|until| until < Instant::now()));
        let seed = first_seed().wrapping_add(self.done as u64);
        (!is_over).then(|| {
            self.done += 1;
            seed
        })
    }
}

std::thread_local! {
    // All of a model's threads run on one thread of the machine.
    static NOTED: RefCell<BTreeMap<&'static str, usize>> = const { RefCell::new(BTreeMap::new()) };
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Counts that this happened, for the floors below which a claim fails.
pub(crate) fn noted(what: &'static str) {
    NOTED.with_borrow_mut(|noted| *noted.entry(what).or_default() += 1);
}

/// Another thread was chosen though the running one could go on.
pub(crate) const PREEMPTED: &str = "preempted";

/// A scheduler whose preemptions are counted.
struct Counted<S>(S);

impl<S: Scheduler> Scheduler for Counted<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let execution = self.0.new_execution();
        if execution.is_some() {
            noted("executions");
        }
        execution
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let next = self.0.next_task(runnable, current, is_yielding);
        if !is_yielding && next != current && runnable.iter().any(|task| Some(task.id()) == current) {
            noted(PREEMPTED);
        }
        next
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// What happened how often.
pub(crate) type Tally = BTreeMap<&'static str, usize>;

/// Runs `model` so often, on the schedules of the first seed; what was noted, or what went wrong in the last of
/// them.
pub(crate) fn explore(
    chance: Chance,
    size: Size,
    model: impl Fn() + Send + Sync + 'static,
) -> (Tally, Result<(), String>) {
    explore_from(first_seed(), chance, size, model)
}

fn explore_from(
    seed: u64,
    chance: Chance,
    size: Size,
    model: impl Fn() + Send + Sync + 'static,
) -> (Tally, Result<(), String>) {
    quiet_panics();
    NOTED.with_borrow_mut(BTreeMap::clear);
    let mut config = Config::new();
    // Seed and number name a schedule in a line; its list of steps fills pages.
    // It warns that orders are not modelled: that is said at the top of `main`.
    config.silence_warnings = true;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(STEPS_PER_MESSAGE * (size.messages + 10));
    let executions = size.executions;
    QUIET.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| match chance {
        Chance::Random => Runner::new(Counted(RandomScheduler::new_from_seed(seed, executions)), config).run(model),
        Chance::Pct(depth) => {
            Runner::new(Counted(PctScheduler::new_from_seed(seed, depth, executions)), config).run(model)
        }
    }));
    QUIET.set(false);
    let ran = ran.map(|ran| assert_eq!(ran, executions)).map_err(|said| {
        said.downcast_ref::<String>()
            .cloned()
            .or_else(|| said.downcast_ref::<&str>().map(|said| (*said).to_owned()))
            .unwrap_or_else(|| "something that is no text".to_owned())
    });
    (NOTED.take(), ran)
}

/// Holds `model` to what it asserts, in all schedules of all kinds, and to its
/// `floors`: what must have happened so often in each round. A
/// model in which nothing happens proves nothing. By each kind of chance its
/// threads must be preempted once an execution or more.
pub(crate) fn claim(
    name: &str,
    what: &str,
    size: Size,
    floors: &[(&'static str, usize)],
    model: impl Fn(usize) + Send + Sync + Copy + 'static,
) {
    let started = Instant::now();
    let mut all = Tally::new();
    let mut rounds = Rounds::new();
    while let Some(seed) = rounds.next() {
        for chance in CHANCES {
            let (tally, result) = explore_from(seed, chance, size, move || model(size.messages));
            if let Err(said) = result {
                panic!(
                    "{name}, {what}: {chance}, execution {}: {said}\nto see it again: {}",
                    tally["executions"],
                    replay(seed)
                );
            }
            let (preempted, executions) = (tally.get(PREEMPTED).copied().unwrap_or(0), tally["executions"]);
            assert!(preempted >= executions, "{name}, {chance}: {preempted} preemptions in {executions} executions");
            for (event, count) in tally {
                *all.entry(event).or_default() += count;
            }
        }
    }
    let times = rounds.done;
    let size = Size { executions: size.executions * times, ..size };
    row(name, what, size, CHANCES.as_slice(), &in_words(&all), started);
    for (event, floor) in floors {
        let count = all.get(event).copied().unwrap_or(0);
        assert!(count >= floor * times, "{name}: \"{event}\" has happened {count} times; {floor} and more on record");
    }
}

/// The command that runs this test on the schedules of `seed`.
fn replay(seed: u64) -> String {
    let test = std::thread::current();
    let name = test.name().unwrap_or_default();
    format!("SHUTTLE_SEED={seed:#x} RUSTFLAGS=\"--cfg shuttle\" cargo test --test shuttle {name}")
}

fn in_words(tally: &Tally) -> String {
    let events: Vec<_> = tally
        .iter()
        .filter(|(event, _)| **event != "executions")
        .map(|(event, count)| format!("{event} {count}"))
        .collect();
    events.join(", ")
}

/// One row of the table in `docs/verification.md`, put there by `ci/models.sh`:
/// claim, what holds, test, schedules × messages, what happened, time.
pub(crate) fn row(name: &str, what: &str, size: Size, chances: &[Chance], result: &str, started: Instant) {
    let chances: Vec<_> = chances.iter().map(Chance::to_string).collect();
    let test = std::thread::current();
    println!(
        "{name} | {what} | `{}` | {}: {} × {} each | {result} | {:.1} s",
        test.name().unwrap_or_default(),
        chances.join(", "),
        size.executions,
        size.messages,
        started.elapsed().as_secs_f64()
    );
}

/// What a model said is in the claim's own panic.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The checker puts a hook of its own over what it finds, once: so first.
        shuttle::check_random(|| (), 1);
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
}
