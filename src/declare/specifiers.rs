//! What stands around the names of a declaration: types, attributes, and the lengths of arrays.

use super::constant::{Cast, Names, Value, constant};
use super::cursor::Cursor;
use super::fault::{Fault, fault};
use super::known::{Base, Declarations, Specified, pointer};
use super::lex::{Class, Token};
use super::place::{Attributes, size_of_array, too_large};
use super::types::{KEYWORDS, Type, constant_of_the_system, of_keywords, of_the_system};

/// Words around a type that change nothing about where it lies.
const QUALIFIERS: [&str; 16] = [
    "const",
    "volatile",
    "restrict",
    "__const",
    "__volatile__",
    "__volatile",
    "__restrict",
    "__extension__",
    "static",
    "extern",
    "register",
    "auto",
    "inline",
    "mutable",
    "typedef",
    "_Atomic",
];

const ATTRIBUTES: [&str; 4] = ["__attribute__", "__attribute", "_Alignas", "alignas"];

/// How deep arrays may lie in each other.
const MOST_DIMENSIONS: usize = 8;

impl<'t> Declarations<'t> {
    /// All that stands before a name: the type, and what is said beside it.
    pub(super) fn specifiers(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<Specified<'t>, Fault> {
        let from = cursor.place();
        let mut found: Option<Specified<'t>> = None;
        let mut words = Vec::new();
        let mut attributes = Attributes::default();
        while let Some(token) = cursor.peek().filter(|token| token.class == Class::Word) {
            if token.is("_Atomic") && cursor.peek_next().is_some_and(|next| next.is("(")) {
                cursor.skip(2);
                cursor.deeper()?;
                found = Some(self.specifiers(cursor)?);
                cursor.higher();
                cursor.expect(")", "behind the type in _Atomic(…)")?;
            } else if QUALIFIERS.contains(&token.text) {
                cursor.next();
            } else if ATTRIBUTES.contains(&token.text) {
                self.attributes(cursor, &mut attributes)?;
            } else if KEYWORDS.contains(&token.text) && found.is_none() {
                cursor.next();
                words.push(token.text);
            } else if found.is_some() || !words.is_empty() {
                break;
            } else if token.is("std") && cursor.peek_next().is_some_and(|next| next.is("::")) {
                cursor.skip(2);
            } else {
                found = Some(self.named(cursor, token)?);
            }
        }
        let place = from.to(cursor.last_place());
        let mut specified = match found {
            Some(specified) => specified,
            None if words.is_empty() => {
                let message = format!("{} where a type is expected", cursor.found());
                return Err(fault(cursor.place(), message, "a member is a type and a name, such as int written;"));
            }
            // (A pointer to it is one; it is found out behind it.)
            None if words == ["void"] => {
                let token = Token { class: Class::Word, text: "void", place, begins_line: false };
                Specified { base: Base::Unknown(token), array: Vec::new(), attributes }
            }
            None => {
                let of = of_keywords(&words)
                    .ok_or_else(|| fault(place, format!("`{}` is no type of C", words.join(" ")), "check its words"))?;
                Specified { base: Base::Known(of), array: Vec::new(), attributes }
            }
        };
        specified.attributes = attributes;
        Ok(specified)
    }

