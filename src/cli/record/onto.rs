//! The second channel: what was recorded is handed on to it.

use crate::backend::sysv::{Observer, Options, SysV};
use crate::backend::{Backend, Layout};
use crate::cli::args::Common;
use crate::cli::chosen::Carries;
use crate::cli::exit::{Exit, Failure};
use crate::cli::notice::{Receipt, notice};
use crate::cli::signals::Signals;
use crate::error::{Error, Role};
use crate::protocol::slot::rules;
use crate::{Carried, SendError, Tick, WaitPolicy, WaitingFor, Writer};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// From here on a wait is worth a line.
const WORTH_A_LINE: Duration = Duration::from_millis(200);

/// How a writer waits: `--timeout`, signals, a line for the user.
pub(super) struct Waits<'w> {
    pub(super) common: &'w Common,
    pub(super) signals: &'w Signals,
    /// Go on behind a reader that has gone.
    pub(super) follow: bool,
    /// What else is to be done meanwhile.
    pub(super) meanwhile: &'w mut dyn FnMut() -> Result<(), Failure>,
}

/// The writer of the second channel.
pub(super) struct Onto {
    pub(super) writer: Writer<SysV>,
}

/// Opens the writer at the key of `common`, with the layout of the channel from which the messages come or came, if nothing else
/// is there and nothing else is asked for.
pub(super) fn open(
    common: &Common,
    like: impl Fn() -> Result<Option<Options>, Failure>,
) -> Result<Writer<SysV>, Failure> {
    let chosen = crate::cli::chosen::Chosen::of(common)?;
    let is_asked_for = chosen.is_some() || common.ring.is_some();
    if !is_asked_for && let Some(options) = like()? {
        match Writer::open(&options.mode(common.mode).trust_owner(common.trust_owner)) {
            // Another layout is there, which may carry them as well.
            Err(Error::OtherLayout { .. } | Error::OtherDeclared { .. } | Error::NotAChannel { .. }) => {}
            opened => return Ok(opened?),
        }
    }
    if let Some(chosen) = &chosen {
        chosen.introduce("shm-handoff", common);
    }
    Ok(Writer::open(&common.options(chosen.as_ref())?)?)
}

impl Onto {
    pub(super) fn of(writer: Writer<SysV>) -> Self {
        Self { writer }
    }

    /// The ring's random number; 0 for a slot.
    pub(super) fn stream(&self) -> u64 {
        self.writer.backend().stream().unwrap_or(0)
    }

    pub(super) fn is_ring(&self) -> bool {
        matches!(self.writer.backend().layout(), Layout::Ring { .. })
    }

    /// How far of this stream it has.
    pub(super) fn carried(&mut self, stream: u64) -> Option<Carried> {
        self.writer.carried().filter(|carried| stream != 0 && carried.stream == stream)
    }

    /// Whether it can carry this message.
    pub(super) fn check(&self, text: &[u8]) -> Result<(), Failure> {
        check(&self.writer, text)
    }

    /// Hands messages of a ring on, as many as there is room for; how many.
    pub(super) fn hand(
        &mut self,
        stream: u64,
        from: u64,
        messages: &[(u64, &[u8])],
        waits: &mut Waits<'_>,
    ) -> Result<usize, Failure> {
        let mut count = 0;
        if stream != 0 && self.is_ring() {
            self.wait(waits, |writer, policy| {
                count = writer.carry(stream, from, messages, policy)?;
                Ok(())
            })?;
        } else if let Some((_, text)) = messages.first() {
            self.wait(waits, |writer, policy| writer.send_with(text, policy))?;
            count = 1;
        }
        Ok(count)
    }

    /// Waits until there is room for an end.
    pub(super) fn await_room(&mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        self.wait(waits, |writer, policy| writer.await_room(0, policy))
    }

    /// Hands the end on.
    pub(super) fn end(&mut self, stream: u64, from: u64, position: u64, waits: &mut Waits<'_>) -> Result<(), Failure> {
        let carries = stream != 0 && self.is_ring();
        self.wait(waits, |writer, policy| {
            if carries { writer.carry_end(stream, from, position, policy) } else { writer.end_with(policy) }
        })?;
        Ok(())
    }

    /// Leaves in order, after everything was received where the memory goes with its last user.
    pub(super) fn close(mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        self.wait(waits, Writer::flush)?;
        Ok(self.writer.close_flushed()?)
    }

