//! The C peers of `tests/c`, which do what the tutorial's pair does: compiled
//! here with the system's C compiler, at one of two paces.
//!
//! *Quick* ones sleep a millisecond where the tutorial's sleep a second. Those
//! *in steps* stop there, and a second has passed for one when the test
//! [says so](Peer::second): so what the tutorial takes is counted in seconds
//! and costs none, and "forever" can be a hundred of them.

use super::{Channel, Peer, Run, eventually};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What the C reader prints before each message.
const LABEL: &str = "You wrote: ";

/// What a C peer in steps prints when it falls asleep. It comes the same way as
/// its messages: who has seen it has seen all that was printed before.
const ASLEEP: &str = "<asleep>\n";

/// A quick C peer's sleep.
const PAUSE_US: u32 = 1000;

/// The directory with the compiled C peers.
static PEERS: LazyLock<PathBuf> = LazyLock::new(|| {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-peers");
    std::fs::create_dir_all(&out).expect("the target directory can be written to");
    for peer in ["reader", "writer"] {
        compile(peer, &format!("-DPAUSE_US={PAUSE_US}"), &out.join(peer));
        compile(peer, "-DIN_STEPS", &out.join(format!("{peer}-in-steps")));
    }
    out
});

fn compile(peer: &str, pace: &str, to: &Path) {
    compile_with(peer, &[pace], to);
}

fn compile_with(peer: &str, options: &[&str], to: &Path) {
    compile_c(&format!("{peer}.c"), options, to);
}

/// Compiles a C program of `tests/c`.
pub(crate) fn compile_c(source: &str, options: &[&str], to: &Path) {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let options = [&["-std=c11"], options].concat();
    compile_by(&compiler, source, &options, to).unwrap_or_else(|error| {
        panic!(
            "these tests need a C compiler, and `{compiler}` does not start: {error} \
             (Debian: apt install gcc libc6-dev; or name one in CC)"
        )
    });
}

/// Compiles a program of `tests/c`. An error: there is no such compiler.
pub(crate) fn compile_by(compiler: &str, source: &str, options: &[&str], to: &Path) -> std::io::Result<()> {
    // By a name of our own: a run beside this one may be executing it.
    let fresh = to.with_extension(std::process::id().to_string());
    let output = Command::new(compiler)
        .args(["-O2", "-Wall", "-Wextra"])
        .args(options)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(source))
        .arg("-o")
        .arg(&fresh)
        .output()?;
    assert!(
        output.status.success(),
        "`{compiler}` can't compile tests/c/{source}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::rename(&fresh, to).expect("within one directory");
    Ok(())
}

/// `tests/c/odd.c`, to be preloaded.
static ODD: LazyLock<PathBuf> = LazyLock::new(|| {
    let odd = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd.so");
    compile_with("odd", &["-shared", "-fPIC"], &odd);
    odd
});

impl Run {
    /// Its `read`s of the input and its `write`s to the output do what these words say, one
    /// after the other: a number is how many bytes go at most, `AGAIN`, `INTR`, `RESET` and
    /// `NOSPC` are errors.
    pub(crate) fn odd(self, reads: &str, writes: &str) -> Self {
        self.with(|command| {
            command.env("LD_PRELOAD", &*ODD).env("ODD_READ", reads).env("ODD_WRITE", writes);
        })
    }
}

/// Where the compiled C peer of this name is.
pub(crate) fn c_peer(name: &str) -> PathBuf {
    PEERS.join(name)
}

impl Channel {
    /// A quick C reader, not started yet.
    pub(crate) fn c_reader(&self) -> Run {
        self.c_program(&c_peer("reader"))
    }

    /// A quick C writer, not started yet.
    pub(crate) fn c_writer(&self) -> Run {
        self.c_program(&c_peer("writer"))
    }

    /// Starts a C reader in steps and waits until it sleeps for the first time:
    /// it has wiped the flag, and found nothing.
    pub(crate) fn c_reader_in_steps(&self) -> Peer {
        let mut reader = self.c_program(&c_peer("reader-in-steps")).start();
        reader.until_asleep(1);
        reader
    }

    /// Starts a C writer in steps and waits until it sleeps for the first time:
    /// the first line of `input` is in the slot.
    pub(crate) fn c_writer_in_steps(&self, input: &str) -> Peer {
        let mut writer = self.c_program(&c_peer("writer-in-steps")).input(input).start();
        writer.until_asleep(1);
        writer
    }

    /// A program that takes the key as its one argument, as the C peers do.
    pub(crate) fn c_program(&self, program: &Path) -> Run {
        let mut command = Command::new(program);
        command.arg(self.key().number().to_string());
        Run::new(command)
    }

    /// Waits until `count` are attached.
    pub(crate) fn await_attached(&self, count: usize) {
        eventually(&format!("{count} attached"), || (self.attached() == count).then_some(()));
    }
}

impl Peer {
    fn sleeps(&mut self) -> usize {
        String::from_utf8_lossy(self.printed()).matches(ASLEEP).count()
    }

    pub(crate) fn until_asleep(&mut self, sleeps: usize) {
        self.until("asleep", |peer| peer.sleeps() == sleeps && peer.has_stopped());
    }

    /// For a C peer in steps, which is asleep: a second passes. It sleeps again,
    /// or has ended; whether it sleeps.
    pub(crate) fn second(&mut self) -> bool {
        let before = self.sleeps();
        self.go_on();
        eventually("a C peer that sleeps or has ended", || {
            (self.has_ended() || self.sleeps() > before && self.has_stopped()).then_some(())
        });
        !self.has_ended()
    }

    /// One second after the other passes, until it has ended.
    pub(crate) fn pass_the_time(&mut self) {
        eventually("the end of a C peer", || (!self.second()).then_some(()));
    }

    /// What a C reader has printed so far, without what it puts around it.
    pub(crate) fn messages(&mut self) -> String {
        messages(self.printed())
    }

    /// Waits until the messages that a C reader has printed are these.
    pub(crate) fn until_gets(&mut self, text: &str) {
        self.until(&format!("messages {text:?}"), |peer| peer.messages() == text);
    }
}

/// What a C reader printed, without its first line, its labels and its sleeps.
pub(crate) fn messages(stdout: &[u8]) -> String {
    let printed = String::from_utf8_lossy(stdout);
    printed.split_once('\n').map_or("", |(_, rest)| rest).replace(LABEL, "").replace(ASLEEP, "")
}
