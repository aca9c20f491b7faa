//! `shmread`.

use super::args::{self, Format, ReadArgs};
use super::chosen::{Carries, Chosen};
use super::exit::{Exit, Failure};
use super::input::LOOK_AROUND;
use super::introduce;
use super::log;
use super::output::{Output, Written};
use super::progress::Progress;
use super::signals::{self, Signals};
use super::stdio::{self, say};
use super::suspect;
use crate::backend::Backend;
use crate::backend::sysv::SysV;
use crate::error::Role;
use crate::protocol::slot::rules;
use crate::{Cursor, Reader, RecvError, Tick, WaitPolicy};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PROGRAM: &str = "shmread";

/// How often to see whether anybody still reads our output, while there is
/// nothing to write to it.
const LOOK_AT_OUTPUT: Duration = Duration::from_millis(50);

/// The program.
#[must_use]
pub fn shmread() -> ExitCode {
    stdio::choose_color(std::env::args_os());
    let args: ReadArgs = args::parse();
    let mut received = Progress::new(PROGRAM, "received", &args.common, None, std::io::stdout().is_terminal());
    let done = run(&args, &mut received);
    received.end(&args.common);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(PROGRAM, ""),
    }
}

fn run(args: &ReadArgs, received: &mut Progress) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    if stdio::was_closed(1) {
        return Err(Failure::no_output());
    }
    let stdout = std::io::stdout();
    let terminal = stdout.is_terminal();
    let chosen = Chosen::of(&args.common)?;
    let raw = args.common.raw || chosen.as_ref().is_some_and(Chosen::has_records);
    let format = match args.format {
        Some(Format::Label) if raw => {
            let why = "--format label is for texts, and this layout hands over records";
            return Err(Failure::new(Exit::Usage, why).hint("--format json, or --format hex"));
        }
        Some(format) => format,
        None if terminal && !raw => Format::Label,
        None => Format::Plain,
    };
    let mut reader = super::open(&signals, || Reader::<SysV>::open(&args.common.options(chosen.as_ref())?))?;
    if let Some(chosen) = &chosen {
        chosen.introduce(PROGRAM, &args.common);
    }
    if args.common.verbose {
        log::begin(PROGRAM, reader.backend(), Role::Reader);
    }
    introduce(PROGRAM, &args.common, reader.backend(), terminal)?;
    let fields = chosen.as_ref().map(Chosen::fields);
    let mut output = Output::new(stdout.as_fd(), format, fields, terminal && !raw);
    let mut session = Session {
        args,
        output: &mut output,
        signals: &signals,
        seq: 0,
        received,
        marks: Vec::new(),
        suspected: args.common.quiet,
    };
    let done = session.read_all(&mut reader);
    let left = reader.close();
    done?;
    Ok(left?)
}

/// What comes after a message, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    Done,
}

/// A reader, where its messages go, and how far it is.
struct Session<'a> {
    args: &'a ReadArgs,
    output: &'a mut Output<'a>,
    signals: &'a Signals,
    /// Messages printed.
    seq: u64,
    /// Messages that `--count` counts.
    received: &'a mut Progress,
    /// It was said that the slot looks like another struct.
    suspected: bool,
    /// For [`take_block`](Self::take_block), kept for its room.
    marks: Vec<Mark>,
}

/// Where a message ends.
struct Mark {
    /// In what is printed.
    printed: usize,
    /// Where it lies.
    cursor: Cursor,
    /// The length of all up to it.
    bytes: usize,
}

