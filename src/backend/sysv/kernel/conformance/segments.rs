//! Segments: attached, looked at, removed.

use super::calls::Call::{Peek, Poke};
use super::calls::Fate;
use super::calls::Saw::{Attached, Byte, Done, Segment};
use super::objects::{ALICE, BOB};
use super::script::{
    CREATE, NEW, Needs, RDONLY, Scenario, Script, id, new_segment, no, pid, sem_remove, semget, shm_remove, shm_stat,
    shmat, shmdt, shmget,
};
use crate::backend::sysv::kernel::rows::Stat;
use nix::errno::Errno::{EACCES, EINVAL, ENOENT, EPERM};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::of(&[16], memory),
    Scenario::of(&[17, 23], modes).needs(Needs::Users),
    Scenario::of(&[17], modes_of_ones_own),
    Scenario::of(&[18, 19], attachments),
    Scenario::of(&[20], removed_and_gone),
    Scenario::of(&[21], removed_while_attached),
    Scenario::of(&[21, 25], removed_while_others_are_attached),
    Scenario::of(&[22], removed_again),
    Scenario::of(&[24], owners).needs(Needs::Users),
];

fn memory(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(b, shmat(0, RDONLY), Attached(1));
    s.sees(b, Peek { attachment: 1 }, Byte(0));
    s.sees(a, Poke { attachment: 0, value: 7 }, Done);
    s.sees(b, Peek { attachment: 1 }, Byte(7));
    s.sees(a, shm_remove(0), Done);
    s.sees(a, shmget(1, 100, NEW), id(1));
    s.sees(a, shmat(1, 0), Attached(2));
    s.sees(a, Peek { attachment: 2 }, Byte(0));
    s.sees(a, Poke { attachment: 0, value: 8 }, Done);
    s.sees(b, Peek { attachment: 1 }, Byte(8));
    s.sees(a, Peek { attachment: 2 }, Byte(0));
    // It keeps what was written while nobody is attached.
    s.sees(a, Poke { attachment: 2, value: 9 }, Done);
    s.sees(a, shmdt(2), Done);
    s.sees(b, shmat(1, 0), Attached(3));
    s.sees(b, Peek { attachment: 3 }, Byte(9));
}

fn modes(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, shmget(1, 100, libc::IPC_CREAT | 0o600), id(0));
    s.sees(a, shmget(2, 100, libc::IPC_CREAT | 0o604), id(1));
    s.sees(a, shmget(3, 100, libc::IPC_CREAT | 0o602), id(2));
    s.sees(b, shmat(0, RDONLY), no(EACCES));
    s.sees(b, shm_stat(0), no(EACCES));
    s.sees(b, shmat(1, RDONLY), Attached(0));
    s.sees(b, shmat(1, 0), no(EACCES));
    let stat = Stat { mode: 0o604, uid: 1001, creator_uid: 1001, attached: 1, last_pid: pid(b), ..new_segment(a) };
    s.sees(b, shm_stat(1), Segment(stat));
    s.sees(b, shmat(2, RDONLY), no(EACCES));
    s.sees(b, shmat(2, 0), no(EACCES));
    s.sees(b, shm_stat(2), no(EACCES));
}

fn modes_of_ones_own(s: &mut Script<'_>) {
    // (Whoever runs this: an ordinary user is refused what root is not.)
    let a = s.process();
    s.sees(a, shmget(1, 100, libc::IPC_CREAT | 0o600), id(0));
    s.sees(a, shmat(0, RDONLY), Attached(0));
    s.sees(a, shmat(0, 0), Attached(1));
    s.sees(a, shmat(1, 0), no(EINVAL));
}

fn attachments(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 100, CREATE), id(0));
    let mut stat = new_segment(a);
    s.sees(b, shm_stat(0), Segment(stat));
    s.sees(b, shmat(0, 0), Attached(0));
    (stat.attached, stat.last_pid) = (1, pid(b));
    s.sees(b, shm_stat(0), Segment(stat));
    s.sees(b, shmat(0, RDONLY), Attached(1));
    stat.attached = 2;
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(a, shmat(0, 0), Attached(2));
    (stat.attached, stat.last_pid) = (3, pid(a));
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(b, shmdt(0), Done);
    (stat.attached, stat.last_pid) = (2, pid(b));
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(b, shmdt(0), no(EINVAL));
    s.sees(b, shmdt(7), no(EINVAL));
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(a, shmdt(2), Done);
    s.sees(b, shmdt(1), Done);
    stat.attached = 0;
    s.sees(a, shm_stat(0), Segment(stat));
}

