//! What the way through C costs: the same calls, by the functions of the header and by Rust's.
//!
//!     cargo bench -p shm-handoff-capi
//!
//! One thread sends and receives at a time, so that nothing is waited for and the calls alone are
//! measured; rounds of either in turn, in both orders; the medians, and their ratio.

use shm_handoff::Patience;
use shm_handoff::any::{Reader, Writer};
use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff_capi::{
    SHMH_CLASSIC, SHMH_OK, SHMH_READER, SHMH_RING, SHMH_WRITER, shmh, shmh_close, shmh_open, shmh_options, shmh_recv,
    shmh_send,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 200;
const MESSAGES: u32 = 20_000;
const TIMEOUT: Duration = Duration::from_secs(5);

/// A pair through C.
struct ThroughC(*mut shmh, *mut shmh);

impl ThroughC {
    fn open(key: Key, layout: i32) -> Self {
        let options = shmh_options { size: size_of::<shmh_options>(), layout, mode: 0, capacity: 0, trust_owner: 0 };
        let open = |role| {
            let mut handle = std::ptr::null_mut();
            // SAFETY: both can be read and written.
            let opened = unsafe { shmh_open(&raw mut handle, key.number().cast_signed(), role, &raw const options) };
            assert_eq!(opened, SHMH_OK);
            handle
        };
        Self(open(SHMH_READER), open(SHMH_WRITER))
    }

    fn round(&self, message: &[u8], buffer: &mut [u8]) {
        let (reader, writer) = (self.0, self.1);
        let mut len = 0;
        // SAFETY: handles and memory are ours alone.
        unsafe {
            let sent = shmh_send(writer, message.as_ptr().cast(), message.len(), 5000);
            let got = shmh_recv(reader, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut len, 5000);
            assert_eq!((sent, got, len), (SHMH_OK, SHMH_OK, message.len()));
        }
    }
}

fn time(mut round: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..MESSAGES {
        round();
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn compare(name: &str, layout: i32, options: impl Fn(Key) -> Options, len: usize) {
    let keys = [0, 1].map(|number| Key::new(0x5A00_0000 | (std::process::id() << 1) | number).unwrap());
    let message = vec![b'x'; len];
    let mut buffer = vec![0; 4096];
    let through_c = ThroughC::open(keys[0], layout);
    let mut reader = Reader::<SysV>::open(&options(keys[1])).unwrap();
    let mut writer = Writer::<SysV>::open(&options(keys[1])).unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            times[which].push(if which == 0 {
                time(|| through_c.round(black_box(&message), black_box(&mut buffer)))
            } else {
                time(|| {
                    let (message, buffer) = (black_box(&message[..]), black_box(&mut buffer[..]));
                    writer.send_with(message, &mut Patience::within(TIMEOUT)).unwrap();
                    match &mut reader {
                        Reader::Ring(reader) => {
                            assert_eq!(reader.recv_with(buffer, &mut Patience::within(TIMEOUT)), Ok(len))
                        }
                        // As who may meet the end of a session has to.
                        Reader::Classic(reader) => {
                            let message = reader.look_with(&mut Patience::within(TIMEOUT)).unwrap();
                            assert!(!message.ends_session());
                            buffer[..len].copy_from_slice(message.text());
                            message.release();
                        }
                    }
                })
            });
        }
    }
    let [c, rust] = times.map(median);
    println!(
        "{name:8} {len:5} bytes: through C {c:7.1} ns, Rust {rust:7.1} ns a message sent and received: {:.3}",
        c / rust
    );
    // SAFETY: nobody uses them any more.
    unsafe { (shmh_close(through_c.1, -1), shmh_close(through_c.0, -1)) };
    writer.leave().unwrap();
    reader.leave().unwrap();
    for key in keys {
        Segment::open(key).and_then(|segment| segment.remove()).unwrap();
    }
}

fn main() {
    for len in [24, 256, 1024] {
        compare("classic", SHMH_CLASSIC, Options::classic, len);
        compare("ring", SHMH_RING, Options::any_ring, len);
    }
}
