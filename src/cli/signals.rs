//! Signals that ask us to leave: a flag for those who compute, a pipe for
//! those who wait in `poll`.

use super::exit::{Exit, Failure};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
#[allow(clippy::disallowed_types)] // signal-hook's own interface; no part of the protocol
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LEAVE: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// How long the signal of a hang-up may come behind what can be seen of it.
const HANG_UP: Duration = Duration::from_millis(100);

/// The signals that were caught, from construction on.
pub struct Signals {
    #[allow(clippy::disallowed_types)] // as above
    caught: Arc<AtomicUsize>,
    pipe: UnixStream,
}

/// What a wait for a file brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// It can be read or written, or says why not if it is tried.
    Now,
    /// Not within the time.
    NotYet,
}

impl Signals {
    /// Catches SIGHUP, SIGINT and SIGTERM, but for those that whoever started
    /// us had ignored (as nohup does).
    pub fn catch() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(Exit::System, format!("signal handlers: {error}"));
        let (pipe, end) = UnixStream::pair().map_err(failed)?;
        #[allow(clippy::disallowed_types)] // as above
        let caught = Arc::new(AtomicUsize::new(0));
        // A file that must not grow further is an error like any other of `write`.
        // SAFETY: ignoring runs no code of ours.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        for signal in LEAVE.into_iter().filter(|signal| !is_ignored(*signal)) {
            // The flag first: who is woken by the pipe finds it set.
            let number = usize::try_from(signal).expect("signals are positive");
            signal_hook::flag::register_usize(signal, Arc::clone(&caught), number).map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, end.try_clone().map_err(failed)?).map_err(failed)?;
        }
        Ok(Self { caught, pipe })
    }

    /// The signal that was caught last, if any.
    #[must_use]
    pub fn caught(&self) -> Option<i32> {
        match self.caught.load(Ordering::Relaxed) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Fails if a signal was caught. Every message asks, or every batch, for a side at full rate never comes
    /// to a wait that would.
    #[inline]
    pub fn check(&self) -> Result<(), Failure> {
        self.caught().map_or(Ok(()), |signal| Err(Failure::signal(signal)))
    }

    /// Waits for `file` or a signal, for `longest` at most (`None`: forever).
    /// Handlers restart a `read` or a `write`, so each of them comes after this.
    pub(super) fn wait_for(
        &self,
        file: BorrowedFd<'_>,
        events: PollFlags,
        longest: Option<Duration>,
    ) -> Result<Ready, Failure> {
        Ok(self.wait_for_any(&[file], events, longest)?[0])
    }

    /// Waits for a signal, for `time` at most.
    pub(super) fn pause(&self, time: Duration) -> Result<(), Failure> {
        self.wait_for_any(&[], PollFlags::empty(), Some(time)).map(drop)
    }

    /// To be asked when `file` is found closed at its other end: a terminal that hangs up is that
    /// a moment before its signal comes, which is what counts, unless it is ignored.
    pub(super) fn after_closing(&self, file: BorrowedFd<'_>) -> Result<(), Failure> {
        if is_hung_up(file) { self.pause(HANG_UP) } else { Ok(()) }
    }

    /// As [`wait_for`](Self::wait_for), for one of several files at least; if
    /// none is ready, the time is over.
    pub(super) fn wait_for_any(
        &self,
        files: &[BorrowedFd<'_>],
        events: PollFlags,
        longest: Option<Duration>,
    ) -> Result<Vec<Ready>, Failure> {
        self.wait_for_each(&files.iter().map(|file| (*file, events)).collect::<Vec<_>>(), longest)
    }

    /// The same, where each file is waited for in its own way.
    pub(super) fn wait_for_each(
        &self,
        files: &[(BorrowedFd<'_>, PollFlags)],
        longest: Option<Duration>,
    ) -> Result<Vec<Ready>, Failure> {
        let timeout = longest.map_or(PollTimeout::NONE, |time| PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX));
        loop {
            self.check()?;
            let pipe = PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN);
            let files = files.iter().map(|(file, events)| PollFd::new(*file, *events));
            let mut files: Vec<_> = files.chain([pipe]).collect();
            let polled = poll(&mut files, timeout);
            files.pop();
            let is_ready = |file: &PollFd<'_>| file.any() == Some(true);
            match polled {
                Ok(0) => return Ok(vec![Ready::NotYet; files.len()]),
                Ok(_) if files.iter().any(is_ready) => {
                    let ready = files.iter().map(|file| if is_ready(file) { Ready::Now } else { Ready::NotYet });
                    return Ok(ready.collect());
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(Failure::io("poll", errno)),
            }
        }
    }
}

fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action it only writes the old one, for which there is room;
    // zeroed, it is a valid one in any case.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Whether `file` takes something within `longest`, or says why not if it is tried.
pub(super) fn is_writable(file: BorrowedFd<'_>, longest: PollTimeout) -> bool {
    let mut files = [PollFd::new(file, PollFlags::POLLOUT)];
    loop {
        match poll(&mut files, longest) {
            Err(Errno::EINTR) => {}
            polled => return polled != Ok(0),
        }
    }
}

/// Whether this is a terminal that has hung up. (It does not answer as one any more.)
pub(super) fn is_hung_up(file: BorrowedFd<'_>) -> bool {
    let is_device = |stat: nix::sys::stat::FileStat| stat.st_mode & libc::S_IFMT == libc::S_IFCHR;
    is_closed(file) && nix::sys::stat::fstat(file).is_ok_and(is_device)
}

/// Whether nobody can read any more what is written to `file` (a pipe, a socket, or a terminal).
pub(super) fn is_closed(file: BorrowedFd<'_>) -> bool {
    let mut files = [PollFd::new(file, PollFlags::empty())];
    matches!(poll(&mut files, PollTimeout::ZERO), Ok(1..))
        && files[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}
