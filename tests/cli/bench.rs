//! `shm-handoff bench`: what it shows, what it refuses, and that it leaves nothing. How
//! fast anything is, is not tested.

use crate::support::{Channel, Ended, Peer, Run, SHM_HANDOFF, assert_gone};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::Value;
use shm_handoff::backend::sysv::Key;
use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::Command;
use svg::node::element::tag::Type;
use svg::parser::Event;

const ALL: [&str; 4] = ["classic", "ring", "pipe", "socket"];

/// As short as it goes.
const SHORT: &str = "--seconds=0.01";

/// `shm-handoff bench ARGS`, not started yet.
fn bench(args: &[&str]) -> Run {
    let mut command = Command::new(SHM_HANDOFF);
    command.arg("bench").args(args);
    Run::new(command)
}

fn text(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

fn json(args: &[&str]) -> Value {
    let ended = bench(&[&["--json", SHORT], args].concat()).end();
    serde_json::from_slice(&ended.code(0).stdout).unwrap()
}

fn names(found: &Value) -> Vec<&str> {
    found["transports"].as_array().unwrap().iter().map(|one| one["transport"].as_str().unwrap()).collect()
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {of}"))
}

/// Waits until its processes have both channels of both layouts; the processes and what
/// they use.
fn in_full_swing(bench: &mut Peer) -> (Vec<u32>, Vec<Channel>) {
    let mut keys = BTreeSet::new();
    bench.until("four segments", |bench| {
        keys.extend(bench.children().into_iter().flat_map(keys_of));
        keys.len() == 4
    });
    let pids = bench.children();
    assert_eq!(pids.len(), 2, "a bench is run by two processes");
    (pids, keys.into_iter().map(|key| Channel::at(Key::new(key).unwrap())).collect())
}

/// Of the segments that a process has attached.
fn keys_of(pid: u32) -> Vec<u32> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let key = |line: &str| u32::from_str_radix(line.split("/SYSV").nth(1)?.get(..8)?, 16).ok();
    maps.lines().filter_map(key).collect()
}

fn assert_nothing_left(channels: &[Channel]) {
    for channel in channels {
        channel.assert_nothing_left();
    }
}

#[test]
fn people_get_a_row_for_each() {
    let ended = bench(&[SHORT]).end();
    ended.code(0).says_nothing();
    let said = text(&ended);
    assert!(said.contains("64 bytes a message; 0.01 s for each measurement, in 8 rounds"), "{said}");
    let table: Vec<Vec<_>> = said
        .lines()
        .skip_while(|line| !line.is_empty())
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(table[0][..6], ["TRANSPORT", "TRIPS", "MIN", "P50", "P90", "P99"]);
    assert_eq!(table[0][6..], ["P99.9", "MAX", "MESSAGES/S", "BYTES/S"]);
    assert_eq!(table[1..].iter().map(|row| row[0]).collect::<Vec<_>>(), ALL);
    for row in &table[1..] {
        let numbers: Vec<u64> = row[1..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!(numbers.iter().all(|number| *number > 0), "{row:?}");
        assert!(numbers[1..7].is_sorted(), "{row:?}");
        assert_eq!(numbers[8], numbers[7] * 64, "{row:?}");
    }
}

#[test]
fn scripts_get_the_columns_that_they_ask_for() {
    let ended = bench(&[SHORT, "-o", "bytes/s,transport", "--no-headings", "--only", "pipe,ring"]).end();
    let said = text(ended.code(0));
    let rows: Vec<Vec<_>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 2 && row[0].parse::<u64>().is_ok()), "{said}");
    assert_eq!(rows.iter().map(|row| row[1]).collect::<Vec<_>>(), ["ring", "pipe"]);
}

