//! The command line of `shmread` and `shmwrite`: every option, every exit code;
//! and `shm-handoff`, one file a subcommand.
//!
//! | exit | shown in |
//! | --- | --- |
//! | 0 | everywhere |
//! | 1 | `obstacles` (permission, limits), `options` (a path), `streams` (input, output) |
//! | 2 | `options` |
//! | 3 | `streams` (the reader left); deaths are in the tests of processes |
//! | 4, 6 | `obstacles` |
//! | 5 | `lines`, `long` |
//! | 124 | `options` |
//! | 128+n | `signals` |
//!
//! On a ring all of them are in `ring` and `raw`, on a declared layout in `declared`. A side that takes the other's
//! layout is in `moves`.

#![cfg(not(model))]

mod advice;
mod bench;
mod deadlines;
mod declared;
mod declared_tools;
mod doctor;
mod formats;
mod generate;
mod lab;
mod layout;
mod lines;
mod long;
mod moves;
mod names;
mod obstacles;
mod odd;
mod options;
mod progress;
mod race;
mod raw;
mod record;
mod replay;
mod ring;
mod said;
mod shapes;
mod signals;
mod stat;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod tools;

use support::{Channel, Ended};

/// A reader and a writer with this input, to the end of both: (reader, writer).
fn session(reader: &[&str], writer: &[&str], input: impl Into<Vec<u8>>) -> (Ended, Ended) {
    let channel = Channel::new();
    let reader = channel.seated_reader(reader);
    let writer = channel.writer(writer).input(input).end();
    (reader.end(), writer)
}
