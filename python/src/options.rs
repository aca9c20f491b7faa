//! What a side is opened with, from Python's arguments.

use crate::error;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBool, PyBoolMethods, PyString, PyStringMethods};
use shm_handoff::backend::sysv::{Key, KeySpec, Options};
use shm_handoff::declare::{Declared, HeaderFile};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// No header with a struct in it is longer.
const LONGEST_FILE: u64 = 1 << 20;

/// The arguments that say where the sides meet, and on what terms.
pub(crate) struct Asked<'a, 'py> {
    pub(crate) key: Option<&'a Bound<'py, PyAny>>,
    pub(crate) ring: Option<&'a Bound<'py, PyAny>>,
    pub(crate) layout: Option<&'a Bound<'py, PyAny>>,
    pub(crate) schema: Option<&'a Bound<'py, PyAny>>,
    pub(crate) mode: u32,
    pub(crate) trust_owner: bool,
}

/// What was asked for, and the layout that was declared, with its members.
pub(crate) fn read(asked: &Asked<'_, '_>) -> PyResult<(Options, Option<Declared>)> {
    let key = key(asked.key)?;
    let declared = asked.layout.map(declared).transpose()?;
    let schema = schema(asked.schema)?;
    let options = match (ring(asked.ring)?, &declared) {
        (Ring::No, _) if schema.is_some() => {
            return Err(error::invalid("schema= is for the messages of a ring: add ring=True"));
        }
        (Ring::No, None) => Options::any(key),
        (Ring::No, Some(declared)) => Options::declared(key, declared),
        (_, Some(_)) => return Err(error::invalid("ring= and layout= exclude each other: leave out one of them")),
        (Ring::Any, None) => Options::any_ring(key),
        (Ring::Of(capacity), None) => Options::ring(key, capacity).map_err(|error| error::of_open(&error))?,
    };
    let options = schema.map_or(options, |schema| options.schema(schema));
    let mode = asked.mode;
    if mode & !0o666 != 0 || mode & 0o600 != 0o600 {
        return Err(error::invalid(&format!(
            "mode=0o{mode:o}: it has no other bits than those of 0o666, and those of 0o600 among them"
        )));
    }
    Ok((options.mode(mode).trust_owner(asked.trust_owner), declared))
}

/// A number, or a text as on the command line.
fn key(given: Option<&Bound<'_, PyAny>>) -> PyResult<Key> {
    let Some(given) = given else { return Ok(Key::new(1234).expect("it is not 0")) };
    let key = if let Ok(text) = given.cast::<PyString>() {
        let spec: Result<KeySpec, _> = text.to_cow()?.parse();
        spec.and_then(|spec| spec.resolve())
    } else {
        let number: i64 = given.extract()?;
        let key = u32::try_from(number).or_else(|_| i32::try_from(number).map(i32::cast_unsigned));
        Key::new(key.map_err(|_| error::invalid(&format!("key={number}: a key has 32 bits")))?)
    };
    key.map_err(|error| error::of_open(&error))
}

enum Ring {
    No,
    Any,
    Of(usize),
}

fn ring(given: Option<&Bound<'_, PyAny>>) -> PyResult<Ring> {
    let Some(given) = given else { return Ok(Ring::No) };
    if let Ok(asked) = given.cast::<PyBool>() {
        return Ok(if asked.is_true() { Ring::Any } else { Ring::No });
    }
    Ok(Ring::Of(given.extract()?))
}

/// A number, or the text that it is worked out from.
fn schema(given: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u64>> {
    let Some(given) = given else { return Ok(None) };
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(Some(shm_handoff::schema_number(text.to_cow()?.as_bytes())));
    }
    match given.extract() {
        Ok(0) => Err(error::invalid("schema=0: 0 stands for no schema; leave it out")),
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(given.py()) => {
            Err(error::invalid(&format!("schema={given}: a schema has 64 bits, and no sign")))
        }
        Err(error) => Err(error),
    }
}

/// A SPEC, or the path of a header.
pub(crate) fn declared(given: &Bound<'_, PyAny>) -> PyResult<Declared> {
    let spec = match given.cast::<PyString>() {
        Ok(text) => text.to_cow()?.into_owned(),
        Err(_) => given.extract::<PathBuf>()?.to_string_lossy().into_owned(),
    };
    let Some(file) = HeaderFile::of(&spec) else { return spec.parse().map_err(|error| error::layout(&error)) };
    let mut bytes = Vec::new();
    File::open(file.path).and_then(|opened| opened.take(LONGEST_FILE).read_to_end(&mut bytes)).map_err(|error| {
        let hint =
            "a layout is a file, \"text[1024]\", or a C declaration: \"struct { int written; char text[1024]; }\"";
        error::no_layout(&format!("{}: {error}; {hint}", file.path))
    })?;
    // Comments in another encoding than UTF-8 are none of our business.
    file.declares(&String::from_utf8_lossy(&bytes)).map_err(|error| error::layout(&error))
}
