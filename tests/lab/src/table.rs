//! The figures of docs/verification.md, as they are printed, too.

use crate::exercise::{Exercise, Outcome};
use crate::graph::{Graph, shortest};
use crate::record::root;
use crate::weaker::Found;
use std::fmt::Write as _;

const PAGE: &str = "docs/verification.md";
const FROM: &str = "<!-- lab -->\n";
const TO: &str = "<!-- /lab -->\n";

fn steps(graph: &Graph) -> usize {
    graph.states.iter().map(|state| state.steps.len()).sum()
}

/// Thousands are set apart.
fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The outcomes, each with the number of steps of a shortest way to it.
fn outcomes(graph: &Graph) -> String {
    let mut all: Vec<Outcome> = graph.states.iter().filter_map(|state| state.outcome).collect();
    all.sort_unstable();
    all.dedup();
    let all: Vec<String> = all
        .into_iter()
        .map(|outcome| {
            let steps = shortest(graph, |state| state.outcome == Some(outcome)).map_or(0, |steps| steps.len());
            format!("{} in {steps}", outcome.name())
        })
        .collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

pub(crate) fn row(exercise: &Exercise, graph: &Graph) -> String {
    let [states, steps, agreed] = [graph.states.len(), steps(graph), graph.agreed].map(number);
    format!("| {} | {states} | {steps} | {agreed} | {} |", exercise.id, outcomes(graph))
}

pub(crate) fn weaker(found: &Found) -> String {
    let Found { part, change, exercise, outcomes } = found;
    let outcomes: Vec<&str> = outcomes.iter().map(|outcome| outcome.name()).collect();
    format!("| {part} | {change} | {exercise} | {} |", outcomes.join(", "))
}

/// The page with both tables in it.
pub(crate) fn in_its_page(graphs: &[(&Exercise, Graph)], found: &[Found]) -> (String, String) {
    let page = std::fs::read_to_string(root().join(PAGE)).expect("there is a page");
    let mut tables = String::from(
        "| exercise | states | steps | ways that agree | what can go wrong, in how many steps |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for (exercise, graph) in graphs {
        writeln!(tables, "{}", row(exercise, graph)).expect("a String takes all");
    }
    tables.push_str("\n| part | weakened | exercise | then |\n| --- | --- | --- | --- |\n");
    for found in found {
        writeln!(tables, "{}", weaker(found)).expect("a String takes all");
    }
    let (before, rest) = page.split_once(FROM).unwrap_or_else(|| panic!("{PAGE} has no {FROM}"));
    let (_, after) = rest.split_once(TO).unwrap_or_else(|| panic!("{PAGE} has no {TO}"));
    (PAGE.to_owned(), format!("{before}{FROM}{tables}{TO}{after}"))
}
