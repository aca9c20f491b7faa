//! What is at the key, and what of this user's lies about elsewhere.

use super::{Finding, Level};
use crate::backend::sysv::{Key, Segment, observe_seats, proc};
use crate::cli::exit::{Exit, Failure};
use crate::cli::look::{self, Layout, Process, Shown, Status};
use crate::error::{Both, Error, Ipcs};

pub(super) fn look(key: Key) -> Result<Vec<Finding>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::System, format!("/proc/sysvipc: {error}"));
    let me = nix::unistd::geteuid().as_raw();
    let mut own = look::everywhere().map_err(failed)?;
    own.retain(|shown| shown.uid == me && shown.layout != Layout::Foreign);
    let mut findings = vec![at_key(key)];
    findings.extend(stopped(key));
    let mut stale: Vec<_> = own.iter().filter_map(stale).collect();
    stale.extend(seats_alone(me).map_err(failed)?);
    findings.extend(or_ok(stale, "stale", "nothing of yours lies about unused"));
    findings.extend(or_ok(
        own.iter().filter_map(orphan).collect(),
        "orphans",
        "no removed segment of yours is still attached",
    ));
    findings.extend(or_ok(
        own.iter().filter_map(wide).collect(),
        "modes",
        "no channel of yours is open to other users",
    ));
    Ok(findings)
}

fn or_ok(mut findings: Vec<Finding>, check: &'static str, what: &str) -> Vec<Finding> {
    if findings.iter().all(|finding| finding.level == Level::Ok) {
        findings.push(Finding::ok(check, what));
    }
    findings
}

fn at(key: u32) -> String {
    format!("key {}", Both(key))
}

/// Whether a side that came to the key now would be let in.
fn at_key(key: Key) -> Finding {
    let number = key.number();
    let problem = |error: &Error, command: String| Finding::problem("key", error.to_string(), command);
    let me = nix::unistd::geteuid().as_raw();
    match (look::at(key), Segment::stat_at(key)) {
        (Ok(shown), Ok(Some(stat))) if stat.uid != me || stat.creator_uid != me => Finding::problem(
            "key",
            format!("{}: the {} belongs to {}, and is refused", at(number), shown.layout.noun(), shown.owner),
            format!("shmread -k {number} --trust-owner"),
        ),
        (Ok(shown), _) if shown.looked_into && shown.messages.is_none() => Finding::problem(
            "key",
            format!("{}: the ring's content breaks its layout", at(number)),
            format!("shm-handoff rm --force {number}"),
        ),
        (Ok(shown), _) => Finding::ok(
            "key",
            format!(
                "{}: a {} with {} messages, {} attached",
                at(number),
                shown.layout.noun(),
                shown.messages.unwrap_or(0),
                shown.attached
            ),
        ),
        (Err(Error::Missing { .. } | Error::Removed { .. }), _) => match observe_seats(key) {
            Err(error) => problem(&error, format!("ipcrm -S {}", Ipcs(key.seats()))),
            Ok(_) => Finding::ok("key", format!("{}: free, whoever comes first makes what is needed", at(number))),
        },
        (Err(error @ Error::ForeignSeats { seats, .. }), _) => problem(&error, format!("ipcrm -S {}", Ipcs(seats))),
        (Err(error @ Error::NotAChannel { .. }), _) => problem(&error, format!("ipcrm -M {}", Ipcs(number))),
        (Err(error @ Error::Permission { .. }), _) => {
            problem(&error, format!("ls -ln /proc/sysvipc; ipcs -m -p; shmread -k {}", number.wrapping_add(1)))
        }
        (Err(error), _) => problem(&error, format!("ipcs -m | grep {}", Ipcs(number))),
    }
}

/// A stopped process is not a dead one: the other side waits for it, for as long as it takes.
fn stopped(key: Key) -> Vec<Finding> {
    let seats = observe_seats(key).ok().flatten();
    let pids = seats.into_iter().flat_map(|seats| [seats.writer, seats.reader]).flatten();
    pids.filter(|pid| is_stopped(*pid))
        .map(|pid| {
            let what = format!("pid {} has a seat at {}, and is stopped", Process::new(pid).short(), at(key.number()));
            Finding::problem("stopped", what, format!("kill -CONT {pid}"))
        })
        .collect()
}

fn is_stopped(pid: u32) -> bool {
    let stat = proc::text(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which is in parentheses and can hold anything.
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['T', 't']))
}

fn stale(shown: &Shown) -> Option<Finding> {
    let Shown { key, layout, .. } = shown;
    match shown.status {
        Status::Unused => Some(Finding::problem(
            "stale",
            format!("{}: a {} that nobody is attached to, with nothing in it", at(*key), layout.noun()),
            format!("shm-handoff rm {key}"),
        )),
        Status::Waiting => {
            let messages =
                shown.messages.map_or_else(|| "broken content".to_owned(), |count| format!("{count} messages"));
            let what = format!("{}: a {} that nobody is attached to, with {messages} in it", at(*key), layout.noun());
            Some(Finding::note("stale", what).with(format!("shmread -k {key}")))
        }
        _ => None,
    }
}

/// Seats of ours without a segment, and with nobody in them.
fn seats_alone(me: u32) -> std::io::Result<Vec<Finding>> {
    let sets = proc::sets()?.into_iter().filter(|set| set.uid == me);
    let alone = sets.filter_map(|set| {
        let key = Key::of_seats(set.key)?;
        let sitting = observe_seats(key).ok()??;
        let is_alone =
            sitting.writer.is_none() && sitting.reader.is_none() && matches!(Segment::stat_at(key), Ok(None));
        let what = || format!("{}: seats that nobody sits on, without a segment", at(key.number()));
        is_alone.then(|| Finding::problem("stale", what(), format!("shm-handoff rm {}", key.number())))
    });
    Ok(alone.collect())
}

fn orphan(shown: &Shown) -> Option<Finding> {
    let what =
        || format!("segment {} ({}) was removed, and {} attached", shown.id, shown.layout.noun(), shown.attached);
    (shown.status == Status::Orphan)
        .then(|| Finding::problem("orphans", what(), format!("shm-handoff who --id {}", shown.id)))
}

fn wide(shown: &Shown) -> Option<Finding> {
    let mode = u32::from_str_radix(&shown.mode, 8).unwrap_or(0);
    let what = || format!("{}: mode {} lets other users in", at(shown.key), shown.mode);
    // The mode is given when the segment is made: both sides make it with 600.
    (mode & 0o077 != 0 && shown.key != 0)
        .then(|| Finding::problem("modes", what(), format!("shm-handoff rm {}", shown.key)))
}
