//! Words, numbers and marks.

use super::fault::{Fault, Place, fault};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Word,
    Number,
    /// A string or a character constant, with its quotes.
    Quoted,
    Mark,
    /// From here on members are aligned to so many bytes at most; 0: as their types are.
    Pack(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) class: Class,
    pub(super) text: &'t str,
    pub(super) place: Place,
    /// Whether it is the first one of its line.
    pub(super) begins_line: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.class, Class::Word | Class::Mark) && self.text == text
    }
}

const LONGEST_WORD: usize = 255;

/// Marks of more than one character; one that begins with another one comes first.
const MARKS: [&str; 12] = ["...", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "##", "::", "->"];

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let (mut at, mut begins_line) = (0, true);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let blank = match first {
            '/' if rest.starts_with("/*") => {
                let Some(end) = rest[2..].find("*/") else {
                    let place = Place { start: at, end: at + 2 };
                    return Err(fault(place, "this comment has no end", "end it with */"));
                };
                end + 4
            }
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '\\' if rest.starts_with("\\\n") => 2,
            '\\' if rest.starts_with("\\\r\n") => 3,
            _ if first.is_whitespace() || first == '\u{feff}' => first.len_utf8(),
            _ => 0,
        };
        if blank > 0 {
            begins_line |= first == '\n';
            at += blank;
            continue;
        }
        let (class, len) = token(rest, first);
        let place = Place { start: at, end: at + len };
        if class == Class::Word && len > LONGEST_WORD {
            return Err(fault(place, format!("a name of more than {LONGEST_WORD} bytes"), "shorten it"));
        }
        tokens.push(Token { class, text: &rest[..len], place, begins_line });
        begins_line = false;
        at += len;
    }
    Ok(tokens)
}

/// What the text begins with, and how long it is.
fn token(rest: &str, first: char) -> (Class, usize) {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let word_len = || rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
    match first {
        '0'..='9' => (Class::Number, word_len()),
        _ if is_of_word(first) => (Class::Word, word_len()),
        '"' | '\'' => {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = (c == first && !escaped) || c == '\n';
                escaped = c == '\\' && !escaped;
                ends
            });
            // (One without an end is left to those who look at it: a directive that is skipped may have an apostrophe.)
            let len = end.map_or(rest.len(), |end| if rest[1 + end..].starts_with(first) { end + 2 } else { end + 1 });
            (Class::Quoted, len)
        }
        _ => {
            let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
            (Class::Mark, mark.map_or(first.len_utf8(), |mark| mark.len()))
        }
    }
}
