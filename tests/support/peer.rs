//! One of the binaries as a child process.

use super::{DEADLINE, QUIET, eventually, messages};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

enum Input {
    Given(Stdio),
    Bytes(Vec<u8>),
    Open,
}

/// Makes the child start as a person's shell would start it, whatever the tests
/// were started by.
pub(crate) fn as_from_a_shell(command: &mut Command) {
    // SAFETY: async-signal-safe calls alone, between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // Whoever runs the tests may have these ignored (nohup, `&`).
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
                libc::signal(signal, libc::SIG_DFL);
            }
            // A test program that is killed takes its children along.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}

/// A child to be: input is empty, output and diagnostics are captured, unless
/// something else is asked for.
pub(crate) struct Run {
    command: Command,
    input: Input,
    output: Option<Stdio>,
    held: bool,
}

impl Run {
    pub(crate) fn new(mut command: Command) -> Self {
        as_from_a_shell(&mut command);
        Self { command, input: Input::Given(Stdio::null()), output: None, held: false }
    }

    /// These bytes, then the end.
    pub(crate) fn input(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { input: Input::Bytes(bytes.into()), ..self }
    }

    pub(crate) fn input_from(self, file: impl Into<Stdio>) -> Self {
        Self { input: Input::Given(file.into()), ..self }
    }

    /// A pipe for [`Peer::type_in`].
    pub(crate) fn open_input(self) -> Self {
        Self { input: Input::Open, ..self }
    }

    pub(crate) fn output_to(self, file: impl Into<Stdio>) -> Self {
        Self { output: Some(file.into()), ..self }
    }

    /// A pipe that nobody empties: see [`Peer::take_output`].
    pub(crate) fn held_output(self) -> Self {
        Self { held: true, ..self }
    }

