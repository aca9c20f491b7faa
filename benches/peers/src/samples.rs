//! What was measured, and what it comes to.

use crate::run::Figures;
use crate::work::Work;
use serde::Serialize;
use std::collections::BTreeMap;

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: usize,
    pub(crate) peer: &'static str,
    pub(crate) work: Work,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    pub(crate) state: State,
    /// The machine was in one state from its beginning to its end.
    pub(crate) steady: bool,
}

/// Where the host has put our two cores, as the bare ping-pong tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Shared,
    Near,
    Far,
}

impl State {
    fn of(bare: f64) -> Self {
        match bare {
            ..70.0 => Self::Shared,
            70.0..200.0 => Self::Near,
            _ => Self::Far,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared (under 70 ns)",
            Self::Near => "near (70 to 200 ns)",
            Self::Far => "far (over 200 ns)",
        }
    }
}

/// A measurement in which the bare ping-pong changed by more than this is dropped.
const STEADY: f64 = 0.15;

impl Sample {
    pub(crate) fn new(round: usize, peer: &'static str, work: Work, figures: Figures) -> Self {
        let [before, after] = figures.bare;
        let steady = work == Work::Idle || (after - before).abs() <= STEADY * before.min(after);
        Self { round, peer, work, figures, state: State::of(f64::midpoint(before, after)), steady }
    }

    fn bare(&self) -> f64 {
        f64::midpoint(self.figures.bare[0], self.figures.bare[1])
    }
}

/// Median, least and most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) count: usize,
}

impl Spread {
    fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let count = values.len();
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Some(Self { median, least, most, count })
    }
}

/// All of a run.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) all: Vec<Sample>,
    /// Why there is no figure.
    pub(crate) failures: BTreeMap<(&'static str, Work), Vec<String>>,
}

impl Samples {
    /// The state in which most measurements were made: only these are compared.
    pub(crate) fn state(&self) -> Option<State> {
        let mut counts = BTreeMap::new();
        for sample in self.all.iter().filter(|sample| sample.steady && sample.work != Work::Idle) {
            *counts.entry(sample.state).or_insert(0_usize) += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(state, _)| state)
    }

    fn kept(&self, peer: &str, work: Work) -> impl Iterator<Item = &Sample> {
        let state = self.state();
        self.all.iter().filter(move |sample| {
            let same = work == Work::Idle || Some(sample.state) == state;
            sample.peer == peer && sample.work == work && sample.steady && same
        })
    }

    /// How many count.
    pub(crate) fn count(&self, peer: &str, work: Work) -> usize {
        self.kept(peer, work).count()
    }

    pub(crate) fn values(&self, peer: &str, work: Work) -> Option<Spread> {
        Spread::of(self.kept(peer, work).map(|sample| sample.figures.value))
    }

    /// As ratios to the bare ping-pong beside each.
    pub(crate) fn to_bare(&self, peer: &str, work: Work) -> Option<Spread> {
        Spread::of(self.kept(peer, work).map(|sample| sample.figures.value / sample.bare()))
    }

    /// As ratios to another peer in the same round.
    pub(crate) fn to_peer(&self, peer: &str, other: &str, work: Work) -> Option<Spread> {
        let others: BTreeMap<usize, f64> =
            self.kept(other, work).map(|sample| (sample.round, sample.figures.value)).collect();
        Spread::of(self.kept(peer, work).filter_map(|sample| Some(sample.figures.value / others.get(&sample.round)?)))
    }

    /// The bare ping-pong itself.
    pub(crate) fn bare(&self) -> Option<Spread> {
        let state = self.state();
        let counts = |sample: &&Sample| sample.steady && Some(sample.state) == state && sample.work != Work::Idle;
        Spread::of(self.all.iter().filter(counts).map(Sample::bare))
    }
}
