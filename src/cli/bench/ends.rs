//! A process's two ends of a transport: one to send to the other process, one to receive
//! from it. Each waits as it does by default.

use super::wire::Transport;
use crate::backend::memory::offsets;
use crate::backend::sysv::{Key, Options, SysV};
use crate::cli::exit::{Exit, Failure};
use crate::error::Error;
use crate::{Core, Reader, Received, Slot, Writer};
use nix::errno::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

pub(super) trait Ends {
    fn send(&mut self, message: &[u8]) -> Result<(), Failure>;

    /// Receives a message into `room`, which is as long as a message; returns its length.
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Failure>;
}

/// Ends of a slot or of a ring each way.
pub(super) struct Shared<L: Core>(Writer<SysV, L>, Reader<SysV, L>);

/// Of a slot.
pub(super) type Classic = Shared<Slot>;

/// Of a ring.
pub(super) type Ring = Shared<crate::Ring>;

/// Ends of two pipes, or an end of a socket twice.
pub(super) struct Files(File, File);

impl Transport {
    /// What there is at `key`; only for a transport that has keys.
    pub(super) fn options(self, key: Key) -> Result<Options, Error> {
        match self {
            Self::Ring => Options::ring(key, offsets::ring::DEFAULT),
            Self::Classic | Self::Pipe | Self::Socket => Ok(Options::slot(key)),
        }
    }
}

impl<L: Core> Shared<L> {
    pub(super) fn open(transport: Transport, to: u32, from: u32) -> Result<Self, Failure> {
        let options = |key| transport.options(Key::new(key)?);
        Ok(Self(Writer::open(&options(to)?)?, Reader::open(&options(from)?)?))
    }
}

impl<L: Core> Ends for Shared<L> {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        Ok(self.0.send(message)?)
    }

    #[inline]
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Failure> {
        match self.1.recv(room)? {
            Received::Message(len) => Ok(len),
            Received::End => Err(Failure::new(Exit::System, "the other process ended the session")),
        }
    }
}

impl Files {
    pub(super) fn open(to: RawFd, from: RawFd) -> Result<Self, Failure> {
        let file = |fd: RawFd| {
            if fd <= 2 {
                return Err(Failure::io(&format!("file {fd} as an end"), Errno::EBADF));
            }
            // SAFETY: whoever started us has left this file open for us under this number and names
            // it in one order alone, so nothing else here owns it or will close it.
            Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
        };
        Ok(Self(file(to)?, file(from)?))
    }
}

impl Ends for Files {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.0.write_all(message).map_err(|error| broken("sending", &error))
    }

    #[inline]
    fn receive(&mut self, room: &mut [u8]) -> Result<usize, Failure> {
        self.1.read_exact(room).map_err(|error| broken("receiving", &error))?;
        Ok(room.len())
    }
}

#[cold]
fn broken(what: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::System, format!("{what}: {error}"))
}
