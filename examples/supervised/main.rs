//! A reader that is killed again and again, and a supervisor that starts the next one: `program.rs`, which docs/reliability.md
//! speaks of. Nothing is lost, and nothing but the message that a killed reader was at comes twice.

#[cfg(not(model))]
include!("program.rs");

// A model checker has no processes.
#[cfg(model)]
fn main() {}
