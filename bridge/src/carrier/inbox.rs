//! Frames that came in and wait for the machine.

use crate::frame::{Frame, Malformed};
use parking_lot::{Condvar, Mutex};
use shm_handoff::backend::Interrupter;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many bytes and frames wait at most, but for one frame of any length.
const MOST_BYTES: usize = 8 << 20;
const MOST_FRAMES: usize = 4096;

/// How long a frame waits for room here. Meanwhile the network holds the next ones back.
const LONGEST: Duration = Duration::from_millis(100);

/// A queue between zenoh's threads and the one that drives the machine.
pub struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
    taken: Condvar,
    interrupter: Interrupter,
}

#[derive(Default)]
struct State {
    frames: VecDeque<(usize, Frame)>,
    bytes: usize,
    /// A frame has waited in vain. Until something was taken, the next ones don't wait.
    is_clogged: bool,
    dropped: u64,
    /// Frames that no bridge sends.
    foreign: u64,
    /// A bridge of another version speaks.
    version: Option<Malformed>,
    /// A receiver may have come.
    came: bool,
}

impl State {
    fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.version.is_none() && !self.came
    }

    fn has_room_for(&self, len: usize) -> bool {
        self.frames.is_empty() || (self.bytes + len <= MOST_BYTES && self.frames.len() < MOST_FRAMES)
    }
}

impl Inbox {
    pub(super) fn new(interrupter: Interrupter) -> Self {
        Self { state: Mutex::default(), filled: Condvar::new(), taken: Condvar::new(), interrupter }
    }

    /// Takes what has come in.
    pub(super) fn put(&self, bytes: Vec<u8>) {
        let len = bytes.len();
        let frame = Frame::decode(bytes);
        let mut state = self.state.lock();
        let frame = match frame {
            Ok(frame) => frame,
            Err(why) => {
                state.foreign += 1;
                if matches!(why, Malformed::Version(_)) {
                    state.version.get_or_insert(why);
                    drop(state);
                    self.wake();
                }
                return;
            }
        };
        if !state.is_clogged {
            let until = Instant::now() + LONGEST;
            while !state.has_room_for(len) && !self.taken.wait_until(&mut state, until).timed_out() {}
        }
        if !state.has_room_for(len) {
            (state.is_clogged, state.dropped) = (true, state.dropped + 1);
            return;
        }
        state.bytes += len;
        state.frames.push_back((len, frame));
        let is_first = state.frames.len() == 1;
        drop(state);
        if is_first {
            self.wake();
        }
    }

    /// A receiver may have come: somebody subscribes to what goes out.
    pub(super) fn receiver_came(&self) {
        self.state.lock().came = true;
        self.wake();
    }

    /// Whether one may have come since the last call.
    pub fn take_came(&self) -> bool {
        std::mem::take(&mut self.state.lock().came)
    }

    fn wake(&self) {
        self.filled.notify_one();
        self.interrupter.interrupt();
    }

    /// The next frame, if there is one.
    pub fn take(&self) -> Option<Frame> {
        let mut state = self.state.lock();
        let (len, frame) = state.frames.pop_front()?;
        state.bytes -= len;
        state.is_clogged = false;
        drop(state);
        self.taken.notify_one();
        Some(frame)
    }

    /// Whether there is nothing to take or to hear of.
    pub fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.is_empty()
    }

    /// Waits for a frame, until `deadline` at most.
    pub fn wait(&self, deadline: Instant) {
        let mut state = self.state.lock();
        while state.is_empty() && !self.filled.wait_until(&mut state, deadline).timed_out() {}
    }

    /// That a bridge of another version speaks, if one does.
    pub fn version(&self) -> Option<Malformed> {
        self.state.lock().version.take()
    }

    /// Frames that no bridge sends.
    #[must_use]
    pub fn foreign(&self) -> u64 {
        self.state.lock().foreign
    }

    pub(super) fn dropped(&self) -> u64 {
        self.state.lock().dropped
    }
}
