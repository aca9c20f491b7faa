//! `shm-handoff ls`.

use super::exit::{self, Exit, Failure};
use super::json;
use super::look::{self, Layout, Process, Shown, Status};
use super::table::{self, Choice, Column};
use super::{spec, stdio};
use crate::declare::Declared;
use crate::error::Ipcs;
use clap::Args;
use serde::Serialize;

const SCHEMA: &str = "shm-handoff/ls/1";

const HELP: &str = "\
Examples:
  shm-handoff ls                          all channels
  shm-handoff ls -o key,messages          two columns
  shm-handoff ls --no-headings | wc -l    how many there are
  shm-handoff ls --json                   for programs
  shm-handoff ls --layout 'text[1024]'    slots in that struct, too

Columns:
  KEY       as ipcs shows it; 0x00000000: removed, and still attached
  ID        the segment's number
  OWNER     the user it belongs to
  MODE      permission bits
  SIZE      bytes
  LAYOUT    classic, ring, declared (what has the size that --layout gives), or foreign
  ATTACHED  attachments: a process can have several
  MESSAGES  sent and not received; -: you may not read it, or it breaks its layout
  BYTES     of these messages
  STATUS    used: a process is attached or seated; waiting: no process is, and
            messages lie there; ended: no process is, and the end of a session lies
            there, and nothing else; unused: no process is, and nothing lies there;
            orphan: removed, and still attached; foreign: not ours; unreadable: you
            may not read it
  WRITER    pid and command of a seated writer; died: the last one died or failed;
            unknown: you may not look at the seats. (A C program has no seat:
            shm-handoff who KEY finds it)
  READER    pid and command of a seated reader

JSON:
  {\"schema\":\"shm-handoff/ls/1\",\"segments\":[...]}, each as in stat --json, without
  fields and reply. A later
  version may add fields; one that changes or drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] =
    [("0", ": listed, also if there is nothing"), ("1", ""), ("2", "; or SPEC declares no layout")];

/// Lists the segments that are channels, or could be
///
/// It lists classic slots, rings, slots in the struct that --layout declares, and every
/// segment that has the size of one. It attaches to each for a moment, read-only.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Ls {
    /// List all segments of this IPC namespace, also those of other sizes
    #[arg(short, long)]
    all: bool,

    #[command(flatten)]
    layout: spec::Given,

    #[command(flatten)]
    choice: Choice,
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "KEY", right: false, of: |row| Ipcs(row.key).to_string() },
    Column { name: "ID", right: true, of: |row| row.id.to_string() },
    Column { name: "OWNER", right: false, of: |row| row.owner.clone() },
    Column { name: "MODE", right: false, of: |row| row.mode.clone() },
    Column { name: "SIZE", right: true, of: |row| row.size.to_string() },
    Column { name: "LAYOUT", right: false, of: |row| row.layout.name().to_owned() },
    Column { name: "ATTACHED", right: true, of: |row| row.attached.to_string() },
    Column { name: "MESSAGES", right: true, of: |row| optional(row.messages) },
    Column { name: "BYTES", right: true, of: |row| optional(row.bytes) },
    Column { name: "STATUS", right: false, of: |row| row.status.name().to_owned() },
    Column { name: "WRITER", right: false, of: |row| seat(row, row.writer.as_ref(), row.writer_failed) },
    Column { name: "READER", right: false, of: |row| seat(row, row.reader.as_ref(), false) },
];

fn optional(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn seat(row: &Shown, process: Option<&Process>, failed: bool) -> String {
    let free = match failed {
        _ if row.seats_hidden => "unknown",
        true => "died",
        false => "",
    };
    process.map_or_else(|| free.to_owned(), Process::short)
}

#[derive(Serialize)]
struct Segments {
    segments: Vec<Shown>,
}

/// The names of the columns.
pub(super) fn columns() -> Vec<&'static str> {
    table::names(COLUMNS)
}

/// Every channel, in the order in which they are shown; `all`: and every other segment.
pub(super) fn rows(declared: Option<&Declared>, all: bool) -> Result<Vec<Shown>, Failure> {
    let mut rows = look::everywhere(declared)
        .map_err(|error| Failure::new(Exit::System, format!("/proc/sysvipc/shm: {error}")).hint(table::WITHOUT_PROC))?;
    if !all {
        // What has a channel's size and another content stays: its user would want to know.
        rows.retain(|row| row.layout != Layout::Foreign || look::could_be_ours(row.size));
    }
    rows.sort_by_key(|row| (row.status == Status::Foreign, row.key, row.id));
    Ok(rows)
}

pub(super) fn run(args: &Ls) -> Result<(), Failure> {
    let declared = args.layout.read()?;
    let rows = rows(declared.as_ref(), args.all)?;
    if args.choice.json {
        return stdio::show(&json::object(SCHEMA, &Segments { segments: rows }));
    }
    stdio::show(&table::table(COLUMNS, &rows, &args.choice)?)
}
