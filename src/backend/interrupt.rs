//! How another thread reaches an endpoint that sleeps.

use std::fmt;
use std::sync::Arc;

/// Ends a sleep of one endpoint, from any thread. The endpoint's wait goes on, and asks the
/// [hook](crate::WaitPolicy::on_tick) of its policy at once: there, another thread can have left word that the wait
/// is to end. If the endpoint does not sleep, its next sleep is a short one.
///
#[cfg_attr(not(model), doc = "```")]
#[cfg_attr(model, doc = "```ignore")]
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// # use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
/// static STOP: AtomicBool = AtomicBool::new(false);
/// let interrupter = reader.interrupter();
/// let stopper = std::thread::spawn(move || {
///     STOP.store(true, SeqCst);
///     interrupter.interrupt();
/// });
/// let mut hook = |_| if STOP.load(SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
/// let result = reader.recv_with(&mut [0; 1024], &mut WaitPolicy::forever().on_tick(&mut hook));
/// assert_eq!(result, Err(RecvError::Interrupted));
/// stopper.join().expect("it does not panic");
/// ```
#[derive(Clone)]
pub struct Interrupter {
    endpoint: Arc<dyn Interrupt>,
}

#[cfg(not(model))]
pub(super) trait Interrupt: Send + Sync {
    fn interrupt(&self);
}

/// (A checker's locks stay with its own threads.)
#[cfg(model)]
pub(super) trait Interrupt {
    fn interrupt(&self);
}

impl Interrupter {
    pub(super) fn of(endpoint: Arc<dyn Interrupt>) -> Self {
        Self { endpoint }
    }

    /// For a backend whose sleeps are bounded and short: it does nothing.
    pub(super) fn of_none() -> Self {
        Self::of(Arc::new(Nobody))
    }

    /// Ends the sleep that the endpoint is in, or is about to begin.
    pub fn interrupt(&self) {
        self.endpoint.interrupt();
    }
}

struct Nobody;

impl Interrupt for Nobody {
    fn interrupt(&self) {}
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}
