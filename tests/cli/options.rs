//! `--help`, `--version`, `--key`, `--mode`, `--timeout`, `-q`, `-v`, garbage.

use crate::session;
use crate::support::{Channel, DEADLINE, SHMREAD, SHMWRITE, ipc};
use assert_cmd::Command;
use shm_handoff::backend::sysv::KeySpec;
use std::time::Duration;

/// Both programs, with these arguments and no input.
fn each<const N: usize>(args: [&str; N]) -> [assert_cmd::assert::Assert; 2] {
    [SHMREAD, SHMWRITE].map(|program| Command::new(program).args(args).timeout(DEADLINE).assert())
}

#[test]
fn help_has_examples_and_the_exit_codes() {
    for (program, options) in [
        (SHMREAD, &["--format", "--count", "--follow", "--keep"][..]),
        (SHMWRITE, &["--no-end", "--long", "[TEXT]..."]),
    ] {
        for flag in ["--help", "-h"] {
            let run = Command::new(program).arg(flag).timeout(DEADLINE).assert().code(0).stderr("");
            let help = String::from_utf8(run.get_output().stdout.clone()).unwrap();
            let common = [
                "--key",
                "--mode",
                "--timeout",
                "wait for the other side",
                "--trust-owner",
                "--quiet",
                "--verbose",
                "Examples:",
            ];
            for text in common.iter().chain(options) {
                assert!(help.contains(text), "{program} {flag} does not say {text:?}:\n{help}");
            }
            if flag == "--help" {
                for code in ["  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "  5 ", "  6 ", "  124 ", "  128+n "] {
                    assert!(help.contains(code), "{program} {flag} does not list exit code {code:?}:\n{help}");
                }
            }
        }
    }
}

#[test]
fn version_is_the_package_s() {
    for (program, name) in [(SHMREAD, "shmread"), (SHMWRITE, "shmwrite")] {
        let expected = format!("{name} {}\n", env!("CARGO_PKG_VERSION"));
        for flag in ["--version", "-V"] {
            Command::new(program).arg(flag).timeout(DEADLINE).assert().code(0).stdout(expected.clone());
        }
    }
}

#[test]
fn garbage_is_a_usage_error() {
    for args in [["--nonsense", "1"], ["--timeout", "soon"], ["--timeout", "5"], ["--timeout", "-1s"], ["-q", "-v"]] {
        for run in each(args) {
            run.code(2).stdout("");
        }
    }
    for args in [["--format", "xml"], ["--count", "0"], ["--count", "-1"], ["--count", "many"], ["surplus", "1"]] {
        Command::new(SHMREAD).args(args).timeout(DEADLINE).assert().code(2).stdout("");
    }
    for args in [["--long", "wrap"], ["--count", "1"]] {
        Command::new(SHMWRITE).args(args).timeout(DEADLINE).assert().code(2).stdout("");
    }
}

#[test]
fn keys_that_lead_nowhere_are_usage_errors() {
    for key in [
        "0",
        "0x0",
        "",
        "x",
        "0x",
        "0x1g",
        "0x100000000",
        "4294967296",
        "+",
        ":1",
        "/etc:",
        "/etc:AB",
        "/etc:08",
        "/etc:0x",
        "/etc:+1",
    ] {
        for run in each(["-k", key]) {
            let run = run.code(2).stdout("");
            let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
            assert!(said.contains("KEY"), "key {key:?}: the message should name the option:\n{said}");
        }
    }
    let [run, _] = each(["-k", "0"]);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("IPC_PRIVATE"));
}

#[test]
fn a_key_from_a_path_that_is_not_there_is_a_failed_call() {
    for run in each(["-k", "/no/such/file:1"]) {
        let said = String::from_utf8_lossy(&run.code(1).stdout("").get_output().stderr).into_owned();
        assert!(said.contains("/no/such/file") && said.contains("ENOENT"), "{said}");
    }
}

#[test]
fn one_key_in_each_of_its_spellings() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let spelled = format!("{}:7", file.path().display());
    let key = spelled.parse::<KeySpec>().unwrap().resolve().unwrap();
    // What every C program gets for it.
    let path = std::ffi::CString::new(file.path().to_str().unwrap()).unwrap();
    // SAFETY: the path is a C string that outlives the call.
    let ftok = unsafe { libc::ftok(path.as_ptr(), 7) };
    assert_eq!(ftok.cast_unsigned(), key.number());

    let channel = Channel::at(key);
    let decimal = key.number().to_string();
    for spelling in [spelled, format!("{:#x}", key.number()), format!("0X{:X}", key.number()), ftok.to_string()] {
        let reader = channel.reader(["--count", "1"]).start();
        // A value that begins with a minus needs the equals sign.
        let option = format!("--key={spelling}");
        let mut writer = std::process::Command::new(SHMWRITE);
        writer.args([&option, &spelling]);
        if spelling.starts_with('-') {
            writer = std::process::Command::new(SHMWRITE);
            writer.args([&option, "--", &spelling]);
        }
        crate::support::Run::new(writer).end().code(0);
        reader.end().code(0).prints(format!("{spelling}\n"));
        assert!(channel.stat().is_some(), "key {decimal}");
    }
}

