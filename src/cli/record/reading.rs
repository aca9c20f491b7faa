//! Opens a recording to be read, and says what is wrong with one.

use super::format::{Entry, Headless, VERSION};
use super::scan::{Entries, Stop, Unreadable};
use crate::cli::exit::{Exit, Failure};
use crate::cli::stdio::say;
use nix::errno::Errno;
use std::fs::File;
use std::io::{BufReader, Read};
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

/// Opens a recording to be read: how many bytes it has is settled now.
pub(super) fn open_to_read(path: &Path) -> Result<Entries<impl Read>, Failure> {
    let name = path.display().to_string();
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (stat, file) = opened.map_err(|error| failure(&name, errno(&error)))?;
    if !stat.is_file() {
        return Err(Failure::new(Exit::BadInput, format!("{name} is no regular file, and a recording is one")));
    }
    Entries::new(BufReader::with_capacity(BLOCK, file), stat.len())
        .map_err(|why| unreadable(&name, why, Exit::BadInput))
}

/// The next entry.
pub(super) fn next(
    path: &Path,
    entries: &mut Entries<impl Read>,
    body: &mut Vec<u8>,
) -> Result<Option<Entry>, Failure> {
    entries.next(body).map_err(|why| unreadable(&path.display().to_string(), why, Exit::BadInput))
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
