//! `shm-handoff`: what is neither reading nor writing, one subcommand each.

use super::exit::Failure;
use super::{args, bench, doctor, generate, ls, race, rm, stat, stdio, who};
use clap::{ColorChoice, Parser, Subcommand};
use std::process::ExitCode;

const PROGRAM: &str = "shm-handoff";

const HELP: &str = "\
Examples:
  shm-handoff ls                   the channels that there are
  shm-handoff stat 1234            what is at the tutorial's key
  shm-handoff who 1234             who is attached there, C programs too
  shm-handoff doctor               what keeps handoffs from working here
  shm-handoff race                 the tutorial's races, for real, and ours
  shm-handoff bench                how fast it is here, beside a pipe and a socket

Exit status:
  0      done; doctor: all is well
  1      a system call failed; rm: refused; doctor: there is a problem
  2      usage
  4      what is at the key is no channel
  6      race: somebody else took a seat
  128+n  ended by signal n

Environment:
  NO_COLOR        if it is set, no colour, but for --color=always
  CLICOLOR_FORCE  if it is set and not 0, colour also where no terminal is

Files:
  There are none: what is shown comes from the kernel, by /proc/sysvipc and
  /proc/PID/maps, and from the segments themselves.";

/// Tools around handoffs through System V shared memory.
///
/// shmread and shmwrite hand messages over; this program does the rest.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version, arg_required_else_help = true, after_long_help = HELP)]
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
    Generate(generate::Generate),
    /// One process of a race: takes orders on its input, reports on its output
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
            Self::Generate(args) => generate::run(args),
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