#[test]
fn programs_get_what_the_schema_says() {
    let found = json(&["--size=100"]);
    assert_eq!(found["schema"], "shm-handoff/bench/1");
    assert_eq!((&found["size"], &found["seconds"], &found["rounds"]), (&100.into(), &0.01.into(), &8.into()));
    assert!(found["machine"]["processor"].is_string() && found["machine"]["kernel"].is_string(), "{found}");
    assert_eq!(found["machine"]["cores"].as_array().unwrap().len(), 2);
    assert!(found["clock_ns"].is_u64());
    assert_eq!(names(&found), ALL);
    for transport in found["transports"].as_array().unwrap() {
        let trip = &transport["round_trip"];
        let percentiles = ["min_ns", "p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"].map(|name| number(trip, name));
        assert!(percentiles.is_sorted(), "{trip}");
        assert_eq!(trip["rounds_p50_ns"].as_array().unwrap().len(), 8);
        let steps = trip["histogram"].as_array().unwrap();
        assert_eq!(steps.iter().map(|step| number(step, "count")).sum::<u64>(), number(trip, "trips"));
        let ends = steps.iter().flat_map(|step| [number(step, "from_ns"), number(step, "below_ns") - 1]);
        assert!(ends.clone().is_sorted(), "{trip}");
        let (first, last) = (ends.clone().next().unwrap(), ends.last().unwrap());
        assert!(first <= percentiles[0] && percentiles[5] <= last, "{trip}");
        let way = &transport["one_way"];
        let mut rounds: Vec<_> = way["rounds_messages_per_second"].as_array().unwrap().clone();
        rounds.sort_by_key(|rate| rate.as_u64().unwrap());
        assert_eq!((rounds.len(), &rounds[4]), (8, &way["messages_per_second"]));
        assert_eq!(number(way, "bytes_per_second"), number(way, "messages_per_second") * 100);
        assert!(number(way, "messages") > 0);
    }
}

#[test]
fn every_size_that_is_allowed_can_be_measured() {
    assert_eq!(names(&json(&["--size=1"])), ALL);
    assert_eq!(names(&json(&["--size=2047"])), ALL);
    // A classic slot is left out where it can't take part, and refused where it is asked to.
    assert_eq!(names(&json(&["--size=2048"])), ALL[1..]);
    assert_eq!(names(&json(&["--size=524280"])), ALL[1..]);
    bench(&["--size=2048", "--only=classic,pipe"]).end().code(2).says(&["2047 bytes, not 2048", "leave classic out"]);
}

#[test]
fn the_distribution_is_shown_if_asked_for() {
    let ended = bench(&[SHORT, "--histogram", "--only=ring"]).end();
    let said = text(ended.code(0));
    let steps: Vec<_> = said.lines().skip_while(|line| *line != "ring, round trips by time in ns:").skip(1).collect();
    assert!(
        !steps.is_empty()
            && steps.iter().all(|line| line.contains(" to ") && line.contains(" % ") || line.ends_with('%')),
        "{said}"
    );
    assert!(steps.iter().any(|line| line.ends_with("####")), "{said}");
}

#[test]
fn the_picture_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.svg");
    bench(&[SHORT, "--svg", file.to_str().unwrap()]).end().code(0).says_nothing();
    let picture = std::fs::read_to_string(&file).unwrap();
    let (mut open, mut texts) = (Vec::new(), BTreeSet::new());
    let (mut lines, mut dots) = (0, 0);
    for event in svg::read(&picture).unwrap() {
        match event {
            Event::Tag(name, Type::Start, _) => open.push(name),
            Event::Tag(name, Type::End, _) => assert_eq!(open.pop(), Some(name), "{picture}"),
            Event::Tag("path", Type::Empty, attributes) => {
                assert!(attributes["d"].starts_with('M') && !attributes["d"].contains("NaN"), "{picture}");
                lines += 1;
            }
            Event::Tag("circle", Type::Empty, _) => dots += 1,
            Event::Text(text) => _ = texts.insert(text.trim()),
            Event::Error(error) => panic!("{error}: {picture}"),
            _ => {}
        }
    }
    assert_eq!((open.len(), lines, dots), (0, 8, 4), "a line and its name's for each, and a dot: {picture}");
    assert!(ALL.iter().all(|name| texts.contains(name)), "{picture}");
    assert!(picture.contains("prefers-color-scheme: dark"));
}

/// Before the run, which takes its time.
#[test]
fn a_picture_that_can_not_be_written_costs_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    for (path, why) in [("/nonexistent/bench.svg", "No such file"), (folder, "Is a directory")] {
        let ended = bench(&["--seconds=1000", "--only=pipe", "--svg", path]).end();
        ended.code(1).prints("").says(&[&format!("{path}: {why}"), "hint:"]);
    }
}

