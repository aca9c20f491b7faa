//! The rtrb crate, between two threads: 2 MiB of slots that are as long as the
//! messages; where lengths are mixed, a ring of bytes with four bytes of length in
//! front of each. It has no way to wait: both sides spin, with a pause. Short slots go by the
//! calls for one, which cost a third of those for slices; those copy a long one once only.

use crate::board::until;
use crate::peer::{Entry, Kind, Rx, Threads, Tx};
use crate::run::{Figures, Near, threads};
use crate::work::{LONGEST, RING, Work};
use crate::{Failure, peers};
use rtrb::{Consumer, Producer, RingBuffer};

struct Slots<const N: usize>;

struct To<const N: usize>(Producer<[u8; N]>);

struct From<const N: usize> {
    consumer: Consumer<[u8; N]>,
    text: Box<[[u8; N]; 1]>,
}

impl<const N: usize> Tx for To<N> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let (slots, _) = message.as_chunks::<N>();
        if N < 256 {
            until(|| self.0.push(slots[0]).is_ok());
        } else {
            until(|| self.0.push_entire_slice(slots).is_ok());
        }
    }
}

impl<const N: usize> Rx for From<N> {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        if N < 256 {
            until(|| self.consumer.pop().map(|slot| self.text[0] = slot).is_ok());
        } else {
            until(|| self.consumer.pop_entire_slice(&mut self.text[..]).is_ok());
        }
        look(&self.text[0])
    }
}

impl<const N: usize> Threads for Slots<N> {
    type Tx = To<N>;
    type Rx = From<N>;

    fn make(_: Work) -> (To<N>, From<N>) {
        let (producer, consumer) = RingBuffer::new(RING / N);
        (To(producer), From { consumer, text: Box::new([[0; N]]) })
    }
}

struct Bytes;

struct ToBytes(Producer<u8>);

struct FromBytes {
    consumer: Consumer<u8>,
    text: Vec<u8>,
}

impl Tx for ToBytes {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let len = u32::try_from(message.len()).expect("short").to_ne_bytes();
        until(|| self.0.push_entire_slice(&len).is_ok());
        until(|| self.0.push_entire_slice(message).is_ok());
    }
}

impl Rx for FromBytes {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let mut len = [0; 4];
        until(|| self.consumer.pop_entire_slice(&mut len).is_ok());
        let text = &mut self.text[..u32::from_ne_bytes(len) as usize];
        until(|| self.consumer.pop_entire_slice(text).is_ok());
        look(text)
    }
}

impl Threads for Bytes {
    type Tx = ToBytes;
    type Rx = FromBytes;

    fn make(_: Work) -> (ToBytes, FromBytes) {
        let (producer, consumer) = RingBuffer::new(RING);
        (ToBytes(producer), FromBytes { consumer, text: vec![0; LONGEST] })
    }
}

fn near(order: &Near) -> Result<Figures, Failure> {
    match order.work {
        Work::Mixed => threads::<Bytes>(order),
        work => peers::sized!(work.longest(), |N| threads::<Slots<N>>(order)),
    }
}

pub(crate) fn entry() -> Entry {
    let entry = Entry { near, ..Entry::absent("rtrb", "rtrb", "") };
    Entry { kind: Kind::Threads, missing: None, not: peers::never_sleeps, ..entry }
}
