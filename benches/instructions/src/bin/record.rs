//! How fast a record of a declared slot is copied, beside `memcpy`: one thread sends and receives records, and copies as
//! many bytes as often between buffers of its own, in turns, one first and then the other. Prints the median ratio of
//! each round's rates.
//!
//!     taskset -c 1 cargo run --release -p instructions --bin record -- [BYTES]

use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{DeclaredSlot, Reader, Writer};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// An image of the driving simulators that hand over 640 by 480 points of three bytes.
const IMAGE: usize = 640 * 480 * 3;

const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes: usize = std::env::args().nth(1).map_or(Ok(IMAGE), |bytes| bytes.parse())?;
    let key = Key::new(0x5D00_0000 | std::process::id())?;
    let options = Options::declared(key, &format!("flag=i32@0,data={bytes}@4,size={}", bytes + 4).parse()?);
    let mut reader = Reader::<SysV, DeclaredSlot>::open(&options)?;
    let mut writer = Writer::<SysV, DeclaredSlot>::open(&options)?;
    let (record, mut into, mut between) = (vec![7_u8; bytes], vec![0_u8; bytes], vec![0_u8; bytes]);
    // What a round copies: enough to be measured, whatever the size.
    let times = (8 * IMAGE / bytes).max(1);

    let mut through = || {
        for _ in 0..times {
            writer.send(black_box(&record)).expect("the slot is empty");
            reader.recv(black_box(&mut into)).expect("a record lies there");
        }
    };
    let mut second = vec![0_u8; bytes];
    let mut memcpy = || {
        for _ in 0..times {
            black_box(&mut between[..]).copy_from_slice(black_box(&record));
            black_box(&mut second[..]).copy_from_slice(black_box(&between));
        }
    };
    through();
    memcpy();

    let mut rounds: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|round| {
            if round % 2 == 0 {
                (time(&mut through), time(&mut memcpy))
            } else {
                let memcpy = time(&mut memcpy);
                (time(&mut through), memcpy)
            }
        })
        .collect();
    let ratio = |(through, memcpy): &(Duration, Duration)| memcpy.as_secs_f64() / through.as_secs_f64();
    rounds.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
    let median = rounds[ROUNDS / 2];
    #[allow(clippy::cast_precision_loss, reason = "to two digits")]
    let rate = |took: Duration| (2 * bytes * times) as f64 / took.as_secs_f64() / 1e9;
    println!(
        "{bytes} bytes: {:.2} of memcpy's rate ({:.1} and {:.1} GB/s a copy; from {:.2} to {:.2} in {ROUNDS} rounds)",
        ratio(&median),
        rate(median.0),
        rate(median.1),
        ratio(&rounds[0]),
        ratio(&rounds[ROUNDS - 1]),
    );
    writer.end()?;
    assert!(reader.end_session()?, "the end was told");
    Ok(())
}

fn time(work: &mut impl FnMut()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}
