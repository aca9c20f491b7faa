//! The connection of a race's process to the race.

use super::wire::{Request, Response, Who};
use crate::cli::exit::Failure;
use crate::cli::link;

/// The connection to the race.
pub(super) struct Link {
    link: link::Link<Who>,
    /// The other side is done; or the race is gone, which leaves as little to
    /// wait for.
    told: bool,
}

impl Link {
    pub(super) fn on_standard_streams() -> Result<Self, Failure> {
        Ok(Self { link: link::Link::on_standard_streams()?, told: false })
    }

    pub(super) fn next_request(&mut self) -> Result<Option<Request>, Failure> {
        self.told = false;
        loop {
            match self.link.next_request()? {
                // It came when nobody waited any more.
                Some(Request::Told) => {}
                request => return Ok(request),
            }
        }
    }

    /// Whether the other side is done, asked by one who waits.
    pub(super) fn is_told(&mut self) -> bool {
        if !self.told && self.link.has_request() {
            // Nothing but this can come while a request is being carried out.
            self.told = matches!(self.link.next_request(), Ok(Some(Request::Told) | None) | Err(_));
        }
        self.told
    }

    pub(super) fn respond(&mut self, response: Result<&Response, &Failure>) -> Result<(), Failure> {
        self.link.respond(response)
    }
}
