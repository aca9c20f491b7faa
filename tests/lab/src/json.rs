//! A graph as the page reads it. All text stands once, and states name it by number.

use crate::exercise::{Exercise, Outcome};
use crate::graph::{Graph, SideShown, State};
use crate::stage::{Op, Said, Status, Step};
use serde_json::{Value, json};
use shm_handoff::sync::Ordering;
use std::collections::HashMap;

/// Things that stand once, in the order in which they came.
#[derive(Default)]
struct Once {
    numbers: HashMap<String, usize>,
    all: Vec<Value>,
}

impl Once {
    fn of(&mut self, value: Value) -> usize {
        *self.numbers.entry(value.to_string()).or_insert_with(|| {
            self.all.push(value);
            self.all.len() - 1
        })
    }
}

/// What a page shows: words of text by their bytes, all others as numbers.
fn word(place: &str, value: u64) -> String {
    let bytes = u32::try_from(value).unwrap_or(0).to_ne_bytes();
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | 0);
    let shows_text = match place {
        "text" => true,
        // A header's numbers are small.
        "ring" => value > 0xffff && bytes.iter().all(is_text),
        _ => false,
    };
    if !shows_text {
        return value.to_string();
    }
    if value == 0 { String::new() } else { escaped(&bytes) }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if *byte == 0 { "\\0".to_owned() } else { byte.escape_ascii().to_string() }).collect()
}

fn order(order: Option<Ordering>) -> &'static str {
    match order {
        None => "plain",
        Some(Ordering::Relaxed) => "Relaxed",
        Some(Ordering::Acquire) => "Acquire",
        Some(Ordering::Release) => "Release",
        Some(Ordering::SeqCst) => "SeqCst",
        Some(_) => "AcqRel",
    }
}

struct Writing {
    values: Once,
    steps: Once,
    memories: Once,
    privates: Once,
    logs: Once,
    outcomes: Vec<Outcome>,
    places: Vec<String>,
    names: Vec<&'static str>,
}

impl Writing {
    fn value(&mut self, place: usize, value: u64) -> usize {
        let value = word(self.names[place], value);
        self.values.of(json!(value))
    }

    fn text(&mut self, text: &str) -> usize {
        self.values.of(json!(escaped(text.as_bytes())))
    }

    fn step(&mut self, step: &Step) -> usize {
        let mut made = match step.op {
            _ if step.killed => json!({"op": "kill"}),
            Op::Load { place, order: by } => {
                let (seen, is_old) = step.seen.expect("a load sees something");
                let mut made = json!({"op": "load", "place": place, "order": self.order(place, by), "value": self.value(place, seen)});
                if is_old {
                    made["stale"] = json!(true);
                }
                made
            }
            Op::Store { place, order: by, value } => {
                json!({"op": "store", "place": place, "order": self.order(place, by), "value": self.value(place, value)})
            }
            Op::Fence { order: by } => json!({"op": "fence", "order": order(Some(by))}),
            Op::Wait => json!({"op": "wait"}),
            Op::Kernel(name) => {
                let mut made = json!({"op": "kernel", "name": name});
                if let Some(answer) = step.answer {
                    made["value"] = json!(self.values.of(json!(answer)));
                }
                made
            }
            Op::Sleep => json!({"op": "wake"}),
        };
        if let Some(from) = step.from {
            made["from"] = json!(from);
        }
        self.steps.of(made)
    }

