//! How long a side waits, and what may cut that short.

use crate::sync::now;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The event that a side waits for, as a [`Tick`] names it.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// let mut what = None;
/// let mut hook = |tick: Tick| {
///     what = Some(tick.waiting_for);
///     ControlFlow::Break(())
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
/// assert_eq!((result, what), (Err(RecvError::Interrupted), Some(WaitingFor::Message)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// A writer, for the first reader of this memory.
    Reader,
    /// A writer, for the last message to be released.
    Room,
    /// A reader, for a message.
    Message,
    /// A writer on removed memory waits until the reader has taken the messages that it takes.
    Drain,
    /// A writer behind the end of a session waits until a reader has met it.
    End,
    /// A writer that leaves memory which goes with it waits until its messages are released.
    Receipt,
}

/// One tick of a wait, as it is told to the hook of [`WaitPolicy::on_tick`].
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// let mut hook = |tick: Tick| {
///     if tick.waited < Duration::from_millis(1) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
/// assert_eq!(result, Err(RecvError::Interrupted));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// What for.
    pub waiting_for: WaitingFor,
    /// How long this wait has gone on.
    pub waited: Duration,
}

/// How long a side waits, and which events cut the wait short. The calls that end in `_with` take one.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
/// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
/// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
/// writer.send(b"hello\n")?;
/// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever())?, Received::Message(6));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct WaitPolicy<'h> {
    pub(super) deadline: Option<Instant>,
    /// From the first tick on that is the deadline.
    pub(super) timeout: Option<Duration>,
    /// Looks before it sleeps; `None`: as many as pay.
    pub(super) spins: Option<u32>,
    pub(super) hook: Option<&'h mut dyn FnMut(Tick) -> ControlFlow<()>>,
}

impl fmt::Debug for WaitPolicy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitPolicy").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<'h> WaitPolicy<'h> {
    /// Waits as long as it takes.
    #[must_use]
    pub fn forever() -> Self {
        Self::default()
    }

    /// Gives up at `deadline`. One deadline can span several calls.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    /// ```
    #[must_use]
    pub fn deadline(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Gives up after waiting for `time`. The time begins when there is something to wait for, so
    /// that no clock is read where there is not.
    #[must_use]
    pub fn timeout(time: Duration) -> Self {
        Self { timeout: Some(time), ..Self::default() }
    }

    /// Does not wait at all.
    #[must_use]
    pub fn non_blocking() -> Self {
        Self { deadline: Some(now()), spins: Some(0), ..Self::default() }
    }

    /// Looks `spins` times, with a pause between, before the side sleeps. By default it makes
    /// 100 pauses and then 50 yields. Fewer save the core, and may cost a sleep (tens of microseconds) for an answer
    /// that was on its way; more are for programs that have a core to spare.
    /// From 100 on the yields follow, unless others want the core. The hook and the deadline
    /// are heard meanwhile; that the peer has gone is noticed after it.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1)).spins(0); // sleeps at once
    /// assert_eq!(reader.recv_with(&mut [], &mut policy), Err(RecvError::TimedOut));
    /// ```
    #[must_use]
    pub fn spins(self, spins: u32) -> Self {
        Self { spins: Some(spins), ..self }
    }

    /// Calls `hook` on every tick, at most 20 ms apart (at a ring 100 ms); `Break` ends the wait.
    /// A wait that is over within its pauses has no tick.
    ///
    /// ```
    /// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = slot();
    /// # use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    /// let stop = AtomicBool::new(true); // set by a signal handler, say
    /// let mut hook = |_| if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    /// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
    /// assert_eq!(result, Err(RecvError::Interrupted));
    /// ```
    #[must_use]
    pub fn on_tick(self, hook: &'h mut dyn FnMut(Tick) -> ControlFlow<()>) -> Self {
        Self { hook: Some(hook), ..self }
    }
}
