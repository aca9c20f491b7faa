//! `shmwrite`.

use super::answers::Answers;
use super::args::{self, Common, Long, WriteArgs};
use super::chosen::{Carries, Chosen};
use super::exit::{Exit, Failure};
use super::input::{Fit, LOOK_AROUND, Lines, Piece, Whole, as_it_comes, not_sent, too_long};
use super::introduce;
use super::notice::{Receipt, notice};
use super::progress::{self, Progress};
use super::records::no_record;
use super::signals::Signals;
use super::stdio::{self, say};
use super::suspect;
use super::table::plural;
use crate::backend::Backend;
use crate::backend::sysv::SysV;
use crate::error::Role;
use crate::failpoint;
use crate::protocol::slot::rules;
use crate::{SendError, Tick, WaitPolicy, WaitingFor, Writer};
use memchr::memmem;
use nix::errno::Errno;
use std::fmt;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) const PROGRAM: &str = "shmwrite";

/// From here on a wait is worth a line.
const WORTH_A_LINE: Duration = Duration::from_millis(200);

/// The program.
#[must_use]
pub fn shmwrite() -> ExitCode {
    stdio::choose_color(std::env::args_os());
    let args: WriteArgs = args::parse();
    // A person types.
    let prompts = args.texts.is_empty() && std::io::stdin().is_terminal();
    let all = if args.texts.is_empty() { progress::rest_of(std::io::stdin().as_fd()) } else { None };
    let mut sent = Progress::new(PROGRAM, "sent", &args.common, all, prompts);
    let done = run(&args, prompts, &mut sent);
    sent.end(&args.common);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(PROGRAM, &format!("; {}", count(sent.messages()))),
    }
}

fn count(sent: u64) -> String {
    format!("{sent} message{} sent", plural(sent))
}

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
    sent: &'a mut Progress,
    /// When it last looked around.
    looked: Instant,
    /// It was said that an `end` had a carriage return.
    told_of_return: bool,
    /// It was said that the slot looks like another struct.
    suspected: bool,
}

fn run(args: &WriteArgs, prompts: bool, sent: &mut Progress) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    if args.texts.is_empty() && stdio::was_closed(0) {
        let closed = Failure::io("standard input is closed", Errno::EBADF);
        return Err(closed.hint("open it, to /dev/null for an empty one"));
    }
    let chosen = Chosen::of(&args.common)?;
    let answers = match &chosen {
        Some(chosen) if args.reply => Some(Answers::of(chosen, args.json)?),
        _ => None,
    };
    let has_bare_texts = !(args.texts.is_empty() || args.json);
    if has_bare_texts && chosen.as_ref().is_some_and(Chosen::has_records) {
        return Err(no_record());
    }
    let writer = super::open(&signals, || Writer::<SysV>::open(&args.common.options(chosen.as_ref())?))?;
    if has_bare_texts && Carries::by(writer.backend()) == Carries::Records {
        // A writer that is refused is none that failed, which would end the reader.
        writer.close_flushed()?;
        return Err(no_record());
    }
    if let Some(chosen) = &chosen {
        chosen.introduce(PROGRAM, &args.common);
    }
    introduce(PROGRAM, &args.common, writer.backend(), prompts)?;
    if !args.common.quiet {
        args.warn_of_texts(PROGRAM);
    }
    let mut session = Session {
        writer,
        signals: &signals,
        common: &args.common,
        prompts,
        answers,
        receipt: Receipt::LastMessage,
        sent,
        looked: Instant::now(),
        told_of_return: args.common.quiet,
        suspected: args.common.quiet,
    };
    suspect::look(PROGRAM, session.writer.backend(), &mut session.suspected);
    let done = match (&chosen, session.carries()) {
        (Some(chosen), _) if args.json => session.send_objects(args, chosen),
        (_, Carries::Records) => session.send_records(args, Vec::new()),
        (_, Carries::Bytes) if args.common.raw => session.send_raw(args),
        (_, Carries::Texts | Carries::Bytes) if args.texts.is_empty() => session.send_lines(args),
        (_, Carries::Texts | Carries::Bytes) => session.send_texts(args),
    };
    let done = match done {
        // What comes before input that can't be carried was sent.
        Err(failure) if failure.exit == Exit::BadInput => Err(match session.flush() {
            Ok(()) => failure,
            Err(behind) => Failure { message: format!("{}; {}", failure.message, behind.message), ..failure },
        }),
        done => done.and_then(|()| session.flush()),
    };
    match done {
        Ok(()) => session.writer.close_flushed().map_err(Failure::from),
        Err(mut failure) => {
            let lost = session.lost(&failure);
            failure.message.push_str(&lost);
            Err(failure)
        }
    }
}

