//! What this project's pictures of measurements have in common, those of `benches/peers` among them: scales of
//! powers of ten, and what stands at their marks.

/// Powers of ten from one to another, on a line from here to there.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    powers: (f64, f64),
    ends: (f64, f64),
}

impl Scale {
    /// From ten to the one to ten to the other of `powers`, between `ends` on the picture.
    #[must_use]
    pub fn new(powers: (f64, f64), ends: (f64, f64)) -> Self {
        Self { powers, ends }
    }

    /// Whole powers of ten around these values; none is under 1.
    #[must_use]
    pub fn around(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> Self {
        let (least, most) = values.fold((f64::INFINITY, 1.0_f64), |(least, most), value| {
            let value = value.max(1.0);
            (least.min(value), most.max(value))
        });
        let from = least.min(most).log10().floor();
        Self::new((from, most.log10().ceil().max(from + 1.0)), ends)
    }

    /// Where on the picture a value is.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let (from, to) = self.powers;
        self.ends.0 + (value.max(1.0).log10() - from) / (to - from) * (self.ends.1 - self.ends.0)
    }

    /// The greatest power.
    #[must_use]
    pub fn most(&self) -> f64 {
        self.powers.1
    }

    /// Each power of ten, and where it is.
    pub fn marks(self) -> impl Iterator<Item = (f64, f64)> {
        let (from, to) = self.powers;
        let powers = std::iter::successors(Some(from), |power| Some(power + 1.0)).take_while(move |power| *power <= to);
        powers.map(move |power| (10_f64.powf(power), self.at(10_f64.powf(power))))
    }
}

/// A power of ten of nanoseconds.
#[must_use]
pub fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.0} µs", nanos / 1e3),
        1e6..1e9 => format!("{:.0} ms", nanos / 1e6),
        _ => format!("{:.0} s", nanos / 1e9),
    }
}
