//! The reading side.

use crate::endpoint::{Movable, ReaderWait};
use crate::pace::Pace;
use crate::waiter::Waiter;
use futures_core::Stream;
use shm_handoff::backend::Backend;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Core, Either, Error, Received, RecvError, WaitPolicy};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Blocking<B, L> = shm_handoff::Reader<B, L>;

/// The side that receives, for async code: a [`shm_handoff::Reader`] whose waits are futures.
///
/// Every future here is cancel-safe: one that is dropped has taken no message, and the next call receives the message that it
/// would have received. As a [`Stream`] the reader yields each message up to the end of the session, released. After an error
/// it yields nothing more.
///
/// ```
/// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
/// use futures::StreamExt;
/// use shm_handoff_async::{Reader, shm_handoff::Received};
///
/// let mut reader = Reader::new(reader); // or `Reader::open(&Options::any_ring(key))`
/// writer.send_all(&[b"one", b"two"])?;
/// writer.end()?;
/// # futures::executor::block_on(async {
/// let mut bytes = [0; 1024];
/// assert_eq!(reader.recv(&mut bytes).await?, Received::Message(3));
/// while let Some(message) = reader.next().await {
///     assert_eq!(message?, b"two");
/// }
/// assert!(reader.end_session().await?);
/// # Ok::<(), shm_handoff::RecvError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader<B: Backend = SysV, L: Core = Either>
where
    Blocking<B, L>: Movable,
{
    waiter: Waiter<Blocking<B, L>>,
    pace: Pace,
    /// The stream has given out an error.
    failed: bool,
}

