//! The end of a process.

use super::calls::Saw::{Asleep, Attached, Done, Segment, Set};
use super::calls::{Call, Fate};
use super::objects::{ALICE, BOB};
use super::script::{
    NEW, NOWAIT, Needs, Scenario, Script, UNDO, are, id, new_segment, new_set, no, pid, pid_of, sem_pid, sem_remove,
    sem_stat, semget, semop, shm_remove, shm_stat, shmat, shmdt, shmget, values,
};
use crate::backend::sysv::kernel::rows::{SetStat, Stat};
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno::{EACCES, EAGAIN, EFBIG, EINVAL, ERANGE};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[25], detached),
    Scenario::of(&[26], forced_with_the_last_attachment).needs(Needs::Limits),
    Scenario::of(&[27], forced_with_the_maker).needs(Needs::Limits),
    Scenario::of(&[28], forced_from_now_on).needs(Needs::Limits),
    Scenario::of(&[46], undone),
    Scenario::of(&[47], more_than_can_be_undone),
    Scenario::of(&[48], undone_within_bounds),
    Scenario::of(&[49], what_an_undo_touches),
    Scenario::of(&[49], an_undo_wakes),
    Scenario::of(&[50], undo_asked_for_in_vain),
    Scenario::of(&[50], undo_asked_for_before_a_refusal).needs(Needs::Users),
    Scenario::of(&[51], attachments_first),
    Scenario::of(&[60], undo_of_a_removed_set),
];

const FATES: [Fate; 2] = [Fate::Ends, Fate::Killed];

fn detached(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(1, 100, NEW), id(0));
    for (round, fate) in FATES.into_iter().enumerate() {
        let b = s.process();
        s.sees(b, shmat(0, 0), Attached(2 * round));
        s.sees(b, shmat(0, 0), Attached(2 * round + 1));
        s.sees(a, shm_stat(0), Segment(Stat { attached: 2, last_pid: pid(b), ..new_segment(a) }));
        s.befalls(b, fate);
        s.sees(a, shm_stat(0), Segment(Stat { last_pid: pid(b), ..new_segment(a) }));
    }
    // What it made stays, and what it did.
    s.befalls(a, Fate::Ends);
    let c = s.process();
    s.sees(c, shmget(1, 0, 0), id(0));
}

fn forced_with_the_last_attachment(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.limit(Limits::default(), true);
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shm_stat(0), Segment(new_segment(a)));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(b, shmat(0, 0), Attached(1));
    s.sees(a, shmdt(0), Done);
    s.sees(a, shm_stat(0), Segment(Stat { attached: 1, last_pid: pid(a), ..new_segment(a) }));
    s.befalls(b, Fate::Killed);
    s.sees(a, shm_stat(0), no(EINVAL));
    s.sees(a, shmget(1, 100, NEW), id(1));
    s.limit(Limits::default(), false);
}

fn forced_with_the_maker(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.limit(Limits::default(), true);
    s.sees(b, shmget(1, 100, NEW), id(0));
    s.sees(b, shmget(2, 100, NEW), id(1));
    s.sees(a, shmget(3, 100, NEW), id(2));
    s.sees(c, shmat(1, 0), Attached(0));
    s.befalls(b, Fate::Killed);
    s.sees(a, shm_stat(0), no(EINVAL));
    s.sees(a, shm_stat(1), Segment(Stat { attached: 1, last_pid: pid(c), ..new_segment(b) }));
    s.sees(a, shm_stat(2), Segment(new_segment(a)));
    s.sees(c, shmdt(0), Done);
    s.sees(a, shm_stat(1), no(EINVAL));
    s.limit(Limits::default(), false);
}

fn forced_from_now_on(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(b, shmget(1, 100, NEW), id(0));
    s.sees(b, shmget(2, 100, NEW), id(1));
    s.sees(a, shmget(3, 100, NEW), id(2));
    s.sees(c, shmat(1, 0), Attached(0));
    s.befalls(b, Fate::Ends);
    s.sees(a, shm_stat(0), Segment(new_segment(b)));
    s.limit(Limits::default(), true);
    s.sees(a, shm_stat(0), no(EINVAL));
    s.sees(a, shm_stat(1), Segment(Stat { attached: 1, last_pid: pid(c), ..new_segment(b) }));
    s.sees(a, shm_stat(2), Segment(new_segment(a)));
    s.limit(Limits::default(), false);
    s.sees(c, shmdt(0), Done);
    s.sees(a, shm_stat(1), Segment(Stat { last_pid: pid(c), ..new_segment(b) }));
    s.sees(a, shm_remove(1), Done);
}

fn undone(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0), (1, 1, 0), (2, 10, 0)]), Done);
    for fate in FATES {
        let [b, c] = s.processes();
        s.sees(b, semop(0, &[(0, 2, UNDO), (1, 2, 0), (2, -4, UNDO)]), Done);
        s.sees(b, semop(0, &[(0, 3, UNDO), (1, -2, 0), (2, -1, UNDO)]), Done);
        s.sees(b, semop(0, &[(0, -1, UNDO)]), Done);
        s.sees(c, semop(0, &[(0, 1, UNDO)]), Done);
        s.sees(a, values::<3>(0), are([6, 1, 5]));
        s.befalls(b, fate);
        s.sees(a, values::<3>(0), are([2, 1, 10]));
        // What was given back is not given back again.
        s.sees(c, semop(0, &[(0, -1, UNDO)]), Done);
        s.befalls(c, fate);
        s.sees(a, values::<3>(0), are([1, 1, 10]));
    }
}

