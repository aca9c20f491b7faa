//! What a reader gives out: a message that was peeked at, copied or where it lies, and
//! all of them one after the other.

use super::RecordKind;
use super::reader::Reader;
use super::walk::Record;
use crate::backend::RingBackend;
use crate::error::Error;
use crate::protocol::RecvError;
use crate::protocol::orders::RELAXED;

/// A message that was peeked at and not released yet. Dropping it leaves it in the
/// ring, for the next [`peek`](Reader::peek).
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// writer.send(b"hello")?;
/// let message = reader.peek()?;
/// assert_eq!(message.text(), b"hello");
/// message.release();
/// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Message<'r, B: RingBackend> {
    pub(super) reader: &'r mut Reader<B>,
    pub(super) record: Record,
}

impl<B: RingBackend> Message<'_, B> {
    /// Its bytes: a private copy that no peer can change.
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
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.reader.text
    }

    /// Whether this is the end of the stream, which has no bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"end\n")?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// let message = reader.peek()?;
    /// assert!(!message.ends_session(), "bytes like any others");
    /// message.release();
    /// assert!(reader.peek()?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == RecordKind::End
    }

    /// Gives its space back to the writer, and that of all that was peeked at
    /// before.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// reader.peek()?.release();
    /// assert_eq!(reader.peek()?.text(), b"b");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release(self) {
        self.reader.release_record(self.record);
    }

    /// Ends the session: removes the memory *without releasing*. Where it may not be removed, because it is another
    /// user's, the end is released instead, and the next session is held in the same memory.
    ///
    /// # Errors
    /// What the removal met, but for a refusal.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// let message = reader.peek()?;
    /// assert!(message.ends_session());
    /// message.end_session()?;
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(next.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "this is new memory");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_session(self) -> Result<(), Error> {
        match self.reader.backend.remove() {
            Err(Error::Permission { .. }) => {
                self.release();
                return Ok(());
            }
            done => done?,
        }
        if self.ends_session() {
            // For the writer, who can't tell by the removal alone whether the end was met.
            // Only now: a reader that dies before may have removed nothing, and one that
            // dies in between lets a successor meet the end once more.
            self.reader.backend.ring().closed.store(1, RELAXED);
        }
        Ok(())
    }
}

/// A message where it lies, that was peeked at and not released yet.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// writer.send(b"hello")?;
/// let message = reader.peek_in_place(&mut WaitPolicy::forever())?;
/// assert_eq!((message.len(), message.ends_session()), (5, false));
/// message.release();
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InPlace<'r, B: RingBackend> {
    pub(super) reader: &'r mut Reader<B>,
    pub(super) record: Record,
}

impl<B: RingBackend> InPlace<'_, B> {
    /// Its length in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// assert_eq!(reader.peek_in_place(&mut WaitPolicy::forever())?.len(), 5);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.len
    }

    /// Whether it has no bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"")?;
    /// assert!(reader.peek_in_place(&mut WaitPolicy::forever())?.is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.len == 0
    }

    /// Whether this is the end of the stream, which has no bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.end_with(&mut WaitPolicy::forever())?;
    /// assert!(reader.peek_in_place(&mut WaitPolicy::forever())?.ends_session());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == RecordKind::End
    }

    /// Where its bytes lie: readable for as long as this message is borrowed, and
    /// whatever a peer makes of them meanwhile. For system calls.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// let message = reader.peek_in_place(&mut WaitPolicy::forever())?;
    /// // SAFETY: 5 bytes are readable there, and no other process is.
    /// assert_eq!(unsafe { message.as_ptr().read() }, b'h');
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.reader.backend.ring().records.bytes(self.record.at, self.record.len)
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// For as long as they are borrowed nobody writes to them: so no other process
    /// may break the protocol.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send(b"hello")?;
    /// let message = reader.peek_in_place(&mut WaitPolicy::forever())?;
    /// // SAFETY: both sides are ours, and no other process is there.
    /// assert_eq!(unsafe { message.bytes() }, b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes within the ring, which are the reader's by the protocol
        // until they are released; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts(self.as_ptr(), self.record.len) }
    }

    /// What a model reads in the place of [`bytes`](Self::bytes): its memory has no
    /// pointers.
    #[doc(hidden)]
    #[cfg(model)]
    #[must_use]
    pub fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.record.len];
        self.reader.backend.ring().records.read(self.record.at, &mut bytes);
        bytes
    }

    /// Gives its space back to the writer, and that of all that was peeked at
    /// before.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// writer.send_all(&[b"a", b"b"])?;
    /// reader.peek_in_place(&mut WaitPolicy::forever())?.release();
    /// assert_eq!(reader.peek()?.text(), b"b");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn release(self) {
        self.reader.release_record(self.record);
    }
}

/// Iterator over messages; see [`Reader::messages`].
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{RecvError, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// writer.send_all(&[b"a", b"b"])?;
/// drop(writer);
/// let mut messages = reader.messages();
/// assert_eq!(messages.next(), Some(Ok(b"a".to_vec())));
/// assert_eq!(messages.next(), Some(Ok(b"b".to_vec())));
/// assert_eq!(messages.next(), Some(Err(RecvError::WriterGone)));
/// assert_eq!(messages.next(), None);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Messages<'r, B: RingBackend> {
    pub(super) reader: &'r mut Reader<B>,
    pub(super) failed: bool,
}

impl<B: RingBackend> Iterator for Messages<'_, B> {
    type Item = Result<Vec<u8>, RecvError>;

    /// The next message, released when it is given out; `None`: the stream has
    /// ended, or an error was given out.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.reader.peek() {
            Ok(message) if message.ends_session() => None,
            Ok(message) => {
                let bytes = message.text().to_vec();
                message.release();
                Some(Ok(bytes))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}
