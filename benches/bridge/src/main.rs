//! Measures shm-bridge beside zenoh alone, a TCP pipe and NATS: rates, latencies, and what is lost when a link is cut.
//! README.md says how.
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

mod carriers;
mod message;
mod side;
mod stage;
mod table;
mod tally;

use carriers::Carrier;
use clap::{Parser, ValueEnum};
use side::Plan;
use stage::{Link, Measurement, NATS_SERVERS};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use table::Figures;

/// Measures shm-bridge beside others, between two hosts in network namespaces.
#[derive(Debug, Parser)]
#[command(name = "bridge-bench", version)]
struct Args {
    #[command(subcommand)]
    side: Option<Side>,

    /// Only these
    #[arg(long, value_delimiter = ',')]
    only: Vec<Carrier>,

    /// Bytes of a message
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1024, 65536])]
    sizes: Vec<usize>,

    /// Rounds; a figure is the median of them
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// The parts: rates, latencies, cuts
    #[arg(long, value_delimiter = ',', default_values = ["rates", "latencies", "cuts"])]
    parts: Vec<Part>,

    /// Links are cut for so many seconds
    #[arg(long, value_delimiter = ',', default_values_t = [1, 15])]
    cuts: Vec<usize>,

    /// Folder with shm-bridge [default: where this program is]
    #[arg(long)]
    bins: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Rates,
    Latencies,
    Cuts,
}

/// One side of a measurement; the program starts itself as these.
#[derive(Debug, clap::Subcommand)]
#[command(hide = true)]
enum Side {
    #[command(hide = true)]
    Send {
        carrier: Carrier,
        #[command(flatten)]
        plan: Plan,
    },
    #[command(hide = true)]
    Receive {
        carrier: Carrier,
        #[arg(long)]
        len: usize,
        #[arg(long)]
        patience: u64,
    },
}

/// The links, and what the tables call them.
const LINKS: [(Link, &str); 2] =
    [(Link::Veth, "veth, no loss"), (Link::Wire(1), "wire in user space, 1 % of the packets lost")];

fn main() -> ExitCode {
    let args = Args::parse();
    let went = match args.side {
        Some(Side::Send { carrier, plan }) => side::send(carrier, plan),
        Some(Side::Receive { carrier, len, patience }) => side::receive(carrier, len, Duration::from_secs(patience)),
        None => measure(&args),
    };
    match went {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bridge-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), String> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(stage::stopped())).map_err(carriers::text)?;
    }
    if let Err(why) = hosts::host::Host::new() {
        println!("NOT MEASURED: {why}");
        return Ok(());
    }
    let bins = args.bins.clone().unwrap_or_else(|| {
        let mut path = std::env::current_exe().expect("this program has a path");
        path.pop();
        path
    });
    let carriers = present(&args.only, &bins);
    for (link, name) in LINKS {
        let mut parts = [(Part::Rates, None, 1500), (Part::Latencies, Some(500), 1500)].to_vec();
        parts.retain(|(part, ..)| args.parts.contains(part));
        let mut figures = vec![Figures::new(); parts.len()];
        for round in 0..args.rounds {
            for len in &args.sizes {
                for ((_, per_second, millis), figures) in parts.iter().zip(&mut figures) {
                    let plan = Plan { len: *len, per_second: *per_second, millis: *millis };
                    for carrier in turn(&carriers, round) {
                        let seed = round as u64;
                        let report = Measurement { carrier, link, plan, cut: None, seed, bins: &bins }.run();
                        note(&format!("{name}, {len} bytes"), carrier, &report)?;
                        figures.entry((carrier, *len)).or_default().push(report);
                    }
                }
            }
        }
        for ((part, ..), figures) in parts.iter().zip(&figures) {
            let text = match part {
                Part::Rates => table::rates(figures, &carriers, &args.sizes),
                _ => table::latencies(figures, &carriers, &args.sizes),
            };
            println!("{name}:\n\n{text}");
        }
    }
    if args.parts.contains(&Part::Cuts) {
        let mut figures = Figures::new();
        for seconds in &args.cuts {
            for carrier in &carriers {
                let cut = Duration::from_secs(*seconds as u64);
                let millis = 4000 + u64::try_from(cut.as_millis()).expect("short");
                let plan = Plan { len: 1024, per_second: Some(1000), millis };
                let link = Link::Wire(0);
                let report = Measurement { carrier: *carrier, link, plan, cut: Some(cut), seed: 0, bins: &bins }.run();
                note(&format!("cut for {cut:?}"), *carrier, &report)?;
                figures.entry((*carrier, *seconds)).or_default().push(report);
            }
        }
        println!("1000 messages of 1 KiB a second:\n\n{}", table::losses(&figures, &carriers, &args.cuts));
    }
    Ok(())
}

/// Every second round the other way round.
fn turn(carriers: &[Carrier], round: usize) -> Vec<Carrier> {
    let mut turn = carriers.to_vec();
    if round % 2 == 1 {
        turn.reverse();
    }
    turn
}

/// Those of the carriers that are there; of the others it is said.
fn present(only: &[Carrier], bins: &Path) -> Vec<Carrier> {
    let mut carriers = if only.is_empty() { Carrier::value_variants().to_vec() } else { only.to_vec() };
    carriers.retain(|carrier| {
        let lacks = match carrier {
            Carrier::Bridge if !bins.join("shm-bridge").exists() => {
                format!("{} has no shm-bridge: cargo build --release -p shm-handoff-bridge", bins.display())
            }
            Carrier::Nats if !NATS_SERVERS.iter().any(|path| Path::new(path).exists()) => {
                "nats-server is missing (Debian: apt install nats-server)".to_owned()
            }
            _ => return true,
        };
        println!("{}: NOT MEASURED: {lacks}", carrier.name());
        false
    });
    carriers
}

fn note(what: &str, carrier: Carrier, report: &Result<tally::Report, String>) -> Result<(), String> {
    match report {
        Ok(report) => eprintln!("{what}: {}: {report}", carrier.name()),
        Err(why) => eprintln!("{what}: {}: failed: {why}", carrier.name()),
    }
    if stage::stopped().load(Ordering::Relaxed) { Err("interrupted".into()) } else { Ok(()) }
}
