//! `shm-handoff bench`: how fast both layouts are on this machine, beside a pipe and a
//! Unix socket.
//!
//! Two processes of this program, kept on two cores, have every transport open between
//! them and are put to work on one after the other.

mod cores;
mod ends;
mod measure;
mod pair;
mod plot;
mod seen;
mod show;
mod side;
mod wire;

pub(super) use show::columns;

pub(super) use side::side;
pub(super) use wire::SIDE;

use super::exit::{Exit, Failure};
use super::progress;
use super::signals::Signals;
use super::stdio;
use super::table::Choice;
use crate::backend::memory::offsets::{SLOT, ring};
use clap::Args;
use cores::{Asked, Machine};
use indicatif::ProgressBar;
use pair::Pair;
use seen::Seen;
use show::Shown;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::Transport;

/// Rounds that each measurement is divided into, at least; more of them if they would
/// take longer than this. An even number: half of them are in the opposite order.
const ROUNDS: u32 = 8;
const LONGEST_ROUND: Duration = Duration::from_secs(1);

/// A record of a ring takes a quarter of it at most, with a header of 8 bytes.
const LONGEST_MESSAGE: u64 = (ring::DEFAULT / 4 - 8) as u64;

/// Measures both layouts on this machine, beside a pipe and a Unix socket
///
/// It measures between two processes on two cores how long a message takes there and back,
/// and how many messages go one way. The keys are private, and nothing is left behind.
#[derive(Debug, Args)]
#[command(after_long_help = show::help())]
pub(super) struct Bench {
    /// Bytes of a message, 1 to 524280; a classic slot takes 2047
    #[arg(long, value_name = "BYTES", default_value = "64",
          value_parser = clap::value_parser!(u64).range(1..=LONGEST_MESSAGE))]
    size: u64,

    /// How long each measurement takes, two for each transport, such as 0.5
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    seconds: Duration,

    /// Measure only these [default: all, classic if a message fits]
    #[arg(long, value_name = "TRANSPORTS", value_delimiter = ',')]
    only: Vec<Transport>,

    /// The cores of the process that sends and of the one that receives [default: the first two that may be used]
    #[arg(long, value_name = "A,B")]
    cores: Option<Asked>,

    /// Also show how the round trips are distributed
    #[arg(long, conflicts_with = "json")]
    histogram: bool,

    /// Also draw the figures, into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Show no progress on a terminal
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    choice: Choice,
}

fn seconds(given: &str) -> Result<Duration, &'static str> {
    let time = given.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let allowed = Duration::from_millis(10)..=Duration::from_secs(86_400);
    time.filter(|time| allowed.contains(time)).ok_or("a number of seconds, from 0.01 to 86400")
}

pub(super) fn run(args: &Bench) -> Result<(), Failure> {
    show::check(&args.choice)?;
    let size = usize::try_from(args.size).expect("the range is small");
    let transports = transports(&args.only, size)?;
    let cores = cores::choose(args.cores)?;
    if let [one, other] = cores
        && one == other
    {
        stdio::warn(
            "shm-handoff bench",
            format_args!("both processes share core {one}: each message waits for the other one's turn"),
            args.cores.is_none().then_some(format_args!("it is the only one that this process may use: taskset -p $$")),
        );
    }
    let picture = args.svg.as_deref().map(Picture::at).transpose()?;
    let signals = Signals::catch()?;
    let rounds = rounds(args.seconds);
    let total = args.seconds * 2 * u32::try_from(transports.len()).expect("there are few");
    let bar = progress::bar_of_time(args.quiet, total);
    let mut pair = Pair::start(&signals, &transports, cores, size)?;
    let nothing: Vec<_> = transports.iter().map(|transport| Seen::nothing(*transport, size)).collect();
    let seen = measure(&mut pair, nothing, args.seconds / rounds, rounds, &bar)?;
    drop(pair);
    bar.finish_and_clear();
    let (machine, clock) = (Machine::of(cores), measure::clock());
    let shown = Shown { machine, size, time: args.seconds, rounds, clock, seen };
    let text = if args.choice.json { show::json(&shown) } else { show::text(&shown, &args.choice, args.histogram)? };
    stdio::show(&text)?;
    picture.map_or(Ok(()), |picture| picture.draw(&plot::svg(&shown)))
}

