//! The explorer's own test: what it accepts has to fail once an order of it is weakened.

use crate::exercise::{ALL, Exercise, Outcome};
use crate::graph::explore;
use shm_handoff::orders::weakened::{Weaker, each, with};

/// An order, and what goes wrong in an exercise without it.
pub(crate) struct Found {
    pub(crate) weaker: Weaker,
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

pub(crate) fn all() -> Vec<Found> {
    let needed = each().into_iter().filter_map(|weaker| Some((weaker, needed_in(weaker.entry)?)));
    needed
        .map(|(weaker, exercise)| {
            let graph = with(weaker.orders, || explore(exercise));
            let mut outcomes: Vec<Outcome> = graph.states.iter().filter_map(|state| state.outcome).collect();
            outcomes.sort_unstable();
            outcomes.dedup();
            assert!(
                !outcomes.is_empty(),
                "{} is right without {}: the explorer misses something",
                exercise.id,
                weaker.entry
            );
            Found { weaker, exercise: exercise.id, outcomes }
        })
        .collect()
}
