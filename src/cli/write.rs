//! `shmwrite`.

use super::answers::Answers;
use super::args::{self, Long, WriteArgs};
use super::chosen::{Carries, Chosen};
use super::exit::{Exit, Failure};
use super::input::{Fit, Lines, Piece, Whole, not_sent, too_long};
use super::introduce;
use super::log;
use super::notice::Receipt;
use super::progress::{self, Progress};
use super::records::no_record;
use super::session::{PROGRAM, Session};
use super::signals::Signals;
use super::stdio::{self, say};
use super::suspect;
use crate::Writer;
use crate::backend::sysv::SysV;
use crate::error::{Role, plural};
use crate::protocol::slot::rules;
use memchr::memmem;
use nix::errno::Errno;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Instant;

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
        // What points into a SPEC ends with a line of its own.
        Err(failure) if failure.message.contains('\n') => failure.report(PROGRAM, ""),
        Err(failure) => failure.report(PROGRAM, &format!("; {}", count(sent.messages()))),
    }
}

fn count(sent: u64) -> String {
    format!("{sent} message{} sent", plural(sent))
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
        // It leaves in order: the failure of a writer would end the reader.
        writer.close_flushed()?;
        return Err(no_record());
    }
    if let Some(chosen) = &chosen {
        chosen.introduce(PROGRAM, &args.common);
    }
    if args.common.verbose {
        log::begin(PROGRAM, writer.backend(), Role::Writer);
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
    if has_bare_texts
        && done.as_ref().is_err_and(|failure| failure.exit == Exit::BadInput)
        && session.carries() == Carries::Records
    {
        // The reader that was waited for has brought records: it leaves in order, as above.
        session.flush()?;
        session.writer.close_flushed()?;
        return Err(no_record());
    }
    let done = match done {
        // What comes before input that can't be carried was sent.
        Err(failure) if failure.exit == Exit::BadInput => Err(match session.flush() {
            Ok(()) => failure,
            // Already in what look_around() met.
            Err(behind) if behind.message == failure.message => failure,
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
    fn send_texts(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        for (at, text) in args.texts.iter().enumerate() {
            let what = format!("TEXT number {}", at + 1);
            let line = [text.as_bytes(), b"\n"].concat();
            let mut rest = &line[..];
            while !rest.is_empty() {
                self.look_around()?;
                let Fit { most, cut_at, .. } = self.fit();
                let long = self.fit().policy(args.long);
                let shortened = long == Long::Truncate && rest.len() > most;
                let piece = match long {
                    Long::Truncate if shortened => &[&rest[..most - 1], b"\n"].concat(),
                    Long::Split => &rest[..cut_at(rest, most)],
                    Long::Truncate | Long::Error => rest,
                };
                match self.send(piece, &what) {
                    // The reader that was waited for has brought another layout: it is cut anew.
                    Err(failure) if failure.exit == Exit::BadInput && self.writer.capacity() != most => continue,
                    sent => sent?,
                }
                if shortened && !self.common.quiet {
                    stdio::warn(PROGRAM, format_args!("{what} was cut to {most} byte{}", plural(most)), None);
                }
                rest = if shortened { &[] } else { &rest[piece.len()..] };
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
            let is_text = matches!(piece, Piece::Text { .. });
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
                        stdio::warn(PROGRAM, format_args!("line {line} was cut to {most} byte{}", plural(most)), None);
                    }
                    let ends = self.ends(text);
                    let sent = if ends && self.carries() == Carries::Bytes {
                        self.end()
                    } else {
                        self.send(text, &format_args!("line {line}"))
                    };
                    if ends && sent.is_ok() {
                        return if lines.is_followed(signals)? {
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
            let is_refused = is_text && sent.as_ref().is_err_and(|failure| failure.exit == Exit::BadInput);
            // The reader that was waited for has brought another layout.
            if is_refused && self.carries() == Carries::Records {
                // There are no lines in records.
                lines.again();
                let begun = lines.rest().to_vec();
                return self.send_records(args, begun);
            }
            if is_refused && self.writer.capacity() != most {
                lines.again();
                continue;
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
        let sent = sent.map_err(|failure| {
            let first = rest.clone().next().unwrap_or(rest.rest);
            self.at_fault(first, &format_args!("line {}", line + rest.passed), failure)
        });
        (rest.passed, whole.rest.len() - rest.rest.len(), sent)
    }

    fn send_some(&mut self, lines: &mut Whole<'_>) -> Result<(), Failure> {
        self.signals.check()?;
        self.with_policy(|writer, policy| writer.send_some(lines, policy))
    }
}
