//! A person at a terminal, through a pty.

use crate::support::{Channel, DEADLINE, Peer, Run, SHM_HANDOFF, SHMREAD, SHMWRITE, as_from_a_shell, rounds};
use rexpect::process::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use shm_handoff::Role;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

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
fn records_that_the_other_side_brings_steer_no_terminal() {
    for args in [&[][..], &["--format=label"], &["--format=plain"]] {
        let channel = Channel::new();
        let mut reader = at_terminal(&channel, SHMREAD, args);
        reader.exp_string("Memory attached at 0x").unwrap();
        let writer = channel.writer(["--layout=struct { int flag; unsigned char d[8]; }"]);
        writer.input("\x1b]0;x\x07ab").end().code(0);
        let said = ends_with(reader, 0);
        assert!(said.contains("\\u{1b}]0;x\\u{7}ab") && !said.contains('\x1b'), "{said:?}");
    }
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

/// Each line that is typed goes at once, also several that were pasted.
#[test]
fn a_line_at_a_prompt_goes_at_once_into_a_ring() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--ring=64K"]);
    let mut writer = at_terminal(&channel, SHMWRITE, &[]);
    let mut expected = String::new();
    for typed in ["hello\n", "two\nat once\n", "last\n"] {
        writer.exp_string(PROMPT).unwrap();
        writer.send(typed).unwrap();
        writer.flush().unwrap();
        expected.push_str(typed);
        reader.until_prints(&expected);
    }
    writer.send_line("end").unwrap();
    ends_with(writer, 0);
    reader.end().code(0).prints(&expected);
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

/// A terminal of which only the far end is ours: to hang up, drop that.
pub(crate) struct Line {
    far: std::fs::File,
    near: std::fs::File,
}

impl Line {
    pub(crate) fn new() -> Self {
        let (mut far, mut near) = (-1, -1);
        // SAFETY: writes two descriptors, which are nobody else's; the rest may be null.
        let done = unsafe {
            libc::openpty(&raw mut far, &raw mut near, std::ptr::null_mut(), std::ptr::null(), std::ptr::null())
        };
        assert_eq!(done, 0, "openpty: {}", std::io::Error::last_os_error());
        for fd in [far, near] {
            // SAFETY: takes numbers alone. A child must not hold the far end.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: as above: they are open, and ours alone.
        unsafe { Self { far: std::fs::File::from_raw_fd(far), near: std::fs::File::from_raw_fd(near) } }
    }

    /// Starts it here, as a login shell is started: the hang-up is its signal, unless that is ignored.
    pub(crate) fn start(&self, run: Run, ignores: bool) -> Peer {
        let near = || Stdio::from(self.near.try_clone().unwrap());
        let run = run.input_from(near()).output_to(near()).with(|command| {
            // SAFETY: async-signal-safe calls alone.
            unsafe {
                command.pre_exec(move || {
                    libc::setsid();
                    libc::ioctl(0, libc::TIOCSCTTY, 0);
                    if ignores {
                        libc::signal(libc::SIGHUP, libc::SIG_IGN);
                    }
                    Ok(())
                });
            }
        });
        run.start()
    }

    pub(crate) fn hang_up(self) {
        drop(self.far);
    }
}

/// The signal is what ends a reader; where that is ignored, it is a closed output like any other.
#[test]
fn a_hang_up_ends_a_reader_in_the_same_way_in_both_layouts() {
    for layout in [&[][..], &["--ring=64K"], &["--ring=64K", "--raw"]] {
        for (ignores, code, said) in [(false, 129, "shmread: ended by SIGHUP"), (true, 0, "")] {
            for _ in 0..rounds(2) {
                let channel = Channel::new();
                let line = Line::new();
                let mut reader = line.start(channel.reader(layout), ignores);
                channel.await_seated(Role::Reader, &mut reader);
                line.hang_up();
                let ended = reader.end();
                assert!(ended.code(code).stderr.trim_end().ends_with(said), "{ended}");
                assert_eq!(ended.stderr.lines().count(), 1 + usize::from(!ignores), "{ended}");

                // In the middle of printing: there is more than a terminal holds.
                let line = Line::new();
                let mut reader = line.start(channel.reader(layout).with(|run| _ = run.arg("-q")), ignores);
                channel.await_seated(Role::Reader, &mut reader);
                let writer = channel.writer([layout, &["-v"]].concat()).input("many\n".repeat(20_000));
                let mut writer = writer.start();
                (&line.far).read_exact(&mut [0]).unwrap();
                // One that has not seen the reader would wait for one.
                writer.until_says("Waiting...");
                line.hang_up();
                let ended = reader.end();
                assert!(ended.code(code).stderr.starts_with(said) && ended.stderr.is_empty() == ignores, "{ended}");
                // The session goes on: what was not printed was not released.
                let next = channel.reader(["--count=1", "--timeout=20s"]).end();
                assert!(next.code(0).stdout.starts_with(b"many\n") || layout.contains(&"--raw"), "{next}");
                drop(writer);
            }
        }
    }
}

/// It is no end of the input, unless its signal is ignored.
#[test]
fn a_hang_up_at_a_prompt_sends_no_end() {
    for layout in [&[][..], &["--ring=64K"]] {
        for (ignores, code, of_reader) in [(false, 129, 3), (true, 0, 0)] {
            for _ in 0..rounds(2) {
                let channel = Channel::new();
                let reader = channel.seated_reader(layout);
                let line = Line::new();
                let mut writer = line.start(channel.writer(layout), ignores);
                writer.until_says(PROMPT);
                line.hang_up();
                writer.end().code(code);
                reader.end().code(of_reader).prints("");
            }
        }
    }
}