/// What was there is there until something is drawn, and then all of it is new.
#[test]
fn a_run_that_fails_costs_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.svg"), folder.path().join("new.svg"));
    let before = "the one before ".repeat(10_000);
    std::fs::write(&old, &before).unwrap();
    for path in [&old, &new] {
        let mut bench = bench(&["--seconds=1000", "--svg", path.to_str().unwrap()]).start();
        let (_, _channels) = in_full_swing(&mut bench);
        bench.signal(libc::SIGTERM);
        bench.end().code(128 + libc::SIGTERM);
    }
    assert!(std::fs::read_to_string(&old).unwrap() == before, "it was written over");
    assert!(!new.exists(), "it has nothing in it");
    bench(&[SHORT, "--only=pipe", "--svg", old.to_str().unwrap()]).end().code(0);
    let picture = std::fs::read_to_string(&old).unwrap();
    assert!(picture.trim_end().ends_with("</svg>") && !picture.contains("the one before"), "{picture}");
    // What is no file: a pipe.
    let drawn = bench(&[SHORT, "--only=pipe", "--svg=/dev/stdout"]).end();
    assert!(text(drawn.code(0)).trim_end().ends_with("</svg>"), "{drawn}");
}

#[test]
fn one_core_is_enough_and_is_said() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|core| allowed.is_set(*core).unwrap()).unwrap();
    let mut only = CpuSet::new();
    only.set(first).unwrap();
    let alone = |command: &mut Command| {
        // SAFETY: one async-signal-safe call between fork and exec.
        unsafe { command.pre_exec(move || Ok(sched_setaffinity(Pid::from_raw(0), &only)?)) };
    };
    let ended = bench(&[SHORT, "--json"]).with(alone).end();
    ended.code(0).says(&[&format!("share core {first}"), "hint:"]);
    let found: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((names(&found), &found["machine"]["cores"]), (ALL.to_vec(), &serde_json::json!([first, first])));
    let asked = format!("--cores={first},{first}");
    bench(&[SHORT, "--only=ring", &asked]).end().code(0).says(&[&format!("share core {first}")]);
    bench(&["--cores=0,1000"]).with(alone).end().code(2).says(&["may not use core", &format!("it may use {first}")]);
}

#[test]
fn help_says_what_is_measured_and_how_it_is_told() {
    let ended = bench(&["--help"]).end();
    let help = text(ended.code(0));
    for said in
        ["shm-handoff/bench/1", "p99_9_ns", "one_way", "P99.9", "MESSAGES/S", "Exit status:", "128+n", "--cores"]
    {
        assert!(help.contains(said), "--help does not say {said:?}:\n{help}");
    }
    let all = Command::new(SHM_HANDOFF).arg("--help").output().unwrap();
    let all = String::from_utf8(all.stdout).unwrap();
    assert!(all.contains("bench") && !all.contains("bench-side"), "{all}");
}

#[test]
fn garbage_is_a_usage_error() {
    for args in [
        &["--nonsense"][..],
        &["surplus"],
        &["--size=0"],
        &["--size=524281"],
        &["--size=few"],
        &["--seconds=0"],
        &["--seconds=-1"],
        &["--seconds=nan"],
        &["--seconds=soon"],
        &["--only=queue"],
        &["--cores=0"],
        &["--cores=0,x"],
        &["--cores=0,1,2"],
        &["-o", "colour"],
        &["--json", "-o", "p50"],
        &["--json", "--histogram"],
    ] {
        bench(args).end().code(2).prints("");
    }
}

#[test]
fn it_leaves_nothing() {
    let mut bench = bench(&["--seconds=0.2"]).start();
    let (pids, channels) = in_full_swing(&mut bench);
    bench.end().code(0).says_nothing();
    assert_nothing_left(&channels);
    assert_gone(&pids);
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    for (signal, name) in [(libc::SIGINT, "SIGINT"), (libc::SIGTERM, "SIGTERM"), (libc::SIGHUP, "SIGHUP")] {
        let mut bench = bench(&["--seconds=600"]).start();
        let (pids, channels) = in_full_swing(&mut bench);
        bench.signal(signal);
        bench.end().code(128 + signal).prints("").says(&["ended by", name]);
        assert_nothing_left(&channels);
        assert_gone(&pids);
    }
}

#[test]
fn a_process_that_dies_ends_it() {
    for which in 0..2 {
        let mut bench = bench(&["--seconds=600"]).start();
        let (pids, channels) = in_full_swing(&mut bench);
        // SAFETY: no memory is involved; it is a child of a child that lives.
        assert_eq!(unsafe { libc::kill(i32::try_from(pids[which]).unwrap(), libc::SIGKILL) }, 0);
        bench.end().code(1).prints("").says(&["process (pid", "can't go on"]);
        assert_nothing_left(&channels);
        assert_gone(&pids);
    }
}

#[test]
fn its_processes_do_not_outlive_it() {
    let mut bench = bench(&["--seconds=600"]).start();
    // Which clear what is left behind: nobody else can, after a SIGKILL.
    let (pids, _channels) = in_full_swing(&mut bench);
    bench.kill();
    assert_gone(&pids);
}
