//! What is at the key, and what of this user's lies about elsewhere.

use super::finding::{Finding, Level};
use crate::backend::sysv::proc::{self, Life, SegmentRow};
use crate::backend::sysv::{Key, Segment, observe_seats};
use crate::cli::hint::{self, Way};
use crate::cli::look::{self, Layout, Process, Shown, Status};
use crate::cli::{spec, suspect};
use crate::declare::Declared;
use crate::error::{Error, Ipcs, Place, plural};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// `declared`: what has the size of such a slot is one.
pub(super) fn look(key: Key, declared: Option<&Declared>) -> Vec<Finding> {
    let me = nix::unistd::geteuid().as_raw();
    let mut findings = vec![at_key(key, declared)];
    findings.extend(stopped(look::slot(key, declared)));
    let (mut own, alone) = match (look::everywhere(declared), seats_alone(me, key, declared)) {
        (Ok(own), Ok(alone)) => (own, alone),
        (Err(error), _) | (_, Err(error)) => {
            let what = format!("can't be looked for: /proc/sysvipc can't be read ({error})");
            findings.extend(["stale", "orphans", "modes"].map(|check| Finding::note(check, what.clone())));
            return findings;
        }
    };
    own.retain(|shown| shown.uid == me && shown.layout != Layout::Foreign);
    let mut stale: Vec<_> = own.iter().filter_map(|shown| stale(shown, declared)).collect();
    stale.extend(alone);
    findings.extend(or_ok(stale, "stale", "nothing of yours lies about unused"));
    findings.extend(or_ok(
        own.iter().filter_map(orphan).collect(),
        "orphans",
        "no removed segment of yours is still attached",
    ));
    findings.extend(or_ok(
        own.iter().filter_map(|shown| wide(shown, declared)).collect(),
        "modes",
        "no channel of yours is open to other users",
    ));
    findings
}

fn or_ok(mut findings: Vec<Finding>, check: &'static str, what: &str) -> Vec<Finding> {
    if findings.iter().all(|finding| finding.level == Level::Ok) {
        findings.push(Finding::ok(check, what));
    }
    findings
}

/// Whether a side that came to the key now would be let in.
fn at_key(key: Key, declared: Option<&Declared>) -> Finding {
    let (number, slot) = (key.number(), look::slot(key, declared));
    let problem = |error: &Error, command: Option<String>| Finding::problem("key", error.to_string(), command);
    let way_out = || hint::way_out(number, declared).map(|way| way.command(declared));
    let me = nix::unistd::geteuid().as_raw();
    if let Err(error @ Error::Permission { .. }) = observe_seats(slot) {
        return problem(&error, hint::remove_seats(slot));
    }
    match (look::at(key, declared), Segment::stat_at(key)) {
        (Ok(shown), Ok(Some(stat))) if look::needs_trust(stat.uid, stat.creator_uid) => Finding::problem(
            "key",
            format!(
                "{}: the {} belongs to {}, and is refused without --trust-owner",
                key,
                shown.layout.noun(),
                shown.owner
            ),
            None,
        ),
        (Ok(shown), Ok(Some(stat))) if stat.mode & 0o600 != 0o600 && me != 0 => Finding::problem(
            "key",
            format!(
                "{}: the {} has mode {}, which lets no user in, not even you",
                key,
                shown.layout.noun(),
                shown.mode
            ),
            way_out(),
        ),
        (Ok(shown), _) if shown.looked_into && shown.messages.is_none() => {
            Finding::problem("key", format!("{key}: the ring's content breaks its layout"), way_out())
        }
        (Ok(shown), _) if shown.suspicion().is_some() => {
            Finding::problem("key", format!("{key}: {}", shown.suspicion().unwrap_or_default()), way_out())
        }
        (Ok(shown), _) => Finding::ok(
            "key",
            format!(
                "{}: a {} with {}, {} attached{}",
                key,
                shown.layout.noun(),
                messages(&shown, "content that may not be looked at"),
                shown.attached,
                if shown.layout == Layout::Classic { format!("; {}", suspect::EXACTLY) } else { String::new() }
            ),
        ),
        // One that nobody uses is no obstacle: the next to come makes it anew.
        (Err(error @ Error::OtherVersion { pid: None, .. }), _) if hint::remove_seats(slot).is_some() => {
            Finding::note("key", error.to_string())
        }
        (Err(error @ Error::OtherVersion { pid, .. }), _) => {
            problem(&error, pid.filter(|pid| *pid != 0).map(|pid| format!("ps -p {pid}")))
        }
        (Err(Error::Missing { .. } | Error::Removed { .. }), _) => match observe_seats(slot) {
            Err(error) => problem(&error, hint::remove_seats(slot)),
            Ok(_) => Finding::ok("key", format!("{key}: free; the side that comes first makes the channel")),
        },
        (Err(error @ Error::ForeignSeats { .. }), _) => problem(&error, hint::remove_seats(slot)),
        (Err(ref error @ Error::NotAChannel { looks_like: Some(ref spec), .. }), _) => {
            // To remove it could lose a message, so that is no more than named.
            let look = format!("shm-handoff stat --layout '{spec}' {number}");
            let if_so = hint::declares(spec);
            match hint::way_out(number, declared) {
                Some(way @ Way::Remove { .. }) => {
                    let what = format!("{error}; {if_so}, look at it first; else {}", way.command(declared));
                    Finding::problem("key", what, Some(look))
                }
                way => Finding::problem(
                    "key",
                    format!("{error}; {if_so}, look at it: {look}"),
                    way.map(|way| way.command(declared)),
                ),
            }
        }
        (Err(error @ (Error::NotAChannel { .. } | Error::OtherLayout { .. } | Error::Permission { .. })), _) => {
            problem(&error, way_out())
        }
        (Err(error), _) => problem(&error, Some(format!("ipcs -m | grep {}", Ipcs(number)))),
    }
}

