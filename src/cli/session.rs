//! A writer at work: what `shmwrite` does with it, whatever it sends.

use super::answers::Answers;
use super::args::Common;
use super::chosen::Carries;
use super::exit::{Exit, Failure};
use super::input::{Fit, LOOK_AROUND, as_it_comes, not_sent, not_sent_again};
use super::notice::{Receipt, notice};
use super::progress::Progress;
use super::signals::Signals;
use super::{look, stdio, suspect};
use crate::backend::Backend;
use crate::backend::sysv::SysV;
use crate::error::Role;
use crate::failpoint;
use crate::protocol::slot::rules;
use crate::{SendError, Tick, WaitPolicy, WaitingFor, Writer};
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub(super) const PROGRAM: &str = "shmwrite";

/// From here on a wait is worth a line.
const WORTH_A_LINE: Duration = Duration::from_millis(200);

/// The writer and what it needs while it waits.
pub(super) struct Session<'a> {
    pub(super) writer: Writer<SysV>,
    pub(super) signals: &'a Signals,
    pub(super) common: &'a Common,
    /// A person types.
    pub(super) prompts: bool,
    /// With `--reply`.
    pub(super) answers: Option<Answers<'a>>,
    /// What it waits for when it waits for a release.
    pub(super) receipt: Receipt,
    pub(super) sent: &'a mut Progress,
    /// When it last looked around.
    pub(super) looked: Instant,
    /// It was said that an `end` had a carriage return.
    pub(super) told_of_return: bool,
    /// It was said that the slot looks like another struct.
    pub(super) suspected: bool,
}

