//! What has happened, over all sessions, and whether it was enough to prove anything.

use crate::child::Part;
use crate::session::Way;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Counts by name.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts(BTreeMap<String, u64>);

/// What a bridge says at its end, of which this is a part.
#[derive(Debug, Deserialize)]
struct Ended {
    event: String,
    #[serde(default)]
    sessions: u64,
    #[serde(default)]
    again: u64,
    #[serde(default)]
    probes: u64,
    #[serde(default)]
    duplicates: u64,
    #[serde(default)]
    gaps: u64,
    #[serde(default)]
    dropped: u64,
    #[serde(default)]
    foreign: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, name: impl Into<String>, count: u64) {
        *self.0.entry(name.into()).or_default() += count;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            self.add(name, *count);
        }
    }

    pub(crate) fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// What a bridge has said of itself. One that was killed has said nothing at its end.
    pub(crate) fn read(&mut self, part: Part, log: &Path) {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        for ended in text.lines().filter_map(|line| serde_json::from_str::<Ended>(line).ok()) {
            if ended.event != "ended" {
                continue;
            }
            let Ended { sessions, again, probes, duplicates, gaps, dropped, foreign, .. } = ended;
            self.add(format!("{part:?} accounts"), 1);
            for (name, count) in [
                ("sessions", sessions),
                ("again", again),
                ("probes", probes),
                ("duplicates", duplicates),
                ("gaps", gaps),
                ("dropped", dropped),
                ("foreign", foreign),
            ] {
                self.add(format!("{part:?} {name}"), count);
            }
        }
    }

    /// The floors that were not reached: each tells what has happened too rarely, for as many kills as were wanted. `points`: the
    /// bridges had failpoints.
    pub(crate) fn lacks(&self, ways: &[Way], points: bool, kills: u64) -> Vec<String> {
        // Of a thousand kills.
        let mut floors = vec![
            ("messages", 100_000),
            ("Sender killed", 200),
            ("Receiver killed", 200),
            ("Writer killed", 50),
            ("Reader killed", 50),
            ("told again", 20),
            ("stopped", 40),
            ("cut", 30),
            ("deaths told", 2),
            ("packets lost", 1000),
            ("packets repeated", 500),
            ("packets held back", 500),
            ("intents in", 100),
        ];
        if ways.contains(&Way::Chaos) {
            floors.extend([("Receiver gaps", 10), ("Receiver duplicates", 50), ("Sender again", 10)]);
        }
        if ways.iter().any(|way| *way != Way::Direct) {
            floors.push(("Middle killed", 15));
        }
        if points {
            floors.push(("intents out", 1));
        }
        let killed = self.of("Sender killed") + self.of("Receiver killed");
        floors
            .into_iter()
            .map(|(name, least)| (name, self.of(name), least * kills.min(1000) / 1000))
            .chain([("bridges killed", killed, kills)])
            .filter(|(_, count, least)| count < least)
            .map(|(name, count, least)| format!("{name}: {count} of at least {least}"))
            .collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut line = String::new();
        for (name, count) in &self.0 {
            let _ = write!(line, "{}{name} {count}", if line.is_empty() { "" } else { ", " });
        }
        to.write_str(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Way};

    /// Counts in which everything has happened so often.
    fn all(count: u64) -> Counts {
        let every = [Way::Direct, Way::Router, Way::Chaos];
        let mut counts = Counts::default();
        for lack in Counts::default().lacks(&every, true, 1000) {
            counts.add(lack.split(": ").next().unwrap_or_default(), count);
        }
        counts
    }

    #[test]
    fn enough_kills_are_not_enough_where_another_thing_did_not_happen() {
        let every = [Way::Direct, Way::Router, Way::Chaos];
        let mut counts = all(100_000);
        assert_eq!(counts.lacks(&every, true, 150), Vec::<String>::new());
        counts.0.insert("Receiver duplicates".into(), 6);
        assert_eq!(counts.lacks(&every, true, 150), ["Receiver duplicates: 6 of at least 7"]);
        assert_eq!(counts.lacks(&[Way::Direct, Way::Router], true, 150), Vec::<String>::new());
    }

    #[test]
    fn bridges_are_killed_as_often_as_was_wanted() {
        let mut counts = all(100_000);
        counts.0.insert("Sender killed".into(), 600);
        counts.0.insert("Receiver killed".into(), 600);
        assert_eq!(counts.lacks(&[Way::Direct], false, 1200), Vec::<String>::new());
        assert_eq!(counts.lacks(&[Way::Direct], false, 1201), ["bridges killed: 1200 of at least 1201"]);
    }
}
