//! What the documents say, tried: every command line is run, every link leads somewhere,
//! every translation has the commands of its original, and the tutorial's programs are the
//! ones that are built.
//!
//! In a document a block of `sh` is run as it stands, and a block of `text` right behind
//! it is what it prints: to the letter, or, as `text,like`, but for the numbers and the
//! blanks. The blocks of a document are run in order, in one folder, with an empty home, no
//! settings, and an IPC namespace of their own, as by somebody who reads the page from its
//! beginning; at the end nothing must be left there. [`NOT_RUN`] has the exceptions.

#![cfg(not(model))]

mod commands;
mod course;
mod examples;
mod exits;
mod links;
mod maps;
mod markdown;
mod paragraphs;
mod shell;
#[path = "../support/mod.rs"]
mod support;
mod translated;
mod tutorial;

use markdown::Document;
use std::path::{Path, PathBuf};

/// Lines of `sh` blocks that are left out, by their first words, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo build", "the programs are those that this test was built with"),
    ("sed -i", "changes the source; docs/course.md says what was seen"),
    ("git restore", "undoes that change"),
    ("herd7", "needs herd7; ci/litmus.sh runs these files"),
    ("ci/test.sh", "runs this test"),
    ("cargo test", "runs tests, these among them"),
    ("cargo bench", "measures for minutes"),
    ("ci/models.sh", "runs every model"),
    ("ci/deep.sh", "takes hours"),
    ("ci/mutants.sh", "takes more than an hour"),
    ("ci/seeded.sh", "takes half an hour"),
    ("ci/litmus.sh", "needs herd7; ci/test.sh runs it"),
    ("ci/lab.sh", "runs the explorer; ci/test.sh does, too"),
    ("ci/spin.sh", "needs spin; ci/deep.sh runs it, and ci/test.sh the map"),
    ("ci/instructions.sh", "builds and counts for half a minute; ci/test.sh runs it"),
    ("ci/peers.sh", "measures for an hour, beside programs that have to be installed"),
    ("ci/waiting.sh", "measures for minutes"),
    ("ci/aarch64.sh", "needs a cross compiler and qemu; ci/deep.sh runs it"),
    ("ci/release.sh", "builds for minutes, by tools that it installs; ci/packages.sh tries what it makes"),
    ("sha256sum", "stands beside fetched packages"),
    ("sudo apt install", "installs into the machine; ci/packages.sh installs into one of its own"),
    ("sudo rpm -i", "as apt"),
    ("mkdir -p ~/.local/shm-handoff && tar", "needs the tarball; ci/packages.sh unpacks it"),
    ("cargo install --path .", "builds for minutes; ci/package.sh does it"),
    ("shm-handoff generate ~", "follows cargo install; tests/cli runs it"),
    ("cargo binstall", "needs a release"),
    ("cc -o reader reader.c", "stands for a program of the reader's"),
    ("cmake", "need not be there; tests/capi builds examples/c by it"),
    ("ci/hosts.sh", "takes half an hour; ci/bridge.sh runs a short one"),
    ("ci/crash.sh", "takes half an hour; ci/test.sh runs a short one"),
    ("cargo install --path bridge", "builds for minutes; ci/bridge.sh runs what stands behind it"),
    ("shm-bridge", "ci/bridge.sh runs it, in two namespaces"),
    ("shmread -k 0x51", "stands on another machine than its writer, and there ci/bridge.sh runs it"),
    ("seq 1000000 | shmwrite -k 0x51", "as its reader"),
    ("sudo cp share/systemd", "installs units; ci/deploy.sh has systemd verify them"),
    ("sudo install -D", "installs the programs, and a script that ci/deploy.sh runs"),
    ("sudo systemd-sysusers", "makes a user; ci/deploy.sh does, in a root of its own"),
    ("sudo systemctl", "needs a machine that systemd runs; ci/deploy.sh runs the commands of the units"),
    ("sudo loginctl", "needs a machine that systemd runs"),
    ("export PATH=", "the programs that this test was built with are found by name already"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, by its path from the root.
fn documents() -> Vec<Document> {
    let mut paths: Vec<PathBuf> = ["", "docs", "benches/peers"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.sort();
    assert!(paths.len() > 8, "the documents have moved: {paths:?}");
    paths.iter().map(|path| Document::read(path.strip_prefix(root()).unwrap())).collect()
}

fn document(path: &str) -> Document {
    Document::read(Path::new(path))
}

/// The entry of [`NOT_RUN`] that leaves this command out.
fn not_run(command: &str) -> Option<usize> {
    let command = commands::without_assignments(command);
    NOT_RUN.iter().position(|(words, _)| command.starts_with(words))
}

#[test]
fn what_is_not_run_is_still_there() {
    let mut used = vec![false; NOT_RUN.len()];
    for document in documents() {
        for line in document.blocks.iter().filter(|block| block.is_shell()).flat_map(|block| block.text.lines()) {
            if let Some(entry) = not_run(line) {
                used[entry] = true;
            }
        }
    }
    let stale: Vec<_> = NOT_RUN.iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry).collect();
    assert!(stale.is_empty(), "NOT_RUN names what no document has any more: {stale:?}");
}

/// Each document that is run has a test of its own below: so that none is forgotten.
#[test]
fn every_document_with_commands_is_run() {
    let with_commands = documents().into_iter().filter(|document| {
        // A translation has the commands of its original: see `translated`.
        !document.is_translation() && document.blocks.iter().any(|block| block.is_shell() && block.has_commands())
    });
    let found: Vec<_> = with_commands.map(|document| document.path.to_str().unwrap().to_owned()).collect();
    assert_eq!(found, RUN);
}

macro_rules! run {
    ($($test:ident: $path:literal),* $(,)?) => {
        const RUN: &[&str] = &[$($path),*];
        $(#[test] fn $test() { shell::run(&document($path)); })*
    };
}

run! {
    the_readme_runs: "README.md",
    the_figures_run: "docs/benchmarks.md",
    the_c_page_runs: "docs/c.md",
    the_course_runs: "docs/course.md",
    the_defects_run: "docs/defects.md",
    the_layouts_run: "docs/layouts.md",
    the_operations_run: "docs/operations.md",
    the_installation_runs: "docs/packages.md",
    the_programs_run: "docs/programs.md",
    the_recordings_run: "docs/recordings.md",
    the_tools_run: "docs/tools.md",
    the_tutorial_runs: "docs/tutorial.md",
}
