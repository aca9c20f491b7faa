//! A writer and a reader in two processes, first at a classic slot, then at a ring: `program.rs`, which the
//! documentation shows.

#[cfg(not(model))]
include!("program.rs");

// A model checker has no processes.
#[cfg(model)]
fn main() {}
