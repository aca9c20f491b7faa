//! What a side asks for, and what memory is taken for.

use super::key::Key;
use crate::backend::Wanted;
use crate::backend::memory::Geometry;
use crate::backend::memory::mapped::Shape;
use crate::backend::memory::offsets::{SLOT, ring};
use crate::declare::Declared;
use crate::error::{Error, Layout};
use std::fmt;

/// A declared layout: where its places are, and how it is told to users.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) geometry: Geometry,
    /// In the terse form.
    spec: String,
}

/// Kept until the process ends, each layout once: so options are copied as numbers are, and no view outlives its layout.
#[allow(clippy::disallowed_types, reason = "no model looks at it: it orders nothing")]
static KEPT: std::sync::Mutex<Vec<&'static Wish>> = std::sync::Mutex::new(Vec::new());

impl Wish {
    pub(super) fn of(declared: &Declared) -> &'static Self {
        let wish = Self { geometry: Geometry::from(declared), spec: declared.to_string() };
        let mut kept = KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(kept) = kept.iter().find(|kept| ***kept == wish) {
            return kept;
        }
        let wish: &Self = Box::leak(Box::new(wish));
        kept.push(wish);
        wish
    }

    /// The layout with this hash, if a segment of `size` bytes looks like it by itself: one flag in front of a text or of a
    /// record, or behind it. A hash is all that the other side tells.
    pub(super) fn guess(size: usize, hash: u16) -> Option<&'static Self> {
        let len = size.checked_sub(4).filter(|len| hash != 0 && *len > 0)?;
        let specs = [
            format!("flag=i32@0,text={len}@4,size={size}"),
            format!("flag=i32@{len},text={len}@0,size={size}"),
            format!("flag=i32@0,data={len}@4,size={size}"),
            format!("flag=i32@{len},data={len}@0,size={size}"),
        ];
        let mut declared = specs.iter().filter_map(|spec| spec.parse::<Declared>().ok());
        declared.find(|declared| declared.hash() == hash).map(|declared| Self::of(&declared))
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spec)
    }
}

/// What memory is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    Slot,
    Ring { capacity: usize },
    Declared(&'static Wish),
}

impl Plan {
    pub(super) fn shape(self) -> Shape<'static> {
        match self {
            Self::Slot => Shape::Slot,
            Self::Ring { capacity } => Shape::Ring(capacity),
            Self::Declared(wish) => Shape::Declared(&wish.geometry),
        }
    }

    pub(super) fn layout(self) -> Layout {
        self.shape().layout()
    }

    /// Of a declared layout; 0: it is none.
    pub(super) fn hash(self) -> u16 {
        if let Self::Declared(wish) = self { wish.geometry.hash() } else { 0 }
    }

    /// Where in the segment its slot begins.
    pub(super) fn at(self) -> usize {
        if let Self::Declared(wish) = self { wish.geometry.at() } else { 0 }
    }

    /// Whether the segment has nothing else, so that the end of a session removes it.
    pub(super) fn is_all(self) -> bool {
        if let Self::Declared(wish) = self { wish.geometry.is_all() } else { true }
    }
}

impl From<Layout> for Plan {
    /// Of a layout that says all by itself.
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Slot => Self::Slot,
            Layout::Ring { capacity } => Self::Ring { capacity },
            Layout::Declared => unreachable!("a declared layout is not told by its name"),
        }
    }
}

/// What may be met at a key, and what is made where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// A classic slot and nothing else.
    Classic,
    /// A ring; of this capacity, or of any where one is found.
    Ring { capacity: usize, exactly: bool },
    /// A declared slot.
    Declared(&'static Wish),
    /// Whatever is found; a classic slot is made.
    Any,
}

impl Want {
    /// A declared slot, or the classic one, if that is what was declared.
    pub(super) fn declared(declared: &Declared) -> Self {
        if declared.hash() == classic().hash() && declared.size() == classic().size() {
            return Self::Classic;
        }
        Self::Declared(Wish::of(declared))
    }

    /// What is made.
    pub(super) fn plan(self) -> Plan {
        match self {
            Self::Classic | Self::Any => Plan::Slot,
            Self::Ring { capacity, .. } => Plan::Ring { capacity },
            Self::Declared(wish) => Plan::Declared(wish),
        }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::Classic | Self::Any => SLOT.size,
            Self::Ring { capacity, .. } => ring::size(capacity),
            Self::Declared(wish) => wish.geometry.size(),
        }
    }

    /// Of a side that can use `wanted` alone.
    pub(super) fn narrowed(self, wanted: Option<Wanted>) -> Self {
        match (self, wanted) {
            (Self::Any, Some(Wanted::Slot)) => Self::Classic,
            (Self::Any, Some(Wanted::Ring)) => Self::Ring { capacity: ring::DEFAULT, exactly: false },
            (want, _) => want,
        }
    }

    /// Whether what was found will do.
    pub(super) fn accept(self, key: Key, found: Layout) -> Result<(), Error> {
        let accepted = match (self, found) {
            (Self::Any, _) | (Self::Classic, Layout::Slot) | (Self::Declared(_), Layout::Declared) => true,
            (Self::Ring { capacity, exactly }, Layout::Ring { capacity: found }) => !exactly || found == capacity,
            _ => false,
        };
        if accepted {
            return Ok(());
        }
        Err(Error::OtherLayout { key: key.number(), found: found.to_string(), wanted: self.to_string() })
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(wish) => write!(f, "the layout {wish}"),
            want => want.plan().layout().fmt(f),
        }
    }
}

/// The tutorial's struct, as a declaration.
fn classic() -> Declared {
    format!("text[{}]", SLOT.text_len).parse().expect("it has a flag and a text")
}
