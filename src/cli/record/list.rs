//! What is in a recording, as `replay` prints it.

use super::format::{Entry, Kind, Session, end_from_bytes};
use super::pace::Gaps;
use super::reading::Opened;
use super::shape;
use crate::cli::exit::Failure;
use crate::cli::{json, stdio};
use crate::error::plural;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

const SCHEMA: &str = "shm-handoff/replay/1";

/// More of a text is of no use to people.
const LONGEST: usize = 60;

/// What is printed at once.
const BLOCK: usize = 64 * 1024;

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'l> {
    entry: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    time: String,
    gap_ns: u64,
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Prints what is in the recording at `path`.
pub(super) fn run(path: &Path, as_json: bool, quiet: bool) -> Result<(), Failure> {
    let opened = Opened::open(path, None)?;
    let mut entries = opened.pass()?;
    let (mut gaps, mut gap, mut seq, mut body, mut out) = (Gaps::default(), 0_u64, 0, Vec::new(), String::new());
    while let Some(entry) = entries.next(&mut body)? {
        gap = gap.saturating_add(gaps.next(entry.time, entry.step));
        seq += u64::from(entry.kind == Kind::Message);
        // An object of a kind that is unknown would have nothing to say; the time before it counts all the same.
        if as_json && matches!(entry.kind, Kind::Other(_)) {
            continue;
        }
        let add = if as_json { add_json } else { add_words };
        add(entry, std::mem::take(&mut gap), seq, &body, &mut out);
        if out.len() >= BLOCK {
            stdio::show(&out)?;
            out.clear();
            if stdio::is_output_closed() {
                return Ok(());
            }
        }
    }
    stdio::show(&out)?;
    entries.tell_stop(quiet);
    Ok(())
}

fn time(entry: Entry) -> String {
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(entry.time)).unwrap_or(SystemTime::UNIX_EPOCH);
    humantime::format_rfc3339_nanos(at).to_string()
}

fn add_json(entry: Entry, gap_ns: u64, seq: u64, body: &[u8], out: &mut String) {
    let session = Session::from_bytes(body).filter(|_| entry.kind == Kind::Session);
    let (name, text) = match entry.kind {
        Kind::Session => ("session", None),
        Kind::Message => ("message", Some(body)),
        Kind::End => ("end", Some(end_from_bytes(body).map_or(&[][..], |(_, text)| text))),
        Kind::Death => ("death", None),
        Kind::Other(_) => return,
    };
    let utf8 = text.and_then(|text| std::str::from_utf8(text).ok());
    let line = Line {
        entry: name,
        seq: (entry.kind == Kind::Message).then_some(seq),
        time: time(entry),
        gap_ns,
        position: entry.position,
        stream: session.as_ref().map(|session| format!("{:016x}", session.stream)),
        layout: session.as_ref().map(shape::in_words),
        bytes: text.map(<[u8]>::len),
        text: utf8,
        base64: text.filter(|_| utf8.is_none()).map(|text| STANDARD.encode(text)),
    };
    out.push_str(&json::object(SCHEMA, &line));
}

fn add_words(entry: Entry, gap: u64, seq: u64, body: &[u8], out: &mut String) {
    let (number, what) = match entry.kind {
        Kind::Session => {
            let what = Session::from_bytes(body).map_or_else(
                || "a session".to_owned(),
                |session| {
                    // The terms are what the file says.
                    let layout: String = shape::in_words(&session).chars().flat_map(escaped).collect();
                    match session.stream {
                        0 => format!("a session at {layout}"),
                        stream => format!("a session at {layout}, stream 0x{stream:016x}"),
                    }
                },
            );
            ("-".to_owned(), what)
        }
        Kind::Message => (seq.to_string(), shown(body)),
        Kind::End => match end_from_bytes(body) {
            Some((_, text)) if !text.is_empty() => ("-".to_owned(), format!("the end of the session, {}", shown(text))),
            _ => ("-".to_owned(), "the end of the session".to_owned()),
        },
        Kind::Death => ("-".to_owned(), "the writer died".to_owned()),
        Kind::Other(kind) => ("-".to_owned(), format!("an entry of kind {kind}, which this program does not know")),
    };
    writeln!(out, "{} {:>12} {number:>7}  {what}", time(entry), format!("+{}", seconds(gap)))
        .expect("a String takes everything");
}

/// As it stands, if it can't steer a terminal.
fn escaped(char: char) -> impl Iterator<Item = char> {
    let steers = char.is_control();
    char.escape_default().filter(move |_| steers).chain((!steers).then_some(char))
}

/// A time in ns, for people.
pub(super) fn seconds(nanos: u64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{seconds}.{:06} s", rest / 1000)
}

/// A message on a line of a terminal, which its writer must not steer: its length, and its beginning.
pub(super) fn shown(text: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(4 * LONGEST)]);
    let mut words: String = beginning.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if beginning.chars().count() > LONGEST || text.len() > 4 * LONGEST {
        words.push_str("...");
    }
    let len = text.len();
    format!("{len} byte{}: {words}", plural(len))
}
