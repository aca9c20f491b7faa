//! The checker's checker: a walk through the table of orders. As shipped, the
//! model passes; with any one entry weakened by one step it fails, in the way
//! that is expected. An order that could be weaker does not exist.

use crate::bare::Bare;
use crate::explore::{Failure, Search, explore, row};
use crate::handoff::handoff;
use shm_handoff::protocol::orders::weakened;
use std::time::Instant;

/// What is to be expected of each entry without its order: at both ends of
/// both edges, the text is touched by two sides at once.
fn expected(_entry: &str) -> Failure {
    Failure::Race
}

/// **T** Each entry of the table, weakened by itself, is found out by the model
/// of L1, which passes with the table as it is.
#[test]
fn each_order_is_needed() {
    assert!(explore(Search::ALL, || handoff::<Bare>(2)).is_ok());
    let entries = weakened::each();
    assert!(!entries.is_empty());
    for (number, weaker) in entries.iter().enumerate() {
        let started = Instant::now();
        let search = Search { orders: weaker.orders, ..Search::ALL };
        let found = match explore(search, || handoff::<Bare>(2)) {
            Ok(count) => panic!("{} could be {:?}: {count} executions found nothing", weaker.entry, weaker.to),
            Err(found) => found,
        };
        println!("{found}");
        assert_eq!(found.failure, expected(weaker.entry), "{}: {found}", weaker.entry);
        let what = format!("`{}`: {:?} → {:?}", weaker.entry, weaker.from, weaker.to);
        let result = format!("{}: {}, in execution {}", found.failure, found.said, found.executions);
        row(&format!("T{}", number + 1), &what, &search, &result, started);
    }
}
