//! The writing side of a ring.

use super::fences::{heavy_fence, offer_heavy_fence};
use super::pen::{Pen, Withheld};
use super::reserved::Reserved;
use super::stranded::Stranded;
use super::walk::{Record, peek, standing, walk};
use super::{Corrupt, RecordKind, corrupt, distance, wide};
use crate::backend::{Layout, PeerStatus, RingBackend};
use crate::error::Unsendable;
use crate::error::{Error, Role};
use crate::protocol::SendError;
use crate::protocol::orders::{RELAXED, barrier, orders};
use crate::protocol::wait::{Backoff, Step, WaitPolicy, WaitingFor};
use std::time::{Duration, Instant};

/// The one who puts messages into a ring.
///
/// A message is *sent* when its flag is published. There need be no reader: what
/// was sent waits for one, as far as there is room. Dropping the writer counts as
/// failing, which ends a reader; [`close`](Self::close) does not.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{SendError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// let ring = Channel::ring(4096);
/// let mut writer = Writer::<InProc>::open(&ring).unwrap();
/// writer.send(b"alone").unwrap();
/// assert_eq!(writer.send_all(&[b"two", b"at once"]), Ok(()));
/// let mut reader = Reader::<InProc>::open(&ring).unwrap();
/// let mut bytes = [0; 1024];
/// assert_eq!([(); 3].map(|()| reader.recv(&mut bytes).unwrap()), [5, 3, 7]);
/// writer.close().unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct Writer<B: RingBackend> {
    pub(super) backend: B,
    pub(super) pen: Pen,
    /// An end of the stream that nobody has answered ends here: nothing may come
    /// behind it.
    ended: Option<u64>,
    /// A reader was there since this memory was opened.
    met: bool,
    /// The seats were made anew, and the reader has not been seen in the new ones: it
    /// may be at work without one.
    unsettled: bool,
    /// The memory may have been removed: it is time to look.
    in_doubt: bool,
    /// What was sent on removed memory and not taken, to be sent again.
    stranded: Stranded,
}

