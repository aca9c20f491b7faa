//! The actors of a session: its readers and writers, what they are given, and what is in store for
//! them.

use crate::child::{End, Fate, Mortal, stdio};
use crate::session::{Layout, Session, text_of};
use crate::tally::Side;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, setsockopt, socketpair, sockopt};
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Writers of a session that may die.
const WRITERS: u64 = 8;
/// Beyond this many children a session does not end by itself.
const MOST: u64 = 400;

/// The longest line, in a classic slot and in the ring of 64 KiB.
const LONGEST_TEXT: usize = 2047;
const LONGEST_RECORD: usize = 16 * 1024;
/// What goes into one packet.
const LONGEST_PACKET: usize = 4000;

/// A writer that is there.
pub(crate) struct Writer {
    pub(crate) process: Mortal,
    /// How it ended, if it has.
    pub(crate) end: Option<End>,
    pub(crate) number: usize,
    pub(crate) fed: u64,
    /// Readers that had gone when it came.
    pub(crate) departures_before: u64,
    /// It ends the session.
    pub(crate) is_last: bool,
    /// A C writer's input, which must not end, and what it prints.
    pub(crate) c: Option<(OwnedFd, PathBuf)>,
}

/// A reader that is there.
pub(crate) struct Reader {
    pub(crate) process: Mortal,
    pub(crate) output: OwnedFd,
    /// Its end, and no more output after it.
    pub(crate) end: Option<End>,
    /// Writers that had died when it came.
    pub(crate) deaths_before: u64,
}

impl Session<'_> {
    fn longest(&self) -> usize {
        match self.layout {
            Layout::Classic => LONGEST_TEXT,
            Layout::Ring if self.raw => LONGEST_PACKET,
            Layout::Ring => LONGEST_RECORD - 1,
        }
    }

    fn fate(&mut self, side: Side) -> Fate {
        if self.children > MOST {
            return Fate::Nothing;
        }
        let chance = self.random.u32(..100);
        let scale = self.random.u32(11..16);
        let shortly = Duration::from_micros(self.random.u64(1000..1 << scale));
        match chance {
            0..15 => Fate::Nothing,
            15..35 => Fate::Killed(shortly),
            35..40 => {
                self.sums.stops += 1;
                Fate::Stopped(shortly)
            }
            _ => {
                let rare = if self.children < 4 { self.tally.rare_point(side, self.random) } else { None };
                let Some((name, passage)) = rare.or_else(|| self.tally.point(side, self.random)) else {
                    return Fate::Nothing;
                };
                let stops = self.random.u8(..) < 32;
                self.sums.stops += u64::from(stops);
                Fate::Point { name, passage, stops }
            }
        }
    }

    fn start(&mut self, command: Command, fate: Fate) -> Result<Mortal, String> {
        self.children += 1;
        self.event = Instant::now();
        let lists = !matches!(fate, Fate::Point { .. }) && self.random.u8(..) < 64;
        Mortal::start(command, fate, lists, self.folder.path().join(self.children.to_string()))
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bins.join(format!("crash-{program}")));
        command.arg("-k").arg(self.key.number().to_string());
        if self.layout == Layout::Ring {
            command.arg("--ring=64K");
        }
        if self.raw {
            command.arg("--raw");
        }
        command
    }

    pub(crate) fn start_reader(&mut self) -> Result<Reader, String> {
        // One write, one packet.
        let (output, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).map_err(text_of)?;
        // So that a hesitating reader of it holds them up soon.
        setsockopt(&theirs, sockopt::SndBuf, &(16 * 1024)).map_err(text_of)?;
        let mut command = self.command("shmread");
        if self.random.bool() {
            command.arg("--follow");
        }
        command.stdout(stdio(theirs));
        let fate = self.fate(Side::Reader);
        Ok(Reader { process: self.start(command, fate)?, output, end: None, deaths_before: self.deaths })
    }

    pub(crate) fn start_writer(&mut self) -> Result<Writer, String> {
        let is_late = self.is_ended;
        let is_last = is_late || self.children > 2 * WRITERS && self.random.bool() || self.children > 4 * WRITERS;
        let is_c = !is_last && self.c_writer.is_some() && self.random.u8(..) < 48;
        // Of what a pipe or a socket holds, all is there from the start.
        let fed = if is_c {
            self.random.u64(1..20)
        } else if self.raw {
            self.random.u64(1..30)
        } else {
            self.random.u64(1..150)
        };
        let number = self.oracle.writer(fed, if is_c { 1000 } else { self.longest() });
        if is_c {
            return self.start_c_writer(number, fed);
        }
        let mut command = self.command("shmwrite");
        if !is_last {
            command.arg("--no-end");
        }
        if self.raw {
            let (ours, theirs) =
                socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).map_err(text_of)?;
            for line in 0..fed {
                send(ours.as_raw_fd(), self.oracle.text((number, line)).as_bytes(), MsgFlags::MSG_DONTWAIT)
                    .map_err(text_of)?;
            }
            command.stdin(stdio(theirs));
        } else {
            let mut input = tempfile::tempfile_in(self.folder.path()).map_err(|error| error.to_string())?;
            self.feed(&mut input, number, fed)?;
            input.rewind().map_err(|error| error.to_string())?;
            command.stdin(input);
        }
        let fate = if is_late { Fate::Nothing } else { self.fate(Side::Writer) };
        Ok(Writer {
            end: None,
            departures_before: self.departures,
            process: self.start(command, fate)?,
            number,
            fed,
            is_last,
            c: None,
        })
    }

    /// Puts the lines of a writer into its input.
    fn feed(&self, to: &mut File, number: usize, fed: u64) -> Result<(), String> {
        let lines: String = (0..fed).map(|line| self.oracle.text((number, line))).collect();
        to.write_all(lines.as_bytes()).map_err(|error| error.to_string())
    }

    fn start_c_writer(&mut self, number: usize, fed: u64) -> Result<Writer, String> {
        let program = self.c_writer.expect("asked before");
        let (theirs, ours) = nix::unistd::pipe().map_err(text_of)?;
        let mut lines = File::from(ours);
        self.feed(&mut lines, number, fed)?;
        let prompts = self.folder.path().join(format!("prompts-{number}"));
        let mut command = Command::new(program);
        command.arg(self.key.number().to_string()).stdin(stdio(theirs));
        command.stdout(File::create(&prompts).map_err(|error| error.to_string())?);
        let fate = Fate::Killed(Duration::from_micros(self.random.u64(2000..40_000)));
        Ok(Writer {
            end: None,
            departures_before: self.departures,
            process: self.start(command, fate)?,
            number,
            fed,
            is_last: false,
            c: Some((lines.into(), prompts)),
        })
    }
}
