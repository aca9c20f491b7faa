//! What the way through C costs: the same calls by the functions of the header and by Rust's.
//!
//!     cargo bench -p shm-handoff-capi
//!
//! *Alone*: one thread sends and receives in turn, so that nothing is waited for and no cache line
//! moves: the bare calls. *There and back*: between two threads, as between two processes. Rounds of
//! either in turn, in both orders; the medians, and their ratio.

use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::{Reader, Received, WaitPolicy, Writer};
use shm_handoff_capi::{
    SHMH_OK, SHMH_READER, SHMH_RING, SHMH_SLOT, SHMH_WRITER, shmh, shmh_close, shmh_open, shmh_options, shmh_recv,
    shmh_send,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 100;
const MESSAGES: u32 = 20_000;
const TIMEOUT_MS: i32 = 60_000;

/// A writer and a reader.
trait Ends: Send {
    fn open(writer: Key, reader: Key, layout: i32) -> Self;
    fn send(&mut self, message: &[u8]);
    fn receive(&mut self, buffer: &mut [u8]) -> usize;
    fn close(self);
}

struct ThroughC {
    writer: *mut shmh,
    reader: *mut shmh,
}

// SAFETY: a handle may be used by any thread, one at a time.
unsafe impl Send for ThroughC {}

impl Ends for ThroughC {
    fn open(writer: Key, reader: Key, layout: i32) -> Self {
        let (declared, offsets) = (std::ptr::null(), std::ptr::null());
        let size = size_of::<shmh_options>();
        let options = shmh_options { size, layout, mode: 0, capacity: 0, trust_owner: 0, declared, offsets, schema: 0 };
        let open = |key: Key, role| {
            let mut handle = std::ptr::null_mut();
            // SAFETY: both can be read and written.
            let opened = unsafe { shmh_open(&raw mut handle, key.number().cast_signed(), role, &raw const options) };
            assert_eq!(opened, SHMH_OK);
            handle
        };
        Self { writer: open(writer, SHMH_WRITER), reader: open(reader, SHMH_READER) }
    }

    fn send(&mut self, message: &[u8]) {
        // SAFETY: the handle is ours, and so are the bytes.
        let sent = unsafe { shmh_send(self.writer, message.as_ptr().cast(), message.len(), TIMEOUT_MS) };
        assert_eq!(sent, SHMH_OK);
    }

    fn receive(&mut self, buffer: &mut [u8]) -> usize {
        let mut len = 0;
        // SAFETY: the handle is ours, and so is the buffer.
        let got = unsafe { shmh_recv(self.reader, buffer.as_mut_ptr().cast(), buffer.len(), &raw mut len, TIMEOUT_MS) };
        assert_eq!(got, SHMH_OK);
        len
    }

    fn close(self) {
        // SAFETY: nobody uses them any more.
        unsafe { (shmh_close(self.writer, -1), shmh_close(self.reader, -1)) };
    }
}

struct InRust {
    writer: Writer<SysV>,
    reader: Reader<SysV>,
}

fn policy() -> WaitPolicy<'static> {
    WaitPolicy::timeout(Duration::from_millis(black_box(TIMEOUT_MS).unsigned_abs().into()))
}

impl Ends for InRust {
    fn open(writer: Key, reader: Key, layout: i32) -> Self {
        let options = if layout == SHMH_RING { Options::any_ring } else { Options::slot };
        Self { writer: Writer::open(&options(writer)).unwrap(), reader: Reader::open(&options(reader)).unwrap() }
    }

    // Calls, as they are calls through C: what a compiler can do beyond them is not compared.
    #[inline(never)]
    fn send(&mut self, message: &[u8]) {
        self.writer.send_with(message, &mut policy()).unwrap();
    }

    #[inline(never)]
    fn receive(&mut self, buffer: &mut [u8]) -> usize {
        match self.reader.recv_with(buffer, &mut policy()).unwrap() {
            Received::Message(len) => len,
            Received::End => panic!("nobody ends the session"),
        }
    }

    fn close(self) {
        self.writer.close().unwrap();
        self.reader.close().unwrap();
    }
}

/// Nanoseconds for each of the messages.
fn time(mut each: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..MESSAGES {
        each();
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES)
}

fn alone<E: Ends>(len: usize, layout: i32, key: Key) -> f64 {
    let (message, mut buffer) = (vec![b'x'; len], vec![0; 4096]);
    let mut ends = E::open(key, key, layout);
    let each = || {
        ends.send(black_box(&message));
        assert_eq!(ends.receive(black_box(&mut buffer)), len);
    };
    let took = time(each);
    ends.close();
    took
}

fn there_and_back<E: Ends>(len: usize, layout: i32, [there, back]: [Key; 2]) -> f64 {
    let (message, mut buffer) = (vec![b'x'; len], vec![0; 4096]);
    std::thread::scope(|scope| {
        let far = scope.spawn(move || {
            let mut buffer = vec![0; 4096];
            let mut ends = E::open(back, there, layout);
            for _ in 0..MESSAGES {
                let len = ends.receive(&mut buffer);
                ends.send(&buffer[..len]);
            }
            ends
        });
        let mut ends = E::open(there, back, layout);
        let took = time(|| {
            ends.send(black_box(&message));
            assert_eq!(ends.receive(black_box(&mut buffer)), len);
        });
        far.join().unwrap().close();
        ends.close();
        took
    })
}

/// Rounds of each, in both orders.
fn compare(what: &str, layout: i32, len: usize, mut through_c: impl FnMut() -> f64, mut in_rust: impl FnMut() -> f64) {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            times[which].push(if which == 0 { through_c() } else { in_rust() });
        }
    }
    let [c, rust] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let layout = if layout == SHMH_RING { "ring" } else { "classic" };
    println!("| {what} | {layout} | {len} | {c:.1} | {rust:.1} | {:.2} |", c / rust);
}

fn main() {
    let keys = [0, 1].map(|number| Key::new(0x5A00_0000 | (std::process::id() << 1) | number).unwrap());
    println!("| | layout | bytes | through C, ns | Rust, ns | ratio |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    for layout in [SHMH_SLOT, SHMH_RING] {
        for len in [24, 1024] {
            let alone_of = (|| alone::<ThroughC>(len, layout, keys[0]), || alone::<InRust>(len, layout, keys[0]));
            compare("alone", layout, len, alone_of.0, alone_of.1);
            let both =
                (|| there_and_back::<ThroughC>(len, layout, keys), || there_and_back::<InRust>(len, layout, keys));
            compare("there and back", layout, len, both.0, both.1);
        }
        for key in keys {
            Segment::open(key).and_then(|segment| segment.remove()).unwrap();
        }
    }
}
