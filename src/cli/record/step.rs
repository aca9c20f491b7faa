//! `replay --step`: one message at each Enter.

use super::list::{seconds, shown};
use super::onto::LOOK_AROUND;
use crate::cli::exit::Failure;
use crate::cli::input::amount_read;
use crate::cli::signals::{Ready, Signals};
use crate::cli::stdio::{self, say};
use nix::errno::Errno;
use nix::poll::PollFlags;
use std::io::{IsTerminal, Stdin};
use std::os::fd::AsFd;

/// Says what comes next.
pub(super) fn show((number, count): (u64, u64), gap: u64, text: &[u8], ends: bool) {
    let what = match (ends, text) {
        (true, []) => "the end of the session".to_owned(),
        (true, text) => format!("the end of the session, {}", shown(text)),
        (false, text) => shown(text),
    };
    say!("{number}/{count}  +{}  {what}", seconds(gap));
}

/// Standard input, of which a line counts as one Enter.
pub(super) struct Enter {
    stdin: Stdin,
    /// Newlines that were read and not yet used.
    waiting: usize,
    prompts: bool,
}

impl Enter {
    pub(super) fn new(quiet: bool) -> Result<Self, Failure> {
        if stdio::was_closed(0) {
            let closed = Failure::io("standard input is closed, and --step waits for Enter there", Errno::EBADF);
            return Err(closed.hint("open it, or use --speed"));
        }
        let stdin = std::io::stdin();
        let prompts = stdin.is_terminal() && !quiet;
        Ok(Self { stdin, waiting: 0, prompts })
    }

    /// Waits for the next one; `false`: the input has ended.
    pub(super) fn wait(
        &mut self,
        signals: &Signals,
        mut meanwhile: impl FnMut() -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        if self.waiting == 0 && self.prompts {
            stdio::print(format_args!("Enter sends it, Ctrl-D leaves: "));
        }
        while self.waiting == 0 {
            if signals.wait_for(self.stdin.as_fd(), PollFlags::POLLIN, Some(LOOK_AROUND))? == Ready::NotYet {
                meanwhile()?;
                continue;
            }
            let mut bytes = [0; 4096];
            let read = nix::unistd::read(&self.stdin, &mut bytes);
            match amount_read(read, self.stdin.as_fd(), signals)? {
                None => {}
                Some(0) => {
                    // A signal that has come by now is what ended it.
                    signals.check()?;
                    if self.prompts {
                        say!("");
                    }
                    return Ok(false);
                }
                Some(len) => self.waiting += memchr::memchr_iter(b'\n', &bytes[..len]).count(),
            }
        }
        self.waiting -= 1;
        Ok(true)
    }
}
