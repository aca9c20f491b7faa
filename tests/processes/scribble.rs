//! A peer that writes anything anywhere, header and data, while ours run: they end as they
//! say they do, by themselves or when they are asked to; nothing panics, nothing is read
//! beyond the segment, and no memory is asked for that a segment of this size can't need.
//!
//! `SCRIBBLE_SECONDS` in the environment makes it longer (`ci/deep.sh`).

use crate::support::{Channel, Ended, Run, ipc};
use shm_handoff::sync::{AtomicU32, Ordering};
use std::process::Command;
use std::time::{Duration, Instant};

/// Of a child that carries on with what it finds: enough for its programs' code, and far
/// less than a length of 4 GiB.
const MEMORY: u64 = 512 << 20;

fn seconds() -> u64 {
    std::env::var("SCRIBBLE_SECONDS").map_or(2, |text| text.parse().expect("SCRIBBLE_SECONDS is a number"))
}

fn with_little_memory(run: Run) -> Run {
    run.with(|command: &mut Command| {
        use std::os::unix::process::CommandExt;
        // SAFETY: async-signal-safe, between fork and exec; reads one struct.
        unsafe {
            command.pre_exec(|| {
                let limit = libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY };
                if libc::setrlimit(libc::RLIMIT_AS, &raw const limit) == 0 {
                    Ok(())
                } else {
                    Err(std::io::Error::last_os_error())
                }
            });
        }
    })
}

/// What any of ours may end with here: done, the peer gone, no channel any more, a text that can't be
/// carried, out of time, asked to leave.
fn judge(ended: &Ended) {
    use std::os::unix::process::ExitStatusExt;
    let code = ended.status.code();
    // (Asked before it could hear that it was asked.)
    let early = ended.status.signal() == Some(libc::SIGTERM);
    assert!(
        (early || matches!(code, Some(0 | 3 | 4 | 5 | 124 | 143))) && !ended.stderr.contains("panicked"),
        "{:?}: {}",
        ended.status,
        ended.stderr
    );
}

/// Scribbles over whatever segment is at the key, until the time is over.
fn scribble(key: u32, until: Instant, ring: bool) {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64 ^ u64::from(key);
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    while Instant::now() < until {
        let Some(memory) = ipc::Attached::at(key) else {
            std::thread::yield_now();
            continue;
        };
        // A segment that is removed, or is another one by now, is let go after a while.
        for _ in 0..200 {
            let words: &[AtomicU32] = memory.words();
            for _ in 0..next() % 50 {
                // The first words of the header, of the records, or anywhere.
                let from = match next() % 4 {
                    0 if ring => 4096 / 4,
                    1 if ring => 8192 / 4,
                    2 => 0,
                    _ => usize::try_from(next() >> 32).unwrap() % words.len(),
                };
                let at = (from + usize::try_from(next() % 256).unwrap() / 2) % words.len();
                // What says that this is a ring at all: rarely, or nobody would come any further.
                if ring && (1024..1040).contains(&at) && next() % 64 != 0 {
                    continue;
                }
                let value = match next() % 6 {
                    0 => 0,
                    1 => 1,
                    2 => u32::MAX,
                    3 => u32::try_from(next() % 300).unwrap(),
                    4 => u32::try_from(next() % 20_000).unwrap() * 8,
                    _ => u32::try_from(next() >> 32).unwrap(),
                };
                words[at].store(value, Ordering::Relaxed);
            }
            // Its pace, at any moment of what the others do: nothing is waited for.
            std::thread::sleep(Duration::from_micros(next() % 300));
        }
    }
}

fn under_scribbles(args: &[&str], ring: bool) {
    let channel = Channel::new();
    let until = Instant::now() + Duration::from_secs(seconds());
    let mut ends = std::collections::BTreeMap::new();
    std::thread::scope(|scope| {
        scope.spawn(|| scribble(channel.key().number(), until, ring));
        let lines: Vec<u8> = (0..2000).flat_map(|number| [&vec![b'x'; number % 1500][..], b"\n"].concat()).collect();
        let mut turn = 0_u32;
        while Instant::now() < until {
            turn += 1;
            let format = ["--format=plain", "--format=json", "--format=label"][turn as usize % 3];
            let common = [args, &["--timeout=300ms"]].concat();
            let reader = with_little_memory(channel.reader([&common[..], &[format, "--follow"]].concat())).start();
            let writer = with_little_memory(channel.writer(&common).input(lines.clone())).start();
            // How far they have come when they are asked to leave: nothing is waited for.
            std::thread::sleep(Duration::from_millis(u64::from(turn % 5) * 60));
            // One that finds messages without an end never ends by itself.
            for peer in [&reader, &writer] {
                peer.signal(libc::SIGTERM);
            }
            for (who, peer) in [("reader", reader), ("writer", writer)] {
                let ended = peer.end();
                judge(&ended);
                *ends.entry((who, ended.status.code())).or_insert(0) += 1;
            }
            // Corrupt once is corrupt for those who come next: they get a new one.
            channel.remove_segment();
        }
    });
    println!("scribbled over for {} s: {ends:?}", seconds());
}

#[test]
fn over_a_classic_slot() {
    under_scribbles(&[], false);
}

#[test]
fn over_a_ring() {
    under_scribbles(&["--ring=64K"], true);
}
