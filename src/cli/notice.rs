//! What a writer waits for, in words.

use super::args::Common;
use super::stdio::say;
use crate::WaitingFor;
use crate::backend::sysv::Key;
use crate::error::Place;

/// Says what is waited for; whether it did.
pub(super) fn notice(waiting_for: WaitingFor, talkative: bool, common: &Common) -> bool {
    let key = common.key.resolve().map_or(0, Key::number);
    match waiting_for {
        WaitingFor::Reader => say!("Waiting... no reader is at {} yet", Place::Key(key)),
        WaitingFor::Drain => {
            say!("Waiting... the segment was removed, and somebody attached may still take the last message");
        }
        WaitingFor::Receipt => {
            say!("Waiting... the last message was not received yet, and its memory goes with its last attachment");
        }
        WaitingFor::Room if talkative => say!("Waiting..."),
        _ => return false,
    }
    true
}
