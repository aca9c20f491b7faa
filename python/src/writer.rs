//! `shm_handoff.Writer`.

use crate::buffer::Given;
use crate::endpoint::Home;
use crate::keyed::Keyed;
use crate::options::{self, Asked};
use crate::wait::{self, Timeout};
use crate::{error, fields};
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBytes, PyType};
use shm_handoff::SendError;
use shm_handoff::backend::Backend as _;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::declare::Declared;
use shm_handoff_async::Paused;
use std::os::fd::RawFd;

/// The side that sends. It holds the writer's seat: there is one writer at a time.
///
/// `with Writer(…) as writer:` ends the session at the end of the block (not with `end_on_exit=False`) and leaves in order. A
/// block that raises leaves as a writer that failed: then the reader gets `PeerGone` behind the last message.
///
/// Every `timeout` is in seconds. A call without one has the writer's; a writer without one waits as long as it takes.
#[pyclass(frozen, module = "shm_handoff", subclass, weakref)]
pub(crate) struct Writer {
    endpoint: Keyed<shm_handoff::Writer<SysV>, ()>,
    timeout: Timeout,
    end_on_exit: bool,
    declared: Option<Declared>,
}

#[pymethods]
impl Writer {
    #[new]
    #[pyo3(signature = (key = None, *, ring = None, layout = None, schema = None, mode = 0o600, trust_owner = false, timeout = None, end_on_exit = true))]
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
        end_on_exit: bool,
    ) -> PyResult<Self> {
        let timeout = Timeout::of(timeout)?.unwrap_or(Timeout::Forever);
        let (options, declared) = options::read(&Asked { key, ring, layout, schema, mode, trust_owner })?;
        let writer =
            py.detach(|| shm_handoff::Writer::<SysV>::open(&options)).map_err(|error| error::of_opening(&error))?;
        let key = writer.backend().segment().key().number();
        Ok(Self { endpoint: Keyed::new(writer, (), key), timeout, end_on_exit, declared })
    }

    /// Sends a message, and waits for room, for `timeout` seconds. In a slot the first one waits for a reader, too.
    ///
    /// Raises `TimedOut`, `PeerGone` if there is no room and the reader has gone, and `Unsendable` if the layout can't carry it.
    #[pyo3(signature = (data, timeout = None))]
    fn send(&self, py: Python<'_>, data: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let given = Given::of(data)?;
        self.endpoint.with(|writer, ()| {
            if given.with(|bytes| writer.send_straight(bytes)) {
                return Ok(());
            }
            let timeout = self.timeout(timeout)?;
            send_slowly(py, self.endpoint.home(), writer, &given, timeout)?.map_err(|error| error::of_send(&error))
        })
    }

    /// Sends a message if that goes at once; whether it was sent.
    fn try_send(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        let given = Given::of(data)?;
        self.endpoint.with(|writer, ()| {
            if given.with(|bytes| writer.send_straight(bytes)) {
                return Ok(true);
            }
            match send_slowly(py, self.endpoint.home(), writer, &given, Timeout::NOW)? {
                Ok(()) => Ok(true),
                Err(SendError::TimedOut | SendError::WouldBlock) => Ok(false),
                Err(error) => Err(error::of_send(&error)),
            }
        })
    }

    /// Sends messages in order; how many. `timeout` is that of each. The error of one that was not sent has `sent`.
    #[pyo3(signature = (messages, timeout = None))]
    fn send_all(&self, py: Python<'_>, messages: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<usize> {
        let mut sent = 0;
        for message in messages.try_iter()? {
            message
                .and_then(|message| self.send(py, &message, timeout))
                .map_err(|error| error::with_sent(py, error, sent))?;
            sent += 1;
        }
        Ok(sent)
    }

    /// Sends a request, waits until the reader has released it, for `timeout` seconds, and returns what the reader answered.
    ///
    /// Raises `TimedOut`, `PeerGone`, `Unsendable`, and `InvalidArgument` if the layout has no answer.
    #[pyo3(signature = (request, timeout = None))]
    fn call<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let request = Given::of(request)?.with(<[u8]>::to_vec);
        let timeout = self.timeout(timeout)?;
        self.endpoint.with(|writer, ()| {
            let declared = writer.backend().declaration();
            let mut answer = vec![0; declared.map_or(0, |declared| fields::bytes(declared.reply()))];
            wait::patiently(py, self.endpoint.home(), timeout, |policy| {
                writer.call_with(&request, &mut answer, policy)
            })?
            .map_err(|error| error::of_send(&error))?;
            Ok(PyBytes::new(py, &answer))
        })
    }

    /// Ends the session behind the last message. What is sent afterwards belongs to the next one.
    #[pyo3(signature = (timeout = None))]
    fn end(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = self.timeout(timeout)?;
        self.endpoint.with(|writer, ()| {
            wait::patiently(py, self.endpoint.home(), timeout, |policy| writer.end_with(policy))?
                .map_err(|error| error::of_send(&error))
        })
    }

    /// Sees to it that no message lies in a segment that was removed.
    #[pyo3(signature = (timeout = None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = self.timeout(timeout)?;
        self.endpoint.with(|writer, ()| flush(py, self.endpoint.home(), writer, timeout))
    }

    /// Waits until a reader is there. After `PeerGone` the writer can go on then.
    #[pyo3(signature = (timeout = None))]
    fn await_reader(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = self.timeout(timeout)?;
        self.endpoint.with(|writer, ()| {
            wait::patiently(py, self.endpoint.home(), timeout, |policy| writer.await_reader(policy))?
                .map_err(|error| error::of_send(&error))
        })
    }

    /// Looks whether the segment or the seat was removed, and recovers. For a writer that sends nothing for a while.
    #[pyo3(signature = (timeout = None))]
    fn recover(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = self.timeout(timeout)?;
        self.endpoint.with(|writer, ()| {
            wait::patiently(py, self.endpoint.home(), timeout, |policy| writer.recover(policy))?
                .map_err(|error| error::of_send(&error))
        })
    }

    /// Leaves in order: the reader waits for the next writer. A writer that is dropped without it counts as failed.
    #[pyo3(signature = (timeout = None))]
    fn close(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = self.timeout(timeout)?;
        let Some(mut writer) = self.endpoint.take()? else { return Ok(()) };
        flush(py, self.endpoint.home(), &mut writer, timeout)?;
        py.detach(|| writer.close_flushed()).map_err(|error| error::of_send(&error))
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Where the block or the end has failed, the reader is told: the writer leaves as one that failed.
    fn __exit__(
        &self,
        py: Python<'_>,
        raised: Option<&Bound<'_, PyType>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        if self.endpoint.is_closed() {
            return Ok(());
        }
        let ended = match raised {
            None if self.end_on_exit => self.end(py, None),
            _ => Ok(()),
        };
        if raised.is_some() || ended.is_err() {
            let writer = self.endpoint.take()?;
            py.detach(|| drop(writer));
            return ended;
        }
        self.close(py, None)
    }

    /// The longest message, in bytes.
    #[getter]
    fn capacity(&self) -> PyResult<usize> {
        self.endpoint.with(|writer, ()| Ok(writer.capacity()))
    }

    /// What is there, in words: "a ring of 2 MiB".
    #[getter]
    fn layout(&self) -> PyResult<String> {
        self.endpoint.with(|writer, ()| Ok(writer.backend().layout().to_string()))
    }

    /// Where flag and payload lie, as a SPEC in its terse form; None: it is a ring.
    #[getter]
    fn declaration(&self) -> PyResult<Option<String>> {
        self.endpoint.with(|writer, ()| Ok(writer.backend().declaration().map(|declared| declared.to_string())))
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
        self.endpoint.with(|writer, ()| Ok(writer.backend().schema()))
    }

    /// A random number that tells this ring from all others; None: it is a slot.
    #[getter]
    fn stream(&self) -> PyResult<Option<u64>> {
        self.endpoint.with(|writer, ()| Ok(writer.backend().stream()))
    }

    /// A descriptor for an event loop: readable while there is room for `len` bytes, or the reader has gone.
    #[pyo3(signature = (len = 1))]
    fn fileno(&self, len: usize) -> PyResult<RawFd> {
        let want = |writer: &mut Paused<_>| writer.want_room(len);
        self.endpoint.fileno(Some(want))?.map_err(|error| error::of_open(&error))
    }

    /// As `fileno`, but readable when a reader is there, as `await_reader` waits for it.
    fn _reader_fileno(&self) -> PyResult<RawFd> {
        self.endpoint.fileno(Some(Paused::want_reader))?.map_err(|error| error::of_open(&error))
    }

    /// As `send`, under asyncio: other tasks run while it waits.
    #[pyo3(signature = (data, timeout = None))]
    fn asend<'py>(
        this: &Bound<'py, Self>,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        py.import("shm_handoff._asyncio")?.getattr("send")?.call1((this, data, this.get().timeout(timeout)?.seconds()))
    }

    /// As `end`, under asyncio. One that is cancelled has either told the end or not touched it.
    #[pyo3(signature = (timeout = None))]
    fn aend<'py>(this: &Bound<'py, Self>, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        py.import("shm_handoff._asyncio")?.getattr("end")?.call1((this, this.get().timeout(timeout)?.seconds()))
    }

    /// As `await_reader`, under asyncio.
    #[pyo3(signature = (timeout = None))]
    fn aawait_reader<'py>(
        this: &Bound<'py, Self>,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        py.import("shm_handoff._asyncio")?
            .getattr("await_reader")?
            .call1((this, this.get().timeout(timeout)?.seconds()))
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
        self.endpoint.repr("Writer", self.layout())
    }

    #[allow(clippy::unused_self)] // Python's
    fn __reduce__(&self) -> PyResult<()> {
        Err(error::not_sent_on())
    }
}

