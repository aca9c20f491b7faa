//! From a record to JSON.

use super::number::{Float, integer};
use super::{Field, Fields, Of, Shape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;

impl Fields<'_> {
    /// The record as an object; its keys stand in the struct's order. What the record lacks counts as zeros.
    pub(in crate::cli) fn show<'s>(&'s self, record: &'s [u8]) -> impl Serialize + 's {
        Record { shape: &self.shape, record: self.whole(record) }
    }

    /// The same for people: each field's name, and its JSON.
    pub(in crate::cli) fn each(&self, record: &[u8]) -> Vec<(String, String)> {
        let json = |value: &Part<'_>| serde_json::to_string(value).expect("numbers and strings are always JSON");
        let record = self.whole(record);
        let name = match (&self.shape, text(&record)) {
            (Shape::Members(fields), _) => {
                return fields.iter().map(|field| (field.name.to_owned(), json(&field.part(&record)))).collect();
            }
            (Shape::Text, Some(_)) => "text",
            _ => "base64",
        };
        let of = if name == "text" { &Of::Text } else { &Of::Bytes };
        vec![(name.to_owned(), json(&Part { array: &[], of, bytes: &record }))]
    }

    fn whole<'r>(&self, record: &'r [u8]) -> Cow<'r, [u8]> {
        match record.get(..self.len) {
            Some(record) => Cow::Borrowed(record),
            None => Cow::Owned([record, &vec![0; self.len - record.len()]].concat()),
        }
    }
}

impl<'d> Field<'d> {
    fn part<'s>(&'s self, record: &'s [u8]) -> Part<'s>
    where
        'd: 's,
    {
        Part { array: self.array, of: &self.of, bytes: &record[self.at..self.at + self.size] }
    }
}

struct Record<'s> {
    shape: &'s Shape<'s>,
    record: Cow<'s, [u8]>,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.shape, text(&self.record)) {
            (Shape::Members(fields), _) => object(fields, &self.record, to),
            (Shape::Text, Some(text)) => pair("text", text, to),
            _ => base64(&self.record, to),
        }
    }
}

/// A field, or a part of its array, with its bytes.
struct Part<'s> {
    array: &'s [usize],
    of: &'s Of<'s>,
    bytes: &'s [u8],
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes = self.bytes;
        if let [len, array @ ..] = self.array {
            return to.collect_seq(bytes.chunks_exact(bytes.len() / len).map(|bytes| Part { array, bytes, ..*self }));
        }
        match self.of {
            Of::Text => match text(bytes) {
                Some(text) => to.serialize_str(text),
                None => base64(bytes, to),
            },
            Of::Bytes => base64(bytes, to),
            Of::Signed => to.serialize_i128(integer(bytes, true)),
            Of::Unsigned => to.serialize_i128(integer(bytes, false)),
            Of::Bool => match bytes {
                [byte @ (0 | 1)] => to.serialize_bool(*byte == 1),
                _ => to.serialize_i128(integer(bytes, false)),
            },
            Of::Float => match (Float::of(bytes), Float::of(bytes).name()) {
                (_, Some(name)) => to.serialize_str(&name),
                (Float::Single(number), None) => to.serialize_f32(number),
                (Float::Double(number), None) => to.serialize_f64(number),
            },
            Of::Struct(fields) => object(fields, bytes, to),
        }
    }
}

fn object<S: Serializer>(fields: &[Field<'_>], bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(fields.iter().map(|field| (field.name, field.part(bytes))))
}

fn base64<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    pair("base64", &STANDARD.encode(bytes), to)
}

fn pair<S: Serializer>(key: &str, value: &str, to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// The text in an array of characters, if these are all of its bytes: it is UTF-8, and nothing but NULs follows,
/// one at least.
fn text(bytes: &[u8]) -> Option<&str> {
    let (text, rest) = bytes.split_at(memchr::memchr(0, bytes)?);
    if rest.iter().any(|byte| *byte != 0) {
        return None;
    }
    std::str::from_utf8(text).ok()
}
