//! What can't be read, and where: an error that points at it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::fmt;

/// Where something stands in the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    /// From the beginning of this place to the end of another one.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

/// What is wrong at a place.
#[derive(Debug)]
pub(super) struct Fault {
    place: Place,
    message: String,
    hint: String,
}

/// `message` says what is wrong, and `hint` what to write instead.
pub(super) fn fault(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault { place, message: message.into(), hint: hint.into() }
}

/// The texts that are read one behind the other, and what each is called.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    pub(super) origin: &'t str,
    /// What stands in front of the terms of a SPEC that names a file.
    pub(super) before: &'t str,
    /// Where the terms of a SPEC begin that names a file, behind what the file holds; else beyond the text.
    pub(super) terms_at: usize,
}

/// What messages call a text that was given, and not read from a file.
pub(super) const GIVEN: &str = "SPEC";

impl Source<'_> {
    pub(super) fn error(&self, fault: Fault) -> Error {
        let Place { start, end } = fault.place;
        let (text, origin, start, end) = if start < self.terms_at {
            (Cow::from(&self.text[..self.terms_at.min(self.text.len())]), self.origin, start, end)
        } else {
            // As it was given: the user counts from its beginning.
            let place = |at: usize| at - self.terms_at + self.before.len();
            let spec = [self.before, &self.text[self.terms_at..]].concat();
            (Cow::from(spec), GIVEN, place(start), place(end))
        };
        let end = end.clamp(start, text.len());
        let before = &text[..start];
        let line_at = before.rfind('\n').map_or(0, |at| at + 1);
        let snippet = Snippet::source(&*text).path(origin);
        let message = visible(&fault.message);
        let group = Level::ERROR
            .no_name()
            .primary_title(&message)
            .element(snippet.annotation(AnnotationKind::Primary.span(start..end)));
        Error {
            picture: still(&Renderer::plain().render(&[group])),
            line: before.matches('\n').count() + 1,
            column: before[line_at..].chars().count() + 1,
            message,
            hint: fault.hint,
        }
    }
}

/// Without what would move the cursor of a terminal, or turn the direction of writing.
fn visible(message: &str) -> String {
    let is_plain = |c: char| matches!(c, '\\' | '\'' | '"');
    message.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_debug().to_string() }).collect()
}

/// The picture shows the control characters of ASCII by signs of their own, and U+0080 to U+009F as they are: they steer
/// a terminal, too.
fn still(picture: &str) -> String {
    picture.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

/// Why a SPEC declares no layout. Its `Display` shows the place, as a compiler does.
///
/// ```
/// use shm_handoff::declare::Declared;
/// let error = "struct {\n  int written;\n  char *text;\n}".parse::<Declared>().unwrap_err();
/// assert_eq!(error.to_string(), "\
/// `text` is a pointer, and an address means nothing in another process
///  --> SPEC:3:8
///   |
/// 3 |   char *text;
///   |        ^^^^^");
/// assert_eq!(error.hint(), "declare what it points to as a member of the struct, such as char text[2048]");
/// assert_eq!((error.line(), error.column()), (3, 8));
/// assert!(error.to_string().starts_with(error.message()));
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{picture}")]
pub struct Error {
    message: String,
    hint: String,
    line: usize,
    column: usize,
    picture: String,
}

impl Error {
    /// The sentence alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// The line of the place, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character in that line, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}\n{}", self.hint)
    }
}
