//! The programs that this one also is, on the hosts.

pub(crate) mod middle;
pub(crate) mod reader;
pub(crate) mod writer;

use shm_handoff::backend::sysv::{Key, Options};

/// Each host has System V objects of its own, so the key is the same everywhere.
pub(crate) const KEY: u32 = 0x5e_ed;

/// A ring.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct RingArgs {
    /// Its bytes
    #[arg(long)]
    pub(crate) capacity: usize,
}

impl RingArgs {
    fn options(self) -> Result<Options, String> {
        Options::ring(key(), self.capacity).map_err(text)
    }
}

/// The key.
pub(crate) fn key() -> Key {
    Key::new(KEY).expect("it is not 0")
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
