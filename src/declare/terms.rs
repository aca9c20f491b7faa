//! The terms of a SPEC, such as `flag=ready` and `size>=16384`.

use super::constant::{Names, constant, primary};
use super::cursor::Cursor;
use super::declared::{FlagType, Size, Span};
use super::fault::{Fault, Place, fault};
use super::lex::{Class, Token};
use super::place::MOST_BYTES;

const TERMS: [&str; 8] = ["flag", "empty", "full", "text", "data", "reply", "size", "at"];

/// Where a term says that something lies.
pub(super) enum Where<'t> {
    Span(Span),
    Flag(FlagType, usize),
    /// A member, and one of it, and so on.
    Member(Vec<&'t str>),
}

pub(super) struct Part<'t> {
    pub(super) place: Place,
    pub(super) lies: Where<'t>,
}

#[derive(Default)]
pub(super) struct Terms<'t> {
    pub(super) flag: Option<Part<'t>>,
    pub(super) empty: Option<(i64, Place)>,
    pub(super) full: Option<(i64, Place)>,
    pub(super) text: Option<Part<'t>>,
    pub(super) data: Vec<Part<'t>>,
    pub(super) reply: Vec<Part<'t>>,
    pub(super) size: Option<(Size, Place)>,
    pub(super) at: Option<(usize, Place)>,
}

/// Whether a term, or what is meant for one, begins with these tokens.
pub(super) fn is_term(tokens: &[Token<'_>]) -> bool {
    matches!(tokens, [word, mark, ..] if word.class == Class::Word && (mark.is("=") || mark.is(">=")))
}

impl<'t> Terms<'t> {
    /// `names` has the constants that the declaration knows.
    pub(super) fn read(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Self, Fault> {
        let mut terms = Self::default();
        let mut seen = Vec::new();
        loop {
            let name = cursor.word("a term")?;
            if !TERMS.contains(&name.text) {
                let message = format!("there is no term `{}`", name.text);
                return Err(fault(name.place, message, format!("the terms are {}", TERMS.join(", "))));
            }
            if seen.contains(&name.text) {
                return Err(fault(name.place, format!("`{}` is given twice", name.text), "give it once"));
            }
            seen.push(name.text);
            terms.term(name, cursor, names)?;
            if !cursor.take(",") {
                break;
            }
        }
        match cursor.peek() {
            Some(_) => {
                Err(fault(cursor.place(), format!("{} behind a term", cursor.found()), "terms stand between commas"))
            }
            None => Ok(terms),
        }
    }

    fn term(&mut self, name: Token<'t>, cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<(), Fault> {
        let at_least = name.is("size") && cursor.take(">=");
        if !at_least {
            cursor.expect("=", "behind the name of a term")?;
        }
        let from = cursor.place();
        match name.text {
            "flag" => self.flag = Some(flag(cursor, names)?),
            "text" => self.text = Some(part(cursor, names)?),
            "data" => self.data = parts(cursor, names)?,
            "reply" => self.reply = parts(cursor, names)?,
            _ => {
                let number = constant(cursor, names)?.number;
                let place = from.to(cursor.last_place());
                match name.text {
                    "empty" | "full" => {
                        let value = i64::try_from(number)
                            .map_err(|_| fault(place, "no flag has this value", "such as 0 or 1"))?;
                        *(if name.is("empty") { &mut self.empty } else { &mut self.full }) = Some((value, place));
                    }
                    "at" => self.at = Some((bytes(number, place)?, place)),
                    _ => {
                        let size = bytes(number, place)?;
                        self.size = Some((if at_least { Size::AtLeast(size) } else { Size::Exactly(size) }, place));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A number of bytes.
fn bytes(number: i128, place: Place) -> Result<usize, Fault> {
    let bytes = usize::try_from(number).ok().filter(|bytes| *bytes <= MOST_BYTES);
    bytes.ok_or_else(|| fault(place, format!("no memory has {number} bytes"), "check it"))
}

/// `i32@0`, or the name of a member.
fn flag<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Part<'t>, Fault> {
    let from = cursor.place();
    if !cursor.peek_next().is_some_and(|next| next.is("@")) {
        return member(cursor);
    }
    let name = cursor.word("the type of the flag")?;
    let Some(of) = FlagType::ALL.into_iter().find(|of| of.to_string() == name.text) else {
        return Err(fault(name.place, format!("a flag is no `{}`", name.text), "it is i32, u32, i8 or u8"));
    };
    cursor.next();
    let at = cursor.place();
    let number = primary(cursor, names)?.number;
    let offset = bytes(number, at.to(cursor.last_place()))?;
    Ok(Part { place: from.to(cursor.last_place()), lies: Where::Flag(of, offset) })
}

fn parts<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Vec<Part<'t>>, Fault> {
    let mut parts = vec![part(cursor, names)?];
    while cursor.take("+") {
        parts.push(part(cursor, names)?);
    }
    Ok(parts)
}

/// `2048@4`, or the name of a member.
fn part<'t>(cursor: &mut Cursor<'_, 't>, names: &mut impl Names<'t>) -> Result<Part<'t>, Fault> {
    let is_name = cursor.peek().is_some_and(|token| token.class == Class::Word && names.value(token.text).is_none());
    if is_name {
        return member(cursor);
    }
    let from = cursor.place();
    let len = primary(cursor, names)?.number;
    cursor.expect("@", "between a length and an offset, as in 2048@4")?;
    let offset = primary(cursor, names)?.number;
    let place = from.to(cursor.last_place());
    let span = Span { offset: bytes(offset, place)?, len: bytes(len, place)? };
    if span.len == 0 {
        return Err(fault(place, "no bytes lie there", "a span has one byte at least"));
    }
    // So that its end can be computed.
    bytes(offset + len, place)?;
    Ok(Part { place, lies: Where::Span(span) })
}

fn member<'t>(cursor: &mut Cursor<'_, 't>) -> Result<Part<'t>, Fault> {
    let first = cursor.word("the name of a member, or a place such as 4@0,")?;
    let mut names = vec![first.text];
    while cursor.take(".") {
        names.push(cursor.word("the name of a member")?.text);
    }
    Ok(Part { place: first.place.to(cursor.last_place()), lies: Where::Member(names) })
}
