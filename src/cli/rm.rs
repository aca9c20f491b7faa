//! `shm-handoff rm`.

use super::exit::{self, Exit, Failure};
use super::hint::{self, Way};
use super::look::{self, Process};
use super::{spec, stdio};
use crate::backend::sysv::proc::{self, SegmentRow};
use crate::backend::sysv::{Claim, Key, KeySpec, Segment, beyond_a_look, observe_seats};
use crate::declare::Declared;
use crate::error::{Error, Layout, Object, Role, plural};
use clap::Args;

const HELP: &str = "\
Removes a segment, and the semaphore set with its seats, only if that can hurt no process:
it is a channel of ours, no process is attached or seated, and no message waits in it.
A side that comes during the removal waits, and makes a new segment. Only a C program can
slip in, in the microseconds between the last look and the removal, and rm says so.

--force also removes unread messages, and a segment that is no channel, is broken, or may
not be read (it is enough that you own it, whatever its mode). rm never removes a segment
that is attached. Stop the process that has it attached (shm-handoff who KEY), or pull the
memory from under it by ipcrm -M KEY if you want that.

With --layout a slot in that struct is a channel of ours, too. The whole segment is removed,
whatever else lies in it. If the slot does not begin at 0, rm does not look at the other
slots.

Examples:
  shm-handoff rm 1234               if it is not in use
  shm-handoff rm --dry-run 1234     only say what would be removed
  shm-handoff rm --force 0x77       with the messages in it
  shm-handoff rm 1234 0x77 ./f:1    each of them, also if one is refused
  shm-handoff rm --layout 'text[1024]' 1234";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] = [
    ("0", ": removed, or would be"),
    ("1", "; or refused: it is in use, or not ours; or there is nothing"),
    ("2", "; or SPEC declares no layout"),
];

/// Removes segments that provably nobody uses
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Rm {
    /// Keys: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    keys: Vec<KeySpec>,

    #[command(flatten)]
    layout: spec::Given,

    /// Also remove unread messages, and a segment that is no channel, is broken, or may
    /// not be read; never one that is in use
    #[arg(short, long)]
    force: bool,

    /// Only say what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is to go, in words.
struct Goner {
    id: i32,
    what: String,
}

pub(super) fn run(args: &Rm) -> Result<(), Failure> {
    let declared = args.layout.read()?;
    let declared = declared.as_ref();
    Failure::each("shm-handoff rm", &args.keys, |spec| {
        let key = spec.resolve()?;
        let refused = |failure: Failure| Failure { exit: Exit::System, ..failure };
        if args.dry_run { would_remove(key, args.force, declared) } else { remove(key, args.force, declared) }
            .map_err(refused)
    })
}

/// The keys whose seats have to be free: that of the slot, and that of the slot at the segment's beginning.
fn seats_of(key: Key, declared: Option<&Declared>) -> Vec<Key> {
    let slot = look::slot(key, declared);
    if slot == key { vec![key] } else { vec![slot, key] }
}

fn would_remove(key: Key, force: bool, declared: Option<&Declared>) -> Result<(), Failure> {
    let seats: Result<Vec<_>, _> = seats_of(key, declared).into_iter().map(observe_seats).collect();
    let seats: Vec<_> = seats?.into_iter().flatten().collect();
    for (pid, role) in seats.iter().flat_map(|seats| [(seats.writer, Role::Writer), (seats.reader, Role::Reader)]) {
        if let Some(pid) = pid {
            return Err(seated(key, &Error::SeatTaken { at: key.place(), role, pid }));
        }
    }
    match judge(key, force, declared, None)? {
        Some(_) if !may_remove(key)? => Err(forbidden(key)?),
        Some(goner) => stdio::show(&format!("would remove {}\n", goner.what)),
        None if !seats.is_empty() => stdio::show(&format!("would remove the seats of {key}\n")),
        None => Err(nothing(key)),
    }
}

fn may_remove(key: Key) -> Result<bool, Failure> {
    Ok(told(key)?.is_none_or(|row| hint::may_remove(&row)))
}

/// What a removal would meet.
fn forbidden(key: Key) -> Result<Failure, Failure> {
    let (owner, mode) = told(key)?.map_or((0, 0), |row| (row.uid, row.mode & 0o777));
    let owner = format!("uid {owner}");
    let error = Error::Permission { key: key.number(), object: Object::Segment, owner, mode };
    Ok(Failure::from(error).hint(OWNERS))
}

/// No mode lets others remove it.
const OWNERS: &str = "run as the user that it belongs to";

fn nothing(key: Key) -> Failure {
    Failure::from(Error::Missing { key: key.number() }).hint("shm-handoff ls lists the channels")
}

fn remove(key: Key, force: bool, declared: Option<&Declared>) -> Result<(), Failure> {
    let slots = seats_of(key, declared);
    // What is to be said of seats that can't be looked at, the claim says.
    let had_seats = slots.iter().any(|slot| !matches!(observe_seats(*slot), Ok(None)));
    if !had_seats && attachments(key)?.is_none() {
        return Err(nothing(key));
    }
    let claims: Result<Vec<_>, _> = slots.into_iter().map(Claim::take).collect();
    let mut claims = claims.map_err(|error| seated(key, &error))?;
    let goner = judge(key, force, declared, claims.first())?;
    // Nobody of ours makes a segment but with the lock of its beginning, which the last one has.
    let Some(claim) = claims.pop() else { return Err(nothing(key)) };
    let Some(goner) = goner else {
        claim.remove_seats()?;
        claims.into_iter().try_for_each(Claim::remove_seats)?;
        return stdio::show(&format!("removed the seats of {key}\n"));
    };
    let late = claim.remove(goner.id).map_err(|error| match error {
        Error::Permission { .. } => Failure::from(error).hint(OWNERS),
        other => other.into(),
    })?;
    claims.into_iter().try_for_each(Claim::remove_seats)?;
    stdio::show(&format!("removed {}\n", goner.what))?;
    if late > 0 {
        let what = format!("{key}: a process without a seat attached while it was being removed");
        return Err(
            Failure::new(Exit::System, what).hint("start it again: no other process sees the memory that it holds")
        );
    }
    Ok(())
}

fn seated(key: Key, error: &Error) -> Failure {
    match error {
        Error::SeatTaken { role, pid, .. } => {
            let who = Process::new(*pid).in_words();
            Failure::new(Exit::System, format!("{key}: in use: {who} is the {role}")).hint("stop it first")
        }
        other => other.clone().into(),
    }
}

/// How many have attached what is at the key, also if it may not be read; `None`: there is nothing.
fn attachments(key: Key) -> Result<Option<usize>, Failure> {
    match Segment::stat_at(key) {
        Err(Error::Permission { .. }) => Ok(told(key)?.map(|row| row.attached)),
        stat => Ok(stat?.map(|stat| stat.attached)),
    }
}

/// What everybody is told of the segment at the key.
fn told(key: Key) -> Result<Option<SegmentRow>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::System, format!("/proc/sysvipc/shm: {error}"));
    proc::segment_at(key.number()).map_err(failed)
}

