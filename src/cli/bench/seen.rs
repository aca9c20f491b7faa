//! What was seen of a transport in all rounds.

use super::measure::no_trips;
use super::wire::{Received, Transport};
use hdrhistogram::Histogram;

pub(super) struct Seen {
    pub(super) transport: Transport,
    /// Bytes of a message.
    size: usize,
    /// The round trips of all rounds, in nanoseconds: what disturbed a round is where it
    /// belongs, in the tail.
    pub(super) trips: Histogram<u64>,
    /// The median round trip of each round.
    pub(super) medians: Vec<u64>,
    /// What came one way in each round.
    pub(super) streams: Vec<Received>,
}

impl Seen {
    pub(super) fn nothing(transport: Transport, size: usize) -> Self {
        Self { transport, size, trips: no_trips(), medians: Vec::new(), streams: Vec::new() }
    }

    pub(super) fn add(&mut self, trips: &[(u64, u64)], stream: Received) {
        let mut round = no_trips();
        for (nanos, count) in trips {
            round.saturating_record_n(*nanos, *count);
        }
        self.medians.push(round.value_at_quantile(0.5));
        self.trips.add(round).expect("both have the same bounds");
        self.streams.push(stream);
    }

    pub(super) fn at(&self, percentile: f64) -> u64 {
        self.trips.value_at_percentile(percentile)
    }

    /// Messages a second of each round.
    pub(super) fn rates(&self) -> Vec<u64> {
        self.streams.iter().map(|stream| rate(*stream)).collect()
    }

    /// Messages a second in the median round.
    pub(super) fn rate(&self) -> u64 {
        let mut rates = self.rates();
        rates.sort_unstable();
        rates[rates.len() / 2]
    }

    /// Bytes a second in the median round.
    pub(super) fn bytes(&self) -> u64 {
        self.rate().saturating_mul(self.size as u64)
    }

    /// The distribution, by the steps that are not empty.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for recorded in self.trips.iter_recorded() {
            let (nanos, count) = (recorded.value_iterated_to(), recorded.count_at_value());
            match steps.last_mut() {
                Some(step) if nanos < step.below => step.count += count,
                _ => steps.push(Step { count, ..Step::around(nanos) }),
            }
        }
        steps
    }
}

fn rate(Received { messages, nanos }: Received) -> u64 {
    u64::try_from(u128::from(messages) * 1_000_000_000 / u128::from(nanos.max(1))).unwrap_or(u64::MAX)
}

/// Round trips that took from so many nanoseconds on, below so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: u64,
    pub(super) below: u64,
    pub(super) count: u64,
}

impl Step {
    /// Tenths at which a step begins, in each power of ten.
    const BEGINS: [u64; 6] = [10, 15, 20, 30, 50, 70];

    /// The step in which this is, still empty.
    fn around(nanos: u64) -> Self {
        if nanos < 10 {
            return Self { from: 0, below: 10, count: 0 };
        }
        let power = 10_u64.pow(nanos.ilog10() - 1);
        let begins = Self::BEGINS.map(|tenths| tenths * power);
        let from = begins.into_iter().rfind(|begin| *begin <= nanos).unwrap_or(10 * power);
        let below = begins.into_iter().find(|begin| *begin > nanos).unwrap_or(100 * power);
        Self { from, below, count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_are_put_together_and_the_middle_one_counts() {
        let mut seen = Seen::nothing(Transport::Ring, 64);
        for (trip, messages) in [(100, 7_000), (300, 1_000), (120, 2_000)] {
            seen.add(&[(trip, 10), (100_000, 1)], Received { messages, nanos: 1_000_000 });
        }
        assert_eq!((seen.trips.len(), seen.medians.clone()), (33, vec![100, 300, 120]));
        assert_eq!([seen.at(0.0), seen.at(50.0), seen.at(90.0)], [100, 120, 300]);
        assert_eq!((seen.rates(), seen.rate()), (vec![7_000_000, 1_000_000, 2_000_000], 2_000_000));
        assert_eq!(seen.bytes(), 128_000_000);
        let counts: Vec<_> = seen.steps().iter().map(|step| (step.from, step.count)).collect();
        assert_eq!(counts, [(100, 20), (300, 10), (100_000, 3)]);
    }

    proptest! {
        /// Every number is in one step, and the steps follow one another.
        #[test]
        fn steps_leave_nothing_out(nanos in 0_u64..100_000_000_000) {
            let step = Step::around(nanos);
            prop_assert!(step.from <= nanos && nanos < step.below);
            prop_assert_eq!(Step::around(step.below).from, step.below);
            prop_assert_eq!(Step::around(step.from), step);
        }
    }
}
