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
/// After a writer's end it is readable, and nothing waits: a wait would begin the next session. A message does so, or
/// [`want_room`](Self::want_room). A reader is to be [paused](Self::pause) before it ends the session, for the same reason.
///
/// The descriptor is to be waited for, and nothing else: neither read nor written.
///
/// ```
/// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
/// use nix::poll::{PollFd, PollFlags, poll};
/// use shm_handoff_async::{Descriptor, Paused, shm_handoff::Received};
/// use std::os::fd::AsFd;
///
/// let mut reader = Paused::new()?.resume(reader);
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
    /// What was wanted last was wanted behind the session's end.
    wants_next: bool,
}

/// A descriptor without its endpoint, which is still to come, or was taken out for a while. Meanwhile it stays as it is.
///
/// ```
/// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
/// use shm_handoff_async::{Paused, shm_handoff::Received};
///
/// let descriptor = Paused::new()?.resume(reader);
/// writer.send(b"hello")?;
/// let (mut reader, paused) = descriptor.pause();
/// assert_eq!(reader.recv(&mut [0; 1024])?, Received::Message(5));
/// let descriptor = paused.resume(reader);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Paused<E: Endpoint>(Descriptor<E>);

impl<E: Endpoint> Descriptor<E> {
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
        let has_ended = endpoint.has_ended();
        self.wants_next &= has_ended;
        if (has_ended && !self.wants_next) || endpoint.is_ready(self.wait) {
            return self.set();
        }
        self.event.clear();
        self.is_set = false;
        self.waiter.wait_and_tell(self.wait, &self.event);
    }

    fn want(&mut self, wait: E::Wait) {
        (self.wait, self.wants_next) = (wait, true);
    }

    fn set(&mut self) {
        if !self.is_set {
            self.event.set();
            self.is_set = true;
        }
    }
}

impl<E: Endpoint> Paused<E> {
    /// Makes a descriptor and starts its thread. If that fails, the endpoint goes on without.
    ///
    /// # Errors
    /// [`Error::Os`]: there is no descriptor left, or no thread.
    pub fn new() -> Result<Self, Error> {
        let event = Arc::new(Event::new().map_err(no_descriptor)?);
        let mut waiter = Waiter::vacant();
        waiter.start()?;
        Ok(Self(Descriptor { waiter, wait: E::FIRST, event, is_set: false, wants_next: false }))
    }

    /// Watches the endpoint: the one of before, or another one in its place.
    #[must_use]
    pub fn resume(mut self, endpoint: E) -> Descriptor<E> {
        self.0.waiter.put(endpoint);
        self.0.watch();
        self.0
    }

    /// As [`resume`](Self::resume), but the descriptor is readable until the endpoint is used again, and no wait runs. Use it for
    /// an event that no wait would find once more, such as the end of a session.
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
    /// use shm_handoff_async::{Paused, shm_handoff::SendError};
    ///
    /// let mut writer = Paused::new()?.resume(writer);
    /// writer.want_room(1000);
    /// while writer.with(|writer| writer.try_send(&[7; 1000])).is_ok() {}
    /// // It is not readable now: wait for it, with poll or epoll, before the next message.
    /// assert_eq!(writer.with(|writer| writer.try_send(&[7; 1000])), Err(SendError::WouldBlock));
    /// assert_eq!(reader.try_recv(&mut [0; 1000])?, shm_handoff::Received::Message(1000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn want_room(&mut self, len: usize) {
        self.want(WriterWait::Room(len));
        self.watch();
    }

    /// From now on the descriptor waits for a reader, as [`Writer::await_reader`] does, and not for room. Call it after
    /// the last reader has gone. [`want_room`](Self::want_room) ends that.
    ///
    /// ```
    /// # let (writer, reader, channel) = shm_handoff::example::slot();
    /// use nix::poll::{PollFd, PollFlags, poll};
    /// use shm_handoff_async::{Paused, shm_handoff::{Reader, SendError, WaitPolicy, backend::inproc::InProc}};
    /// use std::os::fd::AsFd;
    ///
    /// let mut writer = Paused::new()?.resume(writer);
    /// writer.with(|writer| writer.send(b"a\n"))?;
    /// drop(reader);
    /// assert_eq!(writer.with(|writer| writer.send(b"b\n")), Err(SendError::ReaderGone));
    /// writer.want_reader();
    /// let next = Reader::<InProc>::open(&channel)?;
    /// poll(&mut [PollFd::new(writer.as_fd(), PollFlags::POLLIN)], 10_000_u16)?;
    /// writer.with(|writer| writer.await_reader(&mut WaitPolicy::non_blocking()))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn want_reader(&mut self) {
        self.want(WriterWait::Reader);
        self.watch();
    }
}

impl<B: Backend, L: Core> Paused<Writer<B, L>>
where
    Writer<B, L>: Movable,
{
    /// As [`Descriptor::want_room`].
    pub fn want_room(&mut self, len: usize) {
        self.0.want(WriterWait::Room(len));
    }

    /// As [`Descriptor::want_reader`].
    pub fn want_reader(&mut self) {
        self.0.want(WriterWait::Reader);
    }

    /// As it was in the beginning: room for one byte, and after an end nothing more.
    pub fn want_any(&mut self) {
        (self.0.wait, self.0.wants_next) = (WriterWait::Room(1), false);
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
