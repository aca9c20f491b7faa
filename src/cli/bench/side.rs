//! One of the two processes: opens its ends of every transport, and works as it is told.

use super::cores;
use super::ends::{Classic, Files, Ring};
use super::measure::{Runner, Work};
use super::wire::{Opening, Request, Response, Side, Transport};
use crate::cli::exit::Failure;
use crate::cli::link::Link;
use nix::errno::Errno;

/// Before what is measured, the same is done for this part of its time, for caches and
/// predictors to be as they will be.
const WARM_UP: u32 = 10;

/// What this process has opened.
type Held = Vec<(Transport, Box<dyn Work>)>;

/// Carries out requests until there are no more.
pub(in crate::cli) fn side() -> Result<(), Failure> {
    let mut link = Link::<Side>::on_standard_streams()?;
    let mut held = Held::new();
    while let Some(request) = link.next_request()? {
        let response = carry_out(&request, &mut held);
        link.respond(response.as_ref())?;
    }
    Ok(())
}

fn carry_out(request: &Request, held: &mut Held) -> Result<Response, Failure> {
    match *request {
        Request::Pin { core } => cores::pin(core)?,
        Request::Open { transport, opening, size } => held.push((transport, open(transport, opening, size)?)),
        Request::Ask { transport, time } => {
            let work = find(held, transport)?;
            work.trips(time / WARM_UP)?;
            let trips = work.trips(time)?;
            let counts = trips.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()));
            return Ok(Response::Trips(counts.collect()));
        }
        Request::Answer { transport } => {
            let work = find(held, transport)?;
            work.answer()?;
            work.answer()?;
        }
        Request::Send { transport, time } => {
            let work = find(held, transport)?;
            work.send(time / WARM_UP)?;
            work.send(time)?;
        }
        Request::Receive { transport } => {
            let work = find(held, transport)?;
            work.receive()?;
            return work.receive().map(Response::Received);
        }
    }
    Ok(Response::Done)
}

fn open(transport: Transport, opening: Opening, size: usize) -> Result<Box<dyn Work>, Failure> {
    Ok(match (transport, opening) {
        (Transport::Classic, Opening::Keys { to, from }) => {
            Box::new(Runner::new(Classic::open(Transport::Classic, to, from)?, size))
        }
        (Transport::Ring, Opening::Keys { to, from }) => {
            Box::new(Runner::new(Ring::open(Transport::Ring, to, from)?, size))
        }
        (Transport::Pipe | Transport::Socket, Opening::Files { to, from }) => {
            Box::new(Runner::new(Files::open(to, from)?, size))
        }
        (transport, opening) => {
            return Err(Failure::io(&format!("{} from {opening:?}", transport.name()), Errno::EINVAL));
        }
    })
}

fn find(held: &mut Held, transport: Transport) -> Result<&mut Box<dyn Work>, Failure> {
    let found = held.iter_mut().find(|(held, _)| *held == transport);
    found.map(|(_, work)| work).ok_or_else(|| Failure::io(&format!("{}, not opened", transport.name()), Errno::EINVAL))
}
