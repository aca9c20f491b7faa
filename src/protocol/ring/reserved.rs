//! Messages that are built where they lie.

use super::writer::Writer;
use super::{RecordKind, size_of_record, wide};
use crate::backend::RingBackend;
use crate::protocol::orders::RELAXED;

/// A message that is being built where it lies. Dropping it sends nothing.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// let reserved = writer.reserve(8, &mut WaitPolicy::forever())?;
/// drop(reserved);
/// assert_eq!(reader.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reserved<'w, B: RingBackend> {
    pub(super) writer: &'w mut Writer<B>,
    pub(super) at: u64,
    pub(super) len: usize,
}

impl<B: RingBackend> Reserved<'_, B> {
    /// Its length in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert_eq!(writer.reserve(8, &mut WaitPolicy::forever())?.len(), 8);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// assert!(writer.reserve(0, &mut WaitPolicy::forever())?.is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes `bytes` from byte `at` on, a multiple of 4. Bytes that are never written
    /// are what lay there before: something that was sent long ago.
    ///
    /// # Panics
    /// If they go beyond the message, or `at` is no multiple of 4.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut reserved = writer.reserve(8, &mut WaitPolicy::forever())?;
    /// reserved.write_at(4, b"lace");
    /// reserved.write_at(0, b"in p");
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"in place");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        assert!(at.is_multiple_of(4), "{at} is not a multiple of 4");
        assert!(at <= self.len && bytes.len() <= self.len - at, "{} bytes at {at} of {}", bytes.len(), self.len);
        self.writer.backend.ring().records.write(self.at, at, bytes);
    }

    /// Where its bytes lie: writable for as long as this is borrowed, and whatever a
    /// peer makes of them meanwhile. For system calls.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut reserved = writer.reserve(5, &mut WaitPolicy::forever())?;
    /// // SAFETY: 5 bytes are writable there.
    /// unsafe { reserved.as_mut_ptr().copy_from(b"hello".as_ptr(), 5) };
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(not(model))]
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.writer.backend.ring().records.bytes(self.at, self.len)
    }

    /// The bytes themselves.
    ///
    /// # Safety
    /// For as long as they are borrowed nobody else writes to them: so no other
    /// process may break the protocol.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut reserved = writer.reserve(5, &mut WaitPolicy::forever())?;
    /// // SAFETY: both sides are ours, and no other process is there.
    /// unsafe { reserved.bytes() }.copy_from_slice(b"hello");
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(not(model))]
    #[must_use]
    pub unsafe fn bytes(&mut self) -> &mut [u8] {
        let (first, len) = (self.as_mut_ptr(), self.len);
        // SAFETY: `len` bytes within the ring, which are the writer's by the
        // protocol until they are published; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(first, len) }
    }

    /// Sends its first `len` bytes.
    ///
    /// # Panics
    /// If there are not so many.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut reserved = writer.reserve(1024, &mut WaitPolicy::forever())?;
    /// reserved.write_at(0, b"hello");
    /// reserved.commit_first(5);
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_first(self, len: usize) {
        assert!(len <= self.len, "the first {len} bytes of {}", self.len);
        let behind = self.at.wrapping_add(wide(size_of_record(len)));
        // What is behind it is another place now.
        self.writer.backend.ring().records.flag(behind).store(0, RELAXED);
        Self { len, ..self }.commit();
    }

    /// Sends it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{WaitPolicy, backend::inproc::{Channel, InProc}, ring::{Reader, Writer}};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let mut reserved = writer.reserve(5, &mut WaitPolicy::forever())?;
    /// reserved.write_at(0, b"hello");
    /// reserved.commit();
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn commit(self) {
        let Self { writer, at, len } = self;
        let ring = writer.backend.ring();
        let withheld = writer.pen.seal(ring, at, len, RecordKind::Bytes);
        writer.publish(withheld);
    }
}
