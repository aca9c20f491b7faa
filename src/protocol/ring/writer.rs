//! The writing side of a ring.

use super::walk::{look, standing, walk};
use super::{Broken, PAD, RecordKind, broken, distance, size_of_record, wide};
use crate::backend::{Kind, RingBackend};
use crate::error::{Error, Role};
use crate::protocol::message::Uncarriable;
use crate::protocol::orders::{RELAXED, fence, orders};
use crate::protocol::wait::{Patience, Step, Wait, WaitingFor};
use crate::protocol::SendError;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The one who puts messages into a ring.
///
/// A message is *sent* when its flag is published. There need be no reader: what
/// was sent waits for one, as far as there is room. Dropping the writer counts as
/// failing, which ends a reader; [`leave`](Self::leave) does not.
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{SendError, backend::inproc::{InProc, Slot}, ring::{Reader, Writer}};
/// let ring = Slot::ring(4096);
/// let mut writer = Writer::<InProc>::open(&ring).unwrap();
/// writer.send(b"alone").unwrap();
/// assert_eq!(writer.send_all(&[b"two", b"at once"]), Ok(()));
/// let mut reader = Reader::<InProc>::open(&ring).unwrap();
/// let mut bytes = [0; 1024];
/// assert_eq!([(); 3].map(|()| reader.recv(&mut bytes).unwrap()), [5, 3, 7]);
/// writer.leave().unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct Writer<B: RingBackend> {
    backend: B,
    /// Where the next record goes.
    tail: u64,
    /// The head as it was seen last.
    head: u64,
    /// The first of the flags that are withheld, and where it goes; those behind
    /// it are in their places already.
    withheld: Option<(u64, u32)>,
    /// An end of the stream that nobody has answered ends here: nothing may come
    /// behind it.
    ended: Option<u64>,
    /// A reader was there since this memory was opened.
    met: bool,
    /// The memory may have been removed: it is time to look.
    in_doubt: bool,
    /// What was sent on removed memory and not taken, to be sent again.
    stranded: VecDeque<(RecordKind, Vec<u8>)>,
}

impl<B: RingBackend> Writer<B> {
    /// Takes the writer's seat at `address`.
    ///
    /// # Errors
    /// [`SendError::Backend`] with [`Error::SeatTaken`] if another writer has it,
    /// with [`Error::OtherKind`] if there is no ring, or with what the opening met;
    /// [`SendError::Broken`] if what lies there is none's.
    pub fn open(address: &B::Address) -> Result<Self, SendError> {
        Self::from_backend(B::open(address, Role::Writer)?)
    }

    /// Writes to memory that was opened as a writer.
    pub(in crate::protocol) fn from_backend(backend: B) -> Result<Self, SendError> {
        let Kind::Ring { .. } = backend.kind() else {
            return Err(Error::OtherKind { found: backend.kind(), wanted: "a ring" }.into());
        };
        let mut writer = Self {
            backend,
            tail: 0,
            head: 0,
            withheld: None,
            ended: None,
            met: false,
            in_doubt: false,
            stranded: VecDeque::new(),
        };
        writer.settle_in()?;
        Ok(writer)
    }

    /// Finds its place in memory that was just opened.
    fn settle_in(&mut self) -> Result<(), Broken> {
        let ring = self.backend.ring();
        let standing = standing(ring)?;
        let found = walk(ring, standing.head)?;
        (self.head, self.tail) = (standing.head, found.tail);
        let released = distance(standing.head, standing.place);
        self.ended = found.ended.filter(|end| distance(standing.head, *end) > released);
        (self.withheld, self.met, self.in_doubt) = (None, false, false);
        // Who had our seat may have died between publishing and waking.
        ring.reader_hint.store(0, RELAXED);
        self.backend.unpark(ring.reader_hint);
        Ok(())
    }

    /// The backend, for what it can tell of itself.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The longest message, in bytes: a quarter of the ring.
    pub fn capacity(&self) -> usize {
        self.backend.ring().longest
    }

