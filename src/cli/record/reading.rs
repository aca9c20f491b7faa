//! Opens a recording to be read, and says what is wrong with one.

use super::format::{Entry, Headless, VERSION};
use super::scan::{Entries, Stop, Unreadable};
use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::Signals;
use crate::cli::stdio::say;
use nix::errno::Errno;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
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

/// Opens a recording to be read: how many bytes it has is settled now.
pub(super) fn open_to_read<'s>(
    path: &Path,
    signals: Option<&'s Signals>,
) -> Result<Entries<impl Read + use<'s>>, Failure> {
    let name = path.display().to_string();
    // (A pipe that nobody writes to is not waited for.)
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let opened = opened.and_then(|file| Ok((file.metadata()?, file)));
    let (stat, file) = opened.map_err(|error| failure(&name, errno(&error)))?;
    if !stat.is_file() {
        return Err(Failure::new(Exit::BadInput, format!("{name} is no regular file, and a recording is one")));
    }
    Entries::new(BufReader::with_capacity(BLOCK, Heeding { from: file, signals }), stat.len())
        .map_err(|why| stopped(signals).unwrap_or_else(|| unreadable(&name, why, Exit::BadInput)))
}

/// That a signal was caught.
fn stopped(signals: Option<&Signals>) -> Option<Failure> {
    signals.and_then(|signals| signals.check().err())
}

/// The next entry.
pub(super) fn next(
    path: &Path,
    entries: &mut Entries<impl Read>,
    body: &mut Vec<u8>,
    signals: Option<&Signals>,
) -> Result<Option<Entry>, Failure> {
    entries
        .next(body)
        .map_err(|why| stopped(signals).unwrap_or_else(|| unreadable(&path.display().to_string(), why, Exit::BadInput)))
}

/// Says in a line what of the file could not be read.
pub(super) fn tell_stop(path: &Path, entries: &Entries<impl Read>, quiet: bool) {
    let (file, at) = (path.display(), entries.at());
    match entries.stop() {
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