    /// Leaves in order, at once: the next one goes on.
    pub(super) fn leave(mut self) {
        if self.writer.flush(&mut WaitPolicy::non_blocking()).is_ok() {
            let _ = self.writer.close_flushed();
        }
    }

    /// Notices that the memory or the seat was removed.
    pub(super) fn look_around(&mut self) -> Result<(), Failure> {
        match self.writer.recover(&mut WaitPolicy::non_blocking()) {
            // A reader that has gone is told where its room is waited for.
            Ok(()) | Err(SendError::TimedOut | SendError::ReaderGone) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn wait(
        &mut self,
        waits: &mut Waits<'_>,
        wait: impl FnMut(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
    ) -> Result<(), Failure> {
        wait_with(&mut self.writer, waits, wait)
    }
}

/// Whether the channel can carry this message as a message.
pub(super) fn check(writer: &Writer<SysV>, text: &[u8]) -> Result<(), Failure> {
    if Carries::by(writer.backend()) == Carries::Texts && rules::is_bare_end(text) {
        return Err(Failure::new(
            Exit::BadInput,
            "the message can't be carried: it is `end` alone, and would end the session there",
        )
        .hint("a ring carries it: --ring, on the other side, too"));
    }
    writer.check(text).map_err(|error| match error {
        SendError::Unsendable(why) => Failure::new(Exit::BadInput, SendError::Unsendable(why))
            .hint("a ring that is large enough carries any message: --ring=CAPACITY, on the other side, too"),
        error => error.into(),
    })
}

/// Runs `wait` with `--timeout`, signals, and a line for the user.
pub(super) fn wait_with(
    writer: &mut Writer<SysV>,
    waits: &mut Waits<'_>,
    mut wait: impl FnMut(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
) -> Result<(), Failure> {
    let Waits { common, signals, follow, meanwhile } = waits;
    let mut told = common.quiet;
    loop {
        let key = writer.backend().segment().key();
        let (mut waiting_for, mut failed) = (None, None);
        let mut hook = |tick: Tick| {
            waiting_for = Some(tick.waiting_for);
            if !told && tick.waited >= WORTH_A_LINE {
                told = notice(tick.waiting_for, Receipt::LastMessage, common.verbose, common);
            }
            if let Err(failure) = meanwhile() {
                failed = Some(failure);
            }
            if failed.is_some() || signals.caught().is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let policy = common.deadline().map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
        let waited = wait(writer, &mut policy.on_tick(&mut hook));
        return Err(match waited {
            Ok(()) => return Ok(()),
            Err(SendError::ReaderGone) if *follow => {
                let policy = common.deadline().map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
                match writer.await_reader(&mut policy.on_tick(&mut hook)) {
                    Ok(()) => continue,
                    Err(SendError::Interrupted) => match failed {
                        Some(failure) => failure,
                        None => signals.caught().map_or_else(Failure::timed_out, Failure::signal),
                    },
                    Err(SendError::TimedOut) => Failure::silence(Role::Reader, key, "no reader came"),
                    Err(error) => error.into(),
                }
            }
            Err(SendError::Interrupted) => match failed {
                Some(failure) => failure,
                None => signals.caught().map_or_else(Failure::timed_out, Failure::signal),
            },
            Err(SendError::TimedOut) if waiting_for == Some(WaitingFor::Reader) => {
                Failure::silence(Role::Reader, key, "no reader came")
            }
            Err(SendError::TimedOut) if waiting_for == Some(WaitingFor::Room) => {
                Failure::silence(Role::Reader, key, "there is no room, and no reader came")
            }
            Err(SendError::ReaderGone) => Failure::from(SendError::ReaderGone)
                .hint("--follow waits for the next one; what it has not taken lies there for it"),
            Err(error) => error.into(),
        });
    }
}

/// Whether the ring at this key is the one with this stream.
pub(super) fn is_at(common: &Common, stream: u64) -> Result<bool, Failure> {
    let key = common.key.resolve()?;
    match Observer::open(key) {
        Ok(observer) => Ok(observer.stream() == Some(stream)),
        // Nothing, or another thing.
        Err(Error::Missing { .. } | Error::NotAChannel { .. } | Error::OtherLayout { .. } | Error::Removed { .. }) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// How long between two looks around.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(100);

/// Whether it is time to look around.
pub(super) fn is_due(looked: &mut Instant) -> bool {
    let is_due = looked.elapsed() >= LOOK_AROUND;
    if is_due {
        *looked = Instant::now();
    }
    is_due
}
