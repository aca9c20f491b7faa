//! Links that are not there, time limits, signals, and what is acknowledged when.

use crate::support::{Hosts, Peer, numbers};
use std::time::Duration;

const RING: &[&str] = &["--ring"];

/// The time that its processor has spent on it.
fn processor_time(peer: &Peer) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", peer.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[test]
fn signals_end_both_and_are_no_failure_of_the_writer() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143), (libc::SIGHUP, 129)] {
        let hosts = Hosts::new();
        let (sender, receiver) = hosts.bridges(RING, RING);
        let mut reader = hosts.there.reader(RING).start();
        let mut writer = hosts.here.writer(RING).open_input().start();
        writer.type_in("one\n");
        reader.until_prints("one\n");
        receiver.signal(signal);
        receiver.end().code(code).says(&["ended by SIG"]);
        sender.signal(signal);
        sender.end().code(code).says(&["ended by SIG"]);
        reader.stays("one\n");
        // The next pair goes on.
        let (sender, receiver) = hosts.bridges(RING, RING);
        writer.type_in("two\n");
        writer.close_input();
        reader.end().code(0).prints("one\ntwo\n");
        sender.end().code(0);
        receiver.end().code(0);
    }
}

#[test]
fn a_signal_is_heard_where_nobody_is_at_the_other_end() {
    let hosts = Hosts::new();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("one\n");
    let mut sender = hosts.send(&["--ring", "-v"]).start();
    sender.until_says("listening on");
    sender.signal(libc::SIGTERM);
    sender.end().code(143);
    let mut receiver = hosts.receive(&["--ring", "-v"]).start();
    receiver.until_says("Memory attached");
    receiver.signal(libc::SIGTERM);
    receiver.end().code(143);
}

#[test]
fn a_time_limit_passes_without_progress() {
    let hosts = Hosts::new();
    let why = "no link to the other bridge";
    hosts.send(&["--ring", "--timeout", "300ms"]).end().code(124).says(&["no progress", why]);
    let alone = hosts.receive(&["--ring", "--timeout", "300ms"]).end();
    alone.code(124).says(&["no progress", why, "no link to tcp/", "Connection refused", "trying again"]);
}

#[test]
fn a_bridge_that_comes_later_finds_everything() {
    let hosts = Hosts::new();
    let writer = hosts.here.writer(RING).input(numbers(0..1000)).start();
    let sender = hosts.send(RING).start();
    let reader = hosts.there.reader(RING).start();
    writer.end().code(0);
    let receiver = hosts.receive(RING).start();
    reader.end().code(0).prints(numbers(0..1000));
    sender.end().code(0);
    receiver.end().code(0);
}

#[test]
fn with_ack_received_nothing_is_released_before_the_reader_has_it() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(&["--ring", "-v"], &["--ring", "--ack", "received", "-v"]);
    hosts.here.writer(RING).input(numbers(0..10)).end().code(0);
    hosts.there.reader(&["--ring", "--count", "4"]).end().code(0).prints(numbers(0..4));
    // The other host is gone: what was not received comes again.
    receiver.kill();
    drop(sender.kill());
    let rest = hosts.here.reader(RING).end();
    rest.code(0);
    let text = String::from_utf8_lossy(&rest.stdout).into_owned();
    assert!(numbers(0..10).ends_with(&text) && text.contains("4\n5\n6\n7\n8\n9\n"), "{rest}");
}

#[test]
fn with_ack_received_a_session_ends_like_any_other() {
    for (here, there) in [(RING, &["--ring", "--ack", "received"][..]), (&[], &["--ack", "received"])] {
        let hosts = Hosts::new();
        let (sender, receiver) = hosts.bridges(here, there);
        let reader = hosts.there.reader(here).start();
        hosts.here.writer(here).input(numbers(0..30)).end().code(0);
        reader.end().code(0).prints(numbers(0..30));
        sender.end().code(0);
        receiver.end().code(0);
    }
}

#[test]
fn waiting_costs_no_core() {
    let hosts = Hosts::new();
    let (mut sender, mut receiver) = hosts.bridges(&["--ring", "-v"], &["--ring", "-v"]);
    sender.until_says("met the other bridge");
    receiver.until_says("met the other bridge");
    let before = [&sender, &receiver].map(processor_time);
    std::thread::sleep(Duration::from_secs(2));
    let after = [&sender, &receiver].map(processor_time);
    for (name, at) in [("sender", 0), ("receiver", 1)] {
        let spent = after[at].saturating_sub(before[at]);
        // A busy loop would take all of the two seconds.
        assert!(spent < Duration::from_millis(200), "the {name} took {spent:?} of two idle seconds");
    }
}
