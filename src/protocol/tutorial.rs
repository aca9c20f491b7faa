//! The tutorial's own protocol, to be shown wrong: **nothing to use**.
//!
//! Step by step what the well-known programs do, on the same [`Backend`] as
//! everything else, so that the machine which accepts our protocol can be seen
//! to reject theirs. Each defect of its concurrency, D1 to D5, can be
//! [mended](Mended) by itself: with all others mended, what goes wrong is that
//! one's fault alone. `docs/defects.md` has the whole list with pictures.
//!
//! ```text
//!   writer                               reader
//!   ------                               ------
//!   (no seat: D5)                        (no seat: D5)
//!                                        written = 0                        D4
//!   while (written == 1) wait   D1 D12   while (written != 1) wait      D1 D12
//!   strncpy(text, line, 2048)   D6 D7    print text up to its NUL           D6
//!   written = 1                 D1 D2    written = 0                     D1 D2
//!   leave if line begins `end`  D11      leave if text begins `end`  D3 D11
//! ```
//!
//! **Under loom** the flag of D1 and the text are plain cells, so they are seen
//! as the data races they are. **On real memory** the flag is a relaxed 32-bit
//! access and the text the same copy as everywhere: defined in our program, and
//! as permissive as the loads and stores of the compiled C programs. What a C
//! *compiler* may make of a plain `int` (hoist the flag out of its loop, move
//! the text's stores below the flag's) is not reproduced.
//!
//! ```
//! # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
//! let writer = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
//! assert!(writer.offer(b"hello\n"));
//! let mut reader = Reader::<InProc>::open(&slot, Mended::NOTHING)?;
//! assert!(reader.take().is_none(), "the waiting message is lost: D4");
//! # Ok::<(), shm_handoff::Error>(())
//! ```

mod place;

use super::slot::rules;
use crate::backend::Backend;
use crate::backend::memory::declared::FlagView;
use crate::backend::memory::slot::Flag;
use crate::error::{Error, Role};
use crate::orders::{Orders, RELAXED, UNORDERED, orders};
use crate::sync::{Ordering, plain};
use place::Place;

/// Which defects are mended.
///
/// ```
/// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
/// let first = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
/// assert!(Writer::<InProc>::open(&slot, Mended::NOTHING).is_ok(), "two writers: D5");
/// let first = Writer::<InProc>::open(&slot, Mended::ALL)?;
/// assert!(Writer::<InProc>::open(&slot, Mended::ALL).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // a set of five, by name
pub struct Mended {
    /// D1: the flag is an atomic.
    pub flag: bool,
    /// D2: the flag orders the text (with a flag that is an atomic).
    pub order: bool,
    /// D3: the reader judges what it printed, not what is in the slot later.
    pub judging: bool,
    /// D4: the reader starts without zeroing the flag.
    pub starting: bool,
    /// D5: a second writer or reader is kept out.
    pub seats: bool,
}

impl Mended {
    /// The tutorial as it is printed.
    pub const NOTHING: Self = Self { flag: false, order: false, judging: false, starting: false, seats: false };

    /// All five: what is left is our own protocol, but for its waiting.
    pub const ALL: Self = Self { flag: true, order: true, judging: true, starting: true, seats: true };

    fn role(self, role: Role) -> Role {
        if self.seats { role } else { Role::Guest }
    }

    fn orders(self) -> Orders {
        if self.order { orders() } else { UNORDERED }
    }

    fn load(self, place: Place<'_>, order: Ordering) -> u32 {
        let flag = place.flag();
        if let (FlagView::Word(flag), false) = (flag, self.flag) {
            return plain::load(flag);
        }
        flag.load(if self.flag { order } else { RELAXED })
    }

    fn store(self, place: Place<'_>, value: u32, order: Ordering) {
        let flag = place.flag();
        if let (FlagView::Word(flag), false) = (flag, self.flag) {
            return plain::store(flag, value);
        }
        flag.store(value, if self.flag { order } else { RELAXED });
    }
}

/// The tutorial's writer.
///
/// ```
/// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
/// let writer = Writer::<InProc>::open(&slot, Mended::ALL)?;
/// assert!(writer.offer(b"hello\n"));
/// assert!(!writer.offer(b"world\n"), "nobody took the first one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer<B: Backend> {
    backend: B,
    mended: Mended,
}

