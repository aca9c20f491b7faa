//! Failpoints: where a crash test ends this process. In builds with `--cfg crash` the crate of those
//! tests (tests/crash) says what happens at them. An ordinary build has none.

#[cfg(crash)]
pub use with::*;

/// A failpoint before what is done next, and one after it, when what is returned is dropped.
#[cfg(not(crash))]
#[inline(always)]
pub(crate) fn failpoint(_: &'static str) -> Around {
    Around
}

/// See [`failpoint`].
#[cfg(not(crash))]
pub(crate) struct Around;

/// Tells a crash test how many messages were sent, for sure.
#[cfg(not(crash))]
#[inline(always)]
#[cfg_attr(any(model, not(feature = "cli")), allow(dead_code, reason = "a program counts"))]
pub(crate) fn sent(_: u64) {}

#[cfg(crash)]
#[allow(missing_docs)]
mod with {
    use core::panic::Location;
    use std::sync::OnceLock;

    /// Where a process has come to.
    #[derive(Debug, Clone, Copy)]
    pub enum Failpoint<'a> {
        /// An operation on an atomic, asked for at this place in the source.
        Access(&'static str, &'a Location<'a>),
        Before(&'static str),
        After(&'static str),
        /// So many messages were sent.
        Sent(u64),
    }

    static REACHED: OnceLock<fn(Failpoint<'_>)> = OnceLock::new();

    /// From here on each failpoint that is reached calls `reached`.
    pub fn install(reached: fn(Failpoint<'_>)) {
        let _ = REACHED.set(reached);
    }

    fn reach(failpoint: Failpoint<'_>) {
        if let Some(reached) = REACHED.get() {
            reached(failpoint);
        }
    }

    pub(crate) fn access(operation: &'static str, place: &Location<'_>) {
        reach(Failpoint::Access(operation, place));
    }

    pub(crate) fn failpoint(what: &'static str) -> Around {
        reach(Failpoint::Before(what));
        Around(what)
    }

    pub(crate) struct Around(&'static str);

    impl Drop for Around {
        fn drop(&mut self) {
            reach(Failpoint::After(self.0));
        }
    }

    pub(crate) fn sent(count: u64) {
        reach(Failpoint::Sent(count));
    }
}
