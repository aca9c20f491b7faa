//! The checker's checker: a walk through the table of orders. As shipped, the
//! models pass; with any one entry weakened by one step, or a fence left out, the
//! model that needs it fails, in the way that is expected. An entry is used at one
//! place in the source: so an order that could be weaker does not exist.

use crate::bare::Bare;
use crate::explore::{Counterexample, Failure, Search, alone, explore, row};
use crate::handoff::handoff;
use crate::killed::each_step;
use crate::ring::header::a_ring_in_the_making;
use crate::ring::killed::{a_reader, a_writer};
use crate::ring::{flow, one_way};
use shm_handoff::backend::inproc::Channel;
use shm_handoff::orders::{Orders, SHIPPED, weakened};
use shm_handoff::sync::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// The model that an entry is needed in, and how far it is searched.
#[derive(Clone, Copy)]
enum Model {
    /// L1's.
    Classic,
    /// R1's.
    Ring,
    /// R28's.
    Header,
    /// K4's.
    DeadWriter,
    /// K7's.
    DeadReader,
}

impl Model {
    const ALL: [Self; 5] = [Self::Classic, Self::Ring, Self::Header, Self::DeadWriter, Self::DeadReader];

    /// On cells, which loom checks for races, and on text as it is on real memory.
    fn searches(self) -> [Search; 2] {
        let bound = match self {
            Self::Classic | Self::Header => None,
            // 0.7 s where nothing is found; 12 s with one more.
            Self::Ring => Some(2),
            Self::DeadWriter | Self::DeadReader => Some(1),
        };
        [Search::ALL, Search::WORDS].map(|search| Search { bound, ..search })
    }

    fn explore(self, search: Search) -> Result<usize, Box<Counterexample>> {
        let at_each_step = |model: fn(usize) -> bool| match each_step(search, model) {
            Ok((_, executions)) => Ok(executions),
            Err((_, counterexample)) => Err(counterexample),
        };
        match self {
            Self::Classic => explore(search, || handoff::<Bare>(2)),
            Self::Ring => explore(search, || flow(&one_way(4, 0), &[1, 2, 2])),
            Self::Header => explore(search, a_ring_in_the_making),
            Self::DeadWriter => at_each_step(a_writer::<Channel>),
            Self::DeadReader => at_each_step(a_reader::<Channel>),
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
/// buffering, which loom does not model, and processors may do. Without a fence, or
/// with one that only pairs with the stores it sees, a side sleeps beside what it waits
/// for; a side that comes leaves the other one asleep that its dead predecessor did not wake.
fn expected(entry: &str) -> (Model, Failure, Option<Failure>) {
    match entry {
        "publish" | "see_full" => (Model::Classic, Failure::Race, Some(Failure::WrongValue)),
        "release" | "see_empty" => (Model::Classic, Failure::Race, None),
        "ring_publish" | "ring_peek" => (Model::Ring, Failure::Race, Some(Failure::WrongValue)),
        "give_back" | "take_space" => (Model::Ring, Failure::Race, None),
        "ring_made" | "ring_recognised" => (Model::Header, Failure::WrongValue, Some(Failure::WrongValue)),
        "fence_published" | "fence_reader_sleeps" | "fence_given_back" | "fence_writer_sleeps" => {
            (Model::Ring, Failure::WaitsForever, Some(Failure::WaitsForever))
        }
        "fence_writer_comes" => (Model::DeadWriter, Failure::WaitsForever, Some(Failure::WaitsForever)),
        "fence_reader_comes" => (Model::DeadReader, Failure::WaitsForever, Some(Failure::WaitsForever)),
        unknown => panic!("`{unknown}` is a new entry: say here what to expect of it"),
    }
}

/// **T** Each entry of the table, weakened by itself, is found out by one of these
/// models, which pass with the table as it is.
#[test]
fn each_order_is_needed() {
    alone(walk_through_the_table);
}

fn walk_through_the_table() {
    for model in Model::ALL {
        for search in model.searches() {
            assert!(model.explore(search).is_ok(), "as shipped");
        }
    }
    let entries = weakened::each();
    let mut names = entries.iter().map(|weaker| weaker.entry).collect::<Vec<_>>();
    names.dedup();
    assert_eq!(names.len(), 16, "each entry is weakened: {names:?}");
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

/// An entry is used at one place in the source, so that weakening it weakens that place
/// alone, and a place that could be weaker is found out. (The tutorial's protocol has the
/// slot's orders for a defect that is mended.)
#[test]
fn each_order_is_used_once() {
    let mut uses = BTreeMap::<String, Vec<String>>::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with("protocol/tutorial.rs") || path.ends_with("src/orders.rs") {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let code = source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in code {
                for used in line.split("orders()").skip(1) {
                    let name = used.strip_prefix('.').expect("an entry of the table, not the whole of it");
                    let end = name.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(name.len());
                    let place = format!("{}:{}", path.display(), number + 1);
                    uses.entry(name[..end].to_owned()).or_default().push(place);
                }
            }
        }
    }
    let mut entries: Vec<_> = weakened::each().iter().map(|weaker| weaker.entry).collect();
    entries.dedup();
    entries.sort_unstable();
    assert_eq!(uses.keys().map(String::as_str).collect::<Vec<_>>(), entries);
    for (entry, places) in uses {
        assert_eq!(places.len(), 1, "{entry}: give each of these places an entry of its own: {places:?}");
    }
}
