//! Creation and look-up, owners and permissions, limits.

use super::calls::Call::SemChown;
use super::calls::Saw::{Attached, Done, Segment, Set};
use super::calls::User;
use super::script::{
    CREATE, NEW, Needs, RDONLY, Scenario, Script, are, id, new_segment, new_set, no, pid, sem_remove, sem_set,
    sem_stat, semget, semop, shm_remove, shm_stat, shmat, shmdt, shmget, values,
};
use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, SetStat, Stat};
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno::{EACCES, EEXIST, EINVAL, ENOENT, ENOSPC};

pub(super) const ROOT: User = User { uid: 0, gid: 0 };
pub(super) const ALICE: User = User { uid: 1001, gid: 1001 };
pub(super) const BOB: User = User { uid: 1002, gid: 1002 };
/// Of Alice's group.
pub(super) const CAROL: User = User { uid: 1003, gid: 1001 };

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[1, 2, 3], look_ups),
    Scenario::of(&[4], private_ones),
    Scenario::of(&[5], sizes_of_look_ups),
    Scenario::of(&[6], modes_of_look_ups).needs(Needs::Users),
    Scenario::of(&[7], makers),
    Scenario::of(&[7], makers_of_other_users).needs(Needs::Users),
    Scenario::of(&[8], new_ids),
    Scenario::of(&[9], sizes),
    Scenario::of(&[9], the_largest_size).needs(Needs::Limits),
    Scenario::of(&[10], most_segments).needs(Needs::Limits),
    Scenario::of(&[11], most_pages).needs(Needs::Limits),
    Scenario::of(&[12], no_semaphores),
    Scenario::of(&[12], most_semaphores_of_a_set).needs(Needs::Limits),
    Scenario::of(&[13], most_sets).needs(Needs::Limits),
    Scenario::of(&[14], most_semaphores).needs(Needs::Limits),
    Scenario::of(&[15], shown_to_everybody),
    Scenario::of(&[61], classes).needs(Needs::Users),
    Scenario::of(&[62], root).needs(Needs::Users),
];

fn look_ups(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 0, 0), no(ENOENT));
    s.sees(a, shmget(1, 100, libc::IPC_EXCL), no(ENOENT));
    s.sees(a, shmget(1, 100, CREATE), id(0));
    s.sees(b, shmget(1, 100, CREATE), id(0));
    s.sees(b, shmget(1, 0, 0), id(0));
    s.sees(b, shmget(1, 100, libc::IPC_EXCL), id(0));
    s.sees(b, shmget(2, 0, 0), no(ENOENT));
    s.sees(b, shmget(2, 100, NEW), id(1));
    s.sees(a, shmget(1, 100, NEW), no(EEXIST));
    s.sees(a, shmget(1, 1000, NEW | 0o777), no(EEXIST));
    // A set and a segment at one key have nothing to do with each other.
    s.sees(a, semget(1, 0, 0), no(ENOENT));
    s.sees(a, semget(1, 2, CREATE), id(0));
    s.sees(b, semget(1, 2, CREATE), id(0));
    s.sees(b, semget(1, 0, 0), id(0));
    s.sees(b, semget(2, 2, NEW), id(1));
    s.sees(a, semget(1, 2, NEW), no(EEXIST));
    s.sees(a, semget(1, 3, NEW | 0o777), no(EEXIST));
}

fn private_ones(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(0, 100, 0o600), id(0));
    s.sees(a, shmget(0, 100, CREATE), id(1));
    s.sees(a, shmget(0, 100, NEW), id(2));
    s.sees(a, semget(0, 1, 0o600), id(0));
    s.sees(a, semget(0, 1, NEW), id(1));
    for number in 0..3 {
        s.sees(a, shm_remove(number), Done);
    }
    for number in 0..2 {
        s.sees(a, sem_remove(number), Done);
    }
}

fn sizes_of_look_ups(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(1, 2052, CREATE), id(0));
    s.sees(a, shmget(1, 2052, 0), id(0));
    s.sees(a, shmget(1, 2053, 0), no(EINVAL));
    s.sees(a, shmget(1, 2053, CREATE), no(EINVAL));
    s.sees(a, shmget(1, 1, CREATE), id(0));
    s.sees(a, semget(1, 2, CREATE), id(0));
    s.sees(a, semget(1, 3, 0), no(EINVAL));
    s.sees(a, semget(1, 3, CREATE), no(EINVAL));
    s.sees(a, semget(1, 1, CREATE), id(0));
}

