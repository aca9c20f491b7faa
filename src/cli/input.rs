//! Standard input, line by line, in flat memory whatever the lines' length.

use super::args::Long;
use super::exit::{Exit, Failure};
use super::signals::{self, Ready, Signals};
use crate::error::Error;
use crate::error::Unsendable;
use crate::protocol::slot::rules;
use nix::errno::Errno;
use nix::poll::PollFlags;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// What is read at once; several lines of any length that can be sent.
const BLOCK: usize = 64 * 1024;

/// How often to look around.
pub(super) const LOOK_AROUND: Duration = Duration::from_millis(20);

/// Bytes of a line in which a newline is looked for here: a call takes longer.
const SHORT: usize = 32;

/// What a message can be. The other side can bring another layout, so it changes while lines are waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// Its longest, in bytes.
    pub(super) most: usize,
    /// Where a long line is cut: its rest, the longest piece; the piece's length.
    pub(super) cut_at: fn(&[u8], usize) -> usize,
    /// As many lines as were read, and go as they are, are handled at once.
    pub(super) together: bool,
}

impl Fit {
    /// What is done with a line that is too long. Nothing is cut to nothing: the other side can bring a text without room.
    pub(super) fn policy(self, long: Long) -> Long {
        if self.most == 0 { Long::Error } else { long }
    }
}

/// A piece of a line where nothing but its length counts.
pub(super) fn as_it_comes(rest: &[u8], most: usize) -> usize {
    rest.len().min(most)
}

/// Lines of a file.
pub(super) struct Lines<'f> {
    file: BorrowedFd<'f>,
    fit: Fit,
    long: Long,
    block: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes from `start` on in which there is no newline.
    scanned: usize,
    at_end: bool,
    /// Numbers the line, for messages.
    pub(super) line: u64,
    /// The next bytes belong to a line whose beginning was sent.
    within: bool,
    /// They are to be passed over.
    dropping: bool,
    cut: Vec<u8>,
    /// Where the last piece began: `start`, `line` and `within`.
    before: (usize, u64, bool),
}

/// What came.
pub(super) enum Piece<'l> {
    /// One line at least.
    Whole(Whole<'l>),
    /// To be sent as one message. `shortened`: the line was longer.
    Text { text: &'l [u8], shortened: bool },
    /// Longer than can be carried, and passed over.
    TooLong,
    /// No more.
    End,
}

impl<'f> Lines<'f> {
    pub(super) fn new(file: BorrowedFd<'f>, fit: Fit, long: Long) -> Self {
        Self {
            file,
            fit,
            long,
            block: vec![0; BLOCK],
            start: 0,
            end: 0,
            scanned: 0,
            at_end: false,
            line: 0,
            within: false,
            dropping: false,
            cut: Vec::new(),
            before: (0, 0, false),
        }
    }

    /// Whether bytes were read that no piece has had.
    pub(super) fn has_more(&self) -> bool {
        self.start < self.end
    }

    /// Whether there is more in the input by now. What somebody may write later is not waited for.
    pub(super) fn is_followed(&mut self, signals: &Signals) -> Result<bool, Failure> {
        while !self.has_more() && !self.at_end {
            if signals.wait_for(self.file, PollFlags::POLLIN, Some(Duration::ZERO))? == Ready::NotYet {
                return Ok(false);
            }
            self.read(signals)?;
        }
        Ok(self.has_more())
    }

    /// Takes the last piece back. Nothing was read since.
    pub(super) fn again(&mut self) {
        (self.start, self.line, self.within) = self.before;
        (self.scanned, self.dropping) = (0, false);
    }

    /// From here on pieces are like this.
    pub(super) fn fit(&mut self, fit: Fit) {
        self.fit = fit;
    }

    /// What was read and no piece has had.
    pub(super) fn rest(&self) -> &[u8] {
        &self.block[self.start..self.end]
    }

    /// Passes over what was sent of [`Piece::Whole`].
    pub(super) fn pass(&mut self, lines: u64, bytes: usize) {
        self.line += lines;
        self.start += bytes;
    }

    /// The next piece, or as many lines as were read and go as they are; `look_around` is called
    /// as by [`await_input`], and says what fits by then.
    pub(super) fn next(
        &mut self,
        signals: &Signals,
        look_around: &mut dyn FnMut() -> Result<Fit, Failure>,
    ) -> Result<Piece<'_>, Failure> {
        let (len, whole) = loop {
            let ahead = &self.block[self.start..self.end];
            // What was looked through is not looked through again: lines can be long.
            let newline = memchr::memchr(b'\n', &ahead[self.scanned..]).map(|at| self.scanned + at);
            self.scanned = if newline.is_some() { 0 } else { ahead.len() };
            match newline {
                Some(at) if self.dropping => {
                    self.dropping = false;
                    self.start += at + 1;
                    continue;
                }
                None if self.dropping => {
                    self.start = self.end;
                    self.scanned = 0;
                }
                Some(at) => break (at + 1, true),
                None if ahead.len() > self.fit.most + rules::LOOK_AHEAD => break (ahead.len(), false),
                None => {}
            }
            if self.at_end {
                break (self.end - self.start, true);
            }
            self.fill(signals, look_around)?;
        };
        self.scanned = 0;
        if len == 0 {
            return Ok(Piece::End);
        }
        // (The last line can have no newline.)
        let Fit { most, cut_at, together } = self.fit;
        let is_line = len <= most && self.block[..self.start + len].ends_with(b"\n");
        if together && is_line && !self.within {
            return Ok(Piece::Whole(Whole { rest: &self.block[self.start..self.end], most, passed: 0 }));
        }
        self.before = (self.start, self.line, self.within);
        self.line += u64::from(!self.within);
        let rest = &self.block[self.start..self.start + len];
        if whole && len <= most {
            self.within = false;
            self.start += len;
            return Ok(Piece::Text { text: rest, shortened: false });
        }
        match self.fit.policy(self.long) {
            Long::Error => {
                self.start += len;
                self.dropping = !whole;
                Ok(Piece::TooLong)
            }
            Long::Split => {
                let piece = cut_at(rest, most);
                self.within = true;
                self.start += piece;
                Ok(Piece::Text { text: &rest[..piece], shortened: false })
            }
            Long::Truncate => {
                self.cut.clear();
                self.cut.extend_from_slice(&rest[..most - 1]);
                self.cut.push(b'\n');
                self.start += len;
                self.dropping = !whole;
                Ok(Piece::Text { text: &self.cut, shortened: true })
            }
        }
    }

    fn fill(
        &mut self,
        signals: &Signals,
        look_around: &mut dyn FnMut() -> Result<Fit, Failure>,
    ) -> Result<(), Failure> {
        let fit = &mut self.fit;
        await_input(self.file, signals, &mut || look_around().map(|now| *fit = now))?;
        self.read(signals)
    }

    /// Reads what is there, behind what was read.
    fn read(&mut self, signals: &Signals) -> Result<(), Failure> {
        if self.start > 0 {
            self.block.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.block.len() {
            // A long line, for a ring: up to the longest message.
            self.block
                .try_reserve_exact(self.end)
                .map_err(|_| Error::no_memory(format!("a line of more than {} bytes", self.end)))?;
            self.block.resize(2 * self.end, 0);
        }
        let read = nix::unistd::read(self.file, &mut self.block[self.end..]);
        let Some(read) = amount_read(read, self.file, signals)? else { return Ok(()) };
        self.at_end = read == 0;
        self.end += read;
        Ok(())
    }
}

/// Lines that were read and go as they are, up to the first one that does not.
#[derive(Debug, Clone)]
pub(super) struct Whole<'l> {
    pub(super) rest: &'l [u8],
    most: usize,
    /// Lines before the rest.
    pub(super) passed: u64,
}

