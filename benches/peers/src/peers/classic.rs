//! Ours: the classic slot, one each way. It wakes nobody: who waits sleeps for
//! 50 µs, doubled to 5 ms, and 20 ms when nothing came for a second.

use super::{len_of, must};
use crate::Failure;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use crate::work::LONGEST;
use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::{Role, Slot, backend::Backend};

type Reader<B> = shm_handoff::Reader<B, Slot>;
type Writer<B> = shm_handoff::Writer<B, Slot>;

pub(crate) struct Classic;

pub(crate) struct To(Writer<SysV>);

pub(crate) struct From {
    reader: Reader<SysV>,
    text: Vec<u8>,
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        must(self.0.send(message), "send");
    }
}

impl Rx for From {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let len = len_of(must(self.reader.recv(&mut self.text), "recv"));
        look(&self.text[..len])
    }
}

fn ends(to: u32, from: u32) -> Result<(To, From), Failure> {
    let options = |key| Ok::<_, Failure>(Options::slot(Key::new(key)?));
    Ok((To(Writer::open(&options(to)?)?), From { reader: Reader::open(&options(from)?)?, text: vec![0; LONGEST] }))
}

impl Peer for Classic {
    type Tx = To;
    type Rx = From;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place.key, place.key + 1)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        ends(place.key + 1, place.key)
    }

    fn close(self, place: &Place, (to, from): Ends<Self>) -> Result<(), Failure> {
        remove(place)?;
        to.0.close_flushed()?;
        Ok(from.reader.close()?)
    }

    fn close_far((to, from): Ends<Self>) -> Result<(), Failure> {
        to.0.close_flushed()?;
        Ok(from.reader.close()?)
    }

    fn clean(place: &Place) {
        clean(place);
    }
}

/// Removes both segments; the seats go with who leaves them last.
pub(crate) fn remove(place: &Place) -> Result<(), Failure> {
    for key in [place.key, place.key + 1] {
        Segment::open(Key::new(key)?)?.remove()?;
    }
    Ok(())
}

/// Removes what two that were killed left.
pub(crate) fn clean(place: &Place) {
    for key in [place.key, place.key + 1] {
        let Ok(key) = Key::new(key) else { continue };
        if let Ok(mut left) = SysV::open(&Options::any(key), Role::Reader) {
            let _ = left.remove();
            let _ = left.leave();
        }
    }
}
