//! The bridge's frames. Their files alone: the whole bridge stands on zenoh, which would take minutes to build here.
#![no_main]
#![allow(dead_code, reason = "the machines use the rest")]
#[path = "../../bridge/src/batch.rs"]
mod batch;
#[path = "../../bridge/src/frame.rs"]
mod frame;
#[path = "../../bridge/tests/fuzzed/mod.rs"]
mod fuzzed;
#[path = "../../bridge/src/world.rs"]
mod world;

use frame::Frame;

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzzed::frame(input));
