//! Messages of another ring, carried on into this one so that none comes twice, whoever dies: what a bridge between two
//! machines is made of.

use super::intent::{self, Carried};
use super::{MaybeRing, no_ring};
use crate::backend::Backend;
use crate::error::{Error, SendError};
use crate::protocol::core::{Kind, Producer as _};
use crate::protocol::endpoint::{WaitPolicy, Writer};
#[cfg(not(model))]
use crate::{error::RecvError, protocol::core::Cursor, protocol::endpoint::Reader};

impl<B: Backend, L: MaybeRing> Writer<B, L> {
    /// How far of which other stream is in this ring, also by an earlier writer; `None`: nothing was ever
    /// carried on into it, or this is a slot.
    pub fn carried(&mut self) -> Option<Carried> {
        L::producer(&mut self.core)?;
        intent::carried(self.memory.ring())
    }

    /// Carries `messages` of another ring on into this one: those of `stream` from position `from` on, each with the
    /// position behind it there (its [`Cursor`](crate::Cursor)'s). Waits for room for the first one as `policy` says. Then publishes it
    /// together with those behind it for which there is room, and says how many these were; 0 only if there are none.
    ///
    /// Before that, the writer notes in the ring which ones they are. So if it is killed, the next writer, whoever that is,
    /// knows whether they are in, and [`carried`](Self::carried) tells it.
    ///
    /// # Panics
    /// If the positions do not grow from `from` on.
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with), for the first message. At a slot, [`SendError::Backend`] with
    /// [`Error::WrongLayout`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let batch: [(u64, &[u8]); 2] = [(16, b"hello"), (32, b"world")];
    /// assert_eq!(writer.carry(7, 0, &batch, &mut WaitPolicy::forever())?, 2);
    /// let carried = writer.carried().expect("two messages were");
    /// assert_eq!((carried.stream, carried.position), (7, 32));
    /// assert_eq!(reader.peek()?.text(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn carry(
        &mut self,
        stream: u64,
        from: u64,
        messages: &[(u64, &[u8])],
        policy: &mut WaitPolicy<'_>,
    ) -> Result<usize, SendError> {
        let Some((_, first)) = messages.first() else { return Ok(0) };
        // An intent that ends where it begins is a settled one.
        let mut last = from;
        for (position, _) in messages {
            assert!(*position > last, "the position {position} behind {last}");
            last = *position;
        }
        self.ring_only()?;
        self.check(first)?;
        self.make_room(first.len(), policy)?;
        let Some(core) = L::producer(&mut self.core) else { return Err(no_ring().into()) };
        // For those behind the first: a look at the head is worth it once a batch.
        core.has_room(&self.memory, first.len())?;
        let count = core.carry(&self.memory, (stream, from), messages);
        self.has_pushed(Kind::Bytes);
        self.renew();
        Ok(count)
    }

    /// Carries the end of another ring's stream on: at `position` there, behind all that was carried.
    ///
    /// # Panics
    /// If `position` is not behind `from`.
    ///
    /// # Errors
    /// As [`carry`](Self::carry).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.carry_end(7, 0, 8, &mut WaitPolicy::forever())?;
    /// assert!(writer.carried().is_some_and(|carried| carried.ended));
    /// assert!(reader.peek()?.ends_session());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn carry_end(
        &mut self,
        stream: u64,
        from: u64,
        position: u64,
        policy: &mut WaitPolicy<'_>,
    ) -> Result<(), SendError> {
        assert!(position > from, "the position {position} behind {from}");
        self.ring_only()?;
        // As any end: not to memory that was removed.
        self.recover(policy)?;
        self.make_room(0, policy)?;
        let Some(core) = L::producer(&mut self.core) else { return Err(no_ring().into()) };
        core.carry_end(&self.memory, (stream, from), position);
        self.has_pushed(Kind::End);
        self.renew();
        Ok(())
    }

    fn ring_only(&mut self) -> Result<(), Error> {
        L::producer(&mut self.core).map(|_| ()).ok_or_else(no_ring)
    }

    /// Where the writer stands in its ring; `None` at a slot.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// let standing = writer.standing()?.expect("this is a ring");
    /// assert_eq!((standing.tail, standing.released), (16, 0), "a header and five bytes, padded to 8");
    /// reader.peek()?.release();
    /// assert_eq!(writer.standing()?.map(|standing| standing.released), Some(16));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A peer broke the layout.
    pub fn standing(&mut self) -> Result<Option<Standing>, Error> {
        let Some(core) = L::producer(&mut self.core) else { return Ok(None) };
        core.has_room(&self.memory, 0)?;
        let ring = self.memory.ring();
        let (tail, room) = core.standing(ring);
        Ok(Some(Standing { tail, released: super::consumer::standing(ring)?.released, room }))
    }
}