impl<B: RingBackend> Writer<B> {
    /// Takes the writer's seat at `address`.
    ///
    /// # Errors
    /// [`SendError::Backend`] with [`Error::SeatTaken`] if another writer has it,
    /// with [`Error::WrongLayout`] if there is no ring, or with what the opening met;
    /// [`SendError::Corrupt`] if what lies there is none's.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert!(Writer::<InProc>::open(&ring).is_err(), "there is one already");
    /// drop(writer);
    /// assert!(Writer::<InProc>::open(&ring).is_ok());
    /// assert!(Writer::<InProc>::open(&Channel::new(2048)).is_err(), "this is no ring");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, SendError> {
        Self::from_backend(B::open(address, Role::Writer)?)
    }

    /// Writes to memory that was opened as a writer.
    pub(in crate::protocol) fn from_backend(backend: B) -> Result<Self, SendError> {
        let Layout::Ring { .. } = backend.layout() else {
            return Err(Error::WrongLayout { found: backend.layout(), wanted: "a ring" }.into());
        };
        let mut writer = Self {
            backend,
            pen: Pen { tail: 0, head: 0 },
            ended: None,
            met: false,
            unsettled: false,
            in_doubt: false,
            stranded: Stranded::default(),
        };
        writer.settle_in()?;
        Ok(writer)
    }

    /// Finds its place in memory that was just opened.
    fn settle_in(&mut self) -> Result<(), Corrupt> {
        let ring = self.backend.ring();
        let standing = standing(ring)?;
        let found = walk(ring, standing.head)?;
        self.pen = Pen { tail: found.tail, head: standing.head };
        let released = distance(standing.head, standing.released);
        self.ended = found.ended.filter(|end| distance(standing.head, *end) > released);
        (self.met, self.in_doubt) = (false, false);
        // Who had our seat may have died between publishing and waking. With the
        // fence that it did not come to: else the reader's parked word can come after our
        // clearing it, and its last look see what was before. And edge `space`, taking
        // end, of the head that `standing` has seen: it was copied out up to there.
        barrier(orders().fence_writer_comes);
        offer_heavy_fence(&self.backend, ring.peer_fences.map(|fences| fences.writer));
        ring.reader_parked.store(0, RELAXED);
        self.backend.unpark(ring.reader_parked);
        Ok(())
    }

    /// The backend, for what it can tell of itself.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::{Backend, Layout, inproc::{Channel, InProc}}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(writer.backend().layout(), Layout::Ring { capacity: 4096 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The longest message, in bytes: a quarter of the ring.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{SendError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(writer.capacity(), 1024);
    /// assert!(matches!(writer.send(&[0; 1025]), Err(SendError::Unsendable(_))));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.backend.ring().longest
    }

    /// Sends `bytes`, waiting for room as long as it takes.
    ///
    /// # Errors
    /// [`SendError::Unsendable`], [`SendError::ReaderGone`],
    /// [`SendError::Corrupt`], [`SendError::Backend`]. The bytes were not sent.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"any\0bytes")?;
    /// assert_eq!(reader.peek()?.text(), b"any\0bytes");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_with(bytes, &mut WaitPolicy::forever())
    }

    /// Sends `bytes` if there is room.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::WouldBlock`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{SendError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// while writer.try_send(&[7; 1000]).is_ok() {}
    /// assert_eq!(writer.try_send(&[7; 1000]), Err(SendError::WouldBlock), "the ring is full");
    /// assert_eq!(reader.recv(&mut [0; 1024]), Ok(1000));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_with(bytes, &mut WaitPolicy::non_blocking()).map_err(SendError::of_a_try)
    }

    /// Sends `bytes`, waiting until `deadline` at most.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{SendError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # use std::time::{Duration, Instant};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// while writer.try_send(&[7; 1000]).is_ok() {}
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(writer.send_deadline(&[7; 1000], soon), Err(SendError::TimedOut), "the ring is full");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_deadline(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        self.send_with(bytes, &mut WaitPolicy::deadline(deadline))
    }

    /// Sends `bytes`, waiting as `policy` says. Where nothing has to be waited
    /// for, this makes no system call (unless a reader sleeps) and allocates
    /// nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`] or
    /// [`SendError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut policy = WaitPolicy::forever().spins(1000);
    /// assert_eq!(writer.send_with(b"hello", &mut policy), Ok(()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send_with(&mut self, bytes: &[u8], policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        self.await_room(bytes.len(), policy)?;
        let withheld = self.pen.append(self.backend.ring(), RecordKind::Bytes, bytes);
        self.publish(withheld);
        Ok(())
    }

    /// Sends many messages in order, with one publish for as many as there is
    /// room for at a time.
    ///
    /// # Errors
    /// As [`send`](Self::send), for one of them: those before it were sent.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"bc"])?;
    /// let mut bytes = [0; 1024];
    /// assert_eq!([reader.recv(&mut bytes)?, reader.recv(&mut bytes)?], [1, 2]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_all(&mut self, messages: &[&[u8]]) -> Result<(), SendError> {
        self.send_all_with(messages, &mut WaitPolicy::forever()).map_err(|(_, error)| error)
    }

    /// Sends many messages, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), with the number of those that were sent.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{SendError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let big = [7; 1000];
    /// let sent = writer.send_all_with(&[&big, &big, &big, &big, &big], &mut WaitPolicy::non_blocking());
    /// assert_eq!(sent, Err((4, SendError::TimedOut)), "there is room for four");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_all_with(&mut self, messages: &[&[u8]], policy: &mut WaitPolicy<'_>) -> Result<(), (usize, SendError)> {
        let mut first: Option<Withheld> = None;
        for (number, bytes) in messages.iter().enumerate() {
            if !self.has_room_now(bytes.len()) {
                // What is withheld would never be taken.
                if let Some(first) = first.take() {
                    self.publish(first);
                }
                self.await_room(bytes.len(), policy).map_err(|error| (number, error))?;
            }
            let withheld = self.pen.append(self.backend.ring(), RecordKind::Bytes, bytes);
            match first {
                None => first = Some(withheld),
                Some(_) => withheld.follow(self.backend.ring()),
            }
        }
        if let Some(first) = first {
            self.publish(first);
        }
        Ok(())
    }

    /// Ends the stream: a reader that has come so far removes the memory.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.recv(&mut [0; 1024]), Ok(5));
    /// assert!(reader.peek()?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        // (Where the memory is removed later than this, `flush` finds the end there.)
        self.recover(policy)?;
        self.await_room(0, policy)?;
        let withheld = self.pen.append(self.backend.ring(), RecordKind::End, b"");
        self.ended = Some(self.pen.tail);
        self.publish(withheld);
        Ok(())
    }

    /// Reserves a message of `len` bytes, to be built where it lies; waits as
    /// `policy` says. Nothing is sent until it is committed.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// let ring = Channel::ring(4096);
    /// let mut writer = Writer::<InProc>::open(&ring).unwrap();
    /// let mut reserved = writer.reserve(8, &mut WaitPolicy::forever()).unwrap();
    /// reserved.write_at(4, b"lace");
    /// reserved.write_at(0, b"in p");
    /// reserved.commit();
    /// let mut reader = Reader::<InProc>::open(&ring).unwrap();
    /// assert_eq!(reader.peek().unwrap().text(), b"in place");
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    #[inline]
    pub fn reserve(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<Reserved<'_, B>, SendError> {
        self.await_room(len, policy)?;
        let at = self.pen.prepare(self.backend.ring(), len);
        Ok(Reserved { writer: self, at, len })
    }

    /// Looks whether the memory or our seat was removed, and if it was, moves to the new
    /// one with what was not taken. To be called every few milliseconds by who sends
    /// nothing for a while, and by who never has to wait: sending without waiting looks
    /// at nothing but the ring.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent again.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// reader.peek()?.end_session()?;
    /// drop(reader);
    /// writer.recover(&mut WaitPolicy::forever())?;
    /// let mut next = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(next.peek()?.text(), b"hello", "taken along");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.status()?.removed {
            self.move_on(policy)?;
        }
        self.await_room_slowly(None, policy)
    }

    /// Makes sure that nothing is left behind in removed memory, nor in memory that goes with its last
    /// attachment: there it waits until all is released.
    ///
    /// # Errors
    /// As [`recover`](Self::recover).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// assert_eq!(writer.stranded()?, 0);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        loop {
            // What was sent again can lie in memory that was removed as well.
            while self.status()?.removed && self.is_stranded(policy)? {
                self.move_on(policy)?;
                self.await_room_slowly(None, policy)?;
                Backoff::new(policy).tick(policy, WaitingFor::Room)?;
            }
            // The memory was just looked at. A writer with nothing to take along makes no new memory.
            self.in_doubt = false;
            self.await_room_slowly(None, policy)?;
            if self.backend.persists() || self.await_receipt(policy)? || !self.is_stranded(policy)? {
                return Ok(());
            }
        }
    }

    /// Waits until all is released, by this reader or the next one; `false`: the memory was removed.
    fn await_receipt(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            if self.unreleased().next().is_none() {
                return Ok(true);
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Receipt) else { continue };
            if backoff.status_due().is_some() && self.status()?.removed {
                return Ok(false);
            }
            let left = backoff.tick(policy, WaitingFor::Receipt)?;
            self.backend.sleep(longest.min(left));
        }
    }

    /// How many messages lie where nobody may ever read them: in memory that was removed, or that
    /// goes with its last attachment.
    ///
    /// # Errors
    /// What the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(writer.stranded()?, 0);
    /// reader.peek()?.end_session()?;
    /// assert_eq!(writer.stranded()?, 2);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stranded(&mut self) -> Result<usize, Error> {
        let is_lost = self.status()?.removed || !self.backend.persists();
        let here = if is_lost { self.unreleased().count() } else { 0 };
        Ok(self.stranded.len() + here)
    }

    /// Leaves in order: a reader waits for the next writer. Before that, what was
    /// not taken from removed memory is sent again.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.close()?;
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "no WriterGone");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(mut self) -> Result<(), SendError> {
        self.flush(&mut WaitPolicy::forever())?;
        self.close_flushed()
    }

    /// Leaves in order, without another look at the memory.
    ///
    /// # Errors
    /// What giving back the seat met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.flush(&mut WaitPolicy::forever())?;
    /// writer.close_flushed()?;
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "no WriterGone");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close_flushed(self) -> Result<(), SendError> {
        Ok(self.backend.leave()?)
    }

    /// Makes a record seen, and those behind it.
    #[inline(always)]
    pub(super) fn publish(&mut self, withheld: Withheld) {
        if withheld.publish(self.backend.ring()) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&mut self) {
        let ring = self.backend.ring();
        ring.reader_parked.store(0, RELAXED);
        // Nobody slept there: it was about to, or it has left this memory because
        // that was removed, with the parked word set for us.
        self.in_doubt = !self.backend.unpark(ring.reader_parked);
    }

    /// Whether a record of `len` bytes may come behind the last one now, as far as is
    /// known.
    #[inline(always)]
    fn has_room_now(&self, len: usize) -> bool {
        let ring = self.backend.ring();
        let nothing_first = self.ended.is_none() && self.stranded.is_empty() && !self.in_doubt;
        nothing_first && len <= ring.longest && self.pen.fits(ring, len)
    }

    /// Waits until a record of `len` bytes fits and may come.
    #[inline(always)]
    fn await_room(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.has_room_now(len) {
            return Ok(());
        }
        let longest = self.backend.ring().longest;
        if len > longest {
            return Err(Unsendable::TooLong { most: longest }.into());
        }
        self.await_room_slowly(Some(len), policy)
    }

    /// Sends what is stranded, which was sent before anything that comes now; then
    /// waits until a record of `len` bytes fits, if there is to be one.
    #[cold]
    fn await_room_slowly(&mut self, len: Option<usize>, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if core::mem::take(&mut self.in_doubt) && self.status()?.removed {
            self.move_on(policy)?;
        }
        loop {
            let Some(next) = self.stranded.first().map(|(_, bytes)| bytes.len()).or(len) else { return Ok(()) };
            // What is stranded came from a ring that may have been a larger one.
            let longest = self.backend.ring().longest;
            if next > longest {
                return Err(Unsendable::TooLong { most: longest }.into());
            }
            if !self.await_turn(next, policy)? {
                continue;
            }
            let Some((kind, bytes)) = self.stranded.first() else { return Ok(()) };
            let withheld = self.pen.append(self.backend.ring(), kind, bytes);
            self.stranded.remove_first();
            if kind == RecordKind::End {
                self.ended = Some(self.pen.tail);
            }
            self.publish(withheld);
        }
    }

    /// Whether a record of `len` bytes may come behind the last one, and fits; on
    /// the way, takes in how far the reader is.
    fn has_room(&mut self, len: usize) -> Result<bool, Corrupt> {
        let ring = self.backend.ring();
        // Edge `space`, taking end: what was given back was copied out.
        let head = ring.head.load(orders().take_space);
        if distance(self.pen.head, head) > distance(self.pen.head, self.pen.tail) || !head.is_multiple_of(8) {
            return Err(corrupt("the head is where it never was"));
        }
        self.met |= head != self.pen.head && !self.unsettled;
        self.pen.head = head;
        if let Some(end) = self.ended {
            // A reader that keeps the memory releases the end, and gives back.
            if distance(head, end).cast_signed() > 0 {
                return Ok(false);
            }
            self.ended = None;
        }
        Ok(self.pen.fits(ring, len))
    }

    /// Waits until a record of `len` bytes fits; `false`: this is other memory now,
    /// where other things may come first.
    fn await_turn(&mut self, len: usize, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::parking(policy);
        loop {
            if self.has_room(len)? {
                return Ok(true);
            }
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Room) else { continue };
            let mut moved = false;
            if backoff.status_due().is_some() {
                let status = self.status()?;
                if status.removed {
                    self.move_on(policy)?;
                    moved = true;
                } else if self.met && !status.peer_seated && !self.has_room(len)? {
                    return Err(SendError::ReaderGone);
                }
            }
            // Somebody who removes again and again must not keep us from this.
            let left = backoff.tick(policy, WaitingFor::Room)?;
            if moved {
                return Ok(false);
            }
            self.sleep(len, longest.min(left))?;
        }
    }

    /// Sleeps until the reader gives space back, unless there is room now.
    fn sleep(&mut self, len: usize, longest: Duration) -> Result<(), Corrupt> {
        let ring = self.backend.ring();
        ring.writer_parked.store(1, RELAXED);
        let own = ring.peer_fences.map(|fences| fences.writer);
        heavy_fence(&self.backend, orders().fence_writer_sleeps, own);
        let room = self.has_room(len);
        let parked = self.backend.ring().writer_parked;
        if room == Ok(false) {
            self.backend.park(parked, longest);
        }
        parked.store(0, RELAXED);
        room.map(drop)
    }

    /// On removed memory: takes along what nobody took, to the new one.
    fn move_on(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
        if self.is_stranded(policy)? {
            let mut stranded = core::mem::take(&mut self.stranded);
            let taken = stranded.put_in_front(self.backend.ring(), self.unreleased());
            self.stranded = stranded;
            taken?;
        }
        self.backend.reopen()?;
        Ok(self.settle_in()?)
    }

    /// Whether removed memory holds messages that nobody will take: a reader that
    /// is still attached drains it first.
    fn is_stranded(&mut self, policy: &mut WaitPolicy<'_>) -> Result<bool, SendError> {
        let mut backoff = Backoff::new(policy);
        loop {
            // In this order: who is gone by the status check has released before it.
            let alone = self.status()?.is_alone();
            if self.unreleased().next().is_none() {
                return Ok(false);
            }
            if alone {
                return Ok(true);
            }
            if let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Drain) {
                let left = backoff.tick(policy, WaitingFor::Drain)?;
                self.backend.sleep(longest.min(left).max(Duration::from_micros(1)));
            }
        }
    }

    /// Looks who is there, and keeps in mind what that says of the reader.
    fn status(&mut self) -> Result<PeerStatus, Error> {
        let status = self.backend.status()?;
        self.unsettled = !status.peer_seated && (self.unsettled || status.reseated);
        self.met = status.peer_seated || (self.met && !self.unsettled);
        Ok(status)
    }

    /// What lies in the ring and was not released. An end of the stream in front of
    /// all is none, if the reader has removed the memory because of it.
    fn unreleased(&self) -> impl Iterator<Item = Record> + Clone {
        let ring = self.backend.ring();
        // What a peer has broken is not ours to send again.
        let standing = standing(ring).ok();
        let mut next = standing.map(|standing| standing.released);
        core::iter::from_fn(move || {
            let (standing, at) = (standing?, next.take()?);
            let record = peek(ring, at).ok().flatten()?;
            let is_beyond = distance(standing.head, record.end()) >= wide(ring.records.capacity());
            let is_answered =
                record.kind == RecordKind::End && at == standing.released && ring.closed.load(RELAXED) == 1;
            next = Some(record.end());
            (!is_beyond && !is_answered).then_some(record)
        })
    }
}
