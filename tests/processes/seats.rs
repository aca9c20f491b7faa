//! The seats' semaphore set: of another version, removed at any moment, stuck, of a mode that nobody can use.

use crate::support::{Channel, Run, SHM_HANDOFF, SHMREAD, eventually, for_everybody, ipc, is_root, rounds, skipped};
use shm_handoff::Error;
use shm_handoff::Role;
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::ring;
use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::sync::{AtomicU32, Ordering};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// How many semaphores a set has; the first of them says so.
const SEMAPHORES: i32 = 14;

/// A set as version 1 had it, with these values behind its magic.
fn old_set(channel: &Channel, values: [i16; 4]) -> i32 {
    let id = ipc::make_set(channel.key().seats(), 5);
    let steps: Vec<_> = (0..).zip([0x5368].into_iter().chain(values)).filter(|(_, value)| *value != 0).collect();
    assert!(ipc::change(id, &steps, false));
    id
}

fn works(channel: &Channel) {
    let reader = channel.seated_reader(&[]);
    let set = ipc::find_set(channel.key().seats()).unwrap();
    assert!(ipc::value(set, SEMAPHORES - 1).is_some() && ipc::value(set, SEMAPHORES).is_none(), "the set's length");
    channel.writer([""; 0]).input("hello\n").end().code(0);
    reader.end().code(0).prints("hello\n");
    channel.assert_nothing_left();
}

#[test]
fn a_free_set_of_version_1_is_made_anew() {
    // Whatever it says of a writer that failed: nobody is there to hear of it.
    for open in [0, 1] {
        let channel = Channel::new();
        old_set(&channel, [0, 0, 0, open]);
        works(&channel);
    }
    // One that an old program had just made when it was killed.
    let channel = Channel::new();
    ipc::make_set(channel.key().seats(), 5);
    works(&channel);
}

#[test]
fn a_set_of_version_1_in_use_is_refused_with_both_versions() {
    let pid = format!("pid {}", std::process::id());
    for in_use in [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]] {
        let channel = Channel::new();
        let id = old_set(&channel, in_use);
        for run in [channel.reader(["--timeout=1ms"]), channel.writer(["--timeout=1ms", "x"])] {
            run.end().code(4).prints("").says(&["is of version 1, and this program's is 2", &pid]);
        }
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["rm", &channel.key().number().to_string()]);
        Run::new(command).end().code(1).says(&["version 1"]);
        assert_eq!(ipc::value(id, 0), Some(0x5368), "it is theirs");
    }
}

/// Between any two of our calls on the set it can go.
#[test]
fn the_set_is_removed_at_any_moment() {
    let (done, removals) = (AtomicU32::new(0), AtomicU32::new(0));
    let channel = Channel::new();
    let seats = channel.key().seats();
    for how in [&["--ring=64K", "--no-end"][..], &["--ring=64K"]] {
        done.store(0, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while done.load(Ordering::Relaxed) == 0 {
                    if ipc::find_set(seats).is_some() {
                        ipc::remove_set(seats);
                        let removals = removals.fetch_add(1, Ordering::Relaxed);
                        // Another moment each time: one that removes each set as it comes lets nobody in.
                        std::thread::sleep(std::time::Duration::from_micros(u64::from(removals % 100) * 10));
                    }
                    std::thread::yield_now();
                }
            });
            let outcomes: Vec<_> = (0..rounds(300))
                .map(|_| {
                    let ended = channel.writer(how).input("x\n").end();
                    channel.remove_segment();
                    ended
                })
                .collect();
            done.store(1, Ordering::Relaxed);
            for ended in outcomes {
                ended.code(0);
            }
        });
    }
    assert!(removals.load(Ordering::Relaxed) > 0, "nothing was removed");
}

/// The process that failed goes on, and holds nothing.
#[test]
fn what_fails_under_the_creation_lock_gives_it_back() {
    let channel = Channel::new();
    let options = Options::any_ring(channel.key());
    let stranger = Segment::create_new(channel.key(), ring::size(ring::SMALLEST), 0o600).unwrap();
    stranger.word(ring::RECORDS_AT).store(7, Ordering::Relaxed);
    for role in [Role::Writer, Role::Reader] {
        assert!(matches!(SysV::open(&options, role), Err(Error::NotAChannel { .. })), "it has a ring's size alone");
    }
    channel.assert_no_seats();
    // With the other side seated the set stays.
    stranger.remove().unwrap();
    let writer = SysV::open(&options, Role::Writer).unwrap();
    channel.remove_segment();
    let stranger = Segment::create_new(channel.key(), ring::size(ring::SMALLEST), 0o600).unwrap();
    stranger.word(ring::RECORDS_AT).store(7, Ordering::Relaxed);
    assert!(matches!(SysV::open(&options, Role::Reader), Err(Error::NotAChannel { .. })));
    let set = ipc::find_set(channel.key().seats()).unwrap();
    assert_eq!((ipc::value(set, 1), ipc::value(set, 2), ipc::value(set, 3)), (Some(0), Some(1), Some(0)));
    drop(writer);
}

/// A leaver holds both seats and the lock for a moment, to remove the set: one that is stopped just then
/// is waited for.
#[test]
fn a_leaver_that_is_slow_is_no_peer() {
    let channel = Channel::new();
    let set = ipc::make_set(channel.key().seats(), SEMAPHORES);
    assert!(ipc::change(set, &[(0, 0x5332)], false));
    assert!(ipc::change(set, &[(1, 1), (2, 1), (3, 1)], true));
    let mut reader = channel.reader(["--timeout=1ms"]).start();
    reader.stays("");
    assert!(ipc::change(set, &[(1, -1), (2, -1), (3, -1)], true));
    reader.end().code(124);
}

