//! The failpoints of the bridges, where they have any: which ones there are is learnt as they run.

use crate::child::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The failpoints that are known, of the sender and of the receiver.
#[derive(Debug, Default)]
pub(crate) struct Points {
    known: Mutex<BTreeMap<Part, BTreeSet<String>>>,
}

/// Where an intent is open: rarely hit otherwise.
const INTENTS: &str = "ring/intent.rs";

fn list(log: &Path) -> PathBuf {
    log.with_extension("points")
}

impl Points {
    /// What is in store for a bridge: nothing, to say which failpoints it has, or to die at one.
    pub(crate) fn choose(&self, part: Part, command: &mut Command, log: &Path, random: &mut fastrand::Rng) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let points: Vec<&String> = known.get(&part).into_iter().flatten().collect();
        match random.u8(..100) {
            0..40 => {}
            40..50 => drop(command.env("CRASH_LIST", list(log))),
            _ if points.is_empty() => drop(command.env("CRASH_LIST", list(log))),
            chance => {
                let near: Vec<&&String> = points.iter().filter(|point| point.contains(INTENTS)).collect();
                let point = match near[..] {
                    [] => points[random.usize(..points.len())],
                    _ if chance < 80 => points[random.usize(..points.len())],
                    _ => near[random.usize(..near.len())],
                };
                let scale = random.u32(0..12);
                let passage = random.u64(1..=1 << scale);
                command.env("CRASH_POINT", point).env("CRASH_PASSAGE", passage.to_string());
            }
        }
    }

    /// A bridge has ended, and may have said which failpoints it has.
    pub(crate) fn learn(&self, part: Part, log: &Path) {
        let path = list(log);
        let Ok(said) = std::fs::read_to_string(&path) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(part).or_default().extend(said.lines().map(str::to_owned));
        let _ = std::fs::remove_file(path);
    }
}
