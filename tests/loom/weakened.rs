//! The checker's checker: for each entry of the table of orders, L1's model
//! with this entry weakened, which loom must reject.

use crate::bare::Bare;
use crate::explore;
use crate::handoff::handoff;
use shm_handoff::protocol::Orders;
use shm_handoff::protocol::orders::{SHIPPED, weakened};
use shm_handoff::sync::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What loom says of L1's model with these orders, which must not pass.
fn rejection(name: &str, orders: Orders) -> String {
    let model = || weakened::with(orders, || explore(name, None, || handoff::<Bare>(2)));
    let said = match catch_unwind(AssertUnwindSafe(model)) {
        Ok(count) => panic!("{name} passed: {count} executions found nothing"),
        Err(said) => said,
    };
    let text = said.downcast_ref::<String>().cloned();
    text.or_else(|| said.downcast_ref::<&str>().map(|text| (*text).to_owned())).expect("a message")
}

fn rejected(name: &str, orders: Orders) {
    assert_ne!(orders, SHIPPED, "nothing was weakened");
    let said = rejection(name, orders);
    println!("{name}: rejected: {}", said.lines().next().unwrap_or_default());
    assert!(said.contains("Causality violation"), "{name} was rejected for another reason: {said}");
}

/// **T1** Publishing must be Release: else the text is read before it is there.
#[test]
fn t1_publish() {
    rejected("T1", Orders { publish: Ordering::Relaxed, ..SHIPPED });
}

/// **T2** Seeing a full flag must be Acquire: as T1, from the other end.
#[test]
fn t2_see_full() {
    rejected("T2", Orders { see_full: Ordering::Relaxed, ..SHIPPED });
}

/// **T3** Releasing must be Release: else the next text is written into a copy
/// that is still being made.
#[test]
fn t3_release() {
    rejected("T3", Orders { release: Ordering::Relaxed, ..SHIPPED });
}

/// **T4** Seeing an empty flag must be Acquire: as T3, from the other end.
#[test]
fn t4_see_empty() {
    rejected("T4", Orders { see_empty: Ordering::Relaxed, ..SHIPPED });
}
