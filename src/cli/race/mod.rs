//! `shm-handoff race`: the tutorial's protocol and ours, for real, on this
//! machine.
//!
//! Three processes of this program (a writer, a second writer, a reader) run
//! short sessions, as `scenario` orders them to, and count for themselves;
//! nothing is shared between them but the segment, and the pipes to the race.

mod ends;
mod form;
mod link;
mod scenario;
mod show;
mod side;
mod stamp;
mod tally;
mod torn;
mod wire;

pub(super) use side::side;
pub(super) use wire::SIDE;

use super::exit::{Exit, Failure};
use super::progress;
use super::scratch::{self, Scratch};
use super::signals::Signals;
use super::spec;
use super::stdio;
use super::workers::Workers;
use crate::backend::sysv::KeySpec;
use crate::error::Error;
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use form::Form;
use indicatif::ProgressBar;
use scenario::{Row, Scenario};
use show::Seen;
use std::ffi::OsString;
use std::time::{Duration, Instant};
use wire::{Protocol, Who};

/// Run the tutorial's protocol for real, then ours, and count what goes wrong
///
/// Runs the tutorial's protocol between processes of its own, with the sleeps
/// taken out and no defect mended, then this project's, in the same slot and on a
/// ring, on the same machine for the same time, with the same work, and prints what
/// was sent, lost, doubled and torn. The key is a private one, and nobody else's segment is touched.
///
/// With --layout both protocols run in that struct, and there is no ring: with texts as
/// long as it has room for, or with records of its length. A record can't be an `end`.
///
/// It proves nothing either way: a race that did not show on this machine today
/// is still one. What proves something is the model checker, which tries all
/// the orders in which the steps can happen: see docs/defects.md, and run
/// RUSTFLAGS="--cfg loom" cargo test --test loom defects -- --nocapture
#[derive(Debug, Args)]
#[command(after_long_help = show::help())]
pub(super) struct Race {
    /// How long to run each of the protocols
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,

    /// A key that nobody uses: decimal, 0x hexadecimal, or PATH:ID [default: a random one where nothing is]
    #[arg(short, long, value_name = "KEY", allow_negative_numbers = true, value_parser = OsStringValueParser::new().try_map(private_key))]
    key: Option<KeySpec>,

    #[command(flatten)]
    layout: spec::Given,

    /// Print one JSON object (see --help for its fields)
    #[arg(long)]
    json: bool,

    /// Show no progress on a terminal
    #[arg(short, long)]
    quiet: bool,
}

fn private_key(given: OsString) -> Result<KeySpec, Error> {
    let spec = given.try_into()?;
    match &spec {
        KeySpec::Number(key) => scratch::check(*key)?,
        KeySpec::Path(..) => {}
    }
    Ok(spec)
}

/// The subcommand.
pub(super) fn run(args: &Race) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    // Dropped in the opposite order: the processes end before what they use.
    let declared = args.layout.read()?;
    Form::of(declared.as_ref())?;
    let protocols = Protocol::all(declared.as_ref());
    let mut scratch = Scratch::claim(args.key.as_ref(), declared.as_ref())?;
    let mut workers = Workers::start(&signals, Who::ALL.map(|who| (who, Vec::new())))?;
    let time = Duration::from_secs(args.seconds.into());
    let bar = progress::bar_of_time(args.quiet, protocols.iter().map(|_| time).sum());
    let mut session = 0;
    let mut seen = Vec::new();
    for protocol in protocols.iter().copied() {
        if protocol == Protocol::Ring {
            scratch.remake(protocol.options(scratch.key(), None)?)?;
        }
        seen.push(measure(protocol, time, &mut workers, &scratch, &bar, &mut session)?);
    }
    bar.finish_and_clear();
    drop(workers);
    let shown =
        if args.json { show::json(args.seconds, &scratch, &seen) } else { show::text(args.seconds, &scratch, &seen) };
    drop(scratch);
    stdio::show(&shown)?;
    if seen.iter().any(|seen| seen.protocol != Protocol::Tutorial && !seen.is_clean()) {
        return Err(Failure::new(
            Exit::System,
            "this project's own protocol lost, doubled, tore or misjudged a message, which it must never do",
        )
        .hint("that is a bug: please report it with the output above"));
    }
    Ok(())
}

/// Runs all scenarios for one protocol.
fn measure(
    protocol: Protocol,
    time: Duration,
    workers: &mut Workers<'_, Who>,
    scratch: &Scratch,
    bar: &ProgressBar,
    session: &mut u32,
) -> Result<Seen, Failure> {
    let mut rows = Vec::new();
    for scenario in Scenario::ALL {
        bar.set_message(format!("{}: {}", show::name(protocol), scenario.name()));
        let time = time * scenario.share() / 100;
        let (from, started) = (bar.position(), Instant::now());
        let mut row = Row::default();
        // One at least, so that no row is empty.
        while row.sessions == 0 || started.elapsed() < time {
            *session = session.wrapping_add(1);
            row += scenario.run(workers, scratch, protocol, *session)?;
            bar.set_position(from + progress::millis(started.elapsed().min(time)));
        }
        rows.push((scenario, row));
    }
    Ok(Seen { protocol, rows })
}
