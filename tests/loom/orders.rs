//! The checker's checker: a walk through the table of orders. As shipped, the
//! models pass; with any one entry weakened by one step, or a fence left out, the
//! model of its layout fails, in the way that is expected. An order that could be
//! weaker does not exist.

use crate::bare::Bare;
use crate::explore::{Counterexample, Failure, Search, alone, explore, row};
use crate::handoff::handoff;
use crate::ring::{flow, one_way};
use shm_handoff::protocol::orders::{Orders, SHIPPED, weakened};
use shm_handoff::sync::Ordering;
use std::time::Instant;

/// The model that an entry is needed in, and how far it is searched.
#[derive(Clone, Copy)]
enum Model {
    /// L1's.
    Classic,
    /// R1's.
    Ring,
}

impl Model {
    /// On cells, which loom checks for races, and on text as it is on real memory.
    fn searches(self) -> [Search; 2] {
        let bound = match self {
            Self::Classic => None,
            // 0.7 s where nothing is found; 12 s with one more.
            Self::Ring => Some(2),
        };
        [Search::ALL, Search::WORDS].map(|search| Search { bound, ..search })
    }

    fn explore(self, search: Search) -> Result<usize, Box<Counterexample>> {
        match self {
            Self::Classic => explore(search, || handoff::<Bare>(2)),
            Self::Ring => explore(search, || flow(&one_way(4, 0), &[1, 2, 2])),
        }
    }
}

/// What is to be expected of an entry without its order: on cells, which loom
/// checks, and on text as it is on real memory.
///
/// At both ends of both edges the text is touched by two sides at once. What
/// comes of it is seen on real memory where a load comes *after* the store that
/// it should have seen (the edges `text` and `record`). Where it would have to see
/// a store that comes after it (the edges `room` and `space`), that is load
/// buffering, which loom does not model, and processors may do. Without a fence
/// a side sleeps beside what it waits for.
fn expected(entry: &str) -> (Model, Failure, Option<Failure>) {
    match entry {
        "publish" | "see_full" => (Model::Classic, Failure::Race, Some(Failure::WrongValue)),
        "release" | "see_empty" => (Model::Classic, Failure::Race, None),
        "ring_publish" | "ring_look" => (Model::Ring, Failure::Race, Some(Failure::WrongValue)),
        "give_back" | "take_space" => (Model::Ring, Failure::Race, None),
        "fence_published" | "fence_reader_sleeps" | "fence_given_back" | "fence_writer_sleeps" => {
            (Model::Ring, Failure::WaitsForEver, Some(Failure::WaitsForEver))
        }
        unknown => panic!("`{unknown}` is a new entry: say here what to expect of it"),
    }
}

/// **T** Each entry of the table, weakened by itself, is found out by the model
/// of L1 or that of R1, which pass with the table as it is.
#[test]
fn each_order_is_needed() {
    alone(walk_through_the_table);
}

fn walk_through_the_table() {
    for model in [Model::Classic, Model::Ring] {
        for search in model.searches() {
            assert!(model.explore(search).is_ok(), "as shipped");
        }
    }
    let entries = weakened::each();
    let mut names = entries.iter().map(|weaker| weaker.entry).collect::<Vec<_>>();
    names.dedup();
    assert_eq!(names.len(), 12, "each entry is weakened: {names:?}");
    let none = Orders { publish: Ordering::Relaxed, ..SHIPPED };
    weakened::with(none, || assert_eq!(weakened::in_force(), none));
    assert_eq!(weakened::in_force(), SHIPPED, "for one model alone");
    for (number, weaker) in entries.iter().enumerate() {
        let started = Instant::now();
        let (model, on_cells, on_memory) = expected(weaker.entry);
        let searches = model.searches();
        let [cells, memory] = searches.map(|search| model.explore(Search { orders: weaker.orders, ..search }));
        let count = memory.as_ref().ok().copied();
        let found = [cells.err(), memory.err()];
        found.iter().flatten().for_each(|found| println!("{found}"));
        let failures = found.each_ref().map(|found| found.as_ref().map(|found| found.failure));
        assert_eq!(failures, [Some(on_cells), on_memory], "{} as {:?}", weaker.entry, weaker.to);
        let told = |found: &Counterexample| {
            format!("{}, in execution {}: {}", found.failure, found.executions, found.said.lines().next().unwrap_or(""))
        };
        let on_memory = match (&found[1], count) {
            (Some(found), _) => told(found),
            (None, count) => format!("nothing in {} executions", count.unwrap_or(0)),
        };
        let result = format!("{}; on real memory: {on_memory}", told(found[0].as_ref().expect("as expected")));
        let to = weaker.to.map_or("left out".to_owned(), |to| format!("{to:?}"));
        let what = format!("`{}`: {:?} → {to}", weaker.entry, weaker.from);
        row(&format!("T{}", number + 1), &what, &searches[0], &result, started);
    }
}
