//! Properties, one file a subject; each file opens with its properties.
#![cfg(not(model))]

#[path = "../common/mod.rs"]
mod common;
mod copy;
mod hostile;
mod messages;
mod operations;
mod peer;
#[cfg(feature = "cli")]
mod recording;
mod ring;
mod typed;

use proptest::test_runner::Config;

/// `cases` cases, and no file of failures: what fails becomes a test by name.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}
