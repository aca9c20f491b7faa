//! Operations on semaphores that sleep, and what ends their sleep.

use super::calls::Saw::{Asleep, Done, Set};
use super::calls::{Call, Fate};
use super::script::{
    NEW, NOWAIT, Scenario, Script, UNDO, are, id, new_set, no, pid_of, sem_pid, sem_remove, sem_set, sem_stat, semget,
    semop, values,
};
use crate::backend::sysv::kernel::rows::SetStat;
use nix::errno::Errno::{EAGAIN, EIDRM, EINTR, EINVAL, ENOENT, ERANGE};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[37], done_by_the_waker),
    Scenario::of(&[37], a_value_that_passes),
    Scenario::of(&[38], zeros_first),
    Scenario::of(&[38], in_the_order_of_coming),
    Scenario::of(&[37, 38], one_wakes_another),
    Scenario::of(&[39], no_hold_up),
    Scenario::of(&[40], woken_by_an_error),
    Scenario::of(&[40], not_tried_again),
    Scenario::of(&[41], a_signal),
    Scenario::of(&[42], a_time_limit),
    Scenario::of(&[43], a_stop),
    Scenario::of(&[44], killed_asleep),
    Scenario::of(&[45], removed),
    Scenario::of(&[53], set_by_hand),
    Scenario::of(&[56], the_sleeper_s_pid),
];

/// Takes a semaphore at 0, as a lock.
const TAKE: [(u16, i16, i32); 2] = [(0, 0, 0), (0, 1, UNDO)];

fn done_by_the_waker(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(a, semop(0, &TAKE), Done);
    s.sees(b, semop(0, &TAKE), Asleep);
    // Nobody comes between the release and the next holder.
    s.sees(a, semop(0, &[(0, -1, UNDO)]), Done);
    s.wake([(b, Done)]);
    s.sees(c, semop(0, &[(0, 0, NOWAIT), (0, 1, UNDO)]), no(EAGAIN));
    s.sees(c, values::<1>(0), are([1]));
    s.befalls(b, Fate::Killed);
    s.sees(c, values::<1>(0), are([0]));
}

fn a_value_that_passes(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(b, semop(0, &[(0, 0, 0)]), Asleep);
    s.sees(c, semop(0, &TAKE), Asleep);
    // It is 0 for a moment alone: the next sleeper takes it.
    s.sees(a, semop(0, &[(0, -1, 0)]), Done);
    s.wake([(b, Done), (c, Done)]);
    s.sees(a, values::<2>(0), are([1, 0]));
    // Within one operation nobody sees it.
    s.sees(b, semop(0, &[(0, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, -1, 0), (0, 1, 0)]), Done);
    s.befalls(c, Fate::Ends);
    s.wake([(b, Done)]);
}

fn zeros_first(s: &mut Script<'_>) {
    let [a, b, c, d] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    // The one that alters came first, and yet the others see the zero.
    s.sees(b, semop(0, &[(0, 0, 0), (0, 1, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, 0, 0)]), Asleep);
    s.sees(d, semop(0, &[(0, 0, 0), (1, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, -1, 0)]), Done);
    s.wake([(b, Done), (c, Done), (d, Done)]);
    // Of those that see the zero the ones with one step come first, however late: the pid is the last one's.
    s.sees(b, semop(0, &[(0, 0, 0), (1, 0, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, -1, 0)]), Done);
    s.wake([(b, Done), (c, Done)]);
    s.sees(a, sem_pid(0, 0), pid_of(b));
}

fn in_the_order_of_coming(s: &mut Script<'_>) {
    let [a, b, c, d] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(d, semop(0, &[(0, -1, 0)]), Asleep);
    s.sees(b, semop(0, &[(0, -1, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, -1, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(d, Done)]);
    s.sees(a, semop(0, &[(0, 2, 0)]), Done);
    s.wake([(b, Done), (c, Done)]);
    // Operations of one step and of several are in one queue.
    s.sees(c, semop(0, &[(0, -1, 0), (1, 0, 0)]), Asleep);
    s.sees(b, semop(0, &[(0, -1, 0)]), Asleep);
    s.sees(d, semop(0, &[(0, -1, 0), (1, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(c, Done)]);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(b, Done)]);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(d, Done)]);
}

fn one_wakes_another(s: &mut Script<'_>) {
    let [a, b, c, d] = s.processes();
    s.sees(a, semget(1, 3, NEW), id(0));
    // Each makes the next possible; the first to be made possible came last.
    s.sees(d, semop(0, &[(2, -1, 0), (2, 0, 0)]), Asleep);
    s.sees(c, semop(0, &[(1, -1, 0), (2, 1, 0)]), Asleep);
    s.sees(b, semop(0, &[(0, -1, 0), (1, 1, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(b, Done), (c, Done), (d, Done)]);
    s.sees(a, values::<3>(0), are([0, 0, 0]));
    // Also one that waits for the zero that another leaves.
    s.sees(a, semop(0, &[(1, 1, 0)]), Done);
    s.sees(b, semop(0, &[(1, 0, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, -1, 0), (1, -1, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(b, Done), (c, Done)]);
}

fn no_hold_up(s: &mut Script<'_>) {
    let [a, b, c, d] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, -5, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, -1, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 3, 0)]), Done);
    s.wake([(c, Done)]);
    s.sees(d, semop(0, &[(0, -2, 0)]), Done);
    s.sees(a, semop(0, &[(0, 4, 0)]), Done);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(b, Done)]);
    s.sees(a, values::<1>(0), are([0]));
}

