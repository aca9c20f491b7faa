//! `shm-handoff stat`.

use super::args::duration;
use super::content::{Content, Whole};
use super::exit::{self, Failure};
use super::json;
use super::look::{self, Process, Shown};
use super::{ls, metrics, spec, stdio, watch};
use crate::backend::sysv::KeySpec;
use crate::error::{Place, plural};
use clap::Args;
use std::time::Duration;

const SCHEMA: &str = "shm-handoff/stat/1";

const HELP: &str = "\
Examples:
  shm-handoff stat 1234             what is at the tutorial's key
  shm-handoff stat 0x77 --watch     a line a second, with rates
  shm-handoff stat 0x77 --json      for programs
  shm-handoff stat --layout shm_com.h 4567
                                    the members of the struct there, by name
  shm-handoff stat --metrics        every channel, for a monitoring system

Watching:
  A line for each look: TIME, the MESSAGES and BYTES that wait, bytes a second that
  came IN and went OUT (in a ring; headers of records included), messages a second
  (MSG/S, in a slot), attachments, and the pids of both seats. A slot has no counter,
  so MSG/S is an estimate from half a millisecond of looking, or else one message a
  look if the slot has changed since the last look.

Declared layouts:
  With --layout stat shows the flag and the contents of the slot, whether it is full or
  not, with a line of JSON for each field. A field may be half written while a writer is
  at work.

Metrics:
  --metrics prints OpenMetrics, which a textfile collector takes, too. Each sample has the
  labels key, layout and id: shm_handoff_waiting_messages, shm_handoff_seated, and of a
  ring shm_handoff_published_bytes_total and shm_handoff_released_bytes_total, beside
  others. Without a KEY it shows every channel that ls lists, also if there is none.

JSON:
  {\"schema\":\"shm-handoff/stat/1\"} with key, id, layout (classic, ring or declared), size, mode,
  uid, owner, creator_pid, attached, removed, writer and reader (null, or pid and
  command; pid 0: of another pid namespace), writer_failed, seats_hidden (true: you may
  not look at the seats, so writer and reader are not known), messages and bytes (sent and
  not received; null: the content breaks the layout, or you may not change the semaphore
  set, so that `stat` did not attach), ended (whether the end of a session lies behind
  them, unread), status (see ls --help), and
  flag or ring (capacity, head, released, tail, ended, stream and schema: its random id,
  and the hash of its messages' type or null; carried: null, or the stream, position and
  ended of another ring's messages that a bridge has carried into this one). With --layout: spec (its terms),
  full (whether a message waits), fields and, where there is one, reply: an object each,
  as shmread --format json has them. --watch prints such an object a line,
  with bytes_in_per_second, bytes_out_per_second, messages_per_second (null: not to be
  told), or with \"missing\":true, or with \"unreadable\" (a sentence: another layout is
  there now, which --layout has to name). A later version may add fields; one that changes or
  drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 5] = [
    ("0", ": shown"),
    ("1", "; or there is no segment"),
    ("2", "; or SPEC declares no layout"),
    ("4", ""),
    ("128+n", " (the way out of --watch)"),
];

/// Shows what is at a key, and changes nothing
///
/// It attaches for a moment, read-only, and takes no seat.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Stat {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    /// [default: 1234; with --metrics: every channel]
    #[arg(value_name = "KEY", allow_negative_numbers = true)]
    key: Option<KeySpec>,

    #[command(flatten)]
    layout: spec::Given,

    /// Print one JSON object, or with --watch one a line
    #[arg(long)]
    json: bool,

    /// Look again and again, and show rates; at least 100ms apart
    #[arg(short, long, value_name = "DUR", num_args = 0..=1, require_equals = true, default_missing_value = "1s",
          value_parser = interval)]
    watch: Option<Duration>,

    #[arg(help = "Print OpenMetrics text, for a monitoring system")]
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    metrics: bool,

    /// Every channel that ls lists, as without a KEY
    #[arg(long, requires = "metrics", conflicts_with = "key")]
    all: bool,
}