/// Whether what is at the key may go; `None`: there is nothing. The seats are the caller's matter.
fn judge(key: Key, force: bool, declared: Option<&Declared>, claim: Option<&Claim>) -> Result<Option<Goner>, Failure> {
    if attachments(key)?.is_none() {
        return Ok(None);
    }
    let count = beyond_a_look(|| Ok::<_, Failure>(attachments(key)?.unwrap_or(0)))?;
    if count > 0 {
        let what = format!("{key}: in use: {count} attachment{}", plural(count));
        return Err(Failure::new(Exit::System, what).hint(format!("see whose: shm-handoff who {}", key.number())));
    }
    let keep = |why: String, hint: &str| Err(Failure::new(Exit::System, format!("{key}: {why}")).hint(hint));
    let all_the_same = if may_remove(key)? { "--force removes it all the same" } else { OWNERS };
    let observed = |claim: &Claim| Ok(look::shown(key, &claim.observe(declared)?, declared));
    let shown = claim.map_or_else(|| look::at(key, declared), observed);
    let shown = match shown {
        Ok(shown) => shown,
        Err(Error::Missing { .. } | Error::Removed { .. }) => return Ok(None),
        Err(error @ Error::NotAChannel { .. }) if !force => {
            let hint = match &error {
                Error::NotAChannel { looks_like: Some(spec), .. } => {
                    format!("{}: --layout '{spec}'; else {all_the_same}", hint::declares(spec))
                }
                _ => all_the_same.to_owned(),
            };
            return Err(Failure::from(error).hint(hint));
        }
        Err(error @ (Error::NotAChannel { .. } | Error::Permission { object: Object::Segment, .. })) => {
            let Some(row) = told(key)? else { return Ok(None) };
            let mode = format!("mode {:03o}", row.mode & 0o777);
            let is_foreign = matches!(error, Error::NotAChannel { .. });
            if !is_foreign && !force && !hint::is_blank(&row) {
                let why = format!("it has {mode}, so nobody can tell whether messages lie in it");
                return keep(why, all_the_same);
            }
            let what = if is_foreign { "no channel" } else { &mode };
            let what = format!("segment {} ({} byte{}, {what}) at {key}", row.id, row.size, plural(row.size));
            return Ok(Some(Goner { id: row.id, what }));
        }
        Err(other) => return Err(spec::refused(other, key)),
    };
    let what = match shown.messages {
        None if !force => return keep("its content breaks its layout".to_owned(), all_the_same),
        Some(count @ 1..) if !force => {
            if let Some(suspicion) = shown.suspicion() {
                return keep(suspicion, all_the_same);
            }
            let trust = look::needs_trust(shown.uid, shown.creator_uid);
            let read = Way::Read { key: key.number(), messages: count, trust }.command(declared);
            let them = if count == 1 { "it" } else { "them" };
            let hint = if may_remove(key)? {
                format!("--force loses {them}; to read {them} first: {read}")
            } else {
                OWNERS.to_owned()
            };
            let what =
                format!("{count} message{} {} unread in it", plural(count), if count == 1 { "lies" } else { "lie" });
            return keep(what, &hint);
        }
        Some(0) if shown.ended => ", the end of a session unread".to_owned(),
        Some(0) => String::new(),
        Some(count) => format!(", {count} unread"),
        None => ", broken".to_owned(),
    };
    let layout = match &shown.ring {
        Some(ring) => Layout::Ring { capacity: ring.capacity }.to_string(),
        None => shown.layout.noun().to_owned(),
    };
    Ok(Some(Goner { id: shown.id, what: format!("segment {} ({layout}{what}) at {key}", shown.id) }))
}
