//! What root is never refused: sides of other users, and of such as have another effective
//! user than a real one.

use crate::support::{Channel, Run, SHMREAD, SHMWRITE, for_everybody, ipc, is_root, skipped};
use shm_handoff::backend::memory::offsets::ring::{SMALLEST, size};
use shm_handoff::backend::sysv::{Key, Observer, Segment};
use shm_handoff::error::Object;
use shm_handoff::{Error, Role};
use std::path::Path;
use std::process::Command;

const ROOT: u32 = 0;

/// `nobody`, or any user that is not root.
const STRANGER: u32 = 65534;

/// Copies of the programs that every user can run.
struct Programs(tempfile::TempDir);

impl Programs {
    /// `None`: no other user can be played here.
    fn new() -> Option<Self> {
        if !is_root() {
            skipped("another user can be played by root alone");
            return None;
        }
        Some(Self(for_everybody(&[SHMREAD.as_ref(), SHMWRITE.as_ref()])))
    }

    fn run(&self, program: &str, channel: &Channel, args: &[&str]) -> Run {
        let name = Path::new(program).file_name().unwrap();
        Run::new(channel.command(&self.0.path().join(name), args))
    }

    fn reader(&self, channel: &Channel, args: &[&str]) -> Run {
        self.run(SHMREAD, channel, args)
    }

    fn writer(&self, channel: &Channel, args: &[&str]) -> Run {
        self.run(SHMWRITE, channel, args)
    }

    /// Both, not for long.
    fn each(&self, channel: &Channel, args: &[&str]) -> [Run; 2] {
        let args = [&["--timeout=1ms"], args].concat();
        [self.reader(channel, &args), self.writer(channel, &[&args, &["x"][..]].concat())]
    }
}

/// The segment is the effective user's, who meets it whoever the real one is.
#[test]
fn the_effective_user_counts() {
    let Some(programs) = Programs::new() else { return };
    for layout in [&[][..], &["--ring=64K"]] {
        for (effective, one, other) in [(STRANGER, ROOT, STRANGER), (STRANGER, STRANGER, ROOT), (ROOT, STRANGER, ROOT)]
        {
            let channel = Channel::new();
            let mut reader = programs.reader(&channel, layout).by_user(one, effective).start();
            channel.await_seated(Role::Reader, &mut reader);
            assert_eq!(channel.stat().unwrap().uid, effective);
            programs.writer(&channel, layout).by_user(other, effective).input("hello\n").end().code(0).says_nothing();
            reader.end().code(0).prints("hello\n").says_nothing();
            channel.assert_nothing_left();
        }
    }
}

/// And the real user's own is another one's.
#[test]
fn the_real_user_does_not_count() {
    let Some(programs) = Programs::new() else { return };
    for layout in [&[][..], &["--ring=64K"]] {
        let channel = Channel::new();
        let mut reader = channel.reader(layout).with(|run| _ = run.arg("--mode=666")).start();
        channel.await_seated(Role::Reader, &mut reader);
        for run in programs.each(&channel, layout) {
            run.by_user(ROOT, STRANGER).end().code(4).says(&["segment", "uid 0", "--trust-owner"]);
        }
        ipc::set_permissions(true, ipc::find_segment(channel.key().number()).unwrap(), 0o600);
        for run in programs.each(&channel, layout) {
            run.by_user(ROOT, STRANGER).end().code(1).says(&["permission denied", "uid 0", "mode 600"]);
        }
        assert!(!reader.has_ended());
    }
}

/// A segment at the key that this user has made, not in use.
fn made_by(programs: &Programs, channel: &Channel, user: u32, layout: &[&str]) -> i32 {
    programs.reader(channel, &[layout, &["--timeout=0s"]].concat()).by_user(user, user).end().code(124);
    channel.remove_seats();
    ipc::find_segment(channel.key().number()).unwrap()
}

/// Who made a segment keeps all access to it, whoever it was given to.
#[test]
fn what_was_given_away_is_still_its_creators() {
    let Some(programs) = Programs::new() else { return };
    for layout in [&[][..], &["--ring=64K"]] {
        for (creator, owner) in [(STRANGER, ROOT), (ROOT, STRANGER)] {
            let channel = Channel::new();
            ipc::give_segment(made_by(&programs, &channel, creator, layout), owner);
            for user in [creator, owner] {
                for run in programs.each(&channel, layout) {
                    run.by_user(user, user).end().code(4).says(&["segment", "--trust-owner"]);
                }
            }
            channel.assert_no_seats();
            let args = [layout, &["--trust-owner"]].concat();
            let mut reader = programs.reader(&channel, &args).by_user(owner, owner).start();
            channel.await_seated(Role::Reader, &mut reader);
            programs.writer(&channel, &args).by_user(owner, owner).input("hello\n").end().code(0);
            reader.end().code(0).prints("hello\n");
            channel.assert_nothing_left();
        }
    }
}

