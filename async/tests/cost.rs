//! A message that is ready makes no system call: counted, in a child process, by a filter that traps them.
#![cfg(all(not(loom), target_arch = "x86_64"))]

#[path = "../../tests/support/ipc.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod ipc;
#[path = "runtimes/place.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod place;
#[path = "../../tests/support/seccomp.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod seccomp;
#[path = "../../tests/cost/trap.rs"]
mod trap;

use futures::{SinkExt, StreamExt};
use place::{Layout, Place, message};
use shm_handoff::Received;
use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};

/// Set in the child.
const CHILD: &str = "SHM_HANDOFF_COST_CHILD";

/// To be ready: for no runtime, and within the turn that others are given now and then.
fn done<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..2 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("it is not ready");
}

/// Messages through `layout`, by each of the calls.
fn messages(layout: Layout) {
    if std::env::var_os(CHILD).is_some() {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.blocking_writer());
        // A slot's first message looks for the reader.
        writer.send(&message(0)).unwrap();
        let mut writer = shm_handoff_async::Writer::new(writer);
        let mut measured = |rounds| {
            for _ in 0..rounds {
                assert!(done(reader.recv(&mut [0; 2048])) == Ok(Received::Message(8)));
                done(writer.send(b"12345678")).unwrap();
                done(reader.next()).unwrap().unwrap();
                done(SinkExt::send(&mut writer, b"12345678")).unwrap();
                done(reader.ready()).unwrap().peek().unwrap().release();
                assert!(done(writer.ready(8)).unwrap().try_send(b"12345678") == Ok(()));
            }
        };
        measured(1);
        // The process ends at once, and leaves nothing: those attached keep the memory.
        drop(place);
        trap::arm();
        measured(2000);
        let [calls, first] = trap::counted();
        trap::report([calls, first, 0]);
    }
    let test = format!("messages_through_a_{}", format!("{layout:?}").to_lowercase());
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &test, "--nocapture", "--test-threads=1"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = said.lines().find_map(|line| line.strip_prefix(trap::REPORT));
    let counts = counts.unwrap_or_else(|| panic!("no counts: {said}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(counts, "0 0 0", "system calls, the number of the first");
}

#[test]
fn messages_through_a_slot() {
    messages(Layout::Slot);
}

#[test]
fn messages_through_a_ring() {
    messages(Layout::Ring);
}

#[test]
fn messages_through_a_text() {
    messages(Layout::Text);
}

#[test]
fn messages_through_a_data() {
    messages(Layout::Data);
}
