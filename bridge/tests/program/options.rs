//! The command line, the pages, the logs.

use crate::support::{Hosts, bridge};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[test]
fn what_can_not_be_meant_is_a_usage_error() {
    for (args, says) in [
        (&["send", "--to", "plant/*"][..], "a wildcard can't stand here"),
        (&["send", "--to", "plant/**"], "a wildcard can't stand here"),
        (&["send", "--to", "/plant"], "not a key of zenoh"),
        (&["send"], "--to <KEYEXPR>"),
        (&["receive", "--from", "a", "--connect", "192.0.2.1"], "not an endpoint"),
        (&["receive", "--from", "a", "--connect", "udp/192.0.2.1:7"], "tcp and tls are"),
        (&["receive", "--from", "a", "--set", "lease"], "no KEY=VALUE"),
        (&["receive", "--from", "a", "--ack", "never"], "possible values: ring, received"),
    ] {
        bridge(args).end().code(2).says(&[says]);
    }
    let hosts = Hosts::new();
    hosts.send(&["--ring", "--set", "no/such/key=1"]).end().code(2).says(&["--set no/such/key=1"]);
    hosts.send(&["--ring", "--config", "/nowhere.json5"]).end().code(2).says(&["/nowhere.json5"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.json5");
    std::fs::write(&file, "{ mode: ").unwrap();
    hosts.send(&["--ring", "--config", file.to_str().unwrap()]).end().code(2).says(&["broken.json5"]);
}

#[test]
fn a_port_that_is_taken_is_exit_1_and_ends_nobodys_session() {
    let hosts = Hosts::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp/{}", port.local_addr().unwrap());
    let mut reader = hosts.there.reader(&["--ring"]).start();
    reader.until("a ring", |_| hosts.there.is_there());
    let (key, listen) = (hosts.there.number(), ["--listen", &taken]);
    let args = [&["receive", "--ring", "-k", &key, "--from", "a"][..], &listen].concat();
    bridge(&args).end().code(1).says(&["zenoh", "the ports free"]);
    reader.stays("");
}

#[test]
fn logs_are_an_object_a_line() {
    let hosts = Hosts::new();
    let (sender, receiver) =
        hosts.bridges(&["--ring", "--json", "--progress=always"], &["--ring", "--json", "--mode", "666"]);
    let reader = hosts.there.reader(&["--ring"]).start();
    hosts.here.writer(&["--ring"]).input("a\nbc\n").end().code(0);
    reader.end().code(0);
    for (ended, what) in [(sender.end(), "sender"), (receiver.end(), "receiver")] {
        ended.code(0);
        let lines = ended.stderr.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
        let events: Vec<_> = lines.collect();
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().expect("a name")).collect();
        assert!(events.iter().all(|event| event["time"].as_str().is_some_and(|time| time.ends_with('Z'))), "{ended}");
        for name in ["opened", "link", "session", "ended"] {
            assert!(names.contains(&name), "{what}: {name}: {ended}");
        }
        let last = events.last().expect("an event");
        assert_eq!((&last["exit"], &last["messages"], &last["bytes"]), (&0.into(), &2.into(), &5.into()), "{ended}");
        assert!(last["message"].is_null() && last["hint"].is_null(), "{ended}");
    }
    let ended = hosts.send(&["--ring", "--json", "--timeout", "100ms"]).end();
    let last: serde_json::Value = serde_json::from_str(ended.code(124).stderr.lines().last().unwrap()).unwrap();
    assert_eq!(last["exit"], 124);
    assert!(last["message"].as_str().is_some_and(|text| text.contains("no progress")), "{ended}");
}

#[test]
fn quiet_says_nothing() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(&["--ring", "-q"], &["--ring", "-q"]);
    let reader = hosts.there.reader(&["--ring"]).start();
    hosts.here.writer(&["--ring"]).input("a\n").end().code(0);
    reader.end().code(0);
    sender.end().code(0).says_nothing();
    receiver.end().code(0).says_nothing();
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), content);
            }
        }
    }
    found
}

/// What is in `share` is what the definitions say now.
#[test]
fn pages_and_completions_are_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    bridge(&["generate".as_ref(), folder.path().as_os_str()]).end().code(0);
    let (kept, made) = (files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("share")), files(folder.path()));
    assert_eq!(kept.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (name, content) in made {
        assert!(
            kept[&name] == content,
            "bridge/share/{} is out of date: cargo run -p shm-handoff-bridge generate bridge/share",
            name.display()
        );
    }
}
