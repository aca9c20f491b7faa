//! Sets: set by hand, looked at, given to others.

use super::calls::Call::SemChown;
use super::calls::Fate;
use super::calls::Saw::{Done, Set};
use super::calls::User;
use super::objects::{ALICE, BOB, CAROL, ROOT};
use super::script::{
    NEW, NO_PID, Needs, Scenario, Script, UNDO, are, id, new_set, no, pid_of, sem_pid, sem_remove, sem_set, sem_stat,
    semget, semop, values,
};
use crate::backend::sysv::kernel::rows::SetStat;
use nix::errno::Errno::{EACCES, EINVAL, EPERM, ERANGE};

/// Of no group that others are in.
const DAVE: User = User { uid: 1004, gid: 1004 };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[52], set_by_hand),
    Scenario::of(&[54], impossible_values),
    Scenario::of(&[54, 57], permissions).needs(Needs::Users),
    Scenario::of(&[57], semaphores_that_are_none),
    Scenario::of(&[58], another_mode),
    Scenario::of(&[58], another_owner).needs(Needs::Users),
    Scenario::of(&[59], not_the_owner).needs(Needs::Users),
];

fn set_by_hand(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(b, semop(0, &[(0, 3, UNDO), (1, 3, UNDO)]), Done);
    s.sees(c, semop(0, &[(0, -1, UNDO), (1, -1, UNDO)]), Done);
    s.sees(a, values::<2>(0), are([2, 2]));
    s.sees(a, sem_set(0, 0, 7), Done);
    s.sees(a, values::<2>(0), are([7, 2]));
    s.sees(c, semop(0, &[(0, -2, UNDO)]), Done);
    s.befalls(b, Fate::Killed);
    s.sees(a, values::<2>(0), are([5, 0]));
    s.befalls(c, Fate::Ends);
    s.sees(a, values::<2>(0), are([7, 1]));
}

fn impossible_values(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, sem_set(0, 0, 32_767), Done);
    s.sees(a, sem_set(0, 0, 32_768), no(ERANGE));
    s.sees(a, sem_set(0, 0, -1), no(ERANGE));
    s.sees(a, sem_set(0, 2, 0), no(EINVAL));
    s.sees(a, sem_set(7, 0, -1), no(ERANGE));
    s.sees(a, sem_set(7, 0, 0), no(EINVAL));
    s.sees(a, values::<2>(0), are([32_767, 0]));
}

fn permissions(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o604), id(0));
    s.sees(a, semget(2, 1, libc::IPC_CREAT | 0o602), id(1));
    s.sees(b, sem_set(0, 0, 1), no(EACCES));
    s.sees(b, sem_set(0, 1, 1), no(EINVAL));
    s.sees(b, values::<1>(0), are([0]));
    s.sees(b, sem_pid(0, 0), NO_PID);
    let stat = SetStat { mode: 0o604, uid: 1001, gid: 1001, creator_uid: 1001, ..new_set(1) };
    s.sees(b, sem_stat(0), Set(stat));
    s.sees(b, sem_set(1, 0, 1), Done);
    s.sees(b, values::<1>(1), no(EACCES));
    s.sees(b, sem_pid(1, 0), no(EACCES));
    s.sees(b, sem_pid(1, 7), no(EACCES));
    s.sees(b, sem_stat(1), no(EACCES));
    s.sees(a, sem_pid(1, 0), pid_of(b));
}

fn semaphores_that_are_none(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, sem_pid(0, 1), NO_PID);
    s.sees(a, sem_pid(0, 2), no(EINVAL));
}

fn another_mode(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, SemChown { set: 0, user: User::me(), mode: 0o640 }, Done);
    s.sees(a, sem_stat(0), Set(SetStat { mode: 0o640, ..new_set(1) }));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(a, SemChown { set: 0, user: User::me(), mode: 0o600 }, Done);
    s.sees(a, sem_stat(0), Set(SetStat { untouched: false, ..new_set(1) }));
    s.sees(a, values::<1>(0), are([1]));
}

fn another_owner(s: &mut Script<'_>) {
    let (a, b, c) = (s.process_of(ALICE), s.process_of(BOB), s.process_of(CAROL));
    let d = s.process_of(DAVE);
    s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o600), id(0));
    s.sees(a, SemChown { set: 0, user: BOB, mode: 0o640 }, Done);
    let stat = SetStat { mode: 0o640, uid: 1002, gid: 1002, creator_uid: 1001, ..new_set(1) };
    s.sees(b, sem_stat(0), Set(stat));
    s.sees(b, semop(0, &[(0, 2, 0)]), Done);
    s.sees(a, semop(0, &[(0, -1, 0)]), Done);
    // The creator's group has the rights of the owner's.
    s.sees(c, values::<1>(0), are([1]));
    s.sees(c, semop(0, &[(0, -1, 0)]), no(EACCES));
    s.sees(d, values::<1>(0), no(EACCES));
    s.sees(a, SemChown { set: 0, user: ALICE, mode: 0o600 }, Done);
    s.sees(b, sem_stat(0), no(EACCES));
    s.sees(a, SemChown { set: 0, user: DAVE, mode: 0o600 }, Done);
    s.sees(b, sem_remove(0), no(EPERM));
    s.sees(a, sem_remove(0), Done);
}

fn not_the_owner(s: &mut Script<'_>) {
    let (a, b, r) = (s.process_of(ALICE), s.process_of(BOB), s.process_of(ROOT));
    s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o666), id(0));
    s.sees(b, SemChown { set: 0, user: BOB, mode: 0o666 }, no(EPERM));
    s.sees(r, SemChown { set: 0, user: BOB, mode: 0o600 }, Done);
    s.sees(b, SemChown { set: 0, user: BOB, mode: 0o666 }, Done);
    s.sees(b, SemChown { set: 7, user: BOB, mode: 0o666 }, no(EINVAL));
    s.sees(b, sem_remove(0), Done);
    // The mode does not keep an owner from it.
    s.sees(a, semget(1, 1, libc::IPC_CREAT), id(1));
    s.sees(a, sem_stat(1), no(EACCES));
    s.sees(a, SemChown { set: 1, user: ALICE, mode: 0o600 }, Done);
    let stat = SetStat { uid: 1001, gid: 1001, creator_uid: 1001, ..new_set(1) };
    s.sees(a, sem_stat(1), Set(stat));
}
