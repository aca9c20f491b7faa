//! The writing side.

use crate::endpoint::{Movable, WriterWait};
use crate::pace::Pace;
use crate::waiter::{Met, Waiter};
use futures_sink::Sink;
use shm_handoff::backend::Backend;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Core, Either, Error, SendError, WaitPolicy};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Blocking<B, L> = shm_handoff::Writer<B, L>;

/// The side that sends, for async code: a [`shm_handoff::Writer`] whose waits are futures.
///
/// Every future here is cancel-safe: one that is dropped has either sent its message or not touched it. [`send`](Self::send) has
/// sent it only if it was ready; an [`end`](Self::end) that was dropped can have been told, and the next call knows.
///
/// A writer is also a [`Sink`] for bytes. Closing the sink ends the session and leaves in order, as a socket's close is the end
/// of its stream; [`leave`](Self::leave) leaves without one. A writer that was closed has left: every call that can fail
/// fails with [`SendError::Closed`].
///
/// ```
/// # let (writer, mut reader, _channel) = shm_handoff::example::ring();
/// use futures::SinkExt;
/// use shm_handoff_async::Writer;
///
/// let mut writer = Writer::new(writer); // or `Writer::open(&Options::any_ring(key))`
/// # futures::executor::block_on(async {
/// writer.send(b"one").await?;
/// SinkExt::send(&mut writer, "two").await?;
/// SinkExt::<&[u8]>::close(&mut writer).await?;
/// # Ok::<(), shm_handoff::SendError>(())
/// # })?;
/// let messages: Result<Vec<_>, _> = reader.messages().collect();
/// assert_eq!(messages?, [b"one", b"two"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer<B: Backend = SysV, L: Core = Either>
where
    Blocking<B, L>: Movable,
{
    /// `None`: it has left.
    waiter: Option<Waiter<Blocking<B, L>>>,
    pace: Pace,
    /// What the sink was given, and there was no room for.
    pending: Option<Vec<u8>>,
    /// An end was told, and no future has heard of it: one that was dropped, or a sink's that is still to leave. It counts
    /// as long as it is what was sent last.
    unheard_end: bool,
}

/// What a writer that was closed says where it is to be handed out.
const LEFT: &str = "the sink was closed: the writer has left";

