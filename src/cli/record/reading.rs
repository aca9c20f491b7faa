//! Opens a recording to be read, and says what is wrong with one.

use super::format::{Entry, Headless, VERSION};
use super::scan::{Entries, Stop, Unreadable};
use crate::cli::exit::{Exit, Failure, visible};
use crate::cli::signals::Signals;
use crate::cli::stdio::say;
use nix::errno::Errno;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// How much is read at once.
pub(super) const BLOCK: usize = 128 * 1024;

pub(super) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

pub(super) fn failure(name: &str, errno: Errno) -> Failure {
    Failure::io(name, errno)
}

/// Why the file at `name` is no recording that can be used.
pub(super) fn unreadable(name: &str, why: Unreadable, exit: Exit) -> Failure {
    match why {
        Unreadable::Io(error) => failure(name, errno(&error)),
        Unreadable::Memory(len) => {
            Failure::new(Exit::System, format!("{name}: there is no memory for an entry of {len} bytes"))
        }
        Unreadable::Header(Headless::Foreign) => Failure::new(exit, format!("{name} is no recording")),
        Unreadable::Header(Headless::Version(version)) => Failure::new(
            exit,
            format!("{name} is a recording of version {version}, and this program knows version {VERSION}"),
        ),
        Unreadable::Header(Headless::Damaged) => {
            Failure::new(exit, format!("{name} is a recording whose header is damaged"))
        }
    }
}

/// A file that is read until a signal comes: one with a hole in it can be longer than anybody waits for.
pub(super) struct Heeding<'s, R> {
    pub(super) from: R,
    pub(super) signals: Option<&'s Signals>,
}

impl<R: Read> Read for Heeding<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self.signals.and_then(Signals::caught) {
            Some(_) => Err(std::io::Error::from_raw_os_error(libc::ECANCELED)),
            None => self.from.read(bytes),
        }
    }
}

/// A file from its beginning on, at a position of its own: several can be read in turn.
pub(super) struct FromStart<'f> {
    file: &'f File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let len = self.file.read_at(bytes, self.at)?;
        self.at += len as u64;
        Ok(len)
    }
}

/// A recording that is open to be read, from its beginning and as often as is needed. How many bytes it has was settled when it was
/// opened: what is appended meanwhile is in none of the passes.
pub(super) struct Opened<'s> {
    file: File,
    name: String,
    len: u64,
    signals: Option<&'s Signals>,
}

impl<'s> Opened<'s> {
    pub(super) fn open(path: &Path, signals: Option<&'s Signals>) -> Result<Self, Failure> {
        let name = visible(&path.display().to_string());
        // (A pipe that nobody writes to is not waited for.)
        let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let opened = opened.and_then(|file| Ok((file.metadata()?, file)));
        let (stat, file) = opened.map_err(|error| failure(&name, errno(&error)))?;
        if !stat.is_file() {
            return Err(Failure::new(Exit::BadInput, format!("{name} is no regular file, and a recording is one")));
        }
        Ok(Self { file, name, len: stat.len(), signals })
    }

    /// Its entries.
    pub(super) fn pass(&self) -> Result<Pass<'_>, Failure> {
        let Self { file, name, len, signals } = self;
        let from = BufReader::with_capacity(BLOCK, Heeding { from: FromStart { file, at: 0 }, signals: *signals });
        match Entries::new(from, *len) {
            Ok(entries) => Ok(Pass { entries, name, signals: *signals }),
            Err(why) => Err(stopped(*signals).unwrap_or_else(|| unreadable(name, why, Exit::BadInput))),
        }
    }
}

/// A recording's entries, one after the other.
pub(super) struct Pass<'o> {
    entries: Entries<BufReader<Heeding<'o, FromStart<'o>>>>,
    name: &'o str,
    signals: Option<&'o Signals>,
}

impl Pass<'_> {
    /// The next entry, whose body is put into `body`.
    pub(super) fn next(&mut self, body: &mut Vec<u8>) -> Result<Option<Entry>, Failure> {
        self.entries
            .next(body)
            .map_err(|why| stopped(self.signals).unwrap_or_else(|| unreadable(self.name, why, Exit::BadInput)))
    }

    /// Says in a line what of the file could not be read.
    pub(super) fn tell_stop(&self, quiet: bool) {
        let (file, at) = (self.name, self.entries.at());
        match self.entries.stop() {
            _ if quiet => {}
            Some(Stop::Torn(len)) => {
                say!("shm-handoff replay: {file} ends within an entry: its last {len} bytes are passed over");
            }
            Some(Stop::Damaged(len)) => {
                say!("shm-handoff replay: {file} is damaged at byte {at}: {len} bytes from there on are passed over");
            }
            Some(Stop::Whole) | None => {}
        }
    }
}

/// That a signal was caught.
fn stopped(signals: Option<&Signals>) -> Option<Failure> {
    signals.and_then(|signals| signals.check().err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::record::format::{Header, Kind, Shape};

    #[test]
    fn what_is_appended_meanwhile_is_in_no_pass() {
        let path = std::env::temp_dir().join(format!("shm-handoff-reading-{}", std::process::id()));
        let message = |position| Entry { kind: Kind::Message, time: 1, step: 0, position };
        let mut bytes = Header { stream: 7, shape: Shape::Ring, size: 4096, time: 1 }.to_bytes().to_vec();
        message(1).append(b"checked", &mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        let opened = Opened::open(&path, None).unwrap();
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let (mut pass, mut body) = (opened.pass().unwrap(), Vec::new());
            while pass.next(&mut body).unwrap().is_some() {
                bodies.push(body.clone());
            }
            message(2).append(b"appended", &mut bytes);
            std::fs::write(&path, &bytes).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bodies, [b"checked", b"checked"]);
    }
}
