//! The one table of memory orders.

use crate::sync::Ordering;

/// Every memory order that the protocol uses. An entry is used at one place in the
/// source, and each is needed: the loom suite has a model that fails when it is
/// weakened by one step; a fence also when it is left out.
///
/// ```
/// use shm_handoff::orders::{SHIPPED, UNORDERED};
/// use std::sync::atomic::Ordering;
/// assert_eq!((SHIPPED.publish, SHIPPED.see_full), (Ordering::Release, Ordering::Acquire));
/// assert_eq!(UNORDERED.publish, Ordering::Relaxed);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// The writer's store of a full flag. Edge `text`, giving end: the text
    /// that was copied in is seen by the side that sees the flag. Weaker: the reader
    /// sees the flag before the text (defect D2).
    pub publish: Ordering,
    /// The reader's look. Edge `text`, taking end. Weaker: the text is read
    /// before the flag is, in effect: stale or torn text (D2).
    pub see_full: Ordering,
    /// The reader's store of an empty flag. Edge `room`, giving end: the copy
    /// out is over for the side that sees the flag. Weaker: the writer's next text
    /// can be read as this one (D3's kin).
    pub release: Ordering,
    /// The writer's look. Edge `room`, taking end. Weaker: the next text is
    /// copied in while the last one is still being copied out.
    pub see_empty: Ordering,
    /// Ring: the writer's store of the first flag of those that it publishes
    /// together. Edge `record`, giving end: the bytes of them all, their flags,
    /// and the empty flag behind the last. Weaker: a flag is seen before its
    /// bytes.
    pub ring_publish: Ordering,
    /// Ring: the reader's look at a flag. Edge `record`, taking end. Weaker: as
    /// above, from the other side. (The look behind a jump needs no order: the jump
    /// is published later than the record that it leads to.)
    pub ring_peek: Ordering,
    /// Ring: the reader's store of the head. Edge `space`, giving end: what lies
    /// before it was copied out. Weaker: a record is written over while it is
    /// still being copied out.
    pub give_back: Ordering,
    /// Ring: the look at the head of a writer that has no room as far as it knows.
    /// Edge `space`, taking end. Weaker: as above, from the other side. (The look of a
    /// side that comes needs no order: `fence_writer_comes` is between it and all that
    /// the writer writes.)
    pub take_space: Ordering,
    /// Ring: the store of the magic, the last one of the header's maker. Edge `header`,
    /// giving end. Weaker: a ring is recognised before its header is there.
    pub ring_made: Ordering,
    /// Ring: the look at the magic. Edge `header`, taking end. Weaker: as above, from
    /// the other side.
    pub ring_recognised: Ordering,
    /// Ring: between the writer's publishing and its look at the reader's parked word.
    /// With the next one it makes sure that the reader sees the record or the
    /// writer sees the parked word; without either one a reader sleeps beside a record.
    pub fence_published: Option<Ordering>,
    /// Ring: between the reader's parked word and its last look.
    pub fence_reader_sleeps: Option<Ordering>,
    /// Ring: between giving space back and the look at the writer's parked word; with
    /// the next one as above, for a writer that sleeps beside free space.
    pub fence_given_back: Option<Ordering>,
    /// Ring: between the writer's parked word and its last look.
    pub fence_writer_sleeps: Option<Ordering>,
    /// Ring: of a writer that comes, before it clears the reader's parked word and wakes it:
    /// `fence_published` in place of a predecessor that died before it came to that.
    /// And edge `space`, taking end, of the look at the head before it.
    pub fence_writer_comes: Option<Ordering>,
    /// Ring: the same of a reader that comes, in place of `fence_given_back`.
    pub fence_reader_comes: Option<Ordering>,
}

/// The orders that ship.
pub const SHIPPED: Orders = Orders {
    publish: Ordering::Release,
    see_full: Ordering::Acquire,
    release: Ordering::Release,
    see_empty: Ordering::Acquire,
    ring_publish: Ordering::Release,
    ring_peek: Ordering::Acquire,
    give_back: Ordering::Release,
    take_space: Ordering::Acquire,
    ring_made: Ordering::Release,
    ring_recognised: Ordering::Acquire,
    fence_published: Some(Ordering::SeqCst),
    fence_reader_sleeps: Some(Ordering::SeqCst),
    fence_given_back: Some(Ordering::SeqCst),
    fence_writer_sleeps: Some(Ordering::SeqCst),
    fence_writer_comes: Some(Ordering::SeqCst),
    fence_reader_comes: Some(Ordering::SeqCst),
};

