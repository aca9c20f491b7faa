//! The search itself: through every execution of a model, to its end or to the
//! first counterexample.

use crate::history::History;
use loom::thread::JoinHandle;
use shm_handoff::backend::sysv::simulated::waiting;
use shm_handoff::orders::Orders;
use shm_handoff::orders::{SHIPPED, weakened};
use trace::{Action, Record};

use std::fmt;
use std::process::Command;
use std::sync::Arc;
#[allow(clippy::disallowed_types)] // counts executions: outside of every model, and loom must not see it
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Points at which threads can be switched in one execution; who is still at
/// work after so many waits forever. The longest model that passes needs a
/// quarter of it.
const BRANCHES: usize = 1000;

/// How to explore.
#[derive(Clone, Copy)]
pub(crate) struct Search {
    /// Preemptions an execution may have; `None`: all there are.
    pub(crate) bound: Option<usize>,
    /// The memory orders in force.
    pub(crate) orders: Orders,
    /// Text is relaxed words, as on real memory, so that an execution goes on
    /// past a race to what comes of it; else cells that loom checks.
    pub(crate) words: bool,
}

impl Search {
    /// All there is, of what ships.
    pub(crate) const ALL: Self = Self { bound: None, orders: SHIPPED, words: false };

    /// The same on text as it is on real memory.
    pub(crate) const WORDS: Self = Self { words: true, ..Self::ALL };

    fn bound_in_words(&self) -> String {
        self.bound.map_or("none".to_owned(), |bound| bound.to_string())
    }
}

/// How far a claim is searched, and how many executions that has to take: one
/// that stops early proves less than it says.
///
/// `MODELS` in the environment asks for another depth: `deep` (minutes a claim,
/// for `ci/deep.sh`), or `quick` (a second or two, without floors, where hundreds
/// of wrong protocols are to be found out: `ci/seeded.sh`, `ci/mutants.sh`).
#[derive(Clone, Copy)]
pub(crate) struct Depth {
    pub(crate) search: Search,
    pub(crate) floor: usize,
}

fn asked_for(depth: &str) -> bool {
    std::env::var_os("MODELS").is_some_and(|asked| asked == depth)
}

impl Depth {
    /// Without a bound.
    pub(crate) fn whole(floor: usize) -> Self {
        if asked_for("quick") { Self::bound(4, 0) } else { Self { search: Search::ALL, floor } }
    }

    /// With at most `bound` preemptions an execution.
    pub(crate) fn bound(bound: usize, floor: usize) -> Self {
        let (bound, floor) =
            if asked_for("quick") { (bound.saturating_sub(1).clamp(bound.min(1), 3), 0) } else { (bound, floor) };
        Self { search: Search { bound: Some(bound), ..Search::ALL }, floor }
    }

    /// Another depth where a deep run is asked for.
    pub(crate) fn deep(self, deep: Self) -> Self {
        if asked_for("deep") { deep } else { self }
    }

    /// On text as it is on real memory.
    pub(crate) fn in_words(mut self) -> Self {
        self.search.words = true;
        self
    }
}

/// In what way an execution goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Two accesses, one of them a write, and nothing orders them.
    Race,
    /// A side never gets what it waits for.
    WaitsForever,
    /// What the model asserts does not hold.
    WrongValue,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Race => "race",
            Self::WaitsForever => "waits forever",
            Self::WrongValue => "wrong value",
        })
    }
}

/// An execution that went wrong.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) failure: Failure,
    /// What the checker or the model's assertion said.
    pub(crate) said: String,
    /// How many executions it took to find it.
    pub(crate) executions: usize,
    pub(crate) history: History,
}

impl Counterexample {
    fn new(said: String, executions: usize, record: Record) -> Self {
        let failure = if said.contains("Causality violation") {
            Failure::Race
        } else if said.contains("exceeded maximum number of branches") || said.contains("deadlock") {
            Failure::WaitsForever
        } else {
            Failure::WrongValue
        };
        let history = History::new(record, failure);
        let said = match failure {
            Failure::WrongValue => said,
            Failure::Race => format!("nothing orders two accesses to {}", history.contested()),
            Failure::WaitsForever => history.who_waits(),
        };
        Self { failure, said, executions, history }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} (execution {})", self.failure, self.said.trim_end(), self.executions)?;
        f.write_str(&crate::timeline::timeline(&self.history))
    }
}

/// Explores `model`; how many executions there were.
///
/// Each search has a thread of the machine of its own, so that nothing of a
/// model that failed is left to the next.
#[allow(clippy::disallowed_types)] // as above
pub(crate) fn explore(search: Search, model: impl Fn() + Send + Sync + 'static) -> Result<usize, Box<Counterexample>> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    quiet_here::install();
    let search = std::thread::spawn(move || {
        quiet_here::panics();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = search.bound;
        builder.max_branches = BRANCHES;
        // Whatever the environment says: a search cut short proves nothing.
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.checkpoint_file = None;
        trace::text_as_words(search.words);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            weakened::with(search.orders, || {
                builder.check(move || {
                    counted.fetch_add(1, Ordering::Relaxed);
                    trace::begin();
                    model();
                });
            });
        }));
        checked.map_err(|said| (said, trace::record()))
    });
    let checked = search.join().expect("what is in it was caught");
    let count = count.load(Ordering::Relaxed);
    checked.map(|()| count).map_err(|(said, record)| {
        let said = said
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| said.downcast_ref::<&str>().map(|said| (*said).to_owned()))
            .unwrap_or_else(|| "something that is no text".to_owned());
        Box::new(Counterexample::new(said, count, record))
    })
}

