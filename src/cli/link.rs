//! A crew's process's connection to who started it: orders on its input, reports on its
//! output.

use super::crew::Part;
use super::exit::{Exit, Failure};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::os::fd::AsFd;

pub(super) struct Link<P> {
    orders: BufReader<File>,
    reports: File,
    part: PhantomData<P>,
}

impl<P: Part> Link<P> {
    /// On the standard streams; as files, since std's own buffers can't be
    /// asked whether a read would block.
    pub(super) fn on_standard_streams() -> Result<Self, Failure> {
        let file = |fd: std::io::Result<std::os::fd::OwnedFd>| fd.map(File::from).map_err(|error| lost(&error));
        Ok(Self {
            orders: BufReader::new(file(std::io::stdin().as_fd().try_clone_to_owned())?),
            reports: file(std::io::stdout().as_fd().try_clone_to_owned())?,
            part: PhantomData,
        })
    }

    /// The next order; `None`: there will be no more.
    pub(super) fn order(&mut self) -> Result<Option<P::Order>, Failure> {
        let mut line = String::new();
        match self.orders.read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => serde_json::from_str(&line).map(Some).map_err(|error| lost(&error)),
            Err(error) => Err(lost(&error)),
        }
    }

    /// Whether [`order`](Self::order) would not wait.
    pub(super) fn has_order(&self) -> bool {
        let mut files = [PollFd::new(self.orders.get_ref().as_fd(), PollFlags::POLLIN)];
        !self.orders.buffer().is_empty() || matches!(poll(&mut files, PollTimeout::ZERO), Ok(1..))
    }

    /// Says what became of an order.
    pub(super) fn report(&mut self, report: Result<&P::Report, &Failure>) -> Result<(), Failure> {
        let report = report.map_err(|failure| &failure.message);
        let mut line = serde_json::to_vec(&report).expect("numbers and strings are always JSON");
        line.push(b'\n');
        self.reports.write_all(&line).map_err(|error| lost(&error))
    }
}

fn lost(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::System, format!("no orders come on standard input ({why}); shm-handoff itself starts this"))
}
