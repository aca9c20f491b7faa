//! What a bridge does not carry.

use crate::support::{Hosts, bridge};

const RING: &[&str] = &["--ring"];

#[test]
fn a_message_that_is_too_long_over_there() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, &["--ring=64K"]);
    let reader = hosts.there.reader(&["--ring=64K"]).start();
    let long = [b"first\n".to_vec(), vec![b'x'; 20_000], b"\nlast\n".to_vec()].concat();
    let writer = hosts.here.writer(RING).input(long).start();
    let why = "it has more than 16384 bytes";
    sender.end().code(5).says(&["can't be carried over there", why, "--count 1"]);
    receiver.end().code(5).says(&["can't be carried here", why]);
    reader.end().code(3).prints("first\n");
    writer.end();
    // It is still there for another bridge, or for a reader.
    let rest = hosts.here.reader(RING).end();
    assert_eq!(rest.stdout.len(), 20_001 + 5, "{rest}");
}

#[test]
fn a_text_that_a_slot_can_not_have() {
    for (text, why) in [
        ("endless\n", "begins with `end`"),
        ("end\n", "it is `end` alone, and would end the session there"),
        ("a\0b\n", "it has a NUL at byte 1"),
    ] {
        let hosts = Hosts::new();
        let (sender, receiver) = hosts.bridges(RING, &[]);
        let reader = hosts.there.reader(&[]).start();
        hosts.here.writer(RING).input(format!("fine\n{text}")).end().code(0);
        sender.end().code(5).says(&[why]);
        receiver.end().code(5).says(&[why]);
        reader.end().code(3).prints("fine\n");
    }
}

#[test]
fn a_second_stream_while_the_first_one_goes_on() {
    let hosts = Hosts::new();
    let other = Hosts::new();
    let (there, here, second) = (hosts.there.number(), hosts.here.number(), other.here.number());
    let send = |key| bridge(&["send", "--ring", "-k", key, "--to", hosts.topic(), "--connect", hosts.endpoint()]);
    let receive = ["receive", "--ring", "-k", &there, "--from", hosts.topic(), "--listen", hosts.endpoint()];
    let mut receiver = bridge(&receive).start();
    let mut sender = send(&here).start();
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("mine\n");
    reader.until_prints("mine\n");
    let mut stranger = other.here.writer(RING).open_input().start();
    stranger.type_in("not yours\n");
    send(&second).end().code(6).says(&["another stream", "use another ring there", "shm-handoff rm"]);
    assert!(!sender.has_ended() && !receiver.has_ended());
    writer.type_in("still mine\n");
    reader.until_prints("mine\nstill mine\n");
}

#[test]
fn a_second_receiver_at_the_same_key() {
    let hosts = Hosts::new();
    let other = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let mut reader = hosts.there.reader(RING).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("0\n");
    reader.until_prints("0\n");
    let key = other.there.number();
    let mut second =
        bridge(&["receive", "--ring", "-v", "-k", &key, "--from", hosts.topic(), "--connect", hosts.endpoint()])
            .start();
    second.until_says("linked to");
    let mut sent = "0\n".to_owned();
    // It denies the first one's session, at each message and each probe.
    for number in 1..30 {
        let line = format!("{number}\n");
        writer.type_in(&line);
        sent += &line;
        reader.until_prints(&sent);
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(sent);
    sender.end().code(0);
    receiver.end().code(0);
    assert!(!second.has_ended(), "it waits for its turn");
    second.signal(libc::SIGTERM);
    assert!(!second.end().stderr.contains("met the other bridge"));
}

#[test]
fn a_channel_with_a_reader_or_a_writer() {
    let hosts = Hosts::new();
    let mut reader = hosts.here.reader(RING).start();
    reader.until("seated", |_| hosts.here.is_seated(3));
    hosts.send(RING).end().code(6).says(&["another reader is attached"]);
    let mut writer = hosts.there.writer(RING).open_input().start();
    writer.until("seated", |_| hosts.there.is_seated(2));
    hosts.receive(RING).end().code(6).says(&["another writer is attached"]);
}

#[test]
fn a_ring_that_has_another_story() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RING);
    let mut reader = hosts.there.reader(&["--ring", "--follow"]).start();
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("one\n");
    reader.until_prints("one\n");
    sender.kill();
    // Another reader takes what the receiver there never got: the two rings tell two stories.
    let mut between = hosts.here.reader(RING).start();
    between.until("seated", |_| hosts.here.is_seated(3));
    writer.type_in("two\n");
    between.until("the second line", |between| between.printed().ends_with(b"two\n"));
    between.kill();
    let sender = hosts.send(RING).start();
    sender.end().code(4).says(&["the positions of the two rings do not fit together"]);
    receiver.kill();
}
