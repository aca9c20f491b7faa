//! System calls whose object goes, or that fail, at the worst moment: this program has its own
//! `shmat`, `semop` and the like, which the library's calls lead to, and which let a test do
//! something right before one of them.

use crate::support::{Channel, ipc};
use libc::{c_int, c_void, key_t, size_t};
use nix::errno::Errno;
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::backend::sysv::{Key, Observer, Options, Segment, SysV};
use shm_handoff::{Error, Role};
use shm_handoff::{Reader, Writer};
use std::cell::Cell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Shmget,
    Shmat,
    Shmctl,
    Semget,
    Semop,
    Semtimedop,
    Semctl,
}

/// What comes before one of this thread's calls.
struct Before {
    /// Those that count.
    calls: &'static [Call],
    /// So many of them go undisturbed.
    first: usize,
    /// An errno that it gives is all that becomes of the call.
    act: Box<dyn FnOnce() -> Option<Errno>>,
}

thread_local! {
    static BEFORE: Cell<Option<Before>> = const { Cell::new(None) };
}

fn before(calls: &'static [Call], first: usize, act: impl FnOnce() -> Option<Errno> + 'static) {
    BEFORE.set(Some(Before { calls, first, act: Box::new(act) }));
}

fn before_attaching(act: impl FnOnce() -> Option<Errno> + 'static) {
    before(&[Call::Shmat], 0, act);
}

fn before_control(act: impl FnOnce() -> Option<Errno> + 'static) {
    before(&[Call::Shmctl], 0, act);
}

/// Makes the call, unless something comes in its place. (What is done before it makes calls, too,
/// before which nothing comes.)
fn guarded(call: Call, make: impl FnOnce() -> libc::c_long) -> libc::c_long {
    let errno = match BEFORE.take() {
        Some(before) if !before.calls.contains(&call) => {
            BEFORE.set(Some(before));
            None
        }
        Some(before) if before.first > 0 => {
            BEFORE.set(Some(Before { first: before.first - 1, ..before }));
            None
        }
        Some(before) => (before.act)(),
        None => None,
    };
    match errno {
        Some(errno) => {
            errno.set();
            -1
        }
        None => make(),
    }
}

fn int(done: libc::c_long) -> c_int {
    c_int::try_from(done).expect("such a call gives an int")
}

/// # Safety
/// As shmget(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn shmget(key: key_t, size: size_t, flags: c_int) -> c_int {
    // SAFETY: no memory is involved.
    int(guarded(Call::Shmget, || unsafe { libc::syscall(libc::SYS_shmget, key, size, flags) }))
}

/// # Safety
/// As shmat(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn shmat(id: c_int, at: *const c_void, flags: c_int) -> *mut c_void {
    // SAFETY: the caller's promise. (-1 is the pointer that says so.)
    guarded(Call::Shmat, || unsafe { libc::syscall(libc::SYS_shmat, id, at, flags) }) as *mut c_void
}

/// # Safety
/// As shmctl(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn shmctl(id: c_int, command: c_int, buffer: *mut libc::shmid_ds) -> c_int {
    // SAFETY: the caller's promise. (On a machine of 64 bits there is one layout of `shmid_ds`.)
    int(guarded(Call::Shmctl, || unsafe { libc::syscall(libc::SYS_shmctl, id, command, buffer) }))
}

/// # Safety
/// As semget(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn semget(key: key_t, count: c_int, flags: c_int) -> c_int {
    // SAFETY: no memory is involved.
    int(guarded(Call::Semget, || unsafe { libc::syscall(libc::SYS_semget, key, count, flags) }))
}

/// # Safety
/// As semop(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn semop(id: c_int, steps: *mut libc::sembuf, count: size_t) -> c_int {
    // SAFETY: the caller's promise.
    int(guarded(Call::Semop, || unsafe { libc::syscall(libc::SYS_semop, id, steps, count) }))
}

/// # Safety
/// As semtimedop(2).
#[unsafe(no_mangle)]
unsafe extern "C" fn semtimedop(
    id: c_int,
    steps: *mut libc::sembuf,
    count: size_t,
    limit: *const libc::timespec,
) -> c_int {
    // SAFETY: the caller's promise.
    int(guarded(Call::Semtimedop, || unsafe { libc::syscall(libc::SYS_semtimedop, id, steps, count, limit) }))
}

