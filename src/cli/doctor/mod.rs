//! `shm-handoff doctor`: what is wrong here, and the command that mends it.

mod channels;
mod finding;
mod system;

use super::exit::{self, Exit, Failure};
use super::stdio::{self, BAD, GOOD, HINT, WARNING};
use super::{json, spec};
use crate::backend::sysv::KeySpec;
use clap::Args;
use finding::{Finding, Level};
use serde::Serialize;
use std::fmt::Write;

const SCHEMA: &str = "shm-handoff/doctor/1";

const HELP: &str = "\
Checks:
  kernel      segments, semaphores with SEM_UNDO, futexes, membarrier
  limits      of segments and semaphores (SHMMNI, SHMMAX, SHMALL, SEM)
  removal     whether systemd-logind removes your segments when you log out
  namespace   whether this is the machine's IPC namespace, and whether a peer at KEY
              is in another one
  key         what is at KEY and at the key of its seats
  stopped     a side at KEY that was stopped, for which the other waits
  stale       segments and seats of yours that no process uses; a note, because the
              next side can use them
  orphans     segments of yours that were removed, and are still attached
  modes       channels of yours that other users can access

Each finding is ok, a note (nothing has to be done), or a problem. The command below it
mends it or, as long as a process uses the object, shows which process to ask. doctor
changes nothing. A channel that idles is well, so a health check can go by the exit status.

Examples:
  shm-handoff doctor               all of it, for the tutorial's key
  shm-handoff doctor 0x77 --json   for another one, for programs
  shm-handoff doctor --layout 'text[1024]'
                                   take segments of that struct's size for channels, too

JSON:
  {\"schema\":\"shm-handoff/doctor/1\",\"well\":...,\"findings\":[{\"check\":...,\"level\":\"ok\", \"note\"
  or \"problem\",\"what\":...,\"command\":... or null}]}. A later version may add fields and
  checks; one that changes or drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] =
    [("0", ": all is well"), ("1", "; or there is a problem"), ("2", "; or SPEC declares no layout")];

/// Finds what keeps handoffs from working on this machine, and says how to mend it
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Doctor {
    /// Key of the segment: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", default_value = "1234", allow_negative_numbers = true)]
    key: KeySpec,

    #[command(flatten)]
    layout: spec::Given,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    well: bool,
    findings: Vec<Finding>,
}

pub(super) fn run(args: &Doctor) -> Result<(), Failure> {
    let (key, declared) = (args.key.resolve()?, args.layout.read()?);
    let mut findings = system::look(key);
    findings.extend(channels::look(key, declared.as_ref()));
    let problems = findings.iter().filter(|finding| finding.level == Level::Problem).count();
    let report = Report { well: problems == 0, findings };
    stdio::show(&if args.json { json::object(SCHEMA, &report) } else { in_words(&report.findings) })?;
    match problems {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::System, "1 problem")),
        _ => Err(Failure::new(Exit::System, format!("{problems} problems"))),
    }
}

fn in_words(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { check, level, what, command } in findings {
        let (style, word) = match level {
            Level::Ok => (GOOD, "ok"),
            Level::Note => (WARNING, "note"),
            Level::Problem => (BAD, "problem"),
        };
        writeln!(text, "{style}{word:<7}{style:#}  {check:<9}  {what}").expect("a String takes everything");
        if let Some(command) = command {
            writeln!(text, "                    {HINT}$ {command}{HINT:#}").expect("a String takes everything");
        }
    }
    text
}
