//! A scenario: what processes do, and what they have to see, on both kernels.

use super::calls::{Call, Fate, Player, Saw, Step, User};
use super::linux::Linux;
use super::simulated::Simulated;
use crate::backend::sysv::kernel::rows::{SegmentRow, SetRow, SetStat, Stat};
use crate::backend::sysv::kernel::simulated::Limits;
use nix::errno::Errno;
use std::ffi::c_int;

/// What has to be had for a scenario to be tried on the real kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// Other users, and privileges: root.
    Users,
    /// Limits that may be set: an IPC namespace of its own.
    Limits,
}

/// A scenario shows that these rules hold.
pub(super) struct Scenario {
    pub(super) rules: &'static [u32],
    pub(super) needs: Needs,
    pub(super) play: fn(&mut Script<'_>),
}

impl Scenario {
    pub(super) const fn of(rules: &'static [u32], play: fn(&mut Script<'_>)) -> Self {
        Self { rules, needs: Needs::Nothing, play }
    }

    pub(super) const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }
}

/// Plays scenarios on both kernels; says which rules were not tried on the real one.
pub(super) fn play_all(scenarios: &'static [Scenario]) {
    for scenario in scenarios {
        on("the simulated kernel", scenario, &mut Simulated::new());
    }
    on_linux(|world| {
        for scenario in scenarios {
            match world.lacks(scenario.needs) {
                None => on("Linux", scenario, &mut world.player()),
                Some(why) => println!("NOT CHECKED on the real kernel: rules {:?}: {why}", scenario.rules),
            }
        }
    });
}

fn on(kernel: &'static str, scenario: &Scenario, player: &mut dyn Player) {
    let mut script = Script { kernel, rules: scenario.rules, player, woken: Vec::new() };
    (scenario.play)(&mut script);
    script.nobody_wakes();
}

/// Where real scripts are played.
pub(super) struct World {
    is_apart: bool,
    first_key: u32,
}

impl World {
    pub(super) fn lacks(&self, needs: Needs) -> Option<&'static str> {
        match needs {
            Needs::Users if !has_privileges() => {
                Some("it takes root, with CAP_IPC_OWNER, CAP_SETUID and CAP_SYS_ADMIN")
            }
            Needs::Limits if !self.is_apart => Some("no IPC namespace of its own can be had, so no limit is set"),
            _ => None,
        }
    }

    /// A player with keys that no other one has.
    pub(super) fn player(&self) -> Linux {
        Linux::new(self.first_key)
    }
}

fn has_privileges() -> bool {
    const SETGID_SETUID_SYS_ADMIN_IPC_OWNER: u64 = 1 << 6 | 1 << 7 | 1 << 21 | 1 << 15;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    nix::unistd::geteuid().is_root() && mask & SETGID_SETUID_SYS_ADMIN_IPC_OWNER == SETGID_SETUID_SYS_ADMIN_IPC_OWNER
}

/// Runs this where real scripts are played: in a thread with an IPC namespace of its own, which its
/// children have, too; in that of all where none can be had.
pub(super) fn on_linux<T: Send>(play: impl FnOnce(&World) -> T + Send) -> T {
    let run = || {
        // SAFETY: takes flags alone, and moves this thread alone.
        let is_apart = unsafe { libc::unshare(libc::CLONE_NEWIPC) } == 0;
        let first_key = unique_key();
        play(&World { is_apart, first_key })
    };
    match std::thread::scope(|scope| scope.spawn(run).join()) {
        Ok(played) => played,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The first of 16 keys, which the thread's number tells from those of other threads and processes.
fn unique_key() -> u32 {
    // SAFETY: takes nothing.
    let tid = unsafe { libc::gettid() };
    0x5C00_0000 | tid.cast_unsigned() << 4 & 0x00FF_FFF0
}

/// A scenario as it is played.
pub(super) struct Script<'a> {
    kernel: &'static str,
    rules: &'static [u32],
    player: &'a mut dyn Player,
    woken: Vec<(usize, Saw)>,
}

impl Script<'_> {
    /// Starts a process of the user who runs the tests.
    pub(super) fn process(&mut self) -> usize {
        self.process_of(User::me())
    }

    pub(super) fn process_of(&mut self, user: User) -> usize {
        self.player.start(user)
    }

    pub(super) fn processes<const N: usize>(&mut self) -> [usize; N] {
        [(); N].map(|()| self.process())
    }

    /// The process makes the call and sees this.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "a scenario reads without ampersands")]
    pub(super) fn sees(&mut self, process: usize, call: Call, expected: Saw) {
        self.nobody_wakes();
        let saw = self.player.call(process, &call);
        assert_eq!(saw, expected, "rules {:?} on {}: process {process}, {call:?}", self.rules, self.kernel);
        self.woken = self.player.woken();
    }

    #[track_caller]
    pub(super) fn befalls(&mut self, process: usize, fate: Fate) {
        self.nobody_wakes();
        self.player.befall(process, fate);
        self.woken = self.player.woken();
    }

    /// The last step ended the sleep of these processes alone.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "as above")]
    pub(super) fn wake<const N: usize>(&mut self, expected: [(usize, Saw); N]) {
        let woken = std::mem::take(&mut self.woken);
        assert_eq!(woken, expected, "rules {:?} on {}: who wakes", self.rules, self.kernel);
    }

    #[track_caller]
    fn nobody_wakes(&mut self) {
        self.wake([]);
    }

    pub(super) fn limit(&mut self, limits: Limits, rmid_forced: bool) {
        self.player.limit(limits, rmid_forced);
    }

    #[track_caller]
    pub(super) fn shows_segments(&mut self, expected: &[SegmentRow]) {
        assert_eq!(self.player.rows().0, expected, "rules {:?} on {}", self.rules, self.kernel);
    }

    #[track_caller]
    pub(super) fn shows_sets(&mut self, expected: &[SetRow]) {
        assert_eq!(self.player.rows().1, expected, "rules {:?} on {}", self.rules, self.kernel);
    }
}

