//! `shm-handoff race`: what it counts, whom it leaves alone, how it ends. No
//! speed is tested, and no race has to show: only what is so by construction.

use crate::support::{Channel, DEADLINE, Peer, Run, SHM_HANDOFF, assert_gone, ipc};
use assert_cmd::Command;
use serde_json::Value;
use shm_handoff::backend::sysv::{Key, Segment};
use std::sync::atomic::Ordering;

const SCENARIOS: [&str; 4] = ["together", "writer first", "reader again", "two writers"];

/// `shm-handoff race -k KEY ARGS`, not started yet.
fn race(channel: &Channel, args: &[&str]) -> Run {
    let mut command = std::process::Command::new(SHM_HANDOFF);
    command.arg("race").arg(format!("--key={:#x}", channel.key().number())).args(args);
    Run::new(command)
}

fn assert_usage(args: &[&str]) {
    Command::new(SHM_HANDOFF).args(args).timeout(DEADLINE).assert().code(2).stdout("");
}

/// Waits until all three processes do something with the segment.
fn in_full_swing(channel: &Channel, race: &mut Peer) -> Vec<u32> {
    // (What /proc lists can be short while processes come.)
    race.until("two attached of three processes", |race| channel.attached() >= 2 && race.children().len() == 3);
    race.children()
}

#[test]
fn ours_is_clean_and_the_tutorial_s_reader_wipes_what_waits() {
    let channel = Channel::new();
    let ended = race(&channel, &["--seconds", "1", "--json"]).end();
    ended.code(0).says_nothing();
    channel.assert_nothing_left();
    let seen: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(seen["schema"], "shm-handoff/race/1");
    assert_eq!(seen["seconds"], 1);
    assert_eq!(seen["key"], channel.key().number());
    let protocols = seen["protocols"].as_array().unwrap();
    let names: Vec<_> = protocols.iter().map(|protocol| protocol["protocol"].as_str().unwrap()).collect();
    assert_eq!(names, ["tutorial", "ours", "ring"]);
    for protocol in protocols {
        let rows = protocol["rows"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|row| row["scenario"].as_str().unwrap()).collect();
        assert_eq!(names, SCENARIOS);
        let ours = protocol["protocol"] != "tutorial";
        for row in rows {
            let count = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"));
            assert!(count("sessions") > 0 && count("sent") > 0, "{row}");
            assert_eq!(count("sent"), count("received") + count("lost"), "{row}");
            let together = row["scenario"] == "together";
            assert_eq!(row["messages_per_second"].is_u64(), together, "{row}");
            if ours {
                for fault in ["lost", "doubled", "torn", "disordered", "ends_missed", "ends_false", "hung"] {
                    assert_eq!(count(fault), 0, "{fault} in {row}");
                }
                let second = row["scenario"] == "two writers";
                assert_eq!(count("refused"), if second { count("sessions") } else { 0 }, "{row}");
            } else {
                assert_eq!(count("refused"), 0, "{row}");
            }
            // One torn message is shown wherever one was counted, and its parts are all of it.
            let torn = &row["torn_message"];
            assert_eq!(torn.is_object(), count("torn") > 0, "{row}");
            let parts = torn["parts"].as_array().into_iter().flatten();
            let bytes = parts.map(|part| part["bytes"].as_u64().unwrap()).sum::<u64>();
            assert_eq!(bytes, torn["bytes"].as_u64().unwrap_or(0), "{row}");
            // D4: by construction the reader starts after the first text.
            if !ours && ["writer first", "reader again"].contains(&row["scenario"].as_str().unwrap()) {
                assert!(count("lost") >= count("sessions"), "{row}");
            }
        }
        assert_eq!(protocol["clean"], ours);
    }
}

