//! An endpoint as a descriptor, for poll, epoll, libuv, asyncio.

use crate::endpoint::{Endpoint, Movable, WriterWait};
use crate::event::Event;
use crate::waiter::Waiter;
use nix::errno::Errno;
use shm_handoff::backend::Backend;
use shm_handoff::{Core, Error, Writer};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

/// An endpoint with a descriptor that is *readable* when there is something to do: for a reader, when a message or an end is
/// there, or the writer has died; for a writer, when there is room, or the reader has gone. It is level-triggered: it
/// stays readable until the endpoint has been used, and there is nothing more to do.
///
/// The descriptor is to be waited for, and nothing else: neither read nor written.
///
/// ```
/// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
/// use nix::poll::{PollFd, PollFlags, poll};
/// use shm_handoff_async::{Descriptor, shm_handoff::Received};
/// use std::os::fd::AsFd;
///
/// let mut reader = Descriptor::new(reader)?;
/// let is_readable = |reader: &Descriptor<_>, timeout: u16| {
///     poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], timeout).is_ok_and(|ready| ready == 1)
/// };
/// assert!(!is_readable(&reader, 0));
/// writer.send(b"hello")?;
/// assert!(is_readable(&reader, 10_000));
/// assert_eq!(reader.with(|reader| reader.try_recv(&mut [0; 1024]))?, Received::Message(5));
/// assert!(!is_readable(&reader, 0), "there is nothing more");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Descriptor<E: Endpoint> {
    waiter: Waiter<E>,
    wait: E::Wait,
    event: Arc<Event>,
    /// The event is set by this side, and stays so until it is cleared here.
    is_set: bool,
}

impl<E: Endpoint> Descriptor<E> {
    /// Of a blocking endpoint.
    ///
    /// # Errors
    /// That there is no descriptor left, or no thread.
    pub fn new(endpoint: E) -> Result<Self, E::Error> {
        let event = Arc::new(Event::new().map_err(no_descriptor)?);
        let mut descriptor = Self { waiter: Waiter::new(endpoint), wait: E::FIRST, event, is_set: false };
        descriptor.waiter.start()?;
        descriptor.watch();
        Ok(descriptor)
    }

    /// Uses the endpoint, and watches it again behind that. A call that waits blocks, as it does without a descriptor.
    pub fn with<T>(&mut self, call: impl FnOnce(&mut E) -> T) -> T {
        let done = call(self.waiter.recall());
        self.watch();
        done
    }

    /// The endpoint, without its descriptor.
    #[must_use]
    pub fn into_inner(self) -> E {
        self.waiter.into_inner()
    }

    /// Readable if there is something to do; else the thread waits for that.
    fn watch(&mut self) {
        let endpoint = self.waiter.recall();
        // What a peer has broken is something to do: the next call says it.
        if endpoint.is_ready(self.wait).unwrap_or(true) {
            if !self.is_set {
                self.event.set();
                self.is_set = true;
            }
            return;
        }
        self.event.clear();
        self.is_set = false;
        self.waiter.wait_and_tell(self.wait, &self.event);
    }
}

impl<B: Backend, L: Core> Descriptor<Writer<B, L>>
where
    Writer<B, L>: Movable,
{
    /// From now on, room means room for a message of `len` bytes. Before that it is room for one byte.
    pub fn want_room(&mut self, len: usize) {
        self.wait = WriterWait::Room(len);
        self.with(|_| ());
    }
}

impl<E: Endpoint> AsFd for Descriptor<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

impl<E: Endpoint> AsRawFd for Descriptor<E> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

fn no_descriptor(errno: Errno) -> Error {
    Error::Os { call: "eventfd", on: "the descriptor".to_owned(), errno }
}
