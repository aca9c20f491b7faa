//! Messages that a reader copies and gives out.

use super::policy::WaitPolicy;
use super::reader::Reader;
use crate::backend::Backend;
use crate::error::{Error, RecvError};
use crate::protocol::Either;
use crate::protocol::core::{Consumer, Core, Cursor, Kind, Record};

impl<B: Backend, L: Core> Reader<B, L> {
    /// Waits for the first message that was not released, and copies it without releasing it.
    ///
    /// # Errors
    /// [`RecvError::WriterGone`] and [`RecvError::Backend`], as [`recv`](Self::recv).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek()?.text(), b"a");
    /// assert_eq!(reader.peek()?.text(), b"a", "it is still there");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn peek(&mut self) -> Result<Message<'_, B, L>, RecvError> {
        match self.core.peek_straight(&self.memory, &mut self.text) {
            Ok(record) => Ok(Message { reader: self, record }),
            Err(seen) => self.peek_slowly(seen, &mut WaitPolicy::forever()),
        }
    }

    /// Peeks at the first message that was not released, waiting as `policy` says.
    ///
    /// # Errors
    /// As [`peek`](Self::peek), and [`RecvError::TimedOut`] or [`RecvError::Interrupted`] by `policy`.
    #[inline]
    pub fn peek_with(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B, L>, RecvError> {
        match self.core.peek_straight(&self.memory, &mut self.text) {
            Ok(record) => Ok(Message { reader: self, record }),
            Err(seen) => self.peek_slowly(seen, policy),
        }
    }

    /// What does not go at a glance, at which this flag was seen.
    #[cold]
    #[inline(never)]
    fn peek_slowly(&mut self, seen: u32, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B, L>, RecvError> {
        let found = self.await_first(seen, policy)?;
        self.peek_at(found)
    }

    /// Peeks at the message behind the one that was peeked at last, waiting as `policy` says. At a slot that message has to be
    /// released first: there is one.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"b");
    /// assert_eq!(reader.peek_with(&mut WaitPolicy::forever())?.text(), b"a", "the first that was not released");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn peek_next(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Message<'_, B, L>, RecvError> {
        let found = self.await_record(policy)?;
        self.peek_at(found)
    }

    /// Peeks at the message behind the one that was peeked at last, if it is there. This notices neither a
    /// death nor a removal.
    ///
    /// # Errors
    /// [`RecvError::Backend`]: a peer broke the layout, or there is no memory for the copy.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// let mut batch = Vec::new();
    /// while let Some(message) = reader.try_peek_next()? {
    ///     batch.extend_from_slice(message.text());
    /// }
    /// reader.release_peeked();
    /// assert_eq!(batch, b"ab");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_peek_next(&mut self) -> Result<Option<Message<'_, B, L>>, RecvError> {
        match self.core.poll(&self.memory)? {
            Some(found) => self.peek_at(found).map(Some),
            None => Ok(None),
        }
    }

    pub(in crate::protocol) fn peek_at(&mut self, found: Record) -> Result<Message<'_, B, L>, RecvError> {
        let (len, kind) = self.core.copy(&self.memory, found, &mut self.text)?;
        let record = Record { len, kind, ..found };
        self.core.step_over(record);
        Ok(Message { reader: self, record })
    }

    /// Sets the cursor to the first message that was not released, for [`peek_next`](Self::peek_next) and what peeks in
    /// place.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// reader.rewind();
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"a");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rewind(&mut self) {
        self.core.rewind();
    }

    /// Releases all messages that were peeked at.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.release_peeked();
    /// assert_eq!(reader.peek()?.text(), b"c");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_peeked(&mut self) {
        self.release_up_to(self.cursor());
    }

    /// How far the reader has peeked, to release that and no more with [`release_up_to`](Self::release_up_to).
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.core.cursor()
    }

    /// Releases the messages before `cursor`. Messages peeked at since stay peeked at. If the reader has
    /// been [set back](Self::rewind) since, and has not come as far again, or has moved to other memory, this
    /// releases nothing.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// let behind_a = reader.cursor();
    /// reader.peek_next(&mut WaitPolicy::forever())?;
    /// reader.release_up_to(behind_a);
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"c", "`b` stays peeked at");
    /// assert_eq!(reader.peek()?.text(), b"b", "and was not released");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_up_to(&mut self, cursor: Cursor) {
        self.core.release_up_to(&self.memory, cursor);
    }

    /// Answers the message that was peeked at and not released, as [`Message::reply`] does, for a caller that kept no
    /// [`Message`]; says whether there is one.
    ///
    /// # Errors
    /// [`Error::BadReply`] if an answer has another length, or the layout has none.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let options = Options::declared(key, &"struct { int written; char text[60]; int answer; },reply=answer".parse()?);
    /// let mut reader = Reader::<SysV>::open(&options)?;
    /// let mut writer = Writer::<SysV>::open(&options)?;
    /// writer.send(b"how much?")?;
    /// assert!(!reader.reply(&42_i32.to_ne_bytes())?, "nothing was peeked at");
    /// let question = reader.peek()?.text().to_vec();
    /// assert!(question == b"how much?" && reader.reply(&42_i32.to_ne_bytes())?);
    /// reader.release_peeked();
    /// assert!(!reader.reply(&[0; 4])?, "it is the writer's");
    /// reader.backend().segment().remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        let needs = self.core.reply_len(&self.memory);
        if bytes.len() != needs || needs == 0 {
            return Err(Error::BadReply { given: bytes.len(), needs });
        }
        Ok(self.core.reply(&self.memory, bytes))
    }

    /// An iterator over the messages up to the end of the session, which is not released, or up to the first error.
    /// [`next_message`](Self::next_message) does the same without a new vector for each.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b"])?;
    /// writer.end()?;
    /// let messages: Result<Vec<_>, _> = reader.messages().collect();
    /// assert_eq!(messages?, [b"a", b"b"]);
    /// reader.end_session()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn messages(&mut self) -> Messages<'_, B, L> {
        Messages { reader: self, failed: false }
    }

    /// Waits for the next message, releases it, and gives out a copy in a buffer that the next call
    /// uses again; `None`: the session has ended.
    ///
    /// # Errors
    /// As [`peek`](Self::peek).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"bc"])?;
    /// writer.end()?;
    /// let mut all = Vec::new();
    /// while let Some(bytes) = reader.next_message()? {
    ///     all.extend_from_slice(bytes);
    /// }
    /// assert_eq!(all, b"abc");
    /// reader.end_session()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, RecvError> {
        let message = self.peek()?;
        if message.ends_session() {
            return Ok(None);
        }
        let len = message.text().len();
        message.release();
        Ok(Some(&self.text[..len]))
    }

    /// Ends the session if its end comes next, as [`Message::end_session`] does; says whether it did. This does not
    /// wait. The reader stays at the end then: the next session needs another one.
    ///
    /// # Errors
    /// As [`peek`](Self::peek) and [`Message::end_session`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// assert!(!reader.end_session()?, "nothing was sent");
    /// writer.end()?;
    /// assert_eq!(reader.recv(&mut [0; 2048])?, Received::End);
    /// assert!(reader.end_session()?);
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&channel)?;
    /// assert_eq!(next.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock), "this is new memory");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_session(&mut self) -> Result<bool, RecvError> {
        let first = match self.core.first(&self.memory)? {
            None => self.end_beside()?,
            first => first,
        };
        let Some(first) = first else { return Ok(false) };
        let (len, kind) = self.core.copy(&self.memory, first, &mut self.text)?;
        let ends = kind == Kind::End;
        if ends {
            self.close_session(Record { len, kind, ..first })?;
        }
        Ok(ends)
    }
}

