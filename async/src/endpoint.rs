//! What an endpoint waits for in a thread of its own.

use nix::errno::Errno;
use shm_handoff::backend::{Backend, Interrupter};
use shm_handoff::{Core, Error, Reader, WaitPolicy, Writer};
use std::fmt::Debug;

/// An endpoint that can wait in another thread: a blocking [`Reader`] or [`Writer`]. Sealed.
pub trait Endpoint: sealed::Sealed + Movable + Sized {
    /// What can be waited for.
    #[doc(hidden)]
    type Wait: Copy + PartialEq + Debug + Movable;
    /// What a descriptor stands for until it is told otherwise.
    #[doc(hidden)]
    const FIRST: Self::Wait;

    /// Waits, as the blocking endpoint does, and says whether that succeeded. Nothing is taken and nothing is sent, but for
    /// an end.
    #[doc(hidden)]
    fn wait(&mut self, wait: Self::Wait, policy: &mut WaitPolicy<'_>) -> bool;

    /// Whether there is something to do, as far as a glance tells.
    #[doc(hidden)]
    fn is_ready(&mut self, wait: Self::Wait) -> bool;

    /// Whether the session has ended by what this side has sent, so that a wait would begin the next one.
    #[doc(hidden)]
    fn has_ended(&self) -> bool;

    /// What ends its sleeps.
    #[doc(hidden)]
    fn interrupter(&mut self) -> Interrupter;
}

pub(crate) mod sealed {
    use super::{Backend, Core, Reader, Writer};

    pub trait Sealed {}
    impl<B: Backend, L: Core> Sealed for Reader<B, L> {}
    impl<B: Backend, L: Core> Sealed for Writer<B, L> {}
}

/// What can be moved to a thread.
#[cfg(not(loom))]
pub trait Movable: Send + 'static {}
#[cfg(not(loom))]
impl<T: Send + 'static> Movable for T {}

/// What can be moved to a thread: to a checker's, anything.
#[cfg(loom)]
pub trait Movable: 'static {}
#[cfg(loom)]
impl<T: 'static> Movable for T {}

/// What a reader waits for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderWait {
    /// A message, an end, or the writer's death.
    Message,
}

/// What a writer waits for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterWait {
    /// Room for so many bytes.
    Room(usize),
    /// A reader.
    Reader,
    /// What it takes to end the session: the end is told then.
    End,
    /// What it takes to leave.
    Flush,
}

impl<B: Backend, L: Core> Endpoint for Reader<B, L>
where
    Self: Movable,
{
    type Wait = ReaderWait;
    const FIRST: ReaderWait = ReaderWait::Message;

    fn wait(&mut self, _: ReaderWait, policy: &mut WaitPolicy<'_>) -> bool {
        self.wait_with(policy).is_ok()
    }

    fn is_ready(&mut self, _: ReaderWait) -> bool {
        // What a peer has broken is something to do: the next call says it.
        Self::is_ready(self).unwrap_or(true)
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn interrupter(&mut self) -> Interrupter {
        Self::interrupter(self)
    }
}

impl<B: Backend, L: Core> Endpoint for Writer<B, L>
where
    Self: Movable,
{
    type Wait = WriterWait;
    const FIRST: WriterWait = WriterWait::Room(1);

    fn wait(&mut self, wait: WriterWait, policy: &mut WaitPolicy<'_>) -> bool {
        let done = match wait {
            WriterWait::Room(len) => self.await_room(len, policy),
            WriterWait::Reader => self.await_reader(policy),
            WriterWait::End => self.end_with(policy),
            WriterWait::Flush => self.flush(policy),
        };
        done.is_ok()
    }

    fn is_ready(&mut self, wait: WriterWait) -> bool {
        match wait {
            WriterWait::Room(len) => Self::is_ready(self, len).unwrap_or(true),
            WriterWait::Reader | WriterWait::End | WriterWait::Flush => false,
        }
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }

    fn interrupter(&mut self) -> Interrupter {
        Self::interrupter(self)
    }
}

/// That there can be no thread to wait in.
pub(crate) fn no_thread(error: &std::io::Error) -> Error {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
    Error::Os { call: "starting a thread", on: "the thread that waits".to_owned(), errno }
}
