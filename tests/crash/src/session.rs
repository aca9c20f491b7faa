//! One session at a key of its own, with as many readers and writers as it takes.

use crate::actors::{Reader, Writer};
use crate::child::{End, Mortal};
use crate::oracle::Oracle;
use crate::tally::{Side, Sums, Tally};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use shm_handoff::backend::memory::offsets::ring::RECORDS_AT;
use shm_handoff::backend::sysv::{Key, Segment};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layout {
    Classic,
    Ring,
}

/// Without anything happening for so long, somebody waits forever.
const FOR_EVER: Duration = Duration::from_secs(20);

/// A reader that has had nothing for so long when the last writer is through has come too
/// late for the end: it needs another writer.
const TOO_LATE: Duration = Duration::from_millis(300);

/// The seats' numbers in their set (docs/protocol.md).
const WRITER: i32 = 2;
const READER: i32 = 3;

/// A session.
pub(crate) struct Session<'a> {
    pub(crate) layout: Layout,
    pub(crate) raw: bool,
    pub(crate) key: Key,
    pub(crate) bins: &'a Path,
    pub(crate) c_writer: Option<&'a Path>,
    pub(crate) tally: &'a Tally,
    pub(crate) random: &'a mut fastrand::Rng,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) oracle: Oracle,
    pub(crate) sums: Sums,
    pub(crate) children: u64,
    /// Writers that have died or failed, and readers that have gone.
    pub(crate) deaths: u64,
    pub(crate) departures: u64,
    /// A writer that ends the session has ended in order.
    pub(crate) is_ended: bool,
    /// When something happened last.
    pub(crate) event: Instant,
    /// Until then nobody takes the reader's output.
    pub(crate) hesitates: Instant,
    /// Until then there is no reader.
    pub(crate) absent: Instant,
    /// The last reader has ended the session, which removes the segment.
    is_closed: bool,
    /// Somebody wants the crash test to end.
    stop: &'a AtomicBool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        layout: Layout,
        bins: &'a Path,
        c_writer: Option<&'a Path>,
        tally: &'a Tally,
        random: &'a mut fastrand::Rng,
        stop: &'a AtomicBool,
    ) -> Result<Self, String> {
        let key = loop {
            let Ok(key) = Key::new(random.u32(..)) else { continue };
            if Segment::stat_at(key).map_err(|error| error.to_string())?.is_none() && !set_is_there(key) {
                break key;
            }
        };
        // Either side may come first, and make the segment.
        let absent = Instant::now() + Duration::from_millis(random.u64(0..2) * 20);
        Ok(Self {
            layout,
            raw: layout == Layout::Ring && random.u8(..) < 64,
            key,
            bins,
            c_writer: c_writer.filter(|_| layout == Layout::Classic),
            tally,
            random,
            folder: tempfile::tempdir().map_err(|error| error.to_string())?,
            oracle: Oracle::default(),
            sums: Sums { sessions: 1, ..Sums::default() },
            children: 0,
            deaths: 0,
            departures: 0,
            is_ended: false,
            event: Instant::now(),
            hesitates: Instant::now(),
            absent,
            is_closed: false,
            stop,
        })
    }

    /// Runs it. What goes wrong is told with all that is known.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let went = self.go_on().map_err(|why| {
            format!(
                "{why}\n  key {:#x}, {} children, {} messages came",
                self.key.number(),
                self.children,
                self.oracle.messages()
            )
        });
        remove_all(self.key);
        went?;
        self.sums.messages = self.oracle.messages();
        self.sums.repeated = self.oracle.repeated;
        self.tally.add(self.sums);
        Ok(())
    }

    fn go_on(&mut self) -> Result<(), String> {
        let (mut writer, mut reader) = (None::<Writer>, None::<Reader>);
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err("asked to stop".into());
            }
            if let Some(there) = &mut writer
                && there.end.is_none()
            {
                there.end = there.process.look()?;
            }
            // (The kernel takes a seat before it lets us know of a death.)
            let writer_is_over = writer.as_ref().is_some_and(|writer| match &writer.end {
                Some(end) => !end.status.success(),
                None => !self.is_seated(WRITER),
            });
            if let Some(there) = &mut reader
                && self.attend(there, writer_is_over)?
            {
                reader = None;
            }
            if let Some(there) = &mut writer
                && let Some(end) = there.end.take()
            {
                // Whom it may have missed.
                if let Some(there) = &mut reader
                    && there.end.is_none()
                {
                    there.end = there.process.look()?;
                }
                let has_left = reader.as_ref().is_none_or(|reader| reader.end.is_some()) || !self.is_seated(READER);
                self.writer_over(there, &end, has_left)?;
                writer = None;
            }
            if self.is_ended && writer.is_none() && reader.is_none() && self.segment()?.is_none() {
                break;
            }
            if self.is_ended && self.is_closed && writer.is_none() && reader.is_none() && self.is_empty()? {
                return Err("the session was closed, and a segment without anything in it is there".into());
            }
            if reader.is_none() && self.absent <= Instant::now() && !self.is_about_to_end(writer.as_ref())? {
                reader = Some(self.start_reader()?);
            }
            let is_late = self.is_ended && self.event.elapsed() > TOO_LATE;
            if writer.is_none() && (!self.is_ended || is_late) {
                let next = self.start_writer()?;
                // What happens once in a session happens to the reader that is there at its end: that
                // is one that has not died yet of what it was to die of.
                if next.is_last
                    && let Some(there) = &reader
                {
                    there.process.kill();
                }
                writer = Some(next);
            }
            if self.event.elapsed() > FOR_EVER {
                let said = |process: &Mortal| {
                    format!("{:?} for {:?}: {}", process.fate(), process.age(), process.said().trim())
                };
                return Err(format!(
                    "for {FOR_EVER:?} nothing has happened\n  writer: {}\n  reader: {}",
                    writer.as_ref().map_or("none".into(), |writer| said(&writer.process)),
                    reader.as_ref().map_or("none".into(), |reader| said(&reader.process)),
                ));
            }
        }
        self.oracle.close()?;
        // What the killed have left is one set at most, and the next pair uses it and goes.
        self.leave_nothing()
    }

    /// The last writer may be through, and the session with it: a reader that came now would
    /// come to nothing.
    fn is_about_to_end(&self, writer: Option<&Writer>) -> Result<bool, String> {
        let no_segment = self.segment()?.is_none();
        // (Once the session is closed, one that is there by now was made by that writer.)
        let may_be_through = (no_segment || self.is_closed) && self.event.elapsed() < TOO_LATE;
        Ok((no_segment && self.is_ended) || (may_be_through && writer.is_some_and(|writer| writer.is_last)))
    }

    /// Whether a segment is there in which nothing waits, and never has.
    fn is_empty(&self) -> Result<bool, String> {
        let segment = match Segment::open(self.key) {
            Err(shm_handoff::Error::Missing { .. }) => return Ok(false),
            opened => opened.map_err(|error| error.to_string())?,
        };
        // (Whoever makes a ring stores a 1 at 0, for the tutorial's programs.)
        let first = if self.layout == Layout::Ring { RECORDS_AT } else { 0 };
        Ok(segment.word(first).load(shm_handoff::sync::Ordering::Relaxed) == 0)
    }

    /// Whether this seat is taken.
    fn is_seated(&self, seat: i32) -> bool {
        // SAFETY: take numbers alone.
        unsafe { libc::semctl(libc::semget(self.key.seats().cast_signed(), 0, 0), seat, libc::GETVAL) == 1 }
    }

    fn segment(&self) -> Result<Option<usize>, String> {
        Segment::stat_at(self.key).map(|stat| stat.map(|stat| stat.attached)).map_err(|error| error.to_string())
    }

    /// Takes what the reader prints; whether it is over.
    fn attend(&mut self, reader: &mut Reader, writer_is_over: bool) -> Result<bool, String> {
        // The end is looked at first: what was printed before it is there by then.
        if reader.end.is_none() {
            reader.end = reader.process.look()?;
        }
        // (Its output is kept until it is taken, whenever that is.)
        let mut packet = vec![0; 256 * 1024];
        if reader.end.is_none() && self.hesitates > Instant::now() {
            // So that it is held up: that its pipe fills is the point.
            std::thread::sleep(Duration::from_micros(200));
            return Ok(false);
        }
        loop {
            match recv(reader.output.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => break,
                Ok(len) => {
                    self.event = Instant::now();
                    self.oracle.printed(&packet[..len])?;
                    if reader.end.is_none() && self.random.u32(..400) == 0 {
                        self.hesitates = Instant::now() + Duration::from_millis(self.random.u64(1..60));
                        break;
                    }
                }
                Err(Errno::EAGAIN | Errno::ECONNRESET) if reader.end.is_some() => break,
                Err(Errno::EAGAIN) => {
                    let mut files = [PollFd::new(reader.output.as_fd(), PollFlags::POLLIN)];
                    let _ = poll(&mut files, PollTimeout::from(1_u16));
                    return Ok(false);
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(format!("recv: {errno}")),
            }
        }
        let Some(end) = reader.end.take() else { return Ok(false) };
        self.event = Instant::now();
        let killed = end.was_killed();
        self.account(Side::Reader, &reader.process, &end);
        self.departures += 1;
        // The writer finds itself alone, and may be the last to leave.
        if !self.is_ended && self.random.u8(..) < 48 {
            self.absent = Instant::now() + Duration::from_millis(100);
        }
        self.is_closed = end.status.success();
        self.oracle.reader_over(killed)?;
        let is_as_expected = killed
            || match end.status.code() {
                Some(0) => true,
                Some(3) => writer_is_over || self.deaths > reader.deaths_before,
                _ => false,
            };
        if is_as_expected { Ok(true) } else { Err(unexpected("reader", &end)) }
    }

    fn account(&mut self, side: Side, process: &Mortal, end: &End) {
        self.tally.found(side, process.points());
        if end.was_killed() {
            let at = end.at.as_deref().filter(|at| !at.is_empty());
            self.tally.killed(side, at.zip(process.passage()));
        }
    }

    fn writer_over(&mut self, writer: &Writer, end: &End, reader_has_left: bool) -> Result<(), String> {
        self.event = Instant::now();
        if let Some((_, prompts)) = &writer.c {
            let printed = std::fs::read_to_string(prompts).map_err(|error| error.to_string())?;
            // Before each prompt but the first the line before it was sent.
            let sure = printed.matches("enter some text: ").count().saturating_sub(1) as u64;
            self.oracle.over(writer.number, sure, writer.fed);
            self.deaths += 1;
            self.sums.c_writers += 1;
            return if end.was_killed() { Ok(()) } else { Err(unexpected("C writer", end)) };
        }
        self.account(Side::Writer, &writer.process, end);
        // (The end of a classic session is a message as well.)
        let sent = end.sent.min(writer.fed);
        match end.status.code() {
            Some(0) => {
                if sent != writer.fed {
                    return Err(format!("{sent} of {} sent, and {}", writer.fed, unexpected("writer", end)));
                }
                self.oracle.over(writer.number, sent, sent);
                self.is_ended |= writer.is_last;
                return Ok(());
            }
            // In a ring the lines of one read go together, in a slot one by one.
            None if end.was_killed() => {
                let at_most = if self.layout == Layout::Ring && !self.raw { writer.fed } else { sent + 1 };
                self.oracle.over(writer.number, sent, at_most);
            }
            Some(3) if reader_has_left || self.departures > writer.departures_before => {
                self.oracle.over(writer.number, sent, sent);
            }
            _ => return Err(unexpected("writer", end)),
        }
        self.deaths += 1;
        Ok(())
    }

    /// A last pair, to which nothing happens, and which leaves nothing.
    fn leave_nothing(&mut self) -> Result<(), String> {
        if set_is_there(self.key) {
            let mut reader =
                self.command("shmread").stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
            let wrote = self.command("shmwrite").stdin(Stdio::null()).status().map_err(|error| error.to_string())?;
            let read = reader.wait().map_err(|error| error.to_string())?;
            if !wrote.success() || !read.success() {
                return Err(format!("the pair that came last: {wrote}, {read}"));
            }
        }
        if set_is_there(self.key) || self.segment()?.is_some() {
            return Err("something is left of the session".into());
        }
        Ok(())
    }
}

fn unexpected(who: &str, end: &End) -> String {
    format!("a {who} ended with {}, at {:?}: {}", end.status, end.at, end.said.trim())
}

pub(crate) fn text_of(errno: Errno) -> String {
    errno.to_string()
}

fn set_is_there(key: Key) -> bool {
    // SAFETY: takes numbers alone.
    unsafe { libc::semget(key.seats().cast_signed(), 0, 0) >= 0 }
}

/// Leaves nothing behind when something went wrong.
fn remove_all(key: Key) {
    if let Ok(segment) = Segment::open(key) {
        let _ = segment.remove();
    }
    // SAFETY: take numbers alone.
    unsafe {
        let set = libc::semget(key.seats().cast_signed(), 0, 0);
        if set >= 0 {
            libc::semctl(set, 0, libc::IPC_RMID);
        }
    }
}