fn modes_of_look_ups(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, shmget(1, 100, CREATE), id(0));
    s.sees(a, semget(1, 1, CREATE), id(0));
    s.sees(b, shmget(1, 100, 0), id(0));
    s.sees(b, shmget(1, 100, 0o400), no(EACCES));
    s.sees(b, shmget(1, 100, 0o004), no(EACCES));
    s.sees(b, shmget(1, 101, 0o400), no(EINVAL));
    s.sees(b, semget(1, 1, 0), id(0));
    s.sees(b, semget(1, 1, CREATE), no(EACCES));
    s.sees(b, semget(1, 2, CREATE), no(EINVAL));
    // Whichever class the bits are asked for.
    s.sees(a, shmget(1, 100, 0o060), id(0));
    s.sees(a, shmget(1, 100, 0o700), no(EACCES));
    s.sees(a, semget(1, 1, 0o002), id(0));
    s.sees(a, semget(1, 1, 0o001), no(EACCES));
}

fn makers(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shm_stat(0), Segment(new_segment(a)));
    s.sees(a, shmget(2, 100, NEW | 0o666), id(1));
    s.sees(a, shm_stat(1), Segment(Stat { mode: 0o666, ..new_segment(a) }));
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, sem_stat(0), Set(new_set(3)));
    s.sees(a, semget(2, 3, NEW | 0o777), id(1));
    s.sees(a, sem_stat(1), Set(SetStat { mode: 0o777, ..new_set(3) }));
}

fn makers_of_other_users(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, shmget(1, 100, NEW | 0o644), id(0));
    let stat = Stat { mode: 0o644, uid: 1001, creator_uid: 1001, ..new_segment(a) };
    s.sees(b, shm_stat(0), Segment(stat));
    s.sees(a, semget(1, 3, NEW | 0o644), id(0));
    let stat = SetStat { mode: 0o644, uid: 1001, gid: 1001, creator_uid: 1001, ..new_set(3) };
    s.sees(b, sem_stat(0), Set(stat));
}

fn new_ids(s: &mut Script<'_>) {
    let a = s.process();
    for number in 0..5 {
        s.sees(a, shmget(1, 100, NEW), id(number));
        s.sees(a, semget(1, 1, NEW), id(number));
        s.sees(a, shm_remove(number), Done);
        s.sees(a, sem_remove(number), Done);
        s.sees(a, shm_stat(number), no(EINVAL));
        s.sees(a, sem_stat(number), no(EINVAL));
    }
}

fn sizes(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(1, 0, CREATE), no(EINVAL));
    s.sees(a, shmget(1, usize::MAX, CREATE), no(EINVAL));
    s.sees(a, shmget(1, 1, CREATE), id(0));
}

fn the_largest_size(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { shmmax: 100, ..Limits::default() }, false);
    s.sees(a, shmget(1, 101, CREATE), no(EINVAL));
    s.sees(a, shmget(1, 100, CREATE), id(0));
    s.limit(Limits::default(), false);
    s.sees(a, shmget(2, 101, CREATE), id(1));
    // What is there stays.
    s.limit(Limits { shmmax: 50, ..Limits::default() }, false);
    s.sees(a, shmget(2, 101, CREATE), id(1));
    s.limit(Limits::default(), false);
}

fn most_segments(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { shmmni: 2, ..Limits::default() }, false);
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shmget(2, 100, NEW), id(1));
    s.sees(a, shmget(3, 100, NEW), no(ENOSPC));
    s.sees(a, shmget(3, 0, NEW), no(EINVAL));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(a, shm_remove(0), Done);
    s.sees(a, shmget(3, 100, NEW), no(ENOSPC));
    s.sees(a, shmdt(0), Done);
    s.sees(a, shmget(3, 100, NEW), id(2));
    s.limit(Limits::default(), false);
}

fn most_pages(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { shmall: 2, ..Limits::default() }, false);
    s.sees(a, shmget(1, 1, NEW), id(0));
    s.sees(a, shmget(2, 1, NEW), id(1));
    s.sees(a, shmget(3, 1, NEW), no(ENOSPC));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(a, shm_remove(0), Done);
    s.sees(a, shmget(3, 1, NEW), no(ENOSPC));
    s.sees(a, shmdt(0), Done);
    s.sees(a, shmget(3, 1 << 17, NEW), no(ENOSPC));
    s.sees(a, shmget(3, 1, NEW), id(2));
    s.limit(Limits::default(), false);
}

fn no_semaphores(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 0, CREATE), no(EINVAL));
    s.sees(a, semget(1, 40_000, CREATE), no(EINVAL));
    s.sees(a, semget(1, 40_000, 0), no(EINVAL));
    s.sees(a, semget(1, 1, CREATE), id(0));
}