/// # Safety
/// As semctl(2), whose last argument may be missing: then whatever is in its register goes on
/// to a command that does not look at it.
#[unsafe(no_mangle)]
unsafe extern "C" fn semctl(id: c_int, number: c_int, command: c_int, last: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    int(guarded(Call::Semctl, || unsafe { libc::syscall(libc::SYS_semctl, id, number, command, last) }))
}

/// A segment that nobody has attached, at a key of its own.
fn made() -> (Channel, Key) {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    let key = channel.key();
    (channel, key)
}

fn remove(key: Key) -> Option<Errno> {
    ipc::remove_segment(key.number());
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
    assert!(BEFORE.take().is_none(), "this program's own shmat was called");
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

#[test]
fn refusals_and_failures_are_told_apart() {
    let (_channel, key) = made();
    before_attaching(|| Some(Errno::EACCES));
    let met = Segment::open(key).unwrap_err();
    assert!(matches!(met, Error::Permission { mode: 0o600, .. }), "{met:?}");
    let segment = Segment::open(key).unwrap();
    before_control(|| Some(Errno::EPERM));
    let met = segment.remove().unwrap_err();
    assert!(matches!(met, Error::Permission { mode: 0o600, .. }), "{met:?}");
    for errno in [Errno::ENOMEM, Errno::ENOSYS, Errno::EMFILE] {
        before_attaching(move || Some(errno));
        let met = Segment::open(key).unwrap_err();
        assert!(matches!(met, Error::Os { call: "shmat", errno: said, .. } if said == errno), "{errno}: {met:?}");
    }
}

// Each call of a side's life, one after the other.

/// Runs `life` again and again: each time `act` comes before one call further on.
fn before_each(calls: &'static [Call], act: fn(Key) -> Option<Errno>, life: impl Fn(&Channel, &str)) {
    for first in 0.. {
        let channel = Channel::new();
        let key = channel.key();
        before(calls, first, move || act(key));
        life(&channel, &format!("before call {first}"));
        if BEFORE.take().is_some() {
            assert!(first > 2, "a life of {first} calls is none");
            break;
        }
    }
}

/// The test's own calls are none of a life.
fn undisturbed<T>(look: impl FnOnce() -> T) -> T {
    let before = BEFORE.take();
    let seen = look();
    BEFORE.set(before);
    seen
}

const SEGMENTS: &[Call] = &[Call::Shmget, Call::Shmat, Call::Shmctl];
const SETS: &[Call] = &[Call::Semget, Call::Semop, Call::Semtimedop, Call::Semctl];

fn set_removed(key: Key) -> Option<Errno> {
    ipc::remove_set(key.seats());
    None
}

/// A side that comes, looks whether its seat is still there, and leaves in order.
fn a_life(options: Options, role: Role, channel: &Channel, when: &str) {
    let is_seated = || undisturbed(|| assert!(channel.is_seated(role), "the {role} has lost its seat {when}"));
    if role == Role::Reader {
        let mut reader = Reader::<SysV>::open(&options).unwrap_or_else(|met| panic!("opening, {when}: {met}"));
        reader.refresh_seat().unwrap_or_else(|met| panic!("looking, {when}: {met}"));
        undisturbed(|| reader.refresh_seat()).unwrap_or_else(|met| panic!("looking again, {when}: {met}"));
        is_seated();
        reader.close().unwrap_or_else(|met| panic!("leaving, {when}: {met}"));
    } else {
        let mut writer = Writer::<SysV>::open(&options).unwrap_or_else(|met| panic!("opening, {when}: {met}"));
        let policy = &mut shm_handoff::WaitPolicy::non_blocking();
        writer.recover(policy).unwrap_or_else(|met| panic!("looking, {when}: {met}"));
        undisturbed(|| writer.recover(policy)).unwrap_or_else(|met| panic!("looking again, {when}: {met}"));
        is_seated();
        writer.close().unwrap_or_else(|met| panic!("leaving, {when}: {met}"));
    }
    let next = undisturbed(|| Reader::<SysV>::open(&options).map(drop));
    assert_eq!(next, Ok(()), "after a life with something {when}");
}

fn each_life(calls: &'static [Call], act: fn(Key) -> Option<Errno>) {
    for role in [Role::Reader, Role::Writer] {
        before_each(calls, act, |channel, when| a_life(Options::slot(channel.key()), role, channel, when));
        before_each(calls, act, |channel, when| {
            a_life(Options::ring(channel.key(), SMALLEST).unwrap(), role, channel, when);
        });
    }
}

/// Else nothing would come before one of them.
#[test]
fn each_call_of_a_life_is_one_of_this_programs_own() {
    for call in SEGMENTS.iter().chain(SETS) {
        let channel = Channel::new();
        before(std::slice::from_ref(call), 0, || None);
        a_life(Options::slot(channel.key()), Role::Writer, &channel, "watched");
        assert!(BEFORE.take().is_none(), "{call:?} was not called");
    }
}

#[test]
fn the_set_is_removed_before_each_call() {
    each_life(SETS, set_removed);
}

#[test]
fn the_segment_is_removed_before_each_call() {
    each_life(SEGMENTS, remove);
}

/// What one kind of call meets when the other's object goes.
#[test]
fn both_are_removed_before_each_call() {
    let both = |key| remove(key).or(set_removed(key));
    each_life(SETS, both);
    each_life(SEGMENTS, both);
}

#[test]
fn each_change_of_the_set_can_be_interrupted() {
    each_life(&[Call::Semop, Call::Semtimedop], |_| Some(Errno::EINTR));
}

/// An observer, which has no seat, sees the segment or that there is none.
#[test]
fn an_observer_meets_removals_before_each_call() {
    for (calls, act) in [(SETS, set_removed as fn(Key) -> Option<Errno>), (SEGMENTS, remove)] {
        before_each(calls, act, |channel, when| {
            let _reader = undisturbed(|| Reader::<SysV>::open(&Options::slot(channel.key())).unwrap());
            match Observer::open(channel.key()) {
                Ok(observer) => assert!(observer.flag().is_none_or(|flag| flag == 0), "{when}"),
                Err(Error::Missing { .. } | Error::Removed { .. }) if calls == SEGMENTS => {}
                Err(met) => panic!("{when}: {met}"),
            }
        });
    }
}

/// The count of looks comes to its end just before an observer adds its own: then it begins again.
#[test]
fn an_observer_comes_when_another_has_come_to_the_end_of_the_count() {
    let channel = Channel::new();
    let _reader = Reader::<SysV>::open(&Options::slot(channel.key())).unwrap();
    let set = ipc::find_set(channel.key().seats()).unwrap();
    before(&[Call::Semtimedop], 0, move || {
        ipc::set_value(set, 13, 32_767);
        None
    });
    let observer = Observer::open(channel.key()).unwrap();
    assert!(BEFORE.take().is_none(), "it was marked");
    assert!(observer.is_attached());
    assert!(ipc::value(set, 13).is_some_and(|looks| looks < 32_767));
}

thread_local! {
    static OBSERVER: Cell<Option<Observer>> = const { Cell::new(None) };
}

/// One that comes between a side's look at the marks and its count is in the count, and no C program.
#[test]
fn an_observer_that_comes_during_a_count_is_no_company() {
    for role in [Role::Writer, Role::Reader] {
        for stays in [true, false] {
            let channel = Channel::new();
            let key = channel.key();
            let mut side = SysV::open(&Options::slot(key), role).unwrap();
            before_control(move || {
                OBSERVER.set(Some(Observer::open(key).unwrap()));
                if !stays {
                    // It is counted, and gone before the marks are looked at again.
                    before(&[Call::Semctl], 0, || {
                        drop(OBSERVER.take());
                        None
                    });
                }
                None
            });
            let status = side.status().unwrap();
            let left = OBSERVER.take();
            assert_eq!(left.is_some(), stays, "{role}: it did not come, or not go");
            assert!(!status.has_company(), "{role}: {status:?}");
            drop((left, side));
        }
    }
}
