//! Lines that begin with `#`: macros without arguments, conditions, `#pragma pack`. What is included is not read.

use super::constant::{Cast, Names, Value, constant};
use super::cursor::{Cursor, DEEPEST};
use super::fault::{Fault, Place, fault};
use super::lex::{Class, Token};
use std::collections::HashMap;

/// What is defined on this system without a line that says so.
const PREDEFINED: [&str; 4] = ["__linux__", "__unix__", "__GNUC__", "__LP64__"];

/// So many tokens may come out of macros.
const MOST_EXPANDED: usize = 1 << 16;

/// A condition that is open.
struct Condition {
    place: Place,
    /// Whether the lines here count, those around it, and those of a branch before.
    holds: bool,
    around: bool,
    held: bool,
}

struct Preprocessor<'t> {
    macros: HashMap<&'t str, Vec<Token<'t>>>,
    conditions: Vec<Condition>,
    pack: usize,
    packs: Vec<usize>,
    expanded: usize,
    end: Place,
}

/// What the compiler sees.
pub(super) fn preprocess<'t>(tokens: &[Token<'t>], end: Place) -> Result<Vec<Token<'t>>, Fault> {
    let one = Token { class: Class::Number, text: "1", place: end, begins_line: false };
    let macros = PREDEFINED.iter().map(|name| (*name, vec![one])).collect();
    let mut run = Preprocessor { macros, conditions: Vec::new(), pack: 0, packs: Vec::new(), expanded: 0, end };
    let mut seen = Vec::new();
    let mut rest = tokens;
    while let [first, behind @ ..] = rest {
        if first.begins_line && first.is("#") {
            let len = behind.iter().position(|token| token.begins_line).unwrap_or(behind.len());
            run.directive(&behind[..len], &mut seen)?;
            rest = &behind[len..];
        } else {
            if run.holds() {
                run.expand(*first, first.place, &mut Vec::new(), &mut seen)?;
            }
            rest = behind;
        }
    }
    match run.conditions.last() {
        Some(open) => Err(fault(open.place, "this condition has no end", "end it with #endif")),
        None => Ok(seen),
    }
}

impl<'t> Preprocessor<'t> {
    fn holds(&self) -> bool {
        self.conditions.last().is_none_or(|condition| condition.holds)
    }

    /// Puts down what a token stands for, all of it at the place where it is used.
    fn expand(
        &mut self,
        token: Token<'t>,
        place: Place,
        within: &mut Vec<&'t str>,
        seen: &mut Vec<Token<'t>>,
    ) -> Result<(), Fault> {
        let body = match token.class {
            Class::Word if !within.contains(&token.text) => self.macros.get(token.text).cloned(),
            _ => None,
        };
        let Some(body) = body else {
            seen.push(Token { place, ..token });
            return Ok(());
        };
        self.expanded += body.len() + 1;
        if self.expanded > MOST_EXPANDED || within.len() > DEEPEST {
            return Err(fault(
                place,
                format!("the macro `{}` stands for too much", token.text),
                "write out what is meant",
            ));
        }
        within.push(token.text);
        for token in body {
            self.expand(token, place, within, seen)?;
        }
        within.pop();
        Ok(())
    }

    /// A line behind its `#`.
    fn directive(&mut self, line: &[Token<'t>], seen: &mut Vec<Token<'t>>) -> Result<(), Fault> {
        let [name, rest @ ..] = line else { return Ok(()) };
        let around = self.holds();
        match name.text {
            "if" | "ifdef" | "ifndef" => {
                let holds = around && self.condition(*name, rest)?;
                self.conditions.push(Condition { place: name.place, holds, around, held: holds });
            }
            "elif" | "else" | "endif" => {
                let Some(open) = self.conditions.pop() else {
                    return Err(fault(
                        name.place,
                        "no condition is open here",
                        "it begins with #if, #ifdef or #ifndef",
                    ));
                };
                if name.text != "endif" {
                    let next = open.around && !open.held;
                    let holds = next && (name.text == "else" || self.condition(*name, rest)?);
                    self.conditions.push(Condition { holds, held: open.held || holds, ..open });
                }
            }
            _ if !around => {}
            "define" => self.define(rest),
            "undef" => _ = rest.first().map(|name| self.macros.remove(name.text)),
            "pragma" if rest.first().is_some_and(|word| word.is("pack")) => {
                self.pragma_pack(&rest[1..]);
                seen.push(Token { class: Class::Pack(self.pack), text: "", place: name.place, begins_line: true });
            }
            _ => {}
        }
        Ok(())
    }

    fn define(&mut self, rest: &[Token<'t>]) {
        let [name, body @ ..] = rest else { return };
        let takes_arguments = body.first().is_some_and(|next| next.is("(") && next.place.start == name.place.end);
        // One that takes arguments stays the name that it is; who needs its value says so.
        if takes_arguments {
            self.macros.remove(name.text);
        } else {
            self.macros.insert(name.text, body.to_vec());
        }
    }

    fn condition(&mut self, name: Token<'t>, rest: &[Token<'t>]) -> Result<bool, Fault> {
        if let "ifdef" | "ifndef" = name.text {
            return Ok(rest.first().is_some_and(|word| self.macros.contains_key(word.text)) == (name.text == "ifdef"));
        }
        let mut seen = Vec::new();
        let mut at = 0;
        while let Some(token) = rest.get(at) {
            let asked = match &rest[at..] {
                [defined, open, word, close, ..] if defined.is("defined") && open.is("(") && close.is(")") => {
                    Some((word, 4))
                }
                [defined, word, ..] if defined.is("defined") => Some((word, 2)),
                _ => None,
            };
            if let Some((word, len)) = asked {
                let text = if self.macros.contains_key(word.text) { "1" } else { "0" };
                seen.push(Token { class: Class::Number, text, ..*token });
                at += len;
            } else {
                self.expand(*token, token.place, &mut Vec::new(), &mut seen)?;
                at += 1;
            }
        }
        let end = rest.last().map_or(self.end, |token| Place { start: token.place.end, ..token.place });
        let mut cursor = Cursor::new(&seen, end);
        let value = constant(&mut cursor, &mut Nothing)?;
        if cursor.peek().is_some() {
            return Err(fault(
                cursor.place(),
                format!("{} behind a condition", cursor.found()),
                "a condition is one constant",
            ));
        }
        Ok(value.number != 0)
    }

    /// `(push, 1)`, `(pop)`, `(1)`, `()`.
    fn pragma_pack(&mut self, rest: &[Token<'t>]) {
        let has = |word: &str| rest.iter().any(|token| token.is(word));
        if has("push") {
            self.packs.push(self.pack);
        }
        if has("pop") {
            self.pack = self.packs.pop().unwrap_or(0);
        }
        let number = rest.iter().find(|token| token.class == Class::Number).and_then(|token| token.text.parse().ok());
        match number {
            Some(most @ (1 | 2 | 4 | 8 | 16)) => self.pack = most,
            Some(0) => self.pack = 0,
            _ if !has("push") && !has("pop") => self.pack = 0,
            _ => {}
        }
    }
}

/// The names of a condition: what is not defined is 0.
struct Nothing;

impl<'t> Names<'t> for Nothing {
    fn value(&self, _: &str) -> Option<Value> {
        Some(Value::int(0))
    }

    fn is_type(&self, _: Token<'t>) -> bool {
        false
    }

    fn type_at(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<(usize, Cast), Fault> {
        Err(fault(cursor.place(), "a condition knows no types", "compare numbers"))
    }
}
