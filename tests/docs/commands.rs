//! What a command names is there: scripts, tests, programs, their subcommands and options.
//! So also what is not run, and what stands within a line, is no invention.

use crate::documents;
use crate::root;
use crate::support::{SHM_HANDOFF, SHMREAD, SHMWRITE};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What is left of `A=b C="d e" command`.
pub(crate) fn without_assignments(command: &str) -> &str {
    let command = command.trim_start();
    let name = command.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(0);
    let Some(value) = command[name..].strip_prefix('=').filter(|_| name > 0) else { return command };
    let end = match value.strip_prefix('"') {
        Some(quoted) => quoted.find('"').map_or(value.len(), |at| at + 2),
        None => value.find(' ').unwrap_or(value.len()),
    };
    without_assignments(&value[end..])
}

#[test]
fn what_commands_name_is_there() {
    let mut help = HashMap::new();
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for document in documents() {
        let blocks = document.blocks.iter().filter(|block| block.is_shell());
        let lines = blocks.flat_map(|block| block.text.lines().map(|line| (block.line, line.to_owned())));
        for (line, command) in lines.chain(document.spans.iter().cloned()) {
            let words: Vec<_> = without_comment(without_assignments(&command)).split_whitespace().collect();
            let fault = match words[..] {
                ["cargo", verb @ ("test" | "bench"), ref rest @ ..] => targets(verb, rest),
                // (A list beside the scripts is none.)
                [script, ..] if script.starts_with("ci/") && Path::new(script).extension() != Some("txt".as_ref()) => {
                    runnable(script)
                }
                [program @ ("shmread" | "shmwrite" | "shm-handoff"), ref rest @ ..] if !rest.is_empty() => {
                    options(program, rest, &mut help)
                }
                _ => continue,
            };
            looked_at += 1;
            wrong.extend(fault.map(|fault| format!("{}:{line}: `{command}`: {fault}", document.path.display())));
        }
    }
    assert!(looked_at > 50, "only {looked_at} commands are found");
    assert!(wrong.is_empty(), "what these commands name is not there:\n{}", wrong.join("\n"));
}

fn without_comment(command: &str) -> &str {
    command.split(" #").next().unwrap()
}

fn runnable(script: &str) -> Option<String> {
    let found = fs::metadata(root().join(script));
    let runs = found.is_ok_and(|found| found.permissions().mode() & 0o111 != 0);
    (!runs).then(|| format!("no script {script}"))
}

/// Each `--test NAME` is a target, and what is asked of it is somewhere in it.
fn targets(verb: &str, rest: &[&str]) -> Option<String> {
    // A member is in the folder of its last name.
    let member = rest.windows(2).find(|pair| pair[0] == "-p").map(|pair| pair[1]);
    let home =
        member.and_then(|member| member.strip_prefix("shm-handoff-")).map_or(root().to_owned(), |at| root().join(at));
    let folder = home.join(if verb == "test" { "tests" } else { "benches" });
    let names: Vec<_> =
        rest.windows(2).filter(|pair| matches!(pair[0], "--test" | "--bench")).map(|pair| pair[1]).collect();
    let mut source = String::new();
    for name in &names {
        let (file, module) = (folder.join(format!("{name}.rs")), folder.join(name));
        let found = if file.exists() { gather(&file, &mut source) } else { gather(&module, &mut source) };
        if found.is_err() {
            return Some(format!("no target {name}"));
        }
    }
    let asked = rest.iter().take_while(|word| **word != "--").filter(|word| !word.starts_with('-'));
    let mut asked = asked.filter(|word| !names.contains(*word) && !names.is_empty() && member != Some(**word));
    asked.find(|word| !source.contains(&***word)).map(|word| format!("nothing called {word}"))
}

fn gather(path: &Path, source: &mut String) -> std::io::Result<()> {
    if !path.is_dir() {
        source.push_str(&fs::read_to_string(path)?);
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| gather(&entry?.path(), source))
}

/// Every option of one of our programs is in its help.
fn options(program: &str, rest: &[&str], help: &mut HashMap<String, String>) -> Option<String> {
    // What stands behind it is another command.
    let rest: Vec<_> = rest.iter().take_while(|word| !matches!(**word, "|" | "&" | "&&" | ";" | "||")).collect();
    let subcommand = rest.first().filter(|word| program == "shm-handoff" && !word.starts_with('-'));
    let asked = format!("{program} {}", subcommand.map_or("", |word| word));
    let help = help.entry(asked.clone()).or_insert_with(|| {
        let binary = [SHMREAD, SHMWRITE, SHM_HANDOFF].into_iter().find(|path| path.ends_with(&format!("/{program}")));
        let output = Command::new(binary.unwrap()).args(subcommand).arg("--help").output().unwrap();
        let known = output.status.success();
        if known { String::from_utf8(output.stdout).unwrap() } else { String::new() }
    });
    if help.is_empty() {
        return Some(format!("no {asked}"));
    }
    let mut long =
        rest.iter().filter(|word| word.starts_with("--")).map(|word| word.split(['=', '[', ')']).next().unwrap());
    long.find(|option| !help.contains(option)).map(|option| format!("no option {option}"))
}
