//! What a reader gives out: a message that was looked at, copied or where it lies, and
//! all of them one after the other.

use super::RecordKind;
use super::reader::Reader;
use super::walk::Record;
use crate::backend::RingBackend;
use crate::error::Error;
use crate::protocol::RecvError;
use crate::protocol::orders::RELAXED;

/// A message that was looked at and not released yet. Dropping it leaves it in the
/// ring, for the next [`look`](Reader::look).
#[derive(Debug)]
pub struct Message<'r, B: RingBackend> {
    pub(super) reader: &'r mut Reader<B>,
    pub(super) record: Record,
}

impl<B: RingBackend> Message<'_, B> {
    /// Its bytes: a private copy that no peer can change.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.reader.text
    }

    /// Whether this is the end of the stream, which has no bytes.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == RecordKind::End
    }

    /// Gives its space back to the writer, and that of all that was looked at
    /// before.
    pub fn release(self) {
        self.reader.release_record(self.record);
    }

    /// Ends the session: removes the memory *without releasing*.
    ///
    /// # Errors
    /// What the removal met.
    pub fn close(self) -> Result<(), Error> {
        self.reader.backend.remove()?;
        if self.ends_session() {
            // For the writer, who can't tell by the removal alone whether the end was met.
            // Only now: a reader that dies before may have removed nothing, and one that
            // dies in between lets a successor meet the end once more.
            self.reader.backend.ring().closed.store(1, RELAXED);
        }
        Ok(())
    }
}

/// A message where it lies, that was looked at and not released yet.
#[derive(Debug)]
#[cfg(not(model))]
pub struct InPlace<'r, B: RingBackend> {
    pub(super) reader: &'r mut Reader<B>,
    pub(super) record: Record,
}

#[cfg(not(model))]
impl<B: RingBackend> InPlace<'_, B> {
    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record.len == 0
    }

    /// Whether this is the end of the stream, which has no bytes.
    #[must_use]
    pub fn ends_session(&self) -> bool {
        self.record.kind == RecordKind::End
    }

    /// Where its bytes lie: readable for as long as this message is borrowed, and
    /// whatever a peer makes of them meanwhile. For system calls.
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
    #[must_use]
    #[inline]
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes within the ring, which are the reader's by the protocol
        // until they are released; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts(self.as_ptr(), self.record.len) }
    }

    /// Gives its space back to the writer, and that of all that was looked at
    /// before.
    #[inline]
    pub fn release(self) {
        self.reader.release_record(self.record);
    }
}

/// Iterator over messages; see [`Reader::messages`].
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
        match self.reader.look() {
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