fn most_semaphores_of_a_set(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { semmsl: 2, ..Limits::default() }, false);
    s.sees(a, semget(1, 3, CREATE), no(EINVAL));
    s.sees(a, semget(1, 3, 0), no(EINVAL));
    s.sees(a, semget(1, 2, CREATE), id(0));
    s.sees(a, semget(1, 3, NEW), no(EINVAL));
    s.limit(Limits::default(), false);
}

fn most_sets(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { semmni: 2, ..Limits::default() }, false);
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, semget(2, 1, NEW), id(1));
    s.sees(a, semget(3, 1, NEW), no(ENOSPC));
    s.sees(a, semget(3, 0, NEW), no(EINVAL));
    s.sees(a, sem_remove(0), Done);
    s.sees(a, semget(3, 1, NEW), id(2));
    s.limit(Limits::default(), false);
}

fn most_semaphores(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { semmns: 5, ..Limits::default() }, false);
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, semget(2, 3, NEW), no(ENOSPC));
    s.sees(a, semget(2, 2, NEW), id(1));
    s.sees(a, semget(3, 1, NEW), no(ENOSPC));
    s.sees(a, sem_remove(0), Done);
    s.sees(a, semget(3, 3, NEW), id(2));
    s.limit(Limits::default(), false);
}

fn shown_to_everybody(s: &mut Script<'_>) {
    let a = s.process();
    let uid = User::me().uid;
    s.sees(a, shmget(1, 100, NEW & !0o600), id(0));
    s.sees(a, shmget(2, 5000, NEW), id(1));
    s.sees(a, shmat(1, 0), Attached(0));
    let row = SegmentRow { key: 1, id: 0, mode: 0, size: 100, creator_pid: pid(a), attached: 0, uid, creator_uid: uid };
    let other = SegmentRow { key: 2, id: 1, mode: 0o600, size: 5000, attached: 1, ..row };
    s.shows_segments(&[row, other]);
    s.sees(a, shm_remove(1), Done);
    s.shows_segments(&[row, SegmentRow { key: 0, mode: 0o1600, ..other }]);
    s.sees(a, shmdt(0), Done);
    s.shows_segments(&[row]);
    s.sees(a, semget(1, 3, NEW & !0o600), id(0));
    s.sees(a, semget(2, 1, NEW), id(1));
    let row = SetRow { key: 1, mode: 0, semaphores: 3, uid };
    s.shows_sets(&[row, SetRow { key: 2, mode: 0o600, semaphores: 1, uid }]);
    s.sees(a, sem_remove(1), Done);
    s.shows_sets(&[row]);
}

fn classes(s: &mut Script<'_>) {
    let (a, b, c) = (s.process_of(ALICE), s.process_of(BOB), s.process_of(CAROL));
    s.sees(a, shmget(1, 100, libc::IPC_CREAT | 0o046), id(0));
    s.sees(a, shmat(0, RDONLY), no(EACCES));
    s.sees(c, shmat(0, RDONLY), Attached(0));
    s.sees(c, shmat(0, 0), no(EACCES));
    s.sees(b, shmat(0, 0), Attached(1));
    s.sees(a, shmget(1, 0, 0o400), no(EACCES));
    s.sees(c, shmget(1, 0, 0o400), id(0));
    s.sees(c, shmget(1, 0, 0o600), no(EACCES));
    s.sees(b, shmget(1, 0, 0o600), id(0));
}

fn root(s: &mut Script<'_>) {
    let (a, r) = (s.process_of(ALICE), s.process_of(ROOT));
    s.sees(a, shmget(1, 100, libc::IPC_CREAT), id(0));
    s.sees(a, semget(1, 1, libc::IPC_CREAT), id(0));
    s.sees(a, shm_stat(0), no(EACCES));
    s.sees(r, shmget(1, 0, 0o777), id(0));
    s.sees(r, shmat(0, 0), Attached(0));
    let stat = Stat { mode: 0, uid: 1001, creator_uid: 1001, attached: 1, last_pid: pid(r), ..new_segment(a) };
    s.sees(r, shm_stat(0), Segment(stat));
    s.sees(r, shm_remove(0), Done);
    s.sees(r, semget(1, 0, 0o777), id(0));
    s.sees(r, semop(0, &[(0, 1, 0)]), Done);
    s.sees(r, sem_set(0, 0, 2), Done);
    s.sees(r, values::<1>(0), are([2]));
    s.sees(r, SemChown { set: 0, user: BOB, mode: 0o600 }, Done);
    s.sees(r, sem_remove(0), Done);
}
