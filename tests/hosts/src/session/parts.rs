//! The programs of a session: how each one is started, and how it is ended.

use super::{LEAVING, PEER_GONE, Session, Way, is_bridge};
use crate::child::{Child, Part};
use crate::intent;
use crate::ledger::Ledger;
use crate::role::reader::{SIZE, Told};
use crate::role::{key, text, writer};
use hosts::host::Host;
use shm_handoff::backend::sysv::Segment;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdout, Command};
use std::sync::{Arc, Mutex, PoisonError};

impl Session<'_> {
    /// Kills one, if it is there.
    pub(crate) fn kill(&mut self, part: Part) -> Result<(), String> {
        let Some(child) = self.children.get_mut(&part) else { return Ok(()) };
        child.signal(nix::sys::signal::Signal::SIGKILL);
        let status = child.wait(LEAVING)?;
        if status.signal() == Some(libc::SIGKILL) {
            self.counts.add(format!("{part:?} killed"), 1);
        } else if !self.may_end(part, status) {
            // It had ended before.
            return Err(self.ended_badly(part, status));
        }
        self.gone(part)
    }

    /// Asks a bridge to leave.
    pub(crate) fn ask_to_leave(&mut self, part: Part) -> Result<(), String> {
        let may_tell = self.may_tell();
        let Some(child) = self.children.get_mut(&part) else { return Ok(()) };
        child.signal(nix::sys::signal::Signal::SIGTERM);
        let status = child.wait(LEAVING)?;
        let has_told = may_tell && status.code() == Some(PEER_GONE);
        // (It may not listen to signals yet, or come to its failpoint.)
        let is_cut_short = status.signal() == Some(libc::SIGTERM) || self.died(status);
        if status.code() != Some(128 + libc::SIGTERM) && !is_cut_short && !has_told {
            return Err(self.ended_badly(part, status));
        }
        self.counts.add(format!("{part:?} left"), 1);
        self.gone(part)
    }

    pub(crate) fn kill_and_start(&mut self, part: Part) -> Result<(), String> {
        let was_there = self.children.contains_key(&part);
        self.kill(part)?;
        if was_there && self.is_wanted(part) { self.start(part) } else { Ok(()) }
    }

    /// A bridge whose work was done when it died would begin another stream.
    pub(super) fn is_wanted(&self, part: Part) -> bool {
        let is_there = |host: &Host| !matches!(host.within(|| Segment::stat_at(key())), Ok(None));
        match part {
            Part::Sender => !self.is_last || is_there(&self.near),
            Part::Receiver => !self.is_last || self.children.contains_key(&Part::Sender),
            _ => true,
        }
    }

    /// One has ended, however.
    pub(super) fn gone(&mut self, part: Part) -> Result<(), String> {
        let Some(child) = self.children.remove(&part) else { return Ok(()) };
        match part {
            Part::Writer => {
                self.ledger().writer_over(writer::noted(&self.notes()));
                // Of one that is killed at its very start the next one's notes would be those of this one.
                let _ = std::fs::remove_file(self.notes());
            }
            Part::Reader => self.listened()?,
            Part::Receiver => {
                let (far, capacity) = (&self.far, self.setting.capacities[1]);
                self.counts.add(far.within(|| intent::look(key(), capacity)), 1);
                self.counts.read(part, &child.log);
            }
            Part::Sender => self.counts.read(part, &child.log),
            Part::Middle => {}
        }
        if let Some(points) = self.plan.points {
            points.learn(part, &child.log);
        }
        std::fs::remove_file(&child.log).map_err(text)
    }

    /// Everything that the last reader told was taken in.
    pub(super) fn listened(&mut self) -> Result<(), String> {
        if let Some(listener) = self.listener.take() {
            listener.join().map_err(|_| "a listener has panicked".to_owned())?;
        }
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    pub(crate) fn start(&mut self, part: Part) -> Result<(), String> {
        self.started += 1;
        let log = self.folder.path().join(format!("{part:?}-{}", self.started));
        let Some(mut command) = self.command(part)? else { return Ok(()) };
        if let (Some(points), Part::Sender | Part::Receiver) = (self.plan.points, part) {
            points.choose(part, &mut command, &log, &mut self.random);
        }
        let mut child = Child::start(part, command, log)?;
        if let Some(output) = child.output.take() {
            self.ledger().reader();
            let (ledger, wrong) = (Arc::clone(&self.ledger), Arc::clone(&self.wrong));
            self.listener = Some(std::thread::spawn(move || {
                if let Err(why) = listen(output, &ledger) {
                    wrong.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                }
            }));
        }
        self.children.insert(part, child);
        Ok(())
    }

    fn command(&mut self, part: Part) -> Result<Option<Command>, String> {
        let (own, pause) = (std::env::current_exe().map_err(text)?, self.pause());
        let (host, role) = match part {
            Part::Writer => (&self.near, "writer"),
            Part::Sender => (&self.near, "send"),
            Part::Receiver => (&self.far, "receive"),
            Part::Reader => (&self.far, "reader"),
            Part::Middle => match &self.middle {
                Some(middle) => (middle, "middle"),
                None => return Ok(None),
            },
        };
        let mut command = host.command(if is_bridge(part) { self.plan.bridge } else { &own });
        command.arg(role);
        let [near, far] = self.setting.capacities.map(|capacity| capacity.to_string());
        match part {
            Part::Writer => {
                let number = self.ledger().writer();
                let count = match (self.is_last, self.plan.soak) {
                    (true, _) => 100,
                    (_, Some(_)) => u64::MAX,
                    _ => 1 << self.random.u32(4..16),
                };
                command.args(["--capacity", &near, "--number", &number.to_string(), "--count", &count.to_string()]);
                command.args(["--pause", &pause]).arg("--notes").arg(self.notes());
                if self.is_last {
                    command.arg("--ends");
                }
            }
            Part::Reader => {
                let seed = self.random.u64(..).to_string();
                command.args(["--capacity", &far, "--seed", &seed, "--pause", &pause]);
            }
            Part::Middle => {
                for address in ["10.77.1.254", "10.77.2.254"] {
                    command.args(["--listen", &format!("tcp/{address}:7447")]);
                }
                if self.plan.way == Way::Chaos {
                    command.args(["--chaos", &self.random.u64(..).to_string()]);
                }
            }
            Part::Sender | Part::Receiver => self.setting.bridge(part, &mut command),
        }
        Ok(Some(command))
    }

    /// Microseconds, mostly none.
    fn pause(&mut self) -> String {
        let pause = if self.plan.soak.is_none() && self.random.bool() { 1 << self.random.u32(4..14) } else { 0 };
        pause.to_string()
    }
}

/// Takes what a reader tells, until it has ended.
fn listen(mut output: ChildStdout, ledger: &Mutex<Ledger>) -> Result<(), String> {
    let (mut bytes, mut from) = (vec![0; 128 * SIZE], 0);
    loop {
        let len = output.read(&mut bytes[from..]).map_err(text)?;
        if len == 0 {
            return if from == 0 { Ok(()) } else { Err("a reader has told half a message".into()) };
        }
        let whole = (from + len) / SIZE * SIZE;
        let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        for one in bytes[..whole].chunks_exact(SIZE) {
            ledger.told(Told::decode(one.try_into().expect("chunks of that size")))?;
        }
        drop(ledger);
        bytes.copy_within(whole..from + len, 0);
        from = from + len - whole;
    }
}