    /// Changes the command itself.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.command);
        self
    }

    /// By another user, of no groups: the kernel judges by the effective one, and the real one
    /// may be another. (Root alone can do that.)
    pub(crate) fn by_user(self, real: u32, effective: u32) -> Self {
        self.with(|command| {
            let check = |done: i32| if done < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) };
            // SAFETY: async-signal-safe calls alone, between fork and exec; no memory is involved.
            unsafe {
                command.pre_exec(move || {
                    check(libc::setgroups(0, std::ptr::null()))?;
                    check(libc::setresgid(real, effective, effective))?;
                    check(libc::setresuid(real, effective, effective))
                });
            }
        })
    }

    /// Starts it and waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.start().end()
    }

    pub(crate) fn start(self) -> Peer {
        let shown = format!("{:?}", self.command);
        self.try_start().unwrap_or_else(|error| panic!("{shown} can't be started: {error}"))
    }

    pub(crate) fn try_start(mut self) -> std::io::Result<Peer> {
        let shown = shorten(format!("{:?}", self.command).as_bytes());
        let (input, bytes) = match self.input {
            Input::Given(stdio) => (stdio, None),
            Input::Bytes(bytes) => (Stdio::piped(), Some(bytes)),
            Input::Open => (Stdio::piped(), None),
        };
        let output = self.output.unwrap_or_else(Stdio::piped);
        let mut child = self.command.stdin(input).stdout(output).stderr(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take();
        if let Some(bytes) = bytes {
            let mut stdin = stdin.take().expect("it is a pipe");
            // That the child ends before it has read all is its own affair.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        let stdout = child.stdout.take();
        let (held, out) =
            if self.held { (stdout, Stream::none()) } else { (None, stdout.map_or_else(Stream::none, Stream::of)) };
        let err = Stream::of(child.stderr.take().expect("it is a pipe"));
        Ok(Peer { child, shown, stdin, held, out, err, status: None })
    }
}

/// What a pipe has brought, gathered by a thread so that it never fills.
struct Stream {
    chunks: Option<Receiver<Vec<u8>>>,
    seen: Vec<u8>,
}

impl Stream {
    fn none() -> Self {
        Self { chunks: None, seen: Vec::new() }
    }

    fn of(mut from: impl Read + Send + 'static) -> Self {
        let (give, chunks) = channel();
        std::thread::spawn(move || {
            let mut block = vec![0; 64 * 1024];
            while let Ok(len @ 1..) = from.read(&mut block) {
                if give.send(block[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { chunks: Some(chunks), seen: Vec::new() }
    }

    fn look(&mut self) -> &[u8] {
        if let Some(chunks) = &self.chunks {
            self.seen.extend(chunks.try_iter().flatten());
        }
        &self.seen
    }

    /// Takes in everything up to the pipe's end.
    fn gather(&mut self) {
        let started = Instant::now();
        if let Some(chunks) = self.chunks.take() {
            while let Ok(chunk) = chunks.recv_timeout(DEADLINE.saturating_sub(started.elapsed())) {
                self.seen.extend(chunk);
            }
        }
    }

    fn rest(&mut self) -> Vec<u8> {
        self.gather();
        std::mem::take(&mut self.seen)
    }
}

/// A running child; killed when dropped.
pub(crate) struct Peer {
    child: Child,
    shown: String,
    stdin: Option<ChildStdin>,
    held: Option<ChildStdout>,
    out: Stream,
    err: Stream,
    status: Option<ExitStatus>,
}

impl Peer {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processes that it has started.
    pub(crate) fn children(&self) -> Vec<u32> {
        let file = format!("/proc/{0}/task/{0}/children", self.pid());
        let pids = std::fs::read_to_string(file).unwrap_or_default();
        pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Its end, if it has ended.
    fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().unwrap();
        }
        self.status
    }

    /// Writes to its input, which stays open.
    pub(crate) fn type_in(&mut self, text: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("started with open_input");
        stdin.write_all(text.as_ref()).and_then(|()| stdin.flush()).unwrap();
    }

    /// As [`type_in`](Self::type_in), into a program that may end meanwhile.
    pub(crate) fn type_in_vain(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.stdin.as_mut().expect("started with open_input").write_all(text.as_ref());
    }

    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// The pipe that nobody has emptied so far; dropping it closes it.
    pub(crate) fn take_output(&mut self) -> ChildStdout {
        self.held.take().expect("started with held_output")
    }

    pub(crate) fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.pid()).unwrap();
        // SAFETY: no memory is involved; the child is not reaped before its
        // status is taken, and is not signalled after.
        let done = unsafe { libc::kill(pid, signal) };
        assert_eq!(done, 0, "kill: {}", std::io::Error::last_os_error());
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) fn stop(&mut self) {
        self.signal(libc::SIGSTOP);
        self.until("stopped", |peer| peer.has_stopped());
    }

    pub(crate) fn go_on(&self) {
        self.signal(libc::SIGCONT);
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.proc_status("State:").starts_with('T')
    }

    /// Whether it waits in a system call (its one thread).
    pub(crate) fn waits(&self) -> bool {
        self.proc_status("State:").starts_with('S')
    }

    /// The most memory it has had, in KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        self.proc_status("VmHWM:").trim_end_matches(" kB").parse().unwrap()
    }

    fn proc_status(&self, field: &str) -> String {
        let status = std::fs::read(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        // The name in it need not be UTF-8.
        String::from_utf8_lossy(&status)
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// Waits until `done`; it must not end before.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) -> Duration {
        let started = Instant::now();
        while !done(self) {
            let late = started.elapsed() > DEADLINE;
            if late || self.status().is_some() {
                // It may have come with the end: what it wrote last can still be in the pipe.
                if !late {
                    self.out.gather();
                    self.err.gather();
                    if done(self) {
                        break;
                    }
                }
                self.fail(&format!("did not come to: {what}"));
            }
            sleep(Duration::from_millis(1));
        }
        started.elapsed()
    }

    /// Its output so far.
    pub(crate) fn printed(&mut self) -> &[u8] {
        self.out.look()
    }

    /// Its diagnostics so far.
    pub(crate) fn said(&mut self) -> String {
        String::from_utf8_lossy(self.err.look()).into_owned()
    }

    /// Waits until its output is this so far.
    pub(crate) fn until_prints(&mut self, text: impl AsRef<[u8]>) -> Duration {
        let text = text.as_ref();
        self.until(&format!("stdout {:?}", String::from_utf8_lossy(text)), |peer| peer.out.look() == text)
    }

    /// Waits until its diagnostics hold this.
    pub(crate) fn until_says(&mut self, text: &str) -> Duration {
        self.until(&format!("stderr with {text:?}"), |peer| peer.said().contains(text))
    }

    /// It goes on for a while, and prints nothing but `so_far`.
    pub(crate) fn stays(&mut self, so_far: impl AsRef<[u8]>) {
        let started = Instant::now();
        while started.elapsed() < QUIET {
            if self.status().is_some() {
                self.fail("ended, and should have stayed");
            }
            sleep(Duration::from_millis(5));
        }
        if self.out.look() != so_far.as_ref() {
            self.fail(&format!("should have printed {:?} alone", String::from_utf8_lossy(so_far.as_ref())));
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.status().is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.end_while(|peer| peer.out.look().len())
    }

    /// Waits for its end, as long as this number grows: what is much takes its time on a busy
    /// machine.
    pub(crate) fn end_while<T: PartialEq>(mut self, mut progress: impl FnMut(&mut Self) -> T) -> Ended {
        let started = Instant::now();
        let (mut since, mut so_far) = (started, progress(&mut self));
        let status = loop {
            let now = progress(&mut self);
            if now != so_far {
                (since, so_far) = (Instant::now(), now);
            }
            match self.status() {
                Some(status) => break status,
                None if since.elapsed() > DEADLINE => self.fail("did not end"),
                None => sleep(Duration::from_millis(1)),
            }
        };
        let took = started.elapsed();
        Ended {
            command: self.shown.clone(),
            status,
            stdout: self.out.rest(),
            stderr: String::from_utf8_lossy(&self.err.rest()).into_owned(),
            took,
        }
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(self) -> Ended {
        self.signal(libc::SIGKILL);
        let ended = self.end();
        assert_eq!(ended.status.signal(), Some(libc::SIGKILL), "{ended}");
        ended
    }

    /// SIGKILL, if it has not ended yet; whether it had ended well.
    pub(crate) fn kill_or_end(self) -> bool {
        self.signal(libc::SIGKILL);
        self.end().status.success()
    }

    fn fail(&mut self, why: &str) -> ! {
        let status = self.status().map_or_else(|| "still running".to_owned(), |status| status.to_string());
        let (stdout, stderr) = (shorten(self.out.look()), shorten(self.err.look()));
        panic!("{why}\ncommand: {}\nstatus: {status}\nstdout: {stdout}\nstderr: {stderr}", self.shown);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended; a zombie can still be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a child ended.
pub(crate) struct Ended {
    command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// From the moment from which its end was waited for.
    pub(crate) took: Duration,
}

impl Ended {
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "wrong exit status\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(&self, text: impl AsRef<[u8]>) -> &Self {
        let text = text.as_ref();
        assert!(self.stdout == text, "stdout should be {}\n{self}", shorten(text));
        self
    }

    /// A C reader's messages are these, and it ended as it should.
    #[track_caller]
    pub(crate) fn got(&self, text: &str) -> &Self {
        self.code(0);
        assert!(messages(&self.stdout) == text, "messages should be {text:?}\n{self}");
        self
    }

    /// Each of these is in its diagnostics.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) -> &Self {
        for text in texts {
            // A key is random, and a pid anybody's: either may have these digits anywhere.
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(!digits, "{text:?} may be a part of the key or of a pid: say what it counts\n{self}");
            assert!(self.stderr.contains(text), "stderr should have {text:?}\n{self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn says_nothing(&self) -> &Self {
        assert!(self.stderr.is_empty(), "stderr should be empty\n{self}");
        self
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, status, stdout, stderr, .. } = self;
        write!(f, "command: {command}\nstatus: {status}\nstdout: {}\nstderr: {stderr}", shorten(stdout))
    }
}

fn shorten(bytes: &[u8]) -> String {
    const MOST: usize = 400;
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]);
    if bytes.len() > MOST { format!("{shown:?}... ({} bytes)", bytes.len()) } else { format!("{shown:?}") }
}

/// Waits until none of these processes is there.
pub(crate) fn assert_gone(pids: &[u32]) {
    for pid in pids {
        eventually(&format!("process {pid} is gone"), || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
    }
}
