//! `shm-handoff stat --watch`: the same look again and again, and what changed between two.

use super::content::Whole;
use super::exit::Failure;
use super::look::{self, Shown};
use super::signals::Signals;
use super::stdio::{self, HEADING};
use super::{json, spec};
use crate::backend::sysv::{Key, Observer};
use crate::declare::Declared;
use crate::error::{Error, Layout};
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long a slot is watched at each look: an observer is attached for less than a millisecond.
const SAMPLE: Duration = Duration::from_micros(500);

/// Lines between two headings.
const PAGE: u64 = 20;

/// A look, and when it was.
struct Look {
    at: Instant,
    shown: Shown,
    /// Messages a second in a slot, as far as the sample shows.
    sampled: Option<f64>,
}

#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "they are the names in the JSON")]
struct Rates {
    bytes_in_per_second: Option<u64>,
    bytes_out_per_second: Option<u64>,
    messages_per_second: Option<u64>,
}

/// Until a signal, or until nobody reads what is printed.
pub(super) fn run(key: Key, declared: Option<&Declared>, every: Duration, schema: Option<&str>) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let mut last: Option<Look> = None;
    for number in 0.. {
        if schema.is_none() && number % PAGE == 0 {
            stdio::show_heeding(&signals, &heading())?;
        }
        let mut other = None;
        let look = match take(key, declared) {
            Ok(look) => Some(look),
            Err(Error::Missing { .. } | Error::Removed { .. }) => None,
            // What both sides have gone over to meanwhile: it has to be named.
            Err(error @ (Error::NotAChannel { .. } | Error::OtherLayout { .. })) if number > 0 => {
                other = Some(error);
                None
            }
            Err(error) => return Err(spec::refused(error, key)),
        };
        let rates = match (&last, &look) {
            (Some(last), Some(now)) => rates(last, now),
            _ => Rates::default(),
        };
        let text = match (schema, &look) {
            (Some(schema), None) if other.is_some() => {
                json::object(schema, &Unreadable { key: key.number(), unreadable: in_words(other.as_ref()) })
            }
            (None, None) if other.is_some() => {
                format!("{} {}; name it: --layout SPEC\n", time_of_day(), in_words(other.as_ref()))
            }
            (Some(schema), Some(look)) => {
                json::object(schema, &Watched { whole: Whole::of(declared, &look.shown), rates })
            }
            (Some(schema), None) => json::object(schema, &Missing { key: key.number(), missing: true }),
            (None, look) => line(look.as_ref().map(|look| &look.shown), &rates),
        };
        stdio::show_heeding(&signals, &text)?;
        last = look;
        if stdio::is_output_closed() {
            return Ok(());
        }
        signals.pause(every)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Watched<'w> {
    #[serde(flatten)]
    whole: Whole<'w>,
    #[serde(flatten)]
    rates: Rates,
}

#[derive(Serialize)]
struct Missing {
    key: u32,
    missing: bool,
}

#[derive(Serialize)]
struct Unreadable {
    key: u32,
    unreadable: String,
}

fn in_words(error: Option<&Error>) -> String {
    error.map(ToString::to_string).unwrap_or_default()
}

fn take(key: Key, declared: Option<&Declared>) -> Result<Look, Error> {
    let observer = match declared {
        Some(declared) => Observer::open_declared(key, declared)?,
        None => Observer::open(key)?,
    };
    let sampled = sample(&observer);
    drop(observer);
    Ok(Look { shown: look::at(key, declared)?, at: Instant::now(), sampled })
}

/// How often a slot was filled, where that is often enough to be told.
fn sample(observer: &Observer) -> Option<f64> {
    if let Layout::Ring { .. } = observer.layout() {
        return None;
    }
    let started = Instant::now();
    let (mut filled, mut before) = (0_u32, observer.is_full()?);
    while started.elapsed() < SAMPLE {
        let full = observer.is_full()?;
        filled += u32::from(!before && full);
        before = full;
    }
    (filled >= 2).then(|| f64::from(filled) / started.elapsed().as_secs_f64())
}

fn rates(last: &Look, now: &Look) -> Rates {
    if last.shown.id != now.shown.id {
        return Rates::default();
    }
    let seconds = now.at.duration_since(last.at).as_secs_f64();
    match (&last.shown.ring, &now.shown.ring) {
        (Some(last), Some(now)) => Rates {
            bytes_in_per_second: per_second(now.tail.wrapping_sub(last.tail), seconds),
            bytes_out_per_second: per_second(now.released.wrapping_sub(last.released), seconds),
            messages_per_second: None,
        },
        (None, None) if now.shown.flag.is_some() => {
            let changed = now.shown.flag != last.shown.flag || now.shown.text != last.shown.text;
            let slow = if changed { 1.0 / seconds } else { 0.0 };
            Rates { messages_per_second: rounded(now.sampled.unwrap_or(slow)), ..Rates::default() }
        }
        _ => Rates::default(),
    }
}

fn per_second(amount: u64, seconds: f64) -> Option<u64> {
    #[allow(clippy::cast_precision_loss)] // a rate for people
    rounded(amount as f64 / seconds)
}

fn rounded(rate: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates; never negative
    rate.is_finite().then_some(rate.round() as u64)
}

fn heading() -> String {
    format!(
        "{HEADING}{:>8} {:>9} {:>12} {:>13} {:>13} {:>10} {:>8} {:>10} {:>10}{HEADING:#}\n",
        "TIME", "MESSAGES", "BYTES", "IN B/S", "OUT B/S", "MSG/S", "ATTACHED", "WRITER", "READER"
    )
}

fn line(shown: Option<&Shown>, rates: &Rates) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let time = time_of_day();
    let Some(shown) = shown else { return format!("{time} there is no segment\n") };
    let pid = |process: &Option<look::Process>| match process {
        None if shown.seats_hidden => "unknown".to_owned(),
        process => number(process.as_ref().map(|process| process.pid.into())),
    };
    format!(
        "{time} {:>9} {:>12} {:>13} {:>13} {:>10} {:>8} {:>10} {:>10}\n",
        number(shown.messages),
        number(shown.bytes),
        number(rates.bytes_in_per_second),
        number(rates.bytes_out_per_second),
        number(rates.messages_per_second),
        shown.attached,
        pid(&shown.writer),
        pid(&shown.reader),
    )
}

/// Local time, as `HH:MM:SS`.
fn time_of_day() -> String {
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: `time` takes no buffer here; `localtime_r` reads one number and writes one `tm`,
    // any bits of which are valid.
    let now = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        libc::localtime_r(&raw const seconds, parts.as_mut_ptr());
        parts.assume_init()
    };
    format!("{:02}:{:02}:{:02}", now.tm_hour, now.tm_min, now.tm_sec)
}
