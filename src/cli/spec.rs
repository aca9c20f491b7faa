//! A SPEC on a command line, which may be a file.

use super::exit::{Exit, Failure};
use crate::declare::{Declared, Error, HeaderFile};
use nix::errno::Errno;
use std::fs::File;
use std::io::Read;

/// No header with a struct in it is longer.
const LONGEST_FILE: u64 = 1 << 20;

/// The layout that a SPEC declares.
pub(super) fn read(spec: &str) -> Result<Declared, Failure> {
    let bad = |error: Error| Failure::new(Exit::Usage, &error).hint(error.hint());
    let Some(file) = HeaderFile::of(spec) else { return spec.parse().map_err(bad) };
    let mut bytes = Vec::new();
    let opened = File::open(file.path).and_then(|opened| opened.take(LONGEST_FILE).read_to_end(&mut bytes));
    opened.map_err(|error| {
        Failure::io(file.path, Errno::from_raw(error.raw_os_error().unwrap_or(0))).hint(
            "a SPEC is a file, text[1024], or a C declaration in quotes: 'struct { int written; char text[1024]; }'",
        )
    })?;
    // Comments in another encoding than UTF-8 are none of our business.
    file.declares(&String::from_utf8_lossy(&bytes)).map_err(bad)
}
