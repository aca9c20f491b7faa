//! The tutorial's defects D6 to D15, each shown on the tutorial's own side and
//! shown absent from ours, or what remains of it because the other side is a C
//! program. `docs/defects.md` explains them.
//!
//! | | by | in |
//! | --- | --- | --- |
//! | D6, D7, D11 | properties over all texts, and C peers | `texts` |
//! | D12 | properties over all flags | `flags` |
//! | D8, D9 | C peers, ours beside them | `ends` |
//! | D10 | C peers, ours beside them | `removal` |
//! | D13 | C peers, and another user | `access` |
//! | D14 | C peers, and a backend that counts its sleeps | `pace` |
//! | D15 | C peers, and what the kernel says | `diagnostics` |
//!
//! No second of the tutorial's is waited for: see `support/c_peers.rs`.
#![cfg(not(model))]

mod access;
#[path = "../common/mod.rs"]
mod common;
mod diagnostics;
mod ends;
mod flags;
mod pace;
mod removal;
#[path = "../support/mod.rs"]
mod support;
mod texts;

use common::Harness;
use proptest::test_runner::Config;
use shm_handoff::inside::tutorial::{self, Mended};
use shm_handoff::{Reader, Writer};

/// For ever, in seconds of C peers in steps.
const FOR_EVER: usize = 100;

/// `cases` cases, and no file of failures: what fails becomes a test by name.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Both sides of ours, at one place.
fn ours<H: Harness>(place: &H) -> (Reader<H::Backend>, Writer<H::Backend>) {
    (Reader::open(place.address()).unwrap(), Writer::open(place.address()).unwrap())
}

/// Both sides of the tutorial's, as it is printed.
fn theirs<H: Harness>(place: &H) -> (tutorial::Reader<H::Backend>, tutorial::Writer<H::Backend>) {
    let nothing = Mended::NOTHING;
    (
        tutorial::Reader::open(place.address(), nothing).unwrap(),
        tutorial::Writer::open(place.address(), nothing).unwrap(),
    )
}
