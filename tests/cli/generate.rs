//! Manual pages and completions: as current as the definitions, and of use to real
//! shells.

use crate::support::{Channel, DEADLINE, SHM_HANDOFF, SHMREAD, skipped};
use rexpect::session::{PtySession, spawn_command};
use shm_handoff::backend::sysv::Segment;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn generate(folder: &Path) {
    let done = Command::new(SHM_HANDOFF).arg("generate").arg(folder).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Every file below a folder, and what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    found
}

fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
    if !found {
        skipped(&format!("{program} is not installed"));
    }
    found
}

/// What is in `share` is what the definitions say now.
#[test]
fn what_is_kept_is_current() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let (mut kept, made) = (files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("share")), files(folder.path()));
    // Units, recipes and alerts stand beside what is made.
    kept.retain(|name, _| !["containers", "prometheus", "systemd"].iter().any(|folder| name.starts_with(folder)));
    assert_eq!(kept.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, text) in &made {
        assert_eq!(
            &kept[name],
            text,
            "share/{} is out of date: cargo run --bin shm-handoff generate share",
            name.display()
        );
    }
}

#[test]
fn each_page_has_its_sections_and_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let lint = has("mandoc");
    for (name, text) in files(&folder.path().join("man/man1")) {
        let mut sections = vec!["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"];
        if name.starts_with("shmread.1") || name.starts_with("shmwrite.1") {
            sections.extend(["EXAMPLES", "SIGNALS", "FILES", "ENVIRONMENT"]);
        }
        for section in sections {
            let heading = |line: &str| line.strip_prefix(".SH ").is_some_and(|rest| rest.trim_matches('"') == section);
            assert!(text.lines().any(heading), "{} has no {section}", name.display());
        }
        if lint {
            let page = folder.path().join("man/man1").join(&name);
            let done = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(&page).output().unwrap();
            assert!(done.status.success(), "{}: {}", name.display(), String::from_utf8_lossy(&done.stdout));
        }
    }
}

/// What `--help` says of `~/.local/share`, for the programs that do not look there by themselves.
#[test]
fn man_finds_the_pages_where_it_is_told_to_look() {
    if !has("man") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let share = home.path().join(".local/share");
    generate(&share);
    let man = |script: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{script}man -w shm-handoff-ls")]).env_clear();
        shell.env("HOME", home.path()).env("PATH", "/usr/local/bin:/usr/bin:/bin").output().unwrap()
    };
    let found = man(&format!("{}\n", line_of_help("MANPATH")));
    assert!(String::from_utf8_lossy(&found.stdout).starts_with(share.to_str().unwrap()), "{found:?}");
}

