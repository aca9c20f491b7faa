//! How long to wait, and who may cut it short.

use crate::sync::now;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What a side waits for.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::ops::ControlFlow;
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut what = None;
/// let mut hook = |tick: Tick| {
///     what = Some(tick.waiting_for);
///     ControlFlow::Break(())
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
/// assert_eq!((result, what), (Err(RecvError::Interrupted), Some(WaitingFor::Message)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// A writer, for the first reader of this memory.
    Reader,
    /// A writer, for the last message to be released.
    Room,
    /// A reader, for a message.
    Message,
    /// A writer on removed memory, for the reader to take what it takes.
    Drain,
    /// A writer that leaves memory which goes with it, for what it sent to be released.
    Receipt,
}

/// One tick of a wait, as the hook is told.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use shm_handoff::protocol::{Tick, WaitingFor};
/// # use std::{ops::ControlFlow, time::Duration};
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut hook = |tick: Tick| {
///     assert_eq!(tick.waiting_for, WaitingFor::Message);
///     if tick.waited < Duration::from_millis(1) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// };
/// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
/// assert_eq!(result, Err(RecvError::Interrupted));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// What for.
    pub waiting_for: WaitingFor,
    /// How long this wait has gone on.
    pub waited: Duration,
}

/// How long to wait, and who may cut it short.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
/// # use std::time::{Duration, Instant};
/// # let slot = Channel::new(2048);
/// # let mut reader = Reader::<InProc>::open(&slot)?;
/// # let mut writer = Writer::<InProc>::open(&slot)?;
/// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1)).spins(0);
/// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
/// # }
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
    /// Waits for as long as it takes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// writer.send(b"hello\n")?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever()), Ok(6));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn forever() -> Self {
        Self::default()
    }

    /// Gives up at `deadline`.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::{Duration, Instant};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn deadline(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Gives up after waiting for `time`. It begins when there is something to wait for, so
    /// that no clock is read where there is not.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::time::Duration;
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let mut policy = WaitPolicy::timeout(Duration::from_millis(1));
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn timeout(time: Duration) -> Self {
        Self { timeout: Some(time), ..Self::default() }
    }

    /// Does not wait at all.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// assert_eq!(reader.recv_with(&mut [0; 2048], &mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn non_blocking() -> Self {
        Self { deadline: Some(now()), spins: Some(0), ..Self::default() }
    }

    /// Looks `spins` times, with a pause between, before it sleeps. By default it makes
    /// 100 pauses and then 50 yields: fewer save the core and may cost a sleep for an answer
    /// that was on its way (tens of microseconds); more are for who has a core to spare.
    /// From 100 on the yields follow, unless others want the core. The hook and the deadline
    /// are heard meanwhile; that the peer has gone is noticed after it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// use shm_handoff::{RecvError, WaitPolicy, backend::inproc::{Channel, InProc}, ring::Reader};
    /// use std::time::{Duration, Instant};
    /// let mut reader = Reader::<InProc>::open(&Channel::ring(4096)).unwrap();
    /// let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_millis(1)).spins(0);
    /// assert_eq!(reader.recv_with(&mut [], &mut policy), Err(RecvError::TimedOut));
    /// # }
    /// ```
    #[must_use]
    pub fn spins(self, spins: u32) -> Self {
        Self { spins: Some(spins), ..self }
    }

    /// Calls `hook` on every tick, at most 20 ms apart (in a ring 100 ms); `Break` ends the wait.
    /// A wait that is over within its pauses has no tick.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Reader, RecvError, WaitPolicy, Writer, backend::inproc::{Channel, InProc}};
    /// # use std::{ops::ControlFlow, sync::atomic::{AtomicBool, Ordering::Relaxed}};
    /// # let slot = Channel::new(2048);
    /// # let mut reader = Reader::<InProc>::open(&slot)?;
    /// # let mut writer = Writer::<InProc>::open(&slot)?;
    /// let stop = AtomicBool::new(true); // set by a signal handler, say
    /// let mut hook = |_| if stop.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    /// let result = reader.recv_with(&mut [0; 2048], &mut WaitPolicy::forever().on_tick(&mut hook));
    /// assert_eq!(result, Err(RecvError::Interrupted));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_tick(self, hook: &'h mut dyn FnMut(Tick) -> ControlFlow<()>) -> Self {
        Self { hook: Some(hook), ..self }
    }
}