/// A message that was peeked at and not released yet. Dropping it leaves it where it is, for the next
/// peek.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// writer.send(b"hello\n")?;
/// let message = reader.peek()?;
/// assert_eq!(message.text(), b"hello\n");
/// message.release();
/// assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Message<'r, B: Backend, L: Core = Either> {
    reader: &'r mut Reader<B, L>,
    record: Record,
}

impl<B: Backend, L: Core> Message<'_, B, L> {
    /// The bytes, in a private copy that no peer can change. A slot's text comes without its NUL, and an end in a
    /// ring has no bytes.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.reader.text[..self.record.len]
    }

    /// Whether this ends the session: the end in a ring, at a slot a text that begins with `end`.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// writer.end_with(&mut WaitPolicy::non_blocking())?;
    /// let message = reader.peek()?;
    /// assert_eq!((message.text(), message.ends_session()), (&b"end\n"[..], true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn ends_session(&self) -> bool {
        self.record.kind == Kind::End
    }

    /// Answers the message, in the bytes of its struct that a [declared](crate::declare) layout sets aside for that. The writer
    /// sees the answer when this is released, and no part of it before.
    ///
    /// # Errors
    /// [`Error::BadReply`] if an answer has another length, or the layout has none.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let image = "struct { int written; unsigned char image[64]; int left, right; },reply=left+right".parse()?;
    /// let options = Options::declared(key, &image);
    /// let reading = Options::clone(&options);
    /// let steering = std::thread::spawn(move || {
    ///     let mut reader = Reader::<SysV>::open(&reading)?;
    ///     let mut message = reader.peek()?;
    ///     message.reply(&[7; 8])?;
    ///     message.release();
    ///     reader.peek()?.end_session()?;
    ///     Ok::<(), shm_handoff::RecvError>(())
    /// });
    /// let mut writer = Writer::<SysV>::open(&options)?;
    /// let mut answer = [0; 8];
    /// writer.call(&[1; 64], &mut answer)?;
    /// assert_eq!(answer, [7; 8]);
    /// writer.end()?;
    /// steering.join().expect("it does not panic")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reply(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // An end has no answer.
        if self.reader.reply(bytes)? { Ok(()) } else { Err(Error::BadReply { given: bytes.len(), needs: 0 }) }
    }

    /// Gives the message's place back to the writer, and that of all that was peeked at before it.
    #[inline]
    pub fn release(self) {
        self.reader.release(self.record);
    }

    /// Ends the session with this message. It removes the memory *without releasing* anything, so that no writer
    /// publishes where nobody reads any more: what a writer has sent behind this message, it sends again in new memory. Where
    /// the memory may not be removed, because it is another user's, the message is released instead, and the
    /// next session is held in the same memory.
    ///
    /// # Errors
    /// The error of the removal, unless the removal is only not permitted.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.end()?;
    /// let message = reader.peek()?;
    /// assert!(message.ends_session());
    /// message.end_session()?;
    /// drop(reader);
    /// let mut next = Reader::<InProc>::open(&channel)?;
    /// assert_eq!(next.try_recv(&mut [0; 1024]), Err(RecvError::WouldBlock), "this is new memory");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_session(self) -> Result<(), Error> {
        self.reader.close_session(self.record)
    }
}

/// The iterator that [`Reader::messages`] makes. Each message is released when it is given out. Behind an error it gives out
/// nothing more.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// writer.send_all(&[b"a", b"b"])?;
/// drop(writer);
/// let mut messages = reader.messages();
/// assert_eq!(messages.next(), Some(Ok(b"a".to_vec())));
/// assert_eq!(messages.next(), Some(Ok(b"b".to_vec())));
/// assert_eq!(messages.next(), Some(Err(RecvError::WriterGone)));
/// assert_eq!(messages.next(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Messages<'r, B: Backend, L: Core = Either> {
    reader: &'r mut Reader<B, L>,
    failed: bool,
}

impl<B: Backend, L: Core> Iterator for Messages<'_, B, L> {
    type Item = Result<Vec<u8>, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.reader.next_message().map(|message| message.map(<[u8]>::to_vec));
        self.failed = next.is_err();
        next.transpose()
    }
}
