//! `shm-handoff who`.

use super::exit::{Exit, Failure};
use super::look::{Process, user};
use super::stdio::{self, say};
use super::table::{self, Choice, Column};
use crate::backend::sysv::proc::{self, SegmentRow};
use crate::backend::sysv::{KeySpec, observe_seats};
use crate::error::Error;
use clap::Args;
use serde::Serialize;

const SCHEMA: &str = "shm-handoff/who/1";

const HELP: &str = "\
Examples:
  shm-handoff who 1234              every process at the tutorial's key
  shm-handoff who --id 32768        at a segment that was removed (see shm-handoff ls)
  shm-handoff who 1234 -o pid       pids alone

Columns:
  PID       the process
  USER      who runs it
  ROLE      writer or reader: it has the seat; guest: none, such as a C program
  TIMES     how often it has the segment attached
  ACCESS    rw or r
  COMMAND   its name

JSON:
  {\"schema\":\"shm-handoff/who/1\",\"id\":...,\"attached\":...,\"unseen\":...,\"processes\":[{\"pid\":...,
  \"uid\":...,\"user\":...,\"role\":...,\"times\":...,\"writes\":...,\"command\":...}]}; unseen: attachments
  of processes that can't be seen from here. A later version may add fields; one that
  changes or drops any has another schema.

Exit status:
  0  listed, also if there is nobody
  1  there is no such segment, or a system call failed
  2  usage";

/// Shows every process that has a segment attached, C programs too
///
/// Reads /proc/PID/maps: those of other users' processes only root may read, and those
/// of other pid namespaces are not there. How many attachments are left over is said.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Who {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", default_value = "1234", allow_negative_numbers = true)]
    key: KeySpec,

    /// The segment with this number, also if it is removed
    #[arg(long, value_name = "ID", conflicts_with = "key")]
    id: Option<i32>,

    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Serialize)]
struct Found {
    id: i32,
    attached: usize,
    unseen: usize,
    processes: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    pid: u32,
    uid: u32,
    user: String,
    role: &'static str,
    times: usize,
    writes: bool,
    command: Option<String>,
}

const COLUMNS: &[Column<Row>] = &[
    Column { name: "PID", right: true, of: |row| row.pid.to_string() },
    Column { name: "USER", right: false, of: |row| row.user.clone() },
    Column { name: "ROLE", right: false, of: |row| row.role.to_owned() },
    Column { name: "TIMES", right: true, of: |row| row.times.to_string() },
    Column { name: "ACCESS", right: false, of: |row| if row.writes { "rw" } else { "r" }.to_owned() },
    Column { name: "COMMAND", right: false, of: |row| row.command.clone().unwrap_or_default() },
];

/// The names of the columns.
pub(super) fn columns() -> Vec<&'static str> {
    table::names(COLUMNS)
}

pub(super) fn run(args: &Who) -> Result<(), Failure> {
    let segment = find(args)?;
    let seats = KeySpec::resolve(&args.key).ok().filter(|key| key.number() == segment.key);
    let seats = seats.and_then(|key| observe_seats(key).ok().flatten());
    let role = |pid| match seats {
        Some(seats) if seats.writer == Some(pid) => "writer",
        Some(seats) if seats.reader == Some(pid) => "reader",
        _ => "guest",
    };
    let (processes, hidden) = proc::attached(segment.id).map_err(|error| failed("/proc", &error))?;
    let seen: usize = processes.iter().map(|process| process.times).sum();
    let processes = processes.into_iter().map(|process| Row {
        pid: process.pid,
        uid: process.uid,
        user: user(process.uid),
        role: role(process.pid),
        times: process.times,
        writes: process.writes,
        command: Process::new(process.pid).command,
    });
    let unseen = segment.attached.saturating_sub(seen);
    let found = Found { id: segment.id, attached: segment.attached, unseen, processes: processes.collect() };
    if args.choice.json {
        return stdio::show(&table::json(SCHEMA, &found));
    }
    stdio::show(&table::table(COLUMNS, &found.processes, &args.choice)?)?;
    if unseen > 0 {
        let hint =
            if hidden > 0 { "run as root to look into all of them" } else { "look from the host's pid namespace" };
        say!(
            "shm-handoff who: {unseen} more attachment{} of processes that can't be seen from here ({hint})",
            if unseen == 1 { "" } else { "s" }
        );
    }
    Ok(())
}

fn find(args: &Who) -> Result<SegmentRow, Failure> {
    let rows = proc::segments().map_err(|error| failed("/proc/sysvipc/shm", &error))?;
    if let Some(id) = args.id {
        return rows.into_iter().find(|row| row.id == id).ok_or_else(|| {
            Failure::new(Exit::System, format!("there is no segment with id {id}"))
                .hint("shm-handoff ls shows those there are")
        });
    }
    let key = args.key.resolve()?.number();
    rows.into_iter().find(|row| row.key == key).ok_or_else(|| Error::Missing { key }.into())
}

fn failed(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::System, format!("{what}: {error}"))
}
