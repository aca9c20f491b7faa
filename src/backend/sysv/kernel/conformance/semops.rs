//! Operations on semaphores that do not sleep.

use super::calls::Saw::{Done, Set};
use super::calls::{Fate, Saw};
use super::objects::{ALICE, BOB};
use super::script::{
    CREATE, NEW, NO_PID, NOWAIT, Needs, Scenario, Script, UNDO, are, id, new_set, no, pid_of, sem_pid, sem_set,
    sem_stat, semget, semop, values,
};
use crate::backend::sysv::kernel::rows::SetStat;
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno::{E2BIG, EACCES, EAGAIN, EFBIG, EINVAL, ERANGE};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[29, 30], new_sets),
    Scenario::of(&[30], a_wait_for_zero_is_an_operation),
    Scenario::of(&[31], steps_in_order),
    Scenario::of(&[32], all_or_nothing),
    Scenario::of(&[33], waits),
    Scenario::of(&[34], beyond_the_largest_value),
    Scenario::of(&[35], impossible_operations),
    Scenario::of(&[35], most_steps).needs(Needs::Limits),
    Scenario::of(&[36], permissions).needs(Needs::Users),
    Scenario::of(&[55], pids),
];

fn new_sets(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, values::<3>(0), are([0, 0, 0]));
    for number in 0..3 {
        s.sees(a, sem_pid(0, number), NO_PID);
    }
    s.sees(a, sem_stat(0), Set(new_set(3)));
    s.sees(a, sem_set(0, 0, 1), Done);
    s.sees(a, semop(0, &[(1, -1, NOWAIT)]), no(EAGAIN));
    s.sees(a, semop(0, &[(1, 1, 0), (0, 0, NOWAIT)]), no(EAGAIN));
    s.sees(a, sem_stat(0), Set(new_set(3)));
    s.sees(a, semop(0, &[(2, 1, 0)]), Done);
    s.sees(a, sem_stat(0), Set(SetStat { untouched: false, ..new_set(3) }));
}

fn a_wait_for_zero_is_an_operation(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, semop(0, &[(0, 0, 0)]), Done);
    s.sees(a, sem_stat(0), Set(SetStat { untouched: false, ..new_set(1) }));
}

fn steps_in_order(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(0, 0, NOWAIT), (0, 2, 0), (0, -1, NOWAIT), (1, 3, 0)]), Done);
    s.sees(a, values::<2>(0), are([1, 3]));
    s.sees(a, semop(0, &[(0, 1, 0), (0, 0, NOWAIT)]), no(EAGAIN));
    s.sees(a, semop(0, &[(0, -2, NOWAIT), (0, 1, 0)]), no(EAGAIN));
    s.sees(a, semop(0, &[(0, 1, 0), (0, -2, NOWAIT), (0, 0, NOWAIT)]), Done);
    s.sees(a, values::<2>(0), are([0, 3]));
}

fn all_or_nothing(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0), (1, 1, 0), (2, 1, 0)]), Done);
    s.sees(b, semop(0, &[(0, 5, UNDO), (1, -1, UNDO), (2, -2, NOWAIT)]), no(EAGAIN));
    s.sees(b, semop(0, &[(0, 5, UNDO), (0, -3, UNDO), (2, 32_767, 0)]), no(ERANGE));
    s.sees(b, values::<3>(0), are([1, 1, 1]));
    s.sees(b, sem_pid(0, 0), pid_of(a));
    s.sees(b, sem_pid(0, 1), pid_of(a));
    s.befalls(b, Fate::Ends);
    s.sees(a, values::<3>(0), are([1, 1, 1]));
    s.sees(a, sem_pid(0, 0), pid_of(a));
}

