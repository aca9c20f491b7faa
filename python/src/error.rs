//! Errors as Python has them: one exception a class, in `shm_handoff/_errors.py`.

use crate::hint;
use pyo3::IntoPyObjectExt;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBytes};
use shm_handoff::declare;
use shm_handoff::error::{Class, Place};
use shm_handoff::{Error, RecvError, SendError};

/// The exception of this name, with these arguments.
fn raise<'py>(py: Python<'py>, name: &str, args: impl PyCallArgs<'py>) -> PyErr {
    let raised = py.import("shm_handoff._errors").and_then(|module| module.getattr(name)?.call1(args));
    raised.map_or_else(|error| error, PyErr::from_value)
}

fn say(name: &str, text: &str) -> PyErr {
    Python::attach(|py| raise(py, name, (text,)))
}

pub(crate) fn invalid(text: &str) -> PyErr {
    say("InvalidArgument", text)
}

#[cold]
pub(crate) fn closed() -> PyErr {
    say("Closed", "this side was closed; open another one")
}

#[cold]
pub(crate) fn in_use() -> PyErr {
    say(
        "InUse",
        "another thread, or a signal handler's interrupted call, is using this side; use it from one thread alone",
    )
}

#[cold]
pub(crate) fn forked() -> PyErr {
    say("ForkedError", "it is the parent process's, which has it still: open one in this process, after the fork")
}

/// `text`: of the message that ended the session.
pub(crate) fn session_ended(py: Python<'_>, text: Option<Bound<'_, PyBytes>>) -> PyErr {
    let said = "the session has ended; open another reader for the next one";
    raise(py, "SessionEnded", (said, text.unwrap_or_else(|| PyBytes::new(py, b""))))
}

/// A layout that can't be read. The hint has a line of its own behind the picture of the place.
pub(crate) fn layout(error: &declare::Error) -> PyErr {
    say("InvalidLayout", &format!("{error}\n{}", error.hint()))
}

pub(crate) fn no_layout(text: &str) -> PyErr {
    say("InvalidLayout", text)
}

pub(crate) fn of_open(error: &Error) -> PyErr {
    match error {
        Error::OtherSchema { .. } => say("OtherSchema", &hinted(error, hint::of_open(error))),
        _ => of(error.class(), error, hint::of_open(error)),
    }
}

#[cold]
pub(crate) fn of_send(error: &SendError) -> PyErr {
    match error {
        SendError::Backend(error) => of_open(error),
        _ => of(error.class(), error, hint::of_send(error)),
    }
}

#[cold]
pub(crate) fn of_recv(error: &RecvError) -> PyErr {
    match error {
        RecvError::Backend(error) => of_open(error),
        _ => of(error.class(), error, hint::of_recv(error)),
    }
}

fn of(class: Class, error: &dyn std::error::Error, hint: Option<String>) -> PyErr {
    let text = hinted(error, hint);
    Python::attach(|py| match class {
        Class::System(errno) => raise(py, name(class), (errno as i32, text)),
        _ => raise(py, name(class), (text,)),
    })
}

fn hinted(error: &dyn std::error::Error, hint: Option<String>) -> String {
    hint.map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}"))
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Usage => "InvalidArgument",
        Class::TimedOut => "TimedOut",
        // A wait is interrupted by what a signal's handler raised, and that is what is raised.
        Class::Interrupted => "ShmHandoffError",
        Class::PeerGone => "PeerGone",
        Class::Unsendable => "Unsendable",
        Class::TooSmall => "BufferTooSmall",
        Class::Taken => "RoleTaken",
        Class::NotOurs => "NotAChannel",
        Class::OtherOwner => "OtherOwner",
        Class::Permission => "AccessDenied",
        Class::Limit => "LimitReached",
        Class::Corrupt => "Corrupt",
        Class::System(_) => "SystemCallError",
    }
}

/// Of a side that takes its seat. `RoleTaken` has the pid of the other one.
pub(crate) fn of_opening(error: &Error) -> PyErr {
    let raised = of_open(error);
    if let Error::SeatTaken { pid, .. } = error {
        // Without it the error is good enough.
        let _ = Python::attach(|py| raised.value(py).setattr("pid", *pid));
    }
    raised
}

/// Names the key in an error of a channel that does not name it.
#[cold]
pub(crate) fn at(key: u32, error: PyErr) -> PyErr {
    let named = |py: Python<'_>| {
        let (value, errors) = (error.value(py), py.import("shm_handoff._errors")?);
        let is = |name| value.is_instance(&errors.getattr(name)?);
        // An argument that can't be is wrong at every key. An error of two arguments has an errno, and says what it is about.
        if is("ShmHandoffError")?
            && !is("InvalidArgument")?
            && let Ok((text,)) = value.getattr("args")?.extract::<(String,)>()
            && !text.starts_with("key ")
        {
            value.setattr("args", (format!("{}: {text}", Place::Key(key)),))?;
        }
        PyResult::Ok(())
    };
    // Without it the error is good enough.
    let _ = Python::attach(named);
    error
}

/// How many messages of several were sent before the one that failed.
pub(crate) fn with_sent(py: Python<'_>, error: PyErr, sent: usize) -> PyErr {
    // What Python code raised may take no attributes.
    let _ = sent.into_py_any(py).and_then(|sent| error.value(py).setattr("sent", sent));
    error
}

/// `pickle` and `multiprocessing` ask for it.
#[cold]
pub(crate) fn not_sent_on() -> PyErr {
    PyTypeError::new_err("a side can't be sent to another process: open one there, with the same key")
}

#[cold]
pub(crate) fn released() -> PyErr {
    invalid("the message was released: peek() again")
}
