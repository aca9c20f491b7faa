//! From a pointer and a length to views: the only unsafe of its kind. What is told here of a
//! mapping is told once, and holds until it is let go.

#[cfg(not(model))]
use super::Payload;
#[cfg(not(model))]
use super::offsets::{SLOT, ring};
use super::{DeclaredView, Geometry, RingView, SlotView};
use crate::error::Layout;
#[cfg(not(model))]
use crate::sync::AtomicU32;
#[cfg(not(model))]
use core::ptr::NonNull;

/// The view of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Mapped<'a> {
    /// Of a classic slot; where the layout is another, one that nobody fills.
    pub slot: SlotView<'a>,
    /// Of a ring.
    pub ring: Option<RingView<'a>>,
    /// Of a declared slot.
    pub declared: Option<DeclaredView<'a>>,
}

/// What a mapping is to be taken for.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    /// A classic slot.
    Slot,
    /// A ring with so many bytes for records.
    Ring(usize),
    /// A declared slot.
    Declared(&'a Geometry),
}

impl Shape<'_> {
    /// Which layout that is.
    #[must_use]
    pub fn layout(self) -> Layout {
        match self {
            Self::Slot => Layout::Slot,
            Self::Ring(capacity) => Layout::Ring { capacity },
            Self::Declared(_) => Layout::Declared,
        }
    }
}

// SAFETY: views reach their memory by atomics alone; the mapping belongs to the process.
unsafe impl Send for Mapped<'_> {}

#[cfg(not(model))]
impl<'a> Mapped<'a> {
    /// What lies at `first`, laid out as `shape`. `reached`: a heavy fence of the peer
    /// reaches this process.
    ///
    /// # Panics
    /// If `len` is not the size of that layout.
    ///
    /// # Safety
    /// So many bytes are mapped there, page-aligned, and stay for as long as this and its views are
    /// used; in this process they are reached by atomics of the words' sizes alone. (Other
    /// processes are outside Rust's memory model, and an atomic of one size is what is
    /// defined whatever they do.)
    #[must_use]
    pub unsafe fn new(first: NonNull<u8>, len: usize, shape: Shape<'a>, reached: bool) -> Self {
        match shape {
            Shape::Slot => {
                assert_eq!(len, SLOT.size, "the size of a slot");
                // SAFETY: within the mapping, whose size is the struct's; aligned, since pages are.
                let slot = unsafe {
                    SlotView {
                        flag: AtomicU32::from_ptr(first.as_ptr().add(SLOT.flag_at).cast()),
                        text: Payload::from_raw(first.as_ptr().add(SLOT.text_at), SLOT.text_len),
                    }
                };
                Self { slot, ring: None, declared: None }
            }
            Shape::Ring(capacity) => {
                assert!(ring::is_capacity(capacity) && len == ring::size(capacity), "the size of a ring");
                let first = first.as_ptr().wrapping_add(ring::RECORDS_AT);
                let first = NonNull::new(first).expect("a mapping does not end at the end of the addresses");
                // SAFETY: the header lies before the records, and both are within the mapping.
                let ring = unsafe { RingView::from_raw(first, capacity, capacity / 4, reached) };
                Self { slot: SlotView::closed(), ring: Some(ring), declared: None }
            }
            Shape::Declared(geometry) => {
                // SAFETY: the caller's promise; a page is aligned.
                let declared = unsafe { DeclaredView::from_raw(first, len, geometry) };
                Self { slot: SlotView::closed(), ring: None, declared: Some(declared) }
            }
        }
    }
}

impl Mapped<'_> {
    /// Which it is.
    #[must_use]
    pub fn layout(&self) -> Layout {
        match self.ring {
            _ if self.declared.is_some() => Layout::Declared,
            Some(ring) => Layout::Ring { capacity: ring.capacity() },
            None => Layout::Slot,
        }
    }
}
