//! The same protocol source under a second checker, shuttle: random schedules,
//! each of thousands of operations, where loom explores all of the short ones.
//!
//! Run with `RUSTFLAGS="--cfg shuttle" cargo test --test shuttle -- --nocapture`;
//! each claim prints a row, and fails if its schedules were trivial. They are
//! the same in every run: the seed is fixed, unless `SHUTTLE_SEED` in the environment
//! gives another one, as `ci/deep.sh` does. `SHUTTLE_TIMES=100` makes a hundred rounds of
//! them, each of a seed of its own; `SHUTTLE_MINUTES=60` as many as an hour takes. A failure says which
//! command repeats its round.
//!
//! Everything is sequentially consistent here, so this checks logic and never
//! memory orders: those are loom's.
//!
//! | file | subject |
//! | --- | --- |
//! | `handover` | S1, S2: long hand-overs, by one operation and by a mixture of all |
//! | `seats` | S3, S4, S7: writers and readers that come and go, fail, or are refused |
//! | `removal` | S5, S6: memory removed by a third party, and session after session |
//! | `simulated` | S17 to S20: the System V backend on the simulated kernel, by models of `seats`, `removal` and `ring` |
//! | `faults` | S21: faults by seed, of all kinds together, on the simulated kernel |
//! | `ring` | S12 to S16: the same through a ring, and batches, reservations, peeks ahead, ends |
//! | `tutorial` | S8 to S11: the tutorial's protocol, rejected for D3, D4 and D5 |
#![cfg(shuttle)]

mod explore;
mod faults;
mod handover;
mod oracle;
mod place;
mod removal;
mod ring;
mod seats;
mod simulated;
mod tutorial;

use shm_handoff::Received;
use shm_handoff::backend::inproc::Channel;

/// A slot of four words: a copy can be interrupted in three places.
fn slot() -> Channel {
    Channel::new(16)
}

/// The text of message `n`: 5, 9 or 13 bytes, each word saying which one it is,
/// so that neither a torn copy nor the rest of a longer text goes unseen.
fn text(n: usize) -> Vec<u8> {
    let mut text = format!("{n:04}").repeat(1 + n % 3);
    text.push('\n');
    text.into_bytes()
}

/// The length of a message that was received.
fn len_of(received: Received) -> usize {
    match received {
        Received::Message(len) => len,
        Received::End => panic!("nobody has ended the session"),
    }
}
