//! crossbeam-channel, between two threads: bounded, 2 MiB of slots that are as long
//! as the messages; where lengths are mixed, as long as the longest, with a length.

use super::must;
use crate::Failure;
use crate::peer::{Entry, Kind, Rx, Threads, Tx};
use crate::run::{Figures, Near, threads};
use crate::work::{RING, Work};
use crossbeam_channel::{Receiver, Sender, bounded};

struct Slots<const N: usize>;

struct To<const N: usize>(Sender<(usize, [u8; N])>);

struct From<const N: usize>(Receiver<(usize, [u8; N])>);

impl<const N: usize> Tx for To<N> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let mut slot = [0; N];
        slot[..message.len()].copy_from_slice(message);
        must(self.0.send((message.len(), slot)), "send");
    }
}

impl<const N: usize> Rx for From<N> {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let (len, slot) = must(self.0.recv(), "recv");
        look(&slot[..len])
    }
}

impl<const N: usize> Threads for Slots<N> {
    type Tx = To<N>;
    type Rx = From<N>;

    fn make(_: Work) -> (To<N>, From<N>) {
        let (to, from) = bounded(RING / N);
        (To(to), From(from))
    }
}

fn near(order: &Near) -> Result<Figures, Failure> {
    super::sized!(order.work.longest(), |N| threads::<Slots<N>>(order))
}

pub(crate) fn entry() -> Entry {
    let entry = Entry { near, ..Entry::absent("crossbeam", "crossbeam-channel", "") };
    Entry { kind: Kind::Threads, missing: None, not: |_| false, ..entry }
}
