//! `shm-handoff replay`.

use super::args::Side;
use super::format::{Kind, Session, end_from_bytes};
use super::onto::{self, RingOption, Waits, named, recover, wait_with};
use super::pace::{Gaps, Schedule, Speed};
use super::reading::Opened;
use super::step::{self, Enter};
use super::{list, shape};
use crate::backend::sysv::{KeySpec, SysV};
use crate::cli::args::Common;
use crate::cli::chosen::Carries;
use crate::cli::exit::{self, Exit, Failure};
use crate::cli::input::not_sent_again;
use crate::cli::introduce;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::{session, stdio};
use crate::error::plural;
use crate::{SendError, WaitPolicy, Writer};
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const PROGRAM: &str = "shm-handoff replay";

/// What is waited for in `poll`, which counts milliseconds; the rest is slept.
const FINE: Duration = Duration::from_millis(2);

/// A send that takes longer was held up by the reader.
const HELD_UP: Duration = Duration::from_millis(1);

/// What the text is called that was more than `end`.
const END_TEXT: &str = "the end's text";

const HELP: &str = "\
Examples:
  shm-handoff replay run.shmrec     what is in it
  shm-handoff replay run.shmrec --json | jq .text
  shm-handoff replay run.shmrec 0x51
                                    send it, with the gaps that it had
  shm-handoff replay run.shmrec 0x51 --speed 10
  shm-handoff replay run.shmrec 0x51 --speed max --no-end
  shm-handoff replay run.shmrec 1234 --step
                                    to the C tutorial's reader, a message at each Enter

Nothing is sent if the channel can't carry all of it. A gap in which no `record` ran is
as long as the clock says.

JSON:
  An object a line: {\"schema\":\"shm-handoff/replay/1\"} with entry (session, message, end or
  death), seq (of a message, from 1), time (RFC 3339), gap_ns (behind the entry before),
  position (behind it in its stream), bytes, text, or base64 for what is not UTF-8; of a
  session stream and layout. A later version may add fields; one that changes or drops
  any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 9] = [
    ("0", ": everything was sent, or shown; with --step also: the input has ended"),
    ("1", ""),
    ("2", ""),
    ("3", ""),
    ("4", ""),
    ("5", "; or FILE is no recording"),
    ("6", ""),
    ("124", ""),
    ("128+n", ""),
];

/// Sends a recording again, or shows what is in it
///
/// Sends each message of FILE to KEY, with the pauses that were between them, and the end
/// of the session if that was recorded. Without KEY it prints what is in FILE.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
#[allow(clippy::struct_excessive_bools)] // flags of a command line
pub(in crate::cli) struct Replay {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Key of the segment to write to: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    key: Option<KeySpec>,

    /// So many times as fast as it was; `max`: without any pause
    #[arg(long, value_name = "X", default_value_t = Speed::Times(1.0))]
    speed: Speed,

    /// Send one message at each Enter
    #[arg(long, conflicts_with = "speed", requires = "key")]
    step: bool,

    /// Leave out the end of the session
    #[arg(long)]
    no_end: bool,

    /// Print what is in FILE, and send nothing
    #[arg(long, conflicts_with = "key")]
    list: bool,

    /// Print it as JSON, an object a line
    #[arg(long, conflicts_with = "key")]
    json: bool,

    #[command(flatten)]
    side: Side,

    /// When the reader leaves or dies, wait for the next one
    #[arg(long)]
    follow: bool,
}

pub(in crate::cli) fn run(args: &Replay) -> Result<(), Failure> {
    let Some(key) = &args.key else {
        return list::run(&args.file, args.json, args.side.quiet);
    };
    let signals = Signals::catch()?;
    let common = args.side.at(key.clone());
    let mut progress = Progress::new(PROGRAM, "sent", &common, None, args.step);
    let done = play(args, &common, &signals, &mut progress);
    progress.end(&common);
    done.map_err(|failure| {
        // What points into a SPEC ends with a line of its own.
        if failure.message.contains('\n') {
            return failure;
        }
        let sent = progress.messages();
        Failure { message: format!("{}; {sent} message{} sent", failure.message, plural(sent)), ..failure }
    })
}