fn waits(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(0, 2, 0)]), Done);
    s.sees(b, semop(0, &[(0, 0, NOWAIT)]), no(EAGAIN));
    s.sees(b, semop(0, &[(0, -3, NOWAIT)]), no(EAGAIN));
    s.sees(b, semop(0, &[(0, -2, NOWAIT)]), Done);
    s.sees(b, semop(0, &[(0, 2, 0)]), Done);
    // The flag of the step that can't be made decides.
    s.sees(b, semop(0, &[(1, 1, NOWAIT), (0, 0, 0)]), Saw::Asleep);
    s.sees(c, semop(0, &[(1, 1, 0), (0, -3, NOWAIT)]), no(EAGAIN));
    s.sees(c, semop(0, &[(0, -3, 0), (0, 0, NOWAIT)]), Saw::Asleep);
    s.sees(a, values::<2>(0), are([2, 0]));
}

fn beyond_the_largest_value(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, semop(0, &[(0, 32_767, 0)]), Done);
    s.sees(a, semop(0, &[(0, 1, 0)]), no(ERANGE));
    s.sees(a, semop(0, &[(0, 1, NOWAIT)]), no(ERANGE));
    s.sees(a, semop(0, &[(0, -1, 0), (0, 1, 0)]), Done);
    s.sees(a, values::<1>(0), are([32_767]));
    s.sees(a, semop(0, &[(0, -32_767, 0)]), Done);
    s.sees(a, values::<1>(0), are([0]));
}

fn impossible_operations(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, semop(0, &[(0, 1, 0)]), no(EINVAL));
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[]), no(EINVAL));
    s.sees(a, semop(0, &[(2, 1, 0)]), no(EFBIG));
    s.sees(a, semop(0, &[(0, 1, 0), (2, 0, NOWAIT)]), no(EFBIG));
    s.sees(a, values::<2>(0), are([0, 0]));
}

fn most_steps(s: &mut Script<'_>) {
    let a = s.process();
    s.limit(Limits { semopm: 2, ..Limits::default() }, false);
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0), (0, 1, 0)]), Done);
    s.sees(a, semop(0, &[(0, 1, 0), (0, 1, 0), (0, 1, 0)]), no(E2BIG));
    s.sees(a, semop(7, &[(0, 1, 0), (0, 1, 0), (0, 1, 0)]), no(E2BIG));
    s.sees(a, values::<1>(0), are([2]));
    s.limit(Limits::default(), false);
}

fn permissions(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o600), id(0));
    s.sees(a, semget(2, 1, libc::IPC_CREAT | 0o604), id(1));
    s.sees(a, semget(3, 1, libc::IPC_CREAT | 0o602), id(2));
    s.sees(b, semop(0, &[(0, 0, 0)]), no(EACCES));
    s.sees(b, semop(0, &[(0, 1, 0)]), no(EACCES));
    s.sees(b, semop(1, &[(0, 0, 0)]), Done);
    s.sees(b, semop(1, &[(0, 0, 0), (0, 1, 0)]), no(EACCES));
    s.sees(b, semop(2, &[(0, 0, 0)]), no(EACCES));
    s.sees(b, semop(2, &[(0, 0, 0), (0, 1, 0)]), Done);
    s.sees(b, semop(0, &[(1, 1, 0)]), no(EFBIG));
}

fn pids(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 3, CREATE), id(0));
    s.sees(a, semop(0, &[(0, 1, 0), (1, 0, 0)]), Done);
    s.sees(b, sem_pid(0, 0), pid_of(a));
    s.sees(b, sem_pid(0, 1), pid_of(a));
    s.sees(b, sem_pid(0, 2), NO_PID);
    s.sees(b, semop(0, &[(1, 0, NOWAIT)]), Done);
    s.sees(a, sem_pid(0, 1), pid_of(b));
    s.sees(b, sem_set(0, 2, 0), Done);
    s.sees(a, sem_pid(0, 2), pid_of(b));
    s.befalls(b, Fate::Ends);
    s.sees(a, sem_pid(0, 2), pid_of(b));
}
