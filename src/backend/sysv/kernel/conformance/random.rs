//! Random scripts have to see the same on both kernels: three processes that come and go, two keys, a
//! few objects, and after each step all that everybody is shown. It finds where the simulated kernel
//! drifts from Linux in what no scenario has thought of.

use super::calls::{Call, Fate, Player, Saw, Step, User};
use super::objects::{ALICE, BOB, CAROL, ROOT};
use super::script::{
    NEW, NOWAIT, Needs, RDONLY, UNDO, on_linux, sem_pid, sem_remove, sem_set, sem_stat, semget, semop, shm_remove,
    shm_stat, shmat, shmdt, shmget,
};
use super::simulated::Simulated;
use crate::backend::sysv::kernel::simulated::Limits;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// How many scripts are tried, unless `PROPTEST_CASES` says otherwise.
const SCRIPTS: u32 = 500;

/// Processes at a time.
const PROCESSES: usize = 3;

#[derive(Debug, Clone)]
enum Action {
    /// By one of the processes.
    Call(usize, Call),
    /// Takes away one of its attachments, or uses it.
    Detach(usize, usize),
    Peek(usize, usize),
    Poke(usize, usize, u8),
    Befall(usize, Fate),
    /// The next process in this place is this user's.
    Become(usize, User),
    Limit(Limits, bool),
}

fn key() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0_u32), 6 => Just(1), 3 => Just(2)]
}

fn flags() -> impl Strategy<Value = i32> {
    let mode = prop::sample::select(vec![0o600, 0o600, 0o600, 0o666, 0o640, 0o604, 0o060, 0o400, 0]);
    let how = prop_oneof![2 => Just(0), 6 => Just(libc::IPC_CREAT), 2 => Just(NEW & !0o777)];
    (mode, how).prop_map(|(mode, how)| mode | how)
}

fn number() -> impl Strategy<Value = u16> {
    prop_oneof![6 => Just(0_u16), 5 => Just(1), 1 => Just(2), 1 => Just(3)]
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        6 => Just(0_i16), 8 => Just(1), 8 => Just(-1), 2 => Just(2), 2 => Just(-2),
        1 => Just(32_767), 1 => Just(-32_767), 1 => any::<i16>(),
    ];
    let flags = prop_oneof![4 => Just(0), 2 => Just(NOWAIT), 4 => Just(UNDO), 2 => Just(UNDO | NOWAIT)];
    (number(), change, flags)
}

fn call() -> impl Strategy<Value = Call> {
    let segment = || 0..4_usize;
    let set = || prop_oneof![6 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => Just(3)];
    let size = prop::sample::select(vec![0_usize, 1, 100, 100, 100, 5000]);
    let count = prop_oneof![1 => Just(0_u16), 1 => Just(1), 6 => Just(2), 1 => Just(3)];
    let value = prop_oneof![4 => 0..4_i32, 1 => Just(32_767), 1 => Just(-1), 1 => Just(32_768)];
    prop_oneof![
        3 => (key(), size, flags()).prop_map(|(key, size, flags)| shmget(key, size, flags)),
        4 => (segment(), prop::sample::select(vec![0, RDONLY])).prop_map(|(segment, flags)| shmat(segment, flags)),
        2 => segment().prop_map(shm_stat),
        2 => segment().prop_map(shm_remove),
        3 => (key(), count, flags()).prop_map(|(key, count, flags)| semget(key, count, flags)),
        16 => (set(), prop::collection::vec(step(), 1..4)).prop_map(|(set, steps)| semop(set, &steps)),
        2 => (set(), prop::collection::vec(step(), 1..3), segment())
            .prop_map(|(set, steps, segment)| Call::SemopThenStat { set, steps, segment }),
        1 => set().prop_map(|set| semop(set, &[])),
        2 => set().prop_map(sem_stat),
        2 => (set(), 1..4_usize).prop_map(|(set, count)| Call::SemValues { set, count }),
        2 => (set(), number()).prop_map(|(set, number)| sem_pid(set, number)),
        2 => (set(), number(), value).prop_map(|(set, number, value)| sem_set(set, number, value)),
        1 => (set(), user(), 0..0o1000_u32).prop_map(|(set, user, mode)| Call::SemChown { set, user, mode }),
        1 => set().prop_map(sem_remove),
    ]
}

fn user() -> impl Strategy<Value = User> {
    prop::sample::select(vec![ROOT, ALICE, ALICE, BOB, CAROL])
}

