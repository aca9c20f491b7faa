//! A ring that is being made.

use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::backend::memory::header::{Header, Said};
use shm_handoff::sync::{AtomicU32, AtomicU64};
use std::rc::Rc;

const CAPACITY: u64 = 65_536;
const STREAM: u64 = 0xABCD;
const SCHEMA: u64 = 0x1234;

struct Words {
    magic: AtomicU64,
    version: AtomicU32,
    capacity: AtomicU64,
    stream: AtomicU64,
    schema: AtomicU64,
}

impl Words {
    fn header(&self) -> Header<'_> {
        Header {
            magic: &self.magic,
            version: &self.version,
            capacity: &self.capacity,
            stream: &self.stream,
            schema: &self.schema,
        }
    }
}

/// R28's.
pub(crate) fn a_ring_in_the_making() {
    let words = Rc::new(Words {
        magic: AtomicU64::new(0),
        version: AtomicU32::new(0),
        capacity: AtomicU64::new(0),
        stream: AtomicU64::new(0),
        schema: AtomicU64::new(0),
    });
    let said = Said::of_new(CAPACITY, STREAM, SCHEMA);
    main_is("newcomer");
    let theirs = Rc::clone(&words);
    let maker = actor("maker", move || theirs.header().make(said));
    match words.header().read() {
        Ok(seen) => assert_eq!(seen, said, "what is recognised"),
        Err(magic) => assert_eq!(magic, 0, "the magic is there or not"),
    }
    maker.join();
    assert_eq!(words.header().read(), Ok(said));
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