    /// Sends `bytes`, waiting for room as long as it takes.
    ///
    /// # Errors
    /// [`SendError::Uncarriable`], [`SendError::ReaderGone`],
    /// [`SendError::Broken`], [`SendError::Backend`]. The bytes were not sent.
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_with(bytes, &mut Patience::endless())
    }

    /// Sends `bytes` if there is room.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::WouldBlock`].
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send_with(bytes, &mut Patience::none()).map_err(SendError::of_a_try)
    }

    /// Sends `bytes`, waiting until `deadline` at most.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`].
    pub fn send_deadline(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), SendError> {
        self.send_with(bytes, &mut Patience::until(deadline))
    }

    /// Sends `bytes`, waiting as `patience` says. Where nothing has to be waited
    /// for, this makes no system call (unless a reader sleeps) and allocates
    /// nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`SendError::TimedOut`] or
    /// [`SendError::Interrupted`] by `patience`.
    #[inline]
    pub fn send_with(&mut self, bytes: &[u8], patience: &mut Patience<'_>) -> Result<(), SendError> {
        self.append(RecordKind::Bytes, bytes, patience)?;
        self.publish();
        Ok(())
    }

    /// Sends many messages in order, with one publish for as many as there is
    /// room for at a time.
    ///
    /// # Errors
    /// As [`send`](Self::send), for one of them: those before it were sent.
    pub fn send_all(&mut self, messages: &[&[u8]]) -> Result<(), SendError> {
        self.send_all_with(messages, &mut Patience::endless()).map_err(|(_, error)| error)
    }

    /// Sends many messages, waiting as `patience` says.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), with the number of those that were sent.
    pub fn send_all_with(
        &mut self,
        messages: &[&[u8]],
        patience: &mut Patience<'_>,
    ) -> Result<(), (usize, SendError)> {
        let mut sent = Ok(());
        for (number, bytes) in messages.iter().enumerate() {
            if let Err(error) = self.append(RecordKind::Bytes, bytes, patience) {
                sent = Err((number, error));
                break;
            }
        }
        self.publish();
        sent
    }

    /// Ends the stream: a reader that has come so far removes the memory.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    pub fn end_with(&mut self, patience: &mut Patience<'_>) -> Result<(), SendError> {
        // On removed memory the end would count as answered by the removal: so it
        // must not go there after it.
        self.mend(patience)?;
        self.append(RecordKind::End, b"", patience)?;
        self.ended = Some(self.tail);
        self.publish();
        Ok(())
    }

    /// Reserves a message of `len` bytes, to be built where it lies; waits as
    /// `patience` says. Nothing is sent until it is committed.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{Patience, backend::inproc::{InProc, Slot}, ring::{Reader, Writer}};
    /// let ring = Slot::ring(4096);
    /// let mut writer = Writer::<InProc>::open(&ring).unwrap();
    /// let mut reserved = writer.reserve(8, &mut Patience::endless()).unwrap();
    /// reserved.write_at(4, b"lace");
    /// reserved.write_at(0, b"in p");
    /// reserved.commit();
    /// let mut reader = Reader::<InProc>::open(&ring).unwrap();
    /// assert_eq!(reader.look().unwrap().text(), b"in place");
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    #[inline]
    pub fn reserve(&mut self, len: usize, patience: &mut Patience<'_>) -> Result<Reserved<'_, B>, SendError> {
        self.await_room(len, patience)?;
        let at = self.prepare(len);
        Ok(Reserved { writer: self, at, len })
    }

    /// Looks whether the memory was removed, and if it was, moves to the new one
    /// with what was not taken. For callers that send nothing for a while.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for a message that had to be sent again.
    pub fn mend(&mut self, patience: &mut Patience<'_>) -> Result<(), SendError> {
        if self.backend.census()?.removed {
            self.move_on(patience)?;
        }
        self.await_room_slowly(None, patience)
    }

    /// Makes sure that nothing is left behind in removed memory.
    ///
    /// # Errors
    /// As [`mend`](Self::mend).
    pub fn settle(&mut self, patience: &mut Patience<'_>) -> Result<(), SendError> {
        if self.backend.census()?.removed && self.is_stranded(patience)? {
            self.move_on(patience)?;
        }
        self.await_room_slowly(None, patience)
    }

    /// How many messages lie in memory that was removed, where nobody may ever
    /// read them.
    ///
    /// # Errors
    /// What the look-up met.
    pub fn stranded(&mut self) -> Result<usize, Error> {
        let here = if self.backend.census()?.removed { self.unreleased().len() } else { 0 };
        Ok(self.stranded.len() + here)
    }

    /// Leaves in order: a reader waits for the next writer. Before that, what was
    /// not taken from removed memory is sent again.
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn leave(mut self) -> Result<(), SendError> {
        self.settle(&mut Patience::endless())?;
        self.leave_settled()
    }

    /// Leaves in order, without another look at the memory.
    ///
    /// # Errors
    /// What giving back the seat met.
    pub fn leave_settled(self) -> Result<(), SendError> {
        Ok(self.backend.leave()?)
    }

    /// Puts a record behind the last one; [`publish`](Self::publish) makes it seen.
    #[inline]
    fn append(&mut self, kind: RecordKind, bytes: &[u8], patience: &mut Patience<'_>) -> Result<(), SendError> {
        self.await_room(bytes.len(), patience)?;
        let at = self.prepare(bytes.len());
        self.backend.ring().records.write(at, 0, bytes);
        self.seal(at, bytes.len(), kind);
        Ok(())
    }

    /// Where a record of `len` bytes goes, for which there is room; what is behind
    /// it is marked as no record.
    #[inline]
    fn prepare(&mut self, len: usize) -> u64 {
        let records = self.backend.ring().records;
        let (size, to_wrap) = (size_of_record(len), records.to_wrap(self.tail));
        let at = if size > to_wrap { self.tail.wrapping_add(wide(to_wrap)) } else { self.tail };
        // Before the bytes: the line it is in is on its way while they are copied.
        // And before the record is published: the reader looks there next.
        records.flag(at.wrapping_add(wide(size))).store(0, RELAXED);
        at
    }

    /// The record at `at`, which was prepared, has its bytes: what is left are its
    /// kind and its flag.
    #[inline]
    fn seal(&mut self, at: u64, len: usize, kind: RecordKind) {
        self.backend.ring().records.set_kind(at, kind as u32);
        if at != self.tail {
            self.withhold(self.tail, PAD);
        }
        let flag = u32::try_from(len).expect("no message is so long") + 1;
        self.withhold(at, flag);
        self.tail = at.wrapping_add(wide(size_of_record(len)));
    }

    /// The first flag waits for [`publish`](Self::publish), which makes all of
    /// them seen.
    #[inline]
    fn withhold(&mut self, at: u64, flag: u32) {
        if self.withheld.is_none() {
            self.withheld = Some((at, flag));
        } else {
            self.backend.ring().records.flag(at).store(flag, RELAXED);
        }
    }

    /// Makes all records seen that were put in.
    #[inline]
    fn publish(&mut self) {
        let Some((at, flag)) = self.withheld.take() else { return };
        let ring = self.backend.ring();
        // Edge `record`, giving end: whoever sees the flag sees the bytes, and the
        // records behind it.
        ring.records.flag(at).store(flag, orders().ring_publish);
        fence(orders().fence_published);
        if ring.reader_hint.load(RELAXED) != 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&mut self) {
        let ring = self.backend.ring();
        ring.reader_hint.store(0, RELAXED);
        // Nobody slept there: it was about to, or it has left this memory because
        // that was removed, with the hint set for us.
        self.in_doubt = !self.backend.unpark(ring.reader_hint);
    }

    /// Whether a record of `len` bytes fits behind the last one, with the flag
    /// behind it.
    #[inline]
    fn fits(&self, len: usize) -> bool {
        let records = self.backend.ring().records;
        let (size, to_wrap) = (size_of_record(len), records.to_wrap(self.tail));
        let skipped = if size > to_wrap { to_wrap } else { 0 };
        distance(self.head, self.tail) + wide(skipped + size + 8) <= wide(records.capacity())
    }

    /// Waits until a record of `len` bytes fits and may come.
    #[inline]
    fn await_room(&mut self, len: usize, patience: &mut Patience<'_>) -> Result<(), SendError> {
        let longest = self.backend.ring().longest;
        if len > longest {
            return Err(Uncarriable::TooLong { most: longest }.into());
        }
        if self.ended.is_none() && self.stranded.is_empty() && !self.in_doubt && self.fits(len) {
            return Ok(());
        }
        self.await_room_slowly(Some(len), patience)
    }

    /// Sends what is stranded, which was sent before anything that comes now; then
    /// waits until a record of `len` bytes fits, if there is to be one.
    #[cold]
    fn await_room_slowly(&mut self, len: Option<usize>, patience: &mut Patience<'_>) -> Result<(), SendError> {
        // What is withheld would never be taken.
        self.publish();
        if core::mem::take(&mut self.in_doubt) && self.backend.census()?.removed {
            self.move_on(patience)?;
        }
        loop {
            let Some(next) = self.stranded.front().map(|(_, bytes)| bytes.len()).or(len) else { return Ok(()) };
            if !self.await_turn(next, patience)? {
                continue;
            }
            let Some((kind, bytes)) = self.stranded.pop_front() else { return Ok(()) };
            let at = self.prepare(bytes.len());
            self.backend.ring().records.write(at, 0, &bytes);
            self.seal(at, bytes.len(), kind);
            if kind == RecordKind::End {
                self.ended = Some(self.tail);
            }
            self.publish();
        }
    }

    /// Whether a record of `len` bytes may come behind the last one, and fits; on
    /// the way, takes in how far the reader is.
    fn has_room(&mut self, len: usize) -> Result<bool, Broken> {
        let ring = self.backend.ring();
        // Edge `space`, taking end: what was given back was copied out.
        let head = ring.head.load(orders().take_space);
        if distance(self.head, head) > distance(self.head, self.tail) || !head.is_multiple_of(8) {
            return Err(broken("the head is where it never was"));
        }
        self.met |= head != self.head;
        self.head = head;
        if let Some(end) = self.ended {
            // A reader that keeps the memory releases the end, and gives back.
            if distance(head, end).cast_signed() > 0 {
                return Ok(false);
            }
            self.ended = None;
        }
        Ok(self.fits(len))
    }

    /// Waits until a record of `len` bytes fits; `false`: this is other memory now,
    /// where other things may come first.
    fn await_turn(&mut self, len: usize, patience: &mut Patience<'_>) -> Result<bool, SendError> {
        let mut wait = Wait::parking(patience);
        loop {
            if self.has_room(len)? {
                return Ok(true);
            }
            let Step::Sleep(longest) = wait.step() else { continue };
            let mut moved = false;
            if wait.census_due().is_some() {
                let census = self.backend.census()?;
                if census.removed {
                    self.move_on(patience)?;
                    moved = true;
                } else {
                    self.met |= census.peer_seated;
                    if self.met && !census.peer_seated && !self.has_room(len)? {
                        return Err(SendError::ReaderGone);
                    }
                }
            }
            // Somebody who removes again and again must not keep us from this.
            let left = wait.tick(patience, WaitingFor::Room)?;
            if moved {
                return Ok(false);
            }
            self.sleep(len, longest.min(left))?;
        }
    }

    /// Sleeps until the reader gives space back, unless there is room now.
    fn sleep(&mut self, len: usize, longest: Duration) -> Result<(), Broken> {
        self.backend.ring().writer_hint.store(1, RELAXED);
        fence(orders().fence_writer_sleeps);
        let room = self.has_room(len);
        let hint = self.backend.ring().writer_hint;
        if room == Ok(false) {
            self.backend.park(hint, longest);
        }
        hint.store(0, RELAXED);
        room.map(drop)
    }

    /// On removed memory: takes along what nobody took, to the new one.
    fn move_on(&mut self, patience: &mut Patience<'_>) -> Result<(), SendError> {
        let left = if self.is_stranded(patience)? { self.unreleased() } else { Vec::new() };
        self.backend.reopen()?;
        // In front: they were sent before what still waits to be sent again.
        for message in left.into_iter().rev() {
            self.stranded.push_front(message);
        }
        Ok(self.settle_in()?)
    }

    /// Whether removed memory holds messages that nobody will take: a reader that
    /// is still attached drains it first.
    fn is_stranded(&mut self, patience: &mut Patience<'_>) -> Result<bool, SendError> {
        let mut wait = Wait::new(patience);
        loop {
            // In this order: who is gone by the census has released before it.
            let alone = self.backend.census()?.attached <= 1;
            if self.unreleased().is_empty() {
                return Ok(false);
            }
            if alone {
                return Ok(true);
            }
            if let Step::Sleep(longest) = wait.step() {
                let left = wait.tick(patience, WaitingFor::Drain)?;
                self.backend.sleep(longest.min(left).max(Duration::from_micros(1)));
            }
        }
    }

    /// What lies in the ring and was not released. An end of the stream in front of
    /// all is none: the removal has answered it.
    fn unreleased(&self) -> Vec<(RecordKind, Vec<u8>)> {
        let ring = self.backend.ring();
        let mut left = Vec::new();
        let Ok(standing) = standing(ring) else { return left };
        let mut at = standing.place;
        // What a peer has broken is not ours to send again.
        while let Ok(Some(record)) = look(ring, at) {
            if distance(standing.head, record.end()) >= wide(ring.records.capacity()) {
                break;
            }
            if record.kind == RecordKind::End && left.is_empty() {
                return left;
            }
            let mut bytes = vec![0; record.len];
            ring.records.read(record.at, &mut bytes);
            left.push((record.kind, bytes));
            at = record.end();
        }
        left
    }
}

