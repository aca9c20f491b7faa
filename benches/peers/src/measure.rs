//! A whole run: all peers at all work, round by round.

use crate::args::Args;
use crate::cell::Cells;
use crate::document::Document;
use crate::markdown::{head, row};
use crate::peer::Entry;
use crate::run::Effort;
use crate::samples::{Sample, Samples};
use crate::work::{TIMED, Work};
use crate::{Failure, files, machine, peers};
use std::time::{Duration, Instant};

const FULL: Effort = Effort { chunks: 9, chunk: 0.004, wakes: 15, settle: 1.5, idle: 2.5 };
const QUICK: Effort = Effort { chunks: 5, chunk: 0.001, wakes: 5, settle: 0.3, idle: 0.5 };

/// Rounds that count, and how many of idling, which no neighbour disturbs.
const ROUNDS: usize = 15;
const IDLE_ROUNDS: usize = 2;

/// Beyond that a measurement hangs.
const LONGEST: Duration = Duration::from_secs(30);

pub(crate) fn measure(args: &Args) -> Result<(), Failure> {
    let entries = selected(args)?;
    if args.list {
        for entry in entries {
            println!(
                "{:<16} {}{}",
                entry.id,
                entry.name,
                entry.missing.map_or(String::new(), |why| format!(" ({why})"))
            );
        }
        return Ok(());
    }
    if let Some(size) = args.files {
        return files::measure(size, &args.binaries);
    }
    let cores = machine::cores()?;
    let [here, there, ..] = cores[..] else { return Err("one core only: nothing to measure between two".into()) };
    let mut cells = Cells::new([here, there], if args.quick { QUICK } else { FULL })?;
    if let Some(exponent) = args.soak {
        soak(&mut cells, &entries, exponent, args.only.is_empty());
        return Ok(());
    }
    let minutes = args.minutes.unwrap_or(if args.quick { 1.0 } else { 15.0 });
    let mut run = Run { cells, entries, samples: Samples::default(), end: Instant::now() + minute(minutes) };
    run.rounds(&works(args)?, if args.quick { 2 } else { ROUNDS });
    if run.cells.interrupted() {
        return Err("interrupted: nothing written".into());
    }
    Document { samples: &run.samples, entries: &run.entries, cores: [here, there], quick: args.quick }.give(args)
}

fn minute(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}

fn selected(args: &Args) -> Result<Vec<Entry>, Failure> {
    if let Some(name) = args.only.iter().find(|name| !peers::ALL.iter().any(|entry| entry.id == **name)) {
        return Err(format!("no peer is called {name}; --list names them").into());
    }
    let wanted = |entry: &&Entry| args.only.is_empty() || args.only.iter().any(|name| name == entry.id);
    Ok(peers::ALL.iter().filter(wanted).copied().collect())
}

fn works(args: &Args) -> Result<Vec<Work>, Failure> {
    if args.work.is_empty() {
        return Ok([&TIMED[..], &[Work::Idle]].concat());
    }
    let works = args.work.iter().map(|name| name.parse()).collect::<Result<Vec<Work>, _>>()?;
    match works.iter().find(|work| !TIMED.contains(work) && **work != Work::Idle) {
        Some(other) => Err(format!("{other} is not in the table").into()),
        None => Ok(works),
    }
}

struct Run {
    cells: Cells,
    entries: Vec<Entry>,
    samples: Samples,
    end: Instant,
}

impl Run {
    fn rounds(&mut self, works: &[Work], enough: usize) {
        let (idle, timed): (Vec<Work>, Vec<Work>) = works.iter().partition(|work| **work == Work::Idle);
        for round in 0..if idle.is_empty() { 0 } else { IDLE_ROUNDS.min(enough - 1) } {
            eprintln!("peers: idling, round {}", round + 1);
            self.round(round, &idle);
        }
        for round in 0.. {
            let started = Instant::now();
            self.round(round, &timed);
            let fewest = self.fewest(&timed);
            eprintln!(
                "peers: round {}, {:.0} s; of each figure {fewest} or more count, at {:?}",
                round + 1,
                started.elapsed().as_secs_f64(),
                self.samples.state()
            );
            // Another one is begun only if it is likely to end in time.
            if fewest >= enough || self.cells.interrupted() || Instant::now() + started.elapsed() > self.end {
                break;
            }
        }
    }

    /// Every second one the other way round.
    fn round(&mut self, round: usize, works: &[Work]) {
        for work in works {
            let mut entries = self.entries.clone();
            if round % 2 == 1 {
                entries.reverse();
            }
            for entry in entries {
                self.one(round, &entry, *work);
            }
        }
    }

    fn one(&mut self, round: usize, entry: &Entry, work: Work) {
        if (entry.not)(work) || self.cells.interrupted() || self.given_up(entry, work) {
            return;
        }
        match self.cells.run(entry, work, LONGEST) {
            Ok(figures) => self.samples.all.push(Sample::new(round, entry.id, work, figures)),
            Err(why) => {
                eprintln!("peers: {} at {work}: {why}", entry.id);
                self.samples.failures.entry((entry.id, work)).or_default().push(why.to_string());
            }
        }
    }

    /// Who failed twice and never did it is not asked again.
    fn given_up(&self, entry: &Entry, work: Work) -> bool {
        self.samples.failures.get(&(entry.id, work)).is_some_and(|failures| failures.len() >= 2)
            && self.samples.values(entry.id, work).is_none()
    }

    fn fewest(&self, works: &[Work]) -> usize {
        let counts = self.entries.iter().flat_map(|entry| works.iter().map(move |work| (entry, *work)));
        counts
            .filter(|(entry, work)| !(entry.not)(*work) && !self.given_up(entry, *work))
            .map(|(entry, work)| self.samples.count(entry.id, work))
            .min()
            .unwrap_or(usize::MAX)
    }
}

/// From 10^4 messages on, ten times as many each time; ours alone unless others are
/// asked for.
fn soak(cells: &mut Cells, entries: &[Entry], exponent: u32, ours: bool) {
    let names =
        ["64 bytes, one way", "messages", "ns a message", "ratio to bare", "bare before, after", "memory of both, MiB"];
    print!("{}", head(&names, names.len(), 0));
    for entry in entries {
        if (entry.not)(Work::Soak(0)) || (ours && entry.kind != crate::peer::Kind::Ours) {
            continue;
        }
        for exponent in 4..=exponent {
            let figures = match cells.run(entry, Work::Soak(10_u64.pow(exponent)), Duration::from_secs(24 * 3600)) {
                Ok(figures) => figures,
                Err(why) => {
                    print!("{}", row(&[entry.name, &format!("10^{exponent}"), &why.to_string(), "", "", ""]));
                    break;
                }
            };
            let [before, after] = figures.bare;
            let cells = [
                entry.name.to_owned(),
                format!("10^{exponent}"),
                format!("{:.1}", figures.value),
                format!("{:.3}", figures.value / f64::midpoint(before, after)),
                format!("{before:.0}, {after:.0}"),
                (figures.memory >> 20).to_string(),
            ];
            print!("{}", row(&cells));
        }
    }
}
