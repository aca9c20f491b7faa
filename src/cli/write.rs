//! `shmwrite`.

use super::args::{self, Common, Long, WriteArgs};
use super::exit::{Exit, Failure};
use super::input::{LOOK_AROUND, Lines, Piece, Whole, amount_read, await_input, not_sent, too_long};
use super::introduce;
use super::notice::notice;
use super::progress::{self, Progress};
use super::signals::Signals;
use super::stdio::{self, say};
use super::suspect;
use super::table::plural;
use crate::backend::sysv::SysV;
use crate::backend::{Backend, Layout};
use crate::error::Role;
use crate::failpoint;
use crate::protocol::slot::rules;
use crate::{SendError, Tick, WaitPolicy, WaitingFor, Writer};
use memchr::memmem;
use nix::errno::Errno;
use std::fmt;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PROGRAM: &str = "shmwrite";

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
struct Session<'a> {
    writer: Writer<SysV>,
    signals: &'a Signals,
    common: &'a Common,
    /// A person types.
    prompts: bool,
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
    let writer = super::open(&signals, || Writer::<SysV>::open(&args.common.options()?))?;
    introduce(PROGRAM, &args.common, writer.backend(), prompts)?;
    if !args.common.quiet {
        args.warn_of_texts(PROGRAM);
    }
    let mut session = Session {
        writer,
        signals: &signals,
        common: &args.common,
        prompts,
        sent,
        looked: Instant::now(),
        told_of_return: args.common.quiet,
        suspected: args.common.quiet,
    };
    suspect::look(PROGRAM, session.writer.backend(), &mut session.suspected);
    let done = if args.common.raw {
        session.send_raw(args)
    } else if args.texts.is_empty() {
        session.send_lines(args)
    } else {
        session.send_texts(args)
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

/// How much is read at once where lines do not count.
const BLOCK: usize = 128 * 1024;

/// A piece of a line in a ring: as much as goes into a message.
fn as_it_comes(rest: &[u8], most: usize) -> usize {
    rest.len().min(most)
}

impl Session<'_> {
    /// In a ring `end` means something at a prompt alone.
    fn ends(&self, line: &[u8]) -> bool {
        (self.prompts || self.is_classic()) && rules::is_bare_end(line)
    }

    fn is_classic(&self) -> bool {
        self.writer.backend().layout() == Layout::Slot
    }

    fn cut_at(&self) -> fn(&[u8], usize) -> usize {
        if self.is_classic() { rules::cut } else { as_it_comes }
    }

    /// Bytes as they come, a block a message, read to where they lie in the ring.
    fn send_raw(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        let stdin = std::io::stdin();
        let most = BLOCK.min(self.writer.capacity());
        let signals = self.signals;
        let mut ahead = Vec::new();
        loop {
            await_input(stdin.as_fd(), signals, &mut || self.look_around())?;
            let mut read = Ok(0);
            self.with_policy(|writer, policy| {
                match writer.reserve_with(most, &mut WaitPolicy::non_blocking()) {
                    Ok(mut reserved) => {
                        // SAFETY: so many bytes are writable there, for as long as the
                        // reservation is borrowed.
                        let taken = unsafe { libc::read(stdin.as_raw_fd(), reserved.as_mut_ptr().cast(), most) };
                        read = Errno::result(taken).map(|taken| usize::try_from(taken).unwrap_or(0));
                        if let Ok(len @ 1..) = read {
                            reserved.commit_first(len);
                        }
                        Ok(())
                    }
                    // No room for a whole block: less may come, or nothing any more.
                    Err(SendError::TimedOut | SendError::ReaderGone) => {
                        ahead.resize(most, 0);
                        read = nix::unistd::read(stdin.as_fd(), &mut ahead);
                        if let Ok(len @ 1..) = read { writer.send_with(&ahead[..len], policy) } else { Ok(()) }
                    }
                    Err(other) => Err(other),
                }
            })?;
            match amount_read(read, stdin.as_fd(), signals)? {
                None => {}
                Some(0) => break,
                Some(len) => self.count_sent(1, len),
            }
        }
        if args.no_end { Ok(()) } else { self.end() }
    }

    /// Ends the session.
    fn end(&mut self) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(Writer::end_with)
    }

    fn send_texts(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        let most = self.writer.capacity();
        for (at, text) in args.texts.iter().enumerate() {
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
                let piece = if args.long == Long::Split { (self.cut_at())(rest, most) } else { rest.len() };
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
        let most = self.writer.capacity();
        let stdin = std::io::stdin();
        // In a ring nobody has to be waited for between two lines; a person at a prompt waits after each.
        let together = !self.prompts && !self.is_classic();
        let mut lines = Lines::new(stdin.as_fd(), most, args.long, self.cut_at());
        let signals = self.signals;
        loop {
            if self.prompts && !self.common.quiet && !lines.has_more() {
                stdio::print(format_args!("enter some text: "));
            }
            let line = lines.line + 1;
            let piece = lines.next(together, signals, &mut || self.look_around())?;
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
                    let sent = if ends && !self.is_classic() {
                        self.end()
                    } else {
                        self.send(text, &format_args!("line {line}"))
                    };
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

    fn send(&mut self, text: &[u8], what: &dyn fmt::Display) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(|writer, policy| writer.send_with(text, policy)).map_err(|failure| not_sent(what, failure))?;
        self.count_sent(1, text.len());
        // (In a slot it was refused.)
        if rules::is_end_with_return(text) {
            self.tell_of_return(what);
        }
        Ok(())
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

    fn count_sent(&mut self, messages: u64, bytes: usize) {
        self.sent.add(messages, bytes);
        failpoint::sent(self.sent.messages());
    }

    /// What is done now and then: who never has to wait would not notice that the memory
    /// or the seat was removed.
    fn look_around(&mut self) -> Result<(), Failure> {
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
    fn with_policy(
        &mut self,
        wait: impl FnOnce(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
    ) -> Result<(), Failure> {
        let (signals, common, prompts) = (self.signals, self.common, self.prompts);
        let sent = &mut *self.sent;
        let mut told = common.quiet;
        let mut told_long = common.quiet;
        let key = self.writer.backend().segment().key();
        let mut waiting_for = None;
        let mut hook = |tick: Tick| {
            waiting_for = Some(tick.waiting_for);
            sent.tell();
            if !told && tick.waited >= WORTH_A_LINE {
                told = notice(tick.waiting_for, prompts || common.verbose, common);
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
