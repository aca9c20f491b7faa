//! System calls whose object goes, or that fail, at the worst moment: this program has its own
//! `shmat` and `shmctl`, which the library's calls lead to, and which let a test do something
//! right before one of them.

use crate::support::Channel;
use libc::{c_int, c_void};
use nix::errno::Errno;
use shm_handoff::backend::sysv::{Key, Segment};
use shm_handoff::error::Error;
use std::cell::Cell;
use std::ptr::null;

/// What is done before the next call; an errno that it gives is all that becomes of it.
type Before = Box<dyn FnOnce() -> Option<Errno>>;

thread_local! {
    static ATTACH: Cell<Option<Before>> = const { Cell::new(None) };
    static CONTROL: Cell<Option<Before>> = const { Cell::new(None) };
}

/// Whether the call is to be made; errno is set if it is not.
fn goes_on(before: &'static std::thread::LocalKey<Cell<Option<Before>>>) -> bool {
    match before.take().and_then(|before| before()) {
        None => true,
        Some(errno) => {
            errno.set();
            false
        }
    }
}

/// # Safety
/// As shmat(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn shmat(id: c_int, at: *const c_void, flags: c_int) -> *mut c_void {
    if !goes_on(&ATTACH) {
        return usize::MAX as *mut c_void;
    }
    // SAFETY: the caller's promise; the kernel's -1 has become errno, and is that pointer.
    unsafe { libc::syscall(libc::SYS_shmat, id, at, flags) as *mut c_void }
}

/// # Safety
/// As shmctl(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn shmctl(id: c_int, command: c_int, buffer: *mut libc::shmid_ds) -> c_int {
    if !goes_on(&CONTROL) {
        return -1;
    }
    // SAFETY: the caller's promise. (On a machine of 64 bits there is one layout of `shmid_ds`.)
    let done = unsafe { libc::syscall(libc::SYS_shmctl, id, command, buffer) };
    c_int::try_from(done).expect("it gives an int")
}

fn before_attaching(before: impl FnOnce() -> Option<Errno> + 'static) {
    ATTACH.set(Some(Box::new(before)));
}

fn before_control(before: impl FnOnce() -> Option<Errno> + 'static) {
    CONTROL.set(Some(Box::new(before)));
}

/// A segment that nobody has attached, at a key of its own.
fn made() -> (Channel, Key) {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    let key = channel.key();
    (channel, key)
}

fn remove(key: Key) -> Option<Errno> {
    crate::support::ipc::remove_segment(key.number());
    None
}

/// Somebody else who is attached keeps it: then the attachment succeeds, and is one to memory
/// that nobody finds any more.
#[test]
fn what_was_attached_is_what_the_key_leads_to() {
    let (channel, key) = made();
    let other = Segment::open(key).unwrap();
    before_attaching(move || remove(key));
    let (segment, is_new) = Segment::open_or_create(key, 2052, 0o600).unwrap();
    assert!(ATTACH.take().is_none(), "this program's own shmat was called");
    assert!(is_new && segment.is_current().unwrap());
    assert_ne!(segment.id(), other.id());
    drop(channel);
}

/// It goes between the look-up and the attachment.
#[test]
fn what_is_removed_before_the_attachment_is_made_anew() {
    let (_channel, key) = made();
    before_attaching(move || remove(key));
    assert_eq!(Segment::open(key).unwrap_err(), Error::Removed { key: key.number() });
    let (_channel, key) = made();
    before_attaching(move || remove(key));
    let (segment, is_new) = Segment::open_or_create(key, 2052, 0o600).unwrap();
    assert!(is_new && segment.is_current().unwrap());
}

/// The kernel has two words for that, by whether another object has taken the place since.
#[test]
fn both_ways_to_say_removed_are_understood() {
    for errno in [Errno::EINVAL, Errno::EIDRM] {
        let (_channel, key) = made();
        let gone = Error::Removed { key: key.number() };
        before_attaching(move || Some(errno));
        assert_eq!(Segment::open(key).unwrap_err(), gone, "shmat: {errno}");
        before_attaching(move || Some(errno));
        let (segment, is_new) = Segment::open_or_create(key, 2052, 0o600).unwrap();
        assert!(!is_new, "shmat: {errno}");
        before_control(move || Some(errno));
        assert_eq!(Segment::stat_at(key), Ok(None), "shmctl(IPC_STAT): {errno}");
        before_control(move || Some(errno));
        assert_eq!(segment.stat().unwrap_err(), gone, "shmctl(IPC_STAT): {errno}");
        before_control(move || Some(errno));
        assert_eq!(segment.remove(), Ok(()), "shmctl(IPC_RMID): {errno}");
    }
}

/// Of a segment that can't be looked at nothing stays attached.
#[test]
fn a_failure_after_the_attachment_detaches() {
    let (channel, key) = made();
    for errno in [Errno::EIDRM, Errno::ENOMEM, Errno::EACCES] {
        before_control(move || Some(errno));
        Segment::open(key).unwrap_err();
        assert_eq!(channel.attached(), 0, "after {errno}");
    }
}

/// Two ways to be refused, and what is none.
#[test]
fn refusals_and_failures_are_told_apart() {
    let (_channel, key) = made();
    for errno in [Errno::EACCES, Errno::EPERM] {
        before_attaching(move || Some(errno));
        let met = Segment::open(key).unwrap_err();
        assert!(matches!(met, Error::Permission { mode: 0o600, .. }), "{errno}: {met:?}");
    }
    for errno in [Errno::ENOMEM, Errno::ENOSYS, Errno::EMFILE] {
        before_attaching(move || Some(errno));
        let met = Segment::open(key).unwrap_err();
        assert!(matches!(met, Error::Os { call: "shmat", errno: said, .. } if said == errno), "{errno}: {met:?}");
    }
    // The kernel's shmat, without anything before it.
    // SAFETY: with a null address the kernel chooses a free range; no segment has this id.
    assert_eq!(unsafe { shmat(-1, null(), 0) } as usize, usize::MAX);
}
