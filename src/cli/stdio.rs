//! The standard streams, as they were before Rust's start-up touched them, and
//! a way to talk on stderr that can't fail.

use super::exit::Failure;
use super::signals::{self, Signals};
use crate::sync::{AtomicU32, Ordering};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use nix::errno::Errno;
use nix::poll::{PollFlags, PollTimeout};
use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

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

/// Says a line on stderr, as `eprintln!`, by [`print`].
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::stdio::print(format_args!("{}\n", format_args!($($part)*))) };
}
pub(super) use say;

/// What a message of failure begins with, and what it is about otherwise.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const HEADING: Style = Style::new().bold();

/// Takes the word of `--color` before anything is parsed, for what a failure to parse
/// prints; `NO_COLOR` and `CLICOLOR_FORCE` are heeded where it says nothing.
pub fn choose_color(args: impl Iterator<Item = OsString>) {
    if std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value == "0") {
        // What looks at it later takes any value for a yes, 0 too.
        // SAFETY: nothing else runs yet that could look at the environment.
        unsafe { std::env::remove_var("CLICOLOR_FORCE") };
    }
    let mut choice = ColorChoice::Auto;
    let mut is_next = false;
    for arg in args.skip(1).take_while(|arg| arg != "--") {
        let word = arg.to_str().unwrap_or("");
        let when = if is_next { Some(word) } else { word.strip_prefix("--color=") };
        is_next = word == "--color";
        choice = match when {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            Some("auto") => ColorChoice::Auto,
            _ => choice,
        };
    }
    choice.write_global();
}

/// What is drawn on stderr now and then, and must make room for what is printed there.
static DRAWN: OnceLock<ProgressBar> = OnceLock::new();

/// From now on what is printed goes above `bar`.
pub(super) fn draw(bar: &ProgressBar) {
    let _ = DRAWN.set(bar.clone());
}

/// Takes the lines that would go to stderr, once it is set: a log in JSON.
static DIVERTED: OnceLock<fn(&str)> = OnceLock::new();

/// From now on `to` is given what would be printed, without its styles.
pub fn divert(to: fn(&str)) {
    let _ = DIVERTED.set(to);
}

/// How long, in ms, to wait for whoever reads stderr.
const UNREAD: u8 = 200;

/// Writes to stderr, styles only where they show. Whether anybody reads it changes
/// nothing: a diagnostic that can't be delivered must not end the session that it is about,
/// nor keep it from going on.
pub fn print(text: std::fmt::Arguments<'_>) {
    if let Some(to) = DIVERTED.get() {
        return to(&anstream::adapter::strip_str(&text.to_string()).to_string());
    }
    print_as_it_is(text);
}

/// Writes to stderr, also where what is printed is diverted.
pub fn print_as_it_is(text: std::fmt::Arguments<'_>) {
    if !signals::is_writable(std::io::stderr().as_fd(), UNREAD.into()) {
        return;
    }
    let write = || drop(anstream::stderr().lock().write_fmt(text));
    match DRAWN.get() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Says what nobody asked for, and does not end us; the hint comes on the next line.
pub(super) fn warn(program: &str, what: std::fmt::Arguments<'_>, hint: Option<std::fmt::Arguments<'_>>) {
    say!("{program}: {WARNING}warning:{WARNING:#} {what}");
    if let Some(hint) = hint {
        say!("  {HINT}hint:{HINT:#} {hint}");
    }
}

/// Writes what a tool has found to stdout, styles only where they show. A pipe that is full is waited
/// for, also where somebody made it non-blocking.
pub(super) fn show(text: &str) -> Result<(), Failure> {
    write_shown(text, usize::MAX, &mut |file| {
        signals::is_writable(file, PollTimeout::NONE);
        Ok(())
    })
}

/// As [`show`], where signals are caught: one of them ends the wait for a reader that does not read on.
pub(super) fn show_heeding(signals: &Signals, text: &str) -> Result<(), Failure> {
    // What a file that polls as writable takes without blocking: a handler would restart a `write` that blocks.
    write_shown(text, 4096, &mut |file| signals.wait_for(file, PollFlags::POLLOUT, None).map(drop))
}

/// Writes at most so many bytes at once, each time after `wait`.
fn write_shown(
    text: &str,
    at_once: usize,
    wait: &mut dyn FnMut(BorrowedFd<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stdout = std::io::stdout();
    let shown = match AutoStream::choice(&stdout) {
        ColorChoice::Never => anstream::adapter::strip_str(text).to_string().into_bytes(),
        _ => text.as_bytes().to_vec(),
    };
    let mut rest = &shown[..];
    while !rest.is_empty() {
        wait(stdout.as_fd())?;
        match nix::unistd::write(&stdout, &rest[..rest.len().min(at_once)]) {
            Ok(len) => rest = &rest[len..],
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            // Nobody reads on: that is theirs to decide.
            Err(Errno::EPIPE) => break,
            Err(errno) => return Err(Failure::io("standard output can't be written", errno)),
        }
    }
    Ok(())
}

/// Whether nobody can read any more what goes to stdout.
pub(super) fn is_output_closed() -> bool {
    signals::is_closed(std::io::stdout().as_fd())
}
