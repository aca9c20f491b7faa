//! `shm_handoff.Reader`.

use crate::buffer;
use crate::buffer::Given;
use crate::keyed::Keyed;
use crate::options::{self, Asked};
use crate::side::{Noted, Side, Taken};
use crate::wait::Timeout;
use crate::{error, fields};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAnyMethods, PyBytes, PyType};
use shm_handoff::backend::Backend as _;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::declare::Declared;
use shm_handoff::{Received, RecvError};
use std::os::fd::RawFd;

/// The side that receives. It holds the reader's seat: there is one reader at a time.
///
/// `for message in reader:` gives `bytes` until the session ends, and ends it; so does `async for`. `with Reader(…) as reader:` gives the seat
/// back at the end of the block.
///
/// Every `timeout` is in seconds. A call without one has the reader's; a reader without one waits as long as it takes.
#[pyclass(frozen, module = "shm_handoff", subclass, weakref)]
pub(crate) struct Reader {
    endpoint: Keyed<shm_handoff::Reader<SysV>, Noted>,
    timeout: Timeout,
    declared: Option<Declared>,
}

#[pymethods]
impl Reader {
    #[new]
    #[pyo3(signature = (key = None, *, ring = None, layout = None, schema = None, mode = 0o600, trust_owner = false, timeout = None))]
    #[allow(clippy::too_many_arguments)] // they are Python's, by name
    fn new(
        py: Python<'_>,
        key: Option<&Bound<'_, PyAny>>,
        ring: Option<&Bound<'_, PyAny>>,
        layout: Option<&Bound<'_, PyAny>>,
        schema: Option<&Bound<'_, PyAny>>,
        mode: u32,
        trust_owner: bool,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let timeout = Timeout::of(timeout)?.unwrap_or(Timeout::Forever);
        let (options, declared) = options::read(&Asked { key, ring, layout, schema, mode, trust_owner })?;
        let reader =
            py.detach(|| shm_handoff::Reader::<SysV>::open(&options)).map_err(|error| error::of_opening(&error))?;
        let key = reader.backend().segment().key().number();
        Ok(Self { endpoint: Keyed::new(reader, Noted::new(), key), timeout, declared })
    }

