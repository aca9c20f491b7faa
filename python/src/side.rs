//! The library's reader in a call, and what is noted beside it.

use crate::buffer;
use crate::endpoint::Home;
use crate::error;
use crate::wait::{self, Timeout};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Cursor, Either, Message, Received, RecvError, WaitPolicy};

/// A message that is no longer is received without asking how long it is.
const SHORT: usize = 4096;

/// What is noted beside the library's reader.
pub(crate) struct Noted {
    /// For short messages.
    short: Box<[u8; SHORT]>,
    /// How many messages were released: a `Message` knows by it whether it is still there.
    pub(crate) released: u64,
    /// The session has ended, and its end was answered.
    pub(crate) ended: bool,
    /// Where the reader stood behind the message that was peeked at last.
    peeked: Option<Cursor>,
}

impl Noted {
    pub(crate) fn new() -> Self {
        Self { short: Box::new([0; SHORT]), released: 0, ended: false, peeked: None }
    }
}

/// The two in a call.
pub(crate) struct Side<'e> {
    pub(crate) reader: &'e mut shm_handoff::Reader<SysV>,
    pub(crate) noted: &'e mut Noted,
    home: Home,
}

/// What a wait brought.
pub(crate) enum Taken<'py> {
    Message(Bound<'py, PyBytes>),
    /// The end of the session, and its text.
    End(Bound<'py, PyBytes>),
    /// The end was met before.
    Ended,
    TimedOut,
}

impl<'e> Side<'e> {
    pub(crate) fn of(reader: &'e mut shm_handoff::Reader<SysV>, noted: &'e mut Noted, home: Home) -> Self {
        Self { reader, noted, home }
    }

    #[inline]
    pub(crate) fn take<'py>(
        &mut self,
        py: Python<'py>,
        timeout: impl FnOnce() -> PyResult<Timeout>,
    ) -> PyResult<Taken<'py>> {
        if !self.noted.ended
            && let Some(len) = self.reader.recv_straight(&mut self.noted.short[..])
        {
            self.noted.released += 1;
            return Ok(Taken::Message(PyBytes::new(py, &self.noted.short[..len])));
        }
        self.take_slowly(py, timeout()?)
    }

    /// What does not go at a glance: waits for a message without the interpreter, and then receives it with it held.
    #[cold]
    fn take_slowly<'py>(&mut self, py: Python<'py>, timeout: Timeout) -> PyResult<Taken<'py>> {
        loop {
            if self.noted.ended {
                return Ok(Taken::Ended);
            }
            let len = match self.await_message(py, timeout)? {
                Ok(len) => len,
                Err(RecvError::TimedOut | RecvError::WouldBlock) => return Ok(Taken::TimedOut),
                Err(error) => return Err(error::of_recv(&error)),
            };
            let received = if len <= SHORT {
                match self.reader.try_recv(&mut self.noted.short[..]) {
                    Ok(Received::Message(len)) => Ok(Some(PyBytes::new(py, &self.noted.short[..len]))),
                    Ok(Received::End) => Ok(None),
                    Err(error) => Err(error),
                }
            } else {
                buffer::filled(py, len, |room| match self.reader.try_recv(room)? {
                    Received::Message(len) => Ok(Some(len)),
                    Received::End => Ok(None),
                })?
            };
            match received {
                Ok(Some(bytes)) => {
                    self.noted.released += 1;
                    return Ok(Taken::Message(bytes));
                }
                Ok(None) => {
                    if let Some(text) = self.end(py)? {
                        return Ok(Taken::End(text));
                    }
                }
                // A peer has replaced what was there.
                Err(RecvError::WouldBlock | RecvError::BufferTooSmall { .. }) => {}
                Err(error) => return Err(error::of_recv(&error)),
            }
        }
    }

    /// Ends the session whose end comes next; its text. `None`: a peer has replaced the end that was seen, and the
    /// session goes on.
    pub(crate) fn end<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let reader = &mut *self.reader;
        let ended = py.detach(|| {
            let end = match reader.peek_with(&mut WaitPolicy::non_blocking()) {
                Err(RecvError::TimedOut) => return Ok(None),
                peeked => peeked?,
            };
            if !end.ends_session() {
                return Ok(None);
            }
            let text = end.text().to_vec();
            end.end_session()?;
            Ok::<_, RecvError>(Some(text))
        });
        let text = ended.map_err(|error| error::of_recv(&error))?;
        self.noted.ended |= text.is_some();
        Ok(text.map(|text| PyBytes::new(py, &text)))
    }

    /// Waits until a message is there, or the end, and takes nothing. How many bytes are enough for it.
    pub(crate) fn await_message(&mut self, py: Python<'_>, timeout: Timeout) -> PyResult<Result<usize, RecvError>> {
        let reader = &mut *self.reader;
        wait::patiently(py, self.home, timeout, |policy| reader.await_len(policy))
    }

    /// A copy of the first message that was not released, and whether it ends the session.
    pub(crate) fn peek<'py>(&mut self, py: Python<'py>, timeout: Timeout) -> PyResult<(Bound<'py, PyBytes>, bool)> {
        if self.noted.ended {
            return Err(error::session_ended(py, None));
        }
        loop {
            let len = self.await_message(py, timeout)?.map_err(|error| error::of_recv(&error))?;
            let peeked = buffer::filled(py, len, |room| {
                match self.reader.peek_into(room, &mut WaitPolicy::non_blocking())? {
                    Received::Message(len) => Ok(Some(len)),
                    Received::End => Ok(None),
                }
            })?;
            match peeked {
                Ok(Some(bytes)) => {
                    self.noted.peeked = Some(self.reader.cursor());
                    return Ok((bytes, false));
                }
                Ok(None) => match self.reader.peek_with(&mut WaitPolicy::non_blocking()) {
                    Ok(message) => return Ok((PyBytes::new(py, message.text()), message.ends_session())),
                    Err(RecvError::TimedOut) => {}
                    Err(error) => return Err(error::of_recv(&error)),
                },
                // A peer has replaced what was there.
                Err(RecvError::TimedOut | RecvError::BufferTooSmall { .. }) => {}
                Err(error) => return Err(error::of_recv(&error)),
            }
        }
    }

    /// Whether the message that was peeked at behind so many others is still there.
    pub(crate) fn check(&self, released: u64) -> PyResult<()> {
        if self.noted.ended || self.noted.released != released { Err(error::released()) } else { Ok(()) }
    }

    /// Whether the reader stands behind the message that was peeked at last. Calls that received nothing may have set it back.
    pub(crate) fn is_peeked_at(&self) -> bool {
        self.noted.peeked == Some(self.reader.cursor())
    }

    /// The message that was peeked at behind so many others, once more.
    pub(crate) fn peek_again(&mut self, py: Python<'_>, released: u64) -> PyResult<Message<'_, SysV, Either>> {
        self.check(released)?;
        let reader = &mut *self.reader;
        match py.detach(|| reader.peek_with(&mut WaitPolicy::non_blocking())) {
            Err(RecvError::TimedOut) => Err(error::released()),
            peeked => peeked.map_err(|error| error::of_recv(&error)),
        }
    }
}
