//! From JSON to a record.

use super::fault::{FieldError, Path};
use super::number::{Float, put, range};
use super::{Field, Fields, Of, Shape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// What `shmread` prints beside the fields.
const BESIDE: [&str; 3] = ["seq", "bytes", "end"];

/// Where `shmread` prints them.
const FIELDS: &str = "fields";

impl Fields<'_> {
    /// The record of which a line holds the fields: an object as [`show`](Self::show) makes it, or as `shmread`
    /// prints it, with the fields in `fields` (unless the struct has a member of that name).
    ///
    /// # Errors
    /// The line is no such object: a field is missing, unknown, given twice, or can't be what it is given as.
    pub(in crate::cli) fn read(&self, line: &[u8]) -> Result<Vec<u8>, FieldError> {
        const EXPECTED: &str = "an object of JSON";
        let not_json = |why: &str| FieldError::new(Path::Line, EXPECTED, why);
        let text = std::str::from_utf8(line).map_err(|error| not_json(&format!("what is no UTF-8: {error}")))?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&format!("no JSON: {error}")))?;
        let mut object = object(Path::Line, raw, EXPECTED)?;
        let in_fields = Path::Field(&Path::Line, FIELDS);
        let mut path = Path::Line;
        let mut record = vec![0; self.len];
        match &self.shape {
            Shape::Members(fields) => {
                if !fields.iter().any(|field| field.name == FIELDS) && object.iter().any(|(name, _)| name == FIELDS) {
                    drop_beside(&mut object);
                    let inner = only(path, FIELDS, &object)?;
                    (object, path) = (self::object(in_fields, inner, "an object")?, in_fields);
                }
                members(path, fields, object, &mut record)?;
            }
            Shape::Text | Shape::Bytes => {
                drop_beside(&mut object);
                if object.iter().any(|(name, _)| name == FIELDS) {
                    let inner = only(path, FIELDS, &object)?;
                    (object, path) = (self::object(in_fields, inner, "an object")?, in_fields);
                }
                let is_text = matches!(self.shape, Shape::Text);
                if is_text && object.iter().any(|(name, _)| name == "text") {
                    let text = only(path, "text", &object)?;
                    put_text(Path::Field(&path, "text"), text, &mut record)?;
                } else {
                    put_base64(path, &object, is_text, &mut record)?;
                }
            }
        }
        Ok(record)
    }
}

type Object<'j> = Vec<(String, &'j RawValue)>;

fn drop_beside(object: &mut Object<'_>) {
    object.retain(|(name, _)| !BESIDE.contains(&&name[..]));
}

/// The value of the one key that there may be.
fn only<'j>(path: Path<'_>, key: &str, object: &Object<'j>) -> Result<&'j RawValue, FieldError> {
    let mut found = None;
    for (name, value) in object {
        let here = Path::Field(&path, name);
        if name != key {
            return Err(FieldError::new(here, format!("no field but {key}"), value.get()));
        }
        if found.replace(*value).is_some() {
            return Err(twice(here));
        }
    }
    found.ok_or_else(|| FieldError::new(Path::Field(&path, key), "a string", "nothing"))
}

fn twice(path: Path<'_>) -> FieldError {
    FieldError::new(path, "one value", "a second one")
}

/// The fields that an object gives, into their bytes.
fn members(path: Path<'_>, fields: &[Field<'_>], object: Object<'_>, bytes: &mut [u8]) -> Result<(), FieldError> {
    let places: HashMap<_, _> = fields.iter().enumerate().map(|(at, field)| (field.name, at)).collect();
    let mut values = vec![None; fields.len()];
    for (name, value) in object {
        let here = Path::Field(&path, &name);
        let Some(at) = places.get(&name[..]) else {
            let known: Vec<_> = fields.iter().map(|field| field.name).take(9).collect();
            let more = if fields.len() > known.len() { ", …" } else { "" };
            return Err(FieldError::new(here, format!("no field but {}{more}", known.join(", ")), value.get()));
        };
        if values[*at].replace(value).is_some() {
            return Err(twice(here));
        }
    }
    for (Field { name, at, size, array, of }, value) in fields.iter().zip(values) {
        let here = Path::Field(&path, name);
        let bytes = &mut bytes[*at..at + size];
        let value = value.ok_or_else(|| FieldError::new(here, expected(array, of, bytes.len()), "nothing"))?;
        put_part(here, array, of, value, bytes)?;
    }
    Ok(())
}

/// What a field, or a part of its array, is to be.
fn expected(array: &[usize], of: &Of<'_>, size: usize) -> String {
    if let [len, ..] = array {
        return format!("an array of {len}");
    }
    let integer = |is_signed| {
        let (least, most) = range(size, is_signed);
        format!("an integer from {least} to {most}")
    };
    match of {
        Of::Text => format!("a string of at most {} bytes, or base64 of {size}", size - 1),
        Of::Bytes => format!("{{\"base64\":…}} of {size} bytes"),
        Of::Signed => integer(true),
        Of::Unsigned => integer(false),
        Of::Bool => "true or false".to_owned(),
        Of::Float if size == size_of::<f32>() => "a number within a float's range, or \"NaN\", \"inf\"".to_owned(),
        Of::Float => "a number within a double's range, or \"NaN\", \"inf\"".to_owned(),
        Of::Struct(_) => "an object".to_owned(),
    }
}

