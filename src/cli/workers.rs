//! Processes of this program's own: started, told what to do, listened to, ended. They
//! get requests on their input and respond on their output, one JSON object a line; see
//! `link.rs` for their side of it.

use super::exit::{Exit, Failure};
use super::signals::{Ready, Signals};
use nix::errno::Errno;
use nix::poll::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// How long a process may say nothing. No request takes more than a few seconds; a process
/// that somebody has stopped takes forever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which of the workers a process is, and what it is asked and answers.
pub(super) trait Part: Copy + PartialEq + 'static {
    type Request: Serialize + DeserializeOwned;
    type Response: Serialize + DeserializeOwned;

    /// The subcommand that they are started with.
    const SUBCOMMAND: &'static str;

    fn name(self) -> &'static str;
}

/// One process.
struct Worker<P> {
    part: P,
    child: Child,
    requests: ChildStdin,
    responses: ChildStdout,
    /// Bytes that came and make no line yet.
    come: Vec<u8>,
}

impl<P: Part> Worker<P> {
    /// `files` are the process's from here on, under the same numbers.
    fn start(part: P, files: Vec<OwnedFd>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::System, format!("the {}'s process can't be started: {error}", part.name()))
        };
        let parent = std::process::id();
        // This very program, also if its file was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("shm-handoff").arg(P::SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: async-signal-safe calls alone, between fork and exec, and no
        // memory is involved.
        unsafe {
            command.pre_exec(move || {
                // What a terminal sends to all of us is for the first of us to deal with.
                libc::signal(libc::SIGINT, libc::SIG_IGN);
                libc::signal(libc::SIGHUP, libc::SIG_IGN);
                libc::signal(libc::SIGQUIT, libc::SIG_IGN);
                Errno::result(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
                for file in &files {
                    // Not closed on exec.
                    Errno::result(libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0))?;
                }
                // It may have gone before it was asked for.
                if std::os::unix::process::parent_id() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
            });
        }
        // With the command our own copies of the files go, so that an end can be seen.
        let mut child = command.spawn().map_err(failed)?;
        let (requests, responses) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Ok(Self { part, child, requests, responses, come: Vec::new() })
    }

    fn ask(&mut self, request: &P::Request) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(request).expect("numbers and strings are always JSON");
        line.push(b'\n');
        self.requests.write_all(&line).map_err(|error| self.lost(&error))
    }

    /// A response that is here already.
    fn response(&mut self) -> Result<Option<P::Response>, Failure> {
        let Some(end) = memchr::memchr(b'\n', &self.come) else { return Ok(None) };
        let response = serde_json::from_slice(&self.come[..end]).map_err(|error| self.lost(&error))?;
        self.come.drain(..=end);
        let response: Result<P::Response, String> = response;
        response.map(Some).map_err(|why| self.lost(&why))
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let mut block = [0; 4096];
        match self.responses.read(&mut block) {
            Ok(0) => {
                let why = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(self.lost(&why))
            }
            Ok(len) => {
                self.come.extend_from_slice(&block[..len]);
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn lost(&self, why: &dyn Display) -> Failure {
        let (name, pid) = (self.part.name(), self.child.id());
        Failure::new(Exit::System, format!("the {name}'s process (pid {pid}) can't go on: {why}"))
    }
}

impl<P> Drop for Worker<P> {
    fn drop(&mut self) {
        // It may have ended; a zombie can still be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them; they are killed when this is dropped.
pub(super) struct Workers<'s, P> {
    workers: Vec<Worker<P>>,
    signals: &'s Signals,
}

impl<'s, P: Part> Workers<'s, P> {
    /// One process for each part, with the files that it is to have.
    pub(super) fn start(
        signals: &'s Signals,
        parts: impl IntoIterator<Item = (P, Vec<OwnedFd>)>,
    ) -> Result<Self, Failure> {
        let workers = parts.into_iter().map(|(part, files)| Worker::start(part, files)).collect::<Result<_, _>>()?;
        Ok(Self { workers, signals })
    }

    fn worker(&mut self, part: P) -> &mut Worker<P> {
        self.workers.iter_mut().find(|worker| worker.part == part).expect("there is one of each")
    }

    pub(super) fn ask(&mut self, part: P, request: &P::Request) -> Result<(), Failure> {
        self.worker(part).ask(request)
    }

    /// The next response of one of these.
    pub(super) fn next_response(&mut self, from: &[P]) -> Result<(P, P::Response), Failure> {
        loop {
            for part in from {
                if let Some(response) = self.worker(*part).response()? {
                    return Ok((*part, response));
                }
            }
            let chosen = |worker: &&mut Worker<P>| from.contains(&worker.part);
            let files: Vec<_> = self.workers.iter_mut().filter(chosen).map(|worker| worker.responses.as_fd()).collect();
            let ready = self.signals.wait_for_any(&files, PollFlags::POLLIN, Some(PATIENCE))?;
            let mut any = false;
            for (worker, ready) in self.workers.iter_mut().filter(chosen).zip(ready) {
                if ready == Ready::Now {
                    worker.receive()?;
                    any = true;
                }
            }
            if !any {
                let worker = self.workers.iter().find(|worker| from.contains(&worker.part)).expect("one at least");
                return Err(worker.lost(&format!("no answer for {} s (is it stopped?)", PATIENCE.as_secs())));
            }
        }
    }
}
