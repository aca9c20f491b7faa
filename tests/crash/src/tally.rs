//! How often who was killed where.

use crate::session::Layout;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Who was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Writer,
    Reader,
}

/// What all sessions of a layout add up to.
#[derive(Debug)]
pub(crate) struct Tally {
    layout: Layout,
    /// Kills that are asked for, in all and in each window.
    kills: u64,
    least: u64,
    started: Instant,
    /// No longer than this.
    longest: Duration,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    points: BTreeMap<(Side, String), Point>,
    sums: Sums,
}

/// A point that somebody has passed.
#[derive(Debug, Default)]
struct Point {
    kills: u64,
    /// Attempts since the last kill.
    attempts: u64,
    /// The latest passage at which somebody has died.
    latest: u64,
}

/// Sums over sessions.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) sessions: u64,
    pub(crate) messages: u64,
    pub(crate) repeated: u64,
    pub(crate) at_random: u64,
    pub(crate) c_writers: u64,
    pub(crate) stops: u64,
}

/// Attempts at a point that is not reached again, before it is let be: it takes a
/// coincidence.
const ATTEMPTS: u64 = 3000;

/// So many of a side's points count as rare.
const RARE: usize = 10;

impl Tally {
    pub(crate) fn new(layout: Layout, kills: u64, least: u64, longest: Duration) -> Self {
        Self { layout, kills, least, started: Instant::now(), longest, counts: Mutex::default() }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics with it")
    }

    /// These points are there.
    pub(crate) fn found(&self, side: Side, points: Vec<String>) {
        let mut counts = self.counts();
        for point in points {
            counts.points.entry((side, point)).or_default();
        }
    }

    /// A point to die at, mostly one of those where too few have, and at which passage.
    pub(crate) fn point(&self, side: Side, random: &mut fastrand::Rng) -> Option<(String, u64)> {
        let mut counts = self.counts();
        let any = random.u8(..) < 16;
        let has_all =
            counts.points.iter().filter(|((of, _), _)| *of == side).all(|(_, point)| point.kills >= self.least);
        let mut choice: Vec<_> = counts
            .points
            .iter_mut()
            .filter(|((of, _), point)| {
                let is_wanted = any || has_all || point.kills < self.least;
                *of == side && is_wanted && point.attempts < ATTEMPTS
            })
            .collect();
        if choice.is_empty() {
            return None;
        }
        let number = random.usize(..choice.len());
        let ((_, name), point) = &mut choice[number];
        point.attempts += 1;
        // Many are passed once and never again; of others the hundredth passage is another one.
        let passage = if random.bool() { 1 } else { random.u64(1..=point.latest * 4 + 2) };
        Some((name.clone(), passage))
    }

    /// One of the points where the fewest have died: for who comes first or next, for what is
    /// met only while a segment is made, or behind a maker's death, is rare later.
    pub(crate) fn rare_point(&self, side: Side, random: &mut fastrand::Rng) -> Option<(String, u64)> {
        let counts = self.counts();
        let mut mine: Vec<_> = counts.points.iter().filter(|((of, _), _)| *of == side).collect();
        mine.sort_by_key(|(_, point)| point.kills);
        mine.truncate(RARE);
        let ((_, name), point) = mine.get(random.usize(..mine.len().max(1)))?;
        Some((name.clone(), random.u64(1..=point.latest + 2)))
    }

    /// One was killed: at this passage of this point, or at random.
    pub(crate) fn killed(&self, side: Side, at: Option<(&str, u64)>) {
        let mut counts = self.counts();
        if let Some((name, passage)) = at {
            let point = counts.points.entry((side, name.to_owned())).or_default();
            *point = Point { kills: point.kills + 1, attempts: 0, latest: point.latest.max(passage) };
        } else {
            counts.sums.at_random += 1;
        }
    }

    pub(crate) fn add(&self, sums: Sums) {
        let all = &mut self.counts().sums;
        all.sessions += sums.sessions;
        all.messages += sums.messages;
        all.repeated += sums.repeated;
        all.at_random += sums.at_random;
        all.c_writers += sums.c_writers;
        all.stops += sums.stops;
    }

    fn total(counts: &Counts) -> u64 {
        counts.points.values().map(|point| point.kills).sum::<u64>() + counts.sums.at_random + counts.sums.c_writers
    }

