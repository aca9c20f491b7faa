//! A program on a host, and what it says.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Writer,
    Sender,
    Middle,
    Receiver,
    Reader,
}

/// One that is there. It is killed when this is dropped.
pub(crate) struct Child {
    pub(crate) part: Part,
    process: Process,
    /// What it says on stderr.
    pub(crate) log: PathBuf,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) output: Option<ChildStdout>,
}

impl Child {
    /// Starts it; `log` is a file of its own.
    pub(crate) fn start(part: Part, mut command: Command, log: PathBuf) -> Result<Self, String> {
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        command.stdin(Stdio::piped()).stderr(file);
        command.stdout(if part == Part::Reader { Stdio::piped() } else { Stdio::null() });
        let mut process = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        Ok(Self { part, process, log, input, output })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It is not reaped yet, so the number is its own; that it has ended is no matter.
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), signal);
    }

    /// Its end, if it has ended.
    pub(crate) fn look(&mut self) -> Result<Option<ExitStatus>, String> {
        self.process.try_wait().map_err(|error| error.to_string())
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, longest: Duration) -> Result<ExitStatus, String> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.look()? {
                return Ok(status);
            }
            if begun.elapsed() > longest {
                return Err(format!("{:?} has not ended within {longest:?}: {}", self.part, self.said()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The last of what it has said.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&said[said.len().saturating_sub(2000)..]).trim().to_owned()
    }

    /// Whether it is a bridge that has met the other one.
    pub(crate) fn has_met(&self) -> bool {
        std::fs::read_to_string(&self.log).unwrap_or_default().contains(r#""event":"session""#)
    }

    /// KiB of memory that are its own at the moment.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
