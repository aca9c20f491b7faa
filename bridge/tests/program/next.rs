//! The machine of the sender is restarted: its ring is gone, and the next one is another stream.

use crate::support::{Channel, Hosts, bridge, numbers};
use shm_handoff::WaitPolicy;
use shm_handoff::backend::sysv::{Options, SysV};

const RING: &[&str] = &["--ring"];
const NEXT: &[&str] = &["--ring", "--next-stream", "-v"];

/// What a power failure leaves of the sender's machine.
fn fails(hosts: &Hosts, programs: impl IntoIterator<Item = crate::support::Peer>) {
    for program in programs {
        program.kill();
    }
    hosts.here.remove_segment();
}

#[test]
fn it_comes_behind_what_was_read() {
    let hosts = Hosts::new();
    let (sender, mut receiver) = hosts.bridges(RING, &["--ring", "--next-stream", "--json"]);
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in(numbers(0..2));
    reader.until_prints(numbers(0..2));
    fails(&hosts, [sender, writer]);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("2\n");
    let sender = hosts.send(RING).start();
    receiver.until_says("comes next");
    reader.until_prints(numbers(0..3));
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(numbers(0..3));
    sender.end().code(0);
    receiver.end().code(0);
    hosts.assert_nothing_left();
}

/// It waits for a reader that has not come yet, and for one that has not read everything.
#[test]
fn it_waits_for_the_reader() {
    let hosts = Hosts::new();
    let (sender, mut receiver) = hosts.bridges(RING, NEXT);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in(numbers(0..3));
    // They lie there, and are not released.
    let mut early = shm_handoff::Reader::<SysV>::open(&Options::any_ring(hosts.there.key())).unwrap();
    for _ in 0..3 {
        early.peek_next(&mut WaitPolicy::timeout(crate::support::DEADLINE)).expect("it arrives");
    }
    early.close().unwrap();
    fails(&hosts, [sender, writer]);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("3\n");
    let mut sender = hosts.send(RING).start();
    receiver.until_says("waits until the reader here has read everything");
    assert!(!sender.has_ended());
    let mut reader = hosts.there.reader(RING).start();
    reader.until_prints(numbers(0..4));
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0);
    sender.end().code(0);
    receiver.end().code(0).says(&["comes next"]);
    hosts.assert_nothing_left();
}

/// The receiver may have been started anew meanwhile: it waits whether the sender of before greets it, and then takes the next one.
#[test]
fn it_comes_to_another_receiver() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let mut reader = hosts.there.reader(&["--ring", "--follow"]).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("0\n");
    reader.until_prints("0\n");
    fails(&hosts, [sender, writer]);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("1\n");
    // Without the option it is refused.
    hosts.send(RING).end().code(6).says(&["another stream", "--next-stream"]);
    receiver.kill();
    let (sender, receiver) = hosts.bridges(RING, NEXT);
    reader.until_prints("0\n1\n");
    writer.close_input();
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
    reader.end();
    hosts.assert_nothing_left();
}

/// One that was let in has the ring, also while nothing has come of it yet.
#[test]
fn the_one_before_does_not_come_back_in_front_of_its_first_message() {
    let (hosts, other) = (Hosts::new(), Channel::new());
    let (there, here, second) = (hosts.there.number(), hosts.here.number(), other.number());
    let send = |key| bridge(&["send", "--ring", "-k", key, "--to", hosts.topic(), "--connect", hosts.endpoint()]);
    let receive = ["receive", "-k", &there, "--from", hosts.topic(), "--listen", hosts.endpoint()];
    let mut receiver = bridge(&[&receive, NEXT].concat()).start();
    let mut sender = send(&here).start();
    let mut reader = hosts.there.reader(&["--ring", "--follow"]).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("0\n");
    reader.until_prints("0\n");
    sender.stop();
    let mut idle = other.writer(RING).open_input().start();
    let mut next = send(&second).start();
    receiver.until_says("comes next");
    sender.go_on();
    sender.end().code(6).says(&["another stream"]);
    assert!(!next.has_ended());
    idle.type_in("1\n");
    reader.until_prints("0\n1\n");
}

/// Each waits for itself whether the one that has the ring is heard of again.
#[test]
fn several_that_come_too_early_are_refused() {
    let (hosts, others) = (Hosts::new(), [Channel::new(), Channel::new(), Channel::new()]);
    let (there, here) = (hosts.there.number(), hosts.here.number());
    let send = |key: &str| bridge(&["send", "--ring", "-k", key, "--to", hosts.topic(), "--connect", hosts.endpoint()]);
    let receive = ["receive", "-k", &there, "--from", hosts.topic(), "--listen", hosts.endpoint()];
    let _receiver = bridge(&[&receive, NEXT].concat()).start();
    let mut sender = send(&here).start();
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("0\n");
    reader.until_prints("0\n");
    let early: Vec<_> = others.iter().map(|other| send(&other.number()).start()).collect();
    for sender in early {
        sender.end().code(6).says(&["another stream"]);
    }
    assert!(!sender.has_ended());
}
