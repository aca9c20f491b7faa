//! One session: hosts of its own, rings, bridges, a writer and a reader, and what befalls them.

mod parts;

use crate::child::{Child, Part};
use crate::ledger::Ledger;
use crate::points::Points;
use crate::role::{key, text, writer};
use crate::setting::Setting;
use crate::tally::Counts;
use crate::trouble;
use hosts::host::Host;
use hosts::wire::Wire;
use shm_handoff::backend::sysv::Segment;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How the two hosts are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// By a wire
    Direct,
    /// Through a router of zenoh's on a third host
    Router,
    /// Through one that carries the frames from one key to another, badly
    Chaos,
}

/// What a session is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) way: Way,
    pub(crate) seed: u64,
    /// Things that befall it.
    pub(crate) troubles: u64,
    /// Nobody is killed or stopped, for so long, and memory is looked at.
    pub(crate) soak: Option<Duration>,
    /// The program of the bridges.
    pub(crate) bridge: &'a Path,
    pub(crate) points: Option<&'a Points>,
    pub(crate) stop: &'a AtomicBool,
}

/// In a calm, the stream ends within so long.
const CALM: Duration = Duration::from_secs(60);
/// A program that is asked to leave leaves within so long.
const LEAVING: Duration = Duration::from_secs(20);

/// The exit code of a bridge that tells a death, or was told of one.
const PEER_GONE: i32 = 3;

