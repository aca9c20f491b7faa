//! `shmwrite --raw`: bytes as they come, through a ring.

use super::args::WriteArgs;
use super::exit::Failure;
use super::input::{amount_read, await_input};
use super::session::Session;
use crate::{SendError, WaitPolicy};
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// How much is read at once.
const BLOCK: usize = 128 * 1024;

impl Session<'_> {
    /// Bytes as they come, a block a message, read to where they lie in the ring.
    pub(super) fn send_raw(&mut self, args: &WriteArgs) -> Result<(), Failure> {
        let stdin = std::io::stdin();
        let most = BLOCK.min(self.writer.capacity());
        let signals = self.signals;
        let mut ahead = Vec::new();
        loop {
            await_input(stdin.as_fd(), signals, &mut || self.look_around())?;
            let mut read = Ok(0);
            self.with_policy(|writer, policy| {
                match writer.reserve_with(most, &mut WaitPolicy::non_blocking()) {
                    Ok(mut reserved) => {
                        // SAFETY: so many bytes are writable there, for as long as the
                        // reservation is borrowed.
                        let taken = unsafe { libc::read(stdin.as_raw_fd(), reserved.as_mut_ptr().cast(), most) };
                        read = Errno::result(taken).map(|taken| usize::try_from(taken).unwrap_or(0));
                        if let Ok(len @ 1..) = read {
                            reserved.commit_first(len);
                        }
                        Ok(())
                    }
                    // No room for a whole block: less may come, or nothing any more.
                    Err(SendError::TimedOut | SendError::ReaderGone) => {
                        ahead.resize(most, 0);
                        read = nix::unistd::read(stdin.as_fd(), &mut ahead);
                        if let Ok(len @ 1..) = read { writer.send_with(&ahead[..len], policy) } else { Ok(()) }
                    }
                    Err(other) => Err(other),
                }
            })?;
            match amount_read(read, stdin.as_fd(), signals)? {
                None => {}
                Some(0) => break,
                Some(len) => self.count_sent(1, len),
            }
        }
        if args.no_end { Ok(()) } else { self.end() }
    }
}
