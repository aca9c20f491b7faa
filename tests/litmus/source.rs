//! Whether the source still reads as the steps say.

use crate::program::{At, Thread, entry};
use shm_handoff::orders::weakened;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

pub(crate) fn src() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The lines of a file in functions, with the number of each from 0: the innermost function, and the line.
fn lines(source: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut open: Vec<(&str, String)> = Vec::new();
    source.lines().enumerate().filter_map(move |(number, text)| {
        let code = text.trim_start();
        if let Some(at) = code.find("fn ")
            && !code.starts_with("//")
            && !code.ends_with([';', '}'])
            && let Some((name, _)) = code[at + 3..].split_once(['(', '<'])
        {
            open.push((name, format!("{}}}", &text[..text.len() - code.len()])));
        }
        let inside = open.last().map(|(function, _)| (number, *function, code));
        open.pop_if(|(_, end)| text == end);
        inside
    })
}

/// The line, from 0, at which the function of this name has `line`, which it has once.
fn find(source: &str, function: &str, line: &str) -> Result<usize, String> {
    let found: Vec<_> = lines(source).filter(|(_, name, code)| *name == function && *code == line).collect();
    match found[..] {
        [(number, ..)] => Ok(number),
        _ => Err(format!("`fn {function}` has {} times: {line}", found.len())),
    }
}

/// A line of a function of a file, as text.
pub(crate) fn place(file: &str, function: &str, line: &str) -> String {
    format!("{file}, `fn {function}`: {line}")
}

/// The atomic operations of a file, each as its place.
pub(crate) fn operations(file: &str) -> Vec<String> {
    let source = fs::read_to_string(src().join(file)).unwrap();
    let is_operation = |line: &str| {
        let calls = [".load(", ".store(", "barrier(", "full_fence(", "compiler_fence("];
        !line.starts_with("//") && !line.starts_with("fn ") && calls.iter().any(|call| line.contains(call))
    };
    let all = source.lines().filter(|line| is_operation(line.trim())).count();
    let inside: Vec<_> = lines(&source).filter(|(.., code)| is_operation(code)).collect();
    assert_eq!(inside.len(), all, "{file}: an operation that is in no function");
    inside.into_iter().map(|(_, function, code)| place(file, function, code)).collect()
}

/// Where the table's entries stand: `FILE:LINE ORDER ENTRY`, each.
pub(crate) fn places(threads: &[Thread]) -> Vec<String> {
    let shipped: BTreeMap<_, _> = weakened::each().iter().map(|weaker| (weaker.entry, weaker.from)).collect();
    let place = |at: &At| {
        let At::Source(file, function, line) = *at else { return None };
        let entry = entry(line)?;
        // That fence stands in a function that is called, for both directions.
        let is_called = line.contains("is_awaited(");
        let (file, function, line) = if is_called {
            ("protocol/ring/event.rs", "full_fence", "barrier(fence);")
        } else {
            (file, function, line)
        };
        let source = fs::read_to_string(src().join(file)).unwrap();
        let number = find(&source, function, line).expect("as another test has it") + 1;
        Some(format!("{file}:{number} {:?} {entry}", shipped[entry]))
    };
    threads.iter().flat_map(|thread| &thread.steps).filter_map(|(_, at)| place(at)).collect()
}

/// What is no more as this thread's steps say: a line that has gone, or one that comes too early.
pub(crate) fn differs(thread: &Thread) -> Vec<String> {
    let (mut last, mut wrong) = (BTreeMap::new(), Vec::new());
    for (_, at) in &thread.steps {
        let At::Source(file, function, line) = *at else { continue };
        let source = fs::read_to_string(src().join(file)).unwrap_or_default();
        match find(&source, function, line) {
            Ok(number) => {
                if let Some(before) = last.insert((file, function), number)
                    && before > number
                {
                    wrong.push(format!("{file}: `fn {function}` does this earlier than the steps say: {line}"));
                }
            }
            Err(what) => wrong.push(format!("{file}: {what}")),
        }
    }
    wrong
}
