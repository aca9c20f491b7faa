//! A person at a terminal, through a pty.

use crate::support::{Channel, DEADLINE, SHM_HANDOFF, SHMREAD, SHMWRITE, as_from_a_shell};
use rexpect::process::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

const PROMPT: &str = "enter some text: ";

fn at_terminal(channel: &Channel, program: &str, args: &[&str]) -> PtySession {
    let deadline = u64::try_from(DEADLINE.as_millis()).unwrap();
    let mut command = channel.command(program.as_ref(), args);
    as_from_a_shell(&mut command);
    spawn_command(command, Some(deadline)).unwrap()
}

#[track_caller]
fn ends_with(mut session: PtySession, code: i32) -> String {
    let said = session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    assert!(matches!(status, WaitStatus::Exited(_, got) if got == code), "{status:?} instead of exit {code}; {said:?}");
    said
}

#[test]
fn a_session_as_the_tutorial_has_it() {
    let channel = Channel::new();
    let mut writer = at_terminal(&channel, SHMWRITE, &[]);
    writer.exp_string("Memory attached at 0x").unwrap();
    writer.exp_string(PROMPT).unwrap();
    writer.send_line("hello").unwrap();
    writer.exp_string("Waiting...").unwrap();

    let mut reader = at_terminal(&channel, SHMREAD, &[]);
    reader.exp_string("Memory attached at 0x").unwrap();
    reader.exp_string("You wrote: hello\r\n").unwrap();

    writer.exp_string(PROMPT).unwrap();
    writer.send_line("world").unwrap();
    reader.exp_string("You wrote: world\r\n").unwrap();
    writer.exp_string(PROMPT).unwrap();
    writer.send_line("end").unwrap();
    ends_with(writer, 0);
    assert!(ends_with(reader, 0).contains("You wrote: end\r\n"));
    channel.assert_nothing_left();
}

#[test]
fn a_line_that_can_not_be_sent_gets_a_warning_and_a_new_prompt() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = at_terminal(&channel, SHMWRITE, &[]);
    writer.exp_string(PROMPT).unwrap();
    writer.send_line("endless").unwrap();
    writer.exp_string("line 1 can't be sent: it begins with `end`").unwrap();
    writer.exp_string(PROMPT).unwrap();
    writer.send_line("fine").unwrap();
    reader.until_prints("fine\n");
    writer.exp_string(PROMPT).unwrap();
    writer.send_control('d').unwrap();
    ends_with(writer, 0);
    reader.end().code(0).prints("fine\n");
    channel.assert_nothing_left();
}

#[test]
fn ctrl_d_ends_the_session_or_leaves_it_open() {
    for (args, stays) in [(&[][..], false), (&["--no-end"], true)] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&[]);
        let mut writer = at_terminal(&channel, SHMWRITE, args);
        writer.exp_string(PROMPT).unwrap();
        writer.send_control('d').unwrap();
        ends_with(writer, 0);
        if stays {
            reader.stays("");
        } else {
            reader.end().code(0).prints("");
        }
    }
}

/// A ring carries any line; what a person types at a prompt means the same in both
/// layouts.
#[test]
fn end_at_a_prompt_ends_a_ring_too() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--ring=64K"]);
    let mut writer = at_terminal(&channel, SHMWRITE, &[]);
    for line in ["endless", "hello"] {
        writer.exp_string(PROMPT).unwrap();
        writer.send_line(line).unwrap();
    }
    writer.exp_string(PROMPT).unwrap();
    writer.send_line("end").unwrap();
    ends_with(writer, 0);
    reader.end().code(0).prints("endless\nhello\n");
    channel.assert_nothing_left();
}

#[test]
fn ctrl_c_at_the_prompt() {
    let channel = Channel::new();
    let mut writer = at_terminal(&channel, SHMWRITE, &[]);
    writer.exp_string(PROMPT).unwrap();
    writer.send_control('c').unwrap();
    assert!(ends_with(writer, 130).contains("ended by SIGINT"));
    let mut reader = at_terminal(&channel, SHMREAD, &[]);
    reader.exp_string("Memory attached").unwrap();
    reader.send_control('c').unwrap();
    assert!(ends_with(reader, 130).contains("ended by SIGINT"));
}

#[test]
fn a_terminal_gets_no_control_bytes() {
    for (args, shown) in [
        (&[][..], "You wrote: \\u{1b}[31mred\\u{7}\\xff\r\n"),
        (&["--format", "plain"], "\\u{1b}[31mred\\u{7}\\xff\r\n"),
        (&["--format", "json"], "{\"seq\":1,\"bytes\":11,\"end\":false,\"base64\":\"G1szMW1yZWQH/wo=\"}\r\n"),
    ] {
        let channel = Channel::new();
        let mut reader = at_terminal(&channel, SHMREAD, args);
        channel.writer([""; 0]).input(b"\x1b[31mred\x07\xff\n".to_vec()).end().code(0);
        reader.exp_string(shown).unwrap();
        let said = ends_with(reader, 0);
        assert!(!said.contains('\x1b'), "{said:?}");
    }
}

#[test]
fn quiet_means_no_prompt() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = at_terminal(&channel, SHMWRITE, &["-q"]);
    writer.send_line("hello").unwrap();
    reader.until_prints("hello\n");
    writer.send_control('d').unwrap();
    let said = ends_with(writer, 0);
    assert!(!said.contains(PROMPT) && !said.contains("Memory"), "{said:?}");
    reader.end().code(0);
}

#[test]
fn a_race_and_a_bench_show_how_far_they_are() {
    let race = (&["race", "--seconds=1"][..], "This proves nothing either way", "the tutorial's: together");
    let bench = (&["bench", "--seconds=0.1"][..], "TRANSPORT", "round 1 of 8: classic");
    for (args, result, progress) in [race, bench] {
        for quiet in [&[][..], &["-q"]] {
            let mut command = std::process::Command::new(SHM_HANDOFF);
            command.args(args).args(quiet).env("TERM", "xterm");
            as_from_a_shell(&mut command);
            let deadline = u64::try_from(DEADLINE.as_millis()).unwrap();
            let said = ends_with(spawn_command(command, Some(deadline)).unwrap(), 0);
            assert!(said.contains(result), "{said}");
            assert_eq!(said.contains(progress), quiet.is_empty(), "{args:?} {quiet:?}: {said:?}");
        }
    }
}

/// The terminal sends it to all of the race's processes.
#[test]
fn ctrl_c_ends_a_race() {
    let channel = Channel::new();
    let mut command = std::process::Command::new(SHM_HANDOFF);
    command.args(["race", "--seconds=600", &format!("--key={:#x}", channel.key().number())]).env("TERM", "xterm");
    as_from_a_shell(&mut command);
    let deadline = u64::try_from(DEADLINE.as_millis()).unwrap();
    let mut race = spawn_command(command, Some(deadline)).unwrap();
    race.exp_string("the tutorial's: together").unwrap();
    race.send_control('c').unwrap();
    assert!(ends_with(race, 130).contains("ended by SIGINT"));
    channel.assert_nothing_left();
}
