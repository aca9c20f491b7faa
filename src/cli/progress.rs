//! `--progress`: how much has gone over, how fast, and for how long it will go on.

use super::args::{Common, When};
use super::signals;
use super::stdio::{self, say};
use crate::error::plural;
use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use nix::poll::PollTimeout;
use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// What is not worth a look at the clock.
const UNTOLD: u64 = 1024;

/// How often a bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How often a line comes where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Counts messages and bytes, and shows them now and then.
pub struct Progress {
    program: &'static str,
    /// `sent` or `received`.
    what: &'static str,
    started: Instant,
    messages: u64,
    bytes: u64,
    /// Messages that were not told yet.
    untold: u64,
    shown: Shown,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines { last: Instant },
}

/// Whether a terminal takes what is drawn: one that was stopped does not.
fn is_drawable() -> bool {
    signals::is_writable(std::io::stderr().as_fd(), PollTimeout::ZERO)
}

impl Progress {
    /// `all`: how many bytes there will be, if that is known; `talks`: a person talks to this program
    /// through the terminal, where a bar would be in the way.
    #[must_use]
    pub fn new(program: &'static str, what: &'static str, common: &Common, all: Option<u64>, talks: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let shown = match common.progress {
            Some(When::Always) if !is_terminal => Shown::Lines { last: Instant::now() },
            Some(when) if is_terminal && (when == When::Always || !talks) => Shown::Bar(bar(all)),
            _ => Shown::Nothing,
        };
        Self { program, what, started: Instant::now(), messages: 0, bytes: 0, untold: 0, shown }
    }

    /// So many more messages have gone over, of so many bytes together.
    #[inline]
    pub fn add(&mut self, messages: u64, bytes: usize) {
        self.messages += messages;
        self.bytes += bytes as u64;
        self.untold += messages;
        if self.untold >= UNTOLD {
            self.tell();
        }
    }

    /// Shows where it stands. To be called while there is nothing else to do.
    pub fn tell(&mut self) {
        match &mut self.shown {
            Shown::Bar(bar) if self.untold > 0 && is_drawable() => {
                bar.set_message(format!("{} message{}", HumanCount(self.messages), plural(self.messages)));
                bar.set_position(self.bytes);
            }
            Shown::Lines { last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                say!("{}: {}", self.program, self.so_far());
            }
            Shown::Nothing | Shown::Bar(_) | Shown::Lines { .. } => {}
        }
        self.untold = 0;
    }

    /// Takes the bar away; with `-v` a line says how much it was.
    pub fn end(&mut self, common: &Common) {
        if let Shown::Bar(bar) = std::mem::replace(&mut self.shown, Shown::Nothing) {
            bar.finish_and_clear();
        }
        if common.verbose {
            say!("{}: {}", self.program, self.so_far());
        }
    }

    #[must_use]
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    fn so_far(&self) -> String {
        let elapsed = self.started.elapsed();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // for people
        let rate = (self.bytes as f64 / elapsed.as_secs_f64().max(1e-9)) as u64;
        format!(
            "{} message{} {}, {} in {:.1} s, {}/s",
            self.messages,
            plural(self.messages),
            self.what,
            BinaryBytes(self.bytes),
            elapsed.as_secs_f64(),
            BinaryBytes(rate),
        )
    }
}

fn bar(all: Option<u64>) -> ProgressBar {
    let template = match all {
        Some(_) => {
            "{msg}  {bytes} {elapsed_precise} [{binary_bytes_per_sec}] [{wide_bar}] {percent}% ETA {eta_precise}"
        }
        None => "{spinner} {msg}  {bytes} {elapsed_precise} [{binary_bytes_per_sec}]",
    };
    let style = ProgressStyle::with_template(template).expect("the template is a valid one").progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::stderr()).with_style(style);
    bar.set_message("0 messages");
    // Also while the other side takes its time.
    bar.enable_steady_tick(DRAWN_EVERY);
    stdio::draw(&bar);
    bar
}

/// A bar on stderr for what takes a known time, in milliseconds; hidden if that is no
/// terminal, or if it is not wanted.
pub(super) fn bar_of_time(quiet: bool, all: Duration) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}").expect("the template is a valid one");
    ProgressBar::with_draw_target(Some(millis(all)), ProgressDrawTarget::stderr()).with_style(style)
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How many bytes a file still has, if it is one whose length is known.
pub(super) fn rest_of(file: BorrowedFd<'_>) -> Option<u64> {
    let stat = nix::sys::stat::fstat(file).ok()?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return None;
    }
    let at = nix::unistd::lseek(file, 0, nix::unistd::Whence::SeekCur).ok()?;
    u64::try_from(stat.st_size.saturating_sub(at)).ok()
}
