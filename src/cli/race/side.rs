//! One process of a race: a writer or a reader of either protocol, which does
//! as it is told and says what became of it.

use super::ends::{Source, Target};
use super::stamp::Stamp;
use super::tally::{Came, What, tally};
use super::wire::{Done, Order, Report, Who};
use crate::backend::sysv::Key;
use crate::cli::exit::{Exit, Failure};
use crate::cli::link;
use crate::protocol::message;
use nix::errno::Errno;
use std::time::{Duration, Instant};

/// After this a writer begins no more with texts that end in an `end`: a machine
/// that is busy hands over a thousand times fewer than an idle one.
const ENOUGH: Duration = Duration::from_millis(100);

/// The connection to the race.
pub(super) struct Link {
    link: link::Link<Who>,
    /// The other side is done; or the race is gone, which leaves as little to
    /// wait for.
    told: bool,
}

impl Link {
    fn next(&mut self) -> Result<Option<Order>, Failure> {
        self.told = false;
        loop {
            match self.link.order()? {
                // It came when nobody waited any more.
                Some(Order::Told) => {}
                order => return Ok(order),
            }
        }
    }

    /// Whether the other side is done, asked by one who waits.
    pub(super) fn is_told(&mut self) -> bool {
        if !self.told && self.link.has_order() {
            // Nothing but this can come while an order is being carried out.
            self.told = matches!(self.link.order(), Ok(Some(Order::Told) | None) | Err(_));
        }
        self.told
    }

    pub(super) fn report(&mut self, report: &Report) -> Result<(), Failure> {
        self.link.report(Ok(report))
    }
}

/// The end that this process holds at the moment.
enum Held {
    Nothing,
    Source(Source),
    Target(Target),
}

/// Carries out orders until there are no more.
pub(in crate::cli) fn side() -> Result<(), Failure> {
    let mut link = Link { link: link::Link::on_standard_streams()?, told: false };
    let mut held = Held::Nothing;
    let mut came = Vec::new();
    while let Some(order) = link.next()? {
        let report = carry_out(order, &mut held, &mut came, &mut link);
        link.link.report(report.as_ref())?;
    }
    Ok(())
}

fn carry_out(order: Order, held: &mut Held, came: &mut Vec<Came>, link: &mut Link) -> Result<Report, Failure> {
    match (order, &mut *held) {
        (Order::Open { protocol, key, writes }, _) => {
            let options = protocol.options(Key::new(key)?)?;
            let opened = if writes {
                Source::open(protocol, &options).map(Held::Source)
            } else {
                Target::open(protocol, &options).map(Held::Target)
            };
            match opened {
                Ok(opened) => *held = opened,
                Err(failure) if failure.exit == Exit::RoleTaken => return Ok(Report::Refused),
                Err(failure) => return Err(failure),
            }
            Ok(Report::Opened)
        }
        (Order::Send { session, writer, from, upto, end_every, typed }, Held::Source(source)) => {
            let stamp = |seq| Stamp { session, writer, seq };
            send(source, (from..upto).map(stamp), end_every, typed, link)
        }
        (Order::Read { session, most, through_ends }, Held::Target(target)) => {
            let most = most.map_or(usize::MAX, |most| came.len() + most as usize);
            read(target, session, most, through_ends, came, link).map(Report::Read)
        }
        (Order::Leave, _) => {
            match std::mem::replace(held, Held::Nothing) {
                Held::Source(source) => source.leave()?,
                Held::Target(target) => target.leave()?,
                Held::Nothing => {}
            }
            Ok(Report::Left)
        }
        (Order::Judge { sent, ends }, _) => Ok(Report::Judged(tally(&sent, ends, &std::mem::take(came)))),
        (order, _) => Err(Failure::io(&format!("the order {order:?} at this point"), Errno::EINVAL)),
    }
}

fn send(
    source: &mut Source,
    stamps: impl Iterator<Item = Stamp>,
    end_every: u32,
    typed: bool,
    link: &mut Link,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let (mut texts, mut ends, mut stuck) = (0, 0, false);
    let mut text = Vec::new();
    for stamp in stamps {
        stamp.write(&mut text);
        stuck = !source.send(&text, typed, link)?;
        if stuck {
            break;
        }
        texts += 1;
        if end_every > 0 && (stamp.seq + 1).is_multiple_of(end_every) {
            stuck = !source.end(typed, link)?;
            if stuck {
                break;
            }
            ends += 1;
            if started.elapsed() > ENOUGH {
                break;
            }
        }
    }
    let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Ok(Report::Sent { texts, ends, nanos, stuck })
}

fn read(
    target: &mut Target,
    session: u32,
    most: usize,
    through_ends: bool,
    came: &mut Vec<Came>,
    link: &mut Link,
) -> Result<Done, Failure> {
    let mut scratch = Vec::new();
    while came.len() < most {
        let Some((text, leaves)) = target.take(link)? else { return Ok(Done::Stuck) };
        let what = match Stamp::read(text, &mut scratch) {
            Some(stamp) if stamp.session == session => What::Text { writer: stamp.writer as usize, seq: stamp.seq },
            None if message::is_bare_end(text) => What::End,
            _ => What::Torn,
        };
        came.push(Came { what, leaves });
        if leaves && !through_ends {
            return Ok(Done::Left);
        }
    }
    Ok(Done::Enough)
}
