//! How a program says that it failed, and what to do next.

use super::exit::{Exit, Failure};
use super::hint;
use super::look::Process;
use super::stdio::{self, say};
use crate::backend::sysv::{Key, Segment, observe_seats};
use crate::error::Role;
use std::process::ExitCode;

impl Failure {
    /// What is said of a wait that ended without a word of the peer (a `writer`, say): the peer that was there all
    /// the time and did nothing, or else that nobody was met.
    pub(super) fn silence(peer: Role, key: Key, what_came: &str) -> Self {
        let seats = observe_seats(key).ok().flatten();
        let seated = seats.and_then(|seats| if peer == Role::Writer { seats.writer } else { seats.reader });
        let silent = |who: String, hint: String| {
            Self::new(Exit::TimedOut, format!("{key}: {who} did nothing for as long as --timeout allows")).hint(hint)
        };
        let number = key.number();
        match (seated, Segment::stat_at(key)) {
            (Some(pid), _) => silent(
                format!("the {peer} ({})", Process::new(pid).in_words()),
                format!("it may be stopped: shm-handoff doctor {number}"),
            ),
            // Ourselves, and a C program.
            (None, Ok(Some(stat))) if stat.attached >= 2 => {
                silent("a program without a seat".to_owned(), format!("see which: shm-handoff who {number}"))
            }
            _ => Self::met_nobody(what_came, key),
        }
    }

    /// Nobody was met in all the time: where that was.
    fn met_nobody(what_came: &str, key: Key) -> Self {
        let namespace = match std::fs::read_link("/proc/self/ns/ipc") {
            Ok(namespace) => namespace.display().to_string(),
            Err(_) => "/proc/self/ns/ipc, which has its number, can't be read".to_owned(),
        };
        let why = format!("{what_came} to {key} in this IPC namespace ({namespace}) for as long as --timeout allows");
        let hint = format!("a peer in another container is not visible here: shm-handoff doctor {}", key.number());
        Self::new(Exit::TimedOut, why).hint(hint)
    }

    /// Does all of `items`, also those behind one that fails. Each failure is said, the last one by the
    /// caller as any other; the first one's code is what counts.
    pub(super) fn each<T>(
        program: &str,
        items: impl IntoIterator<Item = T>,
        mut one: impl FnMut(T) -> Result<(), Self>,
    ) -> Result<(), Self> {
        let mut last: Option<Self> = None;
        for item in items {
            if let Err(failure) = one(item) {
                let exit = last.as_ref().map_or(failure.exit, |last| last.exit);
                if let Some(last) = last {
                    last.report(program, "");
                }
                last = Some(Self { exit, ..failure });
            }
        }
        last.map_or(Ok(()), Err)
    }

    /// What to do next, in words.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        self.hint.as_ref().and_then(hint::in_words)
    }

    /// Says it on stderr, with what else there is to say behind it.
    #[allow(clippy::must_use_candidate)] // a failure can be said and lived with
    pub fn report(&self, program: &str, and: &str) -> ExitCode {
        let (bad, good) = (stdio::BAD, stdio::HINT);
        say!("{bad}{program}:{bad:#} {}{and}", self.message);
        if let Some(hint) = self.next() {
            say!("  {good}hint:{good:#} {hint}");
        }
        ExitCode::from(self.exit.code())
    }
}
