//! Where the C ABI of this machine places the members of a struct.

use super::cursor::DEEPEST;
use super::fault::{Fault, Place, fault};
use super::types::{Kind, Member, Type};
use std::sync::Arc;

/// So many members may a struct have, those of its members included.
const MOST_MEMBERS: usize = 4096;

/// No object is larger.
pub(super) const MOST_BYTES: usize = isize::MAX as usize;

/// What is said beside a type or a member about where it may lie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attributes {
    pub(super) packed: bool,
    /// 0: nothing is said.
    pub(super) aligned: usize,
}

/// A member that is not placed yet.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) base: Type,
    pub(super) array: Vec<usize>,
    pub(super) attributes: Attributes,
    /// Its members stand among those around it, and these are their places.
    pub(super) merged: Option<Vec<Place>>,
}

pub(super) struct Placed {
    pub(super) members: Vec<Member>,
    /// Where each of them is declared.
    pub(super) places: Vec<Place>,
    pub(super) size: usize,
    pub(super) align: usize,
    pub(super) weight: usize,
    pub(super) depth: usize,
}

impl Placed {
    pub(super) fn into_type(self, name: &str, definition: Option<usize>) -> Type {
        let kind = if definition.is_some() { Kind::Struct(Arc::from(self.members)) } else { Kind::Union };
        Type { definition, weight: self.weight, depth: self.depth, ..Type::new(name, self.size, self.align, kind) }
    }
}

pub(super) fn too_large(place: Place) -> Fault {
    fault(place, "no memory is so large", "check the sizes")
}

/// The size of an array of such elements.
pub(super) fn size_of_array(base: &Type, array: &[usize]) -> Option<usize> {
    let size = array.iter().try_fold(base.size, |size, len| size.checked_mul(*len));
    size.filter(|size| *size <= MOST_BYTES)
}

/// One behind the other, or in a union all at the beginning. `pack` is what `#pragma pack` allows (0: all).
pub(super) fn place(fields: Vec<Field>, whole: Attributes, pack: usize, is_union: bool) -> Result<Placed, Fault> {
    let mut placed =
        Placed { members: Vec::new(), places: Vec::new(), size: 0, align: whole.aligned.max(1), weight: 0, depth: 0 };
    let mut next = 0_usize;
    for Field { name, place, base, array, attributes, merged } in fields {
        // By its type, or anywhere if packed; wider if it says so; never wider than the pragma says.
        let natural = if whole.packed || attributes.packed { 1 } else { base.align };
        let most = if pack == 0 { usize::MAX } else { pack };
        let align = natural.max(attributes.aligned).min(most);
        let offset = if is_union { 0 } else { next.next_multiple_of(align) };
        let size = size_of_array(&base, &array).ok_or_else(|| too_large(place))?;
        next = offset.checked_add(size).filter(|end| *end <= MOST_BYTES / 2).ok_or_else(|| too_large(place))?;
        if !array.is_empty() && base.size % base.align != 0 {
            let message = format!("`{name}` is an array of elements that are aligned to more bytes than they have");
            return Err(fault(place, message, "C has no such array: align the array, and not its elements"));
        }
        placed.size = placed.size.max(next);
        placed.align = placed.align.max(align);
        placed.weight += base.weight;
        placed.depth = placed.depth.max(base.depth + 1);
        if placed.weight > MOST_MEMBERS || placed.depth > DEEPEST {
            let message = format!("a struct of more than {MOST_MEMBERS} members, or more than {DEEPEST} deep");
            return Err(fault(place, message, "declare large parts as arrays of bytes"));
        }
        match (merged, &base.kind) {
            (Some(inner_places), Kind::Struct(inner)) => {
                placed.members.extend(inner.iter().map(|one| Member { offset: offset + one.offset, ..one.clone() }));
                placed.places.extend(inner_places);
            }
            (_, kind) => {
                placed.members.push(Member { name, type_name: base.name, offset, size, array, kind: kind.clone() });
                placed.places.push(place);
            }
        }
    }
    placed.size = placed.size.next_multiple_of(placed.align);
    Ok(placed)
}