impl<'l> Iterator for Whole<'l> {
    type Item = &'l [u8];

    #[inline]
    fn next(&mut self) -> Option<&'l [u8]> {
        let len = newline(self.rest)? + 1;
        if len > self.most {
            return None;
        }
        let (line, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.passed += 1;
        Some(line)
    }
}

/// Where the first newline is.
#[inline]
fn newline(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (words, _) = bytes[..bytes.len().min(SHORT)].as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // Where a byte is zero now its highest bit is set; and perhaps in bytes behind the first one.
        let other = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'\n'));
        let zeros = other.wrapping_sub(ONES) & !other & (ONES << 7);
        if zeros != 0 {
            return Some(8 * at + zeros.trailing_zeros() as usize / 8);
        }
    }
    let passed = 8 * words.len();
    memchr::memchr(b'\n', &bytes[passed..]).map(|at| passed + at)
}

/// Waits until there is something to read; `look_around` is called once at least, and
/// every [`LOOK_AROUND`] while there is nothing.
pub(super) fn await_input(
    file: BorrowedFd<'_>,
    signals: &Signals,
    look_around: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    look_around()?;
    while signals.wait_for(file, PollFlags::POLLIN, Some(LOOK_AROUND))? == Ready::NotYet {
        look_around()?;
    }
    Ok(())
}

/// How many bytes `read` says that it read; `None`: nothing yet, for another process
/// that shares the file was faster. A terminal that hangs up is an end only if its signal is ignored.
pub(super) fn amount_read(
    read: Result<usize, Errno>,
    file: BorrowedFd<'_>,
    signals: &Signals,
) -> Result<Option<usize>, Failure> {
    match read {
        Ok(0) | Err(Errno::EIO) if signals::is_hung_up(file) => signals.after_closing(file).map(|()| Some(0)),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
        other => other.map(Some).map_err(|errno| Failure::io("standard input can't be read", errno)),
    }
}

/// What is too long, as an error.
pub(super) fn too_long(most: usize) -> Unsendable {
    Unsendable::TooLong { most }
}

/// As [`not_sent`], for what was sent on memory that was removed, and fits into the next one no more.
pub(super) fn not_sent_again(failure: Failure) -> Failure {
    match failure.exit {
        Exit::BadInput => {
            Failure { message: format!("what was sent before can't be sent again: {}", failure.message), ..failure }
        }
        _ => failure,
    }
}

/// Names the input that is at fault, if it is.
pub(super) fn not_sent(what: &dyn fmt::Display, failure: Failure) -> Failure {
    match failure.exit {
        Exit::BadInput => Failure { message: format!("{what} can't be sent: {}", failure.message), ..failure },
        _ => failure,
    }
}