/// A message that is being built where it lies. Dropping it sends nothing.
#[derive(Debug)]
pub struct Reserved<'w, B: RingBackend> {
    writer: &'w mut Writer<B>,
    at: u64,
    len: usize,
}

impl<B: RingBackend> Reserved<'_, B> {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes `bytes` from byte `at` on, a multiple of 4. Bytes that are never written
    /// are what lay there before: something that was sent long ago.
    ///
    /// # Panics
    /// If they go beyond the message, or `at` is no multiple of 4.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        assert!(at.is_multiple_of(4), "{at} is not a multiple of 4");
        assert!(at <= self.len && bytes.len() <= self.len - at, "{} bytes at {at} of {}", bytes.len(), self.len);
        self.writer.backend.ring().records.write(self.at, at, bytes);
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// For as long as they are borrowed nobody else writes to them: so no other
    /// process may break the protocol.
    #[cfg(not(model))]
    #[must_use]
    pub unsafe fn bytes(&mut self) -> &mut [u8] {
        let first = self.writer.backend.ring().records.bytes(self.at, self.len);
        // SAFETY: `len` bytes within the ring, which are the writer's by the
        // protocol until they are published; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(first, self.len) }
    }

    /// Sends its first `len` bytes.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn commit_first(self, len: usize) {
        assert!(len <= self.len, "the first {len} bytes of {}", self.len);
        let behind = self.at.wrapping_add(wide(size_of_record(len)));
        // What is behind it is another place now.
        self.writer.backend.ring().records.flag(behind).store(0, RELAXED);
        Self { len, ..self }.commit();
    }

    /// Sends it.
    #[inline]
    pub fn commit(self) {
        let Self { writer, at, len } = self;
        writer.seal(at, len, RecordKind::Bytes);
        writer.publish();
    }
}
