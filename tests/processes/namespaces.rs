//! Containers: the IPC namespace is where sides meet, whatever their pids are there.

use crate::support::{Channel, Ended, Peer, Run, SHMREAD, SHMWRITE, numbers, skipped};
use shm_handoff::Role;
use std::process::Command;

/// Whether `unshare` can do this here.
fn can_unshare(what: &str) -> bool {
    let done = Command::new("unshare").args([what, "--fork", "true"]).output();
    let can = done.as_ref().is_ok_and(|output| output.status.success());
    if !can {
        skipped(&format!("unshare {what}: {done:?}"));
    }
    can
}

/// `program -k KEY ARGS` in a namespace of its own.
fn apart(what: &[&str], program: &str, channel: &Channel, args: &[&str]) -> Run {
    let mut command = Command::new("unshare");
    command.args(what).args([program, "-k", &channel.key().number().to_string()]).args(args);
    Run::new(command)
}

const PID: &[&str] = &["--pid", "--fork", "--kill-child"];

fn seated(channel: &Channel, mut peer: Peer) -> Peer {
    channel.await_seated(Role::Reader, &mut peer);
    peer
}

#[test]
fn two_pid_namespaces_share_a_channel() {
    if !can_unshare("--pid") {
        return;
    }
    for ring in [&[][..], &["--ring=64K"]] {
        let channel = Channel::new();
        let reader = seated(&channel, apart(PID, SHMREAD, &channel, ring).start());
        channel.writer(ring).input(numbers(0..2000)).end().code(0);
        reader.end().code(0).prints(numbers(0..2000));
        channel.assert_nothing_left();
    }
}

#[test]
fn a_death_is_noticed_across_pid_namespaces() {
    if !can_unshare("--pid") {
        return;
    }
    for ring in [&[][..], &["--ring=64K"]] {
        let channel = Channel::new();
        // The pid namespace goes with `unshare`, and the reader in it.
        // And nobody takes what it prints, so that the writer comes to wait for it.
        let reader = seated(&channel, apart(PID, SHMREAD, &channel, ring).held_output().start());
        let mut writer = channel.writer([ring, &["--no-end", "-v"]].concat()).input("x\n".repeat(200_000)).start();
        writer.until_says("Waiting...\n");
        drop(reader);
        writer.end().code(3).says(&["the reader left or died"]);
        // And a writer over there by a reader here.
        let mut reader = channel.reader(ring).start();
        let writer = apart(PID, SHMWRITE, &channel, &[ring, &["--no-end"]].concat()).open_input().start();
        reader.until("a writer in its seat", |_| channel.is_seated(Role::Writer) && channel.attached() >= 2);
        drop(writer);
        reader.end().code(3);
    }
}

#[test]
fn another_ipc_namespace_is_another_place() {
    if !can_unshare("--ipc") {
        return;
    }
    let channel = Channel::new();
    let _reader = channel.seated_reader(&[]);
    let says = |ended: Ended| _ = ended.code(124).says(&["in this IPC namespace (ipc:["]);
    says(apart(&["--ipc"], SHMWRITE, &channel, &["--timeout=500ms", "x"]).end());
    says(apart(&["--ipc"], SHMREAD, &channel, &["--timeout=100ms"]).end());
}
