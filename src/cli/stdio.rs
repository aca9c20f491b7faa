//! The standard streams, as they were before Rust's start-up touched them, and
//! a way to talk on stderr that can't fail.

use crate::sync::{AtomicU32, Ordering};
use std::io::Write;

/// One bit for each of the descriptors 0 to 2 that was closed at the start.
static CLOSED: AtomicU32 = AtomicU32::new(0);

/// Notes which streams are closed. Rust's start-up puts /dev/null in their
/// place, where messages would be "received" by nobody: hence before it.
extern "C" fn note_closed() {
    for stream in 0..3 {
        // SAFETY: F_GETFD takes no pointer, and asks only.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << stream, Ordering::Relaxed);
        }
    }
}

// SAFETY: the loader calls each function that is named in this section, in the
// only thread there is, before `main`; `note_closed` needs nothing that would
// have to be set up before, and an extern "C" fn without arguments may ignore
// those that the loader passes.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = note_closed;

/// Whether descriptor `stream` (0 to 2) was closed when the program started.
pub(super) fn was_closed(stream: u32) -> bool {
    CLOSED.load(Ordering::Relaxed) & (1 << stream) != 0
}

/// Writes to stderr. Whether anybody reads it changes nothing: a diagnostic that
/// can't be delivered must not end the session that it is about.
pub(super) fn print(text: std::fmt::Arguments<'_>) {
    let _ = std::io::stderr().lock().write_fmt(text);
}

/// `say!` and a newline, as `eprintln!`.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::stdio::print(format_args!("{}\n", format_args!($($part)*))) };
}
pub(super) use say;
