//! The reading side of a ring.

use super::coalesce::Coalescing;
use super::fences::{heavy_fence, light_fence, offer_heavy_fence};
use super::message::{InPlace, Message, Messages};
use super::walk::{Record, peek, standing};
use super::{Corrupt, RecordKind, corrupt, distance, wide};
use crate::backend::{Layout, PeerFences, RingBackend};
use crate::error::{Error, Role};
use crate::protocol::RecvError;
use crate::protocol::orders::{RELAXED, barrier, orders};
use crate::protocol::wait::{Backoff, Step, WaitPolicy, WaitingFor};
use std::time::{Duration, Instant};

/// The one who takes messages out of a ring.
///
/// A message is first *peeked at*, then *released*. Several can be peeked at
/// before they are released together: [`peek_next`](Self::peek_next).
///
/// ```
/// # #[cfg(not(model))] {
/// use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// let ring = Channel::ring(4096);
/// let mut writer = Writer::<InProc>::open(&ring).unwrap();
/// writer.send_all(&[b"a", b"b", b"c"]).unwrap();
/// let mut reader = Reader::<InProc>::open(&ring).unwrap();
/// assert_eq!(reader.peek_next(&mut WaitPolicy::forever()).unwrap().text(), b"a");
/// assert_eq!(reader.peek_next(&mut WaitPolicy::forever()).unwrap().text(), b"b");
/// reader.release_peeked();
/// assert_eq!(reader.peek().unwrap().text(), b"c");
/// writer.end_with(&mut WaitPolicy::forever()).unwrap();
/// assert_eq!(reader.messages().map(Result::unwrap).collect::<Vec<_>>(), [b"c"]);
/// # }
/// ```
#[derive(Debug)]
pub struct Reader<B: RingBackend> {
    pub(super) backend: B,
    /// The head, as we stored it.
    head: u64,
    /// Released up to here.
    released: u64,
    /// Peeked at up to here.
    next: u64,
    /// Which memory it is, counted from the first.
    memory: u64,
    coalesce: Coalescing,
    /// Private copy of the message that is peeked at.
    pub(super) text: Vec<u8>,
}

/// Up to here a private copy has room from the start.
const ROOM: usize = 64 * 1024;

