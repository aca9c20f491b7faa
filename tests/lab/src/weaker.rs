//! The explorer's own test: what it accepts has to fail once an order of it is weakened, or a side sleeps carelessly.

use crate::exercise::{ALL, Exercise, Outcome};
use crate::graph::{Graph, explore};
use crate::side::carelessly;
use shm_handoff::orders::weakened::{Weaker, each, with};

/// A part of the protocol, and what goes wrong in an exercise without it.
pub(crate) struct Found {
    pub(crate) part: String,
    pub(crate) change: String,
    pub(crate) exercise: &'static str,
    pub(crate) outcomes: Vec<Outcome>,
}

/// In which exercise an order is needed. The others are about a header that is being made, about sides that come later, and
/// about space that is used again, which no exercise has.
fn needed_in(entry: &str) -> Option<&'static Exercise> {
    let id = match entry {
        "publish" | "see_full" | "release" | "see_empty" => "ours-message",
        "ring_publish"
        | "ring_peek"
        | "fence_published"
        | "fence_reader_sleeps"
        | "fence_given_back"
        | "fence_writer_sleeps" => "ours-ring",
        _ => return None,
    };
    Some(ALL.iter().find(|exercise| exercise.id == id).expect("there is such an exercise"))
}

fn found(part: &str, change: String, exercise: &'static Exercise, graph: &Graph) -> Found {
    let mut outcomes: Vec<Outcome> = graph.states.iter().filter_map(|state| state.outcome).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    assert!(!outcomes.is_empty(), "{} is right without {part}: the explorer misses something", exercise.id);
    Found { part: part.to_owned(), change, exercise: exercise.id, outcomes }
}

pub(crate) fn all() -> Vec<Found> {
    let weaker = each().into_iter().filter_map(|weaker| Some((weaker, needed_in(weaker.entry)?)));
    let mut all: Vec<Found> = weaker
        .map(|(Weaker { entry, from, to, orders }, exercise)| {
            let graph = with(orders, || explore(exercise));
            let to = to.map_or("left out".to_owned(), |to| format!("{to:?}"));
            found(&format!("`{entry}`"), format!("{from:?} → {to}"), exercise, &graph)
        })
        .collect();
    let ring = needed_in("ring_publish").expect("the ring has an exercise");
    let graph = carelessly(|| explore(ring));
    all.push(found("the kernel's look at the parked word", "left out".to_owned(), ring, &graph));
    all
}
