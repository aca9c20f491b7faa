//! A child of the crash test, and what is in store for it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long one that stops at a point stays there, at most.
const A_LITTLE: Duration = Duration::from_millis(30);

/// Who has not come to its point by then is killed wherever it is.
const LONG_ENOUGH: Duration = Duration::from_millis(150);

/// What is in store for a child.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// To end as it likes.
    Nothing,
    /// To be killed after this long.
    Killed(Duration),
    /// To be stopped again and again, for so long each time.
    Stopped(Duration),
    /// To die at a point of its own.
    Point {
        /// Its name.
        name: String,
        /// At which passage.
        passage: u64,
        /// It is only stopped there, and goes on a little later.
        stops: bool,
    },
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    /// The point at which it died.
    pub(crate) at: Option<String>,
    /// What it said.
    pub(crate) said: String,
    /// Messages that were sent.
    pub(crate) sent: u64,
}

impl End {
    pub(crate) fn was_killed(&self) -> bool {
        self.status.signal() == Some(libc::SIGKILL)
    }
}

/// A process, and the files that tell of it.
pub(crate) struct Mortal {
    child: Child,
    fate: Fate,
    folder: PathBuf,
    started: Instant,
    stopped: Option<Instant>,
}

impl Mortal {
    /// Starts `command`, whose files are to be in `folder`, which it has for itself.
    pub(crate) fn start(mut command: Command, fate: Fate, lists: bool, folder: PathBuf) -> Result<Self, String> {
        let io = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir(&folder).map_err(io)?;
        command.stderr(File::create(folder.join("stderr")).map_err(io)?).env("CRASH_SENT", folder.join("sent"));
        if lists {
            command.env("CRASH_LIST", folder.join("points"));
        }
        if let Fate::Point { name, passage, stops } = &fate {
            command.env("CRASH_POINT", name).env("CRASH_PASSAGE", passage.to_string());
            command.env("CRASH_DIED_AT", folder.join("died-at"));
            command.env("CRASH_SIGNAL", (if *stops { libc::SIGSTOP } else { libc::SIGKILL }).to_string());
        }
        // SAFETY: async-signal-safe, between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Self { child, fate, folder, started: Instant::now(), stopped: None })
    }

    fn signal(&self, signal: Signal) {
        // It is not reaped yet, so the number is its own; that it has ended is no matter.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
    }

    /// Does what is in store for it, as far as time goes; its end, if it has ended.
    pub(crate) fn look(&mut self) -> Result<Option<End>, String> {
        match self.fate {
            Fate::Killed(after) if self.started.elapsed() >= after => self.signal(Signal::SIGKILL),
            // (Nothing to one that is not stopped.)
            Fate::Point { stops: true, .. } if self.stopped.get_or_insert_with(Instant::now).elapsed() >= A_LITTLE => {
                self.signal(Signal::SIGCONT);
                self.stopped = None;
            }
            // It did not come to its point.
            Fate::Point { stops: false, .. } if self.started.elapsed() >= LONG_ENOUGH => self.signal(Signal::SIGKILL),
            Fate::Stopped(pause) => match self.stopped {
                Some(since) if since.elapsed() >= pause => {
                    self.signal(Signal::SIGCONT);
                    self.stopped = None;
                    self.started = Instant::now();
                }
                None if self.started.elapsed() >= pause => {
                    self.signal(Signal::SIGSTOP);
                    self.stopped = Some(Instant::now());
                }
                _ => {}
            },
            _ => {}
        }
        let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? else { return Ok(None) };
        Ok(Some(End {
            status,
            at: std::fs::read_to_string(self.folder.join("died-at")).ok().map(|at| at.trim().to_owned()),
            said: self.said(),
            sent: std::fs::read(self.folder.join("sent"))
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, u64::from_ne_bytes),
        }))
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.folder.join("stderr")).unwrap_or_default()
    }

    /// The points that it has passed.
    pub(crate) fn points(&self) -> Vec<String> {
        let list = std::fs::read_to_string(self.folder.join("points")).unwrap_or_default();
        list.lines().map(str::to_owned).collect()
    }

    /// Kills it now.
    pub(crate) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// The passage at which it is to die.
    pub(crate) fn passage(&self) -> Option<u64> {
        if let Fate::Point { passage, stops: false, .. } = self.fate { Some(passage) } else { None }
    }

    pub(crate) fn fate(&self) -> &Fate {
        &self.fate
    }

    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// As an input or output of a child.
pub(crate) fn stdio(file: std::os::fd::OwnedFd) -> Stdio {
    file.into()
}
