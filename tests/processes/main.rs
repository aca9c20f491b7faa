//! `shmread` and `shmwrite` as two unrelated processes: order, deaths, who
//! leaves what behind, meddling, memory.
//!
//! A test waits for the event, under a generous deadline, and prints the
//! latency (`--nocapture` shows it); none asserts a speed.

#![cfg(not(model))]

mod calls;
mod carried;
mod children;
mod deaths;
mod fleeting;
mod handover;
mod hostile;
mod leftovers;
mod log;
mod making;
mod meddling;
mod memory;
mod namespaces;
mod observing;
mod recorded;
mod ring;
mod scribble;
mod seats;
mod stress;
#[path = "../support/mod.rs"]
mod support;
mod users;
