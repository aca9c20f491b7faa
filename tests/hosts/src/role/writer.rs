//! Writes numbered messages into the ring of its host, and notes in a file how many it has sent.

use super::{RingArgs, text};
use crate::message;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Ring, SendError, WaitPolicy, Writer};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ring: RingArgs,
    /// Its number
    #[arg(long)]
    number: u64,
    /// Messages
    #[arg(long)]
    count: u64,
    /// End the session behind them
    #[arg(long)]
    ends: bool,
    /// Where it notes how many it has sent
    #[arg(long)]
    notes: PathBuf,
    /// Pause so many microseconds now and then
    #[arg(long, default_value_t = 0)]
    pause: u64,
}

/// How many messages a writer has sent: at least, and at most.
pub(crate) fn noted(path: &Path) -> (u64, u64) {
    let bytes = std::fs::read(path).unwrap_or_default();
    let word = |at: usize| bytes.get(at..at + 8).map_or(0, |word| u64::from_le_bytes(word.try_into().expect("eight")));
    (word(0), word(8))
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let notes = File::create(&args.notes).map_err(text)?;
    let note = |at: u64, number: u64| notes.write_all_at(&number.to_le_bytes(), at).map_err(text);
    let mut writer = Writer::<SysV, Ring>::open(&args.ring.options()?).map_err(text)?;
    let mut random = fastrand::Rng::with_seed(args.number);
    let mut messages = vec![Vec::new(); 8];
    let mut number = 0;
    while number < args.count {
        let many = random.u64(1..=8).min(args.count - number);
        for (at, message) in (0..many).zip(&mut messages) {
            message::bytes((args.number, number + at), message);
        }
        note(8, number + many)?;
        let all: Vec<&[u8]> = messages[..usize::try_from(many).map_err(text)?].iter().map(Vec::as_slice).collect();
        let mut sent = 0;
        // The bridge that reads here dies now and then: the next one reads what lies there.
        while let Err((more, why)) = writer.send_all_with(&all[sent..], &mut WaitPolicy::forever()) {
            sent += more;
            note(0, number + sent as u64)?;
            went_on(&mut writer, why)?;
        }
        number += many;
        note(0, number)?;
        if args.pause > 0 && random.u8(..) < 32 {
            std::thread::sleep(Duration::from_micros(random.u64(0..args.pause)));
        }
    }
    if args.ends {
        while let Err(why) = writer.end() {
            went_on(&mut writer, why)?;
        }
    }
    writer.close().map_err(text)
}

fn went_on(writer: &mut Writer<SysV, Ring>, why: SendError) -> Result<(), String> {
    if why != SendError::ReaderGone {
        return Err(text(why));
    }
    writer.await_reader(&mut WaitPolicy::forever()).map_err(text)
}
