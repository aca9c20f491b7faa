//! The limits: memcpy through a buffer of 2 MiB.
//!
//! *Alone*: one core copies messages to the buffer, one behind the other, and
//! nobody reads them. *Between two cores*: the other one copies them out; who has how
//! far is said by a word each way, for every quarter of the buffer alone, and both
//! know the lengths beforehand: less can't be done.

use crate::board::until;
use crate::message::Outbox;
use crate::peer::{Ends, Entry, Kind, Peer, Place, Rx, Tx, passed};
use crate::run::{Figures, Near};
use crate::work::{LONGEST, RING, Work};
use crate::{Failure, run};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};

/// The words and the buffer, each on pages of their own.
const WORDS: usize = 4096;

/// The buffer ends where no further message is sure to fit.
const ROOM: usize = RING - LONGEST;

pub(crate) struct Memory {
    fds: [OwnedFd; 2],
}

/// One direction's memory.
struct Shared {
    at: NonNull<u8>,
}

impl Shared {
    fn map(fd: impl AsFd) -> Result<Self, Failure> {
        let len = NonZeroUsize::new(WORDS + RING).ok_or("no memory")?;
        // SAFETY: a new mapping, of a file that is as long, where the kernel likes.
        let at = unsafe { mmap(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, fd, 0)? };
        Ok(Self { at: at.cast() })
    }

    /// Bytes written so far, and bytes read so far.
    fn words(&self) -> (&AtomicU64, &AtomicU64) {
        // SAFETY: within the page of words, aligned, never unmapped, and touched
        // through atomics alone.
        unsafe {
            (AtomicU64::from_ptr(self.at.as_ptr().cast()), AtomicU64::from_ptr(self.at.add(1024).as_ptr().cast()))
        }
    }

    fn place(&self, at: usize) -> *mut u8 {
        // SAFETY: `at` is within the buffer.
        unsafe { self.at.add(WORDS + at).as_ptr() }
    }
}

pub(crate) struct To {
    shared: Shared,
    walk: Walk,
    published: u64,
    read: u64,
}

pub(crate) struct From {
    shared: Shared,
    walk: Walk,
    written: u64,
    given: u64,
    text: Vec<u8>,
}

/// Where the next message lies. Both sides walk alike.
#[derive(Default)]
struct Walk {
    /// Bytes from the beginning of time, those skipped at the buffer's end too.
    passed: u64,
    at: usize,
}

impl Walk {
    #[inline]
    fn next(&mut self, len: usize) -> usize {
        if self.at > ROOM {
            self.passed += (RING - self.at) as u64;
            self.at = 0;
        }
        let at = self.at;
        let size = len.next_multiple_of(8);
        self.at += size;
        self.passed += size as u64;
        at
    }
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let whole = self.walk.passed;
        let at = self.walk.next(message.len());
        if self.walk.passed - self.read > RING as u64 {
            self.publish(whole);
            until(|| {
                self.read = self.shared.words().1.load(Acquire);
                self.walk.passed - self.read <= RING as u64
            });
        }
        // SAFETY: the bytes are within the buffer, and were given back by the reader.
        unsafe { self.shared.place(at).copy_from_nonoverlapping(message.as_ptr(), message.len()) };
        if self.walk.passed - self.published >= (RING / 4) as u64 {
            self.flush();
        }
    }

    #[inline]
    fn flush(&mut self) {
        self.publish(self.walk.passed);
    }
}

impl To {
    #[inline]
    fn publish(&mut self, up_to: u64) {
        self.published = up_to;
        self.shared.words().0.store(up_to, Release);
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, expects: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let before = self.walk.passed;
        let at = self.walk.next(expects);
        if self.walk.passed > self.written {
            // Not the place of the message that is awaited: that is still to be read.
            self.give_back(before);
            until(|| {
                self.written = self.shared.words().0.load(Acquire);
                self.walk.passed <= self.written
            });
        }
        let text = &mut self.text[..expects];
        // SAFETY: the bytes are within the buffer, and were published by the writer.
        unsafe { self.shared.place(at).copy_to_nonoverlapping(text.as_mut_ptr(), expects) };
        if self.walk.passed - self.given >= (RING / 4) as u64 {
            self.give_back(self.walk.passed);
        }
        look(&self.text[..expects])
    }
}

impl From {
    fn give_back(&mut self, up_to: u64) {
        self.given = up_to;
        self.shared.words().1.store(up_to, Release);
    }
}

fn ends(to: impl AsFd, from: impl AsFd) -> Result<(To, From), Failure> {
    Ok((
        To { shared: Shared::map(to)?, walk: Walk::default(), published: 0, read: 0 },
        From { shared: Shared::map(from)?, walk: Walk::default(), written: 0, given: 0, text: vec![0; LONGEST] },
    ))
}

impl Peer for Memory {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        let file = || -> Result<OwnedFd, Failure> {
            let fd = memfd_create(c"peers-memory", MFdFlags::empty())?;
            nix::unistd::ftruncate(&fd, (WORDS + RING).try_into()?)?;
            Ok(fd)
        };
        Ok(Self { fds: [file()?, file()?] })
    }

    fn fds(&self) -> Vec<RawFd> {
        self.fds.iter().map(AsRawFd::as_raw_fd).collect()
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        ends(&self.fds[0], &self.fds[1])
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ends(passed(place, 1)?, passed(place, 0)?)
    }
}

/// One core alone.
pub(crate) fn alone() -> Entry {
    Entry {
        near: copy_alone,
        ..Entry::of::<Memory>("memcpy", "memcpy to a buffer, one core alone", Kind::Limit)
            .not(|work| !work.is_one_way())
    }
}

/// Where the messages go of who copies alone.
struct Nowhere {
    buffer: Vec<u8>,
    walk: Walk,
}

impl Tx for Nowhere {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let at = self.walk.next(message.len());
        self.buffer[at..at + message.len()].copy_from_slice(message);
    }
}

fn copy_alone(order: &Near) -> Result<Figures, Failure> {
    let mut to = Nowhere { buffer: vec![1; RING], walk: Walk::default() };
    run::alone(order, |work: Work, count| {
        let mut outbox = Outbox::new(work, 1);
        for _ in 0..count {
            to.send(outbox.next());
        }
        std::hint::black_box(&to.buffer);
    })
}
