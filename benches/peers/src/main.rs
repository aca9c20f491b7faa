//! Measures shm-handoff beside other ways to hand messages over, in one run; the
//! README beside Cargo.toml says what is measured and how.

mod args;
mod board;
mod cell;
mod document;
mod files;
mod goals;
mod machine;
mod markdown;
mod measure;
mod message;
mod peer;
mod peers;
mod plot;
mod run;
mod samples;
mod table;
mod turns;
mod work;

use args::Args;
use clap::Parser;
use peer::Entry;
use std::process::ExitCode;

/// Why something can't be done.
pub(crate) type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let done = match &args[..] {
        [_, side, order] if side == "--near" => near(order),
        [_, side, order] if side == "--far" => far(order),
        _ => measure::measure(&Args::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A measurement's near side, which starts the far one.
fn near(order: &str) -> Result<(), Failure> {
    die_with_parent()?;
    let order: run::Near = serde_json::from_str(order)?;
    machine::pin(order.cores[0]);
    println!("{}", serde_json::to_string(&(entry(&order.peer)?.near)(&order)?)?);
    Ok(())
}

fn far(order: &str) -> Result<(), Failure> {
    die_with_parent()?;
    let order: run::Far = serde_json::from_str(order)?;
    machine::pin(order.core);
    (entry(&order.peer)?.far)(&order)
}

fn die_with_parent() -> Result<(), Failure> {
    Ok(nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?)
}

fn entry(id: &str) -> Result<&'static Entry, Failure> {
    peers::ALL.iter().find(|entry| entry.id == id).ok_or_else(|| format!("no peer is called {id}").into())
}
