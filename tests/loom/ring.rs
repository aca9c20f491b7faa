//! The ring: records through a few units of 8 bytes, in every place of the wrap.

use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::backend::inproc::Slot;
use shm_handoff::ring::{Reader, Writer};
use shm_handoff::sync::ring_words_are_one_way;

/// A ring of `units` of 8 bytes whose first record comes at unit `from`. Here no
/// side both loads and stores a word, but for the hints.
fn ring(units: usize, from: u64) -> Slot {
    ring_words_are_one_way(true);
    Slot::ring_from(8 * units, 8, 8 * from)
}

/// Message `number`: as many units as asked for, header included.
fn message(number: u8, units: usize) -> Vec<u8> {
    vec![b'a' + number; 8 * (units - 1)]
}

/// Records of so many units each, one by one.
fn flow(ring: &Slot, units: &'static [usize]) {
    main_is("reader");
    let mut reader = Reader::<Bare>::open(ring).unwrap();
    let mut writer = Writer::<Bare>::open(ring).unwrap();
    let writer = actor("writer", move || {
        for (number, units) in (0..).zip(units) {
            writer.send(&message(number, *units)).unwrap();
        }
        writer
    });
    for (number, units) in (0..).zip(units) {
        let message_ = reader.look().unwrap();
        assert_eq!(message_.text(), message(number, *units), "record {number}");
        message_.release();
    }
    drop(writer.join());
    assert!(reader.try_recv(&mut [0; 8]).is_err(), "nothing comes twice");
}

/// **R1** Three records of one, two and two units through a ring of four: the
/// second jumps over the wrap, and the writer waits for space.
#[test]
fn r1_three_records() {
    claim("R1", "three records through a ring of four units", Depth::bound(2, 0), || flow(&ring(4, 0), &[1, 2, 2]));
}

#[test]
fn x_orders() {
    use crate::explore::{Search, explore};
    use shm_handoff::protocol::orders::weakened;
    for weaker in weakened::each().into_iter().skip(4) {
        let started = std::time::Instant::now();
        let r = explore(Search { orders: weaker.orders, bound: Some(3), ..Search::ALL }, || flow(&ring(4, 0), &[1, 2, 2]));
        match r {
            Ok(n) => println!("{} {:?}: NOT FOUND in {n} {:?}", weaker.entry, weaker.to, started.elapsed()),
            Err(e) => println!("{} {:?}: {e}", weaker.entry, weaker.to),
        }
    }
}
