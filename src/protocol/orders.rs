//! The one table of memory orders.

use crate::sync::Ordering;

/// Every memory order that the protocol uses. Each is needed: for each entry
/// the loom suite has a model that fails when it is weakened by one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// The writer's store of a full flag. Edge `text`, giving end: the text
    /// that was copied in is seen by whoever sees the flag. Weaker: the reader
    /// sees the flag before the text (defect D2).
    pub publish: Ordering,
    /// The reader's look. Edge `text`, taking end. Weaker: the text is read
    /// before the flag is, in effect: stale or torn text (D2).
    pub see_full: Ordering,
    /// The reader's store of an empty flag. Edge `room`, giving end: the copy
    /// out is over for whoever sees the flag. Weaker: the writer's next text
    /// can be read as this one (D3's kin).
    pub release: Ordering,
    /// The writer's look. Edge `room`, taking end. Weaker: the next text is
    /// copied in while the last one is still being copied out.
    pub see_empty: Ordering,
}

/// The orders that ship.
pub const SHIPPED: Orders = Orders {
    publish: Ordering::Release,
    see_full: Ordering::Acquire,
    release: Ordering::Release,
    see_empty: Ordering::Acquire,
};

/// No order at all: what the tutorial's programs have, and its defect D2.
pub const UNORDERED: Orders = Orders {
    publish: Ordering::Relaxed,
    see_full: Ordering::Relaxed,
    release: Ordering::Relaxed,
    see_empty: Ordering::Relaxed,
};

/// The orders in force: the table, always.
#[cfg(not(loom))]
#[inline]
pub(crate) const fn orders() -> Orders {
    SHIPPED
}

/// The orders in force: the table, or what a model put in its place.
#[cfg(loom)]
pub(crate) fn orders() -> Orders {
    weakened::IN_FORCE.get()
}

/// For models: another table, to show what each entry is there for.
#[cfg(loom)]
#[doc(hidden)]
pub mod weakened {
    use super::{Ordering, Orders, SHIPPED};
    use std::cell::Cell;

    std::thread_local! {
        // All of a model's threads run on one thread of the machine.
        pub(super) static IN_FORCE: Cell<Orders> = const { Cell::new(SHIPPED) };
    }

    /// The table with one entry weakened by one step.
    #[derive(Debug, Clone, Copy)]
    pub struct Weaker {
        /// Which entry.
        pub entry: &'static str,
        /// Its order as it ships.
        pub from: Ordering,
        /// Its order here.
        pub to: Ordering,
        /// The whole table.
        pub orders: Orders,
    }

    /// Name, order as it ships, and the table with another one in its place.
    type Entry = (&'static str, Ordering, fn(Ordering) -> Orders);

    /// Every way to weaken one entry of the table by one step. (Relaxed ones
    /// have none.)
    #[must_use]
    pub fn each() -> Vec<Weaker> {
        // Without `..`: a new entry does not compile until it is walked too.
        let Orders { publish, see_full, release, see_empty } = SHIPPED;
        let entries: [Entry; 4] = [
            ("publish", publish, |publish| Orders { publish, ..SHIPPED }),
            ("see_full", see_full, |see_full| Orders { see_full, ..SHIPPED }),
            ("release", release, |release| Orders { release, ..SHIPPED }),
            ("see_empty", see_empty, |see_empty| Orders { see_empty, ..SHIPPED }),
        ];
        let steps = entries.iter().flat_map(|(entry, from, with)| {
            one_step(*from).iter().map(move |to| Weaker { entry, from: *from, to: *to, orders: with(*to) })
        });
        steps.collect()
    }

    fn one_step(order: Ordering) -> &'static [Ordering] {
        match order {
            Ordering::Relaxed => &[],
            Ordering::SeqCst => &[Ordering::AcqRel],
            Ordering::AcqRel => &[Ordering::Acquire, Ordering::Release],
            _ => &[Ordering::Relaxed],
        }
    }

    /// Runs `model` with `orders` in force.
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
