//! The handoff under the model checker: every claim is numbered, L1 onwards,
//! and explored over every interleaving and every value that a load may see.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --test loom -- --nocapture`; each
//! model prints how many executions it took and fails if they were fewer than
//! on record: a model that stops early proves less than it says.
//!
//! | file | subject |
//! | --- | --- |
//! | `handoff` | L1 to L4: order, exactly once, whole, and both sides finish |
//! | `session` | L5 to L9: looking, closing, and what lies in removed memory |
//! | `seats` | L10 to L14: leaving, dying, and who comes next |
//! | `weakened` | T1 to T4: each memory order is needed, for loom rejects the model without it |
#![cfg(loom)]

mod bare;
mod handoff;
mod seats;
mod session;
mod weakened;

use shm_handoff::backend::inproc::Slot;
use shm_handoff::{Backend, Reader};
use std::sync::Arc;
#[allow(clippy::disallowed_types)] // counts executions: outside of every model, and loom must not see it
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The messages: five bytes each, so that a copy is two cells and can be half
/// made.
const MESSAGES: [&[u8]; 3] = [b"aaaa\n", b"bbbb\n", b"cccc\n"];

/// A slot of two cells.
fn slot() -> Slot {
    Slot::new(8)
}

/// Explores `model`, with at most `bound` preemptions an execution (`None`:
/// all there are), and returns how many executions there were.
#[allow(clippy::disallowed_types)] // as above
fn explore(claim: &str, bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    // Whatever the environment says: a search that is cut short proves nothing.
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    let count = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    builder.check({
        let count = Arc::clone(&count);
        move || {
            count.fetch_add(1, Ordering::Relaxed);
            model();
        }
    });
    let count = count.load(Ordering::Relaxed);
    let bound = bound.map_or("unbounded".to_owned(), |bound| format!("preemption bound {bound}"));
    println!("{claim}: {count} executions, {bound}, {:.1} s", started.elapsed().as_secs_f64());
    count
}

/// Explores `model` and holds it to at least `floor` executions.
fn claim(name: &str, bound: Option<usize>, floor: usize, model: impl Fn() + Send + Sync + 'static) {
    let count = explore(name, bound, model);
    assert!(count >= floor, "{name} explored {count} executions only; {floor} and more are on record");
}

/// Receives `expected`, one after the other and nothing else in between.
fn expect<B: Backend>(reader: &mut Reader<B>, expected: &[&[u8]]) {
    for expected in expected {
        let message = reader.look().expect("a message");
        assert_eq!(message.text(), *expected);
        message.release();
    }
}
