//! What a reader answers, on the standard output of `shmwrite --reply`.

use super::chosen::Chosen;
use super::exit::{Exit, Failure};
use super::fields::Fields;
use super::json;
use super::signals::Signals;
use super::stdio;
use nix::errno::Errno;
use nix::poll::PollFlags;
use std::io::Stdout;
use std::os::fd::AsFd;

/// What a pipe that polls as writable takes without blocking.
const AT_ONCE: usize = 4096;

/// Where answers go.
pub(super) struct Answers<'d> {
    stdout: Stdout,
    /// An answer is printed as its fields, and not as its bytes.
    fields: Option<Fields<'d>>,
    pub(super) bytes: Vec<u8>,
    line: Vec<u8>,
}

impl<'d> Answers<'d> {
    pub(super) fn of(chosen: &'d Chosen, as_json: bool) -> Result<Self, Failure> {
        if chosen.reply_len() == 0 {
            let why = "--reply: the layout sets no bytes aside for an answer";
            return Err(Failure::new(Exit::Usage, why).hint("name those that the reader answers in: reply=NAME"));
        }
        if stdio::was_closed(1) {
            return Err(Failure::no_output());
        }
        Ok(Self {
            stdout: std::io::stdout(),
            fields: as_json.then(|| Fields::of_reply(&chosen.declared)),
            bytes: vec![0; chosen.reply_len()],
            line: Vec::new(),
        })
    }

    pub(super) fn print(&mut self, signals: &Signals) -> Result<(), Failure> {
        let mut rest = match &self.fields {
            None => &self.bytes[..],
            Some(fields) => {
                self.line.clear();
                json::add(&fields.show(&self.bytes), &mut self.line);
                self.line.push(b'\n');
                &self.line[..]
            }
        };
        while !rest.is_empty() {
            signals.wait_for(self.stdout.as_fd(), PollFlags::POLLOUT, None)?;
            match nix::unistd::write(&self.stdout, &rest[..rest.len().min(AT_ONCE)]) {
                Ok(taken) => rest = &rest[taken..],
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(errno) => return Err(Failure::io("an answer came, and standard output can't be written", errno)),
            }
        }
        Ok(())
    }
}
