//! The second channel: what was recorded is handed on to it.

use crate::backend::sysv::{Observer, Options, SysV};
use crate::backend::{Backend, Layout};
use crate::cli::args::Common;
use crate::cli::chosen::Carries;
use crate::cli::exit::{Exit, Failure};
use crate::cli::input::not_sent_again;
use crate::cli::notice::{Receipt, notice};
use crate::cli::session;
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
    /// The option that asks for a ring there.
    pub(super) ring: RingOption,
    /// What else is to be done meanwhile.
    pub(super) meanwhile: &'w mut dyn FnMut() -> Result<(), Failure>,
}

/// The option that asks for a ring at the key to which the messages go.
#[derive(Debug, Clone, Copy)]
pub(super) enum RingOption {
    /// `--ring`, of `replay`.
    Ring,
    /// `--onto-ring`, of `record`.
    OntoRing,
}

impl RingOption {
    /// It, and the option of the other side.
    fn on_both_sides(self, capacity: &str) -> String {
        match self {
            Self::Ring => format!("--ring{capacity}, on the other side, too"),
            Self::OntoRing => format!("--onto-ring{capacity}, and --ring on the other side"),
        }
    }
}

/// The writer of the second channel.
pub(super) struct Onto {
    writer: Writer<SysV>,
    /// The segment in which a reader was met.
    settled: Option<i32>,
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
        Self { writer, settled: None }
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

    /// Waits until it is known what the messages have to fit into: a slot that was made unasked gives way to what its first
    /// reader brings, and no other layout does.
    pub(super) fn settle(&mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        let backend = self.writer.backend();
        if backend.layout() == Layout::Slot && self.settled != Some(backend.segment().id()) {
            self.await_room(waits)?;
            self.settled = Some(self.writer.backend().segment().id());
        }
        Ok(())
    }

    /// Whether it can carry this message.
    pub(super) fn check(&self, text: &[u8]) -> Result<(), Failure> {
        check(&self.writer, text, RingOption::OntoRing).map_err(|failure| named("the next message at KEY", failure))
    }

    /// Names what can't be carried: this message, or else what was handed on before and has to come first.
    fn at_fault(&self, text: &[u8], failure: Failure) -> Failure {
        match self.check(text) {
            Err(named) if failure.exit == Exit::BadInput => named,
            _ => not_sent_again(failure),
        }
    }

    /// Hands messages of a ring on, as many as there is room for; how many.
    pub(super) fn hand(
        &mut self,
        stream: u64,
        from: u64,
        messages: &[(u64, &[u8])],
        waits: &mut Waits<'_>,
    ) -> Result<usize, Failure> {
        let Some((_, first)) = messages.first() else { return Ok(0) };
        let mut count = 1;
        let handed = if stream != 0 && self.is_ring() {
            self.wait(waits, |writer, policy| {
                count = writer.carry(stream, from, messages, policy)?;
                Ok(())
            })
        } else {
            self.wait(waits, |writer, policy| writer.send_with(first, policy))
        };
        handed.map_err(|failure| self.at_fault(first, failure))?;
        Ok(count)
    }

    /// Waits until there is room for an end.
    pub(super) fn await_room(&mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        self.wait(waits, |writer, policy| writer.await_room(0, policy)).map_err(not_sent_again)
    }

    /// Hands the end on.
    pub(super) fn end(&mut self, stream: u64, from: u64, position: u64, waits: &mut Waits<'_>) -> Result<(), Failure> {
        let carries = stream != 0 && self.is_ring();
        self.wait(waits, |writer, policy| {
            if carries { writer.carry_end(stream, from, position, policy) } else { writer.end_with(policy) }
        })
        .map_err(not_sent_again)
    }

    /// Waits until everything was received, where the memory goes with its last user.
    pub(super) fn flush(&mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        self.wait(waits, Writer::flush).map_err(not_sent_again)
    }

