//! Waiting: without the interpreter, and so that Ctrl-C is heard.

use crate::endpoint::Home;
use crate::error;
use pyo3::prelude::*;
use shm_handoff::{RecvError, SendError, WaitPolicy};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// So long no signal is heard, at most.
const SLICE: Duration = Duration::from_millis(50);

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

    fn deadline(self) -> Option<Instant> {
        match self {
            Self::Forever => None,
            Self::After(time) => Instant::now().checked_add(time),
        }
    }
}

/// Why a wait ended.
pub(crate) trait Ended {
    /// Because its time had passed.
    fn is_timeout(&self) -> bool;
}

impl Ended for SendError {
    fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut | Self::WouldBlock)
    }
}

impl Ended for RecvError {
    fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut | Self::WouldBlock)
    }
}

/// Calls `attempt`, which can be called again when its time has passed, for as long as `timeout` says. The outer error is
/// what a signal's handler raised.
pub(crate) fn in_slices<T: Send, E: Ended + Send>(
    py: Python<'_>,
    home: Home,
    timeout: Timeout,
    mut attempt: impl FnMut(&mut WaitPolicy<'_>) -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    let deadline = timeout.deadline();
    // Looking again and again pays at the beginning alone.
    let mut is_first = true;
    loop {
        let left = deadline.map_or(SLICE, |deadline| deadline.saturating_duration_since(Instant::now()));
        let spins = is_first && !left.is_zero();
        is_first = false;
        let attempted = py.detach(|| {
            let policy = WaitPolicy::timeout(left.min(SLICE));
            attempt(&mut if spins { policy } else { policy.spins(0) })
        });
        match attempted {
            Err(error) if error.is_timeout() => {
                hear(py, home)?;
                if left <= SLICE && deadline.is_some() {
                    return Ok(Err(error));
                }
            }
            done => return Ok(done),
        }
    }
}

/// Calls `attempt` once, for as long as `timeout` says: for what can't be begun again when its time has passed.
pub(crate) fn at_once<T: Send, E: Send>(
    py: Python<'_>,
    home: Home,
    timeout: Timeout,
    attempt: impl FnOnce(&mut WaitPolicy<'_>) -> Result<T, E> + Send,
) -> PyResult<Result<T, E>> {
    let mut raised = None;
    let done = py.detach(|| {
        let mut heard = Instant::now();
        let mut hook = |_| {
            if heard.elapsed() < SLICE {
                return ControlFlow::Continue(());
            }
            raised = Python::attach(|py| hear(py, home)).err();
            heard = Instant::now();
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
