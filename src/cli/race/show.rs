//! What a race prints: a table for people, an object for programs, and what
//! the words in both mean.

use super::scenario::{Row, Scenario};
use super::tally::Tally;
use super::torn::Torn;
use super::wire::Protocol;
use crate::cli::scratch::Scratch;
use crate::cli::table::grouped;
use crate::cli::{exit, json};
use crate::error::plural;
use serde::Serialize;
use std::fmt::Write;

/// Names the schema of `--json`; changed with every change that could break a
/// program which reads it.
const SCHEMA: &str = "shm-handoff/race/1";

/// What the columns mean, in the words of [`Tally`].
const WORDS: &str = "\
What is counted, and the defect that shows in it:
  sent         texts for which the writer set the flag (`end`s not among them)
  lost         texts that were sent and never came whole (D4, D5)
  doubled      whole texts that came again (D5)
  torn         what came and nobody sent in this session: parts of two texts, an
               older text, none at all (D2, D5). (Both halves of a mix are lost
               as well.) One of them is shown under the table.
  missed ends  `end`s that were sent, and at which the reader did not leave (D3)
  false ends   times the reader left with no `end` in its hands (D3)
  hung         sessions in which a side waited for what could not come any more
               (D9: nothing tells that side so. In a race it is told that the
               other one is through, and looks again); a reader of records,
               which have no `end`, waits for that
  messages/s   texts and `end`s, by the writer's clock; a rough figure";

const JSON: &str = "\
JSON: one object. A later version may add fields; one that changes or drops any
has another \"schema\".
  schema      \"shm-handoff/race/1\"
  seconds     the time for each protocol; key: the key, as a number
  layout      with --layout: its terms
  protocols   an object each, \"tutorial\", \"ours\" and (without --layout) \"ring\" in
              \"protocol\", each
              with \"clean\" (nothing went wrong) and \"rows\", an object for each
              scenario: \"scenario\", \"sessions\", \"sent\", \"received\", \"lost\",
              \"doubled\", \"torn\", \"disordered\" (texts that came after a later one
              of their writer), \"ends\", \"ends_missed\", \"ends_false\", \"hung\",
              \"refused\" (second writers kept out), \"messages_per_second\" (null
              but for \"together\", the others mostly wait). Where a torn message
              was seen, \"torn_message\" is one of them: \"session\", \"text\" (its
              first 200 bytes, with C's escapes), \"bytes\" (its length), and
              \"parts\", an object each: \"at\", \"bytes\", and \"writer\" (1: the
              second) and \"number\" of the message that has these bytes there
              (left out if none has)";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 6] = [
    ("0", ": it ran, whatever it saw of the tutorial's protocol"),
    ("1", "; or ours lost, doubled, tore or misjudged a message (a bug: please report it); or the key is in use"),
    ("2", ""),
    ("4", ""),
    ("6", ""),
    ("128+n", ""),
];

const PROVES: &str = "\
This proves nothing either way. It is what showed on this machine, this time: a
race that did not is still one, and with another processor, compiler or load it
can. What does prove something is the model checker, which tries every order of
the steps: see docs/defects.md, or
  RUSTFLAGS=\"--cfg loom\" cargo test --test loom defects -- --nocapture
";

/// Over the columns of [`table`].
const HEADING: &str = concat!(
    "                                                                    missed  false\n",
    "                    sessions        sent     lost  doubled    torn    ends   ends  hung  messages/s\n",
);
/// Under them: the defect that shows there.
const DEFECTS: &str = "                                            D4 D5       D5   D2 D5      D3     D3    D9\n";

/// All that was seen of one protocol.
pub(super) struct Seen {
    pub(super) protocol: Protocol,
    pub(super) rows: Vec<(Scenario, Row)>,
}

impl Seen {
    pub(super) fn is_clean(&self) -> bool {
        self.rows.iter().all(|(_, row)| row.tally.is_clean() && row.hung == 0)
    }
}

pub(super) fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tutorial => "the tutorial's",
        Protocol::Ours => "ours",
        Protocol::Ring => "ours, a ring",
    }
}

/// The long part of `--help`.
pub(super) fn help() -> String {
    exit::help(&format!("{}\n{WORDS}\n\n{JSON}", stories()), &EXIT)
}

fn stories() -> String {
    let mut text = "What is done, in many short sessions:\n".to_owned();
    for scenario in Scenario::ALL {
        let story = scenario.story().replace('\n', "\n                ");
        writeln!(text, "  {:<14}{story}", scenario.name()).expect("a String takes everything");
    }
    text
}

/// For people.
pub(super) fn text(seconds: u32, scratch: &Scratch, seen: &[Seen]) -> String {
    let mut text = String::new();
    table(&mut text, seconds, scratch, seen).expect("a String takes everything");
    text
}