impl Session<'_> {
    /// In a ring `end` means something at a prompt alone.
    pub(super) fn ends(&self, line: &[u8]) -> bool {
        (self.prompts || self.carries() == Carries::Texts) && rules::is_bare_end(line)
    }

    fn carries(&self) -> Carries {
        Carries::by(self.writer.backend())
    }

    /// What a message can be now.
    fn fit(&self) -> Fit {
        let (most, carries) = (self.writer.capacity(), self.carries());
        let cut_at = if carries == Carries::Texts { rules::cut } else { as_it_comes };
        // In a ring nobody has to be waited for between two lines; a person at a prompt waits after each.
        Fit { most, cut_at, together: !self.prompts && carries == Carries::Bytes }
    }

    /// Ends the session.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.signals.check()?;
        self.receipt = Receipt::End;
        self.with_policy(Writer::end_with)?;
        self.receipt = Receipt::LastMessage;
        Ok(())
    }

    fn send_texts(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        for (at, text) in args.texts.iter().enumerate() {
            let most = self.writer.capacity();
            let what = format!("TEXT number {}", at + 1);
            let mut line = text.as_bytes().to_vec();
            line.push(b'\n');
            if args.long == Long::Truncate && line.len() > most {
                line.truncate(most - 1);
                line.push(b'\n');
                if !self.common.quiet {
                    stdio::warn(PROGRAM, format_args!("{what} was cut to {most} bytes"), None);
                }
            }
            let mut rest = &line[..];
            while !rest.is_empty() {
                self.look_around()?;
                let piece = if args.long == Long::Split { (self.fit().cut_at)(rest, most) } else { rest.len() };
                self.send(&rest[..piece], &what)?;
                rest = &rest[piece..];
            }
            if self.ends(&line) && at + 1 < args.texts.len() {
                return Err(Failure::new(Exit::BadInput, "`end` ended the session, and more TEXT comes after it"));
            }
        }
        Ok(())
    }

    fn send_lines(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        let stdin = std::io::stdin();
        let mut lines = Lines::new(stdin.as_fd(), self.fit(), args.long);
        let signals = self.signals;
        loop {
            lines.fit(self.fit());
            if self.prompts && !self.common.quiet && !lines.has_more() {
                stdio::print(format_args!("enter some text: "));
            }
            let line = lines.line + 1;
            let piece = lines.next(signals, &mut || self.look_around().map(|()| self.fit()))?;
            let most = self.writer.capacity();
            let mut moved = None;
            let sent = match piece {
                Piece::End => break,
                Piece::Whole(whole) => {
                    let (count, bytes, sent) = self.send_whole(&whole, line);
                    lines.pass(count, bytes);
                    sent
                }
                Piece::TooLong => Err(not_sent(&format_args!("line {line}"), too_long(most).into())),
                Piece::Text { text, shortened } => {
                    if shortened && !self.common.quiet {
                        stdio::warn(PROGRAM, format_args!("line {line} was cut to {most} bytes"), None);
                    }
                    let ends = self.ends(text);
                    let sent = if ends && self.carries() == Carries::Bytes {
                        self.end()
                    } else {
                        self.send(text, &format_args!("line {line}"))
                    };
                    if sent.as_ref().is_err_and(|failure| failure.exit == Exit::BadInput)
                        && self.carries() == Carries::Records
                    {
                        moved = Some(text.to_vec());
                    }
                    if ends && sent.is_ok() {
                        return if lines.has_more() {
                            Err(Failure::new(
                                Exit::BadInput,
                                format!("`end` in line {line} ended the session, and more input comes after it"),
                            ))
                        } else {
                            Ok(())
                        };
                    }
                    sent
                }
            };
            if let Some(mut begun) = moved {
                // There are no lines in records.
                begun.extend_from_slice(lines.rest());
                return self.send_records(args, begun);
            }
            match sent {
                Err(failure) if failure.exit == Exit::BadInput && self.prompts => {
                    failure.report(PROGRAM, "");
                }
                other => other?,
            }
        }
        if self.prompts && !self.common.quiet {
            say!("");
        }
        if args.no_end { Ok(()) } else { self.end() }
    }

    pub(super) fn send(&mut self, text: &[u8], what: &dyn fmt::Display) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(|writer, policy| writer.send_with(text, policy)).map_err(|failure| not_sent(what, failure))?;
        self.count_sent(1, text.len());
        // (In a slot it was refused.)
        if self.carries() == Carries::Bytes && rules::is_end_with_return(text) {
            self.tell_of_return(what);
        }
        // An end has no answer.
        let is_end = self.carries() == Carries::Texts && rules::ends_session(text);
        if is_end { Ok(()) } else { self.await_answer() }
    }

    /// Sends lines together, number `line` first; how many were sent, and their bytes.
    fn send_whole(&mut self, whole: &Whole<'_>, line: u64) -> (u64, usize, Result<(), Failure>) {
        let mut rest = whole.clone();
        let sent = loop {
            let before = rest.clone();
            let some = self.send_some(&mut rest);
            let (count, bytes) = (rest.passed - before.passed, before.rest.len() - rest.rest.len());
            self.count_sent(count, bytes);
            // Few inputs have such bytes anywhere.
            if !self.told_of_return && memmem::find(&before.rest[..bytes], b"end\r\n").is_some() {
                let mut sent = (line + before.passed..line + rest.passed).zip(before);
                if let Some((line, _)) = sent.find(|(_, text)| rules::is_end_with_return(text)) {
                    self.tell_of_return(&format_args!("line {line}"));
                }
            }
            match some {
                Ok(()) if count > 0 => {}
                done => break done,
            }
        };
        let sent = sent.map_err(|failure| not_sent(&format_args!("line {}", line + rest.passed), failure));
        (rest.passed, whole.rest.len() - rest.rest.len(), sent)
    }

    fn send_some(&mut self, lines: &mut Whole<'_>) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(|writer, policy| writer.send_some(lines, policy))
    }

    /// Says once that an `end` had a carriage return.
    fn tell_of_return(&mut self, what: &dyn fmt::Display) {
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

    /// What is done now and then: who never has to wait would not notice that the memory
    /// or the seat was removed.
    pub(super) fn look_around(&mut self) -> Result<(), Failure> {
        if self.looked.elapsed() < LOOK_AROUND {
            return Ok(());
        }
        self.looked = Instant::now();
        self.sent.tell();
        suspect::look(PROGRAM, self.writer.backend(), &mut self.suspected);
        self.with_policy(Writer::recover)
    }

    /// Makes sure that nothing is left behind. What is received meanwhile is progress.
    fn flush(&mut self) -> Result<(), Failure> {
        loop {
            let before = self.writer.stranded().unwrap_or(0);
            match self.with_policy(Writer::flush) {
                Err(failure) if failure.exit == Exit::TimedOut && self.writer.stranded().unwrap_or(0) < before => {}
                done => return done,
            }
        }
    }

    /// What of that which was sent nobody will read, in words.
    fn lost(&mut self, failure: &Failure) -> String {
        // A writer that lost its seat has no say in what lies there.
        let count = if failure.exit == Exit::RoleTaken { 0 } else { self.writer.stranded().unwrap_or(0) };
        match count {
            0 => String::new(),
            _ if self.writer.backend().persists() => {
                let lie = if count == 1 { "lies" } else { "lie" };
                format!("; {count} sent before {lie} in a removed segment, unread")
            }
            1 => "; 1 sent before was not received, and is lost".to_owned(),
            _ => format!("; {count} sent before were not received, and are lost"),
        }
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
        let key = self.writer.backend().segment().key();
        let mut waiting_for = None;
        let mut hook = |tick: Tick| {
            waiting_for = Some(tick.waiting_for);
            sent.tell();
            if !told && tick.waited >= WORTH_A_LINE {
                told = notice(tick.waiting_for, receipt, prompts || common.verbose, common);
            }
            if !told_long && tick.waiting_for == WaitingFor::Reader && tick.waited >= suspect::LONG {
                told_long = true;
                suspect::say_exactly(key);
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
            other => other.into(),
        })
    }
}