impl Writer {
    fn timeout(&self, given: Option<f64>) -> PyResult<Timeout> {
        Ok(Timeout::of(given)?.unwrap_or(self.timeout))
    }

    /// With the members' names, if this side has declared the layout.
    fn declared(&self) -> PyResult<Option<Declared>> {
        match &self.declared {
            Some(declared) => Ok(Some(declared.clone())),
            None => self.endpoint.with(|writer, ()| Ok(writer.backend().declaration())),
        }
    }
}

/// What does not go at a glance: waits for room without the interpreter, and then sends with it held, so that nobody
/// changes the bytes meanwhile.
#[cold]
fn send_slowly(
    py: Python<'_>,
    home: Home,
    writer: &mut shm_handoff::Writer<SysV>,
    given: &Given<'_, '_>,
    timeout: Timeout,
) -> PyResult<Result<(), SendError>> {
    let len = given.with(<[u8]>::len);
    if let Err(error) = given.with(|bytes| writer.check(bytes)) {
        return Ok(Err(error));
    }
    loop {
        if let Err(error) = wait::patiently(py, home, timeout, |policy| writer.await_room(len, policy))? {
            return Ok(Err(error));
        }
        match given.with(|bytes| writer.try_send(bytes)) {
            // The memory was removed meanwhile.
            Err(SendError::WouldBlock | SendError::TimedOut) if timeout != Timeout::NOW => {}
            sent => return Ok(sent),
        }
    }
}

fn flush(py: Python<'_>, home: Home, writer: &mut shm_handoff::Writer<SysV>, timeout: Timeout) -> PyResult<()> {
    wait::patiently(py, home, timeout, |policy| writer.flush(policy))?.map_err(|error| error::of_send(&error))
}
