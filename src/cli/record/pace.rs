//! When a recorded message is sent again.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Speed {
    /// So many times as fast as it was.
    Times(f64),
    /// Without a pause.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        if given == "max" {
            return Ok(Self::Max);
        }
        let bare = given.strip_suffix('x').unwrap_or(given);
        match bare.parse::<f64>() {
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err("not a number above 0, such as 10 or 0.5, nor `max`".to_owned()),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// The recorded gap between two entries, in ns: by the steps, and by the clock where one of them begins a run.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    before: Option<u64>,
}

impl Gaps {
    /// The gap in front of an entry of that time and step.
    pub(super) fn next(&mut self, time: u64, step: u64) -> u64 {
        match self.before.replace(time) {
            None => 0,
            Some(before) if step == 0 => time.saturating_sub(before),
            Some(_) => step,
        }
    }
}

/// When which message is due. Times add up, so that a pause that takes a little longer is made up for.
#[derive(Debug)]
pub(super) struct Schedule {
    speed: Speed,
    due: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(speed: Speed) -> Self {
        Self { speed, due: None }
    }

    /// The moment of what comes `gap` ns behind the last one; `None`: at once.
    pub(super) fn due(&mut self, gap: u64) -> Option<Instant> {
        let Speed::Times(times) = self.speed else { return None };
        let before = self.due.unwrap_or_else(Instant::now);
        let pause =
            Duration::try_from_secs_f64(Duration::from_nanos(gap).as_secs_f64() / times).unwrap_or(Duration::MAX);
        // (A moment beyond all times is as far as the clock goes.)
        let due = before.checked_add(pause).unwrap_or_else(|| before + Duration::from_secs(u32::MAX.into()));
        self.due = Some(due);
        Some(due)
    }

    /// The other side made us wait for so long: what comes later is later.
    pub(super) fn was_held_up(&mut self, time: Duration) {
        self.due = self.due.map(|due| due.checked_add(time).unwrap_or(due));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_or_max() {
        let parsed = ["1", "10", "10x", "0.5", "max"].map(|given| given.parse::<Speed>().unwrap());
        let [one, ten, half] = [1.0, 10.0, 0.5].map(Speed::Times);
        assert_eq!(parsed, [one, ten, ten, half, Speed::Max]);
        for bad in ["", "x", "0", "-1", "inf", "NaN", "MAX"] {
            assert!(bad.parse::<Speed>().is_err(), "{bad}");
        }
    }

    #[test]
    fn gaps_are_the_steps_and_between_two_runs_the_clocks() {
        let mut gaps = Gaps::default();
        assert_eq!(
            [(100, 0), (150, 40), (300, 0), (200, 0)].map(|(time, step)| gaps.next(time, step)),
            [0, 40, 150, 0]
        );
    }

    #[test]
    fn moments_add_up_at_the_speed_asked_for() {
        let mut schedule = Schedule::new(Speed::Times(2.0));
        let first = schedule.due(0).unwrap();
        assert_eq!(schedule.due(3_000_000), Some(first + Duration::from_micros(1500)));
        schedule.was_held_up(Duration::from_secs(1));
        assert_eq!(schedule.due(1_000_000), Some(first + Duration::from_millis(1002)));
        assert!(schedule.due(u64::MAX).is_some() && schedule.due(u64::MAX).is_some());
        assert_eq!(Schedule::new(Speed::Max).due(7), None);
        let mut slow = Schedule::new(Speed::Times(f64::MIN_POSITIVE));
        assert!(slow.due(u64::MAX).is_some());
    }
}