impl<B: Backend, L: Core> Reader<B, L>
where
    Blocking<B, L>: Movable,
{
    /// Takes the reader's seat at `address`. This does not wait, but it makes system calls.
    ///
    /// # Errors
    /// As [`shm_handoff::Reader::open`].
    pub fn open(address: &B::Address) -> Result<Self, Error> {
        Blocking::open(address).map(Self::new)
    }

    /// Of a blocking reader.
    #[must_use]
    pub fn new(reader: Blocking<B, L>) -> Self {
        Self { waiter: Waiter::new(reader), pace: Pace::new(), failed: false }
    }

    /// How often a poll looks, with a pause between, before the task has to wait: 100 times, which takes some
    /// microseconds. With 0 the thread waits at once.
    ///
    /// ```
    /// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
    /// use shm_handoff_async::{Reader, shm_handoff::Received};
    ///
    /// let mut reader = Reader::from(reader).spins(0);
    /// let late = std::thread::spawn(move || writer.send(b"late"));
    /// let received = futures::executor::block_on(reader.recv(&mut [0; 1024]));
    /// assert_eq!(received, Ok(Received::Message(4)));
    /// assert_eq!(late.join().expect("it does not panic"), Ok(()));
    /// ```
    #[must_use]
    pub fn spins(mut self, spins: u32) -> Self {
        self.pace.set_pauses(spins);
        self
    }

    /// Waits for the next message, copies it to the beginning of `bytes`, and releases it. A message that is there costs no
    /// system call and no thread.
    ///
    /// # Errors
    /// As [`shm_handoff::Reader::recv`]; [`RecvError::Backend`] also if the thread that waits can't be started.
    pub async fn recv(&mut self, bytes: &mut [u8]) -> Result<Received, RecvError> {
        poll_fn(|context| self.poll_recv(context, bytes)).await
    }

    /// Polls for the next message, as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
    /// use shm_handoff_async::{Reader, shm_handoff::Received};
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let mut reader = Reader::new(reader);
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(reader.poll_recv(&mut context, &mut [0; 1024]).is_pending());
    /// writer.send(b"hello")?;
    /// let mut reader = Reader::new(reader.into_inner());
    /// assert_eq!(reader.poll_recv(&mut context, &mut [0; 1024]), Poll::Ready(Ok(Received::Message(5))));
    /// # Ok::<(), shm_handoff::SendError>(())
    /// ```
    pub fn poll_recv(&mut self, context: &mut Context<'_>, bytes: &mut [u8]) -> Poll<Result<Received, RecvError>> {
        ready!(self.pace.poll_go(context));
        if let Some(reader) = self.waiter.here()
            && let Some(len) = reader.recv_straight(bytes)
        {
            return Poll::Ready(Ok(Received::Message(len)));
        }
        self.poll_with(context, |reader| reader.try_recv(bytes))
    }

    /// Waits until a message or the end of the session is there, and lends the blocking reader, none of whose calls waits
    /// then: to peek, to release, to answer.
    ///
    /// # Errors
    /// As [`shm_handoff::Reader::wait_with`]; and as for [`recv`](Self::recv).
    ///
    /// ```
    /// # let (mut writer, reader, _channel) = shm_handoff::example::ring();
    /// # let mut reader = shm_handoff_async::Reader::new(reader);
    /// # futures::executor::block_on(async {
    /// writer.send(b"hello").expect("there is room");
    /// let message = reader.ready().await?.peek()?;
    /// assert_eq!(message.text(), b"hello");
    /// message.release(); // the writer can use its place again
    /// assert!(!reader.inner().await.is_ready()?);
    /// # Ok::<(), shm_handoff::RecvError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn ready(&mut self) -> Result<&mut Blocking<B, L>, RecvError> {
        poll_fn(|context| {
            ready!(self.pace.poll_go(context));
            self.poll_with(context, |reader| {
                if reader.is_ready()? { Ok(()) } else { reader.wait_with(&mut WaitPolicy::non_blocking()) }
            })
        })
        .await?;
        Ok(self.waiter.recall())
    }

    /// The blocking reader itself, for calls that do not wait. A wait that goes on ends.
    pub async fn inner(&mut self) -> &mut Blocking<B, L> {
        poll_fn(|context| self.waiter.poll_here(context, None)).await;
        self.waiter.recall()
    }

    /// Ends the session if its end comes next, and says whether it did.
    ///
    /// # Errors
    /// As [`shm_handoff::Reader::end_session`].
    pub async fn end_session(&mut self) -> Result<bool, RecvError> {
        self.inner().await.end_session()
    }

    /// Goes on after [`RecvError::WriterGone`]: the reader waits for the next writer.
    ///
    /// # Errors
    /// As [`shm_handoff::Reader::await_next_writer`].
    ///
    /// ```
    /// # let (writer, reader, channel) = shm_handoff::example::ring();
    /// # let mut reader = shm_handoff_async::Reader::new(reader);
    /// use shm_handoff::{Received, RecvError, Writer, backend::inproc::InProc};
    ///
    /// # futures::executor::block_on(async {
    /// drop(writer);
    /// assert_eq!(reader.recv(&mut [0; 1024]).await, Err(RecvError::WriterGone));
    /// reader.await_next_writer().await?;
    /// Writer::<InProc>::open(&channel)?.send(b"hello").expect("there is room");
    /// assert_eq!(reader.recv(&mut [0; 1024]).await, Ok(Received::Message(5)));
    /// reader.close().await
    /// # })?;
    /// # Ok::<(), shm_handoff::Error>(())
    /// ```
    pub async fn await_next_writer(&mut self) -> Result<(), Error> {
        self.failed = false;
        self.inner().await.await_next_writer()
    }

    /// Gives the seat back, and the space of the released messages.
    ///
    /// # Errors
    /// The error of the system call.
    pub async fn close(mut self) -> Result<(), Error> {
        self.inner().await;
        self.into_inner().close()
    }

    /// The blocking reader. If a wait goes on, it ends, which takes some microseconds, and up to a second where a peer holds
    /// the seats' lock. A drop takes as long.
    #[must_use]
    pub fn into_inner(self) -> Blocking<B, L> {
        self.waiter.into_inner()
    }

    /// Ready when `take` has succeeded, or failed by anything but that there is nothing.
    fn poll_with<T>(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(&mut Blocking<B, L>) -> Result<T, RecvError>,
    ) -> Poll<Result<T, RecvError>> {
        loop {
            let is_back = ready!(self.waiter.poll_here(context, Some(ReaderWait::Message))).is_some();
            let (reader, pauses) = (self.waiter.recall(), self.pace.pauses());
            // The thread has met a message, or what a glance does not show: a death, an end beside the data.
            if is_back || if pauses == 0 { reader.is_ready()? } else { reader.spin(pauses)? } {
                match take(reader) {
                    Err(RecvError::WouldBlock | RecvError::TimedOut) => {}
                    taken => {
                        self.pace.rest();
                        return Poll::Ready(taken);
                    }
                }
            }
            if self.pace.takes_turns(context) {
                return Poll::Pending;
            }
            self.pace.rest();
            self.waiter.wait(ReaderWait::Message)?;
        }
    }
}

/// The next message, released; `None`: the session has ended.
fn next<B: Backend, L: Core>(reader: &mut Blocking<B, L>) -> Result<Option<Vec<u8>>, RecvError> {
    let len = reader.await_len(&mut WaitPolicy::non_blocking())?;
    let mut bytes = Vec::new();
    // A peer can say any length that a ring can have.
    if bytes.try_reserve_exact(len).is_err() {
        return reader.next_message().map(|message| message.map(<[u8]>::to_vec));
    }
    bytes.resize(len, 0);
    Ok(match reader.try_recv(&mut bytes)? {
        Received::Message(len) => {
            bytes.truncate(len);
            Some(bytes)
        }
        Received::End => None,
    })
}

impl<B: Backend, L: Core> Stream for Reader<B, L>
where
    Blocking<B, L>: Movable + Unpin,
{
    type Item = Result<Vec<u8>, RecvError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.failed {
            return Poll::Ready(None);
        }
        ready!(this.pace.poll_go(context));
        let next = ready!(this.poll_with(context, next));
        this.failed = next.is_err();
        Poll::Ready(next.transpose())
    }
}

impl<B: Backend, L: Core> From<Blocking<B, L>> for Reader<B, L>
where
    Blocking<B, L>: Movable,
{
    fn from(reader: Blocking<B, L>) -> Self {
        Self::new(reader)
    }
}
