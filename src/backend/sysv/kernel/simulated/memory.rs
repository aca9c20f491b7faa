//! What lies in a segment of the simulated kernel: the words that the backend knows of, by their offsets.

use crate::backend::memory::mapped::{Mapped, Shape};
use crate::backend::memory::modelled::{DeclaredWords, RingWords, SlotWords};
use crate::backend::memory::offsets::{SLOT, ring};
use crate::backend::memory::{DeclaredView, Payload, header};
use crate::sync::{AtomicU32, AtomicU64};
use std::ptr;
use std::sync::Arc;

/// The memory of a segment, all zero at first. What is no place of a layout has no words, and stays zero.
#[derive(Debug)]
pub(super) struct Memory {
    /// A classic slot, or what stands there in a ring for C programs.
    slot: SlotWords,
    ring: Option<Ring>,
    /// Whatever is declared, in a segment of another size: one slot.
    declared: Option<DeclaredWords>,
}

#[derive(Debug)]
struct Ring {
    magic: AtomicU64,
    version: AtomicU32,
    capacity: AtomicU64,
    stream: AtomicU64,
    schema: AtomicU64,
    words: RingWords,
}

// SAFETY: the cells are the text and the records, reached through `Payload` alone, one word at a time; loom checks
// each access, and stops the model at a race before it happens. Under shuttle the cells are atomics.
#[cfg(loom)]
unsafe impl Sync for Memory {}
// SAFETY: as above.
#[cfg(loom)]
unsafe impl Send for Memory {}

impl Memory {
    pub(super) fn new(size: usize) -> Arc<Self> {
        let capacity = size.checked_sub(ring::RECORDS_AT).filter(|capacity| ring::is_capacity(*capacity));
        let is_declared = size != SLOT.size && capacity.is_none();
        let memory = Arc::new(Self {
            declared: is_declared.then(|| DeclaredWords::new(size)),
            slot: SlotWords::new(SLOT.text_len),
            ring: capacity.map(|capacity| Ring {
                magic: AtomicU64::new(0),
                version: AtomicU32::new(0),
                capacity: AtomicU64::new(0),
                stream: AtomicU64::new(0),
                schema: AtomicU64::new(0),
                words: RingWords::new(
                    capacity,
                    capacity / 4,
                    0,
                    #[cfg(loom)]
                    false,
                ),
            }),
        });
        #[cfg(any(loom, explored))]
        memory.label();
        memory
    }

    /// Names each word, for the record of an execution.
    #[cfg(any(loom, explored))]
    fn label(&self) {
        crate::sync::trace().new_memory();
        match &self.ring {
            Some(Ring { magic, version, capacity, stream, schema, words }) => {
                magic.label("magic", 0);
                version.label("version", 0);
                capacity.label("capacity", 0);
                stream.label("stream", 0);
                schema.label("schema", 0);
                words.label();
            }
            None => match &self.declared {
                Some(declared) => declared.label(),
                None => self.slot.label(),
            },
        }
    }

    fn of_ring(&self) -> &Ring {
        self.ring.as_ref().expect("a segment of a ring's size")
    }
}

/// An attachment of a segment.
#[derive(Debug)]
pub(in crate::backend::sysv) struct Attachment {
    pub(super) memory: Arc<Memory>,
    /// Its number, as an address tells attachments apart.
    pub(super) number: u64,
}

/// Safe here, and as the Linux face has them: what is attached stays, for it is counted.
#[allow(clippy::unused_self, reason = "of one signature with the Linux face's")]
impl Attachment {
    /// The 32-bit word at `offset`.
    pub(in crate::backend::sysv) unsafe fn word(&self, offset: usize) -> &AtomicU32 {
        match offset {
            _ if offset == SLOT.flag_at => self.memory.slot.flag(),
            ring::VERSION_AT => &self.memory.of_ring().version,
            _ => unreachable!("the backend asks for no word at {offset}"),
        }
    }

    /// The 64-bit word at `offset`.
    pub(in crate::backend::sysv) unsafe fn double_word(&self, offset: usize) -> &AtomicU64 {
        match offset {
            ring::MAGIC_AT => &self.memory.of_ring().magic,
            ring::CAPACITY_AT => &self.memory.of_ring().capacity,
            ring::STREAM_AT => &self.memory.of_ring().stream,
            ring::SCHEMA_AT => &self.memory.of_ring().schema,
            _ => unreachable!("the backend asks for no double word at {offset}"),
        }
    }

    /// The `len` bytes at `offset`.
    pub(in crate::backend::sysv) unsafe fn payload(&self, offset: usize, len: usize) -> Payload<'_> {
        assert_eq!((offset, len), (SLOT.text_at, SLOT.text_len), "the backend asks for the text alone");
        self.memory.slot.view().text
    }

    /// The 32 bits at `offset`.
    pub(in crate::backend::sysv) unsafe fn bits(&self, offset: usize) -> u32 {
        if offset == SLOT.flag_at {
            return header::get(self.memory.slot.flag());
        }
        if let Some(at) = offset.checked_sub(SLOT.text_at).filter(|at| *at < SLOT.text_len) {
            return self.memory.slot.text_bits(at);
        }
        let Some(ring) = &self.memory.ring else { return 0 };
        let (wide, half) = (offset & !7, offset & 7);
        match offset {
            ring::VERSION_AT => header::get(&ring.version),
            _ if wide == ring::MAGIC_AT => header::get_half(&ring.magic, half),
            _ if wide == ring::CAPACITY_AT => header::get_half(&ring.capacity, half),
            _ if wide == ring::STREAM_AT => header::get_half(&ring.stream, half),
            _ if wide == ring::SCHEMA_AT => header::get_half(&ring.schema, half),
            _ => ring.words.bits(offset),
        }
    }

    /// The places of what it is taken for, bound to nothing else.
    ///
    /// # Safety
    /// The attachment stays for as long as what is returned and its views are used.
    pub(in crate::backend::sysv) unsafe fn views<'a>(
        &self,
        size: usize,
        shape: Shape<'a>,
        _reachable: bool,
    ) -> Mapped<'a> {
        // SAFETY: what is attached stays where it is: the caller's promise.
        let memory: &'a Memory = unsafe { &*ptr::from_ref(&*self.memory) };
        match shape {
            Shape::Slot => {
                assert_eq!(size, SLOT.size, "the size of a slot");
                Mapped { slot: memory.slot.view(), ring: None, declared: None }
            }
            Shape::Ring(capacity) => {
                assert_eq!(size, ring::size(capacity), "the size of a ring");
                let ring = Some(memory.of_ring().words.view());
                Mapped { slot: memory.slot.view(), ring, declared: None }
            }
            Shape::Declared(geometry) => {
                assert!(geometry.accepts(size), "the size of a declared slot");
                let words = memory.declared.as_ref().expect("a segment of another size than a slot's or a ring's");
                let declared = Some(DeclaredView::from_words(words, geometry));
                Mapped { slot: words.closed(), ring: None, declared }
            }
        }
    }

    /// There is no fork.
    pub(in crate::backend::sysv) fn keep_from_children(&self, _size: usize) {}
}
