//! What the cores of the layouts and the endpoints say to each other of a message.

/// A record that was found: where it is, and what. In a slot it is the one text, whose length and
/// kind are known when it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    pub(super) at: u64,
    pub(super) len: usize,
    pub(super) kind: Kind,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bytes = 0,
    /// The end of the session, and no message.
    End = 1,
}

/// How far a reader has peeked: see [`Reader::cursor`](crate::Reader::cursor). It means nothing to another reader, nor in
/// other memory.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send_all(&[b"a", b"b"])?;
/// let before = reader.cursor();
/// reader.peek_next(&mut WaitPolicy::forever())?;
/// assert_ne!(reader.cursor(), before);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(super) memory: u64,
    pub(super) to: u64,
}

impl Cursor {
    /// The position in the ring, in bytes: it only grows, and every reader of this ring finds the same messages at the same
    /// positions. At a slot it counts what this reader has released.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// assert_eq!(reader.cursor().position(), 16, "a header and five bytes, padded to 8");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn position(self) -> u64 {
        self.to
    }
}
