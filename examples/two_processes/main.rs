//! A writer and a reader in two processes, at a classic slot, in a struct of its own, and at a ring: `program.rs`, which the
//! documentation shows.

#[cfg(not(model))]
include!("program.rs");

// A model checker has no processes.
#[cfg(model)]
fn main() {}
