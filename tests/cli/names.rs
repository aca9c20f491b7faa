//! Names that are no UTF-8, as a folder or a program has them that was named in GBK: they are looked at
//! like any other, and what is shown is text all the same.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, SHMREAD, SHMWRITE, eventually};
use serde_json::Value;
use shm_handoff::Role;
use shm_handoff::backend::sysv::KeySpec;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// "Test", in GBK.
const NAME: &[u8] = b"\xB2\xE2\xCA\xD4";

/// A program of this name, in a folder of it.
fn program() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join(OsStr::from_bytes(NAME));
    std::fs::create_dir(&inner).unwrap();
    let program = inner.join(OsStr::from_bytes(NAME));
    // Not by ourselves: a child that another test starts meanwhile could have it open for writing.
    assert!(Command::new("cp").arg(SHMREAD).arg(&program).status().unwrap().success());
    (folder, program)
}

fn tool(subcommand: &str, key: impl AsRef<OsStr>, options: &[&str]) -> Ended {
    let mut command = Command::new(SHM_HANDOFF);
    command.arg(subcommand).args(options).arg(key);
    Run::new(command).end()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended}"))
}

#[test]
fn a_process_with_such_a_name_is_seen() {
    let (_folder, program) = program();
    let channel = Channel::new();
    let mut reader = Run::new(channel.command(&program, ["--count=1"])).start();
    channel.await_seated(Role::Reader, &mut reader);
    let key = channel.key().number().to_string();
    let found = json(tool("who", &key, &["--json"]).code(0));
    let rows = found["processes"].as_array().unwrap();
    let row = rows.iter().find(|row| row["pid"] == reader.pid()).unwrap_or_else(|| panic!("not seen: {found}"));
    assert_eq!((&row["role"], &row["command"]), (&"reader".into(), &String::from_utf8_lossy(NAME).into()));
    assert!(std::str::from_utf8(&tool("who", &key, &[]).code(0).stdout).unwrap().contains("reader"));
    let shown = json(tool("stat", &key, &["--json"]).code(0));
    assert_eq!(shown["reader"]["pid"], reader.pid());
    assert!(shown["reader"]["command"].is_string(), "{shown}");
    reader.stop();
    let found = eventually("the stopped side", || {
        let report = json(&tool("doctor", &key, &["--json"]));
        report["findings"].as_array().unwrap().iter().find(|found| found["check"] == "stopped").cloned()
    });
    assert_eq!(found["command"], format!("kill -CONT {}", reader.pid()));
    reader.go_on();
    channel.writer(["x"]).end().code(0);
    reader.end().code(0).prints("x\n");
}

/// PATH:ID with such a path, in every program.
#[test]
fn a_key_from_such_a_path_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(OsStr::from_bytes(NAME));
    std::fs::write(&file, "").unwrap();
    let spelled = |id: &str| {
        let bytes = [file.as_os_str().as_bytes(), b":", id.as_bytes()].concat();
        OsString::from_vec(bytes)
    };
    let given = spelled("7");
    let channel = Channel::at(KeySpec::try_from(given.clone()).unwrap().resolve().unwrap());
    let run = |program: &str, more: &[&str]| {
        let mut command = Command::new(program);
        command.arg("-k").arg(&given).args(more);
        Run::new(command)
    };
    // Its options take it both ways.
    let mut reader = Command::new(SHMREAD);
    reader.arg(OsString::from_vec([b"--key=", given.as_bytes()].concat())).arg("--count=1");
    let mut reader = Run::new(reader).start();
    channel.await_seated(Role::Reader, &mut reader);
    run(SHMWRITE, &["hello"]).end().code(0);
    reader.end().code(0).prints("hello\n");
    for subcommand in ["stat", "who"] {
        assert!(json(tool(subcommand, &given, &["--json"]).code(0)).is_object());
    }
    let report = json(&tool("doctor", &given, &["--json"]));
    let this = format!("key {} ", channel.key().number());
    assert!(report["findings"].as_array().unwrap().iter().any(|found| found["what"].as_str().unwrap().contains(&this)));
    tool("rm", &given, &[]).code(0);
    channel.assert_nothing_left();
    let mut race = Command::new(SHM_HANDOFF);
    race.args(["race", "--seconds=1", "--json", "--key"]).arg(&given);
    Run::new(race).end().code(0);
    channel.assert_nothing_left();
    // What is wrong with it is said, and as text.
    for id in ["", "+1", "\u{FFFD}"] {
        tool("stat", spelled(id), &[]).code(2).says(&["KEY", "the id behind the last colon"]);
    }
    tool("stat", Path::new(OsStr::from_bytes(NAME)), &[]).code(2).says(&["KEY"]);
    let gone = OsString::from_vec([file.as_os_str().as_bytes(), b"gone:1"].concat());
    tool("stat", gone, &[]).code(1).says(&["gone", "ENOENT"]);
}
