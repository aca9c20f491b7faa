//! The server: one thread, a few connections, each of one request.
//!
//! Whatever a client does, it holds one of [`MOST`] connections, with [`answer::LONGEST`] bytes of it, for
//! [`PATIENCE`]; where all are taken, the oldest one makes room.

use super::answer::{self, Answer};
use crate::cli::exit::{Exit, Failure};
use crate::cli::signals::{Ready, Signals};
use nix::poll::PollFlags;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Connections at the same time.
const MOST: usize = 32;

/// How long a client may take, from its connection on.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client that has been answered may go on sending. (To close at once would take the answer away from
/// it, unread.)
const LEAVING: Duration = Duration::from_secs(1);

/// Until a signal.
pub(super) fn run(listener: &TcpListener, signals: &Signals) -> Result<(), Failure> {
    let mut guests: VecDeque<Guest> = VecDeque::new();
    loop {
        let files: Vec<_> = std::iter::once((listener.as_fd(), PollFlags::POLLIN))
            .chain(guests.iter().map(|guest| (guest.stream.as_fd(), guest.awaits())))
            .collect();
        let next = guests.iter().map(|guest| guest.until).min();
        let ready = signals.wait_for_each(&files, next.map(|next| next.saturating_duration_since(Instant::now())))?;
        let now = Instant::now();
        let mut is_ready = ready.iter().skip(1);
        guests.retain_mut(|guest| {
            let goes_on = is_ready.next() != Some(&Ready::Now) || guest.go_on(now);
            goes_on && now < guest.until
        });
        if ready[0] == Ready::Now {
            welcome(listener, &mut guests, signals, now)?;
        }
    }
}

/// Takes one that has come.
fn welcome(
    listener: &TcpListener,
    guests: &mut VecDeque<Guest>,
    signals: &Signals,
    now: Instant,
) -> Result<(), Failure> {
    match listener.accept() {
        Ok((stream, _)) => {
            if guests.len() >= MOST {
                guests.pop_front();
            }
            if stream.set_nonblocking(true).is_ok() {
                guests.push_back(Guest::new(stream, now));
            }
            Ok(())
        }
        // It has left again.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::ConnectionAborted | ErrorKind::Interrupted
            ) =>
        {
            Ok(())
        }
        // Files or memory are short: the oldest one gives its own.
        Err(error)
            if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) =>
        {
            guests.pop_front();
            signals.pause(Duration::from_millis(50))
        }
        Err(error) => Err(Failure::new(Exit::System, format!("the listening socket: {error}"))),
    }
}

/// A client, and how far it is.
struct Guest {
    stream: TcpStream,
    until: Instant,
    state: State,
}

enum State {
    /// What it has sent so far.
    Asks(Vec<u8>),
    /// The answer, and how many bytes of it have been sent.
    IsAnswered(Answer, usize),
    /// All has been sent.
    Leaves,
}

impl Guest {
    fn new(stream: TcpStream, now: Instant) -> Self {
        Self { stream, until: now + PATIENCE, state: State::Asks(Vec::new()) }
    }

    fn awaits(&self) -> PollFlags {
        match self.state {
            State::Asks(_) | State::Leaves => PollFlags::POLLIN,
            State::IsAnswered(..) => PollFlags::POLLOUT,
        }
    }

    /// Does what can be done at once; whether it stays.
    fn go_on(&mut self, now: Instant) -> bool {
        match self.try_to_go_on(now) {
            Ok(stays) => stays,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    fn try_to_go_on(&mut self, now: Instant) -> std::io::Result<bool> {
        match &mut self.state {
            State::Asks(sent) => {
                let mut room = [0; answer::LONGEST];
                let free = answer::LONGEST - sent.len();
                let len = self.stream.read(&mut room[..free])?;
                if len == 0 {
                    return Ok(false);
                }
                sent.extend_from_slice(&room[..len]);
                if let Some(answer) = answer::to(sent) {
                    self.state = State::IsAnswered(answer, 0);
                }
            }
            State::IsAnswered(answer, done) => {
                let head = answer.head.as_bytes();
                let rest = head.get(*done..).filter(|rest| !rest.is_empty());
                *done += self.stream.write(rest.unwrap_or_else(|| &answer.body.as_bytes()[*done - head.len()..]))?;
                if *done == head.len() + answer.body.len() {
                    self.stream.shutdown(Shutdown::Write)?;
                    self.state = State::Leaves;
                    self.until = now + LEAVING;
                }
            }
            State::Leaves => return Ok(self.stream.read(&mut [0; 4096])? > 0),
        }
        Ok(true)
    }
}