/// `ftok(path, id)` for each of these, as it stands in C.
#[test]
fn ids_of_paths_are_those_of_ftok() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = std::ffi::CString::new(file.path().to_str().unwrap()).unwrap();
    for (id, number) in [
        ("1", 1),
        ("0", 0),
        ("255", 255),
        ("256", 256),
        ("0x6666", 0x6666),
        ("0Xff", 0xff),
        ("012", 0o12),
        ("-1", -1),
        ("2147483647", i32::MAX),
        ("A", i32::from(b'A')),
        ("z", i32::from(b'z')),
    ] {
        let key = format!("{}:{id}", file.path().display()).parse::<KeySpec>().unwrap().resolve().unwrap();
        // SAFETY: the path is a C string that outlives the call.
        let ftok = unsafe { libc::ftok(path.as_ptr(), number) };
        assert_eq!(key.number(), ftok.cast_unsigned(), "{id}");
    }
    // In both programs, from where they are started.
    let channel = Channel::at(format!("{}:A", file.path().display()).parse::<KeySpec>().unwrap().resolve().unwrap());
    let name = file.path().file_name().unwrap().to_str().unwrap();
    let run = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        command.args(args).current_dir(file.path().parent().unwrap());
        crate::support::Run::new(command)
    };
    let reader = run(SHMREAD, &["--count=1", "-k", &format!("{name}:0x6641")]).start();
    run(SHMWRITE, &["-k", &format!("{name}:A"), "hello"]).end().code(0);
    reader.end().code(0).prints("hello\n");
    assert!(channel.stat().is_some());
}

#[test]
fn the_default_key_is_the_tutorial_s() {
    for run in each(["--help"]) {
        let help = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
        assert!(help.contains("[default: 1234]"), "{help}");
    }
}

#[test]
fn segment_and_seats_have_the_mode_that_was_asked_for() {
    for (args, mode) in [(&[][..], 0o600), (&["--mode", "640"], 0o640), (&["--mode", "0o666"], 0o666)] {
        for writes in [false, true] {
            let channel = Channel::new();
            let _peer = if writes { channel.seated_writer(args) } else { channel.seated_reader(args) };
            let found = (channel.stat().unwrap().mode, ipc::set_mode(channel.key().seats()).unwrap());
            assert_eq!(found, (mode, mode), "segment and semaphore set, {args:?}, by the writer: {writes}");
            assert_eq!(channel.stat().unwrap().size, 2052);
        }
    }
    for mode in ["999", "777", "1600", "400", "066", "+600", "", "rw", "-600"] {
        for run in each([&format!("--mode={mode}")]) {
            run.code(2).stdout("");
        }
    }
}

#[test]
fn timeout_ends_the_wait_on_both_sides() {
    for given in ["0s", "1ms", "300ms"] {
        let least = humantime_millis(given);
        let channel = Channel::new();
        let started = std::time::Instant::now();
        channel.reader(["--timeout", given]).end().code(124).prints("").says(&["--timeout"]);
        assert!(started.elapsed() >= least, "the reader gave up before {given}");
        let started = std::time::Instant::now();
        channel
            .writer(["--timeout", given, "hello"])
            .end()
            .code(124)
            .prints("")
            .says(&["--timeout", "0 messages sent"]);
        assert!(started.elapsed() >= least, "the writer gave up before {given}");
        println!("--timeout {given}: 124 after {:?} (with start and exit)", started.elapsed());
    }
}

fn humantime_millis(given: &str) -> Duration {
    Duration::from_millis(given.trim_end_matches("ms").parse().unwrap_or(0))
}

#[test]
fn what_is_there_already_is_no_wait() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    channel.writer(["--timeout", "0s", "there"]).end().code(0);
    channel.writer(["--timeout", "0s", "no room"]).end().code(124);
    reader.kill();
    channel.reader(["--timeout", "0s"]).end().code(124).prints("there\n");
}

#[test]
fn timeout_ends_the_wait_for_room_too() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    let writer = channel.writer(["--timeout", "200ms"]).input("one\ntwo\n").end();
    writer.code(124).says(&["1 message sent"]);
}

#[test]
fn timeout_counts_no_wait_for_input_or_output_and_starts_anew_with_each_message() {
    let channel = Channel::new();
    let mut reader = channel.reader(["--timeout", "2s"]).start();
    let mut writer = channel.writer(["--timeout", "100ms"]).open_input().start();
    writer.stays("");
    writer.type_in("late\n");
    reader.until_prints("late\n");
    writer.stays("");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints("late\n");

    // The output is full and stays so for longer than the timeout.
    let mut reader = channel.reader(["--timeout", "300ms"]).held_output().start();
    let lines = format!("{}\n", "x".repeat(2000)).repeat(100);
    let writer = channel.writer([""; 0]).input(lines.clone()).start();
    reader.stays("");
    reader.stays("");
    let mut got = Vec::new();
    std::io::Read::read_to_end(&mut reader.take_output(), &mut got).unwrap();
    assert!(got == lines.as_bytes(), "{} bytes of {} arrived", got.len(), lines.len());
    reader.end().code(0);
    writer.end().code(0);
}

#[test]
fn quiet_and_verbose() {
    let (reader, writer) = session(&[], &[], "a\nb\n");
    reader.code(0).prints("a\nb\n").says_nothing();
    writer.code(0).prints("").says_nothing();

    let (reader, writer) = session(&["-v"], &["-v"], "a\nb\n");
    reader.code(0).prints("a\nb\n").says(&["Memory attached at 0x"]);
    writer.code(0).prints("").says(&["Memory attached at 0x", "2 messages sent"]);

    // Without a reader a writer says what it waits for, unless -q.
    let channel = Channel::new();
    let loud = channel.writer(["--timeout", "500ms", "x"]).end();
    loud.code(124).says(&["Waiting...", &format!("at key {}", channel.key().number())]);
    let quiet = channel.writer(["-q", "--timeout", "500ms", "x"]).end();
    quiet.code(124);
    assert!(!quiet.stderr.contains("Waiting"), "{quiet}");
}