impl<B: Backend, L: Core> Writer<B, L>
where
    Blocking<B, L>: Movable,
{
    /// Takes the writer's seat at `address`. This does not wait, but it makes system calls.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::open`].
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        Blocking::open(address).map(Self::new)
    }

    /// Of a blocking writer.
    #[must_use]
    pub fn new(writer: Blocking<B, L>) -> Self {
        Self { waiter: Some(Waiter::new(writer)), pace: Pace::new(), pending: None, unheard_end: false }
    }

    /// How often a poll looks, with a pause between, before the task has to wait: 100 times, which takes some
    /// microseconds. With 0 the thread waits at once.
    #[must_use]
    pub fn spins(mut self, spins: u32) -> Self {
        self.pace.set_pauses(spins);
        self
    }

    /// Sends `bytes`, waiting for room. Where there is room, this makes no system call (except to wake a reader that
    /// sleeps) and needs no thread. If it is dropped before it is ready, nothing was sent.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::send`]; [`SendError::Backend`] also if the thread that waits can't be started; and
    /// [`SendError::Closed`], as every call here that can fail.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        poll_fn(|context| {
            ready!(self.pace.poll_go(context));
            ready!(self.poll_pending(context))?;
            self.poll_send(context, bytes)
        })
        .await
    }

    /// Waits until a message of `len` bytes can be sent, and lends the blocking writer, to which that is no wait then: to
    /// build the message in the shared memory, to send several at once.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::await_room`]; and as for [`send`](Self::send).
    ///
    /// ```
    /// # let (writer, mut reader, _channel) = shm_handoff::example::ring();
    /// # let mut writer = shm_handoff_async::Writer::new(writer).spins(0);
    /// # futures::executor::block_on(async {
    /// writer.ready(100).await?.try_send(&[7; 100])?;
    /// # Ok::<(), shm_handoff::SendError>(())
    /// # })?;
    /// assert_eq!(reader.peek()?.text(), [7; 100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn ready(&mut self, len: usize) -> Result<&mut Blocking<B, L>, SendError> {
        poll_fn(|context| {
            ready!(self.pace.poll_go(context));
            ready!(self.poll_pending(context))?;
            self.poll_with(context, WriterWait::Room(len), |writer| {
                writer.await_room(len, &mut WaitPolicy::non_blocking())
            })
        })
        .await?;
        Ok(self.waiter()?.recall())
    }

    /// The blocking writer itself, for calls that do not wait. A wait that goes on ends. Its messages come before those that
    /// the sink still holds.
    ///
    /// # Panics
    /// If the writer was closed as a sink.
    pub async fn inner(&mut self) -> &mut Blocking<B, L> {
        self.come_back().await.expect(LEFT)
    }

    /// The blocking writer; if a wait goes on, it ends.
    async fn come_back(&mut self) -> Result<&mut Blocking<B, L>, SendError> {
        poll_fn(|context| self.poll_here(context, None)).await?;
        Ok(self.waiter()?.recall())
    }

    /// Ends the session, waiting for room. If this is dropped before it is ready, the end can have been told; calling it
    /// again tells it once.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::end`].
    ///
    /// ```
    /// # let (writer, mut reader, _channel) = shm_handoff::example::ring();
    /// # let mut writer = shm_handoff_async::Writer::new(writer);
    /// # futures::executor::block_on(async {
    /// writer.end().await?;
    /// writer.flush().await?; // nothing lies where nobody will read it
    /// writer.leave().await
    /// # })?;
    /// assert_eq!(reader.recv(&mut [0; 1024])?, shm_handoff::Received::End);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn end(&mut self) -> Result<(), SendError> {
        let wait = RecallOnDrop { writer: self };
        poll_fn(|context| wait.writer.poll_end(context)).await?;
        // The next call ends the next session.
        wait.writer.unheard_end = false;
        Ok(())
    }

    /// Waits until a reader is there. After [`SendError::ReaderGone`] this is how to go on.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::await_reader`].
    ///
    /// ```
    /// # let (writer, reader, channel) = shm_handoff::example::slot();
    /// # let mut writer = shm_handoff_async::Writer::new(writer);
    /// use shm_handoff::{Reader, SendError, backend::inproc::InProc};
    ///
    /// # futures::executor::block_on(async {
    /// writer.send(b"a\n").await?;
    /// drop(reader);
    /// assert_eq!(writer.send(b"b\n").await, Err(SendError::ReaderGone));
    /// let mut next = Reader::<InProc>::open(&channel)?;
    /// writer.await_reader().await?;
    /// assert_eq!(next.peek().expect("it has waited").text(), b"a\n");
    /// # Ok::<(), SendError>(())
    /// # })?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub async fn await_reader(&mut self) -> Result<(), SendError> {
        // A reader that came for an earlier future can have gone.
        self.come_back().await?;
        poll_fn(|context| {
            self.poll_with(context, WriterWait::Reader, |writer| writer.await_reader(&mut WaitPolicy::non_blocking()))
        })
        .await
    }

    /// Sends messages again that are left where no reader will find them.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::flush`].
    pub async fn flush(&mut self) -> Result<(), SendError> {
        poll_fn(|context| {
            ready!(self.poll_pending(context))?;
            self.poll_flushed(context)
        })
        .await
    }

    /// Leaves in order: the reader waits for the next writer. Messages that were sent stay for the reader.
    ///
    /// # Errors
    /// As [`shm_handoff::Writer::close`]. The writer is gone then, too, but as one that failed.
    pub async fn leave(mut self) -> Result<(), SendError> {
        self.flush().await?;
        self.into_inner().close_flushed()
    }

    /// The blocking writer. If a wait goes on, it ends, which takes some microseconds, and up to a second where a peer holds
    /// the seats' lock. A drop takes as long. Messages that the sink was given and has not flushed are lost.
    ///
    /// # Panics
    /// If the writer was closed as a sink.
    #[must_use]
    pub fn into_inner(self) -> Blocking<B, L> {
        self.waiter.expect(LEFT).into_inner()
    }

    fn waiter(&mut self) -> Result<&mut Waiter<Blocking<B, L>>, SendError> {
        self.waiter.as_mut().ok_or(SendError::Closed)
    }

    /// Sends what the sink was given first.
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let Some(bytes) = self.pending.take() else { return Poll::Ready(Ok(())) };
        let sent = self.poll_send(context, &bytes);
        // After an error, too: the caller decides whether it waits for the next reader.
        if !matches!(sent, Poll::Ready(Ok(()) | Err(SendError::Unsendable(_)))) {
            self.pending = Some(bytes);
        }
        sent
    }

    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<(), SendError>> {
        if let Some(writer) = self.waiter()?.here() {
            if writer.send_straight(bytes) {
                return Poll::Ready(Ok(()));
            }
            writer.check(bytes)?;
        }
        self.poll_with(context, WriterWait::Room(bytes.len()), |writer| writer.try_send(bytes))
    }

    /// Ready when the end was told, behind what was sent.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        ready!(self.poll_pending(context))?;
        ready!(self.poll_with(context, WriterWait::End, |writer| writer.end_with(&mut WaitPolicy::non_blocking())))?;
        self.unheard_end = true;
        Poll::Ready(Ok(()))
    }

    fn poll_flushed(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_with(context, WriterWait::Flush, |writer| writer.flush(&mut WaitPolicy::non_blocking()))
    }

    /// Ready when the endpoint is here; whether it has just come back from that wait, and then what the thread has met.
    fn poll_here(&mut self, context: &Context<'_>, wait: Option<WriterWait>) -> Poll<Result<Option<bool>, SendError>> {
        let met = ready!(self.waiter()?.poll_here(context, wait));
        self.note(met);
        self.unheard_end &= self.waiter()?.recall().has_ended();
        Poll::Ready(Ok(met.filter(|(waited, _)| Some(*waited) == wait).map(|(_, came)| came)))
    }

    /// An end that the thread has told is not forgotten.
    fn note(&mut self, met: Option<Met<Blocking<B, L>>>) {
        self.unheard_end |= met == Some((WriterWait::End, true));
    }

    /// Ready when `act`, which does not wait, has succeeded, or failed by anything but that it would have had to.
    fn poll_with(
        &mut self,
        context: &mut Context<'_>,
        wait: WriterWait,
        mut act: impl FnMut(&mut Blocking<B, L>) -> Result<(), SendError>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            let met = ready!(self.poll_here(context, Some(wait)))?;
            let Some(waiter) = self.waiter.as_mut() else { return Poll::Ready(Err(SendError::Closed)) };
            let writer = waiter.recall();
            let (is_done, may_act) = match wait {
                // What goes into a slot beside a C program can need a pause first, which is the thread's.
                WriterWait::Room(len) => (false, met.is_some() || self.pace.spin(|| writer.is_ready(len))?),
                WriterWait::End => (self.unheard_end, met.is_some() || writer.is_ready(0)?),
                // A C program is one by two looks in a row, which are the thread's.
                WriterWait::Reader => (met == Some(true), true),
                WriterWait::Flush => (false, true),
            };
            let done = if is_done {
                Ok(())
            } else if may_act {
                act(writer)
            } else {
                Err(SendError::WouldBlock)
            };
            if !matches!(done, Err(SendError::WouldBlock | SendError::TimedOut)) {
                self.pace.rest();
                return Poll::Ready(done);
            }
            if self.pace.takes_turns(context) {
                return Poll::Pending;
            }
            self.pace.rest();
            self.waiter()?.wait(wait)?;
        }
    }
}

