//! `--progress`, the summary of `-v`, and colour.

use crate::support::{Channel, DEADLINE, Run, SHM_HANDOFF, SHMWRITE, as_from_a_shell, numbers};
use rexpect::session::spawn_command;
use std::process::Command;

#[test]
fn a_summary_of_what_went_over() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["-v"]);
    channel.writer(["-v"]).input(numbers(0..10)).end().code(0).says(&["10 messages sent, 20 B in ", "/s"]);
    reader.end().code(0).says(&["10 messages received, 20 B in ", "/s"]);
}

#[test]
fn lines_where_there_is_no_terminal_and_only_if_forced() {
    let channel = Channel::new();
    let mut writer = channel.writer(["--ring=64K", "--progress=always"]).open_input().start();
    writer.type_in("one\ntwo\n");
    writer.until_says("shmwrite: 2 messages sent, 8 B in ");
    writer.close_input();
    writer.end().code(0);
    channel.reader(["--progress"]).end().code(0).prints("one\ntwo\n").says_nothing();
    channel.reader(["--progress=never"]).end().code(2);
}

/// The bar of a file of known size comes to its end, and leaves the summary alone behind.
#[test]
fn a_bar_on_a_terminal() {
    let channel = Channel::new();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("lines");
    std::fs::write(&input, numbers(0..200_000)).unwrap();
    let reader = channel.reader(["--ring"]).start();
    let script = format!("{SHMWRITE} -k {} --ring --progress -v < {}", channel.key().number(), input.display());
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    as_from_a_shell(&mut command);
    let mut session = spawn_command(command, Some(u64::try_from(DEADLINE.as_millis()).unwrap())).unwrap();
    let said = session.exp_eof().unwrap();
    assert!(said.contains("% ETA "), "{said:?}");
    let last = said.rsplit("\u{1b}[2K").next().unwrap();
    assert!(last.trim_start().starts_with("shmwrite: 200000 messages sent, "), "{last:?}");
    reader.end().code(0);
}

/// An error is one line, and what to do the next one.
#[test]
fn an_error_and_its_hint_have_a_line_each() {
    let mut command = Command::new(SHM_HANDOFF);
    let channel = Channel::new();
    command.args(["stat", &channel.key().number().to_string()]);
    let key = channel.key().number();
    let ended = Run::new(command).end();
    assert_eq!(
        ended.code(1).stderr,
        format!(
            "shm-handoff stat: key {key} ({key:#x}): there is no segment\n  hint: start the other side first (shm-handoff ls lists the channels)\n"
        )
    );
}

/// `NO_COLOR`, `CLICOLOR_FORCE` and `--color`, and who has the last word.
#[test]
fn colour_is_a_matter_of_the_environment_and_the_option() {
    let channel = Channel::new();
    let coloured = |args: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(SHM_HANDOFF);
        command.arg("stat").arg(channel.key().number().to_string()).args(args);
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm").envs(set.iter().copied());
        let ended = Run::new(command).end();
        let said = &ended.code(1).stderr;
        assert!(said.contains("there is no segment"), "{said}");
        said.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "not without a terminal");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    for no in ["0", ""] {
        assert!(!coloured(&[], &[("CLICOLOR_FORCE", no)]), "{no:?}");
        assert!(coloured(&["--color=always"], &[("CLICOLOR_FORCE", no)]), "{no:?}");
    }
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&["--color", "always"], &[]));
    assert!(!coloured(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
    // What the parser says, too.
    let mut command = Command::new(SHMWRITE);
    command.args(["--color=always", "--no-such-option"]);
    assert!(Run::new(command).end().code(2).stderr.contains('\u{1b}'));
}