pub(super) const CREATE: c_int = libc::IPC_CREAT | 0o600;
pub(super) const NEW: c_int = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;
pub(super) const NOWAIT: c_int = libc::IPC_NOWAIT;
pub(super) const UNDO: c_int = libc::SEM_UNDO;
pub(super) const RDONLY: c_int = libc::SHM_RDONLY;

pub(super) fn shmget(key: u32, size: usize, flags: c_int) -> Call {
    Call::Shmget { key, size, flags }
}

pub(super) fn shmat(segment: usize, flags: c_int) -> Call {
    Call::Shmat { segment, flags }
}

pub(super) fn shmdt(attachment: usize) -> Call {
    Call::Shmdt { attachment }
}

pub(super) fn shm_stat(segment: usize) -> Call {
    Call::ShmStat { segment }
}

pub(super) fn shm_remove(segment: usize) -> Call {
    Call::ShmRemove { segment }
}

pub(super) fn semget(key: u32, count: u16, flags: c_int) -> Call {
    Call::Semget { key, count, flags }
}

pub(super) fn semop(set: usize, steps: &[Step]) -> Call {
    Call::Semop { set, steps: steps.to_vec() }
}

pub(super) fn sem_stat(set: usize) -> Call {
    Call::SemStat { set }
}

pub(super) fn values<const N: usize>(set: usize) -> Call {
    Call::SemValues { set, count: N }
}

pub(super) fn sem_pid(set: usize, number: u16) -> Call {
    Call::SemPid { set, number }
}

pub(super) fn sem_set(set: usize, number: u16, value: c_int) -> Call {
    Call::SemSet { set, number, value }
}

pub(super) fn sem_remove(set: usize) -> Call {
    Call::SemRemove { set }
}

pub(super) fn id(number: usize) -> Saw {
    Saw::Id(number)
}

pub(super) fn no(errno: Errno) -> Saw {
    Saw::Refused(errno)
}

pub(super) fn are<const N: usize>(values: [u16; N]) -> Saw {
    Saw::Values(values.to_vec())
}

/// The pid of this process.
pub(super) fn pid_of(process: usize) -> Saw {
    Saw::Pid(pid(process))
}

/// As it stands in a stat.
pub(super) fn pid(process: usize) -> u32 {
    u32::try_from(process + 1).expect("few")
}

pub(super) const NO_PID: Saw = Saw::Pid(0);

/// A segment of 100 bytes with the mode 0600 that this process has just made.
pub(super) fn new_segment(maker: usize) -> Stat {
    let uid = User::me().uid;
    Stat {
        size: 100,
        mode: 0o600,
        uid,
        creator_uid: uid,
        attached: 0,
        creator_pid: pid(maker),
        last_pid: 0,
        removed: false,
    }
}

/// A set with the mode 0600 that was just made.
pub(super) fn new_set(semaphores: usize) -> SetStat {
    let User { uid, gid } = User::me();
    SetStat { semaphores, untouched: true, uid, gid, creator_uid: uid, mode: 0o600 }
}