impl Session<'_> {
    fn read_all(&mut self, reader: &mut Reader<SysV>) -> Result<(), Failure> {
        let mut looked = Instant::now();
        while self.wait(reader)? == Next::More {
            // Where a message is there no wait looks around.
            if looked.elapsed() >= LOOK_AROUND || self.args.common.verbose && log::wants_look() {
                looked = Instant::now();
                reader.refresh_seat()?;
                self.received.tell();
            }
            self.signals.check()?;
            let next = match Carries::by(reader.backend()) {
                Carries::Records => self.take_record(reader)?,
                Carries::Bytes if self.args.common.raw => self.take_raw(reader)?,
                Carries::Bytes | Carries::Texts => self.take_block(reader)?,
            };
            if next == Next::Done {
                break;
            }
        }
        Ok(())
    }

    /// Waits for a message; done if nobody reads our output any more.
    fn wait(&mut self, reader: &mut Reader<SysV>) -> Result<Next, Failure> {
        let (key, layout) = (reader.backend().segment().key(), reader.backend().layout());
        // Whoever has met a writer here need not be told what may keep one out.
        let mut told = self.args.common.quiet || self.seq > 0 || self.received.messages() > 0;
        let deadline = self.args.common.deadline();
        loop {
            let mut closed = false;
            let mut looked = Instant::now();
            let (received, signals) = (&mut *self.received, self.signals);
            let mut hook = |tick: Tick| {
                received.tell();
                if !told && tick.waited >= suspect::LONG {
                    told = true;
                    suspect::say_exactly(key, layout);
                }
                if looked.elapsed() >= LOOK_AT_OUTPUT {
                    looked = Instant::now();
                    closed = signals::is_closed(self.output.file());
                }
                if closed || signals.caught().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let policy = deadline.map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
            match reader.wait_with(&mut policy.on_tick(&mut hook)) {
                Ok(()) => return Ok(Next::More),
                Err(RecvError::WriterGone) if self.args.follow => {
                    if self.args.common.verbose {
                        say!("{PROGRAM}: the writer died; waiting for the next one");
                    }
                    reader.await_next_writer()?;
                }
                Err(RecvError::Interrupted) if closed => {
                    self.signals.after_closing(self.output.file())?;
                    return Ok(Next::Done);
                }
                Err(RecvError::Interrupted) => {
                    return Err(self
                        .signals
                        .caught()
                        .map_or_else(|| unreachable!("only a signal or a closed output interrupts"), Failure::signal));
                }
                Err(RecvError::TimedOut) if self.seq == 0 && self.received.messages() == 0 => {
                    let key = reader.backend().segment().key();
                    return Err(Failure::silence(Role::Writer, key, "nothing came"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What comes where `more` messages were taken and are not counted yet.
    fn after_count(&self, more: usize) -> Next {
        let so_far = self.received.messages() + more as u64;
        if self.args.count.is_some_and(|count| so_far >= count.get()) { Next::Done } else { Next::More }
    }

    /// Prints and releases what is there now, as far as it goes into one block: in a slot one message.
    fn take_block(&mut self, reader: &mut Reader<SysV>) -> Result<Next, Failure> {
        suspect::look(PROGRAM, reader.backend(), &mut self.suspected);
        let mut marks = std::mem::take(&mut self.marks);
        let ends = if self.output.is_bare() && Carries::by(reader.backend()) == Carries::Bytes {
            self.peek_bare(reader, &mut marks)?
        } else {
            self.peek(reader, &mut marks)?
        };
        // Once per `write`, so that of a reader that is killed no more comes again than
        // what one of them carried.
        let received = &mut *self.received;
        let (mut first, mut counted) = (0, 0);
        let mut count = |taken: &[Mark]| {
            if let Some(last) = taken.last() {
                received.add(taken.len() as u64, last.bytes - counted);
                counted = last.bytes;
            }
        };
        let mut begun = 0;
        let mut took = |bytes| {
            let taken = marks[first..].partition_point(|mark| mark.printed <= bytes);
            let taken = &marks[first..first + taken];
            count(taken);
            first += taken.len();
            if let Some(mark) = taken.last() {
                reader.release_up_to(mark.cursor);
            }
            begun = bytes - first.checked_sub(1).map_or(0, |last| marks[last].printed);
        };
        let written = self.output.write_out(self.signals, &mut took).map_err(|failure| cut_short(failure, begun))?;
        if written == Written::All {
            // Those of which nothing is printed, too.
            count(&marks[first..]);
            reader.release_peeked();
        }
        marks.clear();
        self.marks = marks;
        match written {
            Written::Closed => Ok(Next::Done),
            Written::All if ends => self.end(reader),
            Written::All => Ok(self.after_count(0)),
        }
    }

    /// Puts what is there into the output; whether the end of the session is what comes next.
    fn peek(&mut self, reader: &mut Reader<SysV>, marks: &mut Vec<Mark>) -> Result<bool, Failure> {
        let mut bytes = 0;
        // Empty messages never fill it: a signal ends this, too.
        while !self.output.is_full() && self.after_count(marks.len()) == Next::More && self.signals.caught().is_none() {
            let Some(message) = reader.try_peek_next()? else { break };
            let text = message.text();
            let ends = message.ends_session();
            if !ends || self.shows_end(text) {
                self.seq += 1;
                self.output.add(text, self.seq, ends)?;
            }
            if ends {
                return Ok(true);
            }
            bytes += text.len();
            marks.push(Mark { printed: self.output.waiting(), bytes, cursor: reader.cursor() });
        }
        Ok(false)
    }

    /// As [`peek`](Self::peek), of a ring, and as it is: each message is copied once.
    fn peek_bare(&mut self, reader: &mut Reader<SysV>, marks: &mut Vec<Mark>) -> Result<bool, Failure> {
        let wanted = self.args.count.map_or(u64::MAX, |count| count.get() - self.received.messages());
        let ends = self.output.add_all(reader, |printed, cursor| {
            marks.push(Mark { printed, bytes: printed, cursor });
            (marks.len() as u64) < wanted && self.signals.caught().is_none()
        })?;
        self.seq += marks.len() as u64;
        Ok(ends)
    }

    /// Whether the text that ended a session is printed. A ring's end has none, a bare `end` is no message.
    fn shows_end(&self, text: &[u8]) -> bool {
        self.output.is_json() || !(text.is_empty() || self.output.is_exact() && rules::is_bare_end(text))
    }

    /// Writes a message from where it lies, and releases it.
    fn take_raw(&mut self, reader: &mut Reader<SysV>) -> Result<Next, Failure> {
        let message = reader.peek_in_place(&mut WaitPolicy::non_blocking()).map_err(gone)?;
        if message.ends_session() {
            return self.end(reader);
        }
        let mut begun = 0;
        // SAFETY: readable for as long as the message is borrowed.
        let written = unsafe {
            self.output.write_from(message.as_ptr(), message.len(), self.signals, &mut |bytes| begun = bytes)
        };
        if written.map_err(|failure| cut_short(failure, begun))? == Written::Closed {
            return Ok(Next::Done);
        }
        let len = message.len();
        message.release();
        self.received.add(1, len);
        Ok(self.after_count(0))
    }

    /// Writes a record, and releases it. The end is told beside the records, and seen by a look that waits alone.
    fn take_record(&mut self, reader: &mut Reader<SysV>) -> Result<Next, Failure> {
        let message = match reader.peek_with(&mut WaitPolicy::non_blocking()) {
            // A peer has taken it back.
            Err(RecvError::TimedOut) => return Ok(Next::More),
            peeked => peeked?,
        };
        let (record, ends) = (message.text(), message.ends_session());
        if self.output.spells_records() && (!ends || self.shows_end(record)) {
            self.output.add(record, self.seq + 1, ends)?;
        }
        let mut begun = 0;
        let mut took = |bytes| begun = bytes;
        let written = if self.output.spells_records() {
            self.output.write_out(self.signals, &mut took)
        } else {
            // SAFETY: the bytes of the copy, which is borrowed for so long.
            unsafe { self.output.write_from(record.as_ptr(), record.len(), self.signals, &mut took) }
        };
        if written.map_err(|failure| cut_short(failure, begun))? == Written::Closed {
            return Ok(Next::Done);
        }
        if ends {
            return self.end(reader);
        }
        let len = record.len();
        message.release();
        self.seq += 1;
        self.received.add(1, len);
        Ok(self.after_count(0))
    }

    /// Ends the session, whose end is what comes next.
    fn end(&self, reader: &mut Reader<SysV>) -> Result<Next, Failure> {
        let end = reader.peek_with(&mut WaitPolicy::non_blocking()).map_err(gone)?;
        if !end.ends_session() {
            return Err(gone(RecvError::TimedOut));
        }
        if self.args.keep {
            end.release();
        } else {
            end.end_session()?;
        }
        log::ended(reader.backend());
        Ok(Next::Done)
    }
}

/// A message that is too long for one `write` can be left in the middle: it comes again,
/// from its beginning.
fn cut_short(mut failure: Failure, begun: usize) -> Failure {
    if begun > 0 {
        let are = if begun == 1 {
            "byte of the message that the next reader gets is"
        } else {
            "bytes of the message that the next reader gets are"
        };
        let so = format!("; {begun} {are} written already");
        failure.message.push_str(&so);
    }
    failure
}

/// What was peeked at before is not there any more: a peer has taken it back.
fn gone(error: RecvError) -> Failure {
    match error {
        RecvError::TimedOut => Failure::new(
            Exit::NotAChannel,
            "the ring's content breaks its layout: a record has changed after it was sent",
        )
        .hint("remove the segment, and start both sides anew"),
        other => other.into(),
    }
}
