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

/// A descriptor whose endpoint was taken out, or is still to come: for a caller that needs the endpoint by itself for a while. The
/// descriptor stays as it is until then.
///
/// ```
/// # let (mut writer, mut reader, _channel) = shm_handoff::example::ring();
/// use shm_handoff_async::{Paused, shm_handoff::Received};
///
/// let descriptor = Paused::new(&mut reader)?.resume(reader);
/// writer.send(b"hello")?;
/// let (mut reader, paused) = descriptor.pause();
/// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(5));
/// let descriptor = paused.resume(reader);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Paused<E: Endpoint>(Descriptor<E>);

impl<E: Endpoint> Descriptor<E> {
    /// Of a blocking endpoint.
    ///
    /// # Errors
    /// That there is no descriptor left, or no thread.
    pub fn new(mut endpoint: E) -> Result<Self, E::Error> {
        Ok(Paused::new(&mut endpoint)?.resume(endpoint))
    }

    /// Uses the endpoint, and watches it again behind that. A call that waits blocks, as it does without a descriptor.
    pub fn with<T>(&mut self, call: impl FnOnce(&mut E) -> T) -> T {
        let done = call(self.waiter.recall());
        self.watch();
        done
    }

    /// Takes the endpoint out for a while.
    #[must_use]
    pub fn pause(mut self) -> (E, Paused<E>) {
        (self.waiter.take(), Paused(self))
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
            return self.set();
        }
        self.event.clear();
        self.is_set = false;
        self.waiter.wait_and_tell(self.wait, &self.event);
    }

    fn set(&mut self) {
        if !self.is_set {
            self.event.set();
            self.is_set = true;
        }
    }
}

impl<E: Endpoint> Paused<E> {
    /// Of an endpoint that can go on by itself if this fails.
    ///
    /// # Errors
    /// That there is no descriptor left, or no thread.
    pub fn new(endpoint: &mut E) -> Result<Self, E::Error> {
        let event = Arc::new(Event::new().map_err(no_descriptor)?);
        let mut waiter = Waiter::vacant(endpoint);
        waiter.start()?;
        Ok(Self(Descriptor { waiter, wait: E::FIRST, event, is_set: false }))
    }

    /// Watches the endpoint, which has to be the one of before.
    #[must_use]
    pub fn resume(mut self, endpoint: E) -> Descriptor<E> {
        self.0.waiter.put(endpoint);
        self.0.watch();
        self.0
    }

    /// As [`resume`](Self::resume), but the descriptor is readable until the endpoint is used again, and nothing waits for it: for
    /// what no wait would find once more, such as the end of a session.
    #[must_use]
    pub fn resume_readable(mut self, endpoint: E) -> Descriptor<E> {
        self.0.waiter.put(endpoint);
        self.0.set();
        self.0
    }
}

impl<B: Backend, L: Core> Descriptor<Writer<B, L>>
where
    Writer<B, L>: Movable,
{
    /// From now on, room means room for a message of `len` bytes. Before that it is room for one byte.
    ///
    /// ```
    /// # let (writer, mut reader, _channel) = shm_handoff::example::ring();
    /// use shm_handoff_async::{Writer, shm_handoff::SendError};
    ///
    /// let mut writer = Writer::new(writer).into_descriptor()?;
    /// writer.want_room(1000);
    /// while writer.with(|writer| writer.try_send(&[7; 1000])).is_ok() {}
    /// // It is not readable now: wait for it, with poll or epoll, before the next message.
    /// assert_eq!(writer.with(|writer| writer.try_send(&[7; 1000])), Err(SendError::WouldBlock));
    /// assert_eq!(reader.try_recv(&mut [0; 1000])?, shm_handoff::Received::Message(1000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn want_room(&mut self, len: usize) {
        self.wait = WriterWait::Room(len);
        self.with(|_| ());
    }
}

impl<B: Backend, L: Core> Paused<Writer<B, L>>
where
    Writer<B, L>: Movable,
{
    /// As [`Descriptor::want_room`].
    pub fn want_room(&mut self, len: usize) {
        self.0.wait = WriterWait::Room(len);
    }

    /// From now on, what there is to do is a reader that is there, as [`Writer::await_reader`] waits for it, and not room: after
    /// the last reader has gone.
    pub fn want_reader(&mut self) {
        self.0.wait = WriterWait::Reader;
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

impl<E: Endpoint> AsFd for Paused<E> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<E: Endpoint> AsRawFd for Paused<E> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn no_descriptor(errno: Errno) -> Error {
    Error::Os { call: "eventfd", on: "the descriptor".to_owned(), errno }
}
