//! A ring that is being made.

use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::backend::memory::header::Header;
use shm_handoff::backend::memory::offsets::ring::VERSION;
use shm_handoff::sync::{AtomicU32, AtomicU64};
use std::rc::Rc;

const CAPACITY: u64 = 65_536;

struct Words {
    magic: AtomicU64,
    version: AtomicU32,
    capacity: AtomicU64,
}

impl Words {
    fn header(&self) -> Header<'_> {
        Header { magic: &self.magic, version: &self.version, capacity: &self.capacity }
    }
}

/// R28's.
pub(crate) fn a_ring_in_the_making() {
    let words = Rc::new(Words { magic: AtomicU64::new(0), version: AtomicU32::new(0), capacity: AtomicU64::new(0) });
    main_is("newcomer");
    let theirs = Rc::clone(&words);
    let maker = actor("maker", move || theirs.header().make(CAPACITY));
    match words.header().read() {
        Ok(seen) => assert_eq!(seen, (VERSION, CAPACITY), "version and capacity of what is recognised"),
        Err(magic) => assert_eq!(magic, 0, "the magic is there or not"),
    }
    maker.join();
    assert_eq!(words.header().read(), Ok((VERSION, CAPACITY)));
}

/// **R28** A ring is recognised with its whole header, or not at all, at whatever moment of
/// its making somebody looks.
#[test]
fn r28_a_ring_in_the_making() {
    claim(
        "R28",
        "a ring that is being made is recognised with its whole header, or not yet",
        Depth::whole(21),
        a_ring_in_the_making,
    );
}