/// Where a ring's writer stands. Positions are in bytes, and only grow.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// # use shm_handoff::Standing;
/// let Standing { room, .. } = writer.standing()?.expect("this is a ring");
/// assert_eq!(room, 4096 - 8, "the flag behind the last message stays free");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The position behind the last message that was sent.
    pub tail: u64,
    /// Up to here the reader has released everything.
    pub released: u64,
    /// Bytes for further records: a message takes 8 more than its length, rounded up to 8, and what is left in front of
    /// the wrap if it does not fit there.
    pub room: usize,
}

#[cfg(not(model))]
impl<B: Backend, L: MaybeRing> Reader<B, L> {
    /// Peeks at the messages behind the one that was peeked at last, as far as they are there, and appends their bytes to `out`.
    /// For each one, `more` is told the length of `out` behind it and the [`Cursor`], and says whether the next one is
    /// wanted. Says whether the end of the session is what comes next. Does not wait.
    ///
    /// # Errors
    /// As [`peek_next`](Self::peek_next). At a slot, [`RecvError::Backend`] with [`Error::WrongLayout`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"bc"])?;
    /// writer.end()?;
    /// let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    /// let is_end = reader.peek_onto(&mut bytes, &mut |len, cursor| {
    ///     ends.push((len, cursor.position()));
    ///     true
    /// })?;
    /// assert!(is_end);
    /// assert_eq!((&bytes[..], &ends[..]), (&b"abc"[..], &[(1, 16), (3, 32)][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_onto(
        &mut self,
        out: &mut Vec<u8>,
        more: &mut impl FnMut(usize, Cursor) -> bool,
    ) -> Result<bool, RecvError> {
        let Some(core) = L::consumer(&mut self.core) else { return Err(no_ring().into()) };
        Ok(core.append(&self.memory, out, more)?)
    }

    /// The position up to which everything was released; 0 at a slot.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// reader.peek()?.release();
    /// assert_eq!(reader.released(), 16);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn released(&mut self) -> u64 {
        L::consumer(&mut self.core).map_or(0, |core| core.released())
    }

    /// Sets the cursor to `position`, back or ahead, if a message that lies there ends at it, or if it is
    /// [where the first one begins](Self::released). Says whether it did; otherwise the cursor stays. Does not wait.
    ///
    /// # Errors
    /// [`RecvError::Backend`]: a peer broke the layout, or this is a slot.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// assert!(reader.seek(32)? && !reader.seek(24)?);
    /// assert_eq!(reader.peek_next(&mut WaitPolicy::forever())?.text(), b"c");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seek(&mut self, position: u64) -> Result<bool, RecvError> {
        let Some(core) = L::consumer(&mut self.core) else { return Err(no_ring().into()) };
        Ok(core.seek(&self.memory, position)?)
    }

    /// Releases the messages before `position`, if one that was peeked at ends there; says whether it did. What was peeked
    /// at behind it stays peeked at.
    ///
    /// # Errors
    /// As [`seek`](Self::seek).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send_all(&[b"a", b"b", b"c"])?;
    /// assert!(reader.seek(48)?);
    /// assert!(reader.release_at(32)? && !reader.release_at(40)?);
    /// assert_eq!((reader.released(), reader.cursor().position()), (32, 48));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_at(&mut self, position: u64) -> Result<bool, RecvError> {
        let Some(core) = L::consumer(&mut self.core) else { return Err(no_ring().into()) };
        Ok(core.release_at(&self.memory, position)?)
    }
}
