//! What is on record, and what it should be.

use std::fs;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes what differs.
    Update,
    /// Says what differs.
    Check,
}

/// The checkout's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// How many of `files`, by their paths from the root, are not as they should be.
pub(crate) fn held_against_what_is_there(mode: Mode, files: Vec<(String, String)>) -> usize {
    let mut wrong = 0;
    for (path, content) in files {
        let file = root().join(&path);
        if fs::read_to_string(&file).is_ok_and(|there| there == content) {
            continue;
        }
        match mode {
            Mode::Update => {
                fs::create_dir_all(file.parent().expect("a file has a folder")).expect("docs can be written to");
                fs::write(&file, content).expect("docs can be written to");
                println!("wrote {path}");
            }
            Mode::Check => {
                eprintln!("lab: {path} is out of date");
                wrong += 1;
            }
        }
    }
    wrong
}