fn put_part(
    path: Path<'_>,
    array: &[usize],
    of: &Of<'_>,
    value: &RawValue,
    bytes: &mut [u8],
) -> Result<(), FieldError> {
    let unfit = |found: &str| FieldError::new(path, expected(array, of, bytes.len()), found);
    if let [len, inner @ ..] = array {
        let elements: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| unfit(value.get()))?;
        if elements.len() != *len {
            return Err(unfit(&format!("{} elements", elements.len())));
        }
        let size = bytes.len() / len;
        for (number, (value, bytes)) in elements.into_iter().zip(bytes.chunks_exact_mut(size)).enumerate() {
            put_part(Path::Element(&path, number), inner, of, value, bytes)?;
        }
        return Ok(());
    }
    match of {
        Of::Text if value.get().starts_with('{') => put_base64(path, &object(path, value, "")?, true, bytes)?,
        Of::Text => put_text(path, value, bytes)?,
        Of::Bytes => {
            let object = object(path, value, &expected(array, of, bytes.len()))?;
            put_base64(path, &object, false, bytes)?;
        }
        Of::Bool if matches!(value.get(), "true" | "false") => put((value.get() == "true").into(), bytes),
        Of::Signed | Of::Unsigned | Of::Bool => {
            let (least, most) = range(bytes.len(), matches!(of, Of::Signed));
            let number = value.get().parse().ok().filter(|number| (least..=most).contains(number));
            put(number.ok_or_else(|| unfit(value.get()))?, bytes);
        }
        Of::Float => {
            let float = match serde_json::from_str::<String>(value.get()) {
                Ok(name) => Float::named(&name, bytes.len()),
                Err(_) if is_number(value) => Float::nearest(value.get(), bytes.len()),
                Err(_) => None,
            };
            float.ok_or_else(|| unfit(value.get()))?.put(bytes);
        }
        Of::Struct(fields) => members(path, fields, object(path, value, "an object")?, bytes)?,
    }
    Ok(())
}

fn is_number(value: &RawValue) -> bool {
    value.get().starts_with(|char: char| char == '-' || char.is_ascii_digit())
}

/// A text and its NUL.
fn put_text(path: Path<'_>, value: &RawValue, bytes: &mut [u8]) -> Result<(), FieldError> {
    let unfit = |found: &str| FieldError::new(path, expected(&[], &Of::Text, bytes.len()), found);
    let text: String = serde_json::from_str(value.get()).map_err(|_| unfit(value.get()))?;
    if text.contains('\0') {
        return Err(FieldError::new(path, "a text without NUL (in a record, base64 carries one)", value.get()));
    }
    if text.len() >= bytes.len() {
        return Err(unfit(&format!("one of {}", text.len())));
    }
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}

/// What `{"base64":…}` stands for; of a text less may be given, and NULs follow.
fn put_base64(path: Path<'_>, object: &Object<'_>, is_text: bool, bytes: &mut [u8]) -> Result<(), FieldError> {
    let value = only(path, "base64", object)?;
    let here = Path::Field(&path, "base64");
    let at_most = if is_text { "at most " } else { "" };
    let unfit =
        |found: &str| FieldError::new(here, format!("a string: base64 of {at_most}{} bytes", bytes.len()), found);
    let text: String = serde_json::from_str(value.get()).map_err(|_| unfit(value.get()))?;
    let given = STANDARD.decode(text).map_err(|error| unfit(&format!("no base64: {error}")))?;
    if given.len() > bytes.len() || (!is_text && given.len() < bytes.len()) {
        return Err(unfit(&format!("base64 of {}", given.len())));
    }
    bytes[..given.len()].copy_from_slice(&given);
    Ok(())
}

/// The keys of an object, a key that is given twice among them twice, and the text of their values: a number is not
/// rounded before its type is known.
fn object<'j>(path: Path<'_>, value: &'j RawValue, expected: &str) -> Result<Object<'j>, FieldError> {
    struct Keys<'j>(Object<'j>);

    impl<'j> Deserialize<'j> for Keys<'j> {
        fn deserialize<D: Deserializer<'j>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_map(Collect)
        }
    }

    struct Collect;

    impl<'j> Visitor<'j> for Collect {
        type Value = Keys<'j>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Keys<'j>, A::Error> {
            let mut keys = Vec::new();
            while let Some(entry) = map.next_entry()? {
                keys.push(entry);
            }
            Ok(Keys(keys))
        }
    }

    let Keys(object) = serde_json::from_str(value.get()).map_err(|_| FieldError::new(path, expected, value.get()))?;
    Ok(object)
}