/// What is to be measured, in the order in which it is shown.
fn transports(only: &[Transport], size: usize) -> Result<Vec<Transport>, Failure> {
    let too_long = size >= SLOT.text_len;
    if too_long && only.contains(&Transport::Classic) {
        let longest = SLOT.text_len - 1;
        return Err(Failure::new(Exit::Usage, format!("a classic slot takes {longest} bytes, not {size}"))
            .hint("leave classic out of --only, or name a smaller --size"));
    }
    let is_chosen = |transport: &Transport| match transport {
        Transport::Classic if only.is_empty() => !too_long,
        transport => only.is_empty() || only.contains(transport),
    };
    Ok(Transport::ALL.into_iter().filter(is_chosen).collect())
}

/// How many rounds: an even number.
fn rounds(time: Duration) -> u32 {
    let needed = time.as_nanos().div_ceil(LONGEST_ROUND.as_nanos());
    u32::try_from(needed).unwrap_or(u32::MAX - 1).next_multiple_of(2).max(ROUNDS)
}

/// All transports in turn, in one order and in the other.
fn measure(
    pair: &mut Pair<'_>,
    mut seen: Vec<Seen>,
    time: Duration,
    rounds: u32,
    bar: &ProgressBar,
) -> Result<Vec<Seen>, Failure> {
    for round in 0..rounds {
        let mut turns: Vec<_> = seen.iter_mut().collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for seen in turns {
            let transport = seen.transport;
            bar.set_message(format!("round {} of {rounds}: {}", round + 1, transport.name()));
            let trips = pair.trips(transport, time)?;
            bar.inc(progress::millis(time));
            seen.add(&trips, pair.stream(transport, time)?);
            bar.inc(progress::millis(time));
        }
    }
    Ok(seen)
}

/// The file that is drawn to. It is opened before the run, which takes its time; what was in it stays
/// until there is something to be drawn.
struct Picture<'p> {
    path: &'p Path,
    file: File,
    /// It was not there before, and goes again if nothing is drawn.
    is_new: bool,
}

impl<'p> Picture<'p> {
    fn at(path: &'p Path) -> Result<Self, Failure> {
        let made = File::options().write(true).create_new(true).open(path);
        let is_new = made.is_ok();
        let opened = made.or_else(|_| File::options().write(true).create(true).truncate(false).open(path));
        let file = opened.map_err(|error| failed(path, &error))?;
        Ok(Self { path, file, is_new })
    }

    fn draw(mut self, svg: &str) -> Result<(), Failure> {
        // A pipe or a terminal has nothing to be cut off.
        let is_file = self.file.metadata().is_ok_and(|meta| meta.is_file());
        let cut = if is_file { self.file.set_len(0) } else { Ok(()) };
        cut.and_then(|()| self.file.write_all(svg.as_bytes())).map_err(|error| failed(self.path, &error))?;
        self.is_new = false;
        Ok(())
    }
}

impl Drop for Picture<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // Nothing was drawn; whether it can go changes nothing about that.
            let _ = fs::remove_file(self.path);
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::System, format!("{}: {error}", path.display()))
        .hint("--svg takes a file in a directory that is there and that you may write to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_even_and_short() {
        let rounds = [0.01, 1.0, 8.0, 8.5, 10.0, 86_400.0].map(|seconds| rounds(Duration::from_secs_f64(seconds)));
        assert_eq!(rounds, [8, 8, 8, 10, 10, 86_400]);
    }

    #[test]
    fn classic_is_left_out_where_a_message_does_not_fit() {
        use Transport::{Classic, Pipe, Ring, Socket};
        assert_eq!(transports(&[], 2047).unwrap(), [Classic, Ring, Pipe, Socket]);
        assert_eq!(transports(&[], 2048).unwrap(), [Ring, Pipe, Socket]);
        assert_eq!(transports(&[Socket, Classic, Socket], 64).unwrap(), [Classic, Socket]);
        assert_eq!(transports(&[Classic], 2048).unwrap_err().exit, Exit::Usage);
    }
}
