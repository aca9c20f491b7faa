//! Forked children: an attachment is no part of them, whatever they do with what they inherit.

use crate::support::{Channel, ipc};
use shm_handoff::Role;
use shm_handoff::backend::Backend;
use shm_handoff::backend::sysv::{Observer, Options, Segment, SysV};
use shm_handoff::sync::{AtomicU32, Ordering};
use std::io::Write;
use std::os::fd::AsRawFd;

/// Runs `child` in a forked child once something can be read; ends it with what that returns.
/// The parent gets the pid, and what lets the child go on.
///
/// # Safety
/// `child` makes async-signal-safe calls alone: this process has other threads.
unsafe fn forked(child: impl FnOnce() -> i32) -> (libc::pid_t, std::io::PipeWriter) {
    let (wait, go) = std::io::pipe().unwrap();
    let mut byte = 0_u8;
    // SAFETY: the caller's promise; reading one byte and ending are such calls, too.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
        if pid == 0 {
            libc::close(go.as_raw_fd());
            libc::read(wait.as_raw_fd(), (&raw mut byte).cast(), 1);
            libc::_exit(child());
        }
        (pid, go)
    }
}

fn ended(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: waits for our own child, and writes one int.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status), "the child was killed: status {status:#x}");
    libc::WEXITSTATUS(status)
}

/// It would be taken for a C program: seen as long as it lives, and then gone.
#[test]
fn a_child_does_not_count_as_attached() {
    let channel = Channel::new();
    let segment = Segment::create_new(channel.key(), 2052, 0o600).unwrap();
    // SAFETY: it does nothing.
    let (pid, mut go) = unsafe { forked(|| 0) };
    let during = channel.attached();
    go.write_all(b"x").unwrap();
    assert_eq!((during, ended(pid), channel.attached()), (1, 0, 1));
    drop(segment);
    assert_eq!(channel.attached(), 0);
}

/// Children that are forked by other threads while this one attaches get nothing of it either.
#[test]
fn a_child_that_is_forked_during_an_attachment_does_not_count() {
    let channel = Channel::new();
    let segment = Segment::create_new(channel.key(), 2052, 0o600).unwrap();
    // 0: attach again and again; 1: have it all detached; 2: it is; 3: end.
    let state = AtomicU32::new(0);
    let set = |to| state.store(to, Ordering::Release);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                match state.load(Ordering::Acquire) {
                    0 => drop(Segment::open(channel.key()).unwrap()),
                    1 => set(2),
                    2 => std::hint::spin_loop(),
                    _ => break,
                }
            }
        });
        let counts: Vec<_> = (0..300)
            .map(|_| {
                // SAFETY: it reads, and ends.
                let (pid, go) = unsafe { forked(|| 0) };
                set(1);
                while state.load(Ordering::Acquire) != 2 {
                    std::thread::yield_now();
                }
                let count = channel.attached();
                set(0);
                drop(go);
                (count, ended(pid))
            })
            .collect();
        set(3);
        assert_eq!(counts, [(1, 0); 300]);
    });
    drop(segment);
}

/// The place is free there, and something else may have taken it.
#[test]
fn what_a_child_drops_stays_attached() {
    let channel = Channel::new();
    let (segment, other) = (Segment::create_new(channel.key(), 2052, 0o600).unwrap(), Channel::new());
    let theirs = Segment::create_new(other.key(), 2052, 0o600).unwrap();
    let (at, id) = (segment.address() as *const libc::c_void, theirs.id());
    let mut inherited = Some(segment);
    // SAFETY: system calls alone, and a look at memory that is attached.
    let (pid, mut go) = unsafe {
        forked(|| {
            if libc::shmat(id, at, 0) != at.cast_mut() {
                return 1;
            }
            drop(inherited.take());
            // Fails, and does not kill, where nothing is mapped.
            let there = libc::msync(at.cast_mut(), 4096, libc::MS_ASYNC);
            if there == 0 { 0 } else { 2 }
        })
    };
    go.write_all(b"x").unwrap();
    assert_eq!(ended(pid), 0, "1: the place is not free; 2: it was detached");
    assert_eq!(channel.attached(), 1, "the parent's is still there");
}

/// The seat is the parent's: a child neither gives it back nor looks around with it.
#[test]
fn what_a_child_drops_stays_seated() {
    for role in [Role::Writer, Role::Reader] {
        for leaves in [false, true] {
            let channel = Channel::new();
            let side = SysV::open(&Options::slot(channel.key()), role).unwrap();
            let mut inherited = Some(side);
            let set = ipc::find_set(channel.key().seats()).unwrap();
            let number = if role == Role::Writer { 2 } else { 3 };
            // SAFETY: system calls alone, for none of these has memory from the heap.
            let (pid, mut go) = unsafe {
                forked(|| {
                    let mut side = inherited.take().unwrap();
                    let may_look = side.status().is_ok();
                    if leaves {
                        let _ = side.leave();
                    } else {
                        drop(side);
                    }
                    // (What a child changes itself the kernel takes back at its end.)
                    i32::from(may_look) + 2 * i32::from(ipc::value(set, number) != Some(1))
                })
            };
            go.write_all(b"x").unwrap();
            assert_eq!(
                (ended(pid), channel.is_seated(role), channel.attached()),
                (0, true, 1),
                "{role}, leaves: {leaves}"
            );
            assert_eq!(ipc::value(set, 4), Some(i32::from(role == Role::Writer)), "it left in nobody's name");
            drop(inherited);
            assert!(!channel.is_seated(role));
        }
    }
}

/// So is an observer's mark: without it the parent would count as attached, as a C program does.
#[test]
fn what_a_child_drops_stays_marked() {
    let channel = Channel::new();
    let side = SysV::open(&Options::slot(channel.key()), Role::Reader).unwrap();
    let mut inherited = Some(Observer::open(channel.key()).unwrap());
    let set = ipc::find_set(channel.key().seats()).unwrap();
    let seen = || (channel.attached(), ipc::value(set, 5));
    // SAFETY: system calls alone, for an observer has no memory from the heap.
    let (pid, mut go) = unsafe {
        forked(|| {
            drop(inherited.take());
            // (What a child changes itself the kernel takes back at its end.)
            ipc::value(set, 5).unwrap_or(-1)
        })
    };
    go.write_all(b"x").unwrap();
    assert_eq!((ended(pid), seen()), (1, (2, Some(1))));
    drop(inherited);
    assert_eq!(seen(), (1, Some(0)));
    drop(side);
}
