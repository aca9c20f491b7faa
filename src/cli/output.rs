//! Standard output: one message, one `write`; from a ring as many messages as are
//! there.

use super::args::Format;
use super::exit::Failure;
use super::fields::Fields;
use super::hex;
use super::json;
use super::signals::{self, Signals};
use crate::backend::sysv::SysV;
use crate::error::Error;
use crate::failpoint::failpoint;
use crate::{Cursor, Reader};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::errno::Errno;
use nix::poll::PollFlags;
use serde::Serialize;
use std::fmt::Write;
use std::os::fd::{AsRawFd, BorrowedFd};

const LABEL: &[u8] = b"You wrote: ";

/// What a pipe that polls as writable takes without blocking; every message
/// but a JSON object of the longest ones goes in one piece.
const AT_ONCE: usize = 4096;

/// What is written at once where that is possible.
const BLOCK: usize = 128 * 1024;

/// Where messages go.
pub(super) struct Output<'f> {
    file: BorrowedFd<'f>,
    format: Format,
    /// Of a declared struct: messages are shown by the names of its members.
    fields: Option<Fields<'f>>,
    /// What is printed can make a terminal do things.
    escape: bool,
    takes: Takes,
    line: Vec<u8>,
}

/// Whether somebody still reads what we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    All,
    Closed,
}

/// One line of `--format json`.
#[derive(Serialize)]
struct Object<'t, F> {
    seq: u64,
    bytes: usize,
    end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<F>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl<'f> Output<'f> {
    pub(super) fn new(file: BorrowedFd<'f>, format: Format, fields: Option<Fields<'f>>, terminal: bool) -> Self {
        let takes = Takes::of(file, terminal);
        Self { file, format, fields, escape: terminal, takes, line: Vec::with_capacity(AT_ONCE) }
    }

    pub(super) fn file(&self) -> BorrowedFd<'f> {
        self.file
    }

    /// Whether a bare `end` is left out, so that what went in comes out.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self.format, Format::Plain | Format::Hex)
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a record is printed as text, and not as its bytes: those of one that the other side brought could steer a terminal.
    pub(super) fn spells_records(&self) -> bool {
        self.escape || matches!(self.format, Format::Json | Format::Hex)
    }

    /// Whether what was added is worth a `write` by itself.
    pub(super) fn is_full(&self) -> bool {
        self.line.len() >= BLOCK
    }

    /// Puts message number `seq` behind what waits for [`write_out`](Self::write_out).
    pub(super) fn add(&mut self, text: &[u8], seq: u64, end: bool) -> Result<(), Failure> {
        // What a byte can become: `\u001b`, `\u{1b}`. Room that is not used costs nothing.
        let most = if self.is_bare() { text.len() } else { 6 * text.len() };
        self.line
            .try_reserve(LABEL.len() + most)
            .map_err(|_| Error::no_memory(format!("a message of {} bytes", text.len())))?;
        match self.format {
            Format::Plain if !self.escape => self.line.extend_from_slice(text),
            Format::Plain => escape(text, &mut self.line),
            Format::Label => {
                self.line.extend_from_slice(LABEL);
                if self.escape {
                    escape(text, &mut self.line);
                } else {
                    self.line.extend_from_slice(text);
                }
                if !text.ends_with(b"\n") {
                    self.line.push(b'\n');
                }
            }
            Format::Json => {
                // An end that is told beside the records has no fields.
                let fields = self.fields.as_ref().filter(|_| !(end && text.is_empty()));
                let (utf8, base64) = match (&self.fields, std::str::from_utf8(text)) {
                    (Some(_), _) => (None, None),
                    (None, Ok(utf8)) => (Some(utf8), None),
                    (None, Err(_)) => (None, Some(STANDARD.encode(text))),
                };
                let fields = fields.map(|fields| fields.show(text));
                let object = Object { seq, bytes: text.len(), end, fields, text: utf8, base64 };
                json::add(&object, &mut self.line);
                self.line.push(b'\n');
            }
            Format::Hex => hex::add(text, &mut self.line),
        }
        Ok(())
    }

    /// Whether messages are printed as they are.
    pub(super) fn is_bare(&self) -> bool {
        self.format == Format::Plain && !self.escape
    }

    /// Puts the messages of a ring behind what waits, as they are; as [`Reader::peek_onto`].
    pub(super) fn add_all(
        &mut self,
        reader: &mut Reader<SysV>,
        mut more: impl FnMut(usize, Cursor) -> bool,
    ) -> Result<bool, Failure> {
        Ok(reader.peek_onto(&mut self.line, &mut |len, cursor| more(len, cursor) && len < BLOCK)?)
    }

    /// How many bytes were added.
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// Returns when `write` took all that was added; after each `write`, `took` is told
    /// how many bytes that were so far.
    pub(super) fn write_out(&mut self, signals: &Signals, took: &mut dyn FnMut(usize)) -> Result<Written, Failure> {
        // SAFETY: the line's own bytes.
        let written = unsafe { self.write_from(self.line.as_ptr(), self.line.len(), signals, took) };
        self.line.clear();
        written
    }

    /// Returns when `write` took all of the `len` bytes at `first`; `took` is told as by
    /// [`write_out`](Self::write_out).
    ///
    /// # Safety
    /// So many bytes are readable there. (That another process changes them
    /// meanwhile does not matter: the kernel copies them, and no Rust reference to
    /// them exists.)
    pub(super) unsafe fn write_from(
        &self,
        first: *const u8,
        len: usize,
        signals: &Signals,
        took: &mut dyn FnMut(usize),
    ) -> Result<Written, Failure> {
        let mut done = 0;
        while done < len {
            signals.wait_for(self.file, PollFlags::POLLOUT, None)?;
            let most = (len - done).min(self.at_once());
            let taken = {
                let _window = failpoint("writing the output");
                // SAFETY: within the caller's bytes: `done` + `most` is at most `len`.
                unsafe { libc::write(self.file.as_raw_fd(), first.add(done).cast(), most) }
            };
            match Errno::result(taken) {
                Ok(taken) => {
                    done += usize::try_from(taken).unwrap_or(0);
                    took(done);
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Ok(Written::Closed),
                Err(Errno::EIO) if signals::is_hung_up(self.file) => {
                    signals.after_closing(self.file)?;
                    return Ok(Written::Closed);
                }
                Err(errno) => {
                    let what = "standard output can't be written, so the message was not released";
                    return Err(Failure::io(what, errno).hint("the next reader gets it"));
                }
            }
        }
        Ok(Written::All)
    }

    /// How much a file that polls as writable takes without blocking: a handler
    /// would restart a `write` that blocks, and the signal go unheard.
    fn at_once(&self) -> usize {
        match self.takes {
            Takes::Anything => BLOCK,
            Takes::APage => AT_ONCE,
            Takes::WhatAPipeHolds(size) => {
                let mut held = 0;
                // SAFETY: FIONREAD writes one int.
                let empty =
                    unsafe { libc::ioctl(self.file.as_raw_fd(), libc::FIONREAD, &raw mut held) } == 0 && held == 0;
                if empty { size } else { AT_ONCE }
            }
        }
    }
}

