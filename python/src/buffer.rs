//! The buffer protocol, which the stable ABI has from 3.11 on.
//!
//! Python 3.9 and 3.10 have it all the same: the functions are exported, `Py_buffer` has the same members, and a type takes
//! the slots. So they are declared here.

use crate::error;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBytes, PyBytesMethods, PyString, PyType};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

#[repr(C)]
struct Buffer {
    start: *mut c_void,
    exporter: *mut ffi::PyObject,
    len: ffi::Py_ssize_t,
    itemsize: ffi::Py_ssize_t,
    readonly: c_int,
    ndim: c_int,
    format: *mut c_char,
    shape: *mut ffi::Py_ssize_t,
    strides: *mut ffi::Py_ssize_t,
    suboffsets: *mut ffi::Py_ssize_t,
    internal: *mut c_void,
}

// Numbers of CPython's `typeslots.h` and `object.h`.
const SLOT_GET_BUFFER: c_int = 1;
const SIMPLE: c_int = 0;
const WRITABLE: c_int = 1;

unsafe extern "C" {
    fn PyObject_GetBuffer(object: *mut ffi::PyObject, view: *mut Buffer, flags: c_int) -> c_int;
    fn PyBuffer_Release(view: *mut Buffer);
}

impl Buffer {
    /// Of an object that has one, with its bytes one behind the other.
    fn of(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Self> {
        let mut view = Self {
            start: ptr::null_mut(),
            exporter: ptr::null_mut(),
            len: 0,
            itemsize: 0,
            readonly: 0,
            ndim: 0,
            format: ptr::null_mut(),
            shape: ptr::null_mut(),
            strides: ptr::null_mut(),
            suboffsets: ptr::null_mut(),
            internal: ptr::null_mut(),
        };
        // SAFETY: an object that is alive, and a struct as CPython has it, which it fills in.
        if unsafe { PyObject_GetBuffer(object.as_ptr(), &raw mut view, flags) } != 0 {
            return Err(in_a_row(PyErr::fetch(object.py()), object.py(), flags));
        }
        Ok(view)
    }

    fn len(&self) -> usize {
        self.len.cast_unsigned()
    }
}

/// numpy has a `ValueError` for an array whose bytes don't lie one behind the other. What to do is said here.
fn in_a_row(error: PyErr, py: Python<'_>, flags: c_int) -> PyErr {
    if !error.is_instance_of::<PyValueError>(py) {
        return error;
    }
    let next = if flags == WRITABLE { "receive into a copy of it" } else { "send numpy.ascontiguousarray(array)" };
    error::invalid(&format!("{}; {next}", error.value(py)))
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it was filled in by `PyObject_GetBuffer`, and is released once. Whoever has it holds the interpreter: it
        // does not leave the calls that make it, and those do not give it to what runs detached.
        unsafe { PyBuffer_Release(&raw mut *self) };
    }
}

/// What is to be sent.
pub(crate) enum Given<'a, 'py> {
    /// Nobody can change it.
    Bytes(&'a Bound<'py, PyBytes>),
    Shared(Shared),
}

/// Bytes of an object that other threads can change, while the interpreter is not held.
pub(crate) struct Shared(Buffer);

impl<'a, 'py> Given<'a, 'py> {
    #[inline]
    pub(crate) fn of(object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if object.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a message is bytes-like, and not a str: encode it, as text.encode()"));
        }
        Ok(Self::Shared(Shared(Buffer::of(object, SIMPLE)?)))
    }

    /// Runs `call` with the bytes; the interpreter is held meanwhile.
    #[inline]
    pub(crate) fn with<T>(&self, call: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Bytes(bytes) => call(bytes.as_bytes()),
            Self::Shared(Shared(buffer)) if buffer.len() == 0 => call(&[]),
            Self::Shared(Shared(buffer)) => {
                // SAFETY: `len` bytes are there until the buffer is released. `call` neither runs Python nor lets go of
                // the interpreter, so that no Python code changes them meanwhile.
                call(unsafe { std::slice::from_raw_parts(buffer.start.cast::<u8>(), buffer.len()) })
            }
        }
    }
}

/// Runs `call` with the bytes of an object that can be written to; it must neither run Python nor let go of the
/// interpreter.
pub(crate) fn with_room<T>(object: &Bound<'_, PyAny>, call: impl FnOnce(&mut [u8]) -> T) -> PyResult<T> {
    let buffer = Buffer::of(object, WRITABLE)?;
    if buffer.len() == 0 {
        return Ok(call(&mut []));
    }
    // SAFETY: `len` bytes that can be written are there until the buffer is released, and no Python code looks at them
    // meanwhile.
    Ok(call(unsafe { std::slice::from_raw_parts_mut(buffer.start.cast::<u8>(), buffer.len()) }))
}

