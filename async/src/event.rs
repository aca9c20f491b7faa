//! An eventfd: readable while it is set.

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::{AsFd, BorrowedFd};

/// Readable while it is set.
#[derive(Debug)]
pub(crate) struct Event(EventFd);

impl Event {
    /// One that is not set.
    pub(crate) fn new() -> Result<Self, Errno> {
        EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map(Self)
    }

    pub(crate) fn set(&self) {
        // Full, it is set all the same.
        let _ = self.0.write(1);
    }

    pub(crate) fn clear(&self) {
        // Empty, it is cleared all the same.
        let _ = self.0.read();
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