/// Modes that keep their own user out.
#[test]
fn an_own_segment_that_may_not_be_used_is_named() {
    let Some(programs) = Programs::new() else { return };
    for layout in [&[][..], &["--ring=64K"]] {
        let channel = Channel::new();
        let id = made_by(&programs, &channel, STRANGER, layout);
        for (mode, named) in [(0, "mode 000"), (0o200, "mode 200"), (0o400, "mode 400"), (0o066, "mode 066")] {
            ipc::set_permissions(true, id, mode);
            for run in programs.each(&channel, layout) {
                run.by_user(STRANGER, STRANGER).end().code(1).says(&["permission denied", "uid 65534", named]);
            }
        }
    }
}

/// A ring that was left half made is finished by the user whose it is, and by nobody else.
#[test]
fn a_half_made_ring_is_its_users_to_finish() {
    let Some(programs) = Programs::new() else { return };
    let half_made = || {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), size(SMALLEST), 0o600).unwrap());
        channel
    };
    let given_to_the_stranger = || {
        let channel = Channel::new();
        made_by(&programs, &channel, STRANGER, &["--ring=64K"]);
        let all = ipc::Attached::at(channel.key().number()).unwrap();
        all.words().iter().for_each(|word| word.store(0, std::sync::atomic::Ordering::Relaxed));
        channel
    };
    for run in programs.each(&given_to_the_stranger(), &["--ring=64K", "--trust-owner"]) {
        run.end().code(4).says(&["no ring's header"]);
    }
    // Whose it is by the effective user alone.
    for (channel, real, effective) in [(half_made(), STRANGER, ROOT), (given_to_the_stranger(), ROOT, STRANGER)] {
        programs.reader(&channel, &["--ring=64K", "--timeout=0s"]).by_user(real, effective).end().code(124);
        programs.writer(&channel, &["--ring=64K"]).by_user(real, effective).input("hello\n").end().code(0);
        programs.reader(&channel, &["--ring=64K"]).by_user(real, effective).end().code(0).prints("hello\n");
        channel.assert_nothing_left();
    }
}

/// Set in a child: the key to look at.
const CHILD: &str = "SHM_HANDOFF_USERS_KEY";

/// Runs this test once more as a stranger, for what the library says to one.
fn as_a_stranger(test: &str, channel: &Channel) {
    let us = std::env::current_exe().unwrap();
    let folder = for_everybody(&[&us]);
    let mut command = Command::new(folder.path().join(us.file_name().unwrap()));
    command.args(["--exact", test, "--test-threads=1"]).env(CHILD, channel.key().number().to_string());
    command.current_dir(folder.path());
    Run::new(command).by_user(STRANGER, STRANGER).end().code(0);
}

fn is_denied(met: &Error, key: Key, mode: u32) {
    let expected = Error::Permission { key: key.number(), object: Object::Segment, owner: "uid 0".to_owned(), mode };
    assert_eq!(*met, expected);
}

/// Each call that is refused says whose the segment is, and its mode.
#[test]
fn each_call_that_is_refused_says_by_whom() {
    if let Ok(key) = std::env::var(CHILD) {
        let key = Key::new(key.parse().unwrap()).unwrap();
        // Ours to read and write: and not to remove, for which the kernel has another errno.
        let segment = Segment::open(key).unwrap();
        is_denied(&segment.remove().unwrap_err(), key, 0o666);
        segment.word(0).store(1, std::sync::atomic::Ordering::Relaxed);
        return;
    }
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let channel = Channel::new();
    let segment = Segment::create_new(channel.key(), 2052, 0o666).unwrap();
    as_a_stranger("users::each_call_that_is_refused_says_by_whom", &channel);
    assert_eq!(segment.word(0).load(std::sync::atomic::Ordering::Relaxed), 1, "it was there");
    assert!(segment.is_current().unwrap() && !segment.stat().unwrap().removed);
}

#[test]
fn who_may_read_alone_may_look_alone() {
    if let Ok(key) = std::env::var(CHILD) {
        let key = Key::new(key.parse().unwrap()).unwrap();
        assert_eq!(Segment::stat_at(key).unwrap().unwrap().mode, 0o604);
        is_denied(&Segment::open(key).unwrap_err(), key, 0o604);
        assert_eq!(Observer::open(key).unwrap().flag(), Some(1));
        return;
    }
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let channel = Channel::new();
    let segment = Segment::create_new(channel.key(), 2052, 0o604).unwrap();
    segment.word(0).store(1, std::sync::atomic::Ordering::Relaxed);
    as_a_stranger("users::who_may_read_alone_may_look_alone", &channel);
}

#[test]
fn who_may_nothing_is_told_so_at_once() {
    if let Ok(key) = std::env::var(CHILD) {
        let key = Key::new(key.parse().unwrap()).unwrap();
        is_denied(&Segment::stat_at(key).unwrap_err(), key, 0o600);
        is_denied(&Segment::open(key).unwrap_err(), key, 0o600);
        is_denied(&Segment::open_or_create(key, 2052, 0o600).unwrap_err(), key, 0o600);
        is_denied(&Observer::open(key).map(drop).unwrap_err(), key, 0o600);
        return;
    }
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    as_a_stranger("users::who_may_nothing_is_told_so_at_once", &channel);
}
