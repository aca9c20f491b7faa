//! A place among the tokens, and what is taken from there.

use super::fault::{Fault, Place, fault};
use super::lex::{Class, Token};

/// How deep structs, and parentheses, may lie in each other.
pub(super) const DEEPEST: usize = 64;

pub(super) struct Cursor<'a, 't> {
    tokens: &'a [Token<'t>],
    at: usize,
    depth: usize,
    /// The alignment that `#pragma pack` allows, as of here.
    pub(super) pack: usize,
    /// Where the text ends.
    end: Place,
}

impl<'a, 't> Cursor<'a, 't> {
    pub(super) fn new(tokens: &'a [Token<'t>], end: Place) -> Self {
        let mut cursor = Self { tokens, at: 0, depth: 0, pack: 0, end };
        cursor.heed_pragmas();
        cursor
    }

    fn heed_pragmas(&mut self) {
        while let Some(Token { class: Class::Pack(most), .. }) = self.tokens.get(self.at) {
            self.pack = *most;
            self.at += 1;
        }
    }

    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    /// The one behind [`peek`](Self::peek).
    pub(super) fn peek_next(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at + 1).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.at += 1;
        self.heed_pragmas();
        Some(token)
    }

    pub(super) fn skip(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.next();
        }
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| token.is(text))
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        self.is(text) && self.next().is_some()
    }

    pub(super) fn expect(&mut self, text: &str, after: &str) -> Result<Place, Fault> {
        let place = self.place();
        if self.take(text) {
            return Ok(place);
        }
        Err(fault(place, format!("{} where `{text}` is expected", self.found()), format!("`{text}` comes {after}")))
    }

    pub(super) fn word(&mut self, what: &str) -> Result<Token<'t>, Fault> {
        match self.peek() {
            Some(token) if token.class == Class::Word => {
                self.next();
                Ok(token)
            }
            _ => Err(fault(
                self.place(),
                format!("{} where {what} is expected", self.found()),
                "a name begins with a letter or `_`",
            )),
        }
    }

    /// What stands here, in a sentence about what should.
    pub(super) fn found(&self) -> String {
        self.peek().map_or("the end".to_owned(), |token| format!("`{}`", token.text))
    }

    /// Where the next token stands, or the text ends.
    pub(super) fn place(&self) -> Place {
        self.peek().map_or(self.end, |token| token.place)
    }

    /// Where the last token stands.
    pub(super) fn last_place(&self) -> Place {
        self.tokens[..self.at].last().map_or(self.end, |token| token.place)
    }

    /// Goes into what lies one deeper.
    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(fault(self.place(), format!("this lies more than {DEEPEST} deep"), "declare less at once"));
        }
        Ok(())
    }

    pub(super) fn higher(&mut self) {
        self.depth -= 1;
    }

    /// Goes behind a declaration: to its `;`, or behind the last brace of its body.
    pub(super) fn skip_declaration(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            match token.text {
                "(" | "[" | "{" => open += 1,
                ")" | "]" => open = open.saturating_sub(1),
                "}" => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        self.take(";");
                        return;
                    }
                }
                ";" if open == 0 => return,
                _ => {}
            }
        }
    }

    /// Goes behind what is in parentheses here, if anything is.
    pub(super) fn skip_parentheses(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.peek().filter(|token| open > 0 || token.is("(")) {
            open += usize::from(token.is("("));
            open -= usize::from(token.is(")"));
            self.next();
            if open == 0 {
                return;
            }
        }
    }

    /// Goes to the comma or the semicolon behind a declarator.
    pub(super) fn skip_declarator(&mut self) {
        let mut open = 0_usize;
        while let Some(token) = self.peek() {
            match token.text {
                "(" | "[" | "{" => open += 1,
                "," | ";" | "}" if open == 0 => return,
                ")" | "]" | "}" => open = open.saturating_sub(1),
                _ => {}
            }
            self.next();
        }
    }

    /// Where a pointer or a reference is declared: goes behind its name.
    pub(super) fn name_of_address(&mut self) -> Option<&'t str> {
        let begins = |token: Token<'_>| token.is("*") || token.is("&");
        let is_address = self.peek().is_some_and(begins) || (self.is("(") && self.peek_next().is_some_and(begins));
        if !is_address {
            return None;
        }
        while let Some(token) = self.peek().filter(|token| token.class == Class::Mark && !token.is(";")) {
            let _ = token;
            self.next();
            while self.is("const") || self.is("volatile") || self.is("restrict") {
                self.next();
            }
        }
        Some(self.word("a name").map_or("this", |token| token.text))
    }
}
