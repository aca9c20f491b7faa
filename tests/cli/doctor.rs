//! `shm-handoff doctor`: each thing that can be wrong is found, with what mends it; and
//! what it says mends it does.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, eventually, ipc, is_root, skipped};
use serde_json::Value;
use shm_handoff::backend::sysv::Segment;
use std::process::Command;

fn doctor(channel: &Channel) -> Ended {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["doctor", "--json", &channel.key().number().to_string()]);
    Run::new(command).end()
}

/// The findings of a check that are about this channel.
fn about(channel: &Channel, check: &str) -> Vec<Value> {
    let ended = doctor(channel);
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended}"));
    assert_eq!(report["schema"], "shm-handoff/doctor/1");
    let findings = report["findings"].as_array().unwrap();
    let bad = findings.iter().any(|finding| finding["level"] == "problem");
    assert_eq!(report["well"], !bad);
    ended.code(i32::from(bad));
    let key = format!("key {} ", channel.key().number());
    let of = |finding: &&Value| finding["check"] == check && finding["what"].as_str().unwrap().contains(&key);
    findings.iter().filter(of).cloned().collect()
}

/// Another test's `ls` is attached to everything for a moment: then nothing is stale.
#[track_caller]
fn problem(channel: &Channel, check: &str) -> String {
    let found = eventually("a finding", || Some(about(channel, check)).filter(|found| !found.is_empty()));
    let [finding] = &found[..] else { panic!("one finding: {found:?}") };
    assert_eq!(finding["level"], "problem", "{finding}");
    finding["command"].as_str().unwrap().to_owned()
}

/// Runs what a finding says mends it.
fn mend(command: &str) {
    let folder = std::path::Path::new(SHM_HANDOFF).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let done = Command::new("sh").args(["-c", command]).env("PATH", path).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

#[test]
fn a_free_key_is_well() {
    let channel = Channel::new();
    let found = about(&channel, "key");
    assert!(found.len() == 1 && found[0]["level"] == "ok", "{found:?}");
}

#[test]
fn what_is_stale_is_found_and_its_command_mends_it() {
    let channel = Channel::new();
    channel.seated_reader(&[]).kill();
    mend(&problem(&channel, "stale"));
    channel.assert_nothing_left();
    // Seats alone.
    channel.seated_writer(&[]).kill();
    channel.remove_segment();
    mend(&problem(&channel, "stale"));
    channel.assert_nothing_left();
    // What waits is no problem.
    channel.writer(["--ring=64K", "one"]).end().code(0);
    let found = about(&channel, "stale");
    assert_eq!((found.len(), &found[0]["level"]), (1, &"note".into()), "{found:?}");
}

#[test]
fn a_foreign_user_of_the_key_or_of_the_seats_is_found_and_its_command_mends_it() {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 5000, 0o600).unwrap());
    mend(&problem(&channel, "key"));
    assert_eq!(channel.stat(), None);
    ipc::make_set(channel.key().seats(), 2);
    mend(&problem(&channel, "key"));
    channel.assert_nothing_left();
}

#[test]
fn a_stopped_side_is_found_and_its_command_mends_it() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--count=1"]);
    reader.stop();
    mend(&problem(&channel, "stopped"));
    reader.until("it runs again", |_| about(&channel, "stopped").is_empty());
    channel.writer(["hello"]).end().code(0);
    reader.end().code(0).prints("hello\n");
}

#[test]
fn an_open_mode_and_an_orphan_are_found() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--mode=666"]);
    assert!(problem(&channel, "modes").starts_with("shm-handoff rm "));
    drop(reader);
    let id = ipc::find_segment(channel.key().number()).unwrap();
    let held = ipc::Attached::at(channel.key().number()).unwrap();
    channel.remove_segment();
    let report: Value = serde_json::from_slice(&doctor(&channel).stdout).unwrap();
    let command = format!("shm-handoff who --id {id}");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["check"] == "orphans" && finding["command"] == *command), "{report}");
    drop(held);
}

/// A peer at the same key in another IPC namespace waits there for ever.
#[test]
fn a_peer_in_another_namespace_is_found() {
    if !is_root() {
        return skipped("only root can make an IPC namespace of its own");
    }
    let channel = Channel::new();
    let mut elsewhere = Command::new("unshare");
    elsewhere.args(["--ipc", crate::support::SHMREAD, "-k", &channel.key().number().to_string()]);
    let mut peer = match Run::new(elsewhere).try_start() {
        Ok(peer) => peer,
        Err(error) => return skipped(&format!("unshare: {error}")),
    };
    let pid = peer.pid();
    peer.until("it is found", |_| doctor(&channel).stdout.windows(6).any(|bytes| bytes == b"nsente"));
    let report: Value = serde_json::from_slice(&doctor(&channel).stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == "namespace" && finding["level"] == "problem");
    assert!(found.unwrap()["what"].as_str().unwrap().starts_with(&format!("pid {pid} shmread is at key")), "{report}");
}

#[test]
fn for_people() {
    let channel = Channel::new();
    channel.seated_reader(&[]).kill();
    problem(&channel, "stale");
    let stale = format!("$ shm-handoff rm {}\n", channel.key().number());
    let look = || Command::new(SHM_HANDOFF).args(["doctor", &channel.key().number().to_string()]).output().unwrap();
    let ended = eventually("the finding", || {
        Some(look()).filter(|done| String::from_utf8_lossy(&done.stdout).contains(&stale))
    });
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("problem"), "{ended:?}");
}
