//! `shm-handoff doctor`: what can be wrong is found. What it says mends it is tried in `advice`.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, eventually, is_root, skipped};
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

#[test]
fn a_free_key_is_well() {
    let channel = Channel::new();
    let found = about(&channel, "key");
    assert!(found.len() == 1 && found[0]["level"] == "ok", "{found:?}");
}

/// A peer at the same key in another IPC namespace waits there forever.
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
    drop(Segment::create_new(channel.key(), 5000, 0o600).unwrap());
    assert_eq!(about(&channel, "key")[0]["level"], "problem");
    let command = format!("$ shm-handoff rm --force {}\n", channel.key().number());
    let look = || Command::new(SHM_HANDOFF).args(["doctor", &channel.key().number().to_string()]).output().unwrap();
    let ended = eventually("the finding", || {
        Some(look()).filter(|done| String::from_utf8_lossy(&done.stdout).contains(&command))
    });
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("problem"), "{ended:?}");
}