/// Explores `model`, which must hold in every execution.
pub(crate) fn claim(name: &str, what: &str, depth: Depth, model: impl Fn() + Send + Sync + 'static) {
    claim_all(name, what, depth, [model]);
}

/// Explores each of `models`, which must hold in every execution; their numbers are added.
pub(crate) fn claim_all(
    name: &str,
    what: &str,
    depth: Depth,
    models: impl IntoIterator<Item: Fn() + Send + Sync + 'static>,
) {
    alone(|| {
        let started = Instant::now();
        let mut count = 0;
        for (number, model) in models.into_iter().enumerate() {
            match explore(depth.search, model) {
                Ok(executions) => count += executions,
                Err(counterexample) => panic!("{name}, {what} (model {}):\n{counterexample}", number + 1),
            }
        }
        let executions = if count == 1 { "execution" } else { "executions" };
        row(name, what, &depth.search, &format!("{count} {executions}"), started);
        hold_to_floor(name, count, depth.floor);
    });
}

/// In the environment of a process that is there for one test: its name.
const ALONE: &str = "TEST_ALONE";

/// Runs what is the whole of this test in a process of its own. For each execution
/// loom maps new stacks: two searches in one process wait for each other's
/// page tables most of the time, and take longer than one after the other.
pub(crate) fn alone(test: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    match in_its_own_process(&name_of_test()) {
        Ok(said) => print!("{said}"),
        Err(why) => panic!("{why}"),
    }
}

/// Runs the test of this name in a process of its own; what it printed.
fn in_its_own_process(name: &str) -> Result<String, String> {
    let this = std::env::current_exe().expect("a test has a file");
    let run = Command::new(this).args([name, "--exact", "--nocapture"]).env(ALONE, name).output();
    let run = run.map_err(|error| format!("{name} in a process of its own: {error}"))?;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    if !run.status.success() {
        return Err(format!("{said}{}", String::from_utf8_lossy(&run.stderr)));
    }
    // A name that no test has is no failure to the harness.
    if !said.contains("test result: ok. 1 passed;") {
        return Err(format!("the process that was there for {name} ran no test:\n{said}"));
    }
    Ok(said)
}

/// A process of its own that ran nothing has not passed.
#[test]
fn a_process_without_a_test_has_failed() {
    let ran = in_its_own_process("explore::no_test_has_this_name");
    assert!(ran.as_ref().is_err_and(|why| why.contains("ran no test")), "{ran:?}");
}

fn name_of_test() -> String {
    let thread = std::thread::current();
    std::env::var(ALONE).unwrap_or_else(|_| thread.name().unwrap_or_default().to_owned())
}

pub(crate) fn hold_to_floor(name: &str, count: usize, floor: usize) {
    assert!(count >= floor, "{name} explored {count} executions only; {floor} and more are on record");
}

/// One row of a table in `docs`, put there by `ci/models.sh`: claim, what
/// holds, test, bound of preemptions, result, time.
pub(crate) fn row(name: &str, what: &str, search: &Search, result: &str, started: Instant) {
    let (test, bound) = (name_of_test(), search.bound_in_words());
    println!("{name} | {what} | `{test}` | {bound} | {result} | {:.1} s", started.elapsed().as_secs_f64());
}

/// The counterexample with the fewest preemptions, the first that the checker
/// meets.
pub(crate) fn refute<M: Fn() + Send + Sync + 'static>(
    search: Search,
    model: impl Fn() -> M,
) -> Option<Box<Counterexample>> {
    (0..4).find_map(|bound| explore(Search { bound: Some(bound), ..search }, model()).err())
}

/// Panics in a search say nothing by themselves: what a model said is in the
/// counterexample.
mod quiet_here {
    use std::cell::Cell;
    use std::sync::Once;

    std::thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn install() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let loud = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if !QUIET.get() {
                    loud(panic);
                }
            }));
        });
    }

    pub(super) fn panics() {
        QUIET.set(true);
    }
}

/// A thread of a model, with a name in its record.
pub(crate) struct Actor<T> {
    handle: JoinHandle<(usize, T)>,
}

/// Starts a thread of a model.
pub(crate) fn actor<T: 'static>(name: &'static str, life: impl FnOnce() -> T + 'static) -> Actor<T> {
    // Threads are numbered as they are started: the main thread is 0.
    let number = trace::thread_to_come();
    trace::family(Action::Spawn(number));
    let handle = loom::thread::spawn(move || {
        trace::name(number, name);
        let lived = life();
        trace::rests(true);
        (number, lived)
    });
    Actor { handle }
}

impl<T> Actor<T> {
    /// Waits for its end.
    pub(crate) fn join(self) -> T {
        let joined = trace::resting(|| waiting(|| self.handle.join()));
        let (number, result) = joined.expect("a thread of a model that panics fails the model");
        trace::family(Action::Join(number));
        result
    }
}

/// Names the model's main thread.
pub(crate) fn main_is(name: &'static str) {
    trace::name(0, name);
}
