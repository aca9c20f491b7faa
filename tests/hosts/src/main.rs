//! shm-bridge between hosts whose network is bad, with each of its parts killed at random: what is written on one host is read on the
//! other one, each message once, whole, in order. See `--help`, and `ci/hosts.sh`, which builds what it needs.
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

mod child;
mod intent;
mod ledger;
mod message;
mod points;
mod role;
mod session;
mod setting;
mod tally;
mod trouble;

use clap::{Parser, ValueEnum};
use points::Points;
use session::{Plan, Session, Way};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tally::Counts;

/// Kills shm-bridge, writers and readers on two hosts, and checks that nothing is lost, and nothing comes twice.
///
/// A session has hosts of its own (network and IPC namespaces), with a wire between them that loses, repeats, delays
/// and reorders packets, and is cut now and then. The far reader tells what it read; that is compared with what the
/// near writers sent. The last writer ends the stream, and then nothing may be left.
#[derive(Debug, Parser)]
#[command(name = "hosts", version)]
struct Args {
    #[command(subcommand)]
    role: Option<Role>,

    /// shm-bridge, or crash-shm-bridge with its failpoints [default: the one that is beside this program]
    #[arg(long)]
    bridge: Option<PathBuf>,

    /// Only these ways
    #[arg(long, value_enum, value_delimiter = ',')]
    way: Vec<Way>,

    /// Kills of bridges, at least; sessions go on until everything else has happened often enough for them, too
    #[arg(long, default_value_t = 2000)]
    kills: u64,

    /// Minutes, at most
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,

    /// Sessions at the same time
    #[arg(long, default_value_t = 3)]
    jobs: u64,

    /// Things that befall a session
    #[arg(long, default_value_t = 60)]
    troubles: u64,

    /// Where chance begins [default: random, and said]
    #[arg(long)]
    seed: Option<u64>,

    /// Only the session with the seed that was said of it
    #[arg(long)]
    session: Option<u64>,

    /// In place of all that, so many minutes at full rate in bad weather: nobody dies, and memory stays as it is
    #[arg(long)]
    soak: Option<f64>,
}

/// What this program also is, on a host.
#[derive(Debug, clap::Subcommand)]
enum Role {
    #[command(hide = true)]
    Writer(role::writer::Args),
    #[command(hide = true)]
    Reader(role::reader::Args),
    #[command(hide = true)]
    Middle(role::middle::Args),
}

/// How often to say how far it is.
const LINE_EVERY: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args = Args::parse();
    let went = match &args.role {
        Some(Role::Writer(args)) => role::writer::run(args),
        Some(Role::Reader(args)) => role::reader::run(args),
        Some(Role::Middle(args)) => role::middle::run(args),
        None => test(&args),
    };
    match went {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("hosts: {why}");
            ExitCode::FAILURE
        }
    }
}

fn test(args: &Args) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(role::text)?;
    }
    if let Err(why) = hosts::probe() {
        println!("NOT CHECKED: {why}");
        return Ok(());
    }
    let bridge = match &args.bridge {
        Some(path) => path.clone(),
        None => beside()?,
    };
    let points = bridge.file_name().is_some_and(|name| name == "crash-shm-bridge").then(Points::default);
    let ways = if args.way.is_empty() { Way::value_variants() } else { &args.way };
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    let plan = Plan {
        way: ways[0],
        seed,
        troubles: args.troubles,
        soak: None,
        bridge: &bridge,
        points: points.as_ref(),
        stop: &stop,
    };
    if let Some(minutes) = args.soak {
        let time = Duration::from_secs_f64(minutes * 60.0);
        let counts = Session::new(Plan { soak: Some(time), ..plan })?.run()?;
        println!("{counts}");
        return Ok(());
    }
    if let Some(seed) = args.session {
        let counts = Session::new(Plan { seed, ..plan })?.run()?;
        println!("{counts}");
        return Ok(());
    }
    eprintln!("hosts: seed {seed}");
    let until = Instant::now() + Duration::from_secs_f64(args.minutes * 60.0);
    let (counts, next) = (Mutex::new(Counts::default()), AtomicU64::new(0));
    // Chance decides what happens in a session, so sessions go on until all of it has happened often enough.
    let lacks = |counts: &Counts| counts.lacks(ways, points.is_some(), args.kills);
    let is_done = || Instant::now() > until || lacks(&counts.lock().unwrap_or_else(PoisonError::into_inner)).is_empty();
    let failed = Mutex::new(None::<String>);
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && !is_done() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let way = ways[usize::try_from(number).unwrap_or(0) % ways.len()];
                    let seed = fastrand::Rng::with_seed(seed ^ number << 32).u64(..);
                    match Session::new(Plan { way, seed, ..plan }).and_then(Session::run) {
                        Ok(more) => counts.lock().unwrap_or_else(PoisonError::into_inner).merge(&more),
                        Err(why) => {
                            stop.store(true, Ordering::Relaxed);
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                        }
                    }
                }
            });
        }
        let mut said = Instant::now();
        while !stop.load(Ordering::Relaxed) && !is_done() {
            std::thread::sleep(Duration::from_millis(100));
            if said.elapsed() > LINE_EVERY {
                said = Instant::now();
                eprintln!("hosts: {}", counts.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
    });
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{counts}");
    if let Some(why) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(why);
    }
    // Bridges alone speak there.
    let foreign = counts.of("Sender foreign") + counts.of("Receiver foreign");
    if foreign > 0 {
        return Err(format!("{foreign} frames were taken for foreign ones"));
    }
    let lacks = lacks(&counts);
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(format!("too little has happened to prove anything: {}", lacks.join("; ")))
    }
}

/// The bridge beside this program, with failpoints if this one was built so.
fn beside() -> Result<PathBuf, String> {
    let name = if cfg!(crash) { "crash-shm-bridge" } else { "shm-bridge" };
    let path = std::env::current_exe().map_err(role::text)?.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is missing: ci/hosts.sh builds it", path.display())) }
}
