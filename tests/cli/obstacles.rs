//! What is in the way at the key: other programs' segments and semaphore
//! sets, other users', limits, and others of ours.

use crate::support::{Channel, Run, SHM_HANDOFF, SHMREAD, SHMWRITE, for_everybody, ipc, is_root, seccomp, skipped};
use shm_handoff::Role;
use shm_handoff::backend::sysv::Segment;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// `nobody`, or any user that is not root.
const STRANGER: u32 = 65534;

/// Both programs at this key; neither of them should get far.
fn each(channel: &Channel) -> [Run; 2] {
    [channel.reader(["--timeout", "1ms"]), channel.writer(["--timeout", "1ms", "x"])]
}

/// As [`each`], by another user; the programs are in `folder`.
fn each_as_stranger(channel: &Channel, folder: &Path) -> [Run; 2] {
    [("shmread", &["--timeout", "1ms"][..]), ("shmwrite", &["--timeout", "1ms", "x"])].map(|(name, args)| {
        let mut command = channel.command(&folder.join(name), args);
        command.uid(STRANGER).gid(STRANGER);
        Run::new(command)
    })
}

#[test]
fn a_segment_of_another_size_is_no_channel() {
    for size in [1, 2048, 2051, 2053, 4096, 1 << 20] {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), size, 0o600).unwrap());
        for run in each(&channel) {
            run.end().code(4).prints("").says(&[
                &format!("it has {size} byte"),
                "a classic slot has 2052,",
                "shm-handoff rm --force",
            ]);
        }
        assert!(channel.stat().is_some(), "it is not ours to remove");
        channel.assert_no_seats();
    }
}

#[test]
fn a_segment_of_another_owner_needs_trust() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHMREAD.as_ref(), SHMWRITE.as_ref()]);

    // Theirs, met by us.
    let channel = Channel::new();
    for run in each_as_stranger(&channel, folder.path()) {
        run.end().code(124);
    }
    assert_eq!(channel.stat().unwrap().uid, STRANGER);
    for run in each(&channel) {
        run.end().code(4).says(&["segment", "uid 65534", "--trust-owner"]);
    }
    let reader = channel.seated_reader(&["--trust-owner"]);
    channel.writer(["--trust-owner"]).input("hello\n").end().code(0);
    reader.end().code(0).prints("hello\n");
    channel.assert_nothing_left();

    // Ours, met by them: they can open it and do not want to.
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--mode", "666"]);
    for run in each_as_stranger(&channel, folder.path()) {
        run.end().code(4).says(&["uid 0", "--trust-owner"]);
    }
    let [_, writer] = each_as_stranger(&channel, folder.path());
    writer.with(|run| _ = run.arg("--trust-owner")).end().code(0);
    reader.until_prints("x\n");
}

/// The reader may not remove what another user made: it releases the end, and the next session works.
#[test]
fn sessions_of_two_users_follow_each_other() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHMREAD.as_ref()]);
    for layout in [&["--mode=666"][..], &["--mode=666", "--ring=64K"]] {
        let channel = Channel::new();
        let mut id = None;
        for round in 0..3 {
            let mut writer = channel.writer(layout).open_input().start();
            channel.await_seated(Role::Writer, &mut writer);
            assert_eq!(channel.stat().unwrap().uid, 0, "the writer made it");
            let mut command = channel.command(&folder.path().join("shmread"), [layout, &["--trust-owner"]].concat());
            command.uid(STRANGER).gid(STRANGER);
            let reader = Run::new(command).start();
            writer.type_in(format!("{round}\n"));
            writer.close_input();
            writer.end().code(0);
            reader.end().code(0).prints(format!("{round}\n"));
            let now = ipc::find_segment(channel.key().number());
            assert!(now.is_some() && (id.is_none() || id == now), "the segment stays");
            id = now;
        }
    }
}

#[test]
fn a_semaphore_set_of_another_owner_needs_trust_too() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHMREAD.as_ref()]);
    let channel = Channel::new();
    let mut command = channel.command(&folder.path().join("shmread"), ["--timeout", "20s"]);
    command.uid(STRANGER).gid(STRANGER);
    let mut stranger = Run::new(command).start();
    channel.await_seated(Role::Reader, &mut stranger);
    // The segment goes: what is left of theirs is the set alone.
    stranger.stop();
    channel.remove_segment();
    channel.writer(["--timeout", "1ms", "x"]).end().code(4).says(&["semaphore set", "uid 65534", "--trust-owner"]);
    drop(folder);
}

