//! What is wrong with a line of JSON, and in which field.

use std::fmt;

/// A line that is no record: which field, what was expected, what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub(in crate::cli) struct FieldError {
    /// Such as `pos[3].x`.
    path: String,
    expected: String,
    found: String,
}

impl FieldError {
    /// `found` is shown in short, and without what a terminal would obey.
    pub(super) fn new(path: Path<'_>, expected: impl Into<String>, found: &str) -> Self {
        Self { path: path.to_string(), expected: expected.into(), found: shortened(found) }
    }
}

/// Where in the object something stands.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Line,
    Field(&'p Path<'p>, &'p str),
    Element(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line => f.write_str("the line"),
            Self::Field(Self::Line, name) => f.write_str(&shortened(name)),
            Self::Field(of, name) => write!(f, "{of}.{}", shortened(name)),
            Self::Element(of, number) => write!(f, "{of}[{number}]"),
        }
    }
}

/// So much of a line is enough to find it.
const MOST_SHOWN: usize = 60;

fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for (number, char) in text.chars().enumerate() {
        if number == MOST_SHOWN {
            shown.push('…');
            break;
        }
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}