/// A stopped process is not a dead one: the other side waits for it, for as long as it takes.
fn stopped(key: Key) -> Vec<Finding> {
    let seats = observe_seats(key).ok().flatten();
    let pids = seats.into_iter().flat_map(|seats| [seats.writer, seats.reader]).flatten();
    let finding = |pid| match proc::life(pid) {
        Life::Goes | Life::Ending | Life::Over => None,
        Life::Stopped => {
            let what = format!("pid {} has a seat at {}, and is stopped", Process::new(pid).short(), key);
            let sudo = if may_signal(pid) { "" } else { "sudo " };
            Some(Finding::problem("stopped", what, Some(format!("{sudo}kill -CONT {pid}"))))
        }
        Life::Hidden => {
            let what = if pid == 0 { "a process of another pid namespace".to_owned() } else { format!("pid {pid}") };
            let why = "/proc does not show whether it is stopped";
            Some(Finding::note("stopped", format!("{what} has a seat at {key}, and {why}")))
        }
    };
    pids.filter_map(finding).collect()
}

fn may_signal(pid: u32) -> bool {
    let me = nix::unistd::geteuid();
    me.is_root() || std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|meta| meta.uid() == me.as_raw())
}

fn messages(shown: &Shown, unknown: &str) -> String {
    shown.messages.map_or_else(|| unknown.to_owned(), |count| format!("{count} message{}", plural(count)))
}

/// What a segment was looked at as.
fn of<'d>(shown: &Shown, declared: Option<&'d Declared>) -> Option<&'d Declared> {
    declared.filter(|_| shown.layout == Layout::Declared)
}

/// None is a problem: whoever comes next can use it, or makes it anew. So a channel that idles is well.
fn stale(shown: &Shown, declared: Option<&Declared>) -> Option<Finding> {
    let Shown { key, layout, mode, .. } = shown;
    let what = match (shown.status, shown.messages) {
        (Status::Unused, _) => "with nothing in it".to_owned(),
        (Status::Ended, _) => "with the end of a session that no reader has met".to_owned(),
        (Status::Waiting, _) => format!("with {}", messages(shown, "broken content")),
        (Status::Unreadable, _) if shown.attached == 0 => format!("with mode {mode}, which may not be read"),
        _ => return None,
    };
    let what = format!("{}: a {} that nobody is attached to, {what}", Place::Key(*key), layout.noun());
    let declared = of(shown, declared);
    let command = hint::way_out(*key, declared).map(|way| way.command(declared));
    Some(Finding { command, ..Finding::note("stale", what) })
}

