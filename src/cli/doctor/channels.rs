//! What is at the key, and what of this user's lies about elsewhere.

use super::finding::{Finding, Level};
use crate::backend::sysv::proc::{self, Life};
use crate::backend::sysv::{Key, Segment, observe_seats};
use crate::cli::hint::{self, Way};
use crate::cli::look::{self, Layout, Process, Shown, Status};
use crate::cli::suspect;
use crate::cli::table::plural;
use crate::error::{Error, Ipcs, Place};
use std::os::unix::fs::MetadataExt;

pub(super) fn look(key: Key) -> Vec<Finding> {
    let me = nix::unistd::geteuid().as_raw();
    let mut findings = vec![at_key(key)];
    findings.extend(stopped(key));
    let (mut own, alone) = match (look::everywhere(), seats_alone(me)) {
        (Ok(own), Ok(alone)) => (own, alone),
        (Err(error), _) | (_, Err(error)) => {
            let what = format!("can't be looked for: /proc/sysvipc can't be read ({error})");
            findings.extend(["stale", "orphans", "modes"].map(|check| Finding::note(check, what.clone())));
            return findings;
        }
    };
    own.retain(|shown| shown.uid == me && shown.layout != Layout::Foreign);
    let mut stale: Vec<_> = own.iter().filter_map(stale).collect();
    stale.extend(alone);
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
    findings
}

fn or_ok(mut findings: Vec<Finding>, check: &'static str, what: &str) -> Vec<Finding> {
    if findings.iter().all(|finding| finding.level == Level::Ok) {
        findings.push(Finding::ok(check, what));
    }
    findings
}

/// Whether a side that came to the key now would be let in.
fn at_key(key: Key) -> Finding {
    let number = key.number();
    let problem = |error: &Error, command: Option<String>| Finding::problem("key", error.to_string(), command);
    let way_out = || hint::way_out(number).map(Way::command);
    let me = nix::unistd::geteuid().as_raw();
    if let Err(error @ Error::Permission { .. }) = observe_seats(key) {
        return problem(&error, hint::remove_seats(number));
    }
    match (look::at(key), Segment::stat_at(key)) {
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
            format!("{}: the {} has mode {}, and lets nobody in, not even you", key, shown.layout.noun(), shown.mode),
            way_out(),
        ),
        (Ok(shown), _) if shown.looked_into && shown.messages.is_none() => {
            Finding::problem("key", format!("{key}: the ring's content breaks its layout"), way_out())
        }
        (Ok(Shown { flag: Some(flag), .. }), _) if suspect::is_text(flag) => {
            Finding::problem("key", format!("{}: {}", key, suspect::in_words(flag)), way_out())
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
        (Err(error @ Error::OtherVersion { pid: None, .. }), _) if hint::remove_seats(number).is_some() => {
            Finding::note("key", error.to_string())
        }
        (Err(error @ Error::OtherVersion { pid, .. }), _) => {
            problem(&error, pid.filter(|pid| *pid != 0).map(|pid| format!("ps -p {pid}")))
        }
        (Err(Error::Missing { .. } | Error::Removed { .. }), _) => match observe_seats(key) {
            Err(error) => problem(&error, hint::remove_seats(number)),
            Ok(_) => Finding::ok("key", format!("{key}: free, whoever comes first makes what is needed")),
        },
        (Err(error @ Error::ForeignSeats { .. }), _) => problem(&error, hint::remove_seats(number)),
        (Err(error @ (Error::NotAChannel { .. } | Error::Permission { .. })), _) => problem(&error, way_out()),
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
            let why = "whether it is stopped can't be told, for /proc does not show it";
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

/// None is a problem: whoever comes next can use it, or makes it anew. So a channel that idles is well.
fn stale(shown: &Shown) -> Option<Finding> {
    let Shown { key, layout, mode, .. } = shown;
    let what = match (shown.status, shown.messages) {
        (Status::Unused, _) => "with nothing in it".to_owned(),
        (Status::Waiting, _) => format!("with {}", messages(shown, "broken content")),
        (Status::Unreadable, _) if shown.attached == 0 => format!("with mode {mode}, which may not be read"),
        _ => return None,
    };
    let what = format!("{}: a {} that nobody is attached to, {what}", Place::Key(*key), layout.noun());
    Some(Finding { command: hint::way_out(*key).map(Way::command), ..Finding::note("stale", what) })
}

/// Seats of ours without a segment, and with nobody in them.
fn seats_alone(me: u32) -> std::io::Result<Vec<Finding>> {
    let sets = proc::sets()?.into_iter().filter(|set| set.uid == me);
    let alone = sets.filter_map(|set| {
        let key = Key::of_seats(set.key)?;
        let sitting = observe_seats(key).ok()??;
        let is_alone =
            sitting.writer.is_none() && sitting.reader.is_none() && matches!(Segment::stat_at(key), Ok(None));
        let what = || format!("{key}: seats that nobody sits on, without a segment");
        is_alone.then(|| Finding::note("stale", what()).with(format!("shm-handoff rm {}", key.number())))
    });
    Ok(alone.collect())
}

fn orphan(shown: &Shown) -> Option<Finding> {
    let what =
        || format!("segment {} ({}) was removed, and {} attached", shown.id, shown.layout.noun(), shown.attached);
    (shown.status == Status::Orphan)
        .then(|| Finding::problem("orphans", what(), Some(format!("shm-handoff who --id {}", shown.id))))
}

fn wide(shown: &Shown) -> Option<Finding> {
    let mode = u32::from_str_radix(&shown.mode, 8).unwrap_or(0);
    let what = || format!("{}: mode {} lets other users in", Place::Key(shown.key), shown.mode);
    // The mode is given when the segment is made: both sides make it with 600.
    (mode & 0o077 != 0 && shown.key != 0).then(|| match hint::way_out(shown.key) {
        Some(way) => Finding::note("modes", what()).with(way.command()),
        None => Finding::note("modes", what()),
    })
}
