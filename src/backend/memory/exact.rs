//! Bytes at any offset and of any number, copied in and out without touching one beside them: what
//! lies around the members of a struct is the program's own.
//!
//! As for [`Payload`](super::Payload), the copies are defined whatever the peer does meanwhile: vector
//! registers in inline assembly for what is long, relaxed atomic bytes for the rest.

#[cfg(vectors)]
use super::copy as vector;
use crate::sync::{AtomicU8, Ordering};
use core::marker::PhantomData;

/// Shared bytes that a peer may change at any moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact<'a> {
    first: *mut u8,
    len: usize,
    shared: PhantomData<&'a [AtomicU8]>,
}

impl Exact<'_> {
    /// The `len` bytes at `first`.
    ///
    /// # Safety
    /// So many are readable and writable for as long as `'a` lasts, and in this process reached by `Exact` alone.
    #[inline(always)]
    pub(super) unsafe fn from_raw(first: *mut u8, len: usize) -> Self {
        Self { first, len, shared: PhantomData }
    }

    /// Copies `bytes` to `at`.
    ///
    /// # Panics
    /// If they do not fit: a caller's mistake, not a peer's.
    #[inline(always)]
    pub(super) fn write(self, at: usize, bytes: &[u8]) {
        self.check(at, bytes.len());
        // SAFETY: within the bytes, by the check.
        let to = unsafe { self.first.add(at) };
        #[cfg(vectors)]
        if bytes.len() >= vector::LEAST {
            // SAFETY: the length is within both; the source is private, the target shared as promised.
            unsafe { vector::copy(bytes.as_ptr(), to, bytes.len()) };
            return;
        }
        for (at, byte) in bytes.iter().enumerate() {
            // SAFETY: as above. Relaxed: the flag orders the payload, in `protocol`.
            unsafe { AtomicU8::from_ptr(to.add(at)).store(*byte, Ordering::Relaxed) };
        }
    }

    /// Fills `out` from the bytes at `at`.
    ///
    /// # Panics
    /// If there are not so many: a caller's mistake, not a peer's.
    #[inline(always)]
    pub(super) fn read(self, at: usize, out: &mut [u8]) {
        self.check(at, out.len());
        // SAFETY: within the bytes, by the check.
        let from = unsafe { self.first.add(at) };
        #[cfg(vectors)]
        if out.len() >= vector::LEAST {
            // SAFETY: as for writing, the other way round.
            unsafe { vector::copy(from, out.as_mut_ptr(), out.len()) };
            return;
        }
        for (at, byte) in out.iter_mut().enumerate() {
            // SAFETY: as above.
            *byte = unsafe { AtomicU8::from_ptr(from.add(at)).load(Ordering::Relaxed) };
        }
    }

    #[inline(always)]
    fn check(self, at: usize, len: usize) {
        assert!(len <= self.len && at <= self.len - len, "{len} bytes at {at} of {}", self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is written comes back, and no byte beside it was touched.
        #[test]
        fn round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..300), first in 0_usize..40, old: u8) {
            let memory: Vec<AtomicU8> = (0..400).map(|_| AtomicU8::new(old)).collect();
            let place = memory.as_ptr().cast::<u8>().cast_mut();
            // SAFETY: within the vector, whose atomics may be changed.
            let shared = unsafe { Exact::from_raw(place.add(first), 350) };
            shared.write(7, &bytes);
            let mut out = vec![!old; bytes.len()];
            shared.read(7, &mut out);
            prop_assert_eq!(&out, &bytes);
            let all: Vec<u8> = memory.iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
            let from = first + 7;
            prop_assert!(all[..from].iter().chain(&all[from + bytes.len()..]).all(|byte| *byte == old));
        }
    }
}