/// SETVAL clears the undo: nothing gives this seat back.
#[test]
fn a_seat_that_its_dead_holder_can_not_give_back_is_free() {
    for role in [Role::Writer, Role::Reader] {
        let channel = Channel::new();
        // Its holder is the process that changed it last: one that has ended.
        let peer = if role == Role::Writer { channel.seated_writer(&[]) } else { channel.seated_reader(&[]) };
        let set = ipc::find_set(channel.key().seats()).unwrap();
        let number = if role == Role::Writer { 2 } else { 3 };
        let dead = peer.pid();
        peer.kill();
        assert_eq!(ipc::value(set, number), Some(0));
        set_by_a_process_that_ends(set, number);
        assert_eq!(ipc::value(set, number), Some(1));
        println!("was seated: {dead}");
        works(&channel);
    }
}

/// A mark beside a seat that somebody has set to the largest value: no step can raise it.
#[test]
fn a_full_mark_of_a_free_seat_keeps_nobody_out() {
    const NONE_REQUESTED: i32 = 8;
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    ipc::set_value(ipc::find_set(channel.key().seats()).unwrap(), NONE_REQUESTED, 32_767);
    channel.writer([""; 0]).input("hello\n").end().code(0);
    reader.end().code(0).prints("hello\n");
    channel.assert_nothing_left();
}

#[test]
fn rm_takes_a_seat_that_nobody_can_give_back() {
    let channel = Channel::new();
    channel.seated_reader(&[]).kill();
    let set = ipc::find_set(channel.key().seats()).unwrap();
    for number in [1, 2, 3, 5] {
        set_by_a_process_that_ends(set, number);
    }
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["rm", &channel.key().number().to_string()]);
    Run::new(command).end().code(0);
    channel.assert_nothing_left();
    // The mark of an observer alone.
    let channel = Channel::new();
    channel.seated_reader(&[]).kill();
    set_by_a_process_that_ends(ipc::find_set(channel.key().seats()).unwrap(), 5);
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["rm", &channel.key().number().to_string()]);
    Run::new(command).end().code(0);
    channel.assert_nothing_left();
}

fn set_by_a_process_that_ends(set: i32, number: i32) {
    // SAFETY: the child makes async-signal-safe calls alone.
    match unsafe { libc::fork() } {
        0 => {
            // SAFETY: SETVAL takes an int, no buffer; `_exit` runs nothing of ours.
            unsafe {
                libc::semctl(set, number, libc::SETVAL, 1);
                libc::_exit(0)
            }
        }
        child => {
            assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
            // SAFETY: the status is not asked for.
            assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
        }
    }
}

/// A program with `shmget(key, size, IPC_CREAT | 0400)` made the segment, and a set with such a mode
/// is of no use to its own owner. (Root is never refused: so another user plays it.)
#[test]
fn a_set_that_its_owner_may_not_use_is_mended() {
    const USER: u32 = 65534;
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[SHMREAD.as_ref()]);
    for mode in [0o000, 0o060, 0o200, 0o400, 0o444] {
        let channel = Channel::new();
        ipc::make_set_as(USER, channel.key().seats(), SEMAPHORES, mode);
        let mut command = channel.command(&folder.path().join("shmread"), ["--timeout=1ms"]);
        command.uid(USER).gid(USER);
        Run::new(command).end().code(124);
        // It was used, and removed at the end.
        channel.assert_no_seats();
    }
}

/// The kernel gives a killed process's seat back when it has cleared the process away, which takes a
/// moment where it had much memory.
#[test]
fn a_successor_beside_a_process_that_was_just_killed_waits_for_its_seat() {
    const MUCH: usize = 2 << 30;
    let available = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = available.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    if available.and_then(|kib| kib.parse::<usize>().ok()).is_none_or(|kib| kib < 2 * (MUCH >> 10)) {
        return skipped("a process with 2 GiB would be too much for this machine");
    }
    let channel = Channel::new();
    let set = ipc::make_set(channel.key().seats(), SEMAPHORES);
    assert!(ipc::change(set, &[(0, 0x5332)], false));
    // SAFETY: the child makes system calls alone.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: new memory, that nobody else knows; `pause` and `_exit` run nothing of ours.
        unsafe {
            let memory = libc::mmap(std::ptr::null_mut(), MUCH, libc::PROT_READ | libc::PROT_WRITE, kind, -1, 0);
            libc::madvise(memory, MUCH, libc::MADV_NOHUGEPAGE);
            libc::madvise(memory, MUCH, libc::MADV_POPULATE_WRITE);
            ipc::change(set, &[(3, 1)], true);
            libc::pause();
            libc::_exit(0)
        }
    }
    assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
    let seated = std::panic::catch_unwind(|| {
        eventually("the child is seated", || channel.is_seated(Role::Reader).then_some(()));
    });
    // SAFETY: a child of ours that was not waited for.
    unsafe { libc::kill(child, libc::SIGKILL) };
    let successor = channel.reader(["--timeout=1ms"]).end();
    // SAFETY: the status is not asked for.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    seated.unwrap();
    successor.code(124);
}
