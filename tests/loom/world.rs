//! Where the sides of a model meet, and what a side is there. So the source of a model stands once, and runs on both:
//!
//! | world | what keeps memory and seats | a side |
//! | --- | --- | --- |
//! | [`Channel`] | one lock, each call one step | a thread |
//! | [`Simulated`] | the shipping System V backend on the simulated kernel: an open is eight calls and more, a status check five | a process |

use crate::mortal::{self, Mortal, has_removed_now, live};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::sysv::simulated::{Fate, Kernel, Process, remove_segment};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Ring, Role, Writer};

pub(crate) trait World: Clone + 'static {
    type Address;
    /// Of a side that nobody kills.
    type Backend: Backend<Address = Self::Address>;
    /// Of one that [`live`](Self::live) kills.
    type Mortal: Backend<Address = Self::Address>;
    type Side: Side;

    /// The name of the row of `claim` here.
    fn row(claim: &str) -> String;

    /// A slot of two words.
    fn slot() -> Self;

    /// A ring of `units` of 8 bytes that is there, and whose next record comes at unit `from`.
    fn ring(units: usize, from: u64) -> Self;

    /// The same where positions are of no account: the sides make it.
    fn new_ring(units: usize, from: u64) -> Self;

    fn address(&self) -> &Self::Address;

    fn side(&self) -> Self::Side;

    /// Removes the memory, as `ipcrm` would.
    fn remove(&self);

    /// Runs a life that ends before its operation number `spared` + 1, if it gets there; whether it died.
    fn live(&self, spared: usize, life: impl FnOnce()) -> bool;

    /// Everybody has gone, the last ones in order: at most the memory stays.
    fn is_left(&self);
}

pub(crate) trait Side: Clone + 'static {
    /// What it does before its thread is started.
    fn begins<T>(&self, part: impl FnOnce() -> T) -> T;

    /// Its life, or the rest of it.
    fn lives<T>(&self, life: impl FnOnce() -> T) -> T;
}

impl World for Channel {
    type Address = Self;
    type Backend = InProc;
    type Mortal = Mortal;
    type Side = ();

    fn row(claim: &str) -> String {
        claim.to_owned()
    }

    fn slot() -> Self {
        crate::slot()
    }

    fn ring(units: usize, from: u64) -> Self {
        crate::ring::ring(units, from)
    }

    fn new_ring(units: usize, from: u64) -> Self {
        crate::ring::ring(units, from)
    }

    fn address(&self) -> &Self {
        self
    }

    fn side(&self) {}

    fn remove(&self) {
        InProc::open(self, Role::Guest).unwrap().remove().unwrap();
    }

    fn live(&self, spared: usize, life: impl FnOnce()) -> bool {
        live(spared, life)
    }

    fn is_left(&self) {}
}

impl Side for () {
    fn begins<T>(&self, part: impl FnOnce() -> T) -> T {
        part()
    }

    fn lives<T>(&self, life: impl FnOnce() -> T) -> T {
        life()
    }
}

/// A kernel, and what a side asks for there. A ring's longest record is a quarter of it.
#[derive(Clone)]
pub(crate) struct Simulated {
    kernel: Kernel,
    options: Options,
}

/// All are processes of one user, and no superuser.
const USER: u32 = 1;

fn key() -> Key {
    Key::new(1234).expect("it is not 0")
}

impl Simulated {
    fn new(options: Options) -> Self {
        Self { kernel: Kernel::new(), options }
    }

    /// Lets so many records of one unit through, from a writer and a reader that leave in order.
    fn lets_through(&self, records: u64) {
        let (writer, reader) = (self.side(), self.side());
        let mut sends = writer.begins(|| Writer::<SysV, Ring>::open(&self.options).unwrap());
        let mut receives = reader.begins(|| Reader::<SysV, Ring>::open(&self.options).unwrap());
        for _ in 0..records {
            writer.begins(|| sends.send(b"").unwrap());
            reader.begins(|| receives.recv(&mut []).unwrap());
        }
        writer.lives(|| sends.close().unwrap());
        reader.lives(|| receives.close().unwrap());
    }
}

impl World for Simulated {
    type Address = Options;
    type Backend = SysV;
    type Mortal = SysV;
    type Side = Process;

    fn row(claim: &str) -> String {
        format!("{claim}s")
    }

    fn slot() -> Self {
        Self::new(Options::slot(key()))
    }

    fn ring(units: usize, from: u64) -> Self {
        let ring = Self::new_ring(units, from);
        ring.lets_through(from);
        ring
    }

    fn new_ring(units: usize, _: u64) -> Self {
        Self::new(Options::ring(key(), 8 * units).unwrap())
    }

    fn address(&self) -> &Options {
        &self.options
    }

    fn side(&self) -> Process {
        self.kernel.process(USER)
    }

    fn remove(&self) {
        let removes = || self.side().lives(|| remove_segment(key()));
        assert!(trace::by_somebody_else(removes), "there is a segment to remove");
    }

    /// Each call on the kernel is an operation, too.
    fn live(&self, spared: usize, life: impl FnOnce()) -> bool {
        let process = self.side();
        let pid = process.pid();
        mortal::begins();
        self.kernel.judge(move |call| {
            if call.pid == pid && call.name == "shmctl(IPC_RMID)" {
                has_removed_now();
            }
            Fate::Goes
        });
        trace::doom(spared);
        let lived = process.run(life);
        let _ = trace::reprieve();
        lived.is_none()
    }

    fn is_left(&self) {
        let (segments, sets) = self.kernel.left();
        assert!(segments <= 1 && sets == 0, "{segments} segments and {sets} sets are left");
    }
}

impl Side for Process {
    fn begins<T>(&self, part: impl FnOnce() -> T) -> T {
        Self::begins(self, part)
    }

    fn lives<T>(&self, life: impl FnOnce() -> T) -> T {
        self.run(life).expect("nobody kills it")
    }
}
