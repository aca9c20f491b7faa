//! `shm-handoff`: what is neither reading nor writing, one subcommand each.

use super::exit::{self, Failure};
use super::{args, bench, doctor, generate, lab, layout, ls, race, record, rm, stat, stdio, who};
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

const PROGRAM: &str = "shm-handoff";

const EXAMPLES: &str = "\
Examples:
  shm-handoff ls                   list all channels
  shm-handoff stat 1234            show the channel at the tutorial's key
  shm-handoff who 1234             list the processes attached there, C programs too
  shm-handoff doctor               find what keeps handoffs from working here
  shm-handoff race                 the tutorial's races, for real, and ours
  shm-handoff bench                how fast it is here, beside a pipe and a socket
  shm-handoff layout shm_com.h     where the flag and the text of your struct lie
  shm-handoff lab                  be the scheduler yourself, in a browser
  shm-handoff record 0x51 run.shmrec --onto 0x52
                                   what goes from 0x51 to 0x52, and when, in a file
  shm-handoff replay run.shmrec    what is in that file";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 6] = [
    ("0", "; doctor: all is well"),
    ("1", "; or rm refused, or doctor found a problem"),
    ("2", ""),
    ("4", ""),
    ("6", " (race)"),
    ("128+n", ""),
];

const FILES: &str = "\
Files:
  Nothing is kept in files. The tools read /proc/sysvipc, /proc/PID/maps, and the
  segments themselves.";

fn help() -> String {
    format!("{}\n\n{}\n\n{FILES}", exit::help(EXAMPLES, &EXIT), args::ENVIRONMENT)
}

/// Tools around handoffs through System V shared memory.
///
/// shmread and shmwrite hand messages over; this program shows, checks and removes channels.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version, arg_required_else_help = true, after_long_help = help())]
pub(super) struct Tool {
    #[command(subcommand)]
    command: Command,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ls(ls::Ls),
    Stat(stat::Stat),
    Who(who::Who),
    Rm(rm::Rm),
    Doctor(doctor::Doctor),
    Race(race::Race),
    Bench(bench::Bench),
    Layout(layout::Layout),
    Lab(lab::Lab),
    Record(record::Record),
    Replay(record::Replay),
    Generate(generate::Generate),
    /// One process of a race: takes requests on its input, answers on its output
    #[command(name = race::SIDE, hide = true)]
    RaceSide,
    /// One process of a bench, likewise
    #[command(name = bench::SIDE, hide = true)]
    BenchSide,
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Ls(args) => ls::run(args),
            Self::Stat(args) => stat::run(args),
            Self::Who(args) => who::run(args),
            Self::Rm(args) => rm::run(args),
            Self::Doctor(args) => doctor::run(args),
            Self::Race(args) => race::run(args),
            Self::Bench(args) => bench::run(args),
            Self::Layout(args) => layout::run(args),
            Self::Lab(args) => lab::run(args),
            Self::Record(args) => record::run(args),
            Self::Replay(args) => record::replay(args),
            Self::Generate(args) => generate::run(args, Tool::command()),
            Self::RaceSide => race::side(),
            Self::BenchSide => bench::side(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ls(_) => "ls",
            Self::Stat(_) => "stat",
            Self::Who(_) => "who",
            Self::Rm(_) => "rm",
            Self::Doctor(_) => "doctor",
            Self::Race(_) => "race",
            Self::Bench(_) => "bench",
            Self::Layout(_) => "layout",
            Self::Lab(_) => "lab",
            Self::Record(_) => "record",
            Self::Replay(_) => "replay",
            Self::Generate(_) => "generate",
            Self::RaceSide => race::SIDE,
            Self::BenchSide => bench::SIDE,
        }
    }
}

/// The program.
#[must_use]
pub fn shm_handoff() -> ExitCode {
    stdio::choose_color(std::env::args_os());
    let Tool { command, .. } = args::parse();
    if stdio::was_closed(1) {
        return Failure::no_output().report(PROGRAM, "");
    }
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&format!("{PROGRAM} {}", command.name()), ""),
    }
}
