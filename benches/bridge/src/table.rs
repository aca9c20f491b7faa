//! The figures as Markdown.

use crate::carriers::Carrier;
use crate::tally::Report;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The rounds' figures by carrier and length; a failure is told in place of them.
pub(crate) type Figures = BTreeMap<(Carrier, usize), Vec<Result<Report, String>>>;

/// Rates, with the ratio to zenoh's own in the same round.
pub(crate) fn rates(figures: &Figures, carriers: &[Carrier], sizes: &[usize]) -> String {
    table(figures, carriers, sizes, "messages a second (× zenoh)", |carrier, len, reports| {
        let rate = median(reports.iter().map(|(_, report)| report.rate));
        let others = figures.get(&(Carrier::Zenoh, len));
        let ratios = reports.iter().filter_map(|(round, report)| {
            let zenoh = others?.get(*round)?.as_ref().ok()?;
            Some(report.rate / zenoh.rate)
        });
        match carrier {
            Carrier::Zenoh => grouped(rate),
            _ => format!("{} ({:.2})", grouped(rate), median(ratios)),
        }
    })
}

/// Latencies: the medians of the rounds' medians and 99th percentiles.
pub(crate) fn latencies(figures: &Figures, carriers: &[Carrier], sizes: &[usize]) -> String {
    table(figures, carriers, sizes, "one way, µs: median, 99 %", |_, _, reports| {
        let of = |what: fn(&Report) -> u64| {
            #[expect(clippy::cast_precision_loss)]
            grouped(median(reports.iter().map(|(_, report)| what(report) as f64 / 1e3)))
        };
        format!("{}, {}", of(|report| report.median), of(|report| report.p99))
    })
}

/// What was lost when the link was cut: `cuts` are the columns, in seconds.
pub(crate) fn losses(figures: &Figures, carriers: &[Carrier], cuts: &[usize]) -> String {
    let mut text = "| lost of what was sent".to_owned();
    for cut in cuts {
        let _ = write!(text, " | cut for {cut} s");
    }
    rows(text, figures, carriers, cuts, |_, _, reports| {
        let sum = |what: fn(&Report) -> u64| reports.iter().map(|(_, report)| what(report)).sum::<u64>();
        let lost = sum(|report| report.sent - report.received);
        let mut cell = format!("{lost} of {}", sum(|report| report.sent));
        for (count, what) in [(sum(|report| report.duplicates), "twice"), (sum(|report| report.late), "out of order")] {
            if count > 0 {
                let _ = write!(cell, ", {count} {what}");
            }
        }
        cell
    })
}

type Reports<'a> = Vec<(usize, &'a Report)>;

fn table(
    figures: &Figures,
    carriers: &[Carrier],
    sizes: &[usize],
    title: &str,
    cell: impl Fn(Carrier, usize, &Reports<'_>) -> String,
) -> String {
    let mut text = format!("| {title}");
    for size in sizes {
        let _ = if *size < 1024 { write!(text, " | {size} B") } else { write!(text, " | {} KiB", size / 1024) };
    }
    rows(text, figures, carriers, sizes, cell)
}

fn rows(
    mut text: String,
    figures: &Figures,
    carriers: &[Carrier],
    columns: &[usize],
    cell: impl Fn(Carrier, usize, &Reports<'_>) -> String,
) -> String {
    let _ = write!(text, " |\n| --- |{}\n", " ---: |".repeat(columns.len()));
    for carrier in carriers {
        let _ = write!(text, "| {}", carrier.name());
        for column in columns {
            let rounds = figures.get(&(*carrier, *column)).map_or(&[][..], Vec::as_slice);
            let reports: Reports<'_> =
                rounds.iter().enumerate().filter_map(|(round, report)| Some((round, report.as_ref().ok()?))).collect();
            let failed = rounds.len() - reports.len();
            let _ = match &reports[..] {
                [] => write!(text, " | NOT MEASURED"),
                _ if failed > 0 => write!(text, " | {} (n={})", cell(*carrier, *column, &reports), reports.len()),
                _ => write!(text, " | {}", cell(*carrier, *column, &reports)),
            };
        }
        text.push_str(" |\n");
    }
    text
}

fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = of.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A whole number, its thousands apart.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
