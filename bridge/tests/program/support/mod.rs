//! Two channels with private keys, which are cleared whatever happens, and the programs around them.

#[path = "../../../../tests/support/ipc.rs"]
#[allow(dead_code)]
mod ipc;
#[path = "../../../../tests/support/peer.rs"]
#[allow(dead_code)]
mod peer;

pub(crate) use peer::{Ended, Peer, Run};

use shm_handoff::backend::sysv::{Key, Segment};
use std::ffi::OsStr;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long an event may take before it counts as not happening.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How long something that must *not* happen is waited for.
pub(crate) const QUIET: Duration = Duration::from_millis(300);

/// Where the programs of the root package are. They are built here, for cargo builds those of this package alone.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let tests = std::env::current_exe().expect("this is a program");
    let programs = tests.ancestors().nth(2).expect("tests stand below the programs").to_owned();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--bins", "-p", "shm-handoff", "--target-dir"]);
    build.arg(programs.parent().expect("a profile stands in a target directory"));
    if programs.ends_with("release") {
        build.arg("--release");
    }
    let done = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(done.success(), "the programs can't be built: {done}");
    programs
});

/// The tutorial's C programs, at a pace of a millisecond.
static C_PEERS: LazyLock<PathBuf> = LazyLock::new(|| {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-peers");
    std::fs::create_dir_all(&out).expect("the target directory can be written to");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for peer in ["reader", "writer"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/c/{peer}.c"));
        let mut compile = Command::new(&compiler);
        compile.args(["-std=c11", "-O2", "-DPAUSE_US=1000"]).arg(source).arg("-o").arg(out.join(peer));
        let done = compile.status().expect("these tests need a C compiler (Debian: apt install gcc libc6-dev)");
        assert!(done.success(), "{compile:?}: {done}");
    }
    out
});

/// Runs `look` until it says something.
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

/// What a C reader printed, without its first line and its labels.
pub(crate) fn messages(stdout: &[u8]) -> String {
    let printed = String::from_utf8_lossy(stdout);
    printed.split_once('\n').map_or("", |(_, rest)| rest).replace("You wrote: ", "")
}

/// These numbers, a line each.
pub(crate) fn numbers(range: std::ops::Range<u32>) -> String {
    range.fold(String::new(), |text, number| text + &number.to_string() + "\n")
}

/// A key of this test's own. Declare it before the programs: they are killed first.
pub(crate) struct Channel {
    key: Key,
}

impl Channel {
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

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    pub(crate) fn number(&self) -> String {
        self.key.number().to_string()
    }

    fn run(&self, program: &Path, args: &[&str]) -> Run {
        let mut command = Command::new(program);
        command.arg("-k").arg(self.number()).args(args);
        Run::new(command)
    }

    /// `shmread`, not started yet.
    pub(crate) fn reader(&self, args: &[&str]) -> Run {
        self.run(&PROGRAMS.join("shmread"), args)
    }

    /// `shmwrite`, likewise.
    pub(crate) fn writer(&self, args: &[&str]) -> Run {
        self.run(&PROGRAMS.join("shmwrite"), args)
    }

    /// The tutorial's `reader` or `writer`, likewise.
    pub(crate) fn c_program(&self, name: &str) -> Run {
        let mut command = Command::new(C_PEERS.join(name));
        command.arg(self.number());
        Run::new(command)
    }

    /// Whether somebody of ours has the writer's (2) or the reader's (3) seat.
    pub(crate) fn is_seated(&self, seat: i32) -> bool {
        ipc::find_set(self.key.seats()).is_some_and(|set| ipc::value(set, seat) == Some(1))
    }

    /// Removes the segment, as `ipcrm -M` does.
    pub(crate) fn remove_segment(&self) {
        ipc::remove_segment(self.key.number());
    }

    pub(crate) fn is_there(&self) -> bool {
        Segment::stat_at(self.key).unwrap().is_some()
    }

    pub(crate) fn assert_nothing_left(&self) {
        assert!(!self.is_there(), "the segment at {} is left behind", self.key);
        assert!(ipc::find_set(self.key.seats()).is_none(), "the semaphore set of {} is left behind", self.key);
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.remove_segment();
        ipc::remove_set(self.key.seats());
    }
}

/// Two channels on "two hosts", a key of zenoh and a port.
pub(crate) struct Hosts {
    pub(crate) here: Channel,
    pub(crate) there: Channel,
    topic: String,
    endpoint: String,
}

impl Hosts {
    pub(crate) fn new() -> Self {
        Self::speaking("tcp")
    }

    pub(crate) fn speaking(protocol: &str) -> Self {
        let here = Channel::new();
        // Free a moment ago: a bridge that is started again listens where the one before did.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
        let (topic, endpoint) = (format!("test/{}", here.number()), format!("{protocol}/127.0.0.1:{port}"));
        Self { here, there: Channel::new(), topic, endpoint }
    }

    /// `shm-bridge send`, which listens; not started yet.
    pub(crate) fn send(&self, args: &[&str]) -> Run {
        let key = self.here.number();
        bridge(&[&["send", "-k", &key, "--to", &self.topic, "--listen", &self.endpoint], args].concat())
    }

    /// `shm-bridge receive`, which connects; likewise.
    pub(crate) fn receive(&self, args: &[&str]) -> Run {
        let key = self.there.number();
        bridge(&[&["receive", "-k", &key, "--from", &self.topic, "--connect", &self.endpoint], args].concat())
    }

    /// Both bridges, started, with these arguments.
    pub(crate) fn bridges(&self, send: &[&str], receive: &[&str]) -> (Peer, Peer) {
        (self.send(send).start(), self.receive(receive).start())
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn assert_nothing_left(&self) {
        self.here.assert_nothing_left();
        self.there.assert_nothing_left();
    }
}

/// `shm-bridge`, not started yet.
pub(crate) fn bridge(args: &[impl AsRef<OsStr>]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shm-bridge"));
    command.args(args);
    Run::new(command)
}
