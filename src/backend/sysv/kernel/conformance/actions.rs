//! What random scripts are made of: a few keys, objects and small values, so that processes meet.

use super::calls::{Call, Fate, Step, User};
use super::objects::{ALICE, BOB, CAROL, ROOT};
use super::script::{
    NEW, NOWAIT, RDONLY, UNDO, sem_pid, sem_remove, sem_set, sem_stat, semget, semop, shm_remove, shm_stat, shmat,
    shmget,
};
use crate::backend::sysv::kernel::simulated::Limits;
use proptest::prelude::*;

/// Processes at a time.
pub(super) const PROCESSES: usize = 4;

/// Segments, and sets, that are named.
pub(super) const OBJECTS: usize = 4;

/// What a process does with an attachment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    Detach,
    Peek,
    Poke(u8),
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    /// By one of the processes.
    Call(usize, Call),
    /// One of its attachments is used.
    Use(usize, usize, Use),
    Befall(usize, Fate),
    /// The next process in this place is this user's.
    Become(usize, User),
    Limit(Limits, bool),
}

fn key() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0_u32), 6 => Just(1), 3 => Just(2)]
}

fn flags() -> impl Strategy<Value = i32> {
    let mode = prop::sample::select(vec![0o600, 0o666, 0o666, 0o666, 0o640, 0o604, 0o060, 0o400, 0]);
    let how = prop_oneof![2 => Just(0), 6 => Just(libc::IPC_CREAT), 2 => Just(NEW & !0o777)];
    (mode, how).prop_map(|(mode, how)| mode | how)
}

fn number() -> impl Strategy<Value = u16> {
    prop_oneof![20 => Just(0_u16), 10 => Just(1), 1 => Just(2), 1 => Just(3)]
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        20 => Just(0_i16), 25 => Just(1), 25 => Just(-1), 6 => Just(2), 6 => Just(-2),
        1 => Just(32_767), 1 => Just(-32_767), 1 => any::<i16>(),
    ];
    let flags = prop_oneof![6 => Just(0), 1 => Just(NOWAIT), 5 => Just(UNDO), 1 => Just(UNDO | NOWAIT)];
    (number(), change, flags)
}

fn call() -> impl Strategy<Value = Call> {
    let segment = || 0..OBJECTS;
    let set = || prop_oneof![10 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => Just(3)];
    // (One page, or more than `limits` has, however large a page is.)
    let size = prop::sample::select(vec![0_usize, 1, 100, 100, 100, 1 << 18]);
    let count = prop_oneof![1 => Just(0_u16), 1 => Just(1), 6 => Just(2), 1 => Just(3)];
    let value = prop_oneof![12 => 0..3_i32, 1 => Just(32_767), 1 => Just(-1), 1 => Just(32_768)];
    prop_oneof![
        3 => (key(), size, flags()).prop_map(|(key, size, flags)| shmget(key, size, flags)),
        5 => (segment(), prop::sample::select(vec![0, RDONLY])).prop_map(|(segment, flags)| shmat(segment, flags)),
        2 => segment().prop_map(shm_stat),
        1 => segment().prop_map(shm_remove),
        3 => (key(), count, flags()).prop_map(|(key, count, flags)| semget(key, count, flags)),
        20 => (set(), step()).prop_map(|(set, step)| semop(set, &[step])),
        20 => (set(), prop::collection::vec(step(), 2..4)).prop_map(|(set, steps)| semop(set, &steps)),
        2 => (set(), prop::collection::vec(step(), 1..3), segment())
            .prop_map(|(set, steps, segment)| Call::SemopThenStat { set, steps, segment }),
        1 => set().prop_map(|set| semop(set, &[])),
        2 => set().prop_map(sem_stat),
        2 => (set(), 1..4_usize).prop_map(|(set, count)| Call::SemValues { set, count }),
        2 => (set(), number()).prop_map(|(set, number)| sem_pid(set, number)),
        4 => (set(), number(), value).prop_map(|(set, number, value)| sem_set(set, number, value)),
        1 => (set(), user(), mode()).prop_map(|(set, user, mode)| Call::SemChown { set, user, mode }),
        1 => prop_oneof![3 => Just(1_usize), 1 => set()].prop_map(sem_remove),
    ]
}

fn mode() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0o666_u32), 1 => 0..0o1000_u32]
}

fn user() -> impl Strategy<Value = User> {
    prop::sample::select(vec![ROOT, ALICE, ALICE, BOB, CAROL])
}

fn limits() -> impl Strategy<Value = (Limits, bool)> {
    let few = Limits { shmmax: 1 << 17, shmall: 3, shmmni: 2, semmsl: 2, semmns: 3, semopm: 2, semmni: 1 };
    let all = Limits::default();
    let limits = prop::sample::select(vec![
        all,
        all,
        few,
        Limits { shmall: few.shmall, ..all },
        Limits { shmmni: few.shmmni, ..all },
        Limits { semmns: few.semmns, ..all },
        Limits { semmni: few.semmni, ..all },
    ]);
    (limits, any::<bool>())
}

pub(super) fn action() -> impl Strategy<Value = Action> {
    let process = || 0..PROCESSES;
    let using = prop_oneof![3 => Just(Use::Detach), 2 => Just(Use::Peek), 2 => any::<u8>().prop_map(Use::Poke)];
    let fate = prop_oneof![
        2 => Just(Fate::Ends), 3 => Just(Fate::Killed), 2 => Just(Fate::Interrupted),
        1 => Just(Fate::Stopped), 2 => Just(Fate::Continued),
    ];
    prop_oneof![
        40 => (process(), call()).prop_map(|(process, call)| Action::Call(process, call)),
        7 => (process(), 0..4_usize, using).prop_map(|(process, which, how)| Action::Use(process, which, how)),
        6 => (process(), fate).prop_map(|(process, fate)| Action::Befall(process, fate)),
        2 => (process(), user()).prop_map(|(process, user)| Action::Become(process, user)),
        1 => limits().prop_map(|(limits, forced)| Action::Limit(limits, forced)),
    ]
}
