//! One suite for both kernels: every rule of `rules.rs` is tried on the simulated kernel and on the
//! real one, and so are random scripts.
//!
//! | file | what it has |
//! | --- | --- |
//! | `rules.rs` | the rules |
//! | `objects.rs`, `segments.rs`, `semops.rs`, `sleepers.rs`, `sets.rs`, `ends.rs` | a scenario for each, with all that is seen |
//! | `random.rs`, `actions.rs` | random scripts, which have to see the same on both |
//! | `calls.rs`, `script.rs` | how a script is written |
//! | `simulated.rs` | how it is played on the simulated kernel |
//! | `linux.rs`, `worker.rs`, `wire.rs` | how it is played on the real one, by processes |

#![allow(clippy::many_single_char_names, reason = "the processes of a script have the names a, b, c")]

mod actions;
mod calls;
mod ends;
mod linux;
mod objects;
mod random;
mod rules;
mod script;
mod segments;
mod semops;
mod sets;
mod simulated;
mod sleepers;
mod wire;
mod worker;

use script::{Scenario, play_all};

const ALL: [&[Scenario]; 6] =
    [objects::SCENARIOS, segments::SCENARIOS, semops::SCENARIOS, sleepers::SCENARIOS, sets::SCENARIOS, ends::SCENARIOS];

#[test]
fn objects() {
    play_all(objects::SCENARIOS);
}

#[test]
fn segments() {
    play_all(segments::SCENARIOS);
}

#[test]
fn semops() {
    play_all(semops::SCENARIOS);
}

#[test]
fn sleepers() {
    play_all(sleepers::SCENARIOS);
}

#[test]
fn sets() {
    play_all(sets::SCENARIOS);
}

#[test]
fn ends() {
    play_all(ends::SCENARIOS);
}

#[test]
fn every_rule_has_a_scenario() {
    let numbers: Vec<u32> = rules::RULES.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=numbers.len()).map(|number| u32::try_from(number).unwrap()).collect::<Vec<_>>());
    let mut tried: Vec<u32> = ALL.iter().copied().flatten().flat_map(|scenario| scenario.rules).copied().collect();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried, numbers);
}
