//! `shm-handoff stat`.

use super::exit::Failure;
use crate::backend::sysv::{KeySpec, Observer, Seats};
use crate::error::Kind;
use crate::protocol::ring;
use clap::Args;
use nix::errno::Errno;
use serde::Serialize;
use std::io::Write;

/// Shows what is at a key, and changes nothing
///
/// Attaches for reading alone, for a moment, and takes no seat.
#[derive(Debug, Args)]
pub(super) struct Stat {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", default_value = "1234", allow_negative_numbers = true)]
    key: KeySpec,

    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What is shown. Fields are added, never changed, within a schema.
#[derive(Debug, Serialize)]
struct Shown {
    schema: u32,
    key: u32,
    id: i32,
    layout: &'static str,
    size: usize,
    mode: String,
    uid: u32,
    creator_pid: u32,
    attached: usize,
    removed: bool,
    writer: Option<u32>,
    reader: Option<u32>,
    writer_failed: bool,
    /// Messages that were sent and not released, and their bytes.
    messages: Option<u64>,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ring: Option<Positions>,
}

#[derive(Debug, Serialize)]
struct Positions {
    capacity: usize,
    head: u64,
    place: u64,
    tail: u64,
    ended: bool,
}

fn look(key: &KeySpec) -> Result<Shown, Failure> {
    let key = key.resolve()?;
    let observer = Observer::open(key)?;
    let stat = observer.stat();
    let seats = observer.seats().unwrap_or(Seats { writer: None, reader: None, writer_failed: false });
    let mut shown = Shown {
        schema: 1,
        key: key.number(),
        id: observer.id(),
        layout: "classic",
        size: stat.size,
        mode: format!("{:03o}", stat.mode),
        uid: stat.uid,
        creator_pid: stat.creator_pid,
        // Without ourselves.
        attached: stat.attached.saturating_sub(1),
        removed: stat.removed,
        writer: seats.writer,
        reader: seats.reader,
        writer_failed: seats.writer_failed,
        messages: None,
        bytes: None,
        flag: None,
        ring: None,
    };
    match observer.kind() {
        Kind::Classic => {
            let flag = observer.flag();
            shown.flag = Some(flag);
            shown.messages = Some(u64::from(flag != 0));
            shown.bytes = Some(if flag == 0 { 0 } else { observer.text().len() as u64 });
        }
        Kind::Ring { capacity } => {
            shown.layout = "ring";
            // A side that is at work can have gone on in the middle of it: once more, then.
            let waiting = observer.ring().and_then(|places| (0..100).find_map(|_| ring::waiting(places).ok()));
            if let Some(waiting) = waiting {
                let ring::Waiting { head, place, tail, messages, bytes, ended } = waiting;
                shown.messages = Some(messages);
                shown.bytes = Some(bytes);
                shown.ring = Some(Positions { capacity, head, place, tail, ended });
            }
        }
    }
    Ok(shown)
}

/// A seat in words.
fn seat(pid: Option<u32>, free: &str) -> String {
    match pid {
        Some(0) => "a process of another pid namespace".to_owned(),
        Some(pid) => {
            let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("pid {pid} {}", command.trim()).trim_end().to_owned()
        }
        None => free.to_owned(),
    }
}

pub(super) fn run(args: &Stat) -> Result<(), Failure> {
    let shown = look(&args.key)?;
    if args.json {
        let json = serde_json::to_string(&shown).expect("numbers and strings are always JSON");
        return print(&(json + "\n"));
    }
    print(&in_words(&shown))
}

fn in_words(shown: &Shown) -> String {
    let Shown { key, id, layout, size, mode, uid, attached, creator_pid, .. } = shown;
    let layout = match (&shown.ring, shown.flag) {
        (Some(ring), _) => format!(
            "ring of {} bytes: head {}, place {}, tail {}{}",
            ring.capacity,
            ring.head,
            ring.place,
            ring.tail,
            if ring.ended { ", the stream has ended" } else { "" }
        ),
        (None, Some(flag)) => format!("{layout}, flag {flag}"),
        (None, None) => (*layout).to_owned(),
    };
    let waiting = match (shown.messages, shown.bytes) {
        (Some(messages), Some(bytes)) => format!("{messages} messages, {bytes} bytes"),
        _ => "not to be told: its content breaks the layout".to_owned(),
    };
    let removed = if shown.removed { ", removed: it goes with the last of them" } else { "" };
    let writer = seat(shown.writer, if shown.writer_failed { "none; the last one died or failed" } else { "none" });
    let reader = seat(shown.reader, "none");
    format!(
        "\
key        {key} ({key:#x})
segment    id {id}, {size} bytes, mode {mode}, uid {uid}, made by pid {creator_pid}
layout     {layout}
waiting    {waiting}
attached   {attached}{removed}
writer     {writer}
reader     {reader}
"
    )
}

fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Nobody reads on: not our failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
            Err(Failure::io("standard output can't be written", errno, ""))
        }
        _ => Ok(()),
    }
}
