//! Values of a struct between two processes: `program.rs`.

#[cfg(not(model))]
include!("program.rs");

// A model checker has no processes.
#[cfg(model)]
fn main() {}
