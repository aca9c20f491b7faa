//! The loops that are measured, of either side, over any transport. Every message is
//! checked. What a clock does not need to see is outside of what it measures.

use super::ends::Ends;
use super::wire::Received;
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbered;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// The longest round trip that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(60);

/// Digits of a round trip that count.
const DIGITS: u8 = 3;

/// Messages between two looks at the clock, where they go one way.
const BATCH: u64 = 64;

/// Round trips in nanoseconds, none yet.
pub(super) fn no_trips() -> Histogram<u64> {
    Histogram::new_with_bounds(1, nanos(LONGEST), DIGITS).expect("the bounds are valid ones")
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What one look at the clock takes, nanoseconds: every round trip has it in it.
pub(super) fn clock() -> u64 {
    const LOOKS: u32 = 10_000;
    let started = Instant::now();
    let mut last = started;
    for _ in 0..LOOKS {
        last = std::hint::black_box(Instant::now());
    }
    nanos((last - started) / LOOKS)
}

/// What either side does, whatever carries it.
pub(super) trait Work {
    /// Asks for so long, and takes the time of each answer.
    fn trips(&mut self, time: Duration) -> Result<Histogram<u64>, Failure>;

    /// Answers until the last message.
    fn answer(&mut self) -> Result<(), Failure>;

    /// Sends for so long.
    fn send(&mut self, time: Duration) -> Result<(), Failure>;

    /// Receives until the last message.
    fn receive(&mut self) -> Result<Received, Failure>;
}

/// The ends, and room for a message each way.
pub(super) struct Runner<E> {
    ends: E,
    message: Vec<u8>,
    room: Vec<u8>,
}

impl<E: Ends> Runner<E> {
    pub(super) fn new(ends: E, size: usize) -> Self {
        Self { ends, message: numbered::blank(size), room: vec![0; size] }
    }

    fn send_last(&mut self) -> Result<(), Failure> {
        numbered::stamp_last(&mut self.message);
        self.ends.send(&self.message)
    }

    /// Receives a message of the right length.
    #[inline]
    fn next(&mut self) -> Result<(), Failure> {
        if self.ends.receive(&mut self.room)? == self.room.len() { Ok(()) } else { Err(wrong()) }
    }
}

impl<E: Ends> Work for Runner<E> {
    fn trips(&mut self, time: Duration) -> Result<Histogram<u64>, Failure> {
        let mut trips = no_trips();
        let until = Instant::now() + time;
        for number in 0.. {
            numbered::stamp(&mut self.message, number);
            let started = Instant::now();
            self.ends.send(&self.message)?;
            self.next()?;
            let ended = Instant::now();
            if self.room != self.message {
                return Err(wrong());
            }
            trips.saturating_record(nanos(ended - started));
            if ended >= until {
                break;
            }
        }
        self.send_last()?;
        self.next()?;
        Ok(trips)
    }

    fn answer(&mut self) -> Result<(), Failure> {
        for number in 0.. {
            self.next()?;
            self.ends.send(&self.room)?;
            if numbered::is_last(&self.room) {
                break;
            }
            if !numbered::is(&self.room, number) {
                return Err(wrong());
            }
        }
        Ok(())
    }

    fn send(&mut self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        for number in 0.. {
            numbered::stamp(&mut self.message, number);
            self.ends.send(&self.message)?;
            if number % BATCH == BATCH - 1 && Instant::now() >= until {
                break;
            }
        }
        self.send_last()
    }

    fn receive(&mut self) -> Result<Received, Failure> {
        // From the first message to the last, so the first is not one that came in that time.
        self.next()?;
        let started = Instant::now();
        if !numbered::is(&self.room, 0) {
            return Err(wrong());
        }
        let mut number = 1;
        loop {
            self.next()?;
            if numbered::is_last(&self.room) {
                return Ok(Received { messages: number, nanos: nanos(started.elapsed()).max(1) });
            }
            if !numbered::is(&self.room, number) {
                return Err(wrong());
            }
            number += 1;
        }
    }
}

#[cold]
fn wrong() -> Failure {
    Failure::new(Exit::System, "a message came that is not the one that was sent, which must never happen")
}
