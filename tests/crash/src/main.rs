//! Real writers and readers, killed at every failpoint of theirs and at random; an oracle proves
//! that each message that was sent came, once and in order, or again only within the one
//! write that was not yet released. See `--help`, and `ci/crash.sh`, which builds what it needs.
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

mod actors;
mod child;
mod oracle;
mod session;
mod tally;

use clap::Parser;
use session::{Layout, Session};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tally::Tally;

/// Kills shmread and shmwrite again and again, and checks that nothing is lost.
///
/// A session has a key of its own, and as many readers and writers as it takes.
/// Most are killed, at a failpoint named by the source or at random; some are stopped and
/// continued. The last writer ends the session, and then nothing may be left.
#[derive(Debug, Parser)]
#[command(name = "crash", version)]
struct Args {
    /// Folder with crash-shmread and crash-shmwrite, built with `--cfg crash` [default: where this program is]
    #[arg(long)]
    bins: Option<PathBuf>,

    /// The C writer (tests/c/writer.c), to be killed too; without it, none is
    #[arg(long)]
    c_writer: Option<PathBuf>,

    /// Only this layout
    #[arg(long, value_enum)]
    layout: Option<Layout>,

    /// Kills in each layout, at least
    #[arg(long, default_value_t = 10_000)]
    kills: u64,

    /// Kills in each window, at least
    #[arg(long, default_value_t = 100)]
    least: u64,

    /// Minutes for each layout, at most; the tables are written all the same
    #[arg(long, default_value_t = 60)]
    minutes: u64,

    /// Sessions at the same time
    #[arg(long, default_value_t = 3)]
    jobs: usize,

    /// Where chance begins [default: random, and said]
    #[arg(long)]
    seed: Option<u64>,

    /// Put the tables into this file, between its marks
    #[arg(long)]
    write: Option<PathBuf>,
}

/// How often to say how far it is.
const LINE_EVERY: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args = Args::parse();
    let bins = args.bins.clone().unwrap_or_else(|| {
        let mut path = std::env::current_exe().expect("this program has a path");
        path.pop();
        path
    });
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("crash: seed {seed}");
    let layouts = args.layout.map_or(vec![Layout::Classic, Layout::Ring], |layout| vec![layout]);
    let (mut tables, mut enough) = (Vec::new(), true);
    for layout in layouts {
        let tally = Tally::new(layout, args.kills, args.least, Duration::from_secs(args.minutes * 60));
        // Set by a failure, and by a signal: then each session ends, and removes what it made.
        let failed = Arc::new(AtomicBool::new(false));
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&failed)).expect("these can be caught");
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) && !tally.is_done() {
                    std::thread::sleep(LINE_EVERY);
                    eprintln!("crash: {}", tally.line());
                }
            });
            for job in 0..args.jobs {
                let (tally, failed, bins, c_writer) = (&tally, &*failed, &bins, args.c_writer.as_deref());
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ (job as u64) << 32 ^ layout as u64);
                    while !failed.load(Ordering::Relaxed) && !tally.is_done() {
                        let went =
                            Session::new(layout, bins, c_writer, tally, &mut random, failed).and_then(Session::run);
                        if let Err(why) = went {
                            failed.store(true, Ordering::Relaxed);
                            eprintln!("crash: {layout:?}: {why}");
                        }
                    }
                });
            }
        });
        eprint!("{}", tally.summary());
        if failed.load(Ordering::Relaxed) {
            return ExitCode::FAILURE;
        }
        enough &= tally.is_enough();
        tables.push((layout, tally.table()));
    }
    if let Some(file) = &args.write {
        for (layout, table) in tables {
            if let Err(why) = tally::put(file, layout, &table) {
                eprintln!("crash: {}: {why}", file.display());
                return ExitCode::FAILURE;
            }
        }
    }
    if enough { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
