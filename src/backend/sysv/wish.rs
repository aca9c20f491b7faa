//! Declared layouts that were asked for.

use crate::backend::memory::Geometry;
use crate::declare::Declared;
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
