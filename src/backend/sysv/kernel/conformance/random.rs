//! Random scripts have to see the same on both kernels: four processes that come and go, two keys, a
//! few objects, and after each step all that everybody is shown. It finds where the simulated kernel
//! drifts from Linux in what no scenario has thought of.

use super::actions::{Action, OBJECTS, PROCESSES, Use, action};
use super::calls::{Call, Fate, Player, Saw, User};
use super::objects::ALICE;
use super::script::{Needs, RDONLY, World, on_linux, sem_pid, sem_stat, semget, semop, shm_stat, shmdt, shmget};
use super::simulated::Simulated;
use crate::backend::sysv::kernel::simulated::Limits;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How many scripts are tried, unless `PROPTEST_CASES` says otherwise.
const SCRIPTS: u32 = 300;

/// How often a thousand scripts have to meet what: about a third of what they do.
const LEAST: &[(&str, u32, Needs)] = &[
    ("a call done", 5000, Needs::Nothing),
    ("a sleep", 1500, Needs::Nothing),
    ("a sleeper's operation done", 400, Needs::Nothing),
    ("sleepers woken together", 50, Needs::Nothing),
    ("a sleeper's EAGAIN", 20, Needs::Nothing),
    ("a sleeper's EIDRM", 30, Needs::Nothing),
    ("a sleeper's EINTR", 400, Needs::Nothing),
    ("a sleeper's ERANGE", 4, Needs::Nothing),
    ("an end", 800, Needs::Nothing),
    ("E2BIG", 100, Needs::Limits),
    ("EACCES", 100, Needs::Users),
    ("EAGAIN", 300, Needs::Nothing),
    ("EEXIST", 100, Needs::Nothing),
    ("EFBIG", 500, Needs::Nothing),
    ("ENOENT", 50, Needs::Nothing),
    ("ENOSPC", 15, Needs::Limits),
    ("ERANGE", 150, Needs::Nothing),
];

/// A process in one of the places.
#[derive(Debug)]
struct Process {
    number: usize,
    user: User,
    is_stopped: bool,
    /// Its attachments, and whether it may write there.
    attachments: Vec<(usize, bool)>,
}

/// What the scripts have met, so that they can't pass by meeting nothing.
#[derive(Debug, Default)]
struct Seen(RefCell<BTreeMap<String, u32>>);

impl Seen {
    fn note(&self, what: &str) {
        *self.0.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }

    fn is_enough(&self, scripts: u32, world: &World) {
        let seen = self.0.borrow();
        println!("{scripts} random scripts: {seen:?}");
        if scripts < SCRIPTS {
            return;
        }
        for (what, in_a_thousand, _) in LEAST.iter().filter(|(.., needs)| world.lacks(*needs).is_none()) {
            let least = in_a_thousand * scripts / 1000;
            let met = seen.get(*what).copied().unwrap_or(0);
            assert!(met >= least, "{what}: {met} times in {scripts} scripts, at least {least} expected");
        }
    }
}

/// One script on both kernels, step by step.
struct Both<'a> {
    players: [&'a mut dyn Player; 2],
    processes: Vec<Process>,
    /// `shm_rmid_forced`.
    is_forced: bool,
    seen: &'a Seen,
}

