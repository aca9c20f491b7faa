//! The two processes and what lies between them: made, put to work, taken away.

use super::cores::Cores;
use super::wire::{Opening, Received, Request, Response, Side, Transport};
use crate::cli::exit::{Exit, Failure};
use crate::cli::scratch::Scratch;
use crate::cli::signals::Signals;
use crate::cli::workers::{Part, Workers};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const BOTH: [Side; 2] = [Side::Near, Side::Far];

pub(super) struct Pair<'s> {
    // Dropped in this order: the processes end before what they use.
    workers: Workers<'s, Side>,
    _scratches: Vec<Scratch>,
}

/// What lies between, as both sides are told of it.
#[derive(Default)]
struct Between {
    scratches: Vec<Scratch>,
    /// What each side is started with.
    files: [Vec<OwnedFd>; 2],
    openings: Vec<(Transport, [Opening; 2])>,
}

impl Between {
    fn make(&mut self, transport: Transport) -> Result<(), Failure> {
        let failed = |error| Failure::new(Exit::System, format!("a {} can't be made: {error}", transport.name()));
        let openings = match transport {
            Transport::Classic | Transport::Ring => {
                let [there, back] = [self.claim(transport)?, self.claim(transport)?];
                [Opening::Keys { to: there, from: back }, Opening::Keys { to: back, from: there }]
            }
            Transport::Pipe => {
                let (far_from, near_to) = std::io::pipe().map_err(failed)?;
                let (near_from, far_to) = std::io::pipe().map_err(failed)?;
                [self.give(0, near_to, near_from), self.give(1, far_to, far_from)]
            }
            Transport::Socket => {
                let (near, far) = UnixStream::pair().map_err(failed)?;
                let (near_too, far_too) = (near.try_clone().map_err(failed)?, far.try_clone().map_err(failed)?);
                [self.give(0, near, near_too), self.give(1, far, far_too)]
            }
        };
        self.openings.push((transport, openings));
        Ok(())
    }

    /// A key of a channel that is there.
    fn claim(&mut self, transport: Transport) -> Result<u32, Failure> {
        let mut scratch = Scratch::claim(None, None)?;
        let key = scratch.key();
        if transport == Transport::Ring {
            scratch.remake(transport.options(key)?)?;
        }
        self.scratches.push(scratch);
        Ok(key.number())
    }

    fn give(&mut self, side: usize, to: impl Into<OwnedFd>, from: impl Into<OwnedFd>) -> Opening {
        let (to, from) = (to.into(), from.into());
        let opening = Opening::Files { to: to.as_raw_fd(), from: from.as_raw_fd() };
        self.files[side].extend([to, from]);
        opening
    }
}

impl<'s> Pair<'s> {
    /// Two processes on these cores, with these transports between them.
    pub(super) fn start(
        signals: &'s Signals,
        transports: &[Transport],
        cores: Cores,
        size: usize,
    ) -> Result<Self, Failure> {
        let mut between = Between::default();
        for transport in transports {
            between.make(*transport)?;
        }
        let Between { scratches, files, openings } = between;
        let workers = Workers::start(signals, BOTH.into_iter().zip(files))?;
        let mut pair = Self { workers, _scratches: scratches };
        pair.both(&cores.map(|core| Request::Pin { core }))?;
        for (transport, openings) in openings {
            pair.both(&openings.map(|opening| Request::Open { transport, opening, size }))?;
        }
        Ok(pair)
    }

    /// Round trips for so long: nanoseconds, and how many took so long.
    pub(super) fn trips(&mut self, transport: Transport, time: Duration) -> Result<Vec<(u64, u64)>, Failure> {
        match self.both(&[Request::Ask { transport, time }, Request::Answer { transport }])? {
            [Response::Trips(trips), Response::Done] => Ok(trips),
            other => Err(nonsense(&other)),
        }
    }

    /// Messages one way for so long.
    pub(super) fn stream(&mut self, transport: Transport, time: Duration) -> Result<Received, Failure> {
        match self.both(&[Request::Send { transport, time }, Request::Receive { transport }])? {
            [Response::Done, Response::Received(received)] => Ok(received),
            other => Err(nonsense(&other)),
        }
    }

    /// Has both do something together.
    fn both(&mut self, requests: &[Request; 2]) -> Result<[Response; 2], Failure> {
        for (side, request) in BOTH.iter().zip(requests) {
            self.workers.ask(*side, request)?;
        }
        let (first, response) = self.workers.next_response(&BOTH)?;
        let second = if first == Side::Near { Side::Far } else { Side::Near };
        let (_, other) = self.workers.next_response(&[second])?;
        Ok(if first == Side::Near { [response, other] } else { [other, response] })
    }
}

fn nonsense(responses: &[Response; 2]) -> Failure {
    let [near, far] = BOTH.map(Part::name);
    Failure::new(Exit::System, format!("the {near} and the {far} answer {responses:?}, which is a bug"))
}
