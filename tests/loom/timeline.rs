//! A counterexample as text: one column a thread, one line an operation, with
//! its order and value; the two that conflict are marked.
//!
//! ```text
//!         writer                            reader
//!         ------                            ------
//!     1   written → 0          Acquire
//! >>  2   text[0] = "AAAA"     plain
//!     3   written = 1          Relaxed
//!     4                                     written → 1          Relaxed
//! >>  5                                     text[0] → …          plain
//! ```

use crate::history::History;
use shm_handoff::sync::Ordering;
use std::fmt::Write as _;
use trace::{Action, Event, Place};

const COLUMN: usize = 38;

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
    /// The events that it stands for.
    pub(crate) events: Vec<usize>,
}

/// The rows of a history: waiting is left out, and equal looks in a row, by
/// one thread, are one.
pub(crate) fn rows(history: &History) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, event) in history.events.iter().enumerate() {
        let note = event.action == Action::Note;
        let text = match event.action {
            Action::Load => format!("{} → {}", event.place, value(event)),
            Action::Store => format!("{} = {}", event.place, value(event)),
            Action::Note => event.note.clone().unwrap_or_default(),
            Action::Fence => "fence".to_owned(),
            Action::Sleep => format!("sleeps on {}", event.place),
            Action::Wait | Action::Lock | Action::Spawn(_) | Action::Join(_) => continue,
        };
        let order = match (note, event.place, event.order) {
            (true, ..) | (_, Place::Text(..), _) => "",
            (.., Some(Ordering::Relaxed)) => "Relaxed",
            (.., Some(Ordering::Acquire)) => "Acquire",
            (.., Some(Ordering::Release)) => "Release",
            (.., Some(Ordering::AcqRel)) => "AcqRel",
            (.., Some(_)) => "SeqCst",
            (.., None) => "plain",
        };
        let conflicts = history.conflict.is_some_and(|(first, second)| number == first || number == second);
        match rows.last_mut() {
            Some(last) if !conflicts && !last.conflicts && last.thread == event.thread && last.text == text => {
                last.events.push(number);
            }
            _ => rows.push(Row { thread: event.thread, text, order, conflicts, note, events: vec![number] }),
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
            "{} {:3}   {}{text:24}{}",
            if row.conflicts { ">>" } else { "  " },
            number + 1,
            indent(row.thread),
            row.order
        );
        writeln!(out, "{}", line.trim_end()).expect("a String takes all");
    }
    out
}
