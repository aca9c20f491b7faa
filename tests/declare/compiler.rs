//! The system's C compiler, asked for offsets and sizes.

use shm_handoff::declare::{Declared, Kind, Member};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A declaration, and what C calls its type; empty: it has no name, and gets one.
pub(crate) struct Sample {
    /// What the declaration needs. Samples in a row that need the same are compiled together.
    pub(crate) before: &'static str,
    pub(crate) c_type: String,
    pub(crate) declaration: String,
}

/// What is said of a struct: its size, and of each member, by its path, where it lies and how large it is.
type Said = Vec<(String, usize, usize)>;

/// What we say.
fn ours(declared: &Declared) -> Said {
    fn walk(members: &[Member], path: &str, from: usize, said: &mut Said) {
        for member in members.iter().filter(|member| !member.name.is_empty()) {
            let path = format!("{path}{}", member.name);
            said.push((path.clone(), from + member.offset, member.size));
            if let Kind::Struct(inner) = &member.kind {
                walk(inner, &format!("{path}{}.", "[0]".repeat(member.array.len())), from + member.offset, said);
            }
        }
    }
    let mut said = vec![("the struct".to_owned(), 0, declared.struct_size())];
    walk(declared.members(), "", 0, &mut said);
    said
}

/// With a flag and data that every struct of two bytes has room for: here it is the places that count.
fn placed(sample: &Sample) -> Declared {
    let spec = format!("{}{}\n,flag=u8@0,data=1@1", sample.before, sample.declaration);
    spec.parse().unwrap_or_else(|error| panic!("{error:?}\n\n{spec}"))
}

/// Compiles all samples into one program, and compares what it prints with what we say.
pub(crate) fn compare(name: &str, samples: &[Sample]) {
    let declared: Vec<_> = samples.iter().map(placed).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // What an example includes of its own.
    std::fs::write(folder.join("other.h"), "").unwrap();
    std::fs::write(folder.join("prologue.h"), PROLOGUE).unwrap();
    let (mut calls, mut files) = (String::new(), Vec::new());
    for (number, (sample, declared)) in samples.iter().zip(&declared).enumerate() {
        let Sample { before, c_type, declaration } = sample;
        let (c_type, declaration) = match &c_type[..] {
            "" => ("nameless_t", format!("typedef {declaration} nameless_t;")),
            c_type => (c_type, declaration.clone()),
        };
        let lines = ours(declared).into_iter().fold(String::new(), |lines, (path, ..)| match &path[..] {
            "the struct" => lines + &format!("  printf(\"%d 0 %zu\\n\", number, sizeof({c_type}));\n"),
            path => {
                lines + &format!("  printf(\"%d %zu %zu\\n\", number, offsetof({c_type}, {path}), sizeof((({c_type} *)0)->{path}));\n")
            }
        });
        if before.is_empty() || number == 0 {
            files.push(format!("#include \"prologue.h\"\n{before}"));
        }
        let file = files.last_mut().unwrap();
        writeln!(file, "{declaration}\nvoid sample{number}(int number) {{\n{lines}}}").unwrap();
        writeln!(calls, "  {{ void sample{number}(int); sample{number}({number}); }}").unwrap();
    }
    files.push(format!("int main(void) {{\n{calls}  return 0;\n}}\n"));
    let names: Vec<_> = (0..files.len()).map(|number| format!("{number}.c")).collect();
    for (name, text) in names.iter().zip(&files) {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built =
        Command::new(&compiler).args(["-std=gnu11", "-w", "-o", "program"]).args(&names).current_dir(&folder).output();
    let built = built
        .unwrap_or_else(|error| panic!("`{compiler}` does not start: {error} (Debian: apt install gcc libc6-dev)"));
    assert!(built.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&built.stderr));
    let printed = Command::new(folder.join("program")).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let mut theirs = printed.lines();
    let (mut members, mut wrong) = (0, Vec::new());
    for (number, (sample, declared)) in samples.iter().zip(&declared).enumerate() {
        for (path, offset, size) in ours(declared) {
            let (line, their_line) = (format!("{number} {offset} {size}"), theirs.next().unwrap());
            if line != their_line {
                wrong.push(format!(
                    "{path}: sample, offset and size are {their_line}, and not {line}, in\n{}",
                    sample.declaration
                ));
            }
            members += 1;
        }
    }
    // The simplest first.
    wrong.sort_by_key(String::len);
    assert!(wrong.is_empty(), "{} wrong; {}", wrong.len(), wrong[0]);
    assert_eq!(theirs.next(), None);
    println!("{name}: {} structs, {members} offsets and sizes as `{compiler}` has them", samples.len());
    std::fs::remove_dir_all(folder).unwrap();
}

/// What a program of the family includes.
const PROLOGUE: &str = "\
#define _GNU_SOURCE
#include <stdio.h>
#include <limits.h>
#include <linux/limits.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdalign.h>
#include <wchar.h>
#include <uchar.h>
#include <signal.h>
#include <semaphore.h>
#include <pthread.h>
#include <time.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ipc.h>
#include <netinet/in.h>
";
