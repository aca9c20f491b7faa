//! `shm-handoff`: what is neither reading nor writing, one subcommand each.

use super::exit::Failure;
use super::stdio::say;
use super::{race, stat};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

const PROGRAM: &str = "shm-handoff";

/// Tools around handoffs through System V shared memory.
///
/// shmread and shmwrite hand messages over; this program does the rest.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version, arg_required_else_help = true)]
struct Tool {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Stat(stat::Stat),
    Race(race::Race),
    /// One process of a race: takes orders on its input, reports on its output
    #[command(name = race::SIDE, hide = true)]
    RaceSide,
}

impl Command {
    fn run(&self) -> Result<(), Failure> {
        match self {
            Self::Stat(args) => stat::run(args),
            Self::Race(args) => race::run(args),
            Self::RaceSide => race::side(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Stat(_) => "stat",
            Self::Race(_) => "race",
            Self::RaceSide => race::SIDE,
        }
    }
}

/// The program.
#[must_use]
pub fn shm_handoff() -> ExitCode {
    let command = Tool::parse().command;
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say!("{PROGRAM} {}: {}", command.name(), failure.message);
            ExitCode::from(failure.exit.code())
        }
    }
}