#[test]
fn a_segment_that_may_not_be_read_is_named_with_mode_and_owner() {
    let channel = Channel::new();
    if is_root() {
        let folder = for_everybody(&[SHMREAD.as_ref(), SHMWRITE.as_ref()]);
        drop(Segment::create_new(channel.key(), 2052, 0o640).unwrap());
        for run in each_as_stranger(&channel, folder.path()) {
            run.end().code(1).says(&["permission denied", "segment", "uid 0", "mode 640"]);
        }
    } else {
        // No segment that was made without permissions lets itself be attached.
        drop(Segment::create_new(channel.key(), 2052, 0));
        for run in each(&channel) {
            run.end().code(1).says(&["permission denied", "segment", "mode 000"]);
        }
    }
}

#[test]
fn a_semaphore_set_that_may_not_be_read_is_named_with_mode_and_owner() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHMREAD.as_ref(), SHMWRITE.as_ref()]);
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 2052, 0o666).unwrap());
    ipc::make_set(channel.key().seats(), 14);
    for run in each_as_stranger(&channel, folder.path()) {
        let run = run.with(|run| _ = run.arg("--trust-owner"));
        run.end().code(1).says(&["permission denied", "semaphore set", "uid 0", "mode 600"]);
    }
}

#[test]
fn a_foreign_semaphore_set_at_the_seats_key_is_left_alone() {
    for (count, number, value) in
        [(1, 0, 0), (13, 0, 0), (15, 0, 0x5332), (14, 0, 7), (14, 4, 1), (14, 0, 0x5368), (5, 0, 7)]
    {
        let channel = Channel::new();
        let id = ipc::make_set(channel.key().seats(), count);
        ipc::set_value(id, number, value);
        for run in each(&channel) {
            let seats = format!("{:#010x}", channel.key().seats());
            run.end().code(4).says(&["foreign semaphore set", &seats, "ipcrm -S"]);
        }
        assert_eq!(ipc::value(id, number), Some(value), "it is not ours to change");
    }
}

/// Somebody's set at the segment's own key, as a book has it, is no obstacle.
#[test]
fn a_semaphore_set_at_the_segment_s_own_key_is_no_obstacle() {
    let channel = Channel::new();
    let id = ipc::make_set(channel.key().number(), 1);
    let reader = channel.seated_reader(&[]);
    channel.writer([""; 0]).input("hello\n").end().code(0);
    reader.end().code(0).prints("hello\n");
    assert_eq!(ipc::value(id, 0), Some(0));
    ipc::remove_set(channel.key().number());
}

#[test]
fn a_limit_that_is_reached_is_named() {
    for (file, value, limit, command) in [
        (c"/proc/sys/kernel/shmmni", c"0", "SHMMNI", "sysctl kernel.shmmni"),
        (c"/proc/sys/kernel/shmmax", c"2051", "SHMMAX", "sysctl kernel.shmmax"),
        (c"/proc/sys/kernel/shmall", c"0", "SHMALL", "sysctl kernel.shmall"),
        (c"/proc/sys/kernel/sem", c"250 32000 32 0", "SEMMNI", "sysctl kernel.sem"),
        (c"/proc/sys/kernel/sem", c"4 32000 32 128", "SEMMSL", "sysctl kernel.sem"),
        (c"/proc/sys/kernel/sem", c"250 32000 1 128", "SEMOPM", "sysctl kernel.sem"),
    ] {
        let channel = Channel::new();
        for mut run in each(&channel) {
            run = run.with(|command| {
                // SAFETY: async-signal-safe calls alone; the strings are static.
                unsafe {
                    command.pre_exec(move || {
                        let check = |done: isize| if done < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) };
                        check(libc::unshare(libc::CLONE_NEWIPC) as isize)?;
                        let to = libc::open(file.as_ptr(), libc::O_WRONLY);
                        check(to as isize)?;
                        check(libc::write(to, value.as_ptr().cast(), value.to_bytes().len()))
                    });
                }
            });
            match run.try_start() {
                Ok(peer) => {
                    peer.end().code(1).prints("").says(&["limit", limit, command]);
                }
                Err(error) => skipped(&format!("{limit} can't be lowered in a namespace of our own: {error}")),
            }
        }
    }
}

/// What a sandbox refuses has no owner: a container's profile, seccomp.
#[test]
fn a_call_that_a_sandbox_refuses_is_named_and_nobody_s_object() {
    for (call, numbers) in [
        ("shmget", &[libc::SYS_shmget][..]),
        ("shmat", &[libc::SYS_shmat]),
        ("shmctl", &[libc::SYS_shmctl]),
        ("semget", &[libc::SYS_semget]),
        ("semop", &[libc::SYS_semop, libc::SYS_semtimedop]),
        ("semctl", &[libc::SYS_semctl]),
    ] {
        for there in [false, true] {
            let channel = Channel::new();
            if there {
                // Ours: its owner refuses us nothing.
                drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
            }
            for run in each(&channel) {
                let run = run.with(|command| {
                    // SAFETY: async-signal-safe calls alone, and no memory but the stack's.
                    unsafe {
                        command.pre_exec(move || {
                            for number in numbers {
                                seccomp::refuse(*number);
                            }
                            Ok(())
                        });
                    }
                });
                let ended = run.end();
                ended.code(1).prints("").says(&[&format!("the system call {call}"), "is refused", "EPERM"]);
                ended.says(&["hint: a sandbox refuses it (seccomp", "shm-handoff doctor"]);
                assert!(!ended.stderr.contains("belongs to"), "{ended}");
            }
        }
    }
}