fn woken_by_an_error(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(1, 1, 0)]), Done);
    s.sees(b, semop(0, &[(0, -1, 0), (1, 0, NOWAIT)]), Asleep);
    s.sees(c, semop(0, &[(0, -1, 0), (1, 32_767, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.wake([(b, no(EAGAIN)), (c, no(ERANGE))]);
    s.sees(a, values::<2>(0), are([1, 1]));
    s.sees(b, semop(0, &[(0, 0, 0), (1, 0, NOWAIT)]), Asleep);
    s.sees(a, semop(0, &[(0, -1, 0)]), Done);
    s.wake([(b, no(EAGAIN))]);
}

fn not_tried_again(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 3, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(b, semop(0, &[(1, 0, NOWAIT), (0, 0, 0)]), Asleep);
    s.sees(c, semop(0, &[(1, 0, NOWAIT), (0, -2, 0)]), Asleep);
    // Neither can be made any more; the one that alters is told.
    s.sees(a, semop(0, &[(1, 1, 0)]), Done);
    s.wake([(c, no(EAGAIN))]);
    s.sees(a, semop(0, &[(1, 1, 0), (2, 0, 0)]), Done);
    s.wake([(b, no(EAGAIN))]);
    s.sees(a, semop(0, &[(1, -2, 0)]), Done);
    s.sees(b, semop(0, &[(1, 0, NOWAIT), (0, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(1, 1, 0)]), Done);
    s.sees(a, sem_set(0, 1, 2), Done);
    s.wake([(b, no(EAGAIN))]);
}

fn a_signal(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, 5, UNDO), (0, -6, UNDO)]), Asleep);
    s.befalls(b, Fate::Interrupted);
    s.wake([(b, no(EINTR))]);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(a, values::<1>(0), are([1]));
    s.befalls(b, Fate::Ends);
    s.sees(a, values::<1>(0), are([1]));
}

fn a_time_limit(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, Call::Semtimedop { set: 0, steps: vec![(0, -1, 0)] }, no(EAGAIN));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(a, values::<1>(0), are([1]));
    s.sees(b, Call::Semtimedop { set: 0, steps: vec![(0, -1, 0)] }, Done);
    s.sees(b, Call::Semtimedop { set: 0, steps: vec![(0, -1, NOWAIT)] }, no(EAGAIN));
    s.sees(a, values::<1>(0), are([0]));
}

fn a_stop(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 1, NEW), id(0));
    s.sees(b, semop(0, &[(0, -1, 0)]), Asleep);
    s.befalls(b, Fate::Stopped);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(a, values::<1>(0), are([1]));
    s.befalls(b, Fate::Continued);
    s.wake([(b, no(EINTR))]);
    s.sees(b, semop(0, &[(0, -1, 0)]), Done);
}

fn killed_asleep(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(b, semop(0, &[(1, 1, UNDO), (0, -1, UNDO)]), Asleep);
    s.befalls(b, Fate::Killed);
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(a, values::<2>(0), are([1, 0]));
}

fn removed(s: &mut Script<'_>) {
    let [a, b, c, d] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(a, semop(0, &[(0, 1, 0)]), Done);
    s.sees(b, semop(0, &[(0, 0, 0)]), Asleep);
    s.sees(c, semop(0, &[(1, -1, 0)]), Asleep);
    s.sees(d, semop(0, &[(0, 0, 0), (0, 1, UNDO)]), Asleep);
    s.sees(a, sem_remove(0), Done);
    s.wake([(b, no(EIDRM)), (c, no(EIDRM)), (d, no(EIDRM))]);
    s.sees(b, semop(0, &[(0, 0, 0)]), no(EINVAL));
    s.sees(b, semop(0, &[(0, 1, UNDO)]), no(EINVAL));
    s.sees(b, values::<2>(0), no(EINVAL));
    s.sees(b, sem_stat(0), no(EINVAL));
    s.sees(b, sem_pid(0, 0), no(EINVAL));
    s.sees(b, sem_set(0, 0, 1), no(EINVAL));
    s.sees(b, sem_remove(0), no(EINVAL));
    s.sees(b, semget(1, 0, 0), no(ENOENT));
    s.sees(b, semget(1, 1, NEW), id(1));
}

fn set_by_hand(s: &mut Script<'_>) {
    let [a, b, c] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(b, semop(0, &[(0, -2, 0)]), Asleep);
    s.sees(c, semop(0, &[(0, -1, 0), (0, 0, 0)]), Asleep);
    s.sees(a, sem_set(0, 1, 5), Done);
    s.sees(a, sem_stat(0), Set(new_set(2)));
    s.sees(a, sem_set(0, 0, 3), Done);
    s.wake([(b, Done), (c, Done)]);
    // What was done by the way counts.
    s.sees(a, sem_stat(0), Set(SetStat { untouched: false, ..new_set(2) }));
    s.sees(a, values::<2>(0), are([0, 5]));
    s.sees(b, semop(0, &[(1, 0, 0)]), Asleep);
    s.sees(a, sem_set(0, 1, 0), Done);
    s.wake([(b, Done)]);
}

fn the_sleeper_s_pid(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, semget(1, 2, NEW), id(0));
    s.sees(b, semop(0, &[(0, -1, 0), (1, 0, 0)]), Asleep);
    s.sees(a, semop(0, &[(0, 1, 0), (1, 0, 0)]), Done);
    s.wake([(b, Done)]);
    s.sees(a, sem_pid(0, 0), pid_of(b));
    s.sees(a, sem_pid(0, 1), pid_of(b));
}