/// `bytes` of this length, which `fill` fills in; it says how many bytes count
/// (`None`: there is nothing), and must not run Python.
pub(crate) fn filled<E>(
    py: Python<'_>,
    len: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<Option<usize>, E>,
) -> PyResult<Result<Option<Bound<'_, PyBytes>>, E>> {
    let wanted = ffi::Py_ssize_t::try_from(len).map_err(|_| error::invalid("no bytes are as long as this"))?;
    // SAFETY: with NULL it makes bytes of this length, whose content is whatever lay there.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyBytes_FromStringAndSize(ptr::null(), wanted)) }?;
    // SAFETY: it is `bytes` that nobody else has yet, so it may be written to: `len` bytes.
    let room = unsafe { std::slice::from_raw_parts_mut(ffi::PyBytes_AsString(made.as_ptr()).cast::<u8>(), len) };
    Ok(match fill(room) {
        Ok(Some(filled)) if filled == len => Ok(Some(made.cast_into::<PyBytes>()?)),
        Ok(filled) => Ok(filled.map(|filled| PyBytes::new(py, &room[..filled]))),
        Err(error) => Err(error),
    })
}

/// An object of the type `Bytes`: `bytes`, whose buffer it gives out as its own. Memory that was given out stays as long as
/// somebody looks at it, and nobody can change it.
#[repr(C)]
struct Object {
    head: ffi::PyObject,
    bytes: *mut ffi::PyObject,
}

/// The type that `Message` inherits from. Its first argument is the `bytes`; others are the subclass's.
pub(crate) fn bytes_type(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    // A function as the slots have them.
    macro_rules! slot {
        ($number:expr, $function:expr) => {
            ffi::PyType_Slot { slot: $number, pfunc: $function as *mut c_void }
        };
    }
    let mut slots = [
        slot!(SLOT_GET_BUFFER, get_buffer as *const ()),
        slot!(ffi::Py_tp_new, new as *const ()),
        slot!(ffi::Py_tp_dealloc, dealloc as *const ()),
        slot!(ffi::Py_sq_length, length as *const ()),
        slot!(ffi::Py_tp_doc, c"Bytes that are read through the buffer protocol.".as_ptr()),
        ffi::PyType_Slot::default(),
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"shm_handoff._native.Bytes".as_ptr(),
        basicsize: c_int::try_from(size_of::<Object>()).expect("it is small"),
        itemsize: 0,
        flags: u32::try_from(ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE).expect("flags have 32 bits"),
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec and its slots are whole, the functions have the types of their slots, and the name and the text
    // are static.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec)) }?;
    Ok(made.cast_into()?)
}

/// `tp_new`.
unsafe extern "C" fn new(
    of: *mut ffi::PyTypeObject,
    args: *mut ffi::PyObject,
    _named: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls it with a type that inherits from this one and a tuple, and holds the interpreter. `tp_alloc`
    // of such a type makes an object that begins as `Object`, with zeros in it, and holds its type.
    unsafe {
        let bytes = ffi::PyTuple_GetItem(args, 0);
        if bytes.is_null() {
            return ptr::null_mut();
        }
        if ffi::PyBytes_Check(bytes) == 0 {
            ffi::PyErr_SetString(ffi::PyExc_TypeError, c"the first argument is bytes".as_ptr());
            return ptr::null_mut();
        }
        let alloc = ffi::PyType_GetSlot(of, ffi::Py_tp_alloc);
        if alloc.is_null() {
            return ptr::null_mut();
        }
        let alloc = std::mem::transmute::<*mut c_void, ffi::allocfunc>(alloc);
        let made = alloc(of, 0);
        if !made.is_null() {
            ffi::Py_INCREF(bytes);
            (*made.cast::<Object>()).bytes = bytes;
        }
        made
    }
}

/// `tp_dealloc`.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython calls it once, with an object that `new` made and that nobody has any more. Its type is held by
    // it until here.
    unsafe {
        let of = ffi::Py_TYPE(object);
        ffi::Py_XDECREF((*object.cast::<Object>()).bytes);
        let free = ffi::PyType_GetSlot(of, ffi::Py_tp_free);
        let free = std::mem::transmute::<*mut c_void, ffi::freefunc>(free);
        free(object.cast());
        ffi::Py_DECREF(of.cast());
    }
}

/// `bf_getbuffer`. The view belongs to the `bytes`, so that these release it.
unsafe extern "C" fn get_buffer(object: *mut ffi::PyObject, view: *mut Buffer, flags: c_int) -> c_int {
    // SAFETY: CPython calls it with an object that `new` made, and with a struct to fill in.
    unsafe { PyObject_GetBuffer((*object.cast::<Object>()).bytes, view, flags) }
}

/// `sq_length`.
unsafe extern "C" fn length(object: *mut ffi::PyObject) -> ffi::Py_ssize_t {
    // SAFETY: CPython calls it with an object that `new` made.
    unsafe { ffi::PyBytes_Size((*object.cast::<Object>()).bytes) }
}