#[test]
fn people_get_a_table_and_are_told_that_it_proves_nothing() {
    // The key is its own affair here.
    let run = Command::new(SHM_HANDOFF).args(["race", "--seconds=1"]).timeout(DEADLINE).assert().code(0).stderr("");
    let said = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    for text in SCENARIOS.iter().chain(&[
        "The tutorial's protocol",
        "Ours",
        "messages/s",
        "kept out",
        "This proves nothing either way",
        "docs/defects.md",
        "--cfg loom",
        "\ntogether      D2 D3 ",
        "\nwriter first  D4 ",
        "\nreader again  D4 ",
        "\ntwo writers   D5 ",
        "D4 D5       D5   D2 D5      D3     D3    D9\n",
    ]) {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
    // What is named after a defect is the tutorial's.
    let (_, ours) = said.split_once("Ours, as it ships:").unwrap();
    let (ours, _) = ours.split_once("What is done").unwrap();
    assert!(!ours.contains("D4"), "{ours}");
    let key = said.split(", key ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let key = key.parse().unwrap();
    assert_ne!(key, 1234);
    Channel::at(Key::new(key).unwrap()).assert_nothing_left();
}

#[test]
fn help_says_what_is_done_and_what_is_counted() {
    for (args, texts) in [
        (&["--help"][..], &["race"][..]),
        (&["race", "-h"], &["--seconds", "--key", "--json", "--quiet"]),
        (&["race", "--help"], &["lost", "doubled", "torn", "missed ends", "false ends", "hung", "shm-handoff/race/1"]),
        (&["race", "--help"], &["(D4, D5)", "(D2, D5)", "D9", "torn_message"]),
        (&["race", "--help"], &SCENARIOS),
        (&["race", "--help"], &["Exit status:", "128+n"]),
        (&["--version"], &[concat!("shm-handoff ", env!("CARGO_PKG_VERSION"))]),
    ] {
        let run = Command::new(SHM_HANDOFF).args(args).timeout(DEADLINE).assert().code(0).stderr("");
        let help = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        for text in texts {
            assert!(help.contains(text), "{args:?} does not say {text:?}:\n{help}");
        }
        assert!(!help.contains("race-side"), "that is nobody's business:\n{help}");
    }
}

#[test]
fn garbage_is_a_usage_error() {
    assert_usage(&[]);
    assert_usage(&["walk"]);
    for args in [
        &["--nonsense"][..],
        &["surplus"],
        &["--seconds", "0"],
        &["--seconds", "-1"],
        &["--seconds", "soon"],
        &["--key", "0"],
        &["--key", "x"],
        &["--key", "1234"],
        &["--key", "0x4d2"],
    ] {
        assert_usage(&[&["race"], args].concat());
    }
}

#[test]
fn somebody_s_segment_is_left_alone() {
    let channel = Channel::new();
    let segment = Segment::create_new(channel.key(), 2052, 0o600).unwrap();
    segment.word(0).store(1, Ordering::Relaxed);
    segment.payload(4, 2048).write_text(b"mine\n");
    race(&channel, &[]).end().code(1).prints("").says(&[
        &format!("key {} ", channel.key().number()),
        "somebody uses it",
        "leave out --key",
    ]);
    let mut text = [0; 2048];
    assert_eq!(segment.payload(4, 2048).read_text(&mut text), Some(5));
    assert_eq!((segment.word(0).load(Ordering::Relaxed), &text[..5]), (1, &b"mine\n"[..]));
    assert!(segment.is_current().unwrap(), "it was removed");
}

#[test]
fn somebody_s_semaphores_are_left_alone() {
    let channel = Channel::new();
    let set = ipc::make_set(channel.key().seats(), 1);
    race(&channel, &[]).end().code(4).prints("").says(&["foreign semaphore set"]);
    assert_eq!(ipc::find_set(channel.key().seats()), Some(set));
    assert_eq!(channel.stat(), None, "the segment is left behind");
}

#[test]
fn a_session_of_others_goes_on() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    race(&channel, &[]).end().code(1).prints("").says(&["somebody uses it"]);
    channel.writer(["hello", "end"]).end().code(0);
    reader.end().code(0).prints("hello\n");
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    for (signal, name) in [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM"), (libc::SIGHUP, "SIGHUP")] {
        let channel = Channel::new();
        let mut race = race(&channel, &["--seconds", "600"]).start();
        let pids = in_full_swing(&channel, &mut race);
        race.signal(signal);
        let ended = race.end();
        ended.code(128 + signal).prints("").says(&["ended by", name]);
        println!("latency: {name} to exit: {:?}", ended.took);
        channel.assert_nothing_left();
        assert_gone(&pids);
    }
}

#[test]
fn its_processes_do_not_outlive_it() {
    let channel = Channel::new();
    let mut race = race(&channel, &["--seconds", "600"]).start();
    let pids = in_full_swing(&channel, &mut race);
    race.kill();
    assert_gone(&pids);
}

#[test]
fn a_process_that_dies_ends_it() {
    for which in 0..3 {
        let channel = Channel::new();
        let mut race = race(&channel, &["--seconds", "600"]).start();
        let pids = in_full_swing(&channel, &mut race);
        // SAFETY: no memory is involved; it is a child of a child that lives.
        assert_eq!(unsafe { libc::kill(i32::try_from(pids[which]).unwrap(), libc::SIGKILL) }, 0);
        race.end().code(1).prints("").says(&["process (pid", "can't go on"]);
        channel.assert_nothing_left();
        assert_gone(&pids);
    }
}

#[test]
fn an_output_that_nobody_reads() {
    let channel = Channel::new();
    let mut race = race(&channel, &["--seconds", "1"]).held_output().start();
    drop(race.take_output());
    race.end().code(0).says_nothing();
    channel.assert_nothing_left();

    let script = format!("exec '{SHM_HANDOFF}' race >&-");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]);
    Run::new(shell).end().code(1).says(&["standard output is closed"]);
}
