//! The record of a declared struct as fields by name, and back.
//!
//! A record is what travels: the bytes of the payload's spans, one span behind the other.
//!
//! | in C | in JSON |
//! | --- | --- |
//! | an integer, an `enum`, a lone `char` | a number, exact up to 64 bits |
//! | `float`, `double` | the shortest number that gives the same bits; `"inf"`, `"-inf"`, `"NaN"`, `"-NaN"`, and by its bits any other one, such as `"NaN(0x7fc00001)"` |
//! | `bool` | `true`, `false`; a number where its byte is neither 1 nor 0 |
//! | an array | an array; one of arrays is nested |
//! | an array of `char` | a string, if it is UTF-8 behind which there are only NULs, one at least; else `{"base64":…}` of all its bytes |
//! | an array of more than 64 unsigned bytes in all | `{"base64":…}` |
//! | a struct | an object; the members of an anonymous one stand among those around it |
//! | anything else, such as a `struct timespec` or a `long double` | `{"base64":…}` |
//!
//! Members that are not in the payload are left out. Where a payload has no members to name (the SPEC is terse, or its
//! spans cut a member in two, go beyond the struct or have an anonymous union in them), the whole record is one object:
//! `{"text":…}`, or `{"base64":…}` for data and for what is no text.
//!
//! What is read gives the bytes that were shown, except for padding within the payload: it becomes 0.

mod fault;
mod number;
#[cfg(test)]
mod random;
mod read;
mod show;
#[cfg(test)]
mod tests;

use crate::declare::{Declared, Kind, Member, Payload, Span};
use std::ffi::c_char;

/// What the help says of them.
pub(super) const HELP: &str = "\
JSON of a declared struct: \"fields\" instead of \"text\", an object with the members that
are handed over, by name. A float that is not a number is \"NaN\", \"inf\" or \"-inf\". An array
of char is a string; it is {\"base64\":...} of all its bytes if it has no NUL, has other bytes
behind the NUL, or is not UTF-8. An array of more than 64 unsigned bytes is {\"base64\":...},
too.
  struct { int written; float pos[2]; char name[8]; bool on; },data=pos+name+on
  {\"pos\":[0.5,-1.0],\"name\":\"left\",\"on\":true}";

/// An array of more unsigned bytes than this is an image or the like, and no list of numbers.
const MOST_NUMBERED_BYTES: usize = 64;

/// The fields of a payload, or of a reply.
pub(super) struct Fields<'d> {
    /// Of a record, in bytes.
    len: usize,
    shape: Shape<'d>,
}

/// What a record is made of.
enum Shape<'d> {
    Members(Vec<Field<'d>>),
    /// There are no members to name: one text.
    Text,
    /// There are no members to name: bytes.
    Bytes,
}

/// A member, and where it lies in the record.
struct Field<'d> {
    name: &'d str,
    /// From the beginning of what it is a part of.
    at: usize,
    size: usize,
    /// How many there are of it, the outermost array first.
    array: &'d [usize],
    of: Of<'d>,
}

/// What a field, or an element of it, is made of.
enum Of<'d> {
    /// All of an array of characters.
    Text,
    /// Shown in base64.
    Bytes,
    Signed,
    Unsigned,
    Bool,
    Float,
    Struct(Vec<Field<'d>>),
}

impl<'d> Fields<'d> {
    /// Those of the payload.
    pub(super) fn of(declared: &'d Declared) -> Self {
        match declared.payload() {
            Payload::Text(span) => Self::within(declared, std::slice::from_ref(span), true),
            Payload::Data(spans) => Self::within(declared, spans, false),
        }
    }

    /// Those of the reply.
    pub(super) fn of_reply(declared: &'d Declared) -> Self {
        Self::within(declared, declared.reply(), false)
    }

    fn within(declared: &'d Declared, spans: &[Span], is_text: bool) -> Self {
        let reach = spans.iter().map(|span| span.offset + span.len).max().unwrap_or(0);
        let members = declared.members();
        let fields = if members.is_empty() || reach > declared.struct_size() {
            None
        } else {
            in_spans(members, 0, &Spans { spans, is_text })
        };
        let len = spans.iter().map(|span| span.len).sum();
        let shape = match fields {
            Some(fields) if !is_text || is_one_text(&fields, len) => Shape::Members(fields),
            _ if is_text => Shape::Text,
            _ => Shape::Bytes,
        };
        Self { len, shape }
    }
}

/// Whether a text of so many bytes is one member.
fn is_one_text(fields: &[Field<'_>], len: usize) -> bool {
    match fields {
        [Field { of: Of::Struct(inner), array: [], .. }] => is_one_text(inner, len),
        [Field { of: Of::Text, array: [], size, .. }] => *size == len,
        _ => false,
    }
}

/// What is handed over of a struct.
struct Spans<'s> {
    spans: &'s [Span],
    /// It is one text, whatever the type of its bytes is called.
    is_text: bool,
}

/// How much of a member lies in the record.
enum Covered {
    /// All, from here in the record.
    Whole(usize),
    Partly,
    Nothing,
}

impl Spans<'_> {
    fn cover(&self, offset: usize, size: usize) -> Covered {
        let mut before = 0;
        for span in self.spans {
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
}

/// The members of a struct at `from` that lie in the spans; `None`: one of them is cut in two, or has no name.
fn in_spans<'d>(members: &'d [Member], from: usize, spans: &Spans<'_>) -> Option<Vec<Field<'d>>> {
    let mut fields = Vec::new();
    for member in members {
        let offset = from + member.offset;
        match (spans.cover(offset, member.size), &member.kind) {
            (Covered::Nothing, _) => {}
            (Covered::Whole(at), _) => fields.push(Field { at, ..whole(member, spans.is_text)? }),
            // Each of its own members counts for itself: they lie where those around them do.
            (Covered::Partly, Kind::Struct(inner)) if member.array.is_empty() => {
                let inner = in_spans(inner, offset, spans)?;
                if !inner.is_empty() {
                    let size = spans.spans.iter().map(|span| span.len).sum();
                    fields.push(Field { name: &member.name, at: 0, size, array: &[], of: Of::Struct(inner) });
                }
            }
            (Covered::Partly, _) => return None,
        }
    }
    Some(fields)
}

/// A member of which all is handed over.
fn whole(member: &Member, is_text: bool) -> Option<Field<'_>> {
    let Member { name, offset, size, array, kind, .. } = member;
    if name.is_empty() {
        return None;
    }
    let element = size / array.iter().product::<usize>();
    let (array, of) = match (kind, &array[..]) {
        (Kind::Struct(inner), array) => {
            let inner: Option<Vec<_>> = inner.iter().map(|member| whole(member, false)).collect();
            (array, Of::Struct(inner?))
        }
        (_, [_]) if is_text => (&[][..], Of::Text),
        (Kind::Char, [outer @ .., _]) => (outer, Of::Text),
        (Kind::Char, []) => (&[][..], if c_char::MIN == 0 { Of::Unsigned } else { Of::Signed }),
        (Kind::Unsigned, _) if element == 1 && *size > MOST_NUMBERED_BYTES => (&[][..], Of::Bytes),
        (Kind::Unsigned, array) if element <= 8 => (array, Of::Unsigned),
        (Kind::Signed, array) if element <= 8 => (array, Of::Signed),
        (Kind::Bool, array) => (array, Of::Bool),
        (Kind::Float, array) => (array, Of::Float),
        _ => (&[][..], Of::Bytes),
    };
    Some(Field { name, at: *offset, size: *size, array, of })
}
