//! `shm-handoff record` and `shm-handoff replay`: what went through a channel, in a file, and out of it again.

mod args;
mod drive;
mod end;
mod file;
pub mod format;
mod list;
mod onto;
mod pace;
mod reading;
mod replay;
pub mod scan;
mod shape;
mod step;

pub(super) use args::Record;
pub(super) use replay::{Replay, run as replay};

use super::args::Common;
use super::exit::{Exit, Failure};
use super::progress::Progress;
use super::signals::Signals;
use super::{json, stdio};
use args::PROGRAM;
use serde::Serialize;

const SCHEMA: &str = "shm-handoff/record/1";

#[derive(Serialize)]
struct Summary<'a> {
    file: &'a str,
    messages: u64,
    bytes: u64,
    ended: bool,
}

/// `shm-handoff record`.
pub(super) fn run(args: &Record) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let from = args.side.at(args.key.clone());
    let onto = args.onto.clone().map(|key| Common {
        ring: args.onto_ring,
        layout: args.onto_layout.clone(),
        ..args.side.at(key)
    });
    if let Some(onto) = &onto
        && onto.key.resolve()? == from.key.resolve()?
    {
        return Err(Failure::new(Exit::Usage, "KEY and KEY2 are the same").hint("name another key for the reader"));
    }
    let mut progress = Progress::new(PROGRAM, "recorded", &from, None, false);
    let mut counted = drive::Counted::default();
    let done = drive::run(args, (&from, onto.as_ref()), &signals, (&mut progress, &mut counted));
    progress.end(&from);
    let shown = if args.json {
        let file = args.file.display().to_string();
        let (messages, bytes) = (progress.messages(), counted.bytes);
        stdio::show(&json::object(SCHEMA, &Summary { file: &file, messages, bytes, ended: counted.ended }))
    } else {
        Ok(())
    };
    // Why it ended counts for more than that nobody could be told how much it was.
    done.and(shown)
}