/// The tutorial's.
const KEY: &str = "1234";

/// Who waits for a C program judges by two looks at the count of attachments, up to 50 ms
/// apart: an observer must not be there at both.
fn interval(given: &str) -> Result<Duration, String> {
    let time = duration(given)?;
    if time < Duration::from_millis(100) { Err("100ms at least".to_owned()) } else { Ok(time) }
}

pub(super) fn run(args: &Stat) -> Result<(), Failure> {
    let declared = args.layout.read()?;
    let declared = declared.as_ref();
    if args.metrics && args.key.is_none() {
        return stdio::show(&metrics::text(&ls::rows(declared, false)?, true));
    }
    let key = match &args.key {
        Some(key) => key.resolve()?,
        None => KEY.parse::<KeySpec>().expect("a number").resolve()?,
    };
    if let Some(every) = args.watch {
        return watch::run(key, declared, every, args.json.then_some(SCHEMA));
    }
    let shown = look::at(key, declared).map_err(|error| spec::refused(error, key))?;
    if args.metrics {
        return stdio::show(&metrics::text(&[shown], false));
    }
    let whole = Whole::of(declared, &shown);
    stdio::show(&if args.json { json::object(SCHEMA, &whole) } else { in_words(&whole) })
}

/// A seat in words.
fn seat(process: Option<&Process>, free: &str) -> String {
    process.map_or_else(|| free.to_owned(), Process::in_words)
}

fn in_words(whole: &Whole<'_>) -> String {
    let Whole { shown, content } = whole;
    let Shown { id, layout, size, mode, owner, attached, creator_pid, .. } = shown;
    let layout = match (&shown.ring, shown.flag) {
        (Some(ring), _) => format!(
            "ring of {} bytes, stream 0x{}{}: head {}, released {}, tail {}{}",
            ring.capacity,
            ring.stream,
            ring.schema.as_deref().map_or_else(String::new, |schema| format!(", schema 0x{schema}")),
            ring.head,
            ring.released,
            ring.tail,
            ring.carried.as_ref().map_or_else(String::new, |on| format!(
                "\ncarried    stream 0x{} of another ring, up to {}{}",
                on.stream,
                on.position,
                if on.ended { ", its end" } else { "" }
            ))
        ),
        (None, Some(flag)) => match (shown.suspicion(), shown.full) {
            (Some(suspicion), _) => format!("{}; {suspicion}", layout.name()),
            (None, None) => format!("{}, flag {flag}", layout.name()),
            (None, Some(full)) => {
                let spec = shown.spec.as_deref().unwrap_or_default();
                format!("{}, {spec}: the flag is {flag} ({})", layout.name(), if full { "full" } else { "empty" })
            }
        },
        (None, None) => layout.name().to_owned(),
    };
    let waiting = match (shown.messages, shown.bytes) {
        (Some(messages), Some(bytes)) => {
            let end = if shown.ended { ", and the end of the session" } else { "" };
            format!("{messages} message{}, {bytes} byte{}{end}", plural(messages), plural(bytes))
        }
        _ if shown.looked_into => "unknown (its content breaks the layout)".to_owned(),
        _ => "unknown (`stat` did not attach: you may not change the semaphore set, its lock is held, or nobody has attached yet what goes with its last attachment)".to_owned(),
    };
    let removed = if shown.removed { ", removed: it goes with the last of them" } else { "" };
    let free = if shown.seats_hidden { "unknown: the seats' semaphore set may not be looked at" } else { "none" };
    let writer =
        seat(shown.writer.as_ref(), if shown.writer_failed { "none; the last one died or failed" } else { free });
    let reader = seat(shown.reader.as_ref(), free);
    format!(
        "\
key        {:#}
segment    id {id}, {size} byte{}, mode {mode}, owner {owner}, made by pid {creator_pid}
layout     {layout}
waiting    {waiting}
attached   {attached}{removed}
writer     {writer}
reader     {reader}
{}",
        Place::Key(shown.key),
        plural(*size),
        content.as_ref().map_or_else(String::new, Content::in_words),
    )
}
