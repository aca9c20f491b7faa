//! What a caller can know and have of a message before it takes it: for those that have a buffer, a descriptor or an event
//! loop of their own.

use super::{Reader, Received, Removed};
use crate::backend::{Backend, Interrupter};
use crate::error::RecvError;
use crate::protocol::core::{Consumer, Core, Kind, Record};
use crate::protocol::endpoint::policy::WaitPolicy;
use crate::sync;

impl<B: Backend, L: Core> Reader<B, L> {
    /// Whether a message lies there that was not released, an end included. This makes no system call and waits for
    /// nothing, so it notices neither a death nor a removal, nor the end of records, which is told beside them.
    ///
    /// # Errors
    /// [`RecvError::Backend`]: a peer broke the layout.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// assert!(!reader.is_ready()?);
    /// writer.send(b"hello")?;
    /// assert!(reader.is_ready()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_ready(&mut self) -> Result<bool, RecvError> {
        Ok(self.core.first(&self.memory)?.is_some())
    }

    /// Looks for the first message that was not released so many times, with a pause between, as a wait does before it
    /// sleeps: the writer has what it may wait for, and a reader at its heels holds back.
    ///
    /// # Errors
    /// As [`is_ready`](Self::is_ready).
    #[doc(hidden)]
    pub fn spin(&mut self, looks: u32) -> Result<bool, RecvError> {
        if self.core.first(&self.memory)?.is_some() {
            return Ok(true);
        }
        self.core.rewind();
        let mut found = self.core.run_dry(&self.memory)?;
        for look in 1..=looks {
            if found.is_some() {
                self.core.arrived(look);
                break;
            }
            sync::spin_loop();
            found = self.core.poll(&self.memory)?;
        }
        Ok(found.is_some())
    }

    /// Waits for the first message that was not released, and says how many bytes are enough for it, without a copy: its
    /// length, or the capacity where only a copy tells.
    ///
    /// # Errors
    /// As [`peek_with`](Self::peek_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// writer.send(b"hello")?;
    /// let mut bytes = vec![0; reader.await_len(&mut WaitPolicy::forever())?];
    /// assert_eq!(reader.peek_into(&mut bytes, &mut WaitPolicy::forever())?, Received::Message(5));
    /// assert_eq!(bytes, b"hello");
    /// reader.release_peeked();
    /// assert!(!reader.is_ready()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn await_len(&mut self, policy: &mut WaitPolicy<'_>) -> Result<usize, RecvError> {
        let found = self.await_earliest(policy)?;
        let is_known = found.len > 0 || !self.core.has_strangers();
        Ok(if is_known { found.len } else { self.capacity() })
    }

    /// Copies the first message that was not released to the beginning of `bytes`, without releasing it, waiting as `policy`
    /// says. [`release_peeked`](Self::release_peeked) releases it, and all that was peeked at beside it.
    ///
    /// # Errors
    /// As [`recv_with`](Self::recv_with).
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// writer.send(b"hello\n")?;
    /// let mut bytes = [0; 2048];
    /// assert_eq!(reader.peek_into(&mut bytes, &mut WaitPolicy::forever())?, Received::Message(6));
    /// assert_eq!(reader.recv(&mut bytes)?, Received::Message(6), "it was not released");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek_into(&mut self, bytes: &mut [u8], policy: &mut WaitPolicy<'_>) -> Result<Received, RecvError> {
        let found = self.await_earliest(policy)?;
        self.core.rewind();
        match self.core.read(&self.memory, found, bytes) {
            Some((_, Kind::End)) => Ok(Received::End),
            Some((len, Kind::Bytes)) => {
                self.core.step_over(found);
                Ok(Received::Message(len))
            }
            None => Err(self.too_small(found)),
        }
    }

    /// The first message that was not released.
    fn await_earliest(&mut self, policy: &mut WaitPolicy<'_>) -> Result<Record, RecvError> {
        if let Some(found) = self.core.first(&self.memory)? {
            return Ok(found);
        }
        self.core.rewind();
        self.await_record_slowly(policy, Removed::Left)
    }

    /// A handle that ends this reader's sleeps from another thread.
    pub fn interrupter(&mut self) -> Interrupter {
        self.memory.interrupter()
    }
}
