//! A worker's connection to the program that started it: requests come on standard input, responses go to
//! standard output.

use super::exit::{Exit, Failure};
use super::workers::Part;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::os::fd::AsFd;

pub(super) struct Link<P> {
    requests: BufReader<File>,
    responses: File,
    part: PhantomData<P>,
}

impl<P: Part> Link<P> {
    /// On the standard streams; as files, since std's own buffers can't be
    /// asked whether a read would block.
    pub(super) fn on_standard_streams() -> Result<Self, Failure> {
        let file = |fd: std::io::Result<std::os::fd::OwnedFd>| fd.map(File::from).map_err(|error| lost(&error));
        Ok(Self {
            requests: BufReader::new(file(std::io::stdin().as_fd().try_clone_to_owned())?),
            responses: file(std::io::stdout().as_fd().try_clone_to_owned())?,
            part: PhantomData,
        })
    }

    /// The next request; `None`: there will be no more.
    pub(super) fn next_request(&mut self) -> Result<Option<P::Request>, Failure> {
        let mut line = String::new();
        match self.requests.read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => serde_json::from_str(&line).map(Some).map_err(|error| lost(&error)),
            Err(error) => Err(lost(&error)),
        }
    }

    /// Whether [`next_request`](Self::next_request) would not wait.
    pub(super) fn has_request(&self) -> bool {
        let mut files = [PollFd::new(self.requests.get_ref().as_fd(), PollFlags::POLLIN)];
        !self.requests.buffer().is_empty() || matches!(poll(&mut files, PollTimeout::ZERO), Ok(1..))
    }

    /// Says what became of a request.
    pub(super) fn respond(&mut self, response: Result<&P::Response, &Failure>) -> Result<(), Failure> {
        let response = response.map_err(|failure| &failure.message);
        let mut line = serde_json::to_vec(&response).expect("numbers and strings are always JSON");
        line.push(b'\n');
        self.responses.write_all(&line).map_err(|error| lost(&error))
    }
}

fn lost(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::System, format!("no requests come on standard input ({why}); shm-handoff itself starts this"))
}