fn more_than_can_be_undone(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, 32_767, UNDO)]), Done);
    s.sees(a, semop(0, &[(0, -2, 0)]), Done);
    s.sees(b, semop(0, &[(0, 1, UNDO)]), Done);
    s.sees(b, semop(0, &[(0, 1, UNDO)]), no(ERANGE));
    s.sees(b, semop(0, &[(0, 1, 0), (0, 0, NOWAIT)]), no(EAGAIN));
    s.sees(a, values::<1>(0), are([32_766]));
    s.sees(b, semop(0, &[(0, -32_766, UNDO)]), Done);
    s.sees(a, semop(0, &[(0, 32_767, 0)]), Done);
    s.sees(b, semop(0, &[(0, -32_767, UNDO)]), Done);
    s.sees(a, semop(0, &[(0, 32_767, 0)]), Done);
    s.sees(b, semop(0, &[(0, -2, UNDO)]), Done);
    s.sees(b, semop(0, &[(0, -1, UNDO)]), no(ERANGE));
    s.sees(a, values::<1>(0), are([32_765]));
}

fn undone_within_bounds(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(1, 5, 0)]), Done);
    s.sees(b, semop(0, &[(0, 5, UNDO), (1, -3, UNDO)]), Done);
    s.sees(a, semop(0, &[(0, -4, 0), (1, 32_764, 0)]), Done);
    s.befalls(b, Fate::Killed);
    s.sees(a, values::<2>(0), are([0, 32_767]));
}

fn what_an_undo_touches(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(b, semop(0, &[(0, 1, UNDO), (1, 1, UNDO), (2, 1, 0)]), Done);
    s.sees(b, semop(0, &[(1, -1, UNDO)]), Done);
    s.sees(a, semop(0, &[(0, 1, 0), (1, 1, 0), (2, 1, 0)]), Done);
    s.befalls(b, Fate::Killed);
    s.sees(a, sem_pid(0, 0), pid_of(b));
    s.sees(a, sem_pid(0, 1), pid_of(a));
    s.sees(a, sem_pid(0, 2), pid_of(a));
    s.sees(a, values::<3>(0), are([1, 1, 2]));
}

fn an_undo_wakes(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(1, 1, 0)]), Done);
    s.sees(b, semop(0, &[(0, 1, UNDO), (1, -1, UNDO)]), Done);
    s.sees(c, semop(0, &[(0, 0, 0), (0, 1, UNDO)]), Asleep);
    s.sees(a, semop(0, &[(1, -1, 0)]), Asleep);
    s.befalls(b, Fate::Killed);
    s.wake([(a, Done), (c, Done)]);
    s.sees(a, values::<2>(0), are([1, 0]));
    s.sees(a, sem_pid(0, 0), pid_of(c));
}

fn undo_asked_for_in_vain(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, -1, NOWAIT)]), no(EAGAIN));
    s.befalls(b, Fate::Ends);
    s.sees(a, sem_stat(0), Set(new_set(1)));
    s.sees(c, semop(0, &[(0, -1, UNDO | NOWAIT)]), no(EAGAIN));
    s.sees(a, sem_stat(0), Set(new_set(1)));
    s.befalls(c, Fate::Ends);
    s.sees(a, sem_stat(0), Set(SetStat { untouched: false, ..new_set(1) }));
    s.sees(a, values::<1>(0), are([0]));
}

fn undo_asked_for_before_a_refusal(s: &mut Script<'_>) {
    let (a, b, c) = (s.process_of(ALICE), s.process_of(BOB), s.process_of(ALICE));
    let made = SetStat { uid: 1001, gid: 1001, creator_uid: 1001, ..new_set(1) };
    for (number, call) in [(b, (0, 1, UNDO)), (c, (1, 1, UNDO))].into_iter().enumerate() {
        let (process, step) = call;
        s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o600), id(number));
        s.sees(process, semop(number, &[step]), no(if process == b { EACCES } else { EFBIG }));
        s.sees(a, sem_stat(number), Set(made));
        s.befalls(process, Fate::Ends);
        s.sees(a, sem_stat(number), Set(SetStat { untouched: false, ..made }));
        s.sees(a, sem_remove(number), Done);
    }
}

fn attachments_first(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, semget(1, 1, NEW), id(0));
    // On the real kernel the order shows as a race that is never lost.
    for round in 0..20 {
        let c = s.process();
        s.sees(c, shmat(0, 0), Attached(round));
        s.sees(c, semop(0, &[(0, 1, UNDO)]), Done);
        s.sees(b, Call::SemopThenStat { set: 0, steps: vec![(0, 0, 0)], segment: 0 }, Asleep);
        s.befalls(c, Fate::Killed);
        s.wake([(b, Segment(Stat { last_pid: pid(c), ..new_segment(a) }))]);
    }
}

fn undo_of_a_removed_set(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, 3, UNDO)]), Done);
    s.sees(a, sem_remove(0), Done);
    s.sees(a, semget(1, 1, NEW), id(1));
    s.sees(a, semop(1, &[(0, 5, 0)]), Done);
    s.befalls(b, Fate::Ends);
    s.sees(a, values::<1>(1), are([5]));
}
