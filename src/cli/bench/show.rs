//! What a bench prints: a table and the distributions for people, an object for programs.

use super::cores::Machine;
use super::seen::{Seen, Step};
use super::wire::Transport;
use crate::cli::exit::{self, Failure};
use crate::cli::json;
use crate::cli::table::{self, Choice, Column, grouped};
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

/// Names the schema of `--json`; changed with every change that could break a program
/// which reads it.
const SCHEMA: &str = "shm-handoff/bench/1";

const HELP: &str = "\
Examples:
  shm-handoff bench                            all four, 64 bytes a message
  shm-handoff bench --svg bench.svg            with a picture
  shm-handoff bench --histogram --only ring    how long its round trips take
  shm-handoff bench --size 2047 --seconds 5    longer messages, for longer
  shm-handoff bench --json                     for programs

What is done:
  Two processes run, each kept on its core. Round trip: one sends a message and waits
  for its echo. One way: one sends, the other receives, as fast as they can. Each
  message carries its number, which is checked. The transports take turns in short
  rounds, in both orders. Each round begins with a tenth of its time uncounted.

  classic  a slot each way, by the library: looks 150 times, then sleeps
  ring     a ring of 2 MiB each way, by the library: looks 150 times, then sleeps
           until it is woken
  pipe     a pipe each way, one write(2) and one read(2) a message, which sleep
  socket   a pair of Unix stream sockets, likewise

  In a virtual machine, or beside other work, figures change from run to run. Compare
  figures of one run, and look at more than one run.

Columns:
  TRANSPORT   as above
  TRIPS       round trips that were timed, of all rounds
  MIN         the fastest, ns; each trip includes a look at the clock, whose own time
              stands above the table
  P50         half of them took so long or less, ns; P90, P99 and P99.9 likewise
  MAX         the slowest, ns
  MESSAGES/S  one way, by the receiver's clock; the median of the rounds
  BYTES/S     of these messages

JSON: one object. A later version may add fields; one that changes or drops any
has another \"schema\".
  schema      \"shm-handoff/bench/1\"
  machine     \"processor\" and \"kernel\", by name, and \"cores\": of the process that
              asks and sends, and of the one that answers and receives
  size        bytes a message; seconds: for each measurement; rounds: how many it
              was divided into; clock_ns: what a look at the clock takes
  transports  an object each, \"classic\", \"ring\", \"pipe\" or \"socket\" in
              \"transport\", with
    round_trip  \"trips\", \"min_ns\", \"p50_ns\", \"p90_ns\", \"p99_ns\", \"p99_9_ns\",
                \"max_ns\" of all rounds; \"rounds_p50_ns\", of each; \"histogram\", a list
                of \"from_ns\", \"below_ns\" and \"count\", without the empty ones
    one_way     \"messages\" of all rounds; \"messages_per_second\" and
                \"bytes_per_second\" in the median round;
                \"rounds_messages_per_second\", in each";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 4] =
    [("0", ""), ("1", "; or a message came that was not sent (a bug: please report it)"), ("2", ""), ("128+n", "")];

/// The long part of `--help`.
pub(super) fn help() -> String {
    exit::help(HELP, &EXIT)
}

/// All that there is to show.
pub(super) struct Shown {
    pub(super) machine: Machine,
    pub(super) size: usize,
    pub(super) time: Duration,
    pub(super) rounds: u32,
    pub(super) clock: u64,
    pub(super) seen: Vec<Seen>,
}

impl Shown {
    /// Under what circumstances.
    pub(super) fn circumstances(&self) -> String {
        let Self { size, time, rounds, clock, .. } = self;
        let (seconds, bytes) = (time.as_secs_f64(), if *size == 1 { "byte" } else { "bytes" });
        format!(
            "{}\n{size} {bytes} a message; {seconds} s for each measurement, in {rounds} rounds; a look at the clock: {clock} ns",
            self.machine.in_words()
        )
    }
}

const COLUMNS: &[Column<Seen>] = &[
    Column { name: "TRANSPORT", right: false, of: |seen| seen.transport.name().to_owned() },
    Column { name: "TRIPS", right: true, of: |seen| seen.trips.len().to_string() },
    Column { name: "MIN", right: true, of: |seen| seen.trips.min().to_string() },
    Column { name: "P50", right: true, of: |seen| seen.at(50.0).to_string() },
    Column { name: "P90", right: true, of: |seen| seen.at(90.0).to_string() },
    Column { name: "P99", right: true, of: |seen| seen.at(99.0).to_string() },
    Column { name: "P99.9", right: true, of: |seen| seen.at(99.9).to_string() },
    Column { name: "MAX", right: true, of: |seen| seen.trips.max().to_string() },
    Column { name: "MESSAGES/S", right: true, of: |seen| seen.rate().to_string() },
    Column { name: "BYTES/S", right: true, of: |seen| seen.bytes().to_string() },
];

