//! The table of memory orders under axiomatic models, which have what loom leaves out: load buffering,
//! fences as the language has them, and the rules of real processors.
//!
//! `protocol` has the steps, each with the line of the source that it stands for, and that line has the
//! order. Out of these come litmus tests: C11, which stand in this folder and can be handed out, and what the
//! compiler makes of the same steps for four processors. Each has a twin for every way in which
//! an order of its own can be weaker. `ci/litmus.sh` has herd7 run them.

#![cfg(not(model))]

mod c11;
mod compiled;
mod processors;
mod program;
mod protocol;
mod source;

use program::{At, Op, Orders, Test, entry};
use shm_handoff::orders::weakened;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// One test in one set of orders.
struct Variant {
    test: Test,
    orders: Orders,
    name: String,
    /// What these orders are.
    told: String,
    /// `NAME|CLAIM|shipped, shown or T1|what`, for the table.
    row: String,
}

fn variants() -> Vec<Variant> {
    let mut all = Vec::new();
    for test in protocol::tests() {
        for (orders, weaker, told) in test.variants() {
            let mut name = format!("{}-{}", test.claim, test.name);
            let (kind, what) = match &weaker {
                Some(weaker) => {
                    write!(name, "-{weaker}").unwrap();
                    (weaker.as_str(), format!("{weaker}, {told}"))
                }
                None => (if test.shown.is_some() { "shown" } else { "shipped" }, format!("{}; {told}", test.what)),
            };
            let row = format!("{name}|{}|{kind}|{what}", test.claim);
            all.push(Variant { test: test.clone(), orders, name, told, row });
        }
    }
    all
}

/// The C11 tests that stand in this folder, by their names.
fn c11() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for variant in variants() {
        let Variant { test, orders, name, told, .. } = &variant;
        let told = told.replace('`', "");
        files.insert(format!("{name}.litmus"), c11::write(test, name, &told, *orders, false));
        if c11::has_cells(test, *orders) {
            let name = format!("{name}-cells");
            files.insert(format!("{name}.litmus"), c11::write(test, &name, &told, *orders, true));
        }
    }
    files
}

/// Writes the files into a folder that has no others.
fn write_all(folder: &Path, files: &BTreeMap<String, String>) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// `UPDATE_LITMUS=1` writes them.
#[test]
fn the_files_are_those_of_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/litmus/c11");
    let made = c11();
    if std::env::var_os("UPDATE_LITMUS").is_some() {
        write_all(&folder, &made);
    }
    let there: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<BTreeSet<_>>();
    let advice = "what the table and the steps say has changed: UPDATE_LITMUS=1 cargo test --test litmus";
    assert_eq!(names(&there), names(&made), "{advice}");
    for (name, text) in made {
        assert_eq!(there[&name], text, "{name}: {advice}");
    }
}

#[test]
fn the_steps_are_those_of_the_source() {
    let mut wrong = Vec::new();
    for test in protocol::tests() {
        for thread in &test.threads {
            wrong.extend(
                source::differs(thread).into_iter().map(|what| format!("{}, {}: {what}", test.claim, thread.name)),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "the steps in tests/litmus/protocol.rs are not those of the source:\n{}",
        wrong.join("\n")
    );
}

/// A line that names a load is a load, and so on.
#[test]
fn the_steps_do_what_their_lines_say() {
    for test in protocol::tests() {
        for (op, at) in test.threads.iter().flat_map(|thread| &thread.steps) {
            let At::Source(_, _, line) = at else { continue };
            let is = |words: &[&str]| words.iter().any(|word| line.contains(word));
            let ok = match op {
                Op::Store(..) => is(&[".store(", "write"]),
                Op::Load(_) => is(&["load(", "read"]),
                Op::Fence => is(&["barrier(", "full_fence("]),
                Op::Light => is(&["compiler_fence("]),
                Op::Only(_) | Op::Call => true,
            };
            assert!(ok, "{}: {op:?} is not what this does: {line}", test.claim);
        }
    }
}

/// An operation that is new is put into a test, or it is said why it is in none.
#[test]
fn each_operation_is_a_step() {
    let tests = protocol::tests();
    let place = |at: &At| match *at {
        At::Source(file, function, line) => Some(source::place(file, function, line)),
        At::Kernel(..) => None,
    };
    let all: Vec<_> = tests.iter().flat_map(|test| &test.threads).flat_map(|thread| &thread.steps).collect();
    let steps: BTreeSet<_> = all.iter().filter_map(|(_, at)| place(at)).collect();
    let mut others: BTreeSet<_> = protocol::OTHERS.iter().filter_map(|(at, _)| place(at)).collect();
    let files: BTreeSet<_> =
        all.iter().filter_map(|(_, at)| if let At::Source(file, ..) = at { Some(*file) } else { None }).collect();
    for file in files.into_iter().filter(|file| !file.ends_with("tutorial.rs")) {
        for operation in source::operations(file) {
            assert!(others.remove(&operation) || steps.contains(&operation), "this is in no litmus test: {operation}");
        }
    }
    assert!(others.is_empty(), "these have gone: {others:?}");
}

#[test]
fn each_order_has_a_test() {
    let tests = protocol::tests();
    for test in &tests {
        for of in test.of {
            assert!(test.lines().any(|line| entry(line) == Some(of)), "{}: no step names `{of}`", test.claim);
        }
    }
    for weaker in weakened::each() {
        assert!(tests.iter().any(|test| test.of.contains(&weaker.entry)), "`{}` has no litmus test", weaker.entry);
    }
}

/// Into `target/tmp/litmus`, for `ci/litmus.sh`: the rows of its table, the places of the orders in the source,
/// and a folder for each processor.
#[test]
fn what_the_compiler_makes_of_them() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("litmus");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let all = variants();
    let rows: Vec<_> = all.iter().map(|variant| variant.row.as_str()).collect();
    fs::write(folder.join("rows"), rows.join("\n") + "\n").unwrap();
    let claims = protocol::tests().into_iter().filter(|test| test.shown.is_none());
    let places: BTreeSet<_> = claims.flat_map(|test| source::places(&test.threads)).collect();
    fs::write(folder.join("places"), places.into_iter().collect::<Vec<_>>().join("\n") + "\n").unwrap();
    for processor in &processors::ALL {
        match compiled::compile(processor, &all, &folder) {
            Ok(files) => write_all(&folder.join(processor.name), &files),
            Err(why) => {
                println!("NOT CHECKED: what the compiler makes of the orders for {}: {why}", processor.name);
                return;
            }
        }
    }
}
