//! shm-bridge: a ring on each host, and the two programs between them.

use super::{Sender, text};
use crate::tally::Tally;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Received, Ring, Writer};
use std::time::Duration;

/// Each host has IPC objects of its own, so both can use the same key.
pub(crate) const KEY: u32 = 77;

const GREETING: &[u8] = b"hello";

fn options() -> Result<Options, String> {
    Ok(Options::any_ring(Key::new(KEY).map_err(text)?))
}

pub(super) fn sender() -> Result<Box<dyn Sender>, String> {
    let mut writer = Writer::<SysV, Ring>::open(&options()?).map_err(text)?;
    // The bridges have met once the first message was acknowledged.
    writer.send(GREETING).map_err(text)?;
    while !writer.is_drained() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(Box::new(Ours(writer)))
}

struct Ours(Writer<SysV, Ring>);

impl Sender for Ours {
    fn send(&mut self, message: &[u8]) -> Result<(), String> {
        self.0.send(message).map_err(text)
    }
}

pub(super) fn receive(tally: &'static Tally, ready: &dyn Fn()) -> Result<(), String> {
    let mut reader = Reader::<SysV, Ring>::open(&options()?).map_err(text)?;
    ready();
    let mut message = vec![0; reader.capacity()];
    loop {
        match reader.recv(&mut message).map_err(text)? {
            Received::Message(len) if message[..len] == *GREETING => {}
            Received::Message(len) => tally.take(&message[..len]),
            Received::End => return Ok(()),
        }
    }
}
