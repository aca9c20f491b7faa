//! What a side asks for, and what memory is taken for.

use super::key::Key;
use super::wish::Wish;
use crate::backend::Wanted;
use crate::backend::memory::Geometry;
use crate::backend::memory::mapped::Shape;
use crate::backend::memory::offsets::{SLOT, ring};
use crate::declare::Declared;
use crate::error::{Error, Layout};
use std::fmt;

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

    /// As a declaration; a ring is none.
    pub(super) fn declared(self) -> Option<Declared> {
        match self {
            Self::Slot => Some(classic()),
            Self::Ring { .. } => None,
            Self::Declared(wish) => wish.to_string().parse().ok(),
        }
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
        // (By all of it: hashes collide.)
        if Geometry::from(declared) == Geometry::from(&classic()) {
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
        Err(Error::OtherLayout { key: key.number(), found: found.to_string(), wanted: self.to_string(), larger: None })
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