fn limits() -> impl Strategy<Value = (Limits, bool)> {
    let few = Limits { shmmax: 4999, shmall: 3, shmmni: 2, semmsl: 2, semmns: 3, semopm: 2, semmni: 1 };
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

fn action() -> impl Strategy<Value = Action> {
    let process = || 0..PROCESSES;
    let fate = prop_oneof![
        2 => Just(Fate::Ends), 2 => Just(Fate::Killed), 2 => Just(Fate::Interrupted),
        1 => Just(Fate::Stopped), 2 => Just(Fate::Continued),
    ];
    prop_oneof![
        40 => (process(), call()).prop_map(|(process, call)| Action::Call(process, call)),
        3 => (process(), 0..4_usize).prop_map(|(process, which)| Action::Detach(process, which)),
        2 => (process(), 0..4_usize).prop_map(|(process, which)| Action::Peek(process, which)),
        2 => (process(), 0..4_usize, any::<u8>()).prop_map(|(process, which, value)| Action::Poke(process, which, value)),
        6 => (process(), fate).prop_map(|(process, fate)| Action::Befall(process, fate)),
        2 => (process(), user()).prop_map(|(process, user)| Action::Become(process, user)),
        1 => limits().prop_map(|(limits, forced)| Action::Limit(limits, forced)),
    ]
}

/// A process in one of the places.
#[derive(Debug)]
struct Process {
    number: usize,
    user: User,
    is_stopped: bool,
    /// Its attachments, and whether it may write there.
    attachments: Vec<(usize, bool)>,
}

/// One script on both kernels, step by step.
struct Both<'a> {
    players: [&'a mut dyn Player; 2],
    processes: Vec<Process>,
}

impl<'a> Both<'a> {
    fn new(players: [&'a mut dyn Player; 2], user: User) -> Self {
        let mut both = Self { players, processes: Vec::new() };
        both.processes = [(); PROCESSES].map(|()| both.start(user)).into();
        both
    }

    /// What both see, if it is the same.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, look: impl Fn(&mut dyn Player) -> T) -> T {
        let [simulated, real] = &mut self.players;
        let (simulated, real) = (look(*simulated), look(*real));
        assert_eq!(simulated, real, "the simulated kernel (left) and Linux (right)");
        real
    }

    fn start(&mut self, user: User) -> Process {
        let number = self.same(|player| player.start(user));
        Process { number, user, is_stopped: false, attachments: Vec::new() }
    }

    fn call(&mut self, place: usize, call: &Call) {
        let number = self.processes[place].number;
        if self.processes[place].is_stopped || self.same(|player| player.is_asleep(number)) {
            return;
        }
        match (call, self.same(|player| player.call(number, call))) {
            (Call::Shmat { flags, .. }, Saw::Attached(attachment)) => {
                self.processes[place].attachments.push((attachment, flags & RDONLY == 0));
            }
            (Call::Shmdt { attachment }, _) => {
                self.processes[place].attachments.retain(|(other, _)| other != attachment);
            }
            _ => {}
        }
        self.look();
    }

    fn befall(&mut self, place: usize, fate: Fate) {
        let Process { number, user, .. } = self.processes[place];
        self.same(|player| player.befall(number, fate));
        match fate {
            Fate::Ends | Fate::Killed => self.processes[place] = self.start(user),
            Fate::Stopped => self.processes[place].is_stopped = true,
            Fate::Continued => self.processes[place].is_stopped = false,
            Fate::Interrupted => {}
        }
        self.look();
    }

    /// After each step.
    fn look(&mut self) {
        self.same(|player| player.woken());
        self.same(|player| player.rows());
        for place in 0..PROCESSES {
            let number = self.processes[place].number;
            self.same(|player| player.is_asleep(number));
        }
    }

    fn attachment(&self, place: usize, which: usize) -> Option<(usize, bool)> {
        let attachments = &self.processes[place].attachments;
        attachments.get(which.checked_rem(attachments.len())?).copied()
    }

    fn play(&mut self, action: &Action, is_root: bool, may_limit: bool) {
        match *action {
            Action::Call(_, Call::SemChown { user, .. }) if !is_root && user != User::me() => {}
            Action::Call(place, ref call) => self.call(place, call),
            Action::Detach(place, which) => {
                if let Some((attachment, _)) = self.attachment(place, which) {
                    self.call(place, &shmdt(attachment));
                }
            }
            Action::Peek(place, which) => {
                if let Some((attachment, _)) = self.attachment(place, which) {
                    self.call(place, &Call::Peek { attachment });
                }
            }
            Action::Poke(place, which, value) => {
                if let Some((attachment, true)) = self.attachment(place, which) {
                    self.call(place, &Call::Poke { attachment, value });
                }
            }
            // A signal is meant for a sleeper.
            Action::Befall(place, fate) => {
                let Process { number, is_stopped, .. } = self.processes[place];
                let is_asleep = self.same(|player| player.is_asleep(number));
                let makes_sense = match fate {
                    Fate::Ends => !is_asleep && !is_stopped,
                    Fate::Killed => true,
                    Fate::Interrupted => is_asleep,
                    Fate::Stopped => !is_stopped,
                    Fate::Continued => is_stopped,
                };
                if makes_sense {
                    self.befall(place, fate);
                }
            }
            Action::Become(place, user) if is_root => self.processes[place].user = user,
            Action::Limit(limits, forced) if may_limit => {
                self.same(|player| player.limit(limits, forced));
                self.look();
            }
            Action::Become(..) | Action::Limit(..) => {}
        }
    }

    /// Looks at all there is as a user who may, while one process after the other is killed.
    fn end(&mut self, user: User) {
        let Process { number: looker, .. } = self.start(user);
        for place in 0..=PROCESSES {
            for object in 0..8 {
                self.same(|player| player.call(looker, &shm_stat(object)));
                let Saw::Set(stat) = self.same(|player| player.call(looker, &sem_stat(object))) else { continue };
                let values = Call::SemValues { set: object, count: stat.semaphores };
                self.same(|player| player.call(looker, &values));
                for number in 0..=3 {
                    self.same(|player| player.call(looker, &sem_pid(object, number)));
                }
            }
            if place < PROCESSES {
                self.befall(place, Fate::Killed);
            }
        }
    }
}

#[test]
fn random_scripts_see_the_same() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(SCRIPTS);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    on_linux(|world| {
        let (is_root, may_limit) = (world.lacks(Needs::Users).is_none(), world.lacks(Needs::Limits).is_none());
        let script = prop::collection::vec(action(), 1..60);
        let tried = TestRunner::new(config).run(&script, |script| {
            let user = if is_root { ALICE } else { User::me() };
            let (mut simulated, mut real) = (Simulated::new(), world.player());
            if may_limit {
                real.limit(Limits::default(), false);
            }
            let mut both = Both::new([&mut simulated, &mut real], user);
            for action in &script {
                both.play(action, is_root, may_limit);
            }
            both.end(User::me());
            Ok(())
        });
        if let Err(error) = tried {
            panic!("{error}");
        }
    });
}
