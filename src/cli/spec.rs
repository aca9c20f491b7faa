//! A SPEC on a command line, which may be a file.

use super::exit::{Exit, Failure};
use crate::backend::sysv::Key;
use crate::declare::{Declared, Error, HeaderFile};
use clap::Args;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

/// No header with a struct in it is longer.
const LONGEST_FILE: u64 = 1 << 20;

/// The layout that a SPEC declares.
pub(super) fn read(spec: &str) -> Result<Declared, Failure> {
    let bad = |error: Error| Failure::new(Exit::Usage, &error).hint(error.hint());
    let Some(file) = HeaderFile::of(spec) else { return spec.parse().map_err(bad) };
    let mut bytes = Vec::new();
    let opened = open(file.path).and_then(|opened| opened.take(LONGEST_FILE).read_to_end(&mut bytes));
    opened.map_err(|error| {
        let failure = match error.raw_os_error() {
            Some(errno) => Failure::io(file.path, Errno::from_raw(errno)),
            None => Failure::new(Exit::Usage, format!("{}: {error}", file.path)),
        };
        failure.hint(
            "a SPEC is a file, text[1024], or a C declaration in quotes: 'struct { int written; char text[1024]; }'",
        )
    })?;
    // Comments in another encoding than UTF-8 are none of our business.
    file.declares(&String::from_utf8_lossy(&bytes)).map_err(bad)
}

/// How long a pipe may be without a writer.
const WRITER_COMES: u16 = 1000;

/// A pipe that nobody writes to would be waited for with signals that end nothing.
fn open(path: &str) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        if poll(&mut files, WRITER_COMES)? == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "no process writes to this pipe"));
        }
    }
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// `--layout`, of the tools.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// The struct in the segment: text[1024], a C declaration, FILE.h, FILE.h:NAME, or
    /// terms; see shm-handoff layout --help
    #[arg(long, value_name = "SPEC")]
    layout: Option<String>,
}

impl Given {
    pub(super) fn read(&self) -> Result<Option<Declared>, Failure> {
        self.layout.as_deref().map(read).transpose()
    }
}

/// What a tool says that was to look at a declared slot.
pub(super) fn refused(error: crate::error::Error, key: Key) -> Failure {
    let is_other = matches!(error, crate::error::Error::OtherLayout { .. });
    let failure = Failure::from(error);
    if is_other {
        failure.hint(format!("see the segment: shm-handoff ls --all, shm-handoff who {}", key.number()))
    } else {
        failure
    }
}

/// The option that declares this layout, for a shell.
pub(super) fn option(declared: &Declared) -> String {
    let spec = declared.to_string();
    if spec.contains('>') { format!(" --layout '{spec}'") } else { format!(" --layout {spec}") }
}