/// The line of `generate --help` with this in it.
fn line_of_help(with: &str) -> String {
    let help = Command::new(SHM_HANDOFF).args(["generate", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    help.lines().find(|line| line.contains(with)).unwrap().trim().to_owned()
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let done = Command::new(SHM_HANDOFF).args(["generate", "/dev/null/share"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("/dev/null/share"), "{done:?}");
}

/// A shell that has nothing but our completions, and our programs on its path.
fn shell(program: &str, args: &[&str], share: &Path) -> PtySession {
    let bin = Path::new(SHMREAD).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command.args(args).env("PATH", path).env("TERM", "dumb").env("HOME", share).env("SHARE", share).env("PS1", "$ ");
    spawn_command(command, Some(u64::try_from(DEADLINE.as_millis()).unwrap())).unwrap()
}

/// One press of the tab key completes what only one word can be.
fn completes(session: &mut PtySession, typed: &str, rest: &str) {
    session.send(typed).unwrap();
    session.flush().unwrap();
    // Echoed by the line editor a key at a time, in zsh with much around each.
    session.exp_regex(&format!("{}\\S*$", &typed[typed.len() - 1..])).unwrap();
    session.send("\t").unwrap();
    session.flush().unwrap();
    session.exp_string(rest).unwrap();
    // The line is not run: it is taken back.
    session.send_control('u').unwrap();
}

/// An interactive shell ignores the signal by which a session that is dropped would end it.
fn leaves(mut session: PtySession) {
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
}

/// A key at which something is, as one would begin to type it.
struct Taken {
    _channel: Channel,
    begun: String,
    rest: String,
}

impl Taken {
    fn new() -> Self {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
        let shown = format!("{:#010x}", channel.key().number());
        let (begun, rest) = shown.split_at(8);
        Self { begun: begun.to_owned(), rest: rest.to_owned(), _channel: channel }
    }
}

/// What only our own processes are to start is nobody's to type.
#[test]
fn no_page_and_no_script_names_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    for (name, text) in files(folder.path()) {
        assert!(!text.contains("race-side") && !text.contains("bench-side"), "{}", name.display());
        // Nor what only stands for something while they are made.
        assert!(!text.contains("THE_KEYS") && !text.contains("THE_IDS"), "{}", name.display());
    }
}

#[test]
fn bash_completes() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let mut bash = shell("bash", &["--norc", "--noprofile"], folder.path());
    // What readline prints follows the terminal's echo, which a session turns off.
    bash.send_line("stty echo; for file in $SHARE/bash-completion/completions/*; do . $file; done; echo rea''dy")
        .unwrap();
    bash.exp_string("ready").unwrap();
    bash.exp_string("$ ").unwrap();
    completes(&mut bash, "shmread --time", "out");
    completes(&mut bash, "shmwrite --long sp", "lit");
    completes(&mut bash, "shm-handoff doc", "tor");
    completes(&mut bash, "shm-handoff ls --no-h", "eadings");
    completes(&mut bash, "shm-handoff ls -o key,mess", "ages");
    let key = Taken::new();
    completes(&mut bash, &format!("shm-handoff rm {}", key.begun), &key.rest);
    completes(&mut bash, &format!("shmread -k {}", key.begun), &key.rest);
    leaves(bash);
}

#[test]
fn zsh_completes() {
    if !has("zsh") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    generate(&home.path().join(".local/share"));
    let mut zsh = shell("zsh", &["-f"], home.path());
    zsh.send_line(&format!("{}; autoload -U compinit; compinit -u -D; echo rea''dy", line_of_help("fpath=("))).unwrap();
    zsh.exp_string("ready").unwrap();
    zsh.exp_string("$ ").unwrap();
    completes(&mut zsh, "shmread --time", "out");
    completes(&mut zsh, "shmwrite --long sp", "lit");
    completes(&mut zsh, "shm-handoff doc", "tor");
    completes(&mut zsh, "shm-handoff ls -o key,mess", "ages");
    let key = Taken::new();
    completes(&mut zsh, &format!("shm-handoff rm {}", key.begun), &key.rest);
    completes(&mut zsh, &format!("shmread -k {}", key.begun), &key.rest);
    leaves(zsh);
}

/// fish says what it would complete without a terminal.
#[test]
fn fish_completes() {
    if !has("fish") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let key = Taken::new();
    let whole = format!("{}{}", key.begun, key.rest);
    let path =
        format!("{}:{}", Path::new(SHMREAD).parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    for (typed, expected) in [
        ("shmread --time", "--timeout"),
        ("shmwrite --long sp", "split"),
        ("shm-handoff doc", "doctor"),
        ("shm-handoff ls -o key,mess", "key,messages"),
        (&format!("shm-handoff rm {}", key.begun), &whole),
        (&format!("shmread -k {}", key.begun), &whole),
    ] {
        let script = format!(
            "for file in {}/fish/vendor_completions.d/*; source $file; end; complete -C '{typed}'",
            folder.path().display()
        );
        let done = Command::new("fish")
            .args(["--no-config", "-c", &script])
            .env("HOME", folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.lines().any(|line| line.split('\t').next() == Some(expected)), "{typed}: {done:?}");
    }
}

/// Where a file can stand beside a key, both are completed: `-f` would leave files out.
#[test]
fn fish_completes_files_too() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path());
    let script = std::fs::read_to_string(folder.path().join("fish/vendor_completions.d/shm-handoff.fish")).unwrap();
    let keys = |subcommand: &str| {
        let of = format!("using_subcommand {subcommand}\" ");
        let lines: Vec<_> =
            script.lines().filter(|line| line.contains(&of) && line.contains("(shm-handoff ls ")).collect();
        assert_eq!(lines.len(), 1, "{subcommand}: {lines:?}");
        lines[0]
    };
    for (subcommand, alone) in [("record", false), ("replay", false), ("rm", true)] {
        assert_eq!(keys(subcommand).contains("\" -f -a "), alone, "{}", keys(subcommand));
    }
}