impl<'a> Both<'a> {
    fn new(players: [&'a mut dyn Player; 2], user: User, seen: &'a Seen) -> Self {
        let mut both = Self { players, processes: Vec::new(), is_forced: false, seen };
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

    /// Whether the process can make a call.
    fn is_awake(&mut self, place: usize) -> bool {
        let Process { number, is_stopped, .. } = self.processes[place];
        !is_stopped && !self.same(|player| player.is_asleep(number))
    }

    /// The first process from this place on that can make a call. Where there is none, this one is awakened.
    fn awake_from(&mut self, place: usize) -> usize {
        let awake = (place..place + PROCESSES).map(|place| place % PROCESSES).find(|place| self.is_awake(*place));
        awake.unwrap_or_else(|| {
            let is_stopped = self.processes[place].is_stopped;
            self.befall(place, if is_stopped { Fate::Continued } else { Fate::Interrupted });
            place
        })
    }

    fn call(&mut self, place: usize, call: &Call) {
        let number = self.processes[place].number;
        let saw = self.same(|player| player.call(number, call));
        match saw {
            Saw::Refused(errno) => self.seen.note(&format!("{errno:?}")),
            Saw::Asleep => self.seen.note("a sleep"),
            _ => self.seen.note("a call done"),
        }
        match (call, saw) {
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
            Fate::Ends | Fate::Killed => {
                self.seen.note("an end");
                self.processes[place] = self.start(user);
            }
            Fate::Stopped => self.processes[place].is_stopped = true,
            Fate::Continued => self.processes[place].is_stopped = false,
            Fate::Interrupted => {}
        }
        self.look();
    }

    /// After each step.
    fn look(&mut self) {
        let woken = self.same(|player| player.woken());
        for (_, saw) in &woken {
            match saw {
                Saw::Refused(errno) => self.seen.note(&format!("a sleeper's {errno:?}")),
                _ => self.seen.note("a sleeper's operation done"),
            }
        }
        if woken.len() > 1 {
            self.seen.note("sleepers woken together");
        }
        self.same(|player| player.rows());
        for number in self.processes.iter().map(|process| process.number).collect::<Vec<_>>() {
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
            // What an end of a process removes by force comes right behind its undo: a woken process may still see it.
            Action::Call(place, Call::SemopThenStat { set, ref steps, .. }) if self.is_forced => {
                let place = self.awake_from(place);
                self.call(place, &semop(set, steps));
            }
            Action::Call(place, ref call) => {
                let place = self.awake_from(place);
                self.call(place, call);
            }
            Action::Use(place, which, how) => {
                let place = self.awake_from(place);
                match (self.attachment(place, which), how) {
                    (Some((attachment, _)), Use::Detach) => self.call(place, &shmdt(attachment)),
                    (Some((attachment, _)), Use::Peek) => self.call(place, &Call::Peek { attachment }),
                    (Some((attachment, true)), Use::Poke(value)) => {
                        self.call(place, &Call::Poke { attachment, value });
                    }
                    _ => {}
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
                self.is_forced = forced && (0..PROCESSES).all(|place| self.is_awake(place));
                let forced = self.is_forced;
                self.same(|player| player.limit(limits, forced));
                self.look();
            }
            Action::Become(..) | Action::Limit(..) => {}
        }
    }

    /// Looks at all there is as a user who may, while one process after the other is killed.
    fn end(&mut self, user: User) {
        let looker = self.start(user).number;
        let mut left: Vec<_> = self.processes.iter().map(|process| process.number).collect();
        loop {
            for object in 0..OBJECTS {
                self.same(|player| player.call(looker, &shm_stat(object)));
                let Saw::Set(stat) = self.same(|player| player.call(looker, &sem_stat(object))) else { continue };
                let values = Call::SemValues { set: object, count: stat.semaphores };
                self.same(|player| player.call(looker, &values));
                for number in 0..=3 {
                    self.same(|player| player.call(looker, &sem_pid(object, number)));
                }
            }
            self.look();
            let Some(process) = left.pop() else { return };
            self.same(|player| player.befall(process, Fate::Killed));
        }
    }
}

#[test]
fn random_scripts_see_the_same() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(SCRIPTS);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    on_linux(|world| {
        let seen = Seen::default();
        let (is_root, may_limit) = (world.lacks(Needs::Users).is_none(), world.lacks(Needs::Limits).is_none());
        let script = prop::collection::vec(action(), 1..100);
        let tried = TestRunner::new(config).run(&script, |script| {
            let user = if is_root { ALICE } else { User::me() };
            let (mut simulated, mut real) = (Simulated::new(), world.player());
            if may_limit {
                real.limit(Limits::default(), false);
            }
            let mut both = Both::new([&mut simulated, &mut real], user, &seen);
            // What most of the calls are about.
            both.call(0, &shmget(1, 100, libc::IPC_CREAT | 0o666));
            both.call(0, &semget(1, 2, libc::IPC_CREAT | 0o666));
            for action in &script {
                both.play(action, is_root, may_limit);
            }
            both.end(User::me());
            Ok(())
        });
        if let Err(error) = tried {
            panic!("{error}");
        }
        seen.is_enough(cases, world);
    });
}
