//! The receiver's account of what came.

use crate::message;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Until so long after the first message the rate is not looked at: pipes fill, threads wake.
const WARM_UP: u64 = 300_000_000;

/// What came, in the order in which it came.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Bytes of a message.
    len: usize,
    /// The number behind the highest that came.
    next: u64,
    missing: BTreeSet<u64>,
    count: u64,
    duplicates: u64,
    late: u64,
    torn: u64,
    first: u64,
    last: u64,
    /// How many had come when the warm-up was over, and when that was.
    warm: Option<(u64, u64)>,
    /// From when each was to be sent until it was here, in nanoseconds.
    latencies: Vec<u64>,
}

impl Tally {
    /// For messages of `len` bytes.
    pub(crate) fn new(len: usize) -> Self {
        Self { inner: Mutex::new(Inner { len, ..Inner::default() }) }
    }

    /// A message came.
    pub(crate) fn take(&self, bytes: &[u8]) {
        let now = message::now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        if bytes.len() != inner.len {
            inner.torn += 1;
            return;
        }
        let (number, sent) = message::read(bytes);
        // One byte of the pattern, another one each time.
        let body = inner.len - message::SHORTEST;
        if body > 0 {
            let at = message::SHORTEST + usize::try_from(number).unwrap_or(0) % body;
            inner.torn += u64::from(bytes[at] != message::pattern_at(at));
        }
        if number >= inner.next {
            inner.missing.extend(inner.next..number);
            inner.next = number + 1;
        } else if inner.missing.remove(&number) {
            inner.late += 1;
        } else {
            inner.duplicates += 1;
            return;
        }
        if inner.count == 0 {
            inner.first = now;
        }
        inner.count += 1;
        inner.last = now;
        if inner.warm.is_none() && now - inner.first > WARM_UP {
            inner.warm = Some((inner.count, now));
        }
        inner.latencies.push(now.saturating_sub(sent));
    }

    /// How many different ones came, and when the last of them did.
    pub(crate) fn count(&self) -> (u64, u64) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.count, inner.last)
    }

    /// The account, `sent` having been sent.
    pub(crate) fn report(&self, sent: u64) -> Report {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.latencies.sort_unstable();
        let quantile = |of: f64| {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let at = (inner.latencies.len() as f64 * of) as usize;
            inner.latencies.get(at).or(inner.latencies.last()).copied().unwrap_or(0)
        };
        let (count, from) = inner.warm.unwrap_or((1, inner.first));
        #[expect(clippy::cast_precision_loss)]
        let rate = (inner.count.saturating_sub(count)) as f64 * 1e9 / (inner.last - from).max(1) as f64;
        Report {
            sent,
            received: inner.count,
            duplicates: inner.duplicates,
            late: inner.late,
            torn: inner.torn,
            rate,
            median: quantile(0.5),
            p99: quantile(0.99),
            longest: quantile(1.0),
        }
    }
}

/// What a receiver says at its end, as one line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
    pub(crate) torn: u64,
    /// Messages a second.
    pub(crate) rate: f64,
    /// Nanoseconds.
    pub(crate) median: u64,
    pub(crate) p99: u64,
    pub(crate) longest: u64,
}

impl Display for Report {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sent, received, duplicates, late, torn, rate, median, p99, longest } = self;
        write!(to, "{sent} {received} {duplicates} {late} {torn} {rate} {median} {p99} {longest}")
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let bad = || format!("not a report: {line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [sent, received, duplicates, late, torn, rate, median, p99, longest] = words[..] else {
            return Err(bad());
        };
        let whole = |word: &str| word.parse::<u64>().map_err(|_| bad());
        Ok(Self {
            sent: whole(sent)?,
            received: whole(received)?,
            duplicates: whole(duplicates)?,
            late: whole(late)?,
            torn: whole(torn)?,
            rate: rate.parse().map_err(|_| bad())?,
            median: whole(median)?,
            p99: whole(p99)?,
            longest: whole(longest)?,
        })
    }
}
