//! `shm-handoff replay`.

use super::args::Side;
use super::format::{Kind, Session, end_from_bytes};
use super::onto::{self, Waits, wait_with};
use super::pace::{Gaps, Schedule, Speed};
use super::reading::Opened;
use super::step::{self, Enter};
use super::{list, shape};
use crate::backend::sysv::{KeySpec, SysV};
use crate::cli::args::Common;
use crate::cli::chosen::Carries;
use crate::cli::exit::{self, Failure};
use crate::cli::introduce;
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::stdio;
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
fn survey(file: &mut Opened<'_>, leaves_end: bool) -> Result<(Option<Session>, u64), Failure> {
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

/// Fails if the channel can't carry all of it.
fn check(file: &mut Opened<'_>, writer: &Writer<SysV>, leaves_end: bool, signals: &Signals) -> Result<(), Failure> {
    let mut entries = file.pass()?;
    let (mut number, mut body) = (0, Vec::new());
    while let Some(entry) = entries.next(&mut body)? {
        signals.check()?;
        let text = match entry.kind {
            Kind::Message => &body[..],
            // It is sent as a message, where it is sent.
            Kind::End if !leaves_end && Carries::by(writer.backend()) == Carries::Bytes => {
                end_from_bytes(&body).map_or(&[][..], |(_, text)| text)
            }
            _ => continue,
        };
        let is_message = entry.kind == Kind::Message;
        number += u64::from(is_message);
        onto::check(writer, text).map_err(|failure| {
            let name = if is_message { format!("message {number}") } else { "the end's text".to_owned() };
            Failure { message: format!("{name}: {}", failure.message), ..failure }
        })?;
    }
    Ok(())
}

fn play(args: &Replay, common: &Common, signals: &Signals, progress: &mut Progress) -> Result<(), Failure> {
    let mut file = Opened::open(&args.file, Some(signals))?;
    let (session, count) = survey(&mut file, args.no_end)?;
    let like = || match &session {
        Some(session) => Ok(shape::like(session, common.key.resolve()?)),
        None => Ok(None),
    };
    let writer = crate::cli::open(signals, || onto::open(common, like))?;
    introduce(PROGRAM, common, writer.backend(), false)?;
    let mut player = Player { args, common, signals, progress, writer, schedule: Schedule::new(args.speed), count };
    if let Err(failure) = check(&mut file, &player.writer, args.no_end, signals) {
        // Nothing was sent: that is no failure of a writer's.
        let _ = player.writer.close_flushed();
        return Err(failure);
    }
    let done = player.play_all(&mut file).and_then(|()| player.with_writer(Writer::flush));
    match done {
        Ok(()) => Ok(player.writer.close_flushed()?),
        Err(failure) => Err(failure),
    }
}

/// A writer, and what it plays.
struct Player<'p> {
    args: &'p Replay,
    common: &'p Common,
    signals: &'p Signals,
    progress: &'p mut Progress,
    writer: Writer<SysV>,
    schedule: Schedule,
    /// How many messages and ends are to be sent.
    count: u64,
}

impl Player<'_> {
    fn play_all(&mut self, file: &mut Opened<'_>) -> Result<(), Failure> {
        let mut entries = file.pass()?;
        let (mut gaps, mut gap, mut number, mut body) = (Gaps::default(), 0_u64, 0, Vec::new());
        let mut enter = if self.args.step { Some(Enter::new()?) } else { None };
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
            // What comes before a first message is no pause of it.
            let pause = if number == 1 { 0 } else { gap };
            gap = 0;
            if let Some(enter) = &mut enter {
                step::show((number, self.count), pause, text, ends);
                let went_on = enter.wait(self.signals, || recover(&mut self.writer))?;
                if !went_on {
                    return Ok(());
                }
            } else {
                self.pause_until(pause)?;
            }
            if ends { self.end(text)? } else { self.send(text)? }
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
            recover(&mut self.writer)?;
        }
    }

    fn send(&mut self, text: &[u8]) -> Result<(), Failure> {
        let began = Instant::now();
        self.with_writer(|writer, policy| writer.send_with(text, policy))?;
        let took = began.elapsed();
        if took > HELD_UP {
            self.schedule.was_held_up(took);
        }
        self.progress.add(1, text.len());
        Ok(())
    }

    /// The end, and in front of it the text that it was, where that was more than `end`.
    fn end(&mut self, text: &[u8]) -> Result<(), Failure> {
        if !text.is_empty() && Carries::by(self.writer.backend()) == Carries::Bytes {
            self.send(text)?;
        } else if !text.is_empty() && !self.common.quiet {
            let text = String::from_utf8_lossy(text);
            stdio::warn(PROGRAM, format_args!("{text:?} ended the session, and is sent as `end`"), None);
        }
        self.with_writer(Writer::end_with)
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
        wait_with(&mut self.writer, &mut Waits { common, signals, follow, meanwhile: &mut meanwhile }, wait)
    }
}

/// Notices that the memory or the seat was removed, while there is nothing to send.
fn recover(writer: &mut Writer<SysV>) -> Result<(), Failure> {
    match writer.recover(&mut WaitPolicy::non_blocking()) {
        Ok(()) | Err(SendError::TimedOut | SendError::ReaderGone) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