#[test]
fn a_second_reader_and_a_second_writer_are_told_who_is_there() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer = channel.seated_writer(&[]);
    let pid = |pid: u32| format!("pid {pid}");
    channel.reader([""; 0]).end().code(6).prints("").says(&["another reader", &pid(reader.pid())]);
    channel.writer(["x"]).end().code(6).says(&["another writer", &pid(writer.pid()), "0 messages sent"]);
    // A stopped one is still there.
    reader.stop();
    writer.stop();
    channel.reader([""; 0]).end().code(6).says(&[&pid(reader.pid())]);
    channel.writer(["x"]).end().code(6).says(&[&pid(writer.pid())]);
    reader.go_on();
    writer.go_on();
    // Those who came first notice nothing.
    writer.type_in("hello\n");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints("hello\n").says_nothing();
    channel.assert_nothing_left();
}

#[test]
fn a_holder_in_another_pid_namespace_has_no_pid_to_name() {
    let channel = Channel::new();
    let _reader = channel.seated_reader(&[]);
    let mut command = std::process::Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", SHMREAD, "-k", &channel.key().number().to_string()]);
    match Run::new(command).try_start().map(crate::support::Peer::end) {
        Ok(ended) if ended.stderr.starts_with("unshare:") => skipped(&ended.stderr),
        Ok(ended) => _ = ended.code(6).says(&["another reader", "another pid namespace"]),
        Err(error) => skipped(&format!("unshare: {error}")),
    }
}

/// What somebody made once with another mode takes ours, unless a peer uses it.
#[test]
fn a_set_that_was_left_over_takes_our_mode() {
    let channel = Channel::new();
    let seats = channel.key().seats();
    for mode in [0o666, 0o400] {
        channel.seated_reader(&[]).kill();
        ipc::set_permissions(false, ipc::find_set(seats).expect("SIGKILL leaves it"), mode);
        let mut reader = channel.seated_reader(&[]);
        assert_eq!(ipc::set_mode(seats), Some(0o600));
        assert_eq!(reader.said(), "");
    }
    let _reader = channel.seated_reader(&[]);
    ipc::set_permissions(false, ipc::find_set(seats).expect("it is in use"), 0o606);
    let writer = channel.writer(["hello"]).end();
    writer.code(0).says(&["the seats' semaphore set", "mode 606", "--mode 606"]);
    assert_eq!(ipc::set_mode(seats), Some(0o606), "it is the peer's choice");
}

/// Too little memory for a message is an error, not an abort.
#[test]
fn a_message_for_which_there_is_no_memory_stays() {
    let channel = Channel::new();
    let writer = channel.writer(["--ring=64M", "--long=split", "--no-end"]).input(vec![b'x'; 16 << 20]).start();
    writer.end().code(0);
    let mut refused = 0;
    // The program itself, the ring, and the message: from too little to enough.
    for mebibytes in (60..).step_by(4) {
        let mut shell = std::process::Command::new("sh");
        let run = format!("ulimit -v {}; exec '{SHMREAD}' -k {} --count 1", mebibytes * 1024, channel.key().number());
        shell.args(["-c", &run]);
        let ended = Run::new(shell).output_to(std::process::Stdio::null()).end();
        if ended.status.success() {
            break;
        }
        ended.code(1).says(&["ENOMEM"]);
        refused += u32::from(ended.stderr.contains("allocation"));
    }
    assert!(refused > 0, "none was short of memory for the message alone");
}

/// What would be done, and what can be done, are one.
#[test]
fn a_dry_run_promises_nothing_that_is_refused() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHM_HANDOFF.as_ref()]);
    for (mode, args) in [(0o666, &[][..]), (0o666, &["--force"]), (0o600, &["--force"])] {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), 2052, mode).unwrap());
        let key = channel.key().number().to_string();
        for dry in [&[][..], &["--dry-run"]] {
            let mut command = Command::new(folder.path().join("shm-handoff"));
            command.arg("rm").args(dry).args(args).arg(&key);
            let ended = Run::new(command).by_user(STRANGER, STRANGER).end();
            ended.code(1).prints("").says(&["permission denied", "run as the user that it belongs to"]);
            assert!(!ended.stderr.contains("--force"), "{ended}");
            channel.assert_no_seats();
        }
    }
}