    /// Nothing more is to be done.
    pub(crate) fn is_done(&self) -> bool {
        let counts = self.counts();
        let is_late = self.started.elapsed() >= self.longest;
        is_late
            || Self::total(&counts) >= self.kills
                && counts.points.values().all(|point| point.kills >= self.least || point.attempts >= ATTEMPTS)
    }

    /// Each window has had its due.
    pub(crate) fn is_enough(&self) -> bool {
        let counts = self.counts();
        Self::total(&counts) >= self.kills && counts.points.values().all(|point| point.kills >= self.least)
    }

    /// How far it is.
    pub(crate) fn line(&self) -> String {
        let counts = self.counts();
        let is_open = |point: &Point| point.kills < self.least && point.attempts < ATTEMPTS;
        let open = counts.points.values().filter(|point| is_open(point)).count();
        let last = counts.points.iter().filter(|(_, point)| is_open(point)).min_by_key(|(_, point)| point.kills);
        format!(
            "{:?}: {} kills, {} of {} windows to go{}, {} s",
            self.layout,
            Self::total(&counts),
            open,
            counts.points.len(),
            last.map_or(String::new(), |((side, name), point)| format!(" ({side:?}, {name}: {} so far)", point.kills)),
            self.started.elapsed().as_secs()
        )
    }

    pub(crate) fn summary(&self) -> String {
        let counts = self.counts();
        let Sums { sessions, messages, repeated, at_random, c_writers, stops } = counts.sums;
        let mut text = format!(
            "{:?}: {} kills in {sessions} sessions ({at_random} at random, {c_writers} C writers, {} windows), {stops} stops, {messages} messages, {repeated} came again, none lost, {} s\n",
            self.layout,
            Self::total(&counts),
            counts.points.len(),
            self.started.elapsed().as_secs(),
        );
        for ((side, name), Point { kills, attempts, .. }) in &counts.points {
            if *kills < self.least {
                let _ = writeln!(text, "  {side:?} {name}: {kills} kills, {attempts} attempts since");
            }
        }
        text
    }

    /// The table for the docs.
    pub(crate) fn table(&self) -> String {
        let counts = self.counts();
        let mut text =
            format!("{}\n| who | before or after what | kills |\n| --- | --- | --- |\n", self.summary_line(&counts));
        for ((side, name), Point { kills, .. }) in &counts.points {
            let who = if *side == Side::Writer { "writer" } else { "reader" };
            let _ = writeln!(text, "| {who} | {} | {kills} |", in_words(name));
        }
        text
    }

    fn summary_line(&self, counts: &Counts) -> String {
        let Sums { sessions, messages, repeated, at_random, c_writers, stops } = counts.sums;
        format!(
            "{} kills in {sessions} sessions: {at_random} at random, {c_writers} of C writers, the rest in the windows below; {stops} stops. {messages} messages came, none was lost, {repeated} came again as promised. {} s.\n",
            Self::total(counts),
            self.started.elapsed().as_secs(),
        )
    }
}

/// A point of the source with the line that stands there.
fn in_words(point: &str) -> String {
    let Some((operation, (file, line))) =
        point.split_once(' ').and_then(|(op, place)| Some((op, place.split_once(':')?)))
    else {
        return point.to_owned();
    };
    let stands = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file))
        .ok()
        .zip(line.parse::<usize>().ok())
        .and_then(|(text, line)| text.lines().nth(line.checked_sub(1)?).map(|line| line.trim().to_owned()));
    match stands {
        Some(stands) => format!("{operation} `{file}`: `{}`", stands.replace('|', "\\|")),
        None => point.to_owned(),
    }
}

/// Puts a table between `<!-- crash: LAYOUT -->` and `<!-- end -->`.
pub(crate) fn put(file: &Path, layout: Layout, table: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mark = format!("<!-- crash: {} -->\n", format!("{layout:?}").to_lowercase());
    let (before, rest) = text.split_once(&mark).ok_or_else(|| format!("there is no `{}`", mark.trim()))?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or("there is no `<!-- end -->`")?;
    std::fs::write(file, format!("{before}{mark}\n{table}\n<!-- end -->{after}")).map_err(|error| error.to_string())
}
