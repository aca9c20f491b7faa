//! The exit codes: docs/programs.md has the table that every `--help` draws on.

use crate::root;
use crate::support::{SHM_HANDOFF, SHMREAD, SHMWRITE};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// The page's codes, with what they mean.
fn documented() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("docs/programs.md")).unwrap();
    let rows = text.lines().skip_while(|line| *line != "| exit | meaning |").skip(2);
    let row = |line: &str| {
        let (code, meaning) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        Some((code.to_owned(), meaning.replace('`', "")))
    };
    rows.map_while(row).collect()
}

/// What a program's `--help` says under `Exit status:`.
fn listed(program: &str, subcommand: Option<&str>) -> Vec<(String, String)> {
    let help = Command::new(program).args(subcommand).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let mut listed: Vec<(String, String)> = Vec::new();
    for line in help.lines().skip_while(|line| *line != "Exit status:").skip(1).take_while(|line| line.starts_with(' '))
    {
        if !line.starts_with("   ")
            && let Some((code, meaning)) = line.trim_start().split_once(' ')
        {
            listed.push((code.to_owned(), meaning.trim_start().to_owned()));
        } else {
            let (_, meaning) = listed.last_mut().expect("a code begins the section");
            *meaning = format!("{meaning} {}", line.trim_start());
        }
    }
    listed
}

#[test]
fn every_help_has_codes_of_the_table() {
    let documented = documented();
    let subcommands =
        ["ls", "stat", "who", "rm", "doctor", "race", "bench", "layout", "lab", "record", "replay", "generate"];
    let tools = subcommands.map(|subcommand| (SHM_HANDOFF, Some(subcommand)));
    let programs = [(SHMREAD, None), (SHMWRITE, None), (SHM_HANDOFF, None)].into_iter().chain(tools);
    let mut met = BTreeSet::new();
    for (program, subcommand) in programs {
        let listed = listed(program, subcommand);
        assert!(listed.len() >= 3, "{program} {subcommand:?} --help lists {listed:?}");
        for (code, text) in listed {
            let known = documented.iter().find(|(known, _)| *known == code);
            let (_, meaning) = known.unwrap_or_else(|| panic!("{program} {subcommand:?}: {code} is not in the table"));
            assert!(text.starts_with(meaning), "{program} {subcommand:?}: {code} is {text:?}, and not {meaning:?}");
            met.insert(code);
        }
    }
    let all: BTreeSet<_> = documented.into_iter().map(|(code, _)| code).collect();
    assert_eq!(met, all);
}
