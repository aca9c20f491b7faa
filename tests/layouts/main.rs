//! Programs whose struct is not the tutorial's (`tests/c/layouts`): flags and texts of other sizes and at other
//! places, two slots in one segment, records, a driving simulator. They keep to the protocol, with C11's orders.
//!
//! | | |
//! | --- | --- |
//! | `programs` | the shapes, and the programs as compiled |
//! | `texts`, `conversation`, `records`, `simulator` | the programs among themselves: they are right, and notice what is torn |
//! | `peeked` | a reader of ours where zero is the flag of a full slot |
//! | `ours_…` | `shmread` and `shmwrite --layout` with each of them |
#![cfg(not(model))]

mod conversation;
mod ours;
mod ours_conversation;
mod ours_records;
mod ours_simulator;
mod ours_texts;
mod peeked;
mod programs;
mod records;
mod simulator;
#[path = "../support/mod.rs"]
mod support;
mod texts;
