//! One measurement, in processes of its own, so that one that fails or hangs takes
//! nothing along.

use crate::Failure;
use crate::peer::{Entry, Place};
use crate::run::{Effort, Figures, Near};
use crate::work::Work;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What every measurement of a run has in common.
pub(crate) struct Cells {
    pub(crate) cores: [usize; 2],
    pub(crate) effort: Effort,
    dir: PathBuf,
    interrupted: Arc<AtomicBool>,
    count: u32,
}

impl Cells {
    pub(crate) fn new(cores: [usize; 2], effort: Effort) -> Result<Self, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, interrupted.clone())?;
        }
        let dir = std::env::temp_dir().join(format!("shm-handoff-peers-{}", std::process::id()));
        Ok(Self { cores, effort, dir, interrupted, count: 0 })
    }

    /// Somebody wants us to stop.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Relaxed)
    }

    /// Runs one; what the error says is why there is no figure.
    pub(crate) fn run(&mut self, entry: &Entry, work: Work, longest: Duration) -> Result<Figures, Failure> {
        // A name that the last run did not have: nothing is met that it may have left.
        self.count = (self.count + 1) % 1000;
        let place = Place::new(std::process::id() % 4000 * 1000 + self.count, self.dir.clone(), work);
        std::fs::create_dir_all(&self.dir)?;
        let order = Near { peer: entry.id.to_owned(), work, place, cores: self.cores, effort: self.effort };
        let figures = self.start(&order, longest);
        if figures.is_err() {
            (entry.clean)(&order.place);
        }
        std::fs::remove_dir_all(&self.dir)?;
        figures
    }

    fn start(&self, order: &Near, longest: Duration) -> Result<Figures, Failure> {
        let mut near = Command::new("/proc/self/exe")
            .arg("--near")
            .arg(serde_json::to_string(order)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let group = Pid::from_raw(near.id().try_into()?);
        let mut out = near.stdout.take().ok_or("no pipe")?;
        let mut errors = near.stderr.take().ok_or("no pipe")?;
        let started = Instant::now();
        let mut said = String::new();
        let waited = loop {
            let left = longest.saturating_sub(started.elapsed());
            let mut fds = [PollFd::new(out.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::try_from(left)?) {
                _ if self.interrupted() => break Err("interrupted"),
                Ok(0) => break Err("no answer in time"),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => break Ok(out.read_to_string(&mut said)?),
            }
        };
        if waited.is_err() {
            let _ = killpg(group, Signal::SIGKILL);
        }
        let status = near.wait()?;
        // Of one that failed alone the other side waits on.
        if !status.success() {
            let _ = killpg(group, Signal::SIGKILL);
        }
        let mut why = String::new();
        errors.read_to_string(&mut why)?;
        waited.map_err(|what| format!("{what}; {}", why.trim()))?;
        if !status.success() {
            return Err(why.trim().to_owned().into());
        }
        if !why.trim().is_empty() {
            writeln!(std::io::stderr(), "{}: {}", order.peer, why.trim())?;
        }
        Ok(serde_json::from_str(&said)?)
    }
}
