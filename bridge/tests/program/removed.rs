//! Rings that go while something is under way: by `ipcrm`, and by the reader that answers an end.

use crate::support::{DEADLINE, Hosts, QUIET, numbers};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{Reader, RecvError, WaitPolicy};

const CAPACITY: usize = 64 << 10;
const RING: &[&str] = &["--ring=64K"];
const RECEIVED: &[&str] = &["--ring=64K", "--ack", "received"];

/// Waits until so many messages lie on the other host. None is released.
fn arrive(hosts: &Hosts, count: usize) -> Reader<SysV> {
    let mut reader = Reader::<SysV>::open(&Options::ring(hosts.there.key(), CAPACITY).unwrap()).unwrap();
    for at in 0..count {
        let found = reader.peek_next(&mut WaitPolicy::timeout(DEADLINE)).expect("it arrives");
        assert_eq!(found.text(), format!("{at}\n").as_bytes());
    }
    reader
}

#[test]
fn a_ring_there_that_nobody_has_read() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RECEIVED);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in("0\n");
    arrive(&hosts, 1).close().unwrap();
    hosts.there.remove_segment();
    let mut reader = hosts.there.reader(RING).start();
    reader.until_prints("0\n");
    writer.close_input();
    reader.end().code(0);
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
    hosts.assert_nothing_left();
}

#[test]
fn a_ring_here_of_which_nothing_was_acknowledged() {
    let hosts = Hosts::new();
    let (mut sender, receiver) = hosts.bridges(&["--ring=64K", "-v"], RECEIVED);
    let mut writer = hosts.here.writer(RING).open_input().start();
    writer.type_in(numbers(0..10));
    let reader = arrive(&hosts, 10);
    hosts.here.remove_segment();
    sender.until_says("the ring here was removed");
    reader.close().unwrap();
    let mut reader = hosts.there.reader(RING).start();
    reader.until_prints(numbers(0..10));
    writer.type_in("10\n");
    writer.close_input();
    reader.end().code(0).prints(numbers(0..11));
    writer.end().code(0);
    sender.end().code(0);
    receiver.end().code(0);
    hosts.assert_nothing_left();
}

/// The reader removes the ring when it meets the end, and what the ring knows of the stream is gone with it. If the receiver is killed
/// then, whatever was not acknowledged comes again.
#[test]
fn an_end_follows_when_everything_before_it_was_acknowledged() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(RING, RECEIVED);
    hosts.here.writer(RING).input(numbers(0..10)).end().code(0);
    let mut reader = arrive(&hosts, 10);
    let early = reader.wait_with(&mut WaitPolicy::timeout(QUIET));
    assert_eq!(early, Err(RecvError::TimedOut), "nothing was released");
    reader.release_peeked();
    let end = reader.peek_with(&mut WaitPolicy::timeout(DEADLINE)).expect("the end comes");
    assert!(end.ends_session());
    end.end_session().unwrap();
    drop(reader);
    sender.end().code(0);
    receiver.end().code(0);
    hosts.assert_nothing_left();
}
