//! The tables, in Markdown.

use crate::document::Document;
use crate::machine;
use crate::markdown::{head, row};
use crate::peer::{Entry, Kind};
use crate::work::Work;
use std::collections::BTreeMap;
use std::fmt::Write;

const TRIPS: [Work; 3] = [Work::Trip(8), Work::Trip(64), Work::Trip(2047)];
const ONE_WAY: [Work; 10] = [
    Work::OneWay(8),
    Work::OneWay(24),
    Work::OneWay(56),
    Work::OneWay(64),
    Work::OneWay(120),
    Work::OneWay(256),
    Work::OneWay(1024),
    Work::OneWay(2048),
    Work::OneWay(crate::work::LONGEST),
    Work::Mixed,
];
const WAITING: [Work; 2] = [Work::Wake, Work::Idle];

pub(crate) fn markdown(run: &Document) -> String {
    let mut text = String::new();
    let mut put = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    put(heading(run));
    put("Round trip, ns; below it the ratio to the bare ping-pong beside it, median (min..max):\n".to_owned());
    put(table(run, &TRIPS));
    put("One way, ns a message, and the ratio to the bare *round trip*:\n".to_owned());
    put(table(run, &ONE_WAY));
    put("Woken from sleep, from send to receipt, and what an idle pair costs:\n".to_owned());
    put(table(run, &WAITING));
    put(crate::goals::markdown(run.samples));
    put(notes(run));
    text
}

fn heading(run: &Document) -> String {
    let samples = run.samples;
    let steady = samples.all.iter().filter(|sample| sample.steady).count();
    let counted = samples.all.iter().filter(|sample| sample.steady && Some(sample.state) == samples.state()).count();
    let state = samples.state().map_or("unknown", super::samples::State::name);
    let bare = samples.bare().map_or(String::new(), |bare| {
        format!(" The bare ping-pong: {:.0} ns ({:.0}..{:.0}).", bare.median, bare.least, bare.most)
    });
    let quick = if run.quick { " **A quick run: these figures say little.**" } else { "" };
    format!(
        "{}; core {} and core {}. State of the machine: {state}.{bare} Of {} measurements {steady} were steady, {counted} of \
         them in this state; only these count.{quick}\n",
        machine::describe(),
        run.cores[0],
        run.cores[1],
        samples.all.len(),
    )
}

fn title(work: Work) -> String {
    match work {
        Work::Trip(len) | Work::OneWay(len) => format!("{len} B"),
        Work::Mixed => "16 to 512 B".to_owned(),
        Work::Wake => "woken, µs".to_owned(),
        Work::Idle => "idle, % of a core".to_owned(),
        Work::Soak(count) => format!("{count} messages"),
    }
}

fn table(run: &Document, works: &[Work]) -> String {
    let names: Vec<String> = works.iter().map(|work| title(*work)).collect();
    let names: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    let mut text = head(&names, 1, works.len());
    if works == TRIPS
        && let Some(bare) = run.samples.bare()
    {
        let bare = format!("{:.0}<br>({:.0}..{:.0})", bare.median, bare.least, bare.most);
        text += &row(&["*limit:* bare ping-pong, two lines", &bare, "", ""]);
    }
    for entry in run.entries {
        let cells: Vec<String> = works.iter().map(|work| cell(run, entry, *work)).collect();
        if entry.missing.is_some() || cells.iter().any(|cell| !cell.is_empty()) {
            text += &row(&[vec![name(entry)], cells].concat());
        }
    }
    text
}

fn name(entry: &Entry) -> String {
    match entry.kind {
        Kind::Limit => format!("*limit:* {}", entry.name),
        Kind::Ours => format!("**{}**", entry.name),
        Kind::Processes => entry.name.to_owned(),
        Kind::Threads => format!("{} *(threads)*", entry.name),
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value {
        ..0.1 => format!("{value:.3}"),
        0.1..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn cell(run: &Document, entry: &Entry, work: Work) -> String {
    let Some(values) = run.samples.values(entry.id, work) else {
        return if run.samples.failures.contains_key(&(entry.id, work)) { "–".to_owned() } else { String::new() };
    };
    match work {
        Work::Idle => digits(values.median),
        Work::Wake => {
            let [median, least, most] = [values.median, values.least, values.most].map(|ns| digits(ns / 1000.0));
            format!("{median}<br>({least}..{most})")
        }
        _ => {
            let Some(ratio) = run.samples.to_bare(entry.id, work) else { return String::new() };
            let [median, least, most] = [ratio.median, ratio.least, ratio.most].map(digits);
            let few = if values.count < 9 { format!(" n={}", values.count) } else { String::new() };
            format!("{}<br>{median} ({least}..{most}){few}", digits(values.median))
        }
    }
}

/// Why cells are empty.
fn notes(run: &Document) -> String {
    let mut text = String::new();
    for entry in run.entries {
        if let Some(why) = entry.missing {
            let _ = writeln!(text, "- {}: {why}.", entry.name);
        }
        let mut whys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for ((peer, work), failures) in &run.samples.failures {
            if *peer == entry.id && run.samples.values(peer, *work).is_none() {
                let why = failures.first().and_then(|why| why.lines().next_back()).unwrap_or("no reason");
                whys.entry(why).or_default().push(work.to_string());
            }
        }
        for (why, works) in whys {
            let _ = writeln!(text, "- {} at {}: {why}.", entry.name, works.join(", "));
        }
    }
    text
}