impl<B: RingBackend> Reader<B> {
    /// Takes the reader's seat at `address`. What was sent and not released is
    /// still there.
    ///
    /// # Errors
    /// [`RecvError::Backend`] with [`Error::SeatTaken`] if another reader has it,
    /// with [`Error::WrongLayout`] if there is no ring, or with what the opening met;
    /// [`RecvError::Corrupt`] if what lies there is none's.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert!(Reader::<InProc>::open(&ring).is_err(), "there is one already");
    /// drop(reader);
    /// assert!(Reader::<InProc>::open(&ring).is_ok());
    /// assert!(Reader::<InProc>::open(&Channel::new(2048)).is_err(), "this is no ring");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(address: &B::Address) -> Result<Self, RecvError> {
        Self::from_backend(B::open(address, Role::Reader)?)
    }

    /// Reads from memory that was opened as a reader.
    pub(in crate::protocol) fn from_backend(backend: B) -> Result<Self, RecvError> {
        let Layout::Ring { .. } = backend.layout() else {
            return Err(Error::WrongLayout { found: backend.layout(), wanted: "a ring" }.into());
        };
        let text = Vec::with_capacity(ROOM.min(backend.ring().longest));
        let mut reader =
            Self { backend, head: 0, released: 0, next: 0, memory: 0, coalesce: Coalescing::new(true), text };
        reader.settle_in()?;
        Ok(reader)
    }

    /// Whether to wait a little where messages come one by one, so that the next
    /// ones come many at a time: better for many, worse by a tenth of a microsecond
    /// for one. On by default.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// reader.coalesce(false); // each message is an answer that somebody waits for
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.recv(&mut [0; 1024]), Ok(5));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn coalesce(&mut self, on: bool) {
        self.coalesce = Coalescing::new(on);
    }

    /// Finds its place in memory that was just opened.
    fn settle_in(&mut self) -> Result<(), Corrupt> {
        let ring = self.backend.ring();
        let standing = standing(ring)?;
        (self.head, self.released, self.next) = (standing.head, standing.released, standing.released);
        self.memory += 1;
        // Who had our seat may have died between giving back and waking. With the
        // fence that it did not come to: else the writer's parked word can come after our
        // clearing it, and its last look see what was before.
        barrier(orders().fence_reader_comes);
        offer_heavy_fence(&self.backend, ring.peer_fences.map(|fences| fences.reader));
        ring.writer_parked.store(0, RELAXED);
        self.backend.unpark(ring.writer_parked);
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
    /// assert_eq!(reader.backend().layout(), Layout::Ring { capacity: 4096 });
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
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(reader.capacity(), 1024);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn capacity(&self) -> usize {
        self.backend.ring().longest
    }

    /// Waits for a message and peeks at it, without releasing it. It is the first
    /// that is not released, whatever was peeked at before.
    ///
    /// # Errors
    /// [`RecvError::WriterGone`], [`RecvError::Corrupt`], [`RecvError::Backend`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek()?.text(), b"a");
    /// assert_eq!(reader.peek()?.text(), b"a", "still there");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek(&mut self) -> Result<Message<'_, B>, RecvError> {
        self.peek_with(&mut WaitPolicy::forever())
    }

    /// Peeks at a message, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`peek`](Self::peek), and [`RecvError::TimedOut`] or
    /// [`RecvError::Interrupted`] by `policy`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap_err(), RecvError::TimedOut);
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking())?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B>, RecvError> {
        self.rewind();
        self.peek_next(policy)
    }

    /// Peeks at the message behind the last one that was peeked at. The end of the
    /// stream is never passed over: it is peeked at again and again.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"b");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_next(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B>, RecvError> {
        let record = self.await_record(policy)?;
        Ok(self.look_at(record)?)
    }

    /// As [`peek_next`](Self::peek_next) where a message is there, without looking for
    /// anything else: neither a death nor a removal is noticed.
    ///
    /// # Errors
    /// [`RecvError::Corrupt`]; [`RecvError::Backend`] where there is no memory for it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// let mut batch = Vec::new();
    /// while let Some(message) = reader.try_peek_next()? {
    ///     batch.extend_from_slice(message.text());
    /// }
    /// reader.release_peeked();
    /// assert_eq!(batch, b"ab");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_peek_next(&mut self) -> Result<Option<Message<'_, B>>, RecvError> {
        let Some(record) = self.record()? else { return Ok(None) };
        Ok(Some(self.look_at(record)?))
    }

    /// Peeks at the message behind the last one that was peeked at, without copying
    /// it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// let ring = Channel::ring(4096);
    /// let mut writer = Writer::<InProc>::open(&ring).unwrap();
    /// writer.send(b"where it lies").unwrap();
    /// let mut reader = Reader::<InProc>::open(&ring).unwrap();
    /// let message = reader.peek_in_place(&mut WaitPolicy::forever()).unwrap();
    /// // SAFETY: both sides are ours, and no other process is there.
    /// assert_eq!(unsafe { message.bytes() }, b"where it lies");
    /// message.release();
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    #[inline]
    pub fn peek_in_place(&mut self, policy: &mut WaitPolicy<'_>) -> Result<InPlace<'_, B>, RecvError> {
        let record = self.await_record(policy)?;
        if record.kind != RecordKind::End {
            self.next = record.end();
        }
        Ok(InPlace { reader: self, record })
    }

    fn look_at(&mut self, record: Record) -> Result<Message<'_, B>, Error> {
        let missing = record.len.saturating_sub(self.text.len());
        self.text
            .try_reserve_exact(missing)
            .map_err(|_| Error::no_memory(format!("a message of {} bytes", record.len)))?;
        self.text.resize(record.len, 0);
        self.backend.ring().records.read(record.at, &mut self.text);
        if record.kind != RecordKind::End {
            self.next = record.end();
        }
        Ok(Message { reader: self, record })
    }

    /// Begins to peek again at the first message that is not released.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// reader.rewind();
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rewind(&mut self) {
        self.next = self.released;
    }

    /// Waits until there is a message to peek at next, without peeking at it.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// reader.wait_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<(), RecvError> {
        self.await_record(policy).map(drop)
    }

    /// Receives a message into `bytes` and releases it; returns its length.
    ///
    /// # Errors
    /// As [`peek`](Self::peek); [`RecvError::BufferTooSmall`], which releases
    /// nothing, and [`RecvError::Ended`] at the end of the stream, which
    /// [`peek`](Self::peek) shows.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// let mut bytes = [0; 1024];
    /// assert_eq!(reader.recv(&mut bytes[..3]), Err(RecvError::BufferTooSmall { capacity: 5 }));
    /// let len = reader.recv(&mut bytes)?;
    /// assert_eq!(&bytes[..len], b"hello");
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.recv(&mut bytes), Err(RecvError::Ended));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn recv(&mut self, bytes: &mut [u8]) -> Result<usize, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::forever())
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::WouldBlock`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock));
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Ok(5));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv(&mut self, bytes: &mut [u8]) -> Result<usize, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::non_blocking()).map_err(RecvError::of_a_try)
    }

    /// Receives a message, waiting until `deadline` at most.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and [`RecvError::TimedOut`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # use std::time::{Duration, Instant};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let soon = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(reader.recv_deadline(&mut [0; 1024], soon), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_deadline(&mut self, bytes: &mut [u8], deadline: Instant) -> Result<usize, RecvError> {
        self.recv_with(bytes, &mut WaitPolicy::deadline(deadline))
    }

    /// Receives a message, waiting as `policy` says. Where nothing has to be
    /// waited for, this makes no system call (unless a writer sleeps) and allocates
    /// nothing.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and what `policy` leads to.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// let mut policy = WaitPolicy::forever().spins(1000);
    /// assert_eq!(reader.recv_with(&mut [0; 1024], &mut policy), Ok(5));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn recv_with(&mut self, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<usize, RecvError> {
        self.rewind();
        let record = self.await_record(policy)?;
        if record.kind == RecordKind::End {
            return Err(RecvError::Ended);
        }
        let Some(bytes) = bytes.get_mut(..record.len) else {
            return Err(RecvError::BufferTooSmall { capacity: record.len });
        };
        self.backend.ring().records.read(record.at, bytes);
        self.release_to(record.end());
        Ok(record.len)
    }

    /// The messages up to the end of the stream, which is not released, or up to the
    /// first error.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// let messages: Result<Vec<_>, _> = reader.messages().collect();
    /// assert_eq!(messages?, [b"a", b"b"]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn messages(&mut self) -> Messages<'_, B> {
        Messages { reader: self, failed: false }
    }

    /// Releases all messages that were peeked at.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.release_peeked();
    /// assert_eq!(reader.peek()?.text(), b"c");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_peeked(&mut self) {
        self.release_to(self.next);
    }

    /// How far it has peeked, to release that and no more:
    /// [`release_up_to`](Self::release_up_to).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// let first = reader.cursor();
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// assert_ne!(reader.cursor(), first);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { memory: self.memory, to: self.next }
    }

    /// Releases the messages that had been peeked at then. What was peeked at since
    /// stays peeked at. If the reader has [started over](Self::rewind) since, and has not
    /// come as far again, or has moved to other memory, this releases nothing.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// let first = reader.cursor();
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.release_up_to(first);
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"c", "`b` stays peeked at");
    /// assert_eq!(reader.peek()?.text(), b"b", "and was not released");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_up_to(&mut self, cursor: Cursor) {
        let next = self.next;
        // A position of other memory can lie between two of this one's. And after a peek from
        // the first one on, what lies there was not peeked at.
        let is_here = cursor.memory == self.memory;
        if is_here && distance(self.released, cursor.to) <= distance(self.released, next) {
            self.release_to(cursor.to);
            self.next = next;
        }
    }

    /// Looks whether our seat was removed, and takes it anew if it was. To be called every
    /// few milliseconds by who never has to wait: receiving without waiting looks at
    /// nothing but the ring.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another reader was faster; else what the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// reader.refresh_seat()?;
    /// assert!(Reader::<InProc>::open(&ring).is_err(), "it is ours still");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refresh_seat(&mut self) -> Result<(), Error> {
        self.backend.status().map(drop)
    }

    /// Goes on after [`RecvError::WriterGone`]: waits for the next writer.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// drop(writer);
    /// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WriterGone));
    /// reader.await_next_writer()?;
    /// let mut next = Writer::<InProc>::open(&ring)?;
    /// next.send(b"hello")?;
    /// assert_eq!(reader.recv(&mut [0; 1024]), Ok(5));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_next_writer(&mut self) -> Result<(), Error> {
        self.backend.forget_failure()
    }

    /// Gives the seat back, and the space of what was released; says if that failed,
    /// as dropping does not.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// reader.close()?;
    /// assert!(Reader::<InProc>::open(&ring).is_ok(), "the seat is free");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(mut self) -> Result<(), Error> {
        // A writer would wait for it until the next reader comes.
        self.give_back();
        self.backend.leave()
    }

    /// A message, and all that was peeked at before, was dealt with.
    #[inline(always)]
    pub(super) fn release_record(&mut self, record: Record) {
        self.release_to(record.end());
        if record.kind == RecordKind::End {
            // A writer waits for this, and for nothing that comes later.
            self.give_back();
        }
    }

    /// Everything before `end` was dealt with.
    #[inline(always)]
    fn release_to(&mut self, end: u64) {
        let ring = self.backend.ring();
        (self.released, self.next) = (end, end);
        // For a successor, who would begin with what we released otherwise.
        ring.released.store(end, RELAXED);
        self.coalesce.took();
        if distance(self.head, end) >= wide(ring.records.capacity() / 4) {
            self.give_back();
        }
    }

    /// Lets the writer have the space of what was released.
    #[inline(never)]
    fn give_back(&mut self) {
        if self.head == self.released {
            return;
        }
        self.head = self.released;
        let ring = self.backend.ring();
        // Edge `space`, giving end: our copies out are over.
        ring.head.store(self.released, orders().give_back);
        light_fence(orders().fence_given_back, ring.peer_fences.and_then(PeerFences::of_writer));
        if ring.writer_parked.load(RELAXED) != 0 {
            ring.writer_parked.store(0, RELAXED);
            self.backend.unpark(ring.writer_parked);
        }
    }

    /// Waits for the record after those that were peeked at.
    #[inline(always)]
    fn await_record(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Record, RecvError> {
        match self.record()? {
            Some(record) => Ok(record),
            None => self.await_record_slowly(policy),
        }
    }

    /// The record after those that were peeked at, if there is one.
    #[inline(always)]
    fn record(&self) -> Result<Option<Record>, Corrupt> {
        let ring = self.backend.ring();
        let found = peek(ring, self.next)?;
        if let Some(record) = found
            && distance(self.head, record.end()) >= wide(ring.records.capacity())
        {
            // The flag behind the last record is kept free: else a reader that looks
            // ahead would go round and round.
            return Err(corrupt("the records have no end"));
        }
        Ok(found)
    }

    #[cold]
    #[inline(never)]
    fn await_record_slowly(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Record, RecvError> {
        // A writer that waits for space would wait for ever beside a reader that
        // waits for records.
        self.give_back();
        self.coalesce.dry();
        let mut backoff = Backoff::parking(policy);
        let mut looks = 1;
        loop {
            if let Some(record) = self.record()? {
                self.coalesce.ended(looks);
                return Ok(record);
            }
            looks += 1;
            let Step::Sleep(longest) = backoff.step(policy, WaitingFor::Message) else { continue };
            if backoff.status_due().is_some() {
                let status = self.backend.status()?;
                if status.removed || status.writer_failed {
                    // What was sent before the end is read before the end.
                    if let Some(record) = self.last_look()? {
                        return Ok(record);
                    }
                    if status.writer_failed && !status.removed {
                        return Err(RecvError::WriterGone);
                    }
                    self.backend.reopen()?;
                    self.settle_in()?;
                }
            }
            let left = backoff.tick(policy, WaitingFor::Message)?;
            self.sleep(longest.min(left))?;
        }
    }

    /// Looks once more, with the parked word set: a writer that publishes into removed
    /// memory after it finds that nobody sleeps there.
    fn last_look(&mut self) -> Result<Option<Record>, Corrupt> {
        let ring = self.backend.ring();
        ring.reader_parked.store(1, RELAXED);
        let own = ring.peer_fences.map(|fences| fences.reader);
        heavy_fence(&self.backend, orders().fence_reader_sleeps, own);
        self.record()
    }

    /// Sleeps until the writer publishes, unless there is a record now.
    fn sleep(&mut self, longest: Duration) -> Result<(), Corrupt> {
        let found = self.last_look();
        let parked = self.backend.ring().reader_parked;
        if found == Ok(None) {
            self.backend.park(parked, longest);
        }
        parked.store(0, RELAXED);
        found.map(drop)
    }
}

/// How far a reader has peeked, of use for that reader alone: see [`Reader::cursor`].
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// writer.send_all(&[b"a", b"b"])?;
/// reader.peek_next(&mut WaitPolicy::forever())?;
/// let first = reader.cursor();
/// reader.release_up_to(first);
/// assert_eq!(reader.peek()?.text(), b"b");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    memory: u64,
    to: u64,
}
