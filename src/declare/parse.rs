//! C declarations: structs, unions and typedefs. What else a header has is skipped.

use super::cursor::Cursor;
use super::fault::{Fault, fault};
use super::known::{Base, Declarations, Definition, Specified, bit_field, pointer};
use super::lex::{Class, Token};
use super::place::{Attributes, Field, place};
use std::collections::HashSet;

impl<'t> Declarations<'t> {
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<(), Fault> {
        while let Some(token) = cursor.peek() {
            let next = cursor.peek_next();
            match token.text {
                // (The brace ends an `extern "C"`.)
                ";" | "}" | "static" | "const" | "volatile" => _ = cursor.next(),
                "extern" if next.is_some_and(|next| next.class == Class::Quoted) => {
                    cursor.skip(2);
                    cursor.take("{");
                }
                "typedef" => self.typedef(cursor)?,
                "struct" | "union" | "enum" => {
                    self.specifiers(cursor)?;
                    cursor.skip_declaration();
                }
                _ => cursor.skip_declaration(),
            }
        }
        Ok(())
    }

    pub(super) fn typedef(&mut self, cursor: &mut Cursor<'_, 't>) -> Result<(), Fault> {
        let specified = self.specifiers(cursor)?;
        while !cursor.take(";") {
            let mut alias = specified.clone();
            if let Some(name) = cursor.name_of_address() {
                cursor.skip_declarator();
                self.aliases.insert(name, Specified { base: Base::Address, ..alias });
            } else {
                let name = cursor.word("the name of a type")?;
                alias.array = [self.dimensions(cursor, name)?, alias.array].concat();
                self.attributes(cursor, &mut alias.attributes)?;
                if let Base::Known(of) = &mut alias.base {
                    if let Some(definition) = of.definition.filter(|_| alias.array.is_empty()) {
                        self.structs[definition].names.push(name.text);
                    }
                    name.text.clone_into(&mut of.name);
                    if alias.attributes.aligned > 0 {
                        of.align = alias.attributes.aligned;
                    }
                }
                // They are the type's from here on.
                alias.attributes = Attributes::default();
                self.aliases.insert(name.text, alias);
            }
            if !cursor.take(",") && !cursor.is(";") {
                let message = format!("{} behind the name of a type", cursor.found());
                return Err(fault(cursor.place(), message, "a typedef ends with `;`"));
            }
        }
        Ok(())
    }

    pub(super) fn structure(&mut self, cursor: &mut Cursor<'_, 't>, keyword: Token<'t>) -> Result<Base<'t>, Fault> {
        let mut attributes = Attributes::default();
        self.attributes(cursor, &mut attributes)?;
        let tag = cursor.peek().filter(|token| token.class == Class::Word);
        let name_place = tag.map_or(keyword.place, |tag| tag.place);
        let name = tag.map_or(keyword.text.to_owned(), |tag| format!("{} {}", keyword.text, tag.text));
        if tag.is_some() {
            cursor.next();
        }
        if !cursor.is("{") {
            return Ok(match tag {
                Some(_) => Base::Tag(name, name_place),
                None => {
                    return Err(fault(
                        cursor.place(),
                        format!("{} where `{{` is expected", cursor.found()),
                        "a struct is struct { … }",
                    ));
                }
            });
        }
        cursor.deeper()?;
        cursor.next();
        let mut fields = Vec::new();
        while !cursor.is("}") {
            self.members(cursor, &mut fields)?;
        }
        let pack = cursor.pack;
        cursor.next();
        cursor.higher();
        self.attributes(cursor, &mut attributes)?;
        let mut names = HashSet::new();
        if let Some(again) = fields.iter().find(|field| !field.name.is_empty() && !names.insert(&field.name)) {
            return Err(fault(
                again.place,
                format!("`{}` is declared twice", again.name),
                "a member's name is its own",
            ));
        }
        if fields.is_empty() {
            return Err(fault(name_place, "this has no members", "an empty struct carries nothing"));
        }
        let is_struct = keyword.text == "struct";
        for part in fields.iter().filter_map(|field| field.base.definition) {
            self.structs[part].is_part = true;
        }
        let mut placed = place(fields, attributes, pack, !is_struct)?;
        let member_places = std::mem::take(&mut placed.places);
        let of = placed.into_type(&name, is_struct.then_some(self.structs.len()));
        if is_struct {
            let names = tag.iter().map(|tag| tag.text).collect();
            self.structs.push(Definition {
                names,
                place: name_place,
                of: of.clone(),
                places: member_places,
                is_part: false,
            });
        }
        if tag.is_some() {
            self.tags.insert(name, of.clone());
        }
        Ok(Base::Known(of))
    }

    /// The members that one declaration within a struct declares.
    pub(super) fn members(&mut self, cursor: &mut Cursor<'_, 't>, fields: &mut Vec<Field>) -> Result<(), Fault> {
        match cursor.peek() {
            None => return Err(fault(cursor.place(), "the end where `}` is expected", "a struct ends with `}`")),
            Some(token) if token.is(";") => return Ok(_ = cursor.next()),
            // Of C++, and placed elsewhere.
            Some(token) if token.is("static") || token.is("static_assert") || token.is("_Static_assert") => {
                cursor.skip_declaration();
                return Ok(());
            }
            Some(token)
                if cursor.peek_next().is_some_and(|next| next.is(":"))
                    && ["public", "private", "protected"].contains(&token.text) =>
            {
                cursor.skip(2);
                return Ok(());
            }
            Some(_) => {}
        }
        let from = cursor.place();
        let specified = self.specifiers(cursor)?;
        if cursor.is(";") {
            cursor.next();
            if let Base::Known(base) = specified.base
                && (base.name == "struct" || base.name == "union")
            {
                let merged = base.definition.map(|definition| self.structs[definition].places.clone());
                let (name, array, attributes) = (String::new(), Vec::new(), specified.attributes);
                fields.push(Field { name, place: from, base, array, attributes, merged });
            }
            return Ok(());
        }
        loop {
            let Specified { base, array, mut attributes } = specified.clone();
            let from = cursor.place();
            if let Some(name) = cursor.name_of_address() {
                return Err(pointer(from.to(cursor.last_place()), name));
            }
            if cursor.peek_next().is_some_and(|next| next.is("(")) {
                let message = format!("{} is a function", cursor.found());
                return Err(fault(from, message, "declare it outside of the struct"));
            }
            let base = self.resolve(base, cursor)?;
            if cursor.is(":") {
                return Err(bit_field(cursor.place()));
            }
            let name = cursor.word("the name of a member")?;
            let array = [self.dimensions(cursor, name)?, array].concat();
            self.attributes(cursor, &mut attributes)?;
            if cursor.is(":") {
                return Err(bit_field(name.place.to(cursor.place())));
            }
            if cursor.is("=") {
                cursor.skip_declarator();
            }
            fields.push(Field { name: name.text.to_owned(), place: name.place, base, array, attributes, merged: None });
            if !cursor.take(",") {
                cursor.expect(";", "behind each member")?;
                return Ok(());
            }
        }
    }
}