fn table(text: &mut String, seconds: u32, scratch: &Scratch, seen: &[Seen]) -> std::fmt::Result {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let key = scratch.key();
    writeln!(text, "{seconds} s for each protocol, on {cores} core{}, {key}", plural(cores))?;
    if let Some(declared) = scratch.declared() {
        writeln!(text, "layout {declared}")?;
    }
    for Seen { protocol, rows } in seen {
        let note = match protocol {
            Protocol::Tutorial => "The tutorial's protocol, its sleeps taken out:",
            Protocol::Ours => "Ours, as it ships:",
            Protocol::Ring => "Ours, on a ring:",
        };
        writeln!(text, "\n{note}\n")?;
        text.push_str(HEADING);
        let theirs = *protocol == Protocol::Tutorial;
        if theirs {
            text.push_str(DEFECTS);
        }
        for (scenario, row) in rows {
            let Tally { sent, lost, doubled, torn, ends_missed, ends_false, .. } = row.tally;
            let [sessions, sent, lost, doubled, torn, missed, not_one, hung] =
                [row.sessions, sent, lost, doubled, torn, ends_missed, ends_false, row.hung].map(grouped);
            let rate = per_second(*scenario, row).map_or_else(|| "-".to_owned(), grouped);
            writeln!(
                text,
                "{:<14}{:<5}{sessions:>9}{sent:>12}{lost:>9}{doubled:>9}{torn:>8}{missed:>8}{not_one:>7}{hung:>6}{rate:>12}",
                scenario.name(),
                if theirs { scenario.defects() } else { "" }
            )?;
        }
        for (scenario, row) in rows {
            if row.refused > 0 {
                let (refused, times, name) = (grouped(row.refused), plural(row.refused), scenario.name());
                let sessions = grouped(row.sessions);
                writeln!(text, "{name}: the second writer was kept out {refused} time{times} of {sessions}")?;
            }
            if row.tally.disordered > 0 {
                let (count, name) = (grouped(row.tally.disordered), scenario.name());
                writeln!(text, "{name}: {count} texts came after a later one of their writer")?;
            }
            if let Some(torn) = &row.torn {
                writeln!(text, "{}: {torn}", scenario.name())?;
            }
        }
    }
    write!(text, "\n{}\n{WORDS}\n\n{PROVES}", stories())
}

#[derive(Serialize)]
struct Object {
    seconds: u32,
    key: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<String>,
    protocols: Vec<ProtocolObject>,
}

#[derive(Serialize)]
struct ProtocolObject {
    protocol: Protocol,
    clean: bool,
    rows: Vec<RowObject>,
}

#[derive(Serialize)]
struct RowObject {
    scenario: &'static str,
    sessions: u64,
    #[serde(flatten)]
    tally: Tally,
    hung: u64,
    refused: u64,
    messages_per_second: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    torn_message: Option<Torn>,
}

/// For programs.
pub(super) fn json(seconds: u32, scratch: &Scratch, seen: &[Seen]) -> String {
    let object = |seen: &Seen| ProtocolObject {
        protocol: seen.protocol,
        clean: seen.is_clean(),
        rows: seen.rows.iter().map(|(scenario, row)| row_object(*scenario, row)).collect(),
    };
    let protocols = seen.iter().map(object).collect();
    let layout = scratch.declared().map(ToString::to_string);
    json::object(SCHEMA, &Object { seconds, key: scratch.key().number(), layout, protocols })
}

fn row_object(scenario: Scenario, row: &Row) -> RowObject {
    let Row { sessions, tally, hung, refused, .. } = *row;
    let messages_per_second = per_second(scenario, row);
    let torn_message = row.torn.clone();
    RowObject { scenario: scenario.name(), sessions, tally, hung, refused, messages_per_second, torn_message }
}

/// Where the sides do nothing but hand over.
fn per_second(scenario: Scenario, row: &Row) -> Option<u64> {
    let timed = scenario == Scenario::Together && row.nanos > 0;
    timed.then(|| u64::try_from(u128::from(row.timed) * 1_000_000_000 / u128::from(row.nanos)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_that_was_taken() {
        let row = Row { timed: 3_000, nanos: 1_500_000, ..Row::default() };
        assert_eq!(per_second(Scenario::Together, &row), Some(2_000_000));
        assert_eq!(per_second(Scenario::WriterFirst, &row), None);
        assert_eq!(per_second(Scenario::Together, &Row::default()), None);
    }

    #[test]
    fn a_hang_alone_is_not_clean() {
        let seen =
            |hung| Seen { protocol: Protocol::Ours, rows: vec![(Scenario::Together, Row { hung, ..Row::default() })] };
        assert!(seen(0).is_clean() && !seen(1).is_clean());
    }
}
