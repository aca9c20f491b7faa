//! `core`'s atomics, with a failpoint before each operation, named by the place in the source that asks
//! for it.

use super::Ordering;
use crate::failpoint::access;
use core::panic::Location;
use core::sync::atomic;

/// A fence.
#[track_caller]
pub fn fence(order: Ordering) {
    access("fence", Location::caller());
    atomic::fence(order);
}

/// The original, with a failpoint before each operation.
macro_rules! with_failpoints {
    ($name:ident, $value:ty) => {
        /// An atomic integer.
        #[derive(Debug, Default)]
        #[repr(transparent)]
        pub struct $name(atomic::$name);

        impl $name {
            /// With this value.
            #[must_use]
            pub const fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            /// The one at `place`.
            ///
            /// # Safety
            /// As the original's.
            #[must_use]
            pub const unsafe fn from_ptr<'a>(place: *mut $value) -> &'a Self {
                // SAFETY: the caller's promise; of the same layout as the original.
                unsafe { &*place.cast::<Self>() }
            }

            /// Reads it.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                access("load", Location::caller());
                self.0.load(order)
            }

            /// Writes it.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                access("store", Location::caller());
                self.0.store(value, order);
            }
        }

        /// The rest is no part of the protocol, and no failpoint.
        impl core::ops::Deref for $name {
            type Target = atomic::$name;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    };
}

with_failpoints!(AtomicU8, u8);
with_failpoints!(AtomicU32, u32);
with_failpoints!(AtomicU64, u64);
