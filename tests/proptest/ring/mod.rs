//! Properties of the ring.

mod hostile;
mod lengths;
mod operations;

use crate::common::{Harness, InProcess, SystemV};
use proptest::prelude::*;
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::backend::memory::offsets::ring::{HEAD_AT, RELEASED_AT, SMALLEST};
use shm_handoff::backend::sysv::Segment;
use shm_handoff::sync::Ordering;
use shm_handoff::{Ring, Role};

type Reader<B> = shm_handoff::Reader<B, Ring>;
type Writer<B> = shm_handoff::Writer<B, Ring>;

/// A ring whose positions start where a test wants them to.
trait StartsAt: Harness {
    /// A small ring, as far as this backend has small ones.
    const CAPACITY: usize;

    fn starting_at(start: u64) -> Self;
}

impl StartsAt for InProcess {
    const CAPACITY: usize = 512;

    fn starting_at(start: u64) -> Self {
        let place = Self(Channel::ring_from(Self::CAPACITY, Self::CAPACITY / 4, start));
        let ring = guest(&place);
        let positions = [ring.ring().head(), ring.ring().released()].map(|word| word.load(Ordering::Relaxed));
        assert_eq!(positions, [start; 2]);
        place
    }
}

impl StartsAt for SystemV {
    const CAPACITY: usize = SMALLEST;

    fn starting_at(start: u64) -> Self {
        let place = Self::ring(Self::CAPACITY);
        // Makes it.
        let maker = Reader::<<Self as Harness>::Backend>::open(place.address()).unwrap();
        let segment = Segment::open(place.key()).unwrap();
        segment.double_word(HEAD_AT).store(start, Ordering::Relaxed);
        segment.double_word(RELEASED_AT).store(start, Ordering::Relaxed);
        drop(maker);
        place
    }
}

fn guest<H: Harness>(place: &H) -> H::Backend {
    H::Backend::open(place.address(), Role::Guest).unwrap()
}

/// Where positions start: at 0, and before each place where a number of some size
/// ends, so near that they get over it.
fn any_start(capacity: usize) -> impl Strategy<Value = u64> {
    let near = 0..2 * capacity as u64 / 8;
    let edge = prop_oneof![
        1 => Just(0_u64),
        1 => Just(capacity as u64 * 4),
        2 => Just(1 << 31),
        4 => Just(1 << 32),
        2 => Just(1 << 63),
        // 2^64: positions wrap around.
        4 => Just(0_u64),
    ];
    prop_oneof![1 => Just(0), 4 => (edge, near).prop_map(|(edge, before)| edge.wrapping_sub(before * 8))]
}

/// What a record of this length takes, by the documented layout.
fn size_of_record(len: usize) -> u64 {
    8 + len.next_multiple_of(8) as u64
}

/// Bytes of every value, and of those that look like flags.
fn bytes(len: usize, seed: u8) -> Vec<u8> {
    match seed % 8 {
        0 => vec![0; len],
        1 => vec![0xFF; len],
        // Flags of records of 0 and of 8 bytes, in both halves of a unit.
        2 => [1, 0, 0, 0, 9, 0, 0, 0].into_iter().cycle().take(len).collect(),
        _ => (0..=255_u8).cycle().skip(seed.into()).take(len).collect(),
    }
}

/// The head, as everybody sees it.
fn head_of<B: Backend>(backend: &B) -> u64 {
    backend.ring().head().load(Ordering::Relaxed)
}