/// The names of the columns.
pub(in crate::cli) fn columns() -> Vec<&'static str> {
    table::names(COLUMNS)
}

/// Fails where a column that is asked for is not there: before anything is measured.
pub(super) fn check(choice: &Choice) -> Result<(), Failure> {
    table::table(COLUMNS, &[], choice).map(drop)
}

/// For people, and for scripts that go without headings.
pub(super) fn text(shown: &Shown, choice: &Choice, histogram: bool) -> Result<String, Failure> {
    let mut text = String::new();
    if choice.has_headings() {
        text = format!("{}\n\n", shown.circumstances());
    }
    text += &table::table(COLUMNS, &shown.seen, choice)?;
    if histogram {
        for seen in &shown.seen {
            distribution(&mut text, seen).expect("a String takes everything");
        }
    }
    Ok(text)
}

/// One line for each step, with a bar for its part of all.
fn distribution(text: &mut String, seen: &Seen) -> std::fmt::Result {
    const LONGEST: u128 = 40;
    let steps = seen.steps();
    let all = u128::from(seen.trips.len());
    let most = steps.iter().map(|step| u128::from(step.count)).max().unwrap_or(1);
    writeln!(text, "\n{}, round trips by time in ns:", seen.transport.name())?;
    for Step { from, below, count } in steps {
        let (from, below, count, wide) = (grouped(from), grouped(below), grouped(count), u128::from(count));
        // Hundredths of a percent.
        let part = (wide * 10_000 + all / 2) / all;
        let bar = "#".repeat(usize::try_from((wide * LONGEST + most / 2) / most).unwrap_or(0));
        let line = format!("{from:>14} to {below:>14} {count:>12} {:>3}.{:02} % {bar}", part / 100, part % 100);
        writeln!(text, "{}", line.trim_end())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Object<'s> {
    machine: &'s Machine,
    size: usize,
    seconds: f64,
    rounds: u32,
    clock_ns: u64,
    transports: Vec<TransportObject>,
}

#[derive(Serialize)]
struct TransportObject {
    transport: Transport,
    round_trip: RoundTrip,
    one_way: OneWay,
}

#[derive(Serialize)]
struct RoundTrip {
    trips: u64,
    min_ns: u64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    p99_9_ns: u64,
    max_ns: u64,
    rounds_p50_ns: Vec<u64>,
    histogram: Vec<StepObject>,
}

#[derive(Serialize)]
struct StepObject {
    from_ns: u64,
    below_ns: u64,
    count: u64,
}

#[derive(Serialize)]
struct OneWay {
    messages: u64,
    messages_per_second: u64,
    bytes_per_second: u64,
    rounds_messages_per_second: Vec<u64>,
}

/// For programs.
pub(super) fn json(shown: &Shown) -> String {
    let step = |Step { from, below, count }| StepObject { from_ns: from, below_ns: below, count };
    let transport = |seen: &Seen| TransportObject {
        transport: seen.transport,
        round_trip: RoundTrip {
            trips: seen.trips.len(),
            min_ns: seen.trips.min(),
            p50_ns: seen.at(50.0),
            p90_ns: seen.at(90.0),
            p99_ns: seen.at(99.0),
            p99_9_ns: seen.at(99.9),
            max_ns: seen.trips.max(),
            rounds_p50_ns: seen.medians.clone(),
            histogram: seen.steps().into_iter().map(step).collect(),
        },
        one_way: OneWay {
            messages: seen.streams.iter().map(|stream| stream.messages).sum(),
            messages_per_second: seen.rate(),
            bytes_per_second: seen.bytes(),
            rounds_messages_per_second: seen.rates(),
        },
    };
    let object = Object {
        machine: &shown.machine,
        size: shown.size,
        seconds: shown.time.as_secs_f64(),
        rounds: shown.rounds,
        clock_ns: shown.clock,
        transports: shown.seen.iter().map(transport).collect(),
    };
    json::object(SCHEMA, &object)
}
