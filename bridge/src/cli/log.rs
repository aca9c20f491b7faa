//! What is said on stderr: words, or an object of JSON a line.

use super::PROGRAM;
use super::args::Side;
use crate::carrier;
use serde::Serialize;
use shm_handoff::cli::kit::{self, Failure};
use std::io;
use std::process::ExitCode;
use std::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How to say what happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    json: bool,
    quiet: bool,
    verbose: bool,
}

/// What happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event<'a> {
    Opened { role: &'a str, topic: &'a str, key: u32, layout: &'a str, zenoh: &'a str, listens: &'a [String] },
    Trouble { endpoint: &'a str, reason: &'a str },
    Link { peer: &'a str, up: bool },
    Session { number: u64 },
    Says { text: &'a str },
    Ended(Ended),
}

/// How it ended, and what it came to.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Ended {
    pub(super) exit: u8,
    pub(super) message: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    pub(super) sessions: u64,
    pub(super) again: u64,
    pub(super) probes: u64,
    pub(super) duplicates: u64,
    pub(super) gaps: u64,
    pub(super) dropped: u64,
    pub(super) foreign: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

fn print(event: &Event<'_>) {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let line = serde_json::to_string(&Line { time, event }).expect("strings and numbers are always JSON");
    kit::print_as_it_is(format_args!("{line}\n"));
}

impl Log {
    pub(super) fn of(side: &Side) -> Self {
        if side.json {
            kit::divert(|text| text.lines().for_each(|text| print(&Event::Says { text })));
        }
        let log = Self { json: side.json, quiet: side.channel.quiet, verbose: side.channel.verbose };
        let troubles = carrier::troubles(move |endpoint, reason| log.tell(&Event::Trouble { endpoint, reason }));
        // What else zenoh has to say, if somebody wants to hear it.
        let lines = std::env::var_os("RUST_LOG").map(|_| {
            let lines = tracing_subscriber::fmt::layer().with_writer(|| Lines).with_ansi(false).without_time();
            lines.with_filter(EnvFilter::from_default_env())
        });
        let _ = tracing_subscriber::registry().with(troubles).with(lines).try_init();
        log
    }

    /// Says what happened, if that is wanted.
    pub(super) fn tell(self, event: &Event<'_>) {
        if self.json {
            return print(event);
        }
        match event {
            Event::Opened { listens, .. } if !self.quiet && !listens.is_empty() => {
                kit::print(format_args!("{PROGRAM}: listening on {}\n", listens.join(", ")));
            }
            Event::Trouble { endpoint, reason } if !self.quiet => {
                kit::print(format_args!("{PROGRAM}: no link to {endpoint}: {reason}; trying again\n"));
            }
            Event::Link { peer, up } if self.verbose => {
                let what = if *up { "linked to" } else { "no link any more to" };
                kit::print(format_args!("{PROGRAM}: {what} {peer}\n"));
            }
            Event::Session { number: 1 } if self.verbose => {
                kit::print(format_args!("{PROGRAM}: met the other bridge\n"));
            }
            Event::Session { number } if self.verbose => {
                kit::print(format_args!("{PROGRAM}: met the other bridge again: session {number}\n"));
            }
            _ => {}
        }
    }

    /// Says how it ended.
    pub(super) fn end(self, mut ended: Ended, failure: Option<Failure>) -> ExitCode {
        ended.exit = failure.as_ref().map_or(0, |failure| failure.exit.code());
        let code = ExitCode::from(ended.exit);
        if self.json {
            (ended.message, ended.hint) =
                failure.map_or((None, None), |failure| (Some(failure.message.clone()), failure.next()));
            print(&Event::Ended(ended));
            return code;
        }
        if self.verbose {
            let Ended { sessions, again, probes, duplicates, gaps, dropped, foreign, .. } = &ended;
            kit::print(format_args!(
                "{PROGRAM}: sessions {sessions}, sent again {again}, probes {probes}, duplicates {duplicates}, gaps {gaps}, \
                 dropped {dropped}, foreign {foreign}\n"
            ));
        }
        failure.map_or(code, |failure| failure.report(PROGRAM, ""))
    }
}

/// Lines of zenoh's log.
struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kit::print(format_args!("{}", String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