/// No order at all: what the tutorial's programs have, and its defect D2.
pub const UNORDERED: Orders = Orders {
    publish: Ordering::Relaxed,
    see_full: Ordering::Relaxed,
    release: Ordering::Relaxed,
    see_empty: Ordering::Relaxed,
    ..SHIPPED
};

/// Of what needs no order, being ordered by the table's entries around it: the
/// parked words, the flags that are published with another one, the look at a flag behind a
/// jump, the empty flag behind a record, the reader's released position, the look at the head of a
/// side that comes, and the header's words but for its magic.
pub(crate) const RELAXED: Ordering = Ordering::Relaxed;

/// Of an intent's number, which is stored behind its words and before what it announces is published. Only a kill can come between
/// them, and the successor sees what the dead one has stored by the kernel's edge (contract B4), in whatever order.
/// So this holds the compiler alone to the program's order; no model can tell it from a relaxed one.
pub(crate) const BEFORE_A_KILL: Ordering = Ordering::Release;

/// A fence of the table.
#[inline]
#[cfg_attr(crash, track_caller)]
pub(crate) fn barrier(entry: Option<Ordering>) {
    if let Some(order) = entry {
        crate::sync::fence(order);
    }
}

/// The orders in force: the table, always.
#[cfg(not(any(loom, explored)))]
#[inline]
pub(crate) const fn orders() -> Orders {
    SHIPPED
}

/// The orders in force: the table, or what a model put in its place.
#[cfg(any(loom, explored))]
pub(crate) fn orders() -> Orders {
    weakened::in_force()
}

/// For models and litmus tests: another table, to show what each entry is there for.
#[doc(hidden)]
pub mod weakened {
    use super::{Ordering, Orders, SHIPPED};
    #[cfg(any(loom, explored))]
    use std::cell::Cell;

    #[cfg(any(loom, explored))]
    std::thread_local! {
        // All of a model's threads run on one thread of the machine.
        static IN_FORCE: Cell<Orders> = const { Cell::new(SHIPPED) };
    }

    /// The table with one entry weakened by one step.
    #[derive(Debug, Clone, Copy)]
    pub struct Weaker {
        /// Which entry.
        pub entry: &'static str,
        /// Its order as it ships.
        pub from: Ordering,
        /// Its order here; `None`: a fence that is left out.
        pub to: Option<Ordering>,
        /// The whole table.
        pub orders: Orders,
    }

    /// Every way to weaken one entry of the table by one step, and each fence by leaving
    /// it out. (Relaxed ones have none.)
    #[must_use]
    pub fn each() -> Vec<Weaker> {
        let mut all = Vec::new();
        macro_rules! walk {
            (orders: $($order:ident)*; fences: $($fence:ident)*) => {
                // Without `..`: a new entry does not compile until it is walked too.
                let Orders { $($order,)* $($fence),* } = SHIPPED;
                $(for to in one_step($order) {
                    let orders = Orders { $order: *to, ..SHIPPED };
                    all.push(Weaker { entry: stringify!($order), from: $order, to: Some(*to), orders });
                })*
                $(if let Some(from) = $fence {
                    for to in fence_one_step(from) {
                        let orders = Orders { $fence: *to, ..SHIPPED };
                        all.push(Weaker { entry: stringify!($fence), from, to: *to, orders });
                    }
                })*
            };
        }
        walk!(
            orders: publish see_full release see_empty ring_publish ring_peek give_back take_space ring_made
                ring_recognised;
            fences: fence_published fence_reader_sleeps fence_given_back fence_writer_sleeps fence_writer_comes
                fence_reader_comes
        );
        all
    }

    /// All entries that are no fences are loads or stores with an order of one kind, whose
    /// one step down is none.
    fn one_step(order: Ordering) -> &'static [Ordering] {
        assert!(matches!(order, Ordering::Acquire | Ordering::Release), "say here how {order:?} is weakened");
        &[Ordering::Relaxed]
    }

    /// A fence is left out, and has the next weaker order.
    fn fence_one_step(order: Ordering) -> &'static [Option<Ordering>] {
        assert!(order == Ordering::SeqCst, "say here how {order:?} is weakened");
        &[None, Some(Ordering::AcqRel)]
    }

    /// The table in force.
    #[cfg(any(loom, explored))]
    #[must_use]
    pub fn in_force() -> Orders {
        IN_FORCE.get()
    }

    /// Runs `model` with `orders` in force.
    #[cfg(any(loom, explored))]
    pub fn with<T>(orders: Orders, model: impl FnOnce() -> T) -> T {
        struct Restore;
        impl Drop for Restore {
            fn drop(&mut self) {
                IN_FORCE.set(SHIPPED);
            }
        }
        let _restore = Restore;
        IN_FORCE.set(orders);
        model()
    }
}