/// What a file takes without blocking.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Anything,
    /// As much as this while it is empty.
    WhatAPipeHolds(usize),
    APage,
}

impl Takes {
    fn of(file: BorrowedFd<'_>, terminal: bool) -> Self {
        let Ok(stat) = nix::sys::stat::fstat(file) else { return Self::APage };
        match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG | libc::S_IFBLK => Self::Anything,
            // Such as /dev/null.
            libc::S_IFCHR if !terminal => Self::Anything,
            libc::S_IFIFO => nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_GETPIPE_SZ)
                .ok()
                .and_then(|size| usize::try_from(size).ok())
                .map_or(Self::APage, |size| Self::WhatAPipeHolds(size.max(AT_ONCE))),
            _ => Self::APage,
        }
    }
}

/// Shows control characters and what is not UTF-8 instead of sending them to
/// a terminal, which would obey.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            if char.is_control() && !matches!(char, '\n' | '\t') {
                shown.extend(char.escape_default());
            } else {
                shown.push(char);
            }
        }
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("a String takes everything");
        }
    }
    out.extend_from_slice(shown.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_commands() {
        let mut out = Vec::new();
        escape("a\x1b[2J\u{9b}é\t\n".as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\\u{1b}[2J\\u{9b}é\t\n");
        let mut out = Vec::new();
        escape(b"\xff\n", &mut out);
        assert_eq!(out, b"\\xff\n");
    }
}