/// An end must not be told behind a future that is no more.
struct RecallOnDrop<'w, B: Backend, L: Core>
where
    Blocking<B, L>: Movable,
{
    writer: &'w mut Writer<B, L>,
}

impl<B: Backend, L: Core> Drop for RecallOnDrop<'_, B, L>
where
    Blocking<B, L>: Movable,
{
    fn drop(&mut self) {
        if let Some(waiter) = &mut self.writer.waiter
            && waiter.is_ours()
        {
            let met = waiter.try_recall();
            self.writer.note(met);
        }
    }
}

impl<T: AsRef<[u8]>, B: Backend, L: Core> Sink<T> for Writer<B, L>
where
    Blocking<B, L>: Movable + Unpin,
{
    type Error = SendError;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.waiter()?;
        Sink::<T>::poll_flush(self, context)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), SendError> {
        let this = self.get_mut();
        let bytes = item.as_ref();
        assert!(this.pending.is_none(), "a message was given to a sink that was not ready");
        if let Some(writer) = this.waiter()?.here() {
            if writer.send_straight(bytes) {
                return Ok(());
            }
            writer.check(bytes)?;
        }
        this.pending = Some(bytes.to_vec());
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        ready!(this.pace.poll_go(context));
        this.poll_pending(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        ready!(Sink::<T>::poll_flush(self.as_mut(), context))?;
        let this = self.get_mut();
        if this.waiter.is_none() {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_end(context))?;
        ready!(this.poll_flushed(context))?;
        Poll::Ready(this.waiter.take().map_or(Ok(()), |waiter| waiter.into_inner().close_flushed()))
    }
}

impl<B: Backend, L: Core> From<Blocking<B, L>> for Writer<B, L>
where
    Blocking<B, L>: Movable,
{
    fn from(writer: Blocking<B, L>) -> Self {
        Self::new(writer)
    }
}
