//! The page that both sides share beside what is measured: the bare ping-pong's
//! words, and what the far side tells the near one.

use crate::Failure;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

/// A word with no other in its line, nor in the line that is fetched with it.
#[repr(C, align(256))]
struct Apart<T>(T);

/// So many wake-ups are noted in one measurement.
pub(crate) const WAKES: usize = 64;

/// What is asked for of messages that come.
#[repr(C)]
struct Asks {
    /// Up to this one every byte is compared.
    whole: AtomicU64,
    /// This one is answered on the board, and then as `what` says.
    last: AtomicU64,
    what: AtomicU32,
}

/// What follows a message that was answered on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Messages.
    More = 0,
    /// The bare ping-pong, and more messages.
    Bare = 1,
    /// The bare ping-pong, and no more.
    Stop = 2,
}

/// Everything starts as zero.
#[repr(C)]
pub(crate) struct Board {
    ping: Apart<AtomicU32>,
    echo: Apart<AtomicU32>,
    /// The far side has both ends open.
    ready: Apart<AtomicU32>,
    /// What the near side asks for. They share a line, which changes only where a
    /// measurement begins or ends.
    asks: Apart<Asks>,
    /// The last message that was to be said to be there, and is.
    acked: Apart<AtomicU64>,
    /// When the message was sent that is to wake the far side.
    sent: Apart<AtomicU64>,
    /// Nanoseconds from send to receipt.
    woken: [AtomicU64; WAKES],
}

/// How long the other side may be silent before it counts as gone.
const SILENCE: Duration = Duration::from_secs(8);

impl Board {
    /// A new one, and the descriptor by which another process maps it.
    pub(crate) fn make() -> Result<(&'static Self, OwnedFd), Failure> {
        // Inherited by the far side: not close-on-exec.
        let fd = memfd_create(c"peers", MFdFlags::empty())?;
        nix::unistd::ftruncate(&fd, size_of::<Self>().try_into()?)?;
        Ok((Self::map(&fd)?, fd))
    }

    /// The one behind a descriptor that was inherited.
    pub(crate) fn map(fd: impl AsFd) -> Result<&'static Self, Failure> {
        let len = NonZeroUsize::new(size_of::<Self>()).ok_or("no page")?;
        // SAFETY: a new mapping, of a file that is as long, where the kernel likes.
        let at = unsafe { mmap(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, fd, 0)? };
        // SAFETY: page-aligned, never unmapped, and made of atomics alone, for which
        // zero is valid.
        Ok(unsafe { at.cast::<Self>().as_ref() })
    }

    /// Nanoseconds of one bare round trip: the median of some chunks.
    pub(crate) fn bare(&self) -> f64 {
        const TRIPS: u32 = 1000;
        const CHUNKS: usize = 11;
        let mut turn = 0;
        let mut chunk = || {
            let started = Instant::now();
            for _ in 0..TRIPS {
                turn += 1;
                self.ping.0.store(turn, Release);
                until(|| self.echo.0.load(Acquire) == turn);
            }
            started.elapsed().as_secs_f64() * 1e9 / f64::from(TRIPS)
        };
        chunk();
        let mut chunks: Vec<f64> = (0..CHUNKS).map(|_| chunk()).collect();
        self.ping.0.store(STOP, Release);
        until(|| self.echo.0.load(Acquire) == STOP);
        self.echo.0.store(0, Relaxed);
        self.ping.0.store(0, Release);
        chunks.sort_by(f64::total_cmp);
        chunks[CHUNKS / 2]
    }

    /// The other side of [`bare`](Self::bare).
    pub(crate) fn answer_bare(&self) {
        let mut turn = 0;
        loop {
            turn += 1;
            let mut seen = 0;
            until(|| {
                seen = self.ping.0.load(Acquire);
                seen == turn || seen == STOP
            });
            self.echo.0.store(seen, Release);
            if seen == STOP {
                return until(|| self.ping.0.load(Acquire) == 0);
            }
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.0.load(Acquire) == 1
    }

    pub(crate) fn say_ready(&self) {
        self.ready.0.store(1, Release);
    }

    /// Up to message `number` every byte is compared.
    pub(crate) fn ask_whole(&self, number: u64) {
        self.asks.0.whole.store(number, Relaxed);
    }

    /// Message `number`, which is not sent yet, is answered on the board.
    pub(crate) fn ask(&self, number: u64, then: Then) {
        self.asks.0.what.store(then as u32, Relaxed);
        self.asks.0.last.store(number, Release);
    }

    /// Whether every byte of message `number` is compared.
    #[inline]
    pub(crate) fn is_whole(&self, number: u64) -> bool {
        number <= self.asks.0.whole.load(Relaxed)
    }

    /// What follows message `number` once it is answered here, if it is.
    #[inline]
    pub(crate) fn asked(&self, number: u64) -> Option<Then> {
        (self.asks.0.last.load(Acquire) == number).then(|| {
            [Then::More, Then::Bare, Then::Stop]
                .into_iter()
                .find(|then| *then as u32 == self.asks.0.what.load(Relaxed))
                .expect("one of the three")
        })
    }

    /// What the receiver says of the message `number`.
    pub(crate) fn ack(&self, number: u64) {
        self.acked.0.store(number, Release);
    }

    pub(crate) fn await_ack(&self, number: u64) {
        until(|| self.acked.0.load(Acquire) == number);
    }

    pub(crate) fn note_sent(&self, ns: u64) {
        self.sent.0.store(ns, Relaxed);
    }

    /// The far side is awake: the `at`th time, and at `ns`.
    pub(crate) fn note_woken(&self, at: usize, ns: u64) {
        self.woken[at].store(ns.saturating_sub(self.sent.0.load(Relaxed)), Relaxed);
    }

    pub(crate) fn woken(&self, at: usize) -> u64 {
        self.woken[at].load(Relaxed)
    }
}

const STOP: u32 = u32::MAX;

/// Spins until `done`; yields now and then, for a machine that is busy.
#[inline]
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    let mut since = None;
    loop {
        for _ in 0..20_000 {
            if done() {
                return;
            }
            std::hint::spin_loop();
        }
        assert!(since.get_or_insert_with(Instant::now).elapsed() < SILENCE, "the other side does not answer");
        std::thread::yield_now();
    }
}
