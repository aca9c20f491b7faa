//! The numpy dtype of a declared struct: its members, where they lie in a record.
//!
//! A record is what is handed over: the bytes of the payload's spans, one span behind the other. Where a record has no
//! members to name, because the SPEC is terse or its spans cut a member in two, it is one field of bytes.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyDict, PyDictMethods, PyTuple};
use shm_handoff::declare::{Declared, Kind, Member, Payload, Span};
use std::ffi::c_char;

/// Of a record; `None`: it is a text, of any length.
pub(crate) fn dtype<'py>(py: Python<'py>, declared: &Declared) -> PyResult<Option<Bound<'py, PyAny>>> {
    match declared.payload() {
        Payload::Text(_) => Ok(None),
        Payload::Data(spans) => of_spans(py, declared, spans).map(Some),
    }
}

/// Of an answer; `None`: there is none.
pub(crate) fn reply_dtype<'py>(py: Python<'py>, declared: &Declared) -> PyResult<Option<Bound<'py, PyAny>>> {
    match declared.reply() {
        [] => Ok(None),
        spans => of_spans(py, declared, spans).map(Some),
    }
}

/// How many bytes lie in the spans.
pub(crate) fn bytes(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.len).sum()
}

fn of_spans<'py>(py: Python<'py>, declared: &Declared, spans: &[Span]) -> PyResult<Bound<'py, PyAny>> {
    let numpy = py.import("numpy")?.getattr("dtype")?;
    let len = bytes(spans);
    let reach = spans.iter().map(|span| span.offset + span.len).max().unwrap_or(0);
    let members = declared.members();
    let fields = if reach > declared.struct_size() { None } else { in_spans(members, 0, spans) };
    match fields {
        Some(fields) if !fields.is_empty() => record(&numpy, &fields, len),
        _ => numpy.call1((format!("V{len}"),)),
    }
}

/// A member, and where it lies in what it is a part of.
struct Field<'d> {
    name: &'d str,
    at: usize,
    size: usize,
    array: &'d [usize],
    of: Of<'d>,
}

enum Of<'d> {
    /// As numpy writes a type.
    Plain(String),
    Struct(Vec<Field<'d>>),
}

/// How much of a member lies in the spans.
enum Covered {
    /// All, from here in the record.
    Whole(usize),
    Partly,
    Nothing,
}

fn cover(spans: &[Span], offset: usize, size: usize) -> Covered {
    let mut before = 0;
    for span in spans {
        let end = span.offset + span.len;
        if span.offset <= offset && offset + size <= end {
            return Covered::Whole(before + offset - span.offset);
        }
        if span.offset < offset + size && offset < end {
            return Covered::Partly;
        }
        before += span.len;
    }
    Covered::Nothing
}

/// The members of a struct at `from` that lie in the spans; `None`: one of them is cut in two, or has no name.
fn in_spans<'d>(members: &'d [Member], from: usize, spans: &[Span]) -> Option<Vec<Field<'d>>> {
    let mut fields = Vec::new();
    for member in members {
        let offset = from + member.offset;
        match (cover(spans, offset, member.size), &member.kind) {
            (Covered::Nothing, _) => {}
            (Covered::Whole(at), _) => fields.push(Field { at, ..whole(member)? }),
            // Each of its own members counts for itself: they lie where those around them do.
            (Covered::Partly, Kind::Struct(inner)) if member.array.is_empty() => {
                let inner = in_spans(inner, offset, spans)?;
                if !inner.is_empty() {
                    let (name, of) = (&member.name[..], Of::Struct(inner));
                    fields.push(Field { name, at: 0, size: bytes(spans), array: &[], of });
                }
            }
            (Covered::Partly, _) => return None,
        }
    }
    Some(fields)
}

/// A member of which all is handed over.
fn whole(member: &Member) -> Option<Field<'_>> {
    let Member { name, offset, size, array, kind, .. } = member;
    if name.is_empty() {
        return None;
    }
    let size = size / array.iter().product::<usize>();
    let plain = |letter: char| Of::Plain(format!("{letter}{size}"));
    let (array, of) = match (kind, &array[..]) {
        (Kind::Struct(members), _) => (&array[..], Of::Struct(members.iter().map(whole).collect::<Option<_>>()?)),
        // A text lies in the last of its arrays.
        (Kind::Char, [outer @ .., len]) => (outer, Of::Plain(format!("S{len}"))),
        (Kind::Char, []) => (&[][..], plain(if c_char::MIN == 0 { 'u' } else { 'i' })),
        (Kind::Signed, _) if size <= 8 => (&array[..], plain('i')),
        (Kind::Unsigned, _) if size <= 8 => (&array[..], plain('u')),
        (Kind::Bool, _) => (&array[..], Of::Plain("?".to_owned())),
        (Kind::Float, _) => (&array[..], plain('f')),
        _ => (&array[..], plain('V')),
    };
    Some(Field { name, at: *offset, size, array, of })
}

/// `numpy.dtype({"names": …, "formats": …, "offsets": …, "itemsize": …})`.
fn record<'py>(numpy: &Bound<'py, PyAny>, fields: &[Field<'_>], size: usize) -> PyResult<Bound<'py, PyAny>> {
    let py = numpy.py();
    let mut formats = Vec::new();
    for field in fields {
        let one = match &field.of {
            Of::Plain(of) => of.into_bound_py_any(py)?,
            Of::Struct(fields) => record(numpy, fields, field.size)?,
        };
        formats.push(match field.array {
            [] => one,
            array => (one, PyTuple::new(py, array)?).into_bound_py_any(py)?,
        });
    }
    let described = PyDict::new(py);
    described.set_item("names", fields.iter().map(|field| field.name).collect::<Vec<_>>())?;
    described.set_item("formats", formats)?;
    described.set_item("offsets", fields.iter().map(|field| field.at).collect::<Vec<_>>())?;
    described.set_item("itemsize", size)?;
    numpy.call1((described,))
}