    /// The type that one word names, or with `struct`, `union` and `enum` those behind it.
    pub(super) fn named(&mut self, cursor: &mut Cursor<'_, 't>, token: Token<'t>) -> Result<Specified<'t>, Fault> {
        cursor.next();
        let base = match token.text {
            "struct" | "union" => self.structure(cursor, token)?,
            "enum" => self.enumeration(cursor)?,
            name => match self.aliases.get(name) {
                Some(alias) => return Ok(alias.clone()),
                None => of_the_system(name).map_or(Base::Unknown(token), Base::Known),
            },
        };
        Ok(Specified { base, array: Vec::new(), attributes: Attributes::default() })
    }

    pub(super) fn resolve(&self, base: Base<'t>, cursor: &Cursor<'_, 't>) -> Result<Type, Fault> {
        match base {
            Base::Known(of) => Ok(of),
            Base::Address => {
                let name = cursor.peek().filter(|token| token.class == Class::Word).map_or("this", |token| token.text);
                Err(pointer(cursor.place(), name))
            }
            Base::Tag(name, place) => self.tags.get(&name).cloned().or_else(|| of_the_system(&name)).ok_or_else(|| {
                fault(
                    place,
                    format!("`{name}` is not declared before it is used"),
                    "put its declaration before this one",
                )
            }),
            Base::Unknown(token) if token.is("void") => Err(fault(token.place, "`void` has no size", "check the type")),
            Base::Unknown(token) => Err(fault(
                token.place,
                format!("the type `{}` is not known here", token.text),
                format!("put its typedef before the struct: typedef unsigned int {};", token.text),
            )),
        }
    }

    /// The lengths behind a name.
    pub(super) fn dimensions(&mut self, cursor: &mut Cursor<'_, 't>, name: Token<'t>) -> Result<Vec<usize>, Fault> {
        let mut array = Vec::new();
        while cursor.is("[") {
            let from = cursor.place();
            cursor.next();
            if cursor.take("]") {
                let message = format!("`{}` has no length of its own", name.text);
                let hint = format!("give it the one that the segment has room for: {}[1024]", name.text);
                return Err(fault(name.place.to(cursor.last_place()), message, hint));
            }
            let value = constant(cursor, self)?;
            cursor.expect("]", "behind the length of an array")?;
            let place = from.to(cursor.last_place());
            let len = usize::try_from(value.number).ok().filter(|len| *len > 0);
            array.push(len.ok_or_else(|| {
                fault(place, format!("an array of {} elements", value.number), "an array has at least one")
            })?);
            if array.len() > MOST_DIMENSIONS {
                return Err(fault(
                    place,
                    format!("an array of more than {MOST_DIMENSIONS} dimensions"),
                    "declare fewer",
                ));
            }
        }
        Ok(array)
    }

    pub(super) fn enumeration(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<Base<'t>, Fault> {
        let mut attributes = Attributes::default();
        self.attributes(cursor, &mut attributes)?;
        let _ = cursor.take("class") || cursor.take("struct");
        let tag = cursor.peek().filter(|token| token.class == Class::Word);
        let place = cursor.place();
        let name = tag.map_or("enum".to_owned(), |tag| format!("enum {}", tag.text));
        if tag.is_some() {
            cursor.next();
        }
        let mut fixed = None;
        if cursor.take(":") {
            let base = self.specifiers(cursor)?.base;
            fixed = Some(self.resolve(base, cursor)?);
        }
        if !cursor.take("{") {
            return Ok(Base::Tag(name, place));
        }
        let (mut least, mut most, mut next) = (0, 0, 0_i128);
        while !cursor.take("}") {
            let name = cursor.word("the name of a constant")?;
            if cursor.take("=") {
                next = constant(cursor, self)?.number;
            }
            (least, most) = (next.min(least), next.max(most));
            let value = i32::try_from(next).map(Value::int).or_else(|_| i64::try_from(next).map(Value::long));
            self.constants
                .insert(name.text, value.map_err(|_| fault(name.place, "no enum holds this", "check its value"))?);
            next += 1;
            if !cursor.take(",") && !cursor.is("}") {
                return Err(fault(
                    cursor.place(),
                    format!("{} in an enum", cursor.found()),
                    "constants stand between commas",
                ));
            }
        }
        self.attributes(cursor, &mut attributes)?;
        if attributes.packed {
            return Err(fault(place, "a packed enum is not placed", "declare members of it as the integer that it is"));
        }
        let integer = match (least < 0, most) {
            (true, _) if least >= i32::MIN.into() && most <= i32::MAX.into() => "int",
            (true, _) => "long",
            (false, _) if most <= u32::MAX.into() => "unsigned",
            (false, _) => "long unsigned",
        };
        let integer: Vec<_> = integer.split(' ').collect();
        let of = fixed.or_else(|| of_keywords(&integer)).map(|of| Type { name: name.clone(), ..of });
        let of = of.expect("these words make a type");
        self.tags.insert(name, of.clone());
        Ok(Base::Known(of))
    }

    /// `__attribute__((packed, aligned(8)))` and `alignas(8)`, as many as there are.
    pub(super) fn attributes(&mut self, cursor: &mut Cursor<'_, 't>, into: &mut Attributes) -> Result<(), Fault> {
        while let Some(token) = cursor.peek().filter(|token| ATTRIBUTES.contains(&token.text)) {
            cursor.next();
            cursor.expect("(", "behind an attribute's name")?;
            if token.text.contains("lignas") {
                self.alignment(cursor, into)?;
                cursor.expect(")", "behind an alignment")?;
                continue;
            }
            cursor.expect("(", "twice behind __attribute__")?;
            while !cursor.is(")") {
                let word = cursor.word("an attribute")?;
                match word.text.trim_matches('_') {
                    "packed" => into.packed = true,
                    "aligned" if cursor.take("(") => {
                        self.alignment(cursor, into)?;
                        cursor.expect(")", "behind an alignment")?;
                    }
                    // The widest that any type has.
                    "aligned" => into.aligned = 16,
                    _ => cursor.skip_parentheses(),
                }
                cursor.take(",");
            }
            cursor.expect(")", "behind an attribute")?;
            cursor.expect(")", "twice behind an attribute")?;
        }
        Ok(())
    }

    pub(super) fn alignment(&mut self, cursor: &mut Cursor<'_, 't>, into: &mut Attributes) -> Result<(), Fault> {
        let from = cursor.place();
        let number = if cursor.peek().is_some_and(|token| self.is_type(token)) {
            let base = self.specifiers(cursor)?.base;
            self.resolve(base, cursor)?.align as i128
        } else {
            constant(cursor, self)?.number
        };
        let align = usize::try_from(number).ok().filter(|align| align.is_power_of_two() && *align <= 1 << 28);
        let place = from.to(cursor.last_place());
        let align = align.ok_or_else(|| fault(place, "this is no alignment", "it is a power of two, such as 64"))?;
        into.aligned = into.aligned.max(align);
        Ok(())
    }
}

impl<'t> Names<'t> for Declarations<'t> {
    fn value(&self, name: &str) -> Option<Value> {
        self.constants.get(name).copied().or_else(|| constant_of_the_system(name))
    }

    fn is_type(&self, token: Token<'t>) -> bool {
        let is_keyword =
            |text| KEYWORDS.contains(&text) || ["struct", "union", "enum", "const", "volatile"].contains(&text);
        let is_named = |text| self.aliases.contains_key(text) || of_the_system(text).is_some();
        token.class == Class::Word && (is_keyword(token.text) || is_named(token.text))
    }

    fn type_at(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<(usize, Cast), Fault> {
        let from = cursor.place();
        let Specified { base, array, .. } = self.specifiers(cursor)?;
        if cursor.is("*") {
            return Err(fault(cursor.place(), "a pointer's size is no size of data", "write the number that is meant"));
        }
        let base = self.resolve(base, cursor)?;
        let token = Token { class: Class::Word, text: "it", place: from, begins_line: false };
        let array = [self.dimensions(cursor, token)?, array].concat();
        let size = size_of_array(&base, &array).ok_or_else(|| too_large(from.to(cursor.last_place())))?;
        Ok((size, base.cast().filter(|_| array.is_empty())))
    }
}
