//! `shm-handoff rm`.

use super::exit::{Exit, Failure};
use super::look::{self, Process};
use super::stdio;
use crate::backend::sysv::{Claim, Key, KeySpec, Segment, observe_seats};
use crate::error::{Error, Kind, Role};
use clap::Args;

const HELP: &str = "\
Removes a segment, and the semaphore set with its seats, only if that can hurt nobody:
it is a channel of ours, nobody is attached or seated, and no message waits in it.
Whoever comes while it is being removed waits, and makes a new one; only a C program
can slip in in the microseconds between the last look and the removal, which is said.

--force also removes unread messages, and what is no channel or broken. Nothing removes
what somebody is attached to: stop that process (shm-handoff who KEY), or pull the memory
from under it by ipcrm -M KEY if that is what you want.

Examples:
  shm-handoff rm 1234               if nobody needs it
  shm-handoff rm --dry-run 1234     what would be done
  shm-handoff rm --force 0x77       with the messages in it
  shm-handoff rm 1234 0x77 ./f:1    each of them, also if one is refused

Exit status:
  0  removed, or would be
  1  refused: it is in use, or not ours; there is nothing; or a system call failed
  2  usage";

/// Removes segments that provably nobody uses
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct Rm {
    /// Keys: decimal, 0x hexadecimal, or PATH:ID as ftok takes it
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    keys: Vec<KeySpec>,

    /// Also with unread messages in it, and also what is no channel or broken; never
    /// what somebody uses
    #[arg(short, long)]
    force: bool,

    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is to go, in words.
struct Goner {
    id: i32,
    what: String,
}

pub(super) fn run(args: &Rm) -> Result<(), Failure> {
    Failure::each("shm-handoff rm", &args.keys, |spec| {
        let key = spec.resolve()?;
        let refused = |failure: Failure| Failure { exit: Exit::System, ..failure };
        if args.dry_run { would_remove(key, args.force) } else { remove(key, args.force) }.map_err(refused)
    })
}

fn would_remove(key: Key, force: bool) -> Result<(), Failure> {
    let seats = observe_seats(key)?;
    for (pid, role) in seats.iter().flat_map(|seats| [(seats.writer, Role::Writer), (seats.reader, Role::Reader)]) {
        if let Some(pid) = pid {
            return Err(seated(key, &Error::SeatTaken { key: key.number(), role, pid }));
        }
    }
    match judge(key, force, None)? {
        Some(goner) => stdio::show(&format!("would remove {}\n", goner.what)),
        None if seats.is_some() => stdio::show(&format!("would remove the seats of {}\n", at(key))),
        None => Err(nothing(key)),
    }
}

fn nothing(key: Key) -> Failure {
    Failure::from(Error::Missing { key: key.number() }).hint("shm-handoff ls shows those there are")
}

fn remove(key: Key, force: bool) -> Result<(), Failure> {
    let had_seats = observe_seats(key)?.is_some();
    if !had_seats && Segment::stat_at(key)?.is_none() {
        return Err(nothing(key));
    }
    let claim = Claim::take(key).map_err(|error| seated(key, &error))?;
    let Some(goner) = judge(key, force, Some(&claim))? else {
        drop(claim);
        return stdio::show(&format!("removed the seats of {}\n", at(key)));
    };
    let late = claim.remove(goner.id)?;
    stdio::show(&format!("removed {}\n", goner.what))?;
    if late > 0 {
        let what = format!("{}: a process without a seat attached while it was being removed", at(key));
        return Err(Failure::new(Exit::System, what).hint("start it again: it holds memory that nobody else sees"));
    }
    Ok(())
}

fn at(key: Key) -> String {
    format!("key {key}")
}

fn seated(key: Key, error: &Error) -> Failure {
    match error {
        Error::SeatTaken { role, pid, .. } => {
            let who = Process::new(*pid);
            let who = if *pid == 0 {
                "a process of another pid namespace".to_owned()
            } else {
                format!("pid {}", who.short())
            };
            Failure::new(Exit::System, format!("{}: in use: {who} is the {role}", at(key))).hint("stop it first")
        }
        other => other.clone().into(),
    }
}

/// Whether what is at the key may go; `None`: there is nothing. The seats are the caller's matter.
fn judge(key: Key, force: bool, claim: Option<&Claim>) -> Result<Option<Goner>, Failure> {
    let Some(stat) = Segment::stat_at(key)? else { return Ok(None) };
    if stat.attached > 0 {
        let count = stat.attached;
        let what = format!("{}: in use: {count} attachment{}", at(key), if count == 1 { "" } else { "s" });
        return Err(Failure::new(Exit::System, what).hint(format!("see whose: shm-handoff who {}", key.number())));
    }
    let keep = |why: String, hint: &str| Err(Failure::new(Exit::System, format!("{}: {why}", at(key))).hint(hint));
    let shown = claim.map_or_else(|| look::at(key), |claim| Ok(look::shown(key, &claim.look()?)));
    let shown = match shown {
        Ok(shown) => shown,
        Err(Error::Missing { .. } | Error::Removed { .. }) => return Ok(None),
        Err(error @ Error::NotAChannel { .. }) if !force => return Err(error.into()),
        Err(Error::NotAChannel { .. }) => {
            let segment = Segment::open(key)?;
            let what = format!("segment {} ({} bytes, no channel) at {}", segment.id(), segment.size(), at(key));
            return Ok(Some(Goner { id: segment.id(), what }));
        }
        Err(other) => return Err(other.into()),
    };
    let what = match shown.messages {
        None if !force => return keep("its content breaks its layout".to_owned(), "--force removes it all the same"),
        Some(count @ 1..) if !force => {
            let hint = format!("read them (shmread -k {}), or lose them: --force", key.number());
            let what = format!(
                "{count} message{} {} unread in it",
                if count == 1 { "" } else { "s" },
                if count == 1 { "lies" } else { "lie" }
            );
            return keep(what, &hint);
        }
        Some(0) => String::new(),
        Some(count) => format!(", {count} unread"),
        None => ", broken".to_owned(),
    };
    let layout = match &shown.ring {
        Some(ring) => Kind::Ring { capacity: ring.capacity }.to_string(),
        None => shown.layout.noun().to_owned(),
    };
    Ok(Some(Goner { id: shown.id, what: format!("segment {} ({layout}{what}) at {}", shown.id, at(key)) }))
}