impl<B: Backend> Writer<B> {
    /// Attaches; takes the writer's seat only where that is mended.
    ///
    /// # Errors
    /// What the opening met; [`Error::SeatTaken`] where seats are mended.
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let writer = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert!(writer.has_room());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address, mended: Mended) -> Result<Self, Error> {
        Ok(Self { backend: B::open(address, mended.role(Role::Writer))?, mended })
    }

    /// Writes `line` unless the flag is 1. Where there is no room for all of
    /// it, the rest vanishes (D7), and so does the NUL (D6).
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let writer = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert!(writer.offer(b"hello\n"));
    /// assert!(!writer.offer(b"world\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn offer(&self, line: &[u8]) -> bool {
        let room = self.has_room();
        if room {
            self.put(line);
        }
        room
    }

    /// The look alone: whether the flag is not 1.
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let writer = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert!(writer.has_room());
    /// writer.put(b"hello\n");
    /// assert!(!writer.has_room());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_room(&self) -> bool {
        // `== 1`, where the comment in the tutorial says non-zero: D12.
        let place = Place::of(&self.backend);
        self.mended.load(place, self.mended.orders().see_empty) != place.full()
    }

    /// The rest of [`offer`](Self::offer), whatever the flag is by now: between
    /// the look and this, the tutorial's writer waits for a person to type.
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let one = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// let two = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// let mut reader = Reader::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert!(one.has_room() && two.has_room());
    /// one.put(b"one\n");
    /// two.put(b"two\n");
    /// assert_eq!(reader.take().map(|taken| taken.text), Some(b"two\n".to_vec()), "one is lost: D5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put(&self, line: &[u8]) {
        let place = Place::of(&self.backend);
        place.write_padded(line);
        self.mended.store(place, place.full(), self.mended.orders().publish);
    }

    /// Detaches.
    ///
    /// # Errors
    /// What the detaching met.
    pub fn leave(self) -> Result<(), Error> {
        self.backend.leave()
    }

    /// What the reader has answered, unless the flag is 1 still. (A program whose struct has an answer in it,
    /// declared as `reply`; the tutorial's has none.)
    ///
    /// ```
    /// # use shm_handoff::{example::{Options, Segment, SysV, key}, inside::tutorial::*}; let key = key();
    /// let options = Options::declared(key, &"struct { int ready; int pos[2]; int order; },reply=order".parse()?);
    /// let writer = Writer::<SysV>::open(&options, Mended::NOTHING)?;
    /// let mut reader = Reader::<SysV>::open(&options, Mended::NOTHING)?;
    /// writer.put(b"datadata");
    /// assert_eq!(writer.answer(), None);
    /// let taken = reader.take_and_answer(b"left");
    /// Segment::open(key)?.remove()?;
    /// assert_eq!(taken.map(|taken| taken.text), Some(b"datadata".to_vec()));
    /// assert_eq!(writer.answer(), Some(b"left".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer(&self) -> Option<Vec<u8>> {
        self.has_room().then(|| Place::of(&self.backend).read_reply())
    }
}

/// A message as the tutorial's reader takes it.
///
/// ```
/// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
/// let mut reader = Reader::<InProc>::open(&slot, Mended::NOTHING)?;
/// Writer::<InProc>::open(&slot, Mended::NOTHING)?.put(b"endless\n");
/// assert_eq!(reader.take(), Some(Taken { text: b"endless\n".to_vec(), closed: true, leaves: true }), "D11");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What is printed. Where there is no NUL, the C program prints on, past
    /// the text (D6); here it ends with the text.
    pub text: Vec<u8>,
    /// Whether there was a NUL.
    pub closed: bool,
    /// Whether the reader now leaves.
    pub leaves: bool,
}

/// The tutorial's reader.
///
/// ```
/// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
/// let writer = Writer::<InProc>::open(&slot, Mended::ALL)?;
/// writer.put(b"hello\n");
/// let mut reader = Reader::<InProc>::open(&slot, Mended::ALL)?;
/// assert_eq!(reader.take().map(|taken| taken.text), Some(b"hello\n".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader<B: Backend> {
    backend: B,
    mended: Mended,
}

impl<B: Backend> Reader<B> {
    /// Attaches and, unless that is mended, zeroes the flag (D4); takes the
    /// reader's seat only where that is mended.
    ///
    /// # Errors
    /// What the opening met; [`Error::SeatTaken`] where seats are mended.
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let writer = Writer::<InProc>::open(&slot, Mended::NOTHING)?;
    /// writer.put(b"hello\n");
    /// let reader = Reader::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert!(writer.has_room(), "the message is wiped: D4");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address, mended: Mended) -> Result<Self, Error> {
        let backend = B::open(address, mended.role(Role::Reader))?;
        if !mended.starting {
            let place = Place::of(&backend);
            mended.store(place, place.empty(), mended.orders().release);
        }
        Ok(Self { backend, mended })
    }

    /// Takes a message if the flag is 1.
    ///
    /// ```
    /// # use shm_handoff::{example::{InProc, channel}, inside::tutorial::*}; let slot = channel();
    /// let mut reader = Reader::<InProc>::open(&slot, Mended::NOTHING)?;
    /// assert_eq!(reader.take(), None);
    /// Writer::<InProc>::open(&slot, Mended::NOTHING)?.put(b"hello\n");
    /// assert_eq!(reader.take().map(|taken| taken.text), Some(b"hello\n".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take(&mut self) -> Option<Taken> {
        self.take_then(|_| {}, |_| {})
    }

    /// The same, with an answer in the slot before it is given back: see [`Writer::answer`].
    ///
    /// # Panics
    /// If the answer has another length than the struct has for it.
    pub fn take_and_answer(&mut self, answer: &[u8]) -> Option<Taken> {
        self.take_then(|_| {}, |place| place.write_reply(answer))
    }

    /// The same as [`take`](Self::take), with `print` where the program prints: before it gives the slot back.
    pub fn take_printing(&mut self, print: impl FnOnce(&[u8])) -> Option<Taken> {
        self.take_then(print, |_| {})
    }

    /// Removes the segment, whoever is attached (D10), and detaches.
    ///
    /// # Errors
    /// What the kernel met.
    pub fn remove(mut self) -> Result<(), Error> {
        self.backend.remove()?;
        self.leave()
    }

    /// Detaches.
    ///
    /// # Errors
    /// What the detaching met.
    pub fn leave(self) -> Result<(), Error> {
        self.backend.leave()
    }

    fn take_then(&mut self, print: impl FnOnce(&[u8]), answer: impl FnOnce(Place<'_>)) -> Option<Taken> {
        let place = Place::of(&self.backend);
        if self.mended.load(place, self.mended.orders().see_full) != place.full() {
            return None;
        }
        let (text, closed) = place.read();
        print(&text);
        answer(place);
        self.mended.store(place, place.empty(), self.mended.orders().release);
        // D3: the slot is the writer's by now. (A record has no `end`.)
        let leaves = if self.mended.judging {
            place.is_text() && rules::ends_session(&text)
        } else {
            place.first_word().is_some_and(|word| rules::ends_session(&word))
        };
        Some(Taken { text, closed, leaves })
    }
}
