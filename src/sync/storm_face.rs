//! Builds that are killed on purpose (`--cfg storm`; see tests/storm): the atomics, with
//! a point before every operation, named by the place in the source that asks for it.
//! A process dies at the point that its environment names, and so in each window
//! between two operations, which no signal from outside would hit for sure.

use super::{Mutex, Ordering};
use core::sync::atomic;
use std::collections::HashSet;
use std::io::Write;
use std::panic::Location;

/// A fence.
#[track_caller]
pub fn fence(order: Ordering) {
    at("fence", Location::caller());
    atomic::fence(order);
}

/// The original, with a point before each operation.
macro_rules! with_points {
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

            /// Where it is.
            #[must_use]
            pub const fn as_ptr(&self) -> *mut $value {
                self.0.as_ptr()
            }

            /// Reads it.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                at("load", Location::caller());
                self.0.load(order)
            }

            /// Writes it.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                at("store", Location::caller());
                self.0.store(value, order);
            }

            /// Sets bits; no part of the protocol, and no point.
            pub fn fetch_or(&self, bits: $value, order: Ordering) -> $value {
                self.0.fetch_or(bits, order)
            }
        }
    };
}

with_points!(AtomicU32, u32);
with_points!(AtomicU64, u64);

/// What the environment asks of this process.
struct Fate {
    /// At which point.
    point: Option<String>,
    /// At which passage of it, from 1.
    passage: u64,
    signal: i32,
    /// Gets the name of the point where it happened.
    died_at: Option<std::fs::File>,
    /// Gets the name of each point at its first passage.
    list: Option<std::fs::File>,
    /// Gets the number of messages that were sent, at its beginning.
    sent: Option<std::fs::File>,
}

fn fate() -> &'static Fate {
    static FATE: std::sync::OnceLock<Fate> = std::sync::OnceLock::new();
    FATE.get_or_init(|| {
        let file = |name| {
            let path = std::env::var_os(name)?;
            let opened = std::fs::File::options().create(true).append(name != "STORM_SENT").write(true).open(path);
            Some(opened.expect("the storm's files can be written"))
        };
        let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
        Fate {
            point: std::env::var("STORM_POINT").ok(),
            passage: number("STORM_PASSAGE").unwrap_or(1),
            signal: number("STORM_SIGNAL").and_then(|number| number.try_into().ok()).unwrap_or(libc::SIGKILL),
            died_at: file("STORM_DIED_AT"),
            list: file("STORM_LIST"),
            sent: file("STORM_SENT"),
        }
    })
}

fn at(operation: &'static str, place: &Location<'_>) {
    let Fate { point, list, .. } = fate();
    if point.is_none() && list.is_none() {
        return;
    }
    // Most passages are of another point: the line alone tells.
    let line = place.line();
    if list.is_some() || point.as_ref().is_some_and(|point| point.ends_with(&format!(":{line}"))) {
        point_at(&format!("{operation} {}:{line}", place.file()));
    }
}

/// A point before what is done next, and one after it, when what is returned is dropped.
pub(crate) fn around(what: &'static str) -> Around {
    named("before", what);
    Around(what)
}

/// See [`around`].
pub(crate) struct Around(&'static str);

impl Drop for Around {
    fn drop(&mut self) {
        named("after", self.0);
    }
}

fn named(when: &str, what: &str) {
    let Fate { point, list, .. } = fate();
    if point.is_some() || list.is_some() {
        point_at(&format!("{when} {what}"));
    }
}

fn point_at(name: &str) {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    static PASSED: atomic::AtomicU64 = atomic::AtomicU64::new(0);
    let Fate { point, passage, signal, died_at, list, .. } = fate();
    if let Some(mut list) = list.as_ref()
        && SEEN.lock().get_or_insert_default().insert(name.to_owned())
    {
        writeln!(list, "{name}").expect("the storm's files can be written");
    }
    if point.as_deref() == Some(name) && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *passage {
        if let Some(mut file) = died_at.as_ref() {
            writeln!(file, "{name}").expect("the storm's files can be written");
        }
        // SAFETY: takes numbers alone. What is fatal ends us before it returns.
        unsafe { libc::kill(libc::getpid(), *signal) };
    }
}

/// So many messages were sent, for sure.
pub(crate) fn sent(count: u64) {
    if let Some(file) = &fate().sent {
        std::os::unix::fs::FileExt::write_all_at(file, &count.to_ne_bytes(), 0)
            .expect("the storm's files can be written");
    }
}
