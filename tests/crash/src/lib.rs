//! What happens at the failpoints of a process: it dies at the one that its environment names, and so in
//! each window between two operations, which no signal from outside would hit for sure.
#![cfg(crash)]
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

use shm_handoff::failpoint::{Failpoint, install};
use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// What the environment asks of this process.
struct Fate {
    /// At which failpoint.
    point: Option<String>,
    /// At which passage of it, from 1.
    passage: u64,
    signal: i32,
    /// Gets the name of the failpoint where it happened.
    died_at: Option<File>,
    /// Gets the name of each failpoint at its first passage.
    list: Option<File>,
    /// Gets the number of messages that were sent, at its beginning.
    sent: Option<File>,
}

static FATE: OnceLock<Fate> = OnceLock::new();

/// From here on this process meets what its environment asks.
///
/// # Panics
/// If one of the files can't be written.
pub fn meet_fate() {
    let file = |name| {
        let path = std::env::var_os(name)?;
        let opened = File::options().create(true).append(name != "CRASH_SENT").write(true).open(path);
        Some(opened.expect("a crash test's files can be written"))
    };
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    FATE.get_or_init(|| Fate {
        point: std::env::var("CRASH_POINT").ok(),
        passage: number("CRASH_PASSAGE").unwrap_or(1),
        signal: number("CRASH_SIGNAL").and_then(|number| number.try_into().ok()).unwrap_or(libc::SIGKILL),
        died_at: file("CRASH_DIED_AT"),
        list: file("CRASH_LIST"),
        sent: file("CRASH_SENT"),
    });
    install(reached);
}

fn reached(failpoint: Failpoint<'_>) {
    let Some(fate @ Fate { point, list, .. }) = FATE.get() else { return };
    match failpoint {
        Failpoint::Sent(count) => {
            if let Some(file) = &fate.sent {
                file.write_all_at(&count.to_ne_bytes(), 0).expect("a crash test's files can be written");
            }
        }
        _ if point.is_none() && list.is_none() => {}
        Failpoint::Access(operation, place) => {
            // Most passages are of another failpoint: the line alone tells.
            let line = place.line();
            if list.is_some() || point.as_ref().is_some_and(|point| point.ends_with(&format!(":{line}"))) {
                fate.passes(&format!("{operation} {}:{line}", place.file()));
            }
        }
        Failpoint::Before(what) => fate.passes(&format!("before {what}")),
        Failpoint::After(what) => fate.passes(&format!("after {what}")),
    }
}

impl Fate {
    fn passes(&self, name: &str) {
        static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
        static PASSED: AtomicU64 = AtomicU64::new(0);
        if let Some(mut list) = self.list.as_ref()
            && SEEN.lock().expect("nobody panics with it").get_or_insert_default().insert(name.to_owned())
        {
            writeln!(list, "{name}").expect("a crash test's files can be written");
        }
        if self.point.as_deref() == Some(name) && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == self.passage {
            if let Some(mut file) = self.died_at.as_ref() {
                writeln!(file, "{name}").expect("a crash test's files can be written");
            }
            // SAFETY: takes numbers alone. What is fatal ends us before it returns.
            unsafe { libc::kill(libc::getpid(), self.signal) };
        }
    }
}
