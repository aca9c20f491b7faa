//! Waiting: without the interpreter, and so that Ctrl-C is heard.

use crate::endpoint::Home;
use crate::error;
use pyo3::prelude::*;
use shm_handoff::WaitPolicy;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// So often signals are heard while ticks are close together: that takes the interpreter from other threads. At a ring, ticks are
/// up to 100 ms apart.
const HEAR_EVERY: Duration = Duration::from_millis(20);

/// How long a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeout {
    Forever,
    After(Duration),
}

impl Timeout {
    pub(crate) const NOW: Self = Self::After(Duration::ZERO);

    /// Of seconds as Python has them; `None`: not given.
    pub(crate) fn of(seconds: Option<f64>) -> PyResult<Option<Self>> {
        match seconds {
            None => Ok(None),
            Some(seconds) if seconds.is_nan() || seconds < 0.0 => Err(error::invalid(&format!(
                "timeout={seconds}: it is a number of seconds, 0 or more; None waits as long as it takes"
            ))),
            // What is too much for a `Duration` is forever, too.
            Some(seconds) => Ok(Some(Duration::try_from_secs_f64(seconds).map_or(Self::Forever, Self::After))),
        }
    }

    /// As Python has it.
    pub(crate) fn seconds(self) -> Option<f64> {
        match self {
            Self::Forever => None,
            Self::After(time) => Some(time.as_secs_f64()),
        }
    }
}

/// Calls `attempt` without the interpreter, for as long as `timeout` says. The outer error is what a signal's handler raised, and
/// ends the attempt. A child that a handler has forked has no memory to go on with: an attempt that was interrupted must not touch
/// it.
pub(crate) fn patiently<T: Send, E: Send>(
    py: Python<'_>,
    home: Home,
    timeout: Timeout,
    attempt: impl FnOnce(&mut WaitPolicy<'_>) -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    let mut raised = None;
    let done = py.detach(|| {
        let mut heard = Instant::now();
        let (mut ticked, mut was_long) = (heard, false);
        let mut hook = |_| {
            let now = Instant::now();
            // The sleep behind a long one is long, too, unless a signal ends it.
            let is_due = was_long || now - heard >= HEAR_EVERY;
            was_long = now - ticked >= HEAR_EVERY;
            ticked = now;
            if !is_due {
                return ControlFlow::Continue(());
            }
            raised = Python::attach(|py| hear(py, home)).err();
            heard = now;
            if raised.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let policy = match timeout {
            Timeout::Forever => WaitPolicy::forever(),
            Timeout::After(Duration::ZERO) => WaitPolicy::non_blocking(),
            Timeout::After(time) => WaitPolicy::timeout(time),
        };
        attempt(&mut policy.on_tick(&mut hook))
    });
    raised.map_or(Ok(done), Err)
}

/// Runs the handlers of signals that came. One that forks returns twice.
fn hear(py: Python<'_>, home: Home) -> PyResult<()> {
    py.check_signals()?;
    home.check()
}
