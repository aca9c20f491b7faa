//! What the tests of the real binaries share: a private key that is cleared
//! whatever happens, children that are killed whatever happens, waits for
//! events under one generous deadline, and failures that say what was run.

#![allow(dead_code, unused_imports)] // each test program uses a part of it

mod apart;
mod c_peers;
pub(crate) mod ipc;
mod peer;
pub(crate) mod seccomp;

pub(crate) use apart::Apart;
pub(crate) use c_peers::{c_peer, compile_by, compile_c, messages};
pub(crate) use peer::{Ended, Peer, Run, as_from_a_shell, assert_gone};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use shm_handoff::Role;
use shm_handoff::backend::sysv::{Key, Segment, Stat};
use std::ffi::OsStr;
use std::io::{PipeWriter, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long an event may take before it counts as not happening. No speed is
/// tested: the machine may be busy, and what takes 3 s on an idle one (`race`) took
/// more than 20 s beside eight busy loops.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How long something that must *not* happen is waited for.
pub(crate) const QUIET: Duration = Duration::from_millis(300);

pub(crate) const SHMREAD: &str = env!("CARGO_BIN_EXE_shmread");
pub(crate) const SHMWRITE: &str = env!("CARGO_BIN_EXE_shmwrite");
pub(crate) const SHM_HANDOFF: &str = env!("CARGO_BIN_EXE_shm-handoff");

/// A key of this test's own. Declare it before the peers: they are killed
/// first, then segment and semaphore set are removed.
pub(crate) struct Channel {
    key: Key,
}

impl Channel {
    /// At a random key where nothing is.
    pub(crate) fn new() -> Self {
        loop {
            let mut random = [0; 4];
            std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
            let Ok(key) = Key::new(u32::from_le_bytes(random)) else { continue };
            if Segment::stat_at(key).unwrap().is_none() && ipc::find_set(key.seats()).is_none() {
                return Self { key };
            }
        }
    }

    /// At this key, which is cleared all the same.
    pub(crate) fn at(key: Key) -> Self {
        Self { key }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// `shmread -k KEY ARGS`, not started yet.
    pub(crate) fn reader<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        Run::new(self.command(SHMREAD.as_ref(), args))
    }

    /// `shmwrite -k KEY ARGS`, not started yet.
    pub(crate) fn writer<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        Run::new(self.command(SHMWRITE.as_ref(), args))
    }

    /// Any program that takes `-k KEY ARGS`.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, program: &Path, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(program);
        command.arg("-k").arg(self.key.number().to_string()).args(args);
        command
    }

    /// Starts a plain reader and waits until it is seated.
    pub(crate) fn seated_reader(&self, args: &[&str]) -> Peer {
        let mut reader = self.reader(args).start();
        self.await_seated(Role::Reader, &mut reader);
        reader
    }

    /// Starts a writer whose input stays open, and waits until it is seated.
    pub(crate) fn seated_writer(&self, args: &[&str]) -> Peer {
        let mut writer = self.writer(args).open_input().start();
        self.await_seated(Role::Writer, &mut writer);
        writer
    }

    /// Waits until `peer` has the seat and is attached, and nobody holds the lock under
    /// which segments are made: a peer that is stopped would keep it. A writer has also noted that it
    /// was seated: one that dies between the two is no writer that failed.
    pub(crate) fn await_seated(&self, role: Role, peer: &mut Peer) {
        let says =
            |number, value| ipc::find_set(self.key.seats()).is_some_and(|set| ipc::value(set, number) == Some(value));
        let is_noted = || role == Role::Reader || says(4, 1);
        peer.until("seated and attached", |_| self.is_seated(role) && is_noted() && self.attached() > 0 && says(1, 0));
    }

    pub(crate) fn is_seated(&self, role: Role) -> bool {
        let number = if role == Role::Writer { 2 } else { 3 };
        ipc::find_set(self.key.seats()).is_some_and(|set| ipc::value(set, number) == Some(1))
    }

    pub(crate) fn stat(&self) -> Option<Stat> {
        Segment::stat_at(self.key).unwrap()
    }

    pub(crate) fn attached(&self) -> usize {
        self.stat().map_or(0, |stat| stat.attached)
    }

    /// Whether a message lies in the slot.
    pub(crate) fn is_full(&self) -> bool {
        Segment::open(self.key).is_ok_and(|segment| segment.word(0).load(Ordering::Acquire) != 0)
    }

    /// Waits until the writer has published.
    pub(crate) fn await_full(&self, writer: &mut Peer) {
        writer.until("a message in the slot", |_| self.is_full());
    }

    /// Waits until the reader has released what it printed.
    pub(crate) fn await_empty(&self, reader: &mut Peer) {
        reader.until("a slot that is free again", |_| !self.is_full());
    }

    /// Removes the segment, as `ipcrm -M` does.
    pub(crate) fn remove_segment(&self) {
        ipc::remove_segment(self.key.number());
    }

    /// Removes the semaphore set, as `ipcrm -S` does.
    pub(crate) fn remove_seats(&self) {
        ipc::remove_set(self.key.seats());
    }

    /// Neither segment nor semaphore set is there.
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.stat(), None, "the segment at {} is left behind", self.key);
        self.assert_no_seats();
    }

    /// No semaphore set is left, once nobody looks: the last side to leave leaves it to a tool of another test that looks at
    /// all channels just then, which removes it a moment later.
    pub(crate) fn assert_no_seats(&self) {
        let what = format!("the semaphore set of {} is gone", self.key);
        eventually(&what, || ipc::find_set(self.key.seats()).is_none().then_some(()));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.remove_segment();
        self.remove_seats();
    }
}

/// Runs `peek` until it says something, for [`DEADLINE`] at most.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How often to try what goes wrong rarely; `ROUNDS` in the environment says otherwise.
pub(crate) fn rounds(ordinarily: u32) -> u32 {
    std::env::var("ROUNDS").map_or(ordinarily, |text| text.parse().expect("ROUNDS is a number"))
}

/// These numbers, a line each.
pub(crate) fn numbers(range: std::ops::Range<u32>) -> String {
    range.fold(String::new(), |text, number| text + &number.to_string() + "\n")
}

/// Whether a pipe has room.
pub(crate) fn is_writable(pipe: &PipeWriter) -> bool {
    let mut files = [PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)];
    poll(&mut files, PollTimeout::ZERO).unwrap() > 0
}

/// Says that a test, or a part of it, can't be done here.
pub(crate) fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A folder with copies of these programs, where every user can run them.
pub(crate) fn for_everybody(programs: &[&Path]) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let all = || std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(all()).tempdir().unwrap();
    // Not by ourselves: a child that another test starts meanwhile would have
    // the copy open for writing for a moment, and nobody could run it.
    let done = Command::new("cp").args(programs).arg(folder.path()).status().unwrap();
    assert!(done.success(), "cp: {done}");
    for program in programs {
        std::fs::set_permissions(folder.path().join(program.file_name().unwrap()), all()).unwrap();
    }
    folder
}