fn removed_and_gone(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(b, shmat(0, 0), Attached(0));
    s.sees(b, shmdt(0), Done);
    s.sees(b, shm_remove(0), Done);
    s.sees(b, shmget(1, 0, 0), no(ENOENT));
    s.sees(b, shmat(0, 0), no(EINVAL));
    s.sees(b, shm_stat(0), no(EINVAL));
    s.sees(b, shm_remove(0), no(EINVAL));
    s.sees(b, shmget(1, 100, NEW), id(1));
}

fn removed_while_attached(s: &mut Script<'_>) {
    let [a, b] = s.processes();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(b, shm_remove(0), Done);
    s.sees(a, shmget(1, 0, 0), no(ENOENT));
    let mut stat = Stat { attached: 1, last_pid: pid(a), removed: true, ..new_segment(a) };
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(b, shmat(0, 0), Attached(1));
    (stat.attached, stat.last_pid) = (2, pid(b));
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(b, shmget(1, 100, NEW), id(1));
    s.sees(a, shmget(1, 0, 0), id(1));
    s.sees(a, shmdt(0), Done);
    (stat.attached, stat.last_pid) = (1, pid(a));
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(b, shmdt(1), Done);
    s.sees(b, shm_stat(0), no(EINVAL));
    s.sees(b, shmat(0, 0), no(EINVAL));
    s.sees(a, shm_stat(1), Segment(new_segment(b)));
}

fn removed_while_others_are_attached(s: &mut Script<'_>) {
    for fate in [Fate::Ends, Fate::Killed] {
        let [a, b, c] = s.processes();
        let which = a / 3;
        s.sees(a, shmget(1, 100, NEW), id(which));
        s.sees(b, shmat(which, 0), Attached(3 * which));
        s.sees(b, shmat(which, 0), Attached(3 * which + 1));
        s.sees(c, shmat(which, 0), Attached(3 * which + 2));
        s.sees(a, shm_remove(which), Done);
        s.befalls(b, fate);
        let stat = Stat { attached: 1, last_pid: pid(b), removed: true, ..new_segment(a) };
        s.sees(a, shm_stat(which), Segment(stat));
        s.befalls(c, fate);
        s.sees(a, shm_stat(which), no(EINVAL));
    }
}

fn removed_again(s: &mut Script<'_>) {
    let a = s.process();
    s.sees(a, shmget(1, 100, NEW), id(0));
    s.sees(a, shmat(0, 0), Attached(0));
    s.sees(a, shm_remove(0), Done);
    s.sees(a, shm_remove(0), Done);
    let stat = Stat { attached: 1, last_pid: pid(a), removed: true, ..new_segment(a) };
    s.sees(a, shm_stat(0), Segment(stat));
    s.sees(a, shmdt(0), Done);
    s.sees(a, shm_remove(0), no(EINVAL));
}

fn owners(s: &mut Script<'_>) {
    let (a, b) = (s.process_of(ALICE), s.process_of(BOB));
    s.sees(a, shmget(1, 100, libc::IPC_CREAT | 0o666), id(0));
    s.sees(b, shmat(0, 0), Attached(0));
    s.sees(b, shm_remove(0), no(EPERM));
    s.sees(a, shm_remove(0), Done);
    s.sees(b, shm_remove(0), no(EPERM));
    s.sees(a, semget(1, 1, libc::IPC_CREAT | 0o666), id(0));
    s.sees(b, sem_remove(0), no(EPERM));
    s.sees(a, sem_remove(0), Done);
    // The mode does not keep an owner from it.
    s.sees(a, shmget(1, 100, libc::IPC_CREAT), id(1));
    s.sees(a, shm_stat(1), no(EACCES));
    s.sees(a, shm_remove(1), Done);
    s.sees(a, semget(1, 1, libc::IPC_CREAT), id(1));
    s.sees(a, sem_remove(1), Done);
}
