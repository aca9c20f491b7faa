//! The bridge's protocol under a model checker: [`Sender`](shm_handoff_bridge::sender::Sender) and
//! [`Receiver`](shm_handoff_bridge::receiver::Receiver), as they ship, on two hosts and a network in memory (`tests/world`). Every state is
//! visited that can be reached within the bounds of a claim, which its row tells: how many messages there are, how large the receiving
//! ring is, and how often each thing goes wrong, at whatever moment.
//!
//! In every state it is checked that
//!
//! * what was released lies in the ring there, or was received there, as `--ack` says;
//! * the messages of a ring follow each other: none is missing, none comes twice, and nothing is behind the end;
//! * what the receiver holds beside its ring is at most one batch;
//! * a death is told only after a death, and behind everything that the dead writer wrote;
//! * whatever has happened so far, a run without further faults delivers everything and ends.
//!
//! `cargo test -p shm-handoff-bridge --test model -- --nocapture` prints how many states each claim took, as a row of
//! docs/verification.md, and the shortest way in which each weakened protocol fails.
#![allow(unreachable_pub, reason = "the world is shared with the simulation")]

mod claims;
mod weakened;
#[path = "../world/mod.rs"]
mod world;

use parking_lot::Mutex;
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::AckAt;
use shm_handoff_bridge::world::{Numbers, Stream};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};
use std::collections::HashSet;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};
use world::play::{Action, Budget, Setup, SourceHost, State};
use world::{Record, SourceRing, Weakness};

/// Two hosts, and what can go wrong.
struct Bridge {
    setup: Setup,
    initial: State,
    /// States from which everything is known to end well.
    good: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl Model for Bridge {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.initial.clone()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut events = Vec::new();
        state.events(&mut events);
        actions.extend(events.into_iter().flat_map(|event| state.kills(event)));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.happens(action, &self.setup).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("it is safe", |model: &Self, state: &State| state.check(&model.setup).is_ok()),
            Property::always("it ends", |model: &Self, state: &State| model.finish(state).is_ok()),
        ]
    }
}

impl Bridge {
    fn new(setup: Setup, initial: State) -> Self {
        Self { setup, initial, good: Mutex::default(), hasher: RandomState::new() }
    }

    /// (A hash of 64 bits stands for a state, as in the checker itself.)
    fn finish(&self, state: &State) -> Result<(), String> {
        let mut way = Vec::new();
        let result = state.clone().finish(&self.setup, |state| {
            let hash = self.hasher.hash_one(state);
            way.push(hash);
            self.good.lock().contains(&hash)
        });
        if result.is_ok() {
            self.good.lock().extend(way);
        }
        result
    }

    /// What is wrong at the end of a way there, and the way.
    fn counterexample(&self, path: Path<State, Action>) -> (usize, String) {
        let state = path.last_state();
        let wrong = state.check(&self.setup).and_then(|()| self.finish(state)).expect_err("it is a counterexample");
        let mut text = format!("{wrong}:\n");
        let steps = path.into_actions();
        for action in &steps {
            writeln!(text, "    {action}").expect("a string");
        }
        (steps.len(), text)
    }
}

/// Messages with these numbers, and the end.
fn stream(numbers: impl IntoIterator<Item = u32>) -> Vec<Record> {
    numbers.into_iter().map(Record::Message).chain([Record::End]).collect()
}

/// A host whose writer has written everything.
fn host(id: u64, records: Vec<Record>) -> SourceHost {
    SourceHost::new(vec![SourceRing::new(Stream(id), records)], Vec::new())
}

/// A host whose ring perishes with the machine, at some moment, and another one is there.
fn restarted(budget: Budget) -> State {
    let rings = [(1, [1, 2].map(Record::Message).to_vec()), (2, stream([3]))];
    let rings = rings.map(|(id, records)| SourceRing::new(Stream(id), records));
    let host = SourceHost { insists: true, ..SourceHost::new(rings.into(), Vec::new()) };
    State::new(vec![host], 2, budget)
}

/// Machines that send so many messages at once.
fn setup(ack_at: AckAt, batch: usize) -> Setup {
    let second = Duration::from_secs(1);
    let limits = Limits {
        // (A number takes four bytes, and eight of the table.)
        batch: 12 * batch,
        // The receiver holds one batch, and never more.
        waiting: 1,
        first: second,
        slowest: second,
        gap: Duration::ZERO,
        silence: 5 * second,
        timeout: None,
    };
    Setup { limits, ack_at, weakness: Weakness::None, repeats: false, next_stream: false, numbers: Mutex::default() }
}

/// Visits every state, and prints the row of a claim that holds in all of them.
fn claim(name: &str, claim: &str, floor: usize, setup: Setup, initial: State) -> Numbers {
    let started = Instant::now();
    let bounds = initial.bounds();
    let checker =
        Bridge::new(setup, initial).checker().finish_when(HasDiscoveries::AnyFailures).threads(2).spawn_bfs().join();
    let (count, time) = (checker.unique_state_count(), started.elapsed().as_secs_f32());
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        panic!("{name}: not so that {property}. {}", checker.model().counterexample(path).1);
    }
    println!("{name} | {claim} | `{}` | {bounds} | {count} states | {time:.1} s", test());
    assert!(count >= floor, "{name}: {count} states, and {floor} are on record");
    *checker.model().setup.numbers.lock()
}

/// Finds the shortest way in which a weakened protocol fails, and prints it behind the row of the claim.
fn rejected(name: &str, claim: &str, wrong: &str, weakness: Weakness, setup: Setup, initial: State) {
    let started = Instant::now();
    let bounds = initial.bounds();
    let checker = Bridge::new(Setup { weakness, ..setup }, initial).checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.threads(1).spawn_bfs().join();
    let time = started.elapsed().as_secs_f32();
    let found = checker.discoveries().into_values();
    let ways = found.map(|path| checker.model().counterexample(path));
    let (steps, way) = ways.min_by_key(|(steps, _)| *steps).unwrap_or_else(|| panic!("{name}: {weakness:?} passes"));
    println!("{name} | {claim} | `{}` | {bounds} | fails in {steps} steps | {time:.1} s", test());
    println!("{way}");
    assert!(
        way.lines().next().is_some_and(|line| line.contains(wrong)),
        "{name}: it fails in another way than that {wrong}: {way}"
    );
}

fn test() -> String {
    std::thread::current().name().unwrap_or_default().rsplit("::").next().unwrap_or_default().to_owned()
}
