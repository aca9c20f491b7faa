//! shm-handoff for Python: the module `shm_handoff._native`, which the package `shm_handoff` stands on.
//!
//! What can be done at a glance, sending where there is room and receiving what is there, is tried first, with the
//! interpreter held: it makes no system call. All else waits without the interpreter, which is taken now and then to
//! hear signals.

#[cfg(Py_GIL_DISABLED)]
compile_error!("shm_handoff needs a Python with the GIL: this one is free-threaded");

mod buffer;
mod endpoint;
mod error;
mod fields;
mod hint;
mod keyed;
mod options;
mod reader;
mod side;
mod wait;
mod writer;

use pyo3::prelude::*;
use pyo3::types::PyAny;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    endpoint::watch_forks()?;
    module.add("Bytes", buffer::bytes_type(module.py())?)?;
    module.add_class::<reader::Reader>()?;
    module.add_class::<writer::Writer>()?;
    module.add_function(wrap_pyfunction!(is_main_interpreter, module)?)?;
    module.add_function(wrap_pyfunction!(dtype, module)?)?;
    module.add_function(wrap_pyfunction!(reply_dtype, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}

/// Whether this is no subinterpreter. Some versions of Python give a module to one without initialising it there.
#[pyfunction]
fn is_main_interpreter() -> bool {
    // SAFETY: this thread holds an interpreter, and asks for its number.
    unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) == 0 }
}

/// The numpy dtype of a record of `layout`, as it is handed over; None: a text, whose length is the message's.
#[pyfunction]
fn dtype<'py>(layout: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    fields::dtype(layout.py(), &options::declared(layout)?)
}

/// The numpy dtype of an answer in `layout`; None: it has none.
#[pyfunction]
fn reply_dtype<'py>(layout: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    fields::reply_dtype(layout.py(), &options::declared(layout)?)
}