/// The first session of a recording; how many messages and ends of it are sent.
fn survey(file: &Opened<'_>, leaves_end: bool) -> Result<(Option<Session>, u64), Failure> {
    let mut entries = file.pass()?;
    let (mut first, mut count, mut body) = (None, 0, Vec::new());
    while let Some(entry) = entries.next(&mut body)? {
        match entry.kind {
            Kind::Session if first.is_none() => first = Session::from_bytes(&body),
            Kind::Message => count += 1,
            Kind::End if !leaves_end => count += 1,
            _ => {}
        }
    }
    Ok((first, count))
}

fn play(args: &Replay, common: &Common, signals: &Signals, progress: &mut Progress) -> Result<(), Failure> {
    let file = Opened::open(&args.file, Some(signals))?;
    let (session, count) = survey(&file, args.no_end)?;
    let like = || match &session {
        Some(session) => Ok(shape::like(session, common.key.resolve()?)),
        None => Ok(None),
    };
    let writer = crate::cli::open(signals, || onto::open(common, like))?;
    introduce(PROGRAM, common, writer.backend(), false)?;
    let (schedule, checked) = (Schedule::new(args.speed), onto::form(&writer));
    let mut player =
        Player { args, common, signals, progress, file: &file, writer, schedule, count, checked, has_begun: false };
    if let Err(failure) = player.check(1) {
        // Nothing was sent: that is no failure of a writer's.
        let _ = player.writer.close_flushed();
        return Err(failure);
    }
    let done = player.play_all();
    match done.and_then(|()| player.with_writer(Writer::flush).map_err(not_sent_again)) {
        Ok(()) => Ok(player.writer.close_flushed()?),
        Err(failure) if failure.exit == Exit::BadInput && !player.has_begun => {
            let _ = player.writer.close_flushed();
            Err(failure)
        }
        Err(mut failure) => {
            failure.message.push_str(&session::lost(&mut player.writer, &failure));
            Err(failure)
        }
    }
}

/// A writer, and what it plays.
struct Player<'p> {
    args: &'p Replay,
    common: &'p Common,
    signals: &'p Signals,
    progress: &'p mut Progress,
    file: &'p Opened<'p>,
    writer: Writer<SysV>,
    schedule: Schedule,
    /// How many messages and ends are to be sent.
    count: u64,
    /// For which channel it was checked that it carries them.
    checked: (Carries, usize),
    /// Something was sent.
    has_begun: bool,
}

