//! `cargo run --example NAME`: each does what it is there to show, leaves nothing behind, and is in the README.

use crate::root;
use crate::support::{SHMREAD, ipc};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What each prints at its end.
const EXAMPLES: &[(&str, &str)] =
    &[("two_processes", "three\n"), ("typed", "ask: 100.3 }]\n"), ("supervised", " readers\n")];

#[test]
fn every_example_runs_and_leaves_nothing() {
    for (name, last) in EXAMPLES {
        let program = Path::new(SHMREAD).parent().unwrap().join("examples").join(name);
        let child = Command::new(&program).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}: cargo test builds it", program.display()));
        let key = child.id() << 8;
        let ended = child.wait_with_output().unwrap();
        let [printed, said] = [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(ended.status.success() && said.is_empty(), "{name}: {}: {said}", ended.status);
        assert!(printed.ends_with(last), "{name} prints: {printed}");
        assert_eq!(ipc::find_segment(key), None, "{name} leaves its segment behind");
    }
}

#[test]
fn every_example_is_tried_and_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        // The course's C programs are its page's: see `course`.
        if name == "course" {
            continue;
        }
        assert!(readme.contains(&format!("(examples/{name}")), "{name} is not in the README");
        // C programs are built by tests/capi.
        assert!(name == "c" || EXAMPLES.iter().any(|(known, _)| *known == name), "{name} is not tried");
    }
}
