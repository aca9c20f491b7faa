//! Every length that lies at a boundary, at every place that does.
//!
//! * P1: A message of any length up to a quarter arrives as it was, wherever in
//!   the ring it begins: also where it ends at the wrap, before it or behind it,
//!   alone or with another one behind it.
//! * P2: Of a quarter and one byte more nothing is sent, and the reason is given.
//! * P3: Nothing of that depends on where positions start: they pass 2^32 and wrap
//!   around at 2^64.

use super::{Reader, StartsAt, Writer, bytes};
use crate::common::{InProcess, SystemV, len_of, soon};
use shm_handoff::error::Unsendable;
use shm_handoff::{Received, SendError};

/// Lengths around each limit of a ring of `capacity`.
fn lengths(capacity: usize) -> Vec<usize> {
    let quarter = capacity / 4;
    let mut all = vec![0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65];
    all.extend(quarter - 17..=quarter);
    all.retain(|len| *len <= quarter);
    all
}

/// From each of these places a message of each length, with a short one behind it.
fn every_length_from<H: StartsAt>(places: impl Iterator<Item = usize>) {
    let capacity = H::CAPACITY;
    for before in places {
        // Before the wrap, 2^32 and 2^64 alike: all are multiples of the capacity.
        for edge in [capacity as u64, 1 << 32, 0] {
            let place = H::starting_at(edge.wrapping_sub(before as u64));
            let mut writer = Writer::<H::Backend>::open(place.address()).unwrap();
            let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
            let mut room = vec![0; capacity / 4];
            for (number, len) in lengths(capacity).into_iter().enumerate() {
                let sent = bytes(len, u8::try_from(number).unwrap());
                let told = format!("{len} bytes, {before} before {edge:#x}");
                let refused = writer.try_send(&vec![0; capacity / 4 + 1]);
                let why = Unsendable::TooLong { most: capacity / 4 };
                assert_eq!(refused, Err(SendError::Unsendable(why)), "{told}");
                writer.send_deadline(&sent, soon()).unwrap();
                writer.send_deadline(b"behind", soon()).unwrap();
                let got = len_of(reader.recv_deadline(&mut room, soon()).unwrap());
                assert!(room[..got] == sent, "{told}: {got} came");
                assert_eq!(reader.recv_deadline(&mut room, soon()), Ok(Received::Message(6)), "{told}");
                assert_eq!(&room[..6], b"behind");
                // A new writer finds the place again.
                writer.close().unwrap();
                writer = Writer::open(place.address()).unwrap();
            }
        }
    }
}

#[test]
fn p1_to_p3_in_one_process() {
    every_length_from::<InProcess>((0..=InProcess::CAPACITY).step_by(8));
}

#[test]
fn p1_to_p3_in_a_segment() {
    let quarter = SystemV::CAPACITY / 4;
    every_length_from::<SystemV>([0, 8, 16, 24, 80, quarter - 8, quarter, quarter + 8, quarter + 16].into_iter());
}
