//! What `shmwrite` sends where a declared struct is handed over: records as bytes, or their fields as JSON.

use super::args::{Long, WriteArgs};
use super::chosen::Chosen;
use super::exit::{Exit, Failure};
use super::fields::Fields;
use super::input::{Fit, Lines, Piece, amount_read, as_it_comes, await_input, not_sent};
use super::session::{PROGRAM, Session};
use crate::error::{Error, Unsendable};
use serde::Deserialize;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

/// What is read at once, where a record is no longer.
const BLOCK: usize = 64 * 1024;

/// A byte of a record takes no more in JSON, but for the names of its fields.
const A_BYTE_IN_JSON: usize = 32;

/// The names of the fields do not take more.
const NAMES_IN_JSON: usize = 1 << 20;

impl Session<'_> {
    /// Records, one behind the other: `ahead`, and then the input.
    pub(super) fn send_records(&mut self, args: &WriteArgs, ahead: Vec<u8>) -> Result<(), Failure> {
        let stdin = std::io::stdin();
        let (signals, needs) = (self.signals, self.writer.capacity());
        let (mut bytes, mut begun, mut number) = (ahead, 0, 0_u64);
        let mut have = bytes.len();
        let room = have.max(needs).max(BLOCK);
        bytes.try_reserve_exact(room - have).map_err(|_| Error::no_memory(format!("a record of {needs} bytes")))?;
        bytes.resize(room, 0);
        loop {
            while have - begun >= needs {
                number += 1;
                self.look_around()?;
                self.send(&bytes[begun..begun + needs], &format_args!("record {number}"))?;
                begun += needs;
            }
            bytes.copy_within(begun..have, 0);
            have -= std::mem::take(&mut begun);
            await_input(stdin.as_fd(), signals, &mut || self.look_around())?;
            let read = nix::unistd::read(stdin.as_fd(), &mut bytes[have..]);
            match amount_read(read, stdin.as_fd(), signals)? {
                Some(0) => break,
                read => have += read.unwrap_or(0),
            }
        }
        if have > 0 {
            let why = Unsendable::NoRecord { given: have, needs };
            return Err(not_sent(&format_args!("record {}", number + 1), why.into()));
        }
        if args.no_end { Ok(()) } else { self.end() }
    }

    /// Objects of JSON with the fields of the declared struct: each TEXT, or each line of the input.
    pub(super) fn send_objects(&mut self, args: &WriteArgs, chosen: &Chosen) -> Result<(), Failure> {
        let fields = chosen.fields();
        for (at, text) in args.texts.iter().enumerate() {
            self.look_around()?;
            let ends = self.send_object(text.as_bytes(), &fields, chosen, &format!("TEXT number {}", at + 1))?;
            if ends && at + 1 < args.texts.len() {
                return Err(ended("TEXT"));
            }
        }
        if !args.texts.is_empty() {
            return Ok(());
        }
        let stdin = std::io::stdin();
        let most = NAMES_IN_JSON.saturating_add(chosen.len().saturating_mul(A_BYTE_IN_JSON));
        let fit = Fit { most, cut_at: as_it_comes, together: false };
        let mut lines = Lines::new(stdin.as_fd(), fit, Long::Error);
        let signals = self.signals;
        loop {
            let what = format!("line {}", lines.line + 1);
            let sent = match lines.next(signals, &mut || self.look_around().map(|()| fit))? {
                Piece::End => break,
                Piece::Text { text, .. } => self.send_object(text, &fields, chosen, &what),
                Piece::TooLong => Err(too_long(&what, most)),
                Piece::Whole(_) => unreachable!("lines are asked for one by one"),
            };
            match sent {
                Ok(true) if lines.is_followed(signals)? => return Err(ended("input")),
                Ok(true) => return Ok(()),
                Err(failure) if failure.exit == Exit::BadInput && self.prompts => {
                    failure.report(PROGRAM, "");
                }
                sent => _ = sent?,
            }
        }
        if args.no_end { Ok(()) } else { self.end() }
    }

    /// Sends what a line says; whether that has ended the session.
    fn send_object(&mut self, line: &[u8], fields: &Fields<'_>, chosen: &Chosen, what: &str) -> Result<bool, Failure> {
        let record = match fields.read(line) {
            Ok(record) => record,
            Err(_) if chosen.has_records() && is_end(line) => return self.end().map(|()| true),
            Err(why) => {
                let failure = Failure::new(Exit::BadInput, why);
                return Err(not_sent(&what, failure)
                    .hint("an object has the fields that are handed over, as shmread --format json prints them; others: data=NAME+NAME"));
            }
        };
        if chosen.has_records() {
            return self.send(&record, &what).map(|()| false);
        }
        let (text, rest) = record.split_at(memchr::memchr(0, &record).unwrap_or(record.len()));
        if rest.iter().any(|byte| *byte != 0) {
            return Err(not_sent(&what, Unsendable::Nul { at: text.len() }.into()));
        }
        self.send(text, &what)?;
        Ok(self.ends(text))
    }
}

fn ended(more: &str) -> Failure {
    Failure::new(Exit::BadInput, format!("an `end` ended the session, and more {more} comes after it"))
}

fn too_long(what: &str, most: usize) -> Failure {
    let why = format!("it has more than {most} bytes, and no record takes as many");
    not_sent(&what, Failure::new(Exit::BadInput, why).hint("an object of JSON each stands on a line"))
}

/// TEXT for a layout that carries records.
pub(super) fn no_record() -> Failure {
    let why = "the layout hands over records, and a TEXT is none";
    Failure::new(Exit::Usage, why).hint("give the record's fields, an object of JSON each: --layout SPEC --json")
}

/// Whether this is what `shmread` prints for an end that was told beside the records.
fn is_end(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Message {
        #[serde(rename = "seq")]
        _seq: u64,
        bytes: u64,
        end: bool,
    }
    serde_json::from_slice(line).is_ok_and(|Message { bytes, end, .. }| end && bytes == 0)
}