impl Player<'_> {
    /// Fails if the channel can't carry all of them from number `from` on.
    fn check(&mut self, from: u64) -> Result<(), Failure> {
        self.checked = onto::form(&self.writer);
        let mut entries = self.file.pass()?;
        let (mut number, mut message, mut body) = (0, 0, Vec::new());
        while let Some(entry) = entries.next(&mut body)? {
            self.signals.check()?;
            let is_message = entry.kind == Kind::Message;
            if !is_message && (entry.kind != Kind::End || self.args.no_end) {
                continue;
            }
            number += 1;
            message += u64::from(is_message);
            if number < from {
                continue;
            }
            if is_message {
                self.check_text(&body, &format!("message {message}"))?;
            } else if self.checked.0 == Carries::Bytes {
                // It is sent as a message, where it is sent.
                let text = end_from_bytes(&body).map_or(&[][..], |(_, text)| text);
                self.check_text(text, END_TEXT)?;
            }
        }
        Ok(())
    }

    fn check_text(&self, text: &[u8], name: &str) -> Result<(), Failure> {
        onto::check(&self.writer, text, RingOption::Ring).map_err(|failure| named(name, failure))
    }

    fn play_all(&mut self) -> Result<(), Failure> {
        let mut entries = self.file.pass()?;
        let (mut gaps, mut gap, mut number, mut message) = (Gaps::default(), 0_u64, 0, 0);
        let mut body = Vec::new();
        let mut enter = if self.args.step { Some(Enter::new(self.common.quiet)?) } else { None };
        while let Some(entry) = entries.next(&mut body)? {
            gap = gap.saturating_add(gaps.next(entry.time, entry.step));
            let text = match entry.kind {
                Kind::Message => &body[..],
                Kind::End => end_from_bytes(&body).map_or(&[][..], |(_, text)| text),
                _ => continue,
            };
            let ends = entry.kind == Kind::End;
            if ends && self.args.no_end {
                continue;
            }
            number += 1;
            message += u64::from(!ends);
            // What comes before a first message is no pause of it.
            let pause = if number == 1 { 0 } else { gap };
            gap = 0;
            if let Some(enter) = &mut enter {
                if !self.common.quiet {
                    step::show((number, self.count), pause, text, ends);
                }
                let went_on = enter.wait(self.signals, || recover(&mut self.writer, RingOption::Ring))?;
                if !went_on {
                    return Ok(());
                }
            } else {
                self.pause_until(pause)?;
            }
            if ends { self.end(text, number)? } else { self.send(text, number, &format!("message {message}"))? }
        }
        entries.tell_stop(self.common.quiet);
        Ok(())
    }

    /// Waits until what comes next is due.
    fn pause_until(&mut self, gap: u64) -> Result<(), Failure> {
        self.signals.check()?;
        let Some(due) = self.schedule.due(gap) else { return Ok(()) };
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left <= FINE {
                std::thread::sleep(left);
                return Ok(());
            }
            self.signals.pause(left.saturating_sub(FINE / 2).min(onto::LOOK_AROUND))?;
            self.progress.tell();
            recover(&mut self.writer, RingOption::Ring)?;
        }
    }

    /// Sends what has this number, and this name in words.
    fn send(&mut self, text: &[u8], number: u64, name: &str) -> Result<(), Failure> {
        let began = Instant::now();
        while !self.try_send(text, name)? {
            // The reader that was waited for has brought another layout, which may not carry all of it.
            if onto::form(&self.writer) != self.checked {
                self.check(number)?;
            }
        }
        let took = began.elapsed();
        if took > HELD_UP {
            self.schedule.was_held_up(took);
        }
        self.has_begun = true;
        self.progress.add(1, text.len());
        Ok(())
    }

    /// Waits for room, and sends it there unless the layout has changed meanwhile; whether it did.
    fn try_send(&mut self, text: &[u8], name: &str) -> Result<bool, Failure> {
        let (checked, mut is_sent) = (self.checked, false);
        let done = self.with_writer(|writer, policy| {
            let has_room = writer.await_room(text.len(), policy);
            if onto::form(writer) != checked {
                return Ok(());
            }
            has_room?;
            // Whatever comes between the two is waited for above.
            match writer.send_with(text, &mut WaitPolicy::non_blocking()) {
                Err(SendError::TimedOut) => Ok(()),
                sent => {
                    is_sent = sent.is_ok();
                    sent
                }
            }
        });
        match done {
            // This one, or else what was sent before and has to come first.
            Err(failure) if failure.exit == Exit::BadInput => {
                self.check_text(text, name)?;
                Err(not_sent_again(failure))
            }
            done => done.map(|()| is_sent),
        }
    }

    /// The end, and in front of it the text that it was, where that was more than `end`.
    fn end(&mut self, text: &[u8], number: u64) -> Result<(), Failure> {
        if !text.is_empty() && Carries::by(self.writer.backend()) == Carries::Bytes {
            self.send(text, number, END_TEXT)?;
        } else if !text.is_empty() && !self.common.quiet {
            let text = String::from_utf8_lossy(text);
            stdio::warn(PROGRAM, format_args!("{text:?} ended the session, and is sent as `end`"), None);
        }
        self.with_writer(Writer::end_with).map_err(not_sent_again)?;
        self.has_begun = true;
        Ok(())
    }

    fn with_writer(
        &mut self,
        wait: impl FnMut(&mut Writer<SysV>, &mut WaitPolicy<'_>) -> Result<(), SendError>,
    ) -> Result<(), Failure> {
        let progress = &mut *self.progress;
        let mut meanwhile = || {
            progress.tell();
            Ok(())
        };
        let (common, signals, follow) = (self.common, self.signals, self.args.follow);
        wait_with(
            &mut self.writer,
            &mut Waits { common, signals, follow, ring: RingOption::Ring, meanwhile: &mut meanwhile },
            wait,
        )
    }
}
