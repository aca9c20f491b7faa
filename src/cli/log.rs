//! What `-v` says of a session, a line each: who made the segment, which peer came and went, and when.
//!
//! The endpoint looks at the peer and at the memory anyhow, where it waits and now and then where it does not. At each of
//! these looks it says here what it has seen; nothing else asks the kernel, but for the pid of the peer.

use super::exit::visible;
use super::look::Process;
use super::stdio::say;
use crate::backend::sysv::{SysV, proc};
use crate::backend::{Backend, Layout, PeerStatus};
use crate::error::Role;
use crate::protocol::endpoint::{Peer, PeerWatch, Verdict};
use std::cell::RefCell;
use std::fmt;
use std::time::{Instant, SystemTime};

std::thread_local! {
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// What is known of a session.
struct Log {
    program: &'static str,
    peer: Role,
    /// The segment's id.
    segment: i32,
    watch: PeerWatch,
    /// The peer that is there.
    met: Option<Met>,
    /// Nobody need be looked for: somebody was found, or was looked for.
    looked: bool,
}

/// A peer that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Met {
    /// `None`: it is not known. 0: of another pid namespace.
    pid: Option<u32>,
    seated: bool,
}

/// From now on `program` says what happens at this memory.
pub(super) fn begin(program: &'static str, backend: &SysV, role: Role) {
    let peer = if role == Role::Writer { Role::Reader } else { Role::Writer };
    let log = Log { program, peer, segment: backend.segment().id(), watch: PeerWatch::new(), met: None, looked: false };
    log.say(&format_args!("{}", described(backend)));
    LOG.set(Some(log));
}

/// The endpoint has looked at its peer; without a status it has moved to other memory.
pub(super) fn seen(backend: &SysV, status: Option<PeerStatus>) {
    LOG.with_borrow_mut(|log| {
        if let Some(log) = log {
            log.see(backend, status);
        }
    });
}

/// Whether a message has come from a peer that nobody has seen yet: one that does not wait looks at it seldom. It is asked
/// for once.
pub(super) fn wants_look() -> bool {
    LOG.with_borrow_mut(|log| {
        log.as_mut().is_some_and(|log| log.met.is_none() && !std::mem::replace(&mut log.looked, true))
    })
}

/// The reader has ended the session. The memory stays where it was told so, and where it is another's or another user's.
pub(super) fn ended(backend: &SysV) {
    LOG.with_borrow(|log| {
        if let Some(log) = log {
            // (A removed segment has no key any more.)
            let there = proc::segment_at(backend.segment().key().number());
            let is_removed = there.is_ok_and(|row| row.is_none_or(|row| row.id != log.segment));
            let so = if is_removed { format!("; removed segment {}", log.segment) } else { String::new() };
            log.say(&format_args!("the session has ended{so}"));
        }
    });
}

impl Log {
    fn say(&self, what: &dyn fmt::Display) {
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        say!("{now} {}[{}]: {}", self.program, std::process::id(), visible(&what.to_string()));
    }

    fn see(&mut self, backend: &SysV, status: Option<PeerStatus>) {
        let id = backend.segment().id();
        if id != self.segment {
            self.say(&format_args!("segment {} was removed; {}", self.segment, described(backend)));
            self.segment = id;
            self.watch = PeerWatch::new();
            self.looked = false;
        }
        let Some(status) = status else { return };
        let verdict = self.watch.observe(status, Instant::now());
        let is_ring = matches!(backend.layout(), Layout::Ring { .. });
        let now = match (verdict, self.watch.peer()) {
            (Verdict::Present, Peer::Ours) => Some(Met { pid: backend.peer_pid(), seated: true }),
            // The same as before: to find its pid takes a look at every process.
            (Verdict::Present, _) if self.met.is_some_and(|met| !met.seated) => self.met,
            (Verdict::Present, _) if !is_ring => Some(Met { pid: Self::guest(backend), seated: false }),
            // Somebody came and may be a tool: what was known stays.
            (Verdict::Unseen, _) if self.met.is_some_and(|met| !met.seated) && !status.is_alone() => self.met,
            _ => None,
        };
        if verdict == Verdict::Gone {
            self.watch = PeerWatch::new();
        }
        if now == self.met {
            return;
        }
        if let Some(met) = self.met.take() {
            self.say(&format_args!("{}", self.gone(met, status)));
            self.looked = false;
        }
        if let Some(met) = now {
            self.say(&format_args!("{} came: {}", self.peer, named(met)));
            self.looked = true;
        }
        self.met = now;
    }

    /// How a peer has gone, as far as the kernel tells: a seat that is given back looks the same whether its holder has left
    /// or was killed, and a writer alone says before that it leaves.
    fn gone(&self, met: Met, status: PeerStatus) -> String {
        let how = match self.peer {
            Role::Writer if met.seated && status.writer_failed => "died or failed",
            Role::Writer if met.seated => "left in order",
            _ => "left or died",
        };
        format!("{} {how}: {}", self.peer, pid(met.pid))
    }

    /// The process that has the segment attached and has no seat, if there is one such process.
    fn guest(backend: &SysV) -> Option<u32> {
        let segment = backend.segment();
        let (found, _) = proc::attached(segment.id(), segment.key().number()).ok()?;
        let mut guests = found.iter().map(|process| process.pid).filter(|pid| *pid != std::process::id());
        guests.next().filter(|_| guests.next().is_none())
    }
}

fn pid(pid: Option<u32>) -> String {
    match pid {
        Some(0) => "a process of another pid namespace".to_owned(),
        Some(pid) => format!("pid {pid}"),
        None => "pid unknown".to_owned(),
    }
}

/// A peer that has come.
fn named(met: Met) -> String {
    let command = met.pid.and_then(|pid| Process::new(pid).command);
    let command = command.map_or_else(String::new, |command| format!(" {command}"));
    let seat = if met.seated { "" } else { ", a program without a seat" };
    format!("{}{command}{seat}", pid(met.pid))
}

/// The segment, and whose it is.
fn described(backend: &SysV) -> String {
    let segment = backend.segment();
    let layout = match backend.layout() {
        Layout::Slot => "classic slot".to_owned(),
        Layout::Declared => "declared slot".to_owned(),
        Layout::Ring { capacity } => format!("ring of {capacity} bytes"),
    };
    let stat = segment.stat().ok();
    let by = match stat {
        _ if backend.has_made() => String::new(),
        Some(stat) => format!(", made by {}", pid(Some(stat.creator_pid))),
        None => String::new(),
    };
    let did = if backend.has_made() { "made" } else { "found" };
    format!("{did} segment {} at {}: {layout}{by}", segment.id(), segment.key())
}
