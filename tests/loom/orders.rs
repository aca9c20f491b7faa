//! The checker's checker: a walk through the table of orders. As shipped, the
//! model passes; with any one entry weakened by one step it fails, in the way
//! that is expected. An order that could be weaker does not exist.

use crate::bare::Bare;
use crate::explore::{Failure, Search, explore, row};
use crate::handoff::handoff;
use shm_handoff::protocol::orders::weakened;
use std::time::Instant;

/// What is to be expected of an entry without its order: on cells, which loom
/// checks, and on text as it is on real memory.
///
/// At both ends of both edges the text is touched by two sides at once. What
/// comes of it is seen on real memory where a load comes *after* the store that
/// it should have seen (the edge `text`). Where it would have to see a store
/// that comes after it (the edge `room`), that is load buffering, which loom
/// does not model, and processors may do.
fn expected(entry: &str) -> (Failure, Option<Failure>) {
    match entry {
        "publish" | "see_full" => (Failure::Race, Some(Failure::WrongValue)),
        "release" | "see_empty" => (Failure::Race, None),
        unknown => panic!("`{unknown}` is a new entry: say here what to expect of it"),
    }
}

/// **T** Each entry of the table, weakened by itself, is found out by the model
/// of L1, which passes with the table as it is.
#[test]
fn each_order_is_needed() {
    for search in [Search::ALL, Search::WORDS] {
        assert!(explore(search, || handoff::<Bare>(2)).is_ok(), "as shipped");
    }
    let entries = weakened::each();
    assert!(!entries.is_empty());
    for (number, weaker) in entries.iter().enumerate() {
        let started = Instant::now();
        let [cells, memory] = [Search::ALL, Search::WORDS]
            .map(|search| explore(Search { orders: weaker.orders, ..search }, || handoff::<Bare>(2)));
        let count = memory.as_ref().ok().copied();
        let found = [cells.err(), memory.err()];
        found.iter().flatten().for_each(|found| println!("{found}"));
        let failures = found.each_ref().map(|found| found.as_ref().map(|found| found.failure));
        let (on_cells, on_memory) = expected(weaker.entry);
        assert_eq!(failures, [Some(on_cells), on_memory], "{} as {:?}", weaker.entry, weaker.to);
        let told = |found: &crate::explore::Counterexample| {
            format!("{}, in execution {}: {}", found.failure, found.executions, found.said.lines().next().unwrap_or(""))
        };
        let on_memory = match (&found[1], count) {
            (Some(found), _) => told(found),
            (None, count) => format!("nothing in {} executions", count.unwrap_or(0)),
        };
        let result = format!("{}; on real memory: {on_memory}", told(found[0].as_ref().expect("as expected")));
        let what = format!("`{}`: {:?} → {:?}", weaker.entry, weaker.from, weaker.to);
        row(&format!("T{}", number + 1), &what, &Search::ALL, &result, started);
    }
}
