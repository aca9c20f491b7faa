//! JSON that is printed: no string in it steers a terminal. What `--json` prints is an object that names its schema.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{Result, Write};

/// Appends `value`.
pub(super) fn add<T: Serialize>(value: &T, line: &mut Vec<u8>) {
    value.serialize(&mut Serializer::with_formatter(line, Still)).expect("numbers and strings are always JSON");
}

/// `content` as an object of this schema, on a line. A schema is called `shm-handoff/SUBCOMMAND/NUMBER`: fields
/// may be added to it; one that drops or changes any has another number.
pub(super) fn object<T: Serialize>(schema: &str, content: &T) -> String {
    #[derive(Serialize)]
    struct Object<'o, T> {
        schema: &'o str,
        #[serde(flatten)]
        content: &'o T,
    }
    let mut line = Vec::new();
    add(&Object { schema, content }, &mut line);
    String::from_utf8(line).expect("JSON is UTF-8") + "\n"
}

/// Compact, and it escapes all control characters: JSON asks for those below U+0020 alone, and terminals obey U+007F to
/// U+009F as well.
struct Still;

impl Formatter for Still {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> Result<()> {
        let mut rest = fragment;
        while let Some((at, control)) = rest.char_indices().find(|(_, char)| char.is_control()) {
            writer.write_all(&rest.as_bytes()[..at])?;
            write!(writer, "\\u{:04x}", u32::from(control))?;
            rest = &rest[at + control.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_string_steers_a_terminal() {
        let all: String = ('\0'..'\u{200}').collect();
        let mut line = Vec::new();
        super::add(&all, &mut line);
        let json = String::from_utf8(line).unwrap();
        assert!(!json.chars().any(char::is_control), "{json:?}");
        assert!(json.contains(r"~\u007f\u0080"), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), all);
    }
}
