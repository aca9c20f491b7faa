//! The meaning of a type's bytes, as a text and as a number.

/// The meaning of a type's bytes, which two sides compare before the first message. [`schema!`](crate::schema!)
/// implements it for a struct.
///
/// ```
/// use shm_handoff::Schema;
/// /// What a message is worth: by hand, for what is no struct.
/// #[repr(u8)]
/// enum Urgency { Low, High }
/// impl Schema for Urgency {
///     const TEXT: &'static str = "Urgency/1{Low=0,High=1}";
/// }
/// assert_eq!(Urgency::SCHEMA, 0x77b1_bba0_37e5_e6b5, "FNV-1a of that text");
/// assert_eq!([Urgency::Low, Urgency::High].map(|urgency| urgency as u8), [0, 1]);
/// ```
pub trait Schema {
    /// Name, size and fields of the type. By [`schema!`](crate::schema!) it is `NAME/SIZE{FIELD:TYPE@OFFSET,…}`, where size and
    /// offsets are in bytes, and the types stand as in the source, without blanks.
    const TEXT: &'static str;

    /// The number of the text: its bytes by [FNV-1a] of 64 bits, which programs in other languages compute in two
    /// lines. Where that is 0, which stands for no schema, it is 1.
    ///
    /// [FNV-1a]: http://www.isthe.com/chongo/tech/comp/fnv/
    const SCHEMA: u64 = schema_number(Self::TEXT.as_bytes());
}

/// Implements [`Schema`] for a struct that is there. This compiles only if these are all fields of the struct, with these
/// types: so a field that is added or changed can't be forgotten here. A field whose type is a struct of its own, or an alias,
/// counts by the name that stands here; the definition behind that name is not compared.
///
/// ```
/// use shm_handoff::{Schema, schema};
/// #[repr(C)]
/// struct Tick {
///     time: u64,
///     bid: f64,
///     ask: f64,
/// }
/// schema!(struct Tick { time: u64, bid: f64, ask: f64 });
/// assert_eq!(Tick::TEXT, "Tick/24{time:u64@0,bid:f64@8,ask:f64@16}");
/// assert_eq!(Tick::SCHEMA, 0x9977_018d_ed96_c156);
/// ```
///
/// A field is missing (the compiler speaks of "inaccessible fields" then):
///
/// ```compile_fail,E0027
/// struct Tick { time: u64, bid: f64 }
/// shm_handoff::schema!(struct Tick { time: u64 });
/// ```
///
/// A field has another type:
///
/// ```compile_fail,E0308
/// struct Tick { time: u64 }
/// shm_handoff::schema!(struct Tick { time: i64 });
/// ```
#[macro_export]
macro_rules! schema {
    (struct $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        impl $crate::Schema for $name {
            const TEXT: &'static str = {
                // For the compiler alone: all fields, and the type of each.
                #[allow(dead_code, clippy::needless_pass_by_value, clippy::type_complexity)]
                fn fields($name { $($field),* }: $name) -> ($($type,)*) {
                    ($($field,)*)
                }
                const TEXT: $crate::SchemaText = $crate::SchemaText::of(
                    ::core::stringify!($name),
                    ::core::mem::size_of::<$name>(),
                    &[$((::core::stringify!($field), ::core::stringify!($type), ::core::mem::offset_of!($name, $field))),*],
                );
                TEXT.as_str()
            };
        }
    };
}

/// A text that the compiler puts together.
#[doc(hidden)]
#[derive(Debug)]
pub struct SchemaText {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl SchemaText {
    const MOST: usize = 2048;

    /// # Panics
    /// If there is too much of it; then the macro does not compile.
    #[must_use]
    pub const fn of(name: &str, size: usize, fields: &[(&str, &str, usize)]) -> Self {
        let mut text = Self { bytes: [0; Self::MOST], len: 0 };
        text.push(name);
        text.push("/");
        text.push_number(size);
        text.push("{");
        let mut at = 0;
        while at < fields.len() {
            let (field, of, offset) = fields[at];
            if at > 0 {
                text.push(",");
            }
            text.push(field);
            text.push(":");
            text.push(of);
            text.push("@");
            text.push_number(offset);
            at += 1;
        }
        text.push("}");
        text
    }

    const fn push(&mut self, part: &str) {
        let part = part.as_bytes();
        let mut at = 0;
        while at < part.len() {
            // Where a compiler prints blanks in a type is its own affair.
            if !part[at].is_ascii_whitespace() {
                assert!(
                    self.len < Self::MOST,
                    "the text of this schema is too long: give it to `Schema::TEXT` by hand"
                );
                self.bytes[self.len] = part[at];
                self.len += 1;
            }
            at += 1;
        }
    }

    const fn push_number(&mut self, number: usize) {
        if number >= 10 {
            self.push_number(number / 10);
        }
        let digit = number % 10;
        let (_, digits) = "0123456789".split_at(digit);
        let (digit, _) = digits.split_at(1);
        self.push(digit);
    }

    /// # Panics
    /// Never: it was made of whole characters.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match str::from_utf8(text) {
            Ok(text) => text,
            Err(_) => panic!("no text"),
        }
    }
}

/// The number of a schema's text, as [`Schema::SCHEMA`] has it: for a program that learns the text when it runs.
///
/// ```
/// use shm_handoff::schema_number;
/// assert_eq!(schema_number(b"Tick/24{time:u64@0,bid:f64@8,ask:f64@16}"), 0x9977_018d_ed96_c156);
/// ```
#[must_use]
pub const fn schema_number(text: &[u8]) -> u64 {
    // FNV-1a, by Fowler, Noll and Vo.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    if hash == 0 { 1 } else { hash }
}

#[cfg(test)]
mod tests {
    use super::{Schema, schema_number};

    /// By the tables of the hash's authors.
    #[test]
    fn the_hash_is_fnv_1a() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(schema_number(text.as_bytes()), hash, "{text}");
        }
        assert_eq!(schema_number(b"!0IC=VloaY"), 1, "its hash is 0");
    }

    #[repr(C, packed)]
    struct Packed {
        flag: u8,
        points: [[f32; 3]; 12],
        of: core::num::NonZeroU32,
    }
    schema!(
        struct Packed {
            flag: u8,
            points: [[f32; 3]; 12],
            of: core::num::NonZeroU32,
        }
    );

    #[test]
    fn texts() {
        assert_eq!(Packed::TEXT, "Packed/149{flag:u8@0,points:[[f32;3];12]@1,of:core::num::NonZeroU32@145}");
        assert_eq!(Packed::SCHEMA, schema_number(Packed::TEXT.as_bytes()));
    }
}
