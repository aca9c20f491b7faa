//! Reads the ring of its host, and tells on stdout what it read before it releases that.

use super::{RingArgs, text};
use crate::message::{self, Name};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Reader, RecvError, Ring, WaitPolicy};
use std::fs::File;
use std::io::{Read, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ring: RingArgs,
    #[arg(long)]
    seed: u64,
    /// Pause so many microseconds now and then
    #[arg(long, default_value_t = 0)]
    pause: u64,
}

/// What a reader tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// A message, and the position behind it in this ring.
    Message { position: u64, name: Name },
    /// A message that is not what it says it is.
    Torn { position: u64, name: Name },
    /// The end of the stream.
    End,
}

/// What a reader tells at a time, at most: a pipe takes 4096 bytes whole or not at all.
const AT_ONCE: usize = 100;
/// Bytes of one [`Told`].
pub(crate) const SIZE: usize = 32;

impl Told {
    fn encode(self) -> [u8; SIZE] {
        let words = match self {
            Self::Message { position, name: (writer, number) } => [0, position, writer, number],
            Self::Torn { position, name: (writer, number) } => [1, position, writer, number],
            Self::End => [2, 0, 0, 0],
        };
        let mut bytes = [0; SIZE];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; SIZE]) -> Self {
        let word = |at: usize| u64::from_le_bytes(bytes[at * 8..][..8].try_into().expect("eight bytes"));
        let (position, name) = (word(1), (word(2), word(3)));
        match word(0) {
            0 => Self::Message { position, name },
            1 => Self::Torn { position, name },
            _ => Self::End,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let mut reader = Reader::<SysV, Ring>::open(&args.ring.options()?).map_err(text)?;
    let mut random = fastrand::Rng::with_seed(args.seed);
    // (Not in lines, as std's own would have it: each write is whole or not there.)
    let mut output = File::from(stdout().as_fd().try_clone_to_owned().map_err(text)?);
    let (mut told, mut expected) = (Vec::new(), Vec::new());
    loop {
        match reader.wait_with(&mut WaitPolicy::forever()) {
            Ok(()) => {}
            // The bridge that writes here dies now and then.
            Err(RecvError::WriterGone) => {
                reader.await_next_writer().map_err(text)?;
                continue;
            }
            Err(why) => return Err(text(why)),
        }
        let (many, mut ends) = (random.usize(1..=AT_ONCE), false);
        let mut behind = reader.cursor();
        while told.len() < many * SIZE {
            let Some(message) = reader.try_peek_next().map_err(text)? else { break };
            if message.ends_session() {
                ends = true;
                break;
            }
            let name = message::name(message.text()).unwrap_or((u64::MAX, 0));
            message::bytes(name, &mut expected);
            let is_whole = message.text() == expected;
            behind = reader.cursor();
            let position = behind.position();
            let one = if is_whole { Told::Message { position, name } } else { Told::Torn { position, name } };
            told.extend(one.encode());
        }
        output.write_all(&told).map_err(text)?;
        told.clear();
        // If it is killed here, the next reader finds the same messages.
        if args.pause > 0 && random.bool() {
            std::thread::sleep(Duration::from_micros(random.u64(0..args.pause)));
        }
        reader.release_up_to(behind);
        if ends {
            output.write_all(&Told::End.encode()).map_err(text)?;
            // The session is ended once the bridges know of its end.
            let _ = stdin().read(&mut [0]).map_err(text)?;
            return reader.end_session().map_err(text).map(drop);
        }
    }
}
