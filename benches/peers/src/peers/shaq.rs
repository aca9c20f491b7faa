//! The shaq crate, between two processes: a ring of values of one size in a memfd, 1 to 2 MiB of them; where
//! lengths are mixed, as long as the longest, with a length. A reader can sleep (on a futex, after 2048 tries);
//! a writer without room spins, with a pause, for there is nothing else.

use crate::Failure;
use crate::board::until;
use crate::peer::{Ends, Entry, Kind, Peer, Place, Rx, Tx, passed};
use crate::run::{self, Far, Figures, Near};
use crate::work::{LONGEST, RING, Work};
use nix::sys::memfd::{MFdFlags, memfd_create};
use shaq::spsc::{Consumer, Producer, minimum_file_size};
use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// What lies in the ring. Any bytes are one.
pub(crate) trait Value: Sized {
    /// A value that carries the message.
    fn of(message: &[u8]) -> Self;

    /// The same, where it is to lie.
    ///
    /// # Safety
    /// `place` can be written.
    unsafe fn write(place: *mut Self, message: &[u8]);

    fn bytes(&self) -> &[u8];
}

impl<const N: usize> Value for [u8; N] {
    #[inline]
    fn of(message: &[u8]) -> Self {
        message.try_into().expect("as long as all of them")
    }

    #[inline]
    unsafe fn write(place: *mut Self, message: &[u8]) {
        let message: &Self = message.try_into().expect("as long as all of them");
        // SAFETY: the caller's, and nobody else has what lies there.
        unsafe { place.copy_from_nonoverlapping(message, 1) };
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// One of another length each time.
#[repr(C)]
pub(crate) struct Long<const N: usize> {
    len: usize,
    bytes: [u8; N],
}

impl<const N: usize> Value for Long<N> {
    #[inline]
    fn of(message: &[u8]) -> Self {
        let mut bytes = [0; N];
        bytes[..message.len()].copy_from_slice(message);
        Self { len: message.len(), bytes }
    }

    #[inline]
    unsafe fn write(place: *mut Self, message: &[u8]) {
        assert!(message.len() <= N, "{} bytes in a slot of {N}", message.len());
        // SAFETY: the caller's, and it is within the value.
        unsafe {
            (&raw mut (*place).len).write(message.len());
            (&raw mut (*place).bytes).cast::<u8>().copy_from_nonoverlapping(message.as_ptr(), message.len());
        }
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// `SLEEPS`: by the calls that wait, not by those that try.
pub(crate) struct Shaq<V, const SLEEPS: bool> {
    files: [File; 2],
    ends: Option<(To<V>, From<V, SLEEPS>)>,
}

pub(crate) struct To<V>(Producer<V>);

pub(crate) struct From<V, const SLEEPS: bool> {
    consumer: Consumer<V>,
    text: Vec<u8>,
}

impl<V: Value> Tx for To<V> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        if self.0.len() == self.0.capacity() {
            // A batch that found no room would publish all the same, again and again.
            return until(|| self.0.try_write(V::of(message)).is_ok());
        }
        let mut batch = self.0.write_batch();
        // SAFETY: what is reserved is written at once.
        let place = unsafe { batch.try_as_mut() }.expect("there was room").as_mut_ptr();
        // SAFETY: the place is that of one value, and the batch's alone.
        unsafe { V::write(place, message) };
    }
}

/// Longer than any message is awaited.
const TIMEOUT: Duration = Duration::from_secs(3600);

impl<V: Value, const SLEEPS: bool> Rx for From<V, SLEEPS> {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let Self { consumer, text } = self;
        let mut len = 0;
        let mut copy = |bytes: &[u8]| {
            len = bytes.len();
            text[..len].copy_from_slice(bytes);
        };
        if SLEEPS {
            let batch = consumer.reserve_read_batch_timeout(NonZeroUsize::MIN, TIMEOUT);
            copy(batch.unwrap_or_else(|error| panic!("read: {error:?}"))[0].bytes());
        } else {
            until(|| consumer.try_reserve_read_batch(NonZeroUsize::MIN).map(|batch| copy(batch[0].bytes())).is_some());
        }
        look(&self.text[..len])
    }
}

fn must<T>(opened: Result<T, shaq::error::Error>) -> Result<T, Failure> {
    opened.map_err(|error| format!("shaq: {error:?}").into())
}

impl<V: Value, const SLEEPS: bool> From<V, SLEEPS> {
    fn new(consumer: Consumer<V>) -> Self {
        Self { consumer, text: vec![0; LONGEST] }
    }
}

impl<V: Value, const SLEEPS: bool> Peer for Shaq<V, SLEEPS> {
    type Tx = To<V>;
    type Rx = From<V, SLEEPS>;

    fn make(_: &Place) -> Result<Self, Failure> {
        let file = || -> Result<File, Failure> { Ok(memfd_create(c"peers-shaq", MFdFlags::empty())?.into()) };
        let files = [file()?, file()?];
        let slots = 1 << (RING / size_of::<V>()).ilog2();
        let size = minimum_file_size::<V>(slots).next_multiple_of(4096);
        // SAFETY: both files are new; of each this is the one that makes it, and the far side joins as the other.
        let (to, from) = unsafe { (Producer::create(&files[0], size), Consumer::create(&files[1], size)) };
        let ends = Some((To(must(to)?), From::new(must(from)?)));
        Ok(Self { files, ends })
    }

    fn fds(&self) -> Vec<RawFd> {
        self.files.iter().map(AsRawFd::as_raw_fd).collect()
    }

    fn near(&mut self, _: &Place) -> Result<Ends<Self>, Failure> {
        self.ends.take().ok_or_else(|| "opened twice".into())
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        let (there, back) = (File::from(passed(place, 0)?), File::from(passed(place, 1)?));
        // SAFETY: the near side made both before it started us, of the same type, and has the other ends.
        let (to, from) = unsafe { (Producer::join(&back), Consumer::join(&there)) };
        Ok((To(must(to)?), From::new(must(from)?)))
    }
}

fn near<const SLEEPS: bool>(order: &Near) -> Result<Figures, Failure> {
    match order.work {
        Work::Mixed => super::sized!(Work::Mixed.longest(), |N| run::near::<Shaq<Long<N>, SLEEPS>>(order)),
        work => super::sized!(work.longest(), |N| run::near::<Shaq<[u8; N], SLEEPS>>(order)),
    }
}

fn far<const SLEEPS: bool>(order: &Far) -> Result<(), Failure> {
    match order.work {
        Work::Mixed => super::sized!(Work::Mixed.longest(), |N| run::far::<Shaq<Long<N>, SLEEPS>>(order)),
        work => super::sized!(work.longest(), |N| run::far::<Shaq<[u8; N], SLEEPS>>(order)),
    }
}

fn entry<const SLEEPS: bool>(id: &'static str, name: &'static str) -> Entry {
    // Nothing of it has a name: there is nothing to clean, whatever the length.
    Entry { near: near::<SLEEPS>, far: far::<SLEEPS>, ..Entry::of::<Shaq<[u8; 8], SLEEPS>>(id, name, Kind::Processes) }
}

pub(crate) fn entries() -> [Entry; 2] {
    [
        entry::<false>("shaq", "shaq, polled").not(super::never_sleeps),
        entry::<true>("shaq-futex", "shaq, woken by its futex"),
    ]
}
