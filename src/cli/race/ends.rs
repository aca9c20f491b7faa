//! The two ends of either protocol, made alike: they wait until they are done,
//! or until there is nothing left to wait for.

use super::link::Link;
use super::wire::{Protocol, Response};
use crate::backend::sysv::{Options, SysV};
use crate::cli::exit::Failure;

use crate::protocol::slot::rules;
use crate::protocol::tutorial::{self, Mended};
use crate::sync;
use crate::{Reader, RecvError, SendError, Tick, WaitPolicy, WaitingFor, Writer};
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
    pub(super) fn open(protocol: Protocol, options: &Options) -> Result<Self, Failure> {
        Ok(match protocol {
            Protocol::Tutorial => Self::Tutorial(tutorial::Writer::open(options, Mended::NOTHING)?),
            Protocol::Ours | Protocol::Ring => Self::Ours(Writer::open(options)?),
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
            Self::Ours(writer) => with_policy(writer, typed, link, |writer, policy| writer.send_with(text, policy)),
        }
    }

    /// Sends an `end`, as [`send`](Self::send) does a text.
    pub(super) fn end(&mut self, typed: bool, link: &mut Link) -> Result<bool, Failure> {
        match self {
            Self::Tutorial(_) => self.send(rules::END, typed, link),
            Self::Ours(writer) => with_policy(writer, typed, link, Writer::end_with),
        }
    }

    pub(super) fn leave(self) -> Result<(), Failure> {
        match self {
            Self::Tutorial(_) => Ok(()),
            Self::Ours(writer) => Ok(writer.close()?),
        }
    }
}

/// Sends as long as there is something to wait for.
fn with_policy(
    writer: &mut Writer<SysV>,
    typed: bool,
    link: &mut Link,
    send: impl Fn(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
) -> Result<bool, Failure> {
    if typed {
        sync::yield_now();
    }
    let mut said = Ok(());
    let mut waits = false;
    let mut hook = |tick: Tick| {
        if tick.waiting_for == WaitingFor::Reader && !waits {
            waits = true;
            said = link.respond(Ok(&Response::Waits));
        }
        if said.is_err() || link.is_told() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut outcome = send(writer, &mut WaitPolicy::forever().on_tick(&mut hook));
    said?;
    if outcome == Err(SendError::Interrupted) {
        // The other side is through: one more look.
        outcome = send(writer, &mut WaitPolicy::non_blocking());
    }
    match outcome {
        Ok(()) => Ok(true),
        Err(SendError::TimedOut | SendError::ReaderGone) => Ok(false),
        Err(error) => Err(error.into()),
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
    pub(super) fn open(protocol: Protocol, options: &Options) -> Result<Self, Failure> {
        let reader = match protocol {
            Protocol::Tutorial => TargetReader::Tutorial(tutorial::Reader::open(options, Mended::NOTHING)?),
            Protocol::Ours | Protocol::Ring => TargetReader::Ours(Reader::open(options)?),
        };
        Ok(Self { reader, text: Vec::new() })
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
                match reader.wait_with(&mut WaitPolicy::forever().on_tick(&mut hook)) {
                    Err(RecvError::Interrupted) => match reader.wait_with(&mut WaitPolicy::non_blocking()) {
                        Err(RecvError::TimedOut) => return Ok(None),
                        other => other?,
                    },
                    other => other?,
                }
                let message = reader.peek()?;
                self.text.clear();
                self.text.extend_from_slice(message.text());
                let ends = message.ends_session();
                message.release();
                Ok(Some((&self.text, ends)))
            }
        }
    }

    pub(super) fn leave(self) -> Result<(), Failure> {
        match self.reader {
            TargetReader::Tutorial(_) => Ok(()),
            TargetReader::Ours(reader) => Ok(reader.close()?),
        }
    }
}
