//! Ours: the ring, of 2 MiB each way, with its own way of waiting: it sleeps.

use super::{classic, len_of, must};
use crate::Failure;
use crate::message::read_all;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use crate::work::{LONGEST, RING};
use shm_handoff::WaitPolicy;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use std::marker::PhantomData;

type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

/// A pair of ends that wrap the library's.
pub(crate) struct RingOf<T, R, const COALESCE: bool>(PhantomData<(T, R)>);

/// Sends alone, copied in and out.
pub(crate) type Ring<const COALESCE: bool> = RingOf<To, Copied, COALESCE>;
/// Sends 16 at a time.
pub(crate) type Batched = RingOf<ToBatched, Copied, true>;
/// Written and read where the message lies, all of it.
pub(crate) type InPlace = RingOf<ToInPlace, FromInPlace, true>;

pub(crate) trait Wraps<E> {
    fn wrap(end: E) -> Self;
    fn unwrap(self) -> E;
}

impl<T, R, const COALESCE: bool> RingOf<T, R, COALESCE>
where
    T: Tx + Wraps<Writer<SysV>>,
    R: Rx + Wraps<Reader<SysV>>,
{
    fn ends(to: u32, from: u32) -> Result<(T, R), Failure> {
        let options = |key| Ok::<_, Failure>(Options::ring(Key::new(key)?, RING)?);
        let (to, mut from) = (Writer::open(&options(to)?)?, Reader::open(&options(from)?)?);
        from.coalesce(COALESCE);
        Ok((T::wrap(to), R::wrap(from)))
    }
}

impl<T, R, const COALESCE: bool> Peer for RingOf<T, R, COALESCE>
where
    T: Tx + Wraps<Writer<SysV>>,
    R: Rx + Wraps<Reader<SysV>>,
{
    type Tx = T;
    type Rx = R;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self(PhantomData))
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(place.key, place.key + 1)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(place.key + 1, place.key)
    }

    fn close(self, place: &Place, ends: Ends<Self>) -> Result<(), Failure> {
        classic::remove(place)?;
        Self::close_far(ends)
    }

    fn close_far((to, from): Ends<Self>) -> Result<(), Failure> {
        to.unwrap().close_flushed()?;
        Ok(from.unwrap().close()?)
    }

    fn clean(place: &Place) {
        classic::clean(place);
    }
}

macro_rules! wraps {
    ($($end:ident: $inner:ty, |$from:ident| $made:expr, .$field:tt;)*) => {$(
        impl Wraps<$inner> for $end {
            fn wrap($from: $inner) -> Self {
                $made
            }

            fn unwrap(self) -> $inner {
                self.$field
            }
        }
    )*};
}

wraps! {
    To: Writer<SysV>, |writer| Self(writer), .0;
    ToBatched: Writer<SysV>, |writer| Self(writer), .0;
    ToInPlace: Writer<SysV>, |writer| Self(writer), .0;
    Copied: Reader<SysV>, |reader| Self { reader, text: vec![0; LONGEST] }, .reader;
    FromInPlace: Reader<SysV>, |reader| Self(reader), .0;
}

pub(crate) struct To(Writer<SysV>);

pub(crate) struct Copied {
    reader: Reader<SysV>,
    text: Vec<u8>,
}

impl Tx for To {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        must(self.0.send(message), "send");
    }
}

impl Rx for Copied {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let len = len_of(must(self.reader.recv(&mut self.text), "recv"));
        look(&self.text[..len])
    }
}

pub(crate) struct ToBatched(Writer<SysV>);

impl Tx for ToBatched {
    const BATCH: usize = 16;

    fn send(&mut self, message: &[u8]) {
        must(self.0.send(message), "send");
    }

    #[inline]
    fn send_all(&mut self, messages: &[&[u8]]) {
        must(self.0.send_all(messages), "send");
    }
}

pub(crate) struct ToInPlace(Writer<SysV>);

pub(crate) struct FromInPlace(Reader<SysV>);

impl Tx for ToInPlace {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let mut reserved = must(self.0.reserve(message.len()), "reserve");
        // SAFETY: the other process is this program, which reads nothing that was
        // not committed.
        unsafe { reserved.bytes() }.copy_from_slice(message);
        reserved.commit();
    }
}

impl Rx for FromInPlace {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let message = must(self.0.peek_in_place(&mut WaitPolicy::forever()), "look");
        // SAFETY: the other process is this program, which writes nothing that was
        // not released.
        let bytes = unsafe { message.bytes() };
        read_all(bytes);
        let seen = look(bytes);
        message.release();
        seen
    }
}
