//! The two ends of either protocol, made alike: they wait until they are done,
//! or until there is nothing left to wait for.

use super::side::Link;
use super::wire::{Protocol, Report};
use crate::backend::sysv::{Options, SysV};
use crate::cli::exit::Failure;
use crate::error::Error;
use crate::protocol::tutorial::{self, Mended};
use crate::protocol::{Patience, Reader, RecvError, SendError, Tick, WaitingFor, Writer, message};
use crate::sync;
use std::ops::ControlFlow;

/// A wait of the tutorial's, its `sleep(1)` taken out: it looks again at once.
/// Yields, since there may be fewer cores than processes.
struct Wait {
    turns: u32,
}

impl Wait {
    /// Before the other process is worth making way for.
    const PAUSES: u32 = 100;
    /// Turns between two questions whether it is worth going on.
    const ASK: u32 = 64;

    fn new() -> Self {
        Self { turns: 0 }
    }

    /// One turn; whether the *next* look is the last one.
    fn turn(&mut self, link: &mut Link) -> bool {
        self.turns = self.turns.wrapping_add(1);
        if self.turns < Self::PAUSES {
            sync::spin_loop();
            return false;
        }
        sync::yield_now();
        self.turns.is_multiple_of(Self::ASK) && link.is_told()
    }
}

/// A writer of either protocol.
pub(super) enum Source {
    Tutorial(tutorial::Writer<SysV>),
    Ours(Writer<SysV>),
}

impl Source {
    pub(super) fn open(protocol: Protocol, options: &Options) -> Result<Self, Error> {
        Ok(match protocol {
            Protocol::Tutorial => Self::Tutorial(tutorial::Writer::open(options, Mended::NOTHING)?),
            Protocol::Ours => Self::Ours(Writer::open(options)?),
        })
    }

    /// Sends `text`; `false`: there will never be room for it. `typed`: makes
    /// way once where the program gets its line from somebody: the tutorial's
    /// has looked at the flag by then, ours has not.
    pub(super) fn send(&mut self, text: &[u8], typed: bool, link: &mut Link) -> Result<bool, Failure> {
        match self {
            Self::Tutorial(writer) => {
                let mut wait = Wait::new();
                let mut last = false;
                while !writer.has_room() {
                    if last {
                        return Ok(false);
                    }
                    last = wait.turn(link);
                }
                if typed {
                    sync::yield_now();
                }
                writer.put(text);
                Ok(true)
            }
            Self::Ours(writer) => {
                if typed {
                    sync::yield_now();
                }
                let mut said = Ok(());
                let mut waits = false;
                let mut hook = |tick: Tick| {
                    if tick.waiting_for == WaitingFor::Reader && !waits {
                        waits = true;
                        said = link.report(&Report::Waits);
                    }
                    if said.is_err() || link.is_told() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let sent = writer.send_with(text, &mut Patience::endless().with_hook(&mut hook));
                said?;
                match sent {
                    Ok(()) => Ok(true),
                    Err(SendError::Interrupted) => match writer.try_send(text) {
                        Ok(()) => Ok(true),
                        Err(SendError::WouldBlock | SendError::ReaderGone) => Ok(false),
                        Err(error) => Err(error.into()),
                    },
                    Err(SendError::ReaderGone) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    pub(super) fn leave(self) -> Result<(), Failure> {
        match self {
            Self::Tutorial(_) => Ok(()),
            Self::Ours(writer) => Ok(writer.leave()?),
        }
    }
}

/// A reader of either protocol, and room for a text.
pub(super) struct Target {
    reader: TargetReader,
    text: Vec<u8>,
}

enum TargetReader {
    Tutorial(tutorial::Reader<SysV>),
    Ours(Reader<SysV>),
}

impl Target {
    pub(super) fn open(protocol: Protocol, options: &Options) -> Result<Self, Error> {
        Ok(match protocol {
            Protocol::Tutorial => {
                let reader = tutorial::Reader::open(options, Mended::NOTHING)?;
                Self { reader: TargetReader::Tutorial(reader), text: Vec::new() }
            }
            Protocol::Ours => {
                let reader = Reader::open(options)?;
                let text = vec![0; reader.capacity()];
                Self { reader: TargetReader::Ours(reader), text }
            }
        })
    }

    /// Takes a text, and says whether the protocol leaves at it; `None`: there
    /// will never be one.
    pub(super) fn take(&mut self, link: &mut Link) -> Result<Option<(&[u8], bool)>, Failure> {
        match &mut self.reader {
            TargetReader::Tutorial(reader) => {
                let mut wait = Wait::new();
                let taken = loop {
                    if let Some(taken) = reader.take() {
                        break Some(taken);
                    }
                    if wait.turn(link) {
                        break reader.take();
                    }
                };
                let Some(taken) = taken else { return Ok(None) };
                self.text = taken.text;
                Ok(Some((&self.text, taken.leaves)))
            }
            TargetReader::Ours(reader) => {
                let mut hook = |_| if link.is_told() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
                let patience = &mut Patience::endless().with_hook(&mut hook);
                let len = match reader.recv_with(&mut self.text, patience) {
                    Err(RecvError::Interrupted) => match reader.try_recv(&mut self.text) {
                        Err(RecvError::WouldBlock) => return Ok(None),
                        other => other?,
                    },
                    other => other?,
                };
                let text = &self.text[..len];
                Ok(Some((text, message::ends_session(text))))
            }
        }
    }

    pub(super) fn leave(self) -> Result<(), Failure> {
        match self.reader {
            TargetReader::Tutorial(_) => Ok(()),
            TargetReader::Ours(reader) => Ok(reader.leave()?),
        }
    }
}
