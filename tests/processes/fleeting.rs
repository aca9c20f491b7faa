//! Where the kernel removes a segment with its last attachment (`kernel.shm_rmid_forced`), as
//! some containers have it: what was sent is received before its writer leaves.

use crate::support::{Channel, Ended, Peer, Run, SHM_HANDOFF, eventually, skipped};
use std::process::Command;

/// An IPC namespace of its own with this setting, for as long as this is there.
struct Place {
    channel: Channel,
    holder: Peer,
}

impl Place {
    fn new() -> Option<Self> {
        let mut command = Command::new("unshare");
        let forced = "echo 1 > /proc/sys/kernel/shm_rmid_forced && echo ready && exec cat";
        command.args(["--ipc", "sh", "-c", forced]);
        let mut holder = Run::new(command).open_input().start();
        let is_ready = eventually("a namespace, or none", || {
            let is_ready = holder.printed() == b"ready\n";
            (is_ready || holder.has_ended()).then_some(is_ready)
        });
        if !is_ready {
            skipped(&format!("no IPC namespace of our own, or no kernel.shm_rmid_forced in it: {}", holder.said()));
            return None;
        }
        Some(Self { channel: Channel::new(), holder })
    }

    /// This program with this key, in there.
    fn run(&self, program: &str, args: &[&str]) -> Run {
        let mut command = Command::new("nsenter");
        command.args([&format!("--ipc=/proc/{}/ns/ipc", self.holder.pid()), program]);
        if program != SHM_HANDOFF {
            command.args(["-k", &self.channel.key().number().to_string()]);
        }
        command.args(args);
        Run::new(command)
    }

    fn read(&self, args: &[&str]) -> Run {
        self.run(crate::support::SHMREAD, args)
    }

    fn write(&self, args: &[&str]) -> Run {
        self.run(crate::support::SHMWRITE, args)
    }
}

const EACH: [&[&str]; 2] = [&[], &["--ring=64K"]];

#[test]
fn a_writer_waits_until_what_it_sent_is_received() {
    let Some(place) = Place::new() else { return };
    // Alone, in a ring: it needs no reader to send.
    let mut writer = place.write(&["--ring=64K", "hello"]).start();
    writer.until_says("was not received yet");
    writer.stays("");
    place.read(&["--ring=64K", "--count=1"]).end().code(0).prints("hello\n");
    writer.end().code(0);
    // Its reader stopped in the middle: the message waits in the slot, and its writer with it.
    for layout in EACH {
        let mut reader = place.read(&[layout, &["--follow"]].concat()).start();
        let mut writer = place.write(&[layout, &["--no-end"]].concat()).open_input().start();
        writer.type_in("first\n");
        reader.until_prints("first\n");
        reader.stop();
        writer.type_in("second\n");
        writer.close_input();
        writer.until_says("was not received yet");
        writer.stays("");
        // Killed: the next reader gets it.
        drop(reader.kill());
        writer.stays("");
        let next = place.read(&[layout, &["--count=1"]].concat()).end();
        assert_eq!(next.stdout, b"second\n", "{next}");
        writer.end().code(0);
    }
}

#[test]
fn who_does_not_wait_says_how_many_are_lost() {
    let Some(place) = Place::new() else { return };
    let says = |ended: Ended, code| _ = ended.code(code).says(&["2 messages sent", "2 sent before were not received"]);
    says(place.write(&["--ring=64K", "--timeout=200ms", "a", "b"]).end(), 124);
    let mut writer = place.write(&["--ring=64K", "a", "b"]).start();
    writer.until_says("was not received yet");
    writer.signal(libc::SIGTERM);
    says(writer.end(), 143);
    // What can't be carried keeps nothing of what was sent before it.
    let mut writer = place.write(&["--ring=64K"]).input(format!("a\n{}\n", "x".repeat(20_000))).start();
    writer.until_says("was not received yet");
    place.read(&["--ring=64K", "--count=1"]).end().code(0).prints("a\n");
    writer.end().code(5);
}

/// An end is answered by the removal, as ever.
#[test]
fn a_session_ends_as_it_does_elsewhere() {
    let Some(place) = Place::new() else { return };
    for layout in EACH {
        let writer = place.write(layout).input("a\nb\n").start();
        place.read(layout).end().code(0).prints("a\nb\n");
        writer.end().code(0);
    }
}

#[test]
fn doctor_finds_it() {
    let Some(place) = Place::new() else { return };
    let ended = place.run(SHM_HANDOFF, &["doctor"]).end();
    let found = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(found.contains("shm_rmid_forced"), "{found}");
}
