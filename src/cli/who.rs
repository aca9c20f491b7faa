//! `shm-handoff who`.

use super::exit::{self, Exit, Failure};
use super::json;
use super::look::{self, Process, user};
use super::spec;
use super::stdio::{self, say};
use super::table::{self, Choice, Column};
use crate::backend::sysv::proc::{self, SegmentRow};
use crate::backend::sysv::{Key, KeySpec, observe_seats};
use crate::error::{Error, plural};
use clap::Args;
use serde::Serialize;
use std::path::Path;

const SCHEMA: &str = "shm-handoff/who/1";

const HELP: &str = "\
Examples:
  shm-handoff who 1234              every process at the tutorial's key
  shm-handoff who --id 32768        at a segment that was removed (see shm-handoff ls)
  shm-handoff who 1234 -o pid       pids alone
  shm-handoff who --layout two_slots.h,at=2052 1234
                                    by the seats of that slot

Columns:
  PID       the process
  USER      the user that runs it
  ROLE      writer or reader: it has the seat; guest: it has none, such as a C program;
            unknown: you may not look at the seats, or the segment is removed
  TIMES     how often it has the segment attached
  ACCESS    rw or r
  COMMAND   its name

JSON:
  {\"schema\":\"shm-handoff/who/1\",\"id\":...,\"attached\":...,\"unseen\":...,\"processes\":[{\"pid\":...,
  \"uid\":...,\"user\":...,\"role\":...,\"times\":...,\"writes\":...,\"command\":...}]}; unseen: attachments
  of processes that can't be seen from here; spec: the terms of --layout. A later version may add fields; one that
  changes or drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 4] = [
    ("0", ": listed, also if no process is attached"),
    ("1", "; or there is no such segment"),
    ("2", "; or SPEC declares no layout"),
    ("4", ""),
];

/// Shows every process that has a segment attached, C programs too
///
/// It reads /proc/PID/maps. Only root may read those of other users' processes, and those
/// of other pid namespaces are not visible. The output says how many attachments are left over.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Who {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", default_value = "1234", allow_negative_numbers = true)]
    key: KeySpec,

    /// Look at the segment with this number, also if it is removed
    #[arg(long, value_name = "ID", conflicts_with = "key")]
    id: Option<i32>,

    #[command(flatten)]
    layout: spec::Given,

    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Serialize)]
struct Found {
    id: i32,
    attached: usize,
    unseen: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<String>,
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
    let declared = args.layout.read()?;
    let declared = declared.as_ref();
    let segment = find(args)?;
    if let Some(declared) = declared {
        look::fits(declared, segment.key, segment.size)?;
    }
    let seats = Key::new(segment.key).and_then(|key| observe_seats(look::slot(key, declared)));
    let role = |pid| match &seats {
        Ok(Some(seats)) if seats.writer == Some(pid) => "writer",
        Ok(Some(seats)) if seats.reader == Some(pid) => "reader",
        // What has the seats' key is another program's.
        Ok(_) | Err(Error::ForeignSeats { .. }) => "guest",
        Err(_) => "unknown",
    };
    let (processes, hidden) = proc::attached(segment.id, segment.key).map_err(|error| failed("/proc", &error))?;
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
    let found = Found {
        id: segment.id,
        attached: segment.attached,
        unseen,
        spec: declared.map(ToString::to_string),
        processes: processes.collect(),
    };
    if args.choice.json {
        return stdio::show(&json::object(SCHEMA, &found));
    }
    stdio::show(&table::table(COLUMNS, &found.processes, &args.choice)?)?;
    if let Some(spec) = &found.spec {
        say!("shm-handoff who: roles by the seats of the slot {spec}");
    }
    if unseen > 0 {
        let hint = what_hides(hidden);
        say!(
            "shm-handoff who: {unseen} more attachment{} of processes that can't be seen from here ({hint})",
            plural(unseen)
        );
    }
    if let Err(error @ Error::Permission { .. }) = &seats {
        say!("shm-handoff who: the roles are unknown: {error}");
    }
    Ok(())
}

/// Why there are attachments whose processes are not seen; `hidden`: how many may not be looked into.
fn what_hides(hidden: usize) -> &'static str {
    let is_root = nix::unistd::geteuid().is_root();
    match hidden {
        _ if !Path::new("/proc/self").exists() => "/proc is not mounted",
        _ if proc::hides_others() => "/proc hides other users' processes by hidepid: run as root",
        1.. if is_root => "this root may not look into other processes, as without CAP_SYS_PTRACE in a container",
        1.. => "run as root to look into all of them",
        0 => "look from the host's pid namespace",
    }
}

fn find(args: &Who) -> Result<SegmentRow, Failure> {
    let rows = match proc::segments() {
        Ok(rows) => rows,
        Err(error) if args.id.is_some() => return Err(failed("/proc/sysvipc/shm", &error)),
        // The kernel answers for a key itself.
        Err(_) => return Ok(look::row(args.key.resolve()?)?),
    };
    if let Some(id) = args.id {
        return rows.into_iter().find(|row| row.id == id).ok_or_else(|| {
            Failure::new(Exit::System, format!("there is no segment with id {id}"))
                .hint("shm-handoff ls lists the segments")
        });
    }
    let key = args.key.resolve()?.number();
    rows.into_iter().find(|row| row.key == key).ok_or_else(|| Error::Missing { key }.into())
}

fn failed(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::System, format!("{what}: {error}")).hint(table::WITHOUT_PROC)
}
