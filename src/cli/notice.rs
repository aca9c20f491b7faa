//! What a writer waits for, in words.

use super::args::Common;
use super::stdio::say;
use crate::WaitingFor;
use crate::backend::sysv::Key;
use crate::error::Place;

/// Why a release is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    /// That of the last message, whose memory goes with its last attachment.
    LastMessage,
    /// An answer lies in the message then.
    Answer,
}

/// Says what is waited for; whether it did.
pub(super) fn notice(waiting_for: WaitingFor, receipt: Receipt, talkative: bool, common: &Common) -> bool {
    let key = common.key.resolve().map_or(0, Key::number);
    match waiting_for {
        WaitingFor::Reader => say!("Waiting... no reader is at {} yet", Place::Key(key)),
        WaitingFor::Drain => {
            say!("Waiting... the segment was removed, and somebody attached may still take the last message");
        }
        WaitingFor::End => say!("Waiting... no reader has met the end of the session before yet"),
        WaitingFor::Receipt => match receipt {
            Receipt::LastMessage => {
                say!("Waiting... the last message was not received yet, and its memory goes with its last attachment");
            }
            Receipt::Answer if talkative => say!("Waiting... the reader has not answered yet"),
            Receipt::Answer => return false,
        },
        WaitingFor::Room if talkative => say!("Waiting..."),
        _ => return false,
    }
    true
}
