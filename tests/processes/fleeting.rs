//! Where the kernel removes a segment with its last attachment (`kernel.shm_rmid_forced`), as
//! some containers have it: what was sent is received before its writer leaves.

use crate::support::{Apart, Ended, Run, SHM_HANDOFF, eventually, skipped};

fn place() -> Option<Apart> {
    Apart::new("echo 1 > /proc/sys/kernel/shm_rmid_forced")
}

const EACH: [&[&str]; 2] = [&[], &["--ring=64K"]];

#[test]
fn a_writer_waits_until_what_it_sent_is_received() {
    let Some(place) = place() else { return };
    // Alone, in a ring: it needs no reader to send.
    let mut writer = place.writer(&["--ring=64K", "hello"]).start();
    writer.until_says("was not received yet");
    writer.stays("");
    place.reader(&["--ring=64K", "--count=1"]).end().code(0).prints("hello\n");
    writer.end().code(0);
    // Its reader stopped in the middle: the message waits in the slot, and its writer with it.
    for layout in EACH {
        let mut reader = place.reader(&[layout, &["--follow"]].concat()).start();
        let mut writer = place.writer(&[layout, &["--no-end"]].concat()).open_input().start();
        writer.type_in("first\n");
        reader.until_prints("first\n");
        // It prints, and releases after that.
        eventually("released", || {
            let shown = place.run(SHM_HANDOFF, &["stat", "--json", &place.key()]).end();
            String::from_utf8_lossy(&shown.stdout).contains("\"messages\":0").then_some(())
        });
        reader.stop();
        writer.type_in("second\n");
        writer.close_input();
        writer.until_says("was not received yet");
        writer.stays("");
        // Killed: the next reader gets it.
        drop(reader.kill());
        writer.stays("");
        let next = place.reader(&[layout, &["--count=1"]].concat()).end();
        assert_eq!(next.stdout, b"second\n", "{next}");
        writer.end().code(0);
    }
}

#[test]
fn who_does_not_wait_says_how_many_are_lost() {
    let Some(place) = place() else { return };
    let says = |ended: Ended, code| _ = ended.code(code).says(&["2 messages sent", "2 sent before were not received"]);
    says(place.writer(&["--ring=64K", "--timeout=200ms", "a", "b"]).end(), 124);
    let mut writer = place.writer(&["--ring=64K", "a", "b"]).start();
    writer.until_says("was not received yet");
    writer.signal(libc::SIGTERM);
    says(writer.end(), 143);
    // What can't be carried keeps nothing of what was sent before it.
    let mut writer = place.writer(&["--ring=64K"]).input(format!("a\n{}\n", "x".repeat(20_000))).start();
    writer.until_says("was not received yet");
    place.reader(&["--ring=64K", "--count=1"]).end().code(0).prints("a\n");
    writer.end().code(5);
    let input = format!("a\n{}\n", "x".repeat(20_000));
    let ended = place.writer(&["--ring=64K", "--timeout=200ms"]).input(input).end();
    ended.code(5).says(&["line 2 can't be sent", "the other side made no progress", "1 message sent"]);
}

/// An end is answered by the removal, as ever.
#[test]
fn a_session_ends_as_it_does_elsewhere() {
    let Some(place) = place() else { return };
    for layout in EACH {
        let writer = place.writer(layout).input("a\nb\n").start();
        place.reader(layout).end().code(0).prints("a\nb\n");
        writer.end().code(0);
    }
}

#[test]
fn doctor_finds_it() {
    let Some(place) = place() else { return };
    let ended = place.run(SHM_HANDOFF, &["doctor"]).end();
    let found = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(found.contains("shm_rmid_forced"), "{found}");
}

/// A segment that its maker is about to attach has no attachment: that of a tool would be its last.
#[test]
fn looking_does_not_remove_what_nobody_has_attached_yet() {
    let Some(place) = place() else { return };
    let script = "my $id = shmget($ARGV[0], 2052, 01600); print defined $id ? qq(made\n) : qq(no\n); <STDIN>; \
                  my $text; print shmread($id, $text, 0, 4) ? qq(there\n) : qq(gone\n)";
    let mut command = place.entrance()("perl");
    command.args(["-e", &format!("$| = 1; {script}"), &place.key()]);
    let Ok(mut maker) = Run::new(command).open_input().try_start() else { return skipped("perl is not here") };
    let is_made = eventually("a segment, or no perl", || {
        let is_made = maker.printed() == b"made\n";
        (is_made || maker.has_ended()).then_some(is_made)
    });
    if !is_made {
        return skipped(&format!("perl is not here, or has no shmget: {}", maker.said()));
    }
    for args in [&["stat", &place.key()][..], &["ls"], &["doctor", &place.key()], &["rm", "--dry-run", &place.key()]] {
        place.run(SHM_HANDOFF, args).end();
    }
    maker.type_in("\n");
    maker.end().code(0).prints("made\nthere\n");
}

/// What they make would go when its maker goes on to the next step.
#[test]
fn tools_that_need_memory_that_stays_say_so() {
    let Some(place) = place() else { return };
    for args in [&["bench", "--only=ring", "--seconds=0.01"][..], &["race", "--seconds=1"]] {
        place.run(SHM_HANDOFF, args).end().code(1).prints("").says(&["kernel.shm_rmid_forced=1", "sudo unshare --ipc"]);
    }
}
