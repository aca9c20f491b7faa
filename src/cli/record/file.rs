//! The recording that is written: what was cut short is cut off, and what is in it already is known.

use super::format::{Entry, Header, Kind, Session, end_from_bytes, end_to_bytes};
use super::reading::{BLOCK, Heeding, errno, failure, unreadable};
use super::scan::{Entries, Stop};
use crate::cli::exit::{Exit, Failure, visible};
use crate::cli::signals::Signals;
use crate::cli::stdio::say;
use crate::failpoint::failpoint;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How far of a stream is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The position behind the last thing of it.
    pub(super) position: u64,
    /// That is its end: and the stream of the ring to which it is handed on.
    pub(super) end: Option<u64>,
}

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    epoch: u64,
    at: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self { epoch: nanos(since.unwrap_or_default()), at: Instant::now() }
    }

    /// Later, at `at`.
    pub(super) fn moved_to(self, at: Instant) -> Self {
        Self { epoch: self.epoch.saturating_add(nanos(at.duration_since(self.at))), at }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A recording that is open to be written, by this process alone.
pub(super) struct Recording {
    file: Flock<File>,
    name: String,
    sync: bool,
    /// Bytes that are in the file for sure.
    len: u64,
    /// What is written next.
    out: Vec<u8>,
    known: HashMap<u64, Known>,
    /// Since when; what this run has begun last.
    begun: Option<Session>,
    last: Option<Instant>,
}

impl Recording {
    /// Opens the file, or makes it, with this mode; what is torn at its end is cut off.
    pub(super) fn open(path: &Path, mode: u32, sync: bool, quiet: bool, signals: &Signals) -> Result<Self, Failure> {
        let name = visible(&path.display().to_string());
        let failed = |error: &std::io::Error| failure(&name, errno(error));
        let mut options = File::options();
        // (A pipe that nobody reads is not waited for.)
        options.read(true).write(true).create(true).truncate(false).mode(mode).custom_flags(libc::O_NONBLOCK);
        let file = options.open(path).map_err(|error| failed(&error))?;
        if !file.metadata().map_err(|error| failed(&error))?.is_file() {
            return Err(Failure::new(
                Exit::System,
                format!("{name} is no regular file, and a recording has to be one"),
            )
            .hint("to see messages as they come, use shmread"));
        }
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => Failure::new(Exit::RoleTaken, format!("another process records into {name}"))
                .hint("record into another file, or end that process first"),
            errno => failure(&name, errno),
        })?;
        let mut this =
            Self { file, name, sync, len: 0, out: Vec::new(), known: HashMap::new(), begun: None, last: None };
        this.scan(quiet, signals).map_err(|failure| signals.check().err().unwrap_or(failure))?;
        if sync {
            // A file that was made just now has a name only when its folder has it, too.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder).and_then(|opened| opened.sync_all()).map_err(|error| {
                failure(&format!("the folder {}, which --sync writes to disk, too", folder.display()), errno(&error))
                    .hint("let this user read the folder, or leave --sync out")
            })?;
        }
        Ok(this)
    }

    /// Finds out what is in the file.
    fn scan(&mut self, quiet: bool, signals: &Signals) -> Result<(), Failure> {
        let name = self.name.clone();
        let all = self.file.metadata().map_err(|error| failure(&name, errno(&error)))?.len();
        let unreadable = |why| unreadable(&name, why, Exit::System).hint("record into another file");
        let from = Heeding { from: &*self.file, signals: Some(signals) };
        let mut entries = Entries::new(BufReader::with_capacity(BLOCK, from), all).map_err(unreadable)?;
        let (mut body, mut stream) = (Vec::new(), 0);
        while let Some(entry) = entries.next(&mut body).map_err(unreadable)? {
            let end = match entry.kind {
                Kind::Session => {
                    stream = Session::from_bytes(&body).map_or(0, |session| session.stream);
                    continue;
                }
                Kind::End => end_from_bytes(&body).map(|(onto, _)| onto),
                Kind::Message => None,
                Kind::Death | Kind::Other(_) => continue,
            };
            self.known.insert(stream, Known { position: entry.position, end });
        }
        self.len = entries.at();
        match entries.stop() {
            Some(Stop::Torn(len)) => {
                if !quiet {
                    say!("shm-handoff record: {name} ends within an entry: its last {len} bytes are cut off");
                }
                self.file.set_len(self.len).map_err(|error| failure(&name, errno(&error)))?;
            }
            Some(Stop::Damaged(len)) => {
                let why = format!("{name} is damaged at byte {}: {len} bytes come behind", self.len);
                return Err(Failure::new(Exit::System, why).hint(
                    "record into another file; what stands before the damage can be read: shm-handoff replay FILE",
                ));
            }
            Some(Stop::Whole) | None => {}
        }
        self.file.seek(SeekFrom::Start(self.len)).map_err(|error| failure(&name, errno(&error)))?;
        Ok(())
    }

    /// How far of this stream is in the file. A slot has none.
    pub(super) fn known(&self, stream: u64) -> Option<Known> {
        self.known.get(&stream).filter(|_| stream != 0).copied()
    }

    /// What comes next is of this session, and its first message begins at `from`.
    pub(super) fn begin(&mut self, session: &Session, from: u64, at: Moment) {
        if self.begun.as_ref() == Some(session) {
            return;
        }
        if self.len == 0 && self.out.is_empty() {
            let Session { stream, shape, size, .. } = *session;
            self.out.extend_from_slice(&Header { stream, shape, size, time: at.epoch }.to_bytes());
        }
        self.put(Kind::Session, from, &session.to_bytes(), at);
        self.begun = Some(session.clone());
    }

    /// A message that ends at `position`.
    pub(super) fn message(&mut self, position: u64, text: &[u8], at: Moment) {
        self.put(Kind::Message, position, text, at);
        self.note(position, None);
    }

    /// The end of the session, which is handed on to the ring with this stream.
    pub(super) fn end(&mut self, position: u64, onto: u64, text: &[u8], at: Moment) {
        self.put(Kind::End, position, &end_to_bytes(onto, text), at);
        self.note(position, Some(onto));
    }

    /// The writer died.
    pub(super) fn death(&mut self, position: u64, at: Moment) {
        self.put(Kind::Death, position, &[], at);
    }

    fn note(&mut self, position: u64, end: Option<u64>) {
        let stream = self.begun.as_ref().map_or(0, |session| session.stream);
        self.known.insert(stream, Known { position, end });
    }

    fn put(&mut self, kind: Kind, position: u64, body: &[u8], at: Moment) {
        let step = self.last.replace(at.at).map_or(0, |last| nanos(at.at.duration_since(last)));
        Entry { kind, time: at.epoch, step, position }.append(body, &mut self.out);
    }

    /// Writes what waits. Afterwards it is in the file, also if this process is killed; with `--sync` also if the machine fails.
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = {
            let _window = failpoint("writing the recording");
            self.file.write_all(&self.out).and_then(|()| if self.sync { self.file.sync_data() } else { Ok(()) })
        };
        if let Err(error) = written {
            // What is half written would be cut off by the next run all the same.
            let _ = self.file.set_len(self.len);
            return Err(failure(&self.name, errno(&error)).hint(
                "make room, and start again: what is not in the file was not released, and the next run goes on with it",
            ));
        }
        self.len += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }
}
