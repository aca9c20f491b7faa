//! A counterexample as text: one column a thread, one line an operation, with
//! its order and value; the two that conflict are marked. So are a load that saw an
//! older value than the latest one, and each store that it did not see.
//!
//! ```text
//!         writer                                reader
//!         ------                                ------
//!     1   written: read 0       Relaxed
//! >>  2   text[0]: set "AAAA"   not visible yet
//!     3   written: set 1        Relaxed
//!     4                                         written: read 1       Relaxed
//! >>  5                                         text[0]: read ""      older value
//! ```

use crate::history::History;
use shm_handoff::sync::Ordering;
use std::fmt::Write as _;
use trace::{Action, Event, Place};

const COLUMN: usize = 46;

/// One line: an operation, or several equal ones.
pub(crate) struct Row {
    pub(crate) thread: usize,
    /// What was done: `written = 1`.
    pub(crate) text: String,
    /// `Release`, `plain` or nothing.
    pub(crate) order: &'static str,
    /// Whether this is one of the two that conflict.
    pub(crate) conflicts: bool,
    /// Whether it is a note of the model's.
    pub(crate) note: bool,
    /// What the memory has to do with it, beside the order.
    pub(crate) sight: Sight,
    /// The events that it stands for.
    pub(crate) events: Vec<usize>,
}

/// Whether a later load sees a store, and whether a load sees the latest store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Plain,
    /// A store that a later load did not see.
    NotVisibleYet,
    /// A load that did not see the latest store.
    OlderValue,
}

impl Row {
    /// Whether one line can stand for both.
    fn is_like(&self, other: &Self) -> bool {
        !self.conflicts && (self.thread, &self.text, self.sight) == (other.thread, &other.text, other.sight)
    }

    /// What stands at the row's right.
    pub(crate) fn remark(&self) -> String {
        let sight = match self.sight {
            Sight::Plain => "",
            Sight::NotVisibleYet => "not visible yet",
            Sight::OlderValue => "older value",
        };
        [self.order, sight].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// For each event, whether it is part of a load that saw an older value.
fn sights(events: &[Event]) -> Vec<Sight> {
    let mut sights = vec![Sight::Plain; events.len()];
    for (load, event) in events.iter().enumerate() {
        // Words without a name of their own can't be told apart.
        if event.action != Action::Load || event.value.is_none() || event.place == Place::Nowhere {
            continue;
        }
        let stores = (0..load).rev().filter(|store| {
            let store = &events[*store];
            store.action == Action::Store && store.place == event.place
        });
        for unseen in stores.take_while(|store| events[*store].value != event.value) {
            sights[unseen] = Sight::NotVisibleYet;
            sights[load] = Sight::OlderValue;
        }
    }
    sights
}

/// The rows of a history: waiting is left out, and equal looks in a row, by
/// one thread, are one.
pub(crate) fn rows(history: &History) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let sights = sights(&history.events);
    for (number, event) in history.events.iter().enumerate() {
        let note = event.action == Action::Note;
        let place = event.place.to_string() + if event.place == Place::Nowhere { "" } else { ": " };
        let text = match event.action {
            Action::Load => format!("{place}read {}", value(event)),
            Action::Store => format!("{place}set {}", value(event)),
            Action::Note => event.note.clone().unwrap_or_default(),
            Action::Fence => "fence".to_owned(),
            Action::Sleep => format!("sleeps on {}", event.place),
            Action::Wait | Action::Lock | Action::Spawn(_) | Action::Join(_) => continue,
        };
        let order = match (note, event.place, event.order) {
            _ if event.action == Action::Sleep => "",
            (true, ..) | (_, Place::Text(..), _) => "",
            (.., Some(Ordering::Relaxed)) => "Relaxed",
            (.., Some(Ordering::Acquire)) => "Acquire",
            (.., Some(Ordering::Release)) => "Release",
            (.., Some(Ordering::AcqRel)) => "AcqRel",
            (.., Some(_)) => "SeqCst",
            (.., None) => "plain",
        };
        let conflicts = history.conflict.is_some_and(|(first, second)| number == first || number == second);
        let sight = sights[number];
        let row = Row { thread: event.thread, text, order, conflicts, note, sight, events: vec![number] };
        match rows.last_mut() {
            Some(last) if !conflicts && last.is_like(&row) => last.events.push(number),
            _ => rows.push(row),
        }
    }
    rows
}

/// A flag is a number, a text four characters.
fn value(event: &Event) -> String {
    match (event.value, event.place) {
        (None, _) => "…".to_owned(),
        (Some(value), Place::Text(..)) => {
            let bytes = u32::try_from(value).expect("a word of text").to_ne_bytes();
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            format!("\"{}\"", text.escape_ascii())
        }
        (Some(value), _) => value.to_string(),
    }
}

pub(crate) fn timeline(history: &History) -> String {
    let mut out = String::new();
    let indent = |thread: usize| " ".repeat(thread * COLUMN);
    for line in [None, Some('-')] {
        let names = history.threads.iter().map(|name| match line {
            None => format!("{name:COLUMN$}"),
            Some(line) => format!("{:COLUMN$}", line.to_string().repeat(name.chars().count())),
        });
        writeln!(out, "        {}", names.collect::<String>().trim_end()).expect("a String takes all");
    }
    for (number, row) in rows(history).iter().enumerate() {
        let times = if row.events.len() > 1 { format!(" ×{}", row.events.len()) } else { String::new() };
        let text = if row.note { format!("({})", row.text) } else { format!("{}{times}", row.text) };
        let line = format!(
            "{} {:3}   {}{text:23} {}",
            if row.conflicts { ">>" } else { "  " },
            number + 1,
            indent(row.thread),
            row.remark()
        );
        writeln!(out, "{}", line.trim_end()).expect("a String takes all");
    }
    out
}
