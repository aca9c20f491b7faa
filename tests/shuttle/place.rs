//! Where the sides of a model meet: in one process, or on the simulated kernel as processes.

use crate::explore::noted;
use shm_handoff::Role;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::sysv::simulated::{Kernel, remove_seats, remove_segment, waiting};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, JoinHandle};

/// One key, and what runs there.
pub(crate) trait Place: Clone + Send + Sync + 'static {
    type Memory: Backend;
    /// A third party removes seats, too.
    const SEATS_GO: bool;

    fn address(&self) -> &<Self::Memory as Backend>::Address;

    /// Runs `life` on this thread as a process, where there are processes.
    fn run<T>(&self, life: impl FnOnce() -> T) -> T;

    /// The same on a thread of its own.
    fn spawn(&self, life: impl FnOnce() + Send + 'static) -> Spawned;

    /// Removes something, as a third party.
    fn remove(&self);
}

/// A thread to wait for.
pub(crate) struct Spawned(JoinHandle<()>);

impl Spawned {
    pub(crate) fn join(self) {
        waiting(|| self.0.join()).unwrap();
    }
}

impl Place for Channel {
    type Memory = InProc;
    const SEATS_GO: bool = false;

    fn address(&self) -> &Self {
        self
    }

    fn run<T>(&self, life: impl FnOnce() -> T) -> T {
        life()
    }

    fn spawn(&self, life: impl FnOnce() + Send + 'static) -> Spawned {
        Spawned(thread::spawn(life))
    }

    fn remove(&self) {
        InProc::open(self, Role::Guest).unwrap().remove().unwrap();
        noted("removed");
    }
}

/// A key on a kernel of its own, whose user has all the processes.
#[derive(Clone)]
pub(crate) struct Simulated {
    kernel: Kernel,
    options: Options,
}

/// The user.
pub(crate) const USER: u32 = 1000;

impl Simulated {
    pub(crate) fn slot() -> Self {
        Self { kernel: Kernel::new(), options: Options::slot(key()) }
    }

    /// A ring for three or four messages of up to 16 bytes.
    pub(crate) fn ring() -> Self {
        Self { kernel: Kernel::new(), options: Options::ring(key(), 64).unwrap() }
    }
}

pub(crate) fn key() -> Key {
    Key::new(1234).unwrap()
}

impl Place for Simulated {
    type Memory = SysV;
    const SEATS_GO: bool = true;

    fn address(&self) -> &Options {
        &self.options
    }

    fn run<T>(&self, life: impl FnOnce() -> T) -> T {
        self.kernel.process(USER).run(life).expect("nobody kills it")
    }

    fn spawn(&self, life: impl FnOnce() + Send + 'static) -> Spawned {
        let process = self.kernel.process(USER);
        Spawned(thread::spawn(move || process.run(life).expect("nobody kills it")))
    }

    /// The segment, the seats, or both.
    fn remove(&self) {
        let which = thread_rng().gen_range(0..3);
        if which != 1 && remove_segment(key()) {
            noted("removed");
        }
        if which != 0 && remove_seats(key()) {
            noted("seats removed");
        }
    }
}
