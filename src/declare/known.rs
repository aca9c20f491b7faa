//! What a text has declared so far.

use super::constant::Value;
use super::fault::{Fault, Place, fault};
use super::lex::Token;
use super::place::Attributes;
use super::types::Type;
use std::collections::HashMap;

/// A struct that the text declares.
pub(super) struct Definition<'t> {
    /// Its tag, and its names by typedef.
    pub(super) names: Vec<&'t str>,
    pub(super) place: Place,
    pub(super) of: Type,
    /// Where its members are declared.
    pub(super) places: Vec<Place>,
    /// Whether it is a part of another one.
    pub(super) is_part: bool,
}

/// A type, as far as it is known where it is named.
#[derive(Clone)]
pub(super) enum Base<'t> {
    Known(Type),
    /// `struct TAG`, which may be declared later.
    Tag(String, Place),
    Unknown(Token<'t>),
    /// A pointer, by typedef.
    Address,
}

/// A type with what stands around it.
#[derive(Clone)]
pub(super) struct Specified<'t> {
    pub(super) base: Base<'t>,
    /// Of a typedef that names an array.
    pub(super) array: Vec<usize>,
    pub(super) attributes: Attributes,
}

/// What the text has declared so far.
#[derive(Default)]
pub(super) struct Declarations<'t> {
    pub(super) structs: Vec<Definition<'t>>,
    pub(super) tags: HashMap<String, Type>,
    pub(super) aliases: HashMap<&'t str, Specified<'t>>,
    pub(super) constants: HashMap<&'t str, Value>,
}

pub(super) fn pointer(place: Place, name: &str) -> Fault {
    let hint = "declare what it points to as a member of the struct, such as char text[2048]";
    fault(place, format!("`{name}` is a pointer, and an address means nothing in another process"), hint)
}

pub(super) fn bit_field(place: Place) -> Fault {
    fault(place, "a bit-field has no offset of its own", "declare the integer that holds it, such as unsigned bits;")
}
