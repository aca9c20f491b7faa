//! The course's C programs, examples/course: each shows its defect, each mended doesn't, and its page names them all.

use crate::{document, root};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Compiles a program of the course with `options`, and runs it with `args`.
fn run(program: &str, options: &[&str], args: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    let built = folder.path().join(program);
    let source = root().join("examples/course").join(program).with_extension("c");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror"]).args(options).arg("-o").args([&built, &source]);
    let compiled = cc.output().unwrap();
    assert!(compiled.status.success(), "{cc:?}: {}", String::from_utf8_lossy(&compiled.stderr));
    Command::new(built).args(args).output().unwrap()
}

fn assert_prints(output: &Output, code: i32, printed: &str) {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert_eq!((output.status.code(), &*out, &*err), (Some(code), printed, ""));
}

const SEEN: &str = "the reader has seen the flag, and reads hello\n";

#[test]
fn d1_waits_forever_in_a_register() {
    assert_prints(&run("d1", &["-O0"], &[]), 0, SEEN);
    assert_prints(&run("d1", &["-O2"], &[]), 1, "the reader still waits, and the flag has been 1 for a while\n");
    assert_prints(&run("d1", &["-O2", "-DMENDED"], &[]), 0, SEEN);
}

/// How many are stale is a matter of luck, and of the compiler whether any can be.
#[test]
fn d2_mended_has_no_stale_text() {
    let output = run("d2", &["-O2"], &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.starts_with("100000 messages, "), "{said}");
    println!("as the tutorial has it: {said}");
    assert_prints(&run("d2", &["-O2", "-DMENDED"], &[]), 0, "100000 messages, 0 of them stale\n");
}

#[test]
fn d3_misses_an_end_or_takes_one_too_early() {
    for (which, line, wrong, right) in
        [("missed", "end", "goes on", "leaves"), ("false", "AAAAAA", "leaves", "goes on")]
    {
        let said = |what| format!("the reader prints {line}\nthe reader {what}\n");
        assert_prints(&run("d3", &[], &[which]), 1, &said(wrong));
        assert_prints(&run("d3", &["-DMENDED"], &[which]), 0, &said(right));
    }
    assert_eq!(run("d3", &[], &[]).status.code(), Some(2));
}

#[test]
fn every_program_is_in_the_course() {
    let spoken_of = document("docs/course.md");
    for entry in std::fs::read_dir(root().join("examples/course")).unwrap() {
        let path = entry.unwrap().path();
        let name = Path::new("../examples/course").join(path.file_name().unwrap());
        assert!(spoken_of.links.iter().any(|(_, link)| Path::new(link) == name), "{}", name.display());
    }
}
