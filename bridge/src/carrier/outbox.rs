//! Frames on their way out. Where the link is slow, or dead, zenoh keeps the thread that sends for up to five seconds: so that is a thread
//! of its own, and the one that drives the machine hears signals and frames meanwhile.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zenoh::Wait;
use zenoh::pubsub::Publisher;

/// Frames that wait at most. More of them are no gain: the link has its own.
const MOST: usize = 4;

/// How long a frame waits for its turn.
const LONGEST: Duration = Duration::from_millis(250);

pub(super) struct Outbox {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    sent: Condvar,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Vec<u8>>,
    /// One is being sent.
    is_busy: bool,
    /// A frame has waited in vain. Until one was sent, the next ones don't wait.
    is_clogged: bool,
    is_over: bool,
    dropped: u64,
}

impl Outbox {
    pub(super) fn new(publisher: Publisher<'static>) -> Self {
        let shared = Arc::<Shared>::default();
        let frames = Arc::clone(&shared);
        std::thread::spawn(move || {
            while let Some(frame) = frames.next() {
                // What can't be sent is lost: the machines are prepared for that.
                let _ = publisher.put(frame).wait();
                frames.is_sent();
            }
        });
        Self { shared }
    }

    /// Sends a frame, or drops it.
    pub(super) fn send(&self, frame: Vec<u8>) {
        let Shared { state, filled, sent } = &*self.shared;
        let mut state = state.lock();
        if !state.is_clogged {
            let until = Instant::now() + LONGEST;
            while state.frames.len() >= MOST && !sent.wait_until(&mut state, until).timed_out() {}
        }
        if state.frames.len() >= MOST {
            (state.is_clogged, state.dropped) = (true, state.dropped + 1);
            return;
        }
        state.frames.push_back(frame);
        drop(state);
        filled.notify_one();
    }

    /// Waits until everything was sent.
    pub(super) fn flush(&self, longest: Duration) {
        let until = Instant::now() + longest;
        let mut state = self.shared.state.lock();
        while (state.is_busy || !state.frames.is_empty()) && !self.shared.sent.wait_until(&mut state, until).timed_out()
        {
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.shared.state.lock().dropped
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.shared.state.lock().is_over = true;
        self.shared.filled.notify_all();
    }
}

impl Shared {
    /// The next frame; `None`: there will be no more.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.state.lock();
        while state.frames.is_empty() && !state.is_over {
            self.filled.wait(&mut state);
        }
        let frame = state.frames.pop_front();
        state.is_busy = frame.is_some();
        frame
    }

    fn is_sent(&self) {
        let mut state = self.state.lock();
        (state.is_busy, state.is_clogged) = (false, false);
        drop(state);
        self.sent.notify_all();
    }
}