    /// Leaves in order, after that.
    pub(super) fn close(self) -> Result<(), Failure> {
        Ok(self.writer.close_flushed()?)
    }

    /// Leaves at once, because of this failure, and adds to it what is lost thereby. A reader that is not told of it waits for the
    /// next one.
    pub(super) fn leave(mut self, is_told: bool, mut failure: Failure) -> Failure {
        let is_safe = !is_told && self.writer.flush(&mut WaitPolicy::non_blocking()).is_ok();
        // Whoever is attached takes what lies there, also where the memory goes with its last user.
        let lost = if is_safe { String::new() } else { session::lost(&mut self.writer, &failure) };
        let is_kept = lost.is_empty();
        failure.message.push_str(&lost);
        if is_kept && !is_told {
            let _ = self.writer.close_flushed();
        }
        failure
    }

    /// Notices that the memory or the seat was removed.
    pub(super) fn look_around(&mut self) -> Result<(), Failure> {
        recover(&mut self.writer, RingOption::OntoRing)
    }

    fn wait(
        &mut self,
        waits: &mut Waits<'_>,
        wait: impl FnMut(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
    ) -> Result<(), Failure> {
        wait_with(&mut self.writer, waits, wait)
    }
}

/// Notices that the memory or the seat was removed, while there is nothing to send.
pub(super) fn recover(writer: &mut Writer<SysV>, ring: RingOption) -> Result<(), Failure> {
    match writer.recover(&mut WaitPolicy::non_blocking()) {
        // A reader that has gone is told where its room is waited for.
        Ok(()) | Err(SendError::TimedOut | SendError::ReaderGone) => Ok(()),
        Err(error) => Err(not_sent_again(refused(writer, error, ring))),
    }
}

/// What decides which messages a channel carries. The other side can bring another layout, so it is looked at each time.
pub(super) fn form(writer: &Writer<SysV>) -> (Carries, usize) {
    (Carries::by(writer.backend()), writer.capacity())
}

/// Whether the channel can carry this message as a message. `ring` is the option that asks for a ring there.
pub(super) fn check(writer: &Writer<SysV>, text: &[u8], ring: RingOption) -> Result<(), Failure> {
    if Carries::by(writer.backend()) == Carries::Texts && rules::is_bare_end(text) {
        return Err(Failure::new(
            Exit::BadInput,
            "the message can't be carried: it is `end` alone, and would end the session there",
        )
        .hint(format!("a ring carries it: {}", ring.on_both_sides(""))));
    }
    writer.check(text).map_err(|error| refused(writer, error, ring))
}

/// What can be done about a message depends on what is there: a ring gives way to no other one.
fn refused(writer: &Writer<SysV>, error: SendError, ring: RingOption) -> Failure {
    let SendError::Unsendable(_) = error else { return error.into() };
    let options = ring.on_both_sides("=CAPACITY");
    let hint = match writer.backend().layout() {
        Layout::Ring { .. } => {
            let key = writer.backend().segment().key().number();
            format!(
                "a larger ring carries it; end both sides and remove the ring that is there first \
                 (shm-handoff rm {key}), then: {options}"
            )
        }
        Layout::Slot | Layout::Declared => format!("a ring that is large enough carries any message: {options}"),
    };
    Failure::new(Exit::BadInput, error).hint(hint)
}

/// A failure of this message.
pub(super) fn named(what: &str, failure: Failure) -> Failure {
    Failure { message: format!("{what}: {}", failure.message), ..failure }
}

/// Runs `wait` with `--timeout`, signals, and a line for the user.
pub(super) fn wait_with(
    writer: &mut Writer<SysV>,
    waits: &mut Waits<'_>,
    mut wait: impl FnMut(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
) -> Result<(), Failure> {
    let Waits { common, signals, follow, ring, meanwhile } = waits;
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
            Err(error) => refused(writer, error, *ring),
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
