//! One process of a race: a writer or a reader of either protocol, which does
//! as it is told and says what became of it.

use super::ends::{Source, Target};
use super::form::Form;
use super::link::Link;
use super::stamp::Stamp;
use super::tally::{Came, What, tally};
use super::torn::Torn;
use super::wire::{Done, Request, Response};
use crate::backend::sysv::Key;
use crate::cli::exit::{Exit, Failure};
use crate::cli::spec;
use crate::protocol::slot::rules;
use nix::errno::Errno;
use std::time::{Duration, Instant};

/// After this a writer begins no more with texts that end in an `end`, or as many records: a machine
/// that is busy hands over a thousand times fewer than an idle one.
const ENOUGH: Duration = Duration::from_millis(100);

/// The end that this process holds at the moment.
enum Held {
    Nothing,
    Source(Source),
    Target(Target),
}

/// What a reader has read since it was last judged.
#[derive(Default)]
struct Seen {
    came: Vec<Came>,
    session: u32,
    /// The first that nobody has written as it is.
    torn: Option<Vec<u8>>,
}

/// Carries out requests until there are no more.
pub(in crate::cli) fn side() -> Result<(), Failure> {
    let mut link = Link::on_standard_streams()?;
    let mut held = Held::Nothing;
    let mut seen = Seen::default();
    let mut form = Form::of(None)?;
    while let Some(request) = link.next_request()? {
        let response = carry_out(request, &mut held, &mut form, &mut seen, &mut link);
        link.respond(response.as_ref())?;
    }
    Ok(())
}

fn carry_out(
    request: Request,
    held: &mut Held,
    form: &mut Form,
    seen: &mut Seen,
    link: &mut Link,
) -> Result<Response, Failure> {
    match (request, &mut *held) {
        (Request::Open { protocol, key, writes, layout }, _) => {
            let declared = layout.as_deref().map(spec::read).transpose()?;
            *form = Form::of(declared.as_ref())?;
            let options = protocol.options(Key::new(key)?, declared.as_ref())?;
            let opened = if writes {
                Source::open(protocol, &options).map(Held::Source)
            } else {
                Target::open(protocol, &options).map(Held::Target)
            };
            match opened {
                Ok(opened) => *held = opened,
                Err(failure) if failure.exit == Exit::RoleTaken => return Ok(Response::Refused),
                Err(failure) => return Err(failure),
            }
            Ok(Response::Opened)
        }
        (Request::Send { session, writer, from, upto, end_every, typed }, Held::Source(source)) => {
            let stamp = |seq| Stamp { session, writer, seq };
            send(source, *form, (from..upto).map(stamp), end_every, typed, link)
        }
        (Request::Read { session, most, through_ends }, Held::Target(target)) => {
            let most = most.map_or(usize::MAX, |most| seen.came.len() + most as usize);
            seen.session = session;
            read(target, *form, most, through_ends, seen, link).map(Response::Read)
        }
        (Request::Leave, _) => {
            match std::mem::replace(held, Held::Nothing) {
                Held::Source(source) => source.leave()?,
                Held::Target(target) => target.leave()?,
                Held::Nothing => {}
            }
            Ok(Response::Left)
        }
        (Request::Judge { sent, ends }, _) => Ok(judge(&std::mem::take(seen), *form, sent, ends)),
        (request, _) => Err(Failure::io(&format!("the request {request:?} at this point"), Errno::EINVAL)),
    }
}

fn send(
    source: &mut Source,
    form: Form,
    stamps: impl Iterator<Item = Stamp>,
    end_every: u32,
    typed: bool,
    link: &mut Link,
) -> Result<Response, Failure> {
    let started = Instant::now();
    let (mut texts, mut ends, mut stuck) = (0, 0, false);
    let mut text = Vec::new();
    for stamp in stamps {
        form.write(stamp, &mut text);
        stuck = !source.send(&text, typed, link)?;
        if stuck {
            break;
        }
        texts += 1;
        if end_every > 0 && (stamp.seq + 1).is_multiple_of(end_every) {
            if form.has_end() {
                stuck = !source.end(typed, link)?;
                if stuck {
                    break;
                }
                ends += 1;
            }
            if started.elapsed() > ENOUGH {
                break;
            }
        }
    }
    let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Ok(Response::Sent { texts, ends, nanos, stuck })
}

/// Counts, and takes one torn message apart.
fn judge(seen: &Seen, form: Form, sent: [u32; 2], ends: u32) -> Response {
    let Seen { came, session, torn } = seen;
    // A whole text that was not sent is what its head says.
    let unsent = || {
        came.iter().find_map(|came| match came.what {
            What::Text { writer, seq } if sent.get(writer).is_none_or(|sent| seq >= *sent) => {
                let mut text = Vec::new();
                form.write(Stamp { session: *session, writer: u32::try_from(writer).ok()?, seq }, &mut text);
                Some(text)
            }
            _ => None,
        })
    };
    let torn = torn.clone().or_else(unsent).map(|message| Torn::of(&message, form, *session, &sent));
    Response::Judged(tally(&sent, ends, came), torn)
}

fn read(
    target: &mut Target,
    form: Form,
    most: usize,
    through_ends: bool,
    seen: &mut Seen,
    link: &mut Link,
) -> Result<Done, Failure> {
    let mut scratch = Vec::new();
    while seen.came.len() < most {
        let Some((text, leaves)) = target.take(link)? else { return Ok(Done::Stuck) };
        let what = match form.read(text, seen.session, &mut scratch) {
            Some(stamp) => What::Text { writer: stamp.writer as usize, seq: stamp.seq },
            None if !form.has_end() => What::Torn,
            // A ring's end has no text.
            None if rules::is_bare_end(text) || leaves && text.is_empty() => What::End,
            _ => What::Torn,
        };
        if what == What::Torn {
            seen.torn.get_or_insert_with(|| text.to_vec());
        }
        seen.came.push(Came { what, leaves });
        if leaves && !through_ends {
            return Ok(Done::Left);
        }
    }
    Ok(Done::Enough)
}
