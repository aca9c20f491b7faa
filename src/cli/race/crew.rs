//! The processes of a race: started, told what to do, listened to, ended.

use super::SIDE;
use super::wire::{Order, Report, Who};
use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::{Ready, Signals};
use nix::errno::Errno;
use nix::poll::PollFlags;
use std::fmt::Display;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// How long a process may say nothing. No order takes a second; a process that
/// somebody has stopped takes for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// One process.
struct Member {
    who: Who,
    child: Child,
    orders: ChildStdin,
    reports: ChildStdout,
    /// Bytes that came and make no line yet.
    come: Vec<u8>,
}

impl Member {
    fn start(who: Who) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::System, format!("the {}'s process can't be started: {error}", who.name()))
        };
        let parent = std::process::id();
        // This very program, also if its file was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("shm-handoff").arg(SIDE).stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: async-signal-safe calls alone, between fork and exec, and no
        // memory is involved.
        unsafe {
            command.pre_exec(move || {
                // What a terminal sends to all of us is for the race to deal with.
                libc::signal(libc::SIGINT, libc::SIG_IGN);
                libc::signal(libc::SIGHUP, libc::SIG_IGN);
                libc::signal(libc::SIGQUIT, libc::SIG_IGN);
                Errno::result(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
                // It may have gone before it was asked for.
                if std::os::unix::process::parent_id() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
            });
        }
        let mut child = command.spawn().map_err(failed)?;
        let (orders, reports) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Ok(Self { who, child, orders, reports, come: Vec::new() })
    }

    fn order(&mut self, order: &Order) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(order).expect("numbers and strings are always JSON");
        line.push(b'\n');
        self.orders.write_all(&line).map_err(|error| self.lost(&error))
    }

    /// A report that is here already.
    fn report(&mut self) -> Result<Option<Report>, Failure> {
        let Some(end) = memchr::memchr(b'\n', &self.come) else { return Ok(None) };
        let report = serde_json::from_slice(&self.come[..end]).map_err(|error| self.lost(&error))?;
        self.come.drain(..=end);
        match report {
            Report::Failed(why) => Err(self.lost(&why)),
            report => Ok(Some(report)),
        }
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
        let (name, pid) = (self.who.name(), self.child.id());
        Failure::new(Exit::System, format!("the {name}'s process (pid {pid}) can't go on: {why}"))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended; a zombie can still be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them; they are killed when this is dropped.
pub(super) struct Crew<'s> {
    members: Vec<Member>,
    signals: &'s Signals,
}

impl<'s> Crew<'s> {
    pub(super) fn start(signals: &'s Signals) -> Result<Self, Failure> {
        let members = Who::ALL.into_iter().map(Member::start).collect::<Result<_, _>>()?;
        Ok(Self { members, signals })
    }

    fn member(&mut self, who: Who) -> &mut Member {
        self.members.iter_mut().find(|member| member.who == who).expect("there is one of each")
    }

    pub(super) fn order(&mut self, who: Who, order: &Order) -> Result<(), Failure> {
        self.member(who).order(order)
    }

    /// The next report of one of these.
    pub(super) fn hear(&mut self, from: &[Who]) -> Result<(Who, Report), Failure> {
        loop {
            for who in from {
                if let Some(report) = self.member(*who).report()? {
                    return Ok((*who, report));
                }
            }
            let chosen = |member: &&mut Member| from.contains(&member.who);
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
                let member = self.members.iter().find(|member| from.contains(&member.who)).expect("one at least");
                return Err(member.lost(&format!("no answer for {} s (is it stopped?)", PATIENCE.as_secs())));
            }
        }
    }
}
