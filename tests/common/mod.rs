//! Places to meet, for the suites that run on every backend.

#![allow(dead_code)] // each test program uses a part of it

use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::backend::memory::offsets::SLOT;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Received, backend::Backend};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

/// A deadline that only a side that is stuck will meet.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// The length of a message that was received.
pub(crate) fn len_of(received: Received) -> usize {
    match received {
        Received::Message(len) => len,
        Received::End => panic!("the session has ended"),
    }
}

/// One backend's places: each is fresh, nobody else's, and removed with all
/// that belongs to it when it is dropped, also by a test that fails.
pub(crate) trait Harness: Sized + Sync {
    type Backend: Backend<Address = Self::Address> + Send;
    type Address: Sync;

    /// A classic slot.
    fn fresh() -> Self;
    /// A ring with this capacity, of 64 KiB at least.
    fn ring(capacity: usize) -> Self;
    fn address(&self) -> &Self::Address;
}

/// A slot or a ring of this process.
pub(crate) struct InProcess(pub(crate) Channel);

impl Harness for InProcess {
    type Backend = InProc;
    type Address = Channel;

    fn fresh() -> Self {
        Self(Channel::new(SLOT.text_len))
    }

    fn ring(capacity: usize) -> Self {
        Self(Channel::ring(capacity))
    }

    fn address(&self) -> &Channel {
        &self.0
    }
}

/// A random key, at which nothing was.
pub(crate) struct SystemV {
    key: Key,
    options: Options,
}

impl Harness for SystemV {
    type Backend = SysV;
    type Address = Options;

    fn fresh() -> Self {
        Self::with(Options::slot)
    }

    fn ring(capacity: usize) -> Self {
        Self::with(|key| Options::ring(key, capacity).expect("a capacity that rings have"))
    }

    fn address(&self) -> &Options {
        &self.options
    }
}

impl SystemV {
    fn with(options: impl Fn(Key) -> Options) -> Self {
        loop {
            // A fresh `RandomState` is as good as a random number.
            let random = RandomState::new().build_hasher().finish();
            let number = u32::try_from(random & 0x7FFF_FFFF).expect("31 bits");
            let Ok(key) = Key::new(number) else { continue };
            // SAFETY: only a look-up: no memory is involved.
            let found = unsafe { libc::shmget(number.cast_signed(), 0, 0) };
            // SAFETY: as above.
            let seats = unsafe { libc::semget(key.seats().cast_signed(), 0, 0) };
            if found == -1 && seats == -1 {
                return Self { key, options: options(key) };
            }
        }
    }

    /// A text as long as the classic one, behind which a flag of a byte lies.
    pub(crate) fn declared() -> Self {
        let declared = "struct { char text[2048]; _Bool written; }".parse().expect("a SPEC");
        Self::with(|key| Options::declared(key, &declared))
    }

    /// Records of so many bytes, in front of which the flag lies.
    pub(crate) fn records(len: usize) -> Self {
        let declared = format!("flag=i32@0,data={len}@4,size={}", len + 4).parse().expect("a SPEC");
        Self::with(|key| Options::declared(key, &declared))
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// All of the segment, attached once more, as a program would that knows
    /// nothing of the protocol.
    pub(crate) fn attach(&self) -> RawSegment {
        // SAFETY: only a look-up: no memory is involved.
        let id = unsafe { libc::shmget(self.key.number().cast_signed(), 0, 0) };
        assert!(id != -1, "there is no segment yet");
        // SAFETY: with a null address the kernel chooses a free range.
        let first = unsafe { libc::shmat(id, std::ptr::null(), 0) };
        assert!(first.addr() != usize::MAX, "shmat failed");
        RawSegment(first.cast())
    }
}

impl Drop for SystemV {
    fn drop(&mut self) {
        // SAFETY: look-ups, and removals that take no buffer. Whoever is still
        // attached keeps the memory.
        unsafe {
            let id = libc::shmget(self.key.number().cast_signed(), 0, 0);
            if id != -1 {
                libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
            }
            let id = libc::semget(self.key.seats().cast_signed(), 0, 0);
            if id != -1 {
                libc::semctl(id, 0, libc::IPC_RMID);
            }
        }
    }
}

/// A raw attachment to a classic segment.
pub(crate) struct RawSegment(*mut u8);

impl RawSegment {
    /// Overwrites all of the text, then the flag.
    pub(crate) fn scribble(&self, flag: u32, text: &[u8; SLOT.text_len]) {
        // SAFETY: the segment has the classic layout's size, and nobody else
        // is at work in it meanwhile: the caller is the test's only thread.
        unsafe {
            self.0.add(SLOT.text_at).copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.0.add(SLOT.flag_at).cast::<[u8; 4]>().write(flag.to_ne_bytes());
        }
    }
}

impl Drop for RawSegment {
    fn drop(&mut self) {
        // SAFETY: attached by `attach`, once.
        unsafe { libc::shmdt(self.0.cast()) };
    }
}