/// A session.
pub(crate) struct Session<'a> {
    pub(crate) plan: Plan<'a>,
    pub(crate) random: fastrand::Rng,
    near: Host,
    far: Host,
    middle: Option<Host>,
    pub(crate) wires: Vec<Wire>,
    folder: tempfile::TempDir,
    pub(crate) children: BTreeMap<Part, Child>,
    /// Takes what the present reader tells.
    listener: Option<JoinHandle<()>>,
    ledger: Arc<Mutex<Ledger>>,
    /// What a listener has found wrong.
    wrong: Arc<Mutex<Option<String>>>,
    pub(crate) counts: Counts,
    setting: Setting,
    started: u64,
    /// The last writer is there, or was.
    is_last: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(plan: Plan<'a>) -> Result<Self, String> {
        let mut random = fastrand::Rng::with_seed(plan.seed);
        let (near, far) = (Host::new().map_err(text)?, Host::new().map_err(text)?);
        let middle = if plan.way == Way::Direct { None } else { Some(Host::new().map_err(text)?) };
        let mut lay = |device: &str, one, other| Wire::lay(device, one, other, random.u64(..)).map_err(text);
        let wires = match &middle {
            None => vec![lay("wire", (&near, "10.77.0.1"), (&far, "10.77.0.2"))?],
            Some(middle) => vec![
                lay("wire1", (&near, "10.77.1.1"), (middle, "10.77.1.254"))?,
                lay("wire2", (&far, "10.77.2.1"), (middle, "10.77.2.254"))?,
            ],
        };
        let setting = Setting::new(&plan, &mut random);
        Ok(Self {
            plan,
            near,
            far,
            middle,
            wires,
            folder: tempfile::tempdir().map_err(text)?,
            children: BTreeMap::new(),
            listener: None,
            ledger: Arc::default(),
            wrong: Arc::default(),
            counts: Counts::default(),
            setting,
            started: 0,
            is_last: false,
            random,
        })
    }

    /// Runs it. What goes wrong is told with all that is known, and its files are kept.
    pub(crate) fn run(mut self) -> Result<Counts, String> {
        let went = self.go_on().and_then(|()| self.end());
        if let Err(why) = went {
            if self.plan.stop.load(Ordering::Relaxed) {
                return Err(why);
            }
            let said: Vec<String> =
                self.children.values().map(|child| format!("  {:?}: {}", child.part, child.said())).collect();
            let Plan { way, seed, .. } = self.plan;
            let messages = self.ledger().messages;
            self.children.clear();
            let kept = std::mem::replace(&mut self.folder, tempfile::tempdir().map_err(text)?).keep();
            return Err(format!(
                "{why}\n  --way {way:?} --session {seed}; {:?}, {messages} messages came; files: {}\n{}",
                self.setting,
                kept.display(),
                said.join("\n")
            ));
        }
        Ok(std::mem::take(&mut self.counts))
    }

    fn go_on(&mut self) -> Result<(), String> {
        for part in [Part::Middle, Part::Reader, Part::Receiver, Part::Sender, Part::Writer] {
            self.start(part)?;
        }
        match self.plan.soak {
            Some(time) => trouble::soak(self, time),
            None => trouble::befall(self),
        }
    }

    /// The last writer ends the stream, and everybody leaves in order.
    fn end(&mut self) -> Result<(), String> {
        trouble::calm(self);
        let until = Instant::now() + CALM;
        self.kill(Part::Writer)?;
        self.is_last = true;
        self.start(Part::Writer)?;
        // Until the end has come, and the sender knows of it. Under `--ack received` it learns that from the reader's end.
        let mut deaths = if self.plan.soak.is_none() { self.random.u32(0..4) } else { 0 };
        while !self.ledger().ended || (!self.setting.received && self.children.contains_key(&Part::Sender)) {
            self.look()?;
            if Instant::now() > until {
                let ended = self.ledger().ended;
                return Err(format!(
                    "in a calm the stream has not ended within {CALM:?}; the reader has its end: {ended}"
                ));
            }
            if deaths > 0 && self.random.u8(..) < 8 {
                deaths -= 1;
                let part = if self.random.bool() { Part::Sender } else { Part::Receiver };
                self.kill_and_start(part)?;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Some(mut reader) = self.children.remove(&Part::Reader) {
            drop(reader.input.take());
            self.ended_well(&mut reader)?;
            self.listened()?;
        }
        let mut is_clean = true;
        for part in [Part::Sender, Part::Receiver, Part::Writer] {
            if let Some(mut child) = self.children.remove(&part) {
                is_clean &= self.ended_well(&mut child)?;
                self.counts.read(part, &child.log);
                if part == Part::Writer {
                    self.ledger().writer_over(writer::noted(&self.notes()));
                }
            }
        }
        self.ledger().close()?;
        for (name, host) in [("near", &self.near), ("far", &self.far)] {
            if is_clean && host.within(|| Segment::stat_at(key())).map_err(text)?.is_some() {
                return Err(format!("the {name} ring is left"));
            }
        }
        self.children.clear();
        for wire in &self.wires {
            let counts = wire.counts();
            for (name, count) in [
                ("packets", &counts.passed),
                ("packets lost", &counts.lost),
                ("packets cut off", &counts.cut),
                ("packets repeated", &counts.duplicated),
                ("packets held back", &counts.reordered),
            ] {
                self.counts.add(name, count.load(Ordering::Relaxed));
            }
        }
        let ledger = std::mem::take(&mut *self.ledger());
        self.counts.add("messages", ledger.messages);
        self.counts.add("told again", ledger.repeated);
        self.counts.add("streams", 1);
        Ok(())
    }

    /// Waits for the end of one that has nothing more to do; whether it came to that, and not to a failpoint.
    fn ended_well(&self, child: &mut Child) -> Result<bool, String> {
        // One that came when the sender had gone waits for another stream.
        let is_idle = child.part == Part::Receiver && !child.has_met();
        if is_idle {
            child.signal(nix::sys::signal::Signal::SIGTERM);
        }
        let status = child.wait(LEAVING)?;
        if status.success() || self.died(status) || (is_idle && status.code() == Some(128 + libc::SIGTERM)) {
            return Ok(!self.died(status));
        }
        Err(format!("a {:?} ended with {status}: {}", child.part, child.said()))
    }

    /// Whether a bridge may have come to its failpoint.
    fn died(&self, status: ExitStatus) -> bool {
        status.signal() == Some(libc::SIGKILL) && self.plan.points.is_some()
    }

    /// Whether all are well; who left in order is not there any more.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        if let Some(why) = self.wrong.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(why);
        }
        if self.plan.stop.load(Ordering::Relaxed) {
            return Err("asked to stop".into());
        }
        let parts: Vec<Part> = self.children.keys().copied().collect();
        let may_tell = self.may_tell();
        for part in parts {
            let Some(child) = self.children.get_mut(&part) else { continue };
            let Some(status) = child.look()? else { continue };
            let died = self.died(status);
            let has_told = may_tell && is_bridge(part) && status.code() == Some(PEER_GONE);
            if !(died || self.may_end(part, status)) {
                return Err(self.ended_badly(part, status));
            }
            if died {
                self.counts.add(format!("{part:?} killed"), 1);
                self.counts.add(format!("{part:?} killed at a failpoint"), 1);
            }
            self.counts.add("deaths told", u64::from(has_told));
            self.gone(part)?;
            if (died || has_told) && self.is_wanted(part) || part == Part::Writer && !self.is_last {
                self.start(part)?;
            }
        }
        Ok(())
    }

    /// Whether one may end so by itself.
    fn may_end(&self, part: Part, status: ExitStatus) -> bool {
        let at_its_end = match part {
            Part::Writer => true,
            Part::Sender | Part::Receiver => self.is_last,
            Part::Middle | Part::Reader => false,
        };
        let has_told = self.may_tell() && is_bridge(part) && status.code() == Some(PEER_GONE);
        has_told || at_its_end && status.success()
    }

    fn ended_badly(&self, part: Part, status: ExitStatus) -> String {
        let said = self.children.get(&part).map(Child::said).unwrap_or_default();
        format!("a {part:?} ended with {status}: {said}")
    }

    /// Whether a bridge may leave because somebody has died.
    fn may_tell(&self) -> bool {
        self.setting.tells && self.counts.of("Writer killed") + self.counts.of("Reader killed") > 0
    }

    fn notes(&self) -> PathBuf {
        self.folder.path().join("notes")
    }

    pub(crate) fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_bridge(part: Part) -> bool {
    matches!(part, Part::Sender | Part::Receiver)
}