    /// Waits for the next message, for `timeout` seconds, and releases it.
    ///
    /// Raises `SessionEnded` at the end of the session, which it ends; `TimedOut`, and `PeerGone` if the writer died or failed.
    #[pyo3(signature = (timeout = None))]
    fn recv<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        self.with(|side| match side.take(py, || self.timeout(timeout))? {
            Taken::Message(bytes) => Ok(bytes),
            Taken::End(text) => Err(error::session_ended(py, Some(text))),
            Taken::Ended => Err(error::session_ended(py, None)),
            Taken::TimedOut => Err(error::of_recv(&RecvError::TimedOut)),
        })
    }

    /// The next message, or None if none is there.
    fn try_recv<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.with(|side| match side.take(py, || Ok(Timeout::NOW))? {
            Taken::Message(bytes) => Ok(Some(bytes)),
            Taken::End(text) => Err(error::session_ended(py, Some(text))),
            Taken::Ended => Err(error::session_ended(py, None)),
            Taken::TimedOut => Ok(None),
        })
    }

    /// Receives the next message into a buffer that can be written to, such as a numpy array; how many bytes it has.
    ///
    /// The buffer may be larger: what lies behind the message stays as it was. The bytes are taken as they are, whatever the array's
    /// shape and dtype. Raises what `recv` raises, and `BufferTooSmall` if the message is longer; then it was not released.
    #[pyo3(signature = (buffer, timeout = None))]
    fn recv_into(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<usize> {
        self.with(|side| {
            let timeout = self.timeout(timeout)?;
            loop {
                if side.noted.ended {
                    return Err(error::session_ended(py, None));
                }
                if let Some(len) = buffer::with_room(buffer, |room| side.reader.recv_straight(room))? {
                    side.noted.released += 1;
                    return Ok(len);
                }
                side.await_message(py, timeout)?.map_err(|error| error::of_recv(&error))?;
                match buffer::with_room(buffer, |room| side.reader.try_recv(room))? {
                    Ok(Received::Message(len)) => {
                        side.noted.released += 1;
                        return Ok(len);
                    }
                    Ok(Received::End) => {
                        if let Some(text) = side.end(py)? {
                            return Err(error::session_ended(py, Some(text)));
                        }
                    }
                    // A peer has replaced what was there.
                    Err(RecvError::WouldBlock) => {}
                    Err(error) => return Err(error::of_recv(&error)),
                }
            }
        })
    }

    /// Waits for the next message, for `timeout` seconds, and leaves it where it is: `release()` gives its place back.
    ///
    /// The end of the session is a message, too: `ends_session` tells. Raises `TimedOut`, `PeerGone`, and `SessionEnded` once the end
    /// was met.
    #[pyo3(signature = (timeout = None))]
    fn peek<'py>(this: &Bound<'py, Self>, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        static MESSAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let reader = this.get();
        let (bytes, ends, released) = reader.with(|side| {
            let timeout = reader.timeout(timeout)?;
            let (bytes, ends) = side.peek(py, timeout)?;
            Ok((bytes, ends, side.noted.released))
        })?;
        MESSAGE.import(py, "shm_handoff._message", "Message")?.call1((bytes, this, released, ends))
    }

    /// Releases the message that was peeked at behind so many others.
    fn _release(&self, py: Python<'_>, released: u64) -> PyResult<()> {
        self.with(|side| {
            side.check(released)?;
            if side.is_peeked_at() {
                side.reader.release_peeked();
            } else {
                side.peek_again(py, released)?.release();
            }
            side.noted.released += 1;
            Ok(())
        })
    }

    /// Answers it.
    fn _reply(&self, py: Python<'_>, released: u64, answer: &Bound<'_, PyAny>) -> PyResult<()> {
        let given = Given::of(answer)?;
        self.with(|side| {
            side.check(released)?;
            if !side.is_peeked_at() {
                side.peek_again(py, released)?;
            }
            match given.with(|bytes| side.reader.reply(bytes)) {
                Ok(true) => Ok(()),
                Ok(false) => Err(error::invalid("the end of a session has no answer")),
                Err(error) => Err(error::of_open(&error)),
            }
        })
    }

    /// Ends the session with it.
    fn _end_session(&self, py: Python<'_>, released: u64) -> PyResult<()> {
        self.with(|side| {
            let message = side.peek_again(py, released)?;
            py.detach(|| message.end_session()).map_err(|error| error::of_open(&error))?;
            side.noted.ended = true;
            Ok(())
        })
    }

    /// Ends the session if its end comes next; whether it has ended. Does not wait.
    fn end_session(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(|side| {
            if !side.noted.ended {
                let reader = &mut *side.reader;
                side.noted.ended = py.detach(|| reader.end_session()).map_err(|error| error::of_recv(&error))?;
            }
            Ok(side.noted.ended)
        })
    }

    /// Goes on after `PeerGone`: the reader waits for the next writer.
    fn await_next_writer(&self) -> PyResult<()> {
        self.with(|side| side.reader.await_next_writer().map_err(|error| error::of_open(&error)))
    }

    /// Looks whether the reader's seat was removed, and takes it anew. For a reader that never waits.
    fn recover(&self, py: Python<'_>) -> PyResult<()> {
        self.with(|side| {
            let reader = &mut *side.reader;
            py.detach(|| reader.refresh_seat()).map_err(|error| error::of_opening(&error))
        })
    }

    /// Gives the seat back. What was not released stays for the next reader.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(reader) = self.endpoint.take()? else { return Ok(()) };
        py.detach(|| reader.close()).map_err(|error| error::of_open(&error))
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.with(|side| match side.take(py, || Ok(self.timeout))? {
            Taken::Message(bytes) => Ok(Some(bytes)),
            Taken::End(_) | Taken::Ended => Ok(None),
            Taken::TimedOut => Err(error::of_recv(&RecvError::TimedOut)),
        })
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _raised: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.close(py)
    }

    /// The longest message that can arrive, in bytes.
    #[getter]
    fn capacity(&self) -> PyResult<usize> {
        self.with(|side| Ok(side.reader.capacity()))
    }

    /// What is there, in words: "a ring of 2 MiB".
    #[getter]
    fn layout(&self) -> PyResult<String> {
        self.with(|side| Ok(side.reader.backend().layout().to_string()))
    }

    /// Where flag and payload lie, as a SPEC in its terse form; None: it is a ring.
    #[getter]
    fn declaration(&self) -> PyResult<Option<String>> {
        self.with(|side| Ok(side.reader.backend().declaration().map(|declared| declared.to_string())))
    }

    /// Of a record, as numpy has it; None: messages have lengths of their own.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.declared()?.map_or(Ok(None), |declared| fields::dtype(py, &declared))
    }

    /// Of an answer, as numpy has it; None: the layout has none.
    #[getter]
    fn reply_dtype<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.declared()?.map_or(Ok(None), |declared| fields::reply_dtype(py, &declared))
    }

    /// The number of the schema that the maker of the ring has given; None: it has given none, or it is a slot.
    #[getter]
    fn schema(&self) -> PyResult<Option<u64>> {
        self.with(|side| Ok(side.reader.backend().schema()))
    }

    /// A random number that tells this ring from all others; None: it is a slot.
    #[getter]
    fn stream(&self) -> PyResult<Option<u64>> {
        self.with(|side| Ok(side.reader.backend().stream()))
    }

    /// A descriptor for an event loop: readable while a message or the end is there, or the writer has died.
    fn fileno(&self) -> PyResult<RawFd> {
        self.endpoint.fileno(None::<fn(&mut _)>)?.map_err(|error| error::of_open(&error))
    }

    /// As `recv`, under asyncio: other tasks run while it waits. One that is cancelled has taken nothing.
    #[pyo3(signature = (timeout = None))]
    fn arecv<'py>(this: &Bound<'py, Self>, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        py.import("shm_handoff._asyncio")?.getattr("recv")?.call1((this, this.get().timeout(timeout)?.seconds()))
    }

    fn __aiter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __anext__<'py>(this: &Bound<'py, Self>, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("shm_handoff._asyncio")?.getattr("next_message")?.call1((this, this.get().timeout.seconds()))
    }

    /// How many messages were received.
    #[getter]
    fn _received(&self) -> PyResult<u64> {
        self.with(|side| Ok(side.noted.released))
    }

    /// The number of the key.
    #[getter]
    fn key(&self) -> u32 {
        self.endpoint.key()
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.endpoint.is_closed()
    }

    fn __repr__(&self) -> String {
        self.endpoint.repr("Reader", self.layout())
    }

    #[allow(clippy::unused_self)] // Python's
    fn __reduce__(&self) -> PyResult<()> {
        Err(error::not_sent_on())
    }
}

impl Reader {
    #[inline]
    fn with<T>(&self, call: impl FnOnce(&mut Side<'_>) -> PyResult<T>) -> PyResult<T> {
        self.endpoint.with(|reader, noted| call(&mut Side::of(reader, noted, self.endpoint.home())))
    }

    fn timeout(&self, given: Option<f64>) -> PyResult<Timeout> {
        Ok(Timeout::of(given)?.unwrap_or(self.timeout))
    }

    /// With the members' names, if this side has declared the layout.
    fn declared(&self) -> PyResult<Option<Declared>> {
        match &self.declared {
            Some(declared) => Ok(Some(declared.clone())),
            None => self.with(|side| Ok(side.reader.backend().declaration())),
        }
    }
}