impl Session<'_> {
    /// In a ring `end` means something at a prompt alone.
    pub(super) fn ends(&self, line: &[u8]) -> bool {
        (self.prompts || self.carries() == Carries::Texts) && rules::is_bare_end(line)
    }

    pub(super) fn carries(&self) -> Carries {
        Carries::by(self.writer.backend())
    }

    /// What a message can be now.
    pub(super) fn fit(&self) -> Fit {
        let (most, carries) = (self.writer.capacity(), self.carries());
        let cut_at = if carries == Carries::Texts { rules::cut } else { as_it_comes };
        // In a ring nobody has to be waited for between two lines; a person at a prompt waits after each.
        Fit { most, cut_at, together: !self.prompts && carries == Carries::Bytes }
    }

    /// Ends the session.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(Writer::end_with)
    }

    pub(super) fn send(&mut self, text: &[u8], what: &dyn fmt::Display) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(|writer, policy| writer.send_with(text, policy))
            .map_err(|failure| self.at_fault(text, what, failure))?;
        self.count_sent(1, text.len());
        // (In a slot it was refused.)
        if self.carries() == Carries::Bytes && rules::is_end_with_return(text) {
            self.tell_of_return(what);
        }
        // An end has no answer.
        let is_end = self.carries() == Carries::Texts && rules::ends_session(text);
        if is_end { Ok(()) } else { self.await_answer() }
    }

    /// Names what can't be sent: `text`, or else what was sent before, and comes first.
    pub(super) fn at_fault(&self, text: &[u8], what: &dyn fmt::Display, failure: Failure) -> Failure {
        if self.writer.check(text).is_ok() { not_sent_again(failure) } else { not_sent(what, failure) }
    }

    /// Says once that an `end` had a carriage return.
    pub(super) fn tell_of_return(&mut self, what: &dyn fmt::Display) {
        if !std::mem::replace(&mut self.told_of_return, true) {
            stdio::warn(
                PROGRAM,
                format_args!(
                    "{what} is `end` with a carriage return, and was sent as a message that ends neither side"
                ),
                Some(format_args!("remove the carriage returns first: tr -d '\\r'")),
            );
        }
    }

    pub(super) fn count_sent(&mut self, messages: u64, bytes: usize) {
        self.sent.add(messages, bytes);
        failpoint::sent(self.sent.messages());
    }

    /// Looks around now and then: a writer that never has to wait would not notice that the memory
    /// or the seat was removed.
    pub(super) fn look_around(&mut self) -> Result<(), Failure> {
        if self.looked.elapsed() < LOOK_AROUND {
            return Ok(());
        }
        self.looked = Instant::now();
        self.sent.tell();
        suspect::look(PROGRAM, self.writer.backend(), &mut self.suspected);
        self.with_policy(Writer::recover).map_err(not_sent_again)
    }

    /// Makes sure that nothing is left behind. What is received meanwhile is progress.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        loop {
            let before = self.writer.stranded().unwrap_or(0);
            match self.with_policy(Writer::flush) {
                Err(failure) if failure.exit == Exit::TimedOut && self.writer.stranded().unwrap_or(0) < before => {}
                done => return done.map_err(not_sent_again),
            }
        }
    }

    /// What of that which was sent nobody will read, in words.
    pub(super) fn lost(&mut self, failure: &Failure) -> String {
        lost(&mut self.writer, failure)
    }

    /// Runs `wait` with `--timeout`, signals, and a line for the user.
    pub(super) fn with_policy(
        &mut self,
        wait: impl FnOnce(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
    ) -> Result<(), Failure> {
        let (signals, common, prompts, receipt) = (self.signals, self.common, self.prompts, self.receipt);
        let sent = &mut *self.sent;
        let mut told = common.quiet;
        let mut told_long = common.quiet;
        let (key, layout) = (self.writer.backend().segment().key(), self.writer.backend().layout());
        let mut waiting_for = None;
        let mut hook = |tick: Tick| {
            waiting_for = Some(tick.waiting_for);
            sent.tell();
            if !told && tick.waited >= WORTH_A_LINE {
                told = notice(tick.waiting_for, receipt, prompts || common.verbose, common);
            }
            if !told_long && tick.waiting_for == WaitingFor::Reader && tick.waited >= suspect::LONG {
                told_long = true;
                suspect::say_exactly(key, layout);
            }
            if signals.caught().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let policy = self.common.deadline().map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
        wait(&mut self.writer, &mut policy.on_tick(&mut hook)).map_err(|error| match error {
            SendError::Interrupted => signals.caught().map_or_else(Failure::timed_out, Failure::signal),
            SendError::TimedOut if waiting_for == Some(WaitingFor::Reader) => {
                Failure::silence(Role::Reader, key, "no reader came")
            }
            SendError::TimedOut if waiting_for == Some(WaitingFor::Room) => {
                Failure::silence(Role::Reader, key, "there is no room, and no reader came")
            }
            SendError::TimedOut if waiting_for == Some(WaitingFor::End) => {
                Failure::silence(Role::Reader, key, "the end of the session before lies unread, and no reader came")
            }
            other => other.into(),
        })
    }

    /// With `--reply`, waits for the answer to the message that was sent last, and prints it.
    pub(super) fn await_answer(&mut self) -> Result<(), Failure> {
        let Some(mut answers) = self.answers.take() else { return Ok(()) };
        self.receipt = Receipt::Answer;
        self.with_policy(|writer, policy| writer.receive_answer(&mut answers.bytes, policy))?;
        self.receipt = Receipt::LastMessage;
        answers.print(self.signals)?;
        self.answers = Some(answers);
        Ok(())
    }
}

/// Whether a reader is attached here, which takes what lies in this memory also if it goes with its last attachment. (Two
/// counts: the kernel counts one that is just attaching twice.)
fn has_company(backend: &SysV) -> bool {
    let tools = || look::observers(look::slot(backend.segment().key(), backend.declaration().as_ref()));
    let count = || backend.segment().stat().map_or(0, |stat| if stat.removed { 0 } else { stat.attached });
    let beside = || count().saturating_sub(tools()) >= 2;
    beside() && {
        std::thread::sleep(Duration::from_millis(1));
        beside()
    }
}

/// What of that which this writer has sent nobody will read once it has ended with this failure, in words.
pub(super) fn lost(writer: &mut Writer<SysV>, failure: &Failure) -> String {
    // A writer that lost its seat has no say in what lies there.
    let count = if failure.exit == Exit::RoleTaken { 0 } else { writer.stranded().unwrap_or(0) };
    match count {
        0 => String::new(),
        _ if writer.backend().persists() => {
            let lie = if count == 1 { "lies" } else { "lie" };
            format!("; {count} sent before {lie} in a removed segment, unread")
        }
        // What can't be sent again nobody takes.
        _ if failure.exit != Exit::BadInput && has_company(writer.backend()) => String::new(),
        1 => "; 1 sent before was not received, and is lost".to_owned(),
        _ => format!("; {count} sent before were not received, and are lost"),
    }
}