/// Seats of ours without a segment, and with nobody in them.
fn seats_alone(me: u32, key: Key, declared: Option<&Declared>) -> std::io::Result<Vec<Finding>> {
    let segments = proc::segments()?;
    let slot = look::slot(key, declared);
    let sets = proc::sets()?.into_iter().filter(|set| set.uid == me);
    let alone = sets.filter_map(|set| {
        // Of the slot that was asked for; else of one that begins at 0, unless they are those of another one.
        let is_asked_for = slot.seats() == set.key;
        let of = if is_asked_for { slot } else { Key::of_seats(set.key)? };
        let sitting = observe_seats(of).ok()??;
        let is_alone = sitting.writer.is_none()
            && sitting.reader.is_none()
            && matches!(Segment::stat_at(of), Ok(None))
            && (is_asked_for || !segments.iter().any(|row| has_slot(row, set.key)));
        let layout = declared.filter(|_| is_asked_for).map(spec::option).unwrap_or_default();
        let what = || format!("{of}: seats that nobody sits on, without a segment");
        is_alone.then(|| Finding::note("stale", what()).with(format!("shm-handoff rm{layout} {}", of.number())))
    });
    Ok(alone.collect())
}

/// How far into a segment a slot is looked for.
const FAR: usize = 1 << 20;

/// Whether a set at this key can be the seats of a slot that begins somewhere in this segment.
fn has_slot(row: &SegmentRow, seats: u32) -> bool {
    Key::new(row.key).is_ok_and(|key| (1..row.size.min(FAR)).any(|at| key.with_slot_at(at).seats() == seats))
}

fn orphan(shown: &Shown) -> Option<Finding> {
    let what =
        || format!("segment {} ({}) was removed, and {} attached", shown.id, shown.layout.noun(), shown.attached);
    (shown.status == Status::Orphan && stays(shown.id, *DEADLINE.get_or_init(|| Instant::now() + GOING_OVER)))
        .then(|| Finding::problem("orphans", what(), Some(format!("shm-handoff who --id {}", shown.id))))
}

/// How long a side can take to go over to the next segment: each looks every 20 ms, or every 100 ms at a silent ring.
const GOING_OVER: Duration = Duration::from_secs(1);

/// Of all orphans.
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// Whether a removed segment is still attached when the deadline has come.
fn stays(id: i32, deadline: Instant) -> bool {
    loop {
        let is_there = proc::segments().map_or(true, |rows| rows.iter().any(|row| row.id == id && row.attached > 0));
        if !is_there || Instant::now() >= deadline {
            return is_there;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn wide(shown: &Shown, declared: Option<&Declared>) -> Option<Finding> {
    let mode = u32::from_str_radix(&shown.mode, 8).unwrap_or(0);
    let what = || format!("{}: mode {} lets other users in", Place::Key(shown.key), shown.mode);
    // The mode is given when the segment is made: both sides make it with 600.
    (mode & 0o077 != 0 && shown.key != 0).then(|| match hint::way_out(shown.key, of(shown, declared)) {
        Some(way) => Finding::note("modes", what()).with(way.command(of(shown, declared))),
        None => Finding::note("modes", what()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_to_go_does_not_stay() {
        let key = crate::example::key();
        let removed = Segment::create_new(key, 4096, 0o600).unwrap();
        removed.remove().unwrap();
        let id = removed.id();
        assert!(stays(id, Instant::now()), "it is attached, and there is no time");
        let goer = std::thread::spawn(move || {
            // Behind some looks; a test in which it goes before the first one passes, too.
            std::thread::sleep(Duration::from_millis(50));
            drop(removed);
        });
        assert!(!stays(id, Instant::now() + Duration::from_secs(60)));
        goer.join().unwrap();
    }
}