    /// Text is copied without an order of its own: the flag orders it.
    fn order(&self, place: usize, by: Option<Ordering>) -> &'static str {
        if self.names[place] == "text" { "plain" } else { order(by) }
    }

    fn private(&mut self, side: &SideShown) -> usize {
        let mut all = Vec::new();
        if let Some(line) = &side.line {
            all.push(json!(["line", self.text(line)]));
        }
        if let Some(saw) = side.saw {
            all.push(json!(["saw", self.values.of(json!(saw.to_string()))]));
        }
        if !side.copy.is_empty() {
            let bytes: Vec<u8> =
                side.copy.iter().flat_map(|word| u32::try_from(*word).expect("a word of text").to_ne_bytes()).collect();
            let copy = escaped(&bytes);
            all.push(json!(["copy", self.values.of(json!(copy))]));
        }
        self.privates.of(json!(all))
    }

    fn log(&mut self, state: &State) -> usize {
        let mut all = Vec::new();
        for (at, side) in state.sides.iter().enumerate() {
            for said in &side.said {
                let (what, value) = match said {
                    Said::Sent(line) => ("sent", Some(line)),
                    Said::Printed(line) => ("printed", Some(line)),
                    Said::Refused => ("refused", None),
                    Said::Left => ("left", None),
                    Said::Told => ("told", None),
                    Said::Ends => ("ends", None),
                    Said::GoesOn => ("goes-on", None),
                };
                let value = value.map_or(json!(-1), |line| json!(self.text(line)));
                all.push(json!([what, at, value]));
            }
        }
        self.logs.of(json!(all))
    }

    fn memory(&mut self, state: &State) -> usize {
        let words = &state.words;
        let now: Vec<usize> = words.iter().enumerate().map(|(at, word)| self.value(at, word.newest)).collect();
        let sees: Vec<Vec<Vec<usize>>> = (0..state.sides.len())
            .map(|side| {
                words
                    .iter()
                    .enumerate()
                    .map(|(at, word)| word.seen_by[side].iter().map(|value| self.value(at, *value)).collect())
                    .collect()
            })
            .collect();
        self.memories.of(json!({"now": now, "sees": sees}))
    }

    fn state(&mut self, state: &State) -> Value {
        let memory = self.memory(state);
        let privates: Vec<usize> = state.sides.iter().map(|side| self.private(side)).collect();
        let log = self.log(state);
        let outcome = state.outcome.and_then(|outcome| self.outcomes.iter().position(|other| *other == outcome));
        let outcome = outcome.map_or(json!(-1), |at| json!(at));
        let statuses: Vec<u8> = state
            .sides
            .iter()
            .map(|side| match side.status {
                Status::Running => 0,
                Status::Asleep => 1,
                Status::Ended => 2,
                Status::Dead => 3,
            })
            .collect();
        let steps: Vec<[usize; 3]> =
            state.steps.iter().map(|(side, step, target)| [*side, self.step(step), *target]).collect();
        json!([memory, privates, log, outcome, statuses, steps])
    }
}

/// The graph of `exercise`.
pub(crate) fn json(exercise: &Exercise, graph: &Graph) -> String {
    // A memory that is made on the way has its words from then on: the last states have all of them.
    let words =
        graph.states.iter().map(|state| &state.words).max_by_key(|words| words.len()).expect("there is a state");
    let mut outcomes: Vec<Outcome> = graph.states.iter().filter_map(|state| state.outcome).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    let mut writing = Writing {
        values: Once::default(),
        steps: Once::default(),
        memories: Once::default(),
        privates: Once::default(),
        logs: Once::default(),
        outcomes,
        places: Vec::new(),
        names: words.iter().map(|word| word.name.0).collect(),
    };
    writing.places = words
        .iter()
        .map(|word| {
            let (name, number, memory) = word.name;
            let number = if matches!(name, "text" | "ring") { format!("[{number}]") } else { String::new() };
            format!("{name}{number}{}", "′".repeat(memory))
        })
        .collect();
    let states: Vec<Value> = graph.states.iter().map(|state| writing.state(state)).collect();
    let Writing { values, steps, memories, privates, logs, outcomes, places, .. } = writing;
    let outcomes: Vec<&str> = outcomes.into_iter().map(Outcome::name).collect();
    let fields = [
        ("schema", json!("shm-handoff/lab/1")),
        ("id", json!(exercise.id)),
        ("threads", json!(exercise.sides)),
        ("places", json!(places)),
        ("values", json!(values.all)),
        ("steps", json!(steps.all)),
        ("memories", json!(memories.all)),
        ("privates", json!(privates.all)),
        ("logs", json!(logs.all)),
        ("outcomes", json!(outcomes)),
        ("states", json!(states)),
        ("start", json!(0)),
    ];
    // A line for each field, and one for each state: differences can be read.
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::Array(all) if *name == "states" => {
                let all: Vec<String> = all.iter().map(Value::to_string).collect();
                format!("\"{name}\": [\n{}\n]", all.join(",\n"))
            }
            value => format!("\"{name}\": {value}"),
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
