//! Processes of this program's own: started, told what to do, listened to, ended. They
//! get orders on their input and report on their output, one JSON object a line; see
//! [`link`](super::link) for their side of it.

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

/// How long a process may say nothing. No order takes more than a few seconds; a process
/// that somebody has stopped takes for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// The processes of a crew, and what they are told and say.
pub(super) trait Part: Copy + PartialEq + 'static {
    type Order: Serialize + DeserializeOwned;
    type Report: Serialize + DeserializeOwned;

    /// The subcommand that they are started with.
    const SUBCOMMAND: &'static str;

    fn name(self) -> &'static str;
}

/// One process.
struct Member<P> {
    part: P,
    child: Child,
    orders: ChildStdin,
    reports: ChildStdout,
    /// Bytes that came and make no line yet.
    come: Vec<u8>,
}

impl<P: Part> Member<P> {
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
        let (orders, reports) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Ok(Self { part, child, orders, reports, come: Vec::new() })
    }

    fn order(&mut self, order: &P::Order) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(order).expect("numbers and strings are always JSON");
        line.push(b'\n');
        self.orders.write_all(&line).map_err(|error| self.lost(&error))
    }

    /// A report that is here already.
    fn report(&mut self) -> Result<Option<P::Report>, Failure> {
        let Some(end) = memchr::memchr(b'\n', &self.come) else { return Ok(None) };
        let report = serde_json::from_slice(&self.come[..end]).map_err(|error| self.lost(&error))?;
        self.come.drain(..=end);
        let report: Result<P::Report, String> = report;
        report.map(Some).map_err(|why| self.lost(&why))
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let mut block = [0; 4096];
        match self.reports.read(&mut block) {
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

impl<P> Drop for Member<P> {
    fn drop(&mut self) {
        // It may have ended; a zombie can still be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them; they are killed when this is dropped.
pub(super) struct Crew<'s, P> {
    members: Vec<Member<P>>,
    signals: &'s Signals,
}

impl<'s, P: Part> Crew<'s, P> {
    /// One process for each part, with the files that it is to have.
    pub(super) fn start(
        signals: &'s Signals,
        parts: impl IntoIterator<Item = (P, Vec<OwnedFd>)>,
    ) -> Result<Self, Failure> {
        let members = parts.into_iter().map(|(part, files)| Member::start(part, files)).collect::<Result<_, _>>()?;
        Ok(Self { members, signals })
    }

    fn member(&mut self, part: P) -> &mut Member<P> {
        self.members.iter_mut().find(|member| member.part == part).expect("there is one of each")
    }

    pub(super) fn order(&mut self, part: P, order: &P::Order) -> Result<(), Failure> {
        self.member(part).order(order)
    }

    /// The next report of one of these.
    pub(super) fn hear(&mut self, from: &[P]) -> Result<(P, P::Report), Failure> {
        loop {
            for part in from {
                if let Some(report) = self.member(*part).report()? {
                    return Ok((*part, report));
                }
            }
            let chosen = |member: &&mut Member<P>| from.contains(&member.part);
            let files: Vec<_> = self.members.iter_mut().filter(chosen).map(|member| member.reports.as_fd()).collect();
            let ready = self.signals.wait_for_any(&files, PollFlags::POLLIN, Some(PATIENCE))?;
            let mut any = false;
            for (member, ready) in self.members.iter_mut().filter(chosen).zip(ready) {
                if ready == Ready::Now {
                    member.receive()?;
                    any = true;
                }
            }
            if !any {
                let member = self.members.iter().find(|member| from.contains(&member.part)).expect("one at least");
                return Err(member.lost(&format!("no answer for {} s (is it stopped?)", PATIENCE.as_secs())));
            }
        }
    }
}
