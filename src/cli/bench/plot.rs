//! The picture: round trips by percentile, a line for each transport, over what goes one
//! way, a dot for each. All scales are logarithmic. Colours are by class, so that they
//! can be others where the page is dark.

use super::seen::Seen;
use super::show::Shown;
use crate::cli::plot::{Scale, time};
use std::fmt::Write;
use svg::Document;
use svg::node::element::{Circle, Description, Line, Path, Rectangle, Style, Text, Title};

const TITLE: &str = "How fast messages are handed over";

const WIDTH: f64 = 860.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 810.0;

/// Above and below the lines.
const TOP: f64 = 124.0;
const BOTTOM: f64 = 424.0;

/// Where what the lines are begins.
const LEGEND: f64 = 400.0;

/// Where the rows of dots begin, and how high one is.
const ROWS: f64 = 512.0;
const ROW: f64 = 28.0;

/// Points of a line for each step of ten.
const POINTS: u32 = 40;

const STYLE: &str = "
  text { font: 13px ui-sans-serif, system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #59636e; font-size: 12px }
  .ground { fill: #ffffff }
  .grid { stroke: #d0d7de }
  .curve, .range { fill: none; stroke-width: 2.5 }
  .classic { fill: #1a7f37; stroke: #1a7f37 }
  .ring { fill: #8250df; stroke: #8250df }
  .pipe { fill: #0969da; stroke: #0969da }
  .socket { fill: #bc4c00; stroke: #bc4c00 }
  .curve.pipe { stroke-dasharray: 7 3 }
  .curve.socket { stroke-dasharray: 2 3 }
  path.curve { fill: none }
  text.name { stroke: none; font-weight: bold }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .soft { fill: #9198a1 }
    .ground { fill: #0d1117 }
    .grid { stroke: #30363d }
    .classic { fill: #3fb950; stroke: #3fb950 }
    .ring { fill: #ab7df8; stroke: #ab7df8 }
    .pipe { fill: #58a6ff; stroke: #58a6ff }
    .socket { fill: #f0883e; stroke: #f0883e }
  }
";

#[allow(clippy::cast_precision_loss, reason = "a picture does not show the sixteenth digit")]
fn wide(number: u64) -> f64 {
    number as f64
}

pub(super) fn svg(shown: &Shown) -> String {
    #[allow(clippy::cast_precision_loss, reason = "four rows")]
    let end = ROWS + shown.seen.len() as f64 * ROW;
    let height = end + 40.0;
    let mut picture = Document::new()
        .set("viewBox", (0.0, 0.0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(TITLE))
        .add(Description::new().add(svg::node::Text::new(description(shown))))
        .add(Style::new(STYLE))
        .add(Rectangle::new().set("class", "ground").set("width", WIDTH).set("height", height))
        .add(text("title", 16.0, 28.0, TITLE));
    for (line, y) in shown.circumstances().lines().zip([48.0, 66.0]) {
        picture = picture.add(text("soft", 16.0, y, line));
    }
    picture = lines(picture, shown);
    picture = dots(picture, shown, end);
    picture.to_string() + "\n"
}

/// Round trips: how many percent took so long or less.
fn lines(mut picture: Document, shown: &Shown) -> Document {
    let seen = &shown.seen;
    picture = picture.add(text("title", 16.0, 100.0, "Round trip: so many took so long or less"));
    // As far to the right as there are round trips to tell from.
    let trips = seen.iter().map(|seen| seen.trips.len()).max().unwrap_or(1);
    let powers = (0.0, f64::from(trips.max(10).ilog10().clamp(1, 6)));
    let across = Scale::new(powers, (LEFT, RIGHT));
    let curves: Vec<_> = seen.iter().map(|seen| curve(seen, across)).collect();
    let up = Scale::around(curves.iter().flatten().map(|(_, nanos)| wide(*nanos)), (BOTTOM, TOP));
    for (nanos, y) in up.marks() {
        picture = picture.add(grid(LEFT, y, RIGHT, y)).add(right("soft", LEFT - 8.0, y + 4.0, time(nanos)));
    }
    for (of, x) in across.marks() {
        picture = picture.add(grid(x, TOP, x, BOTTOM));
        picture = picture.add(middle("soft", x, BOTTOM + 20.0, percentile(of)));
    }
    let half = across.at(2.0);
    picture = picture.add(grid(half, TOP, half, BOTTOM)).add(middle("soft", half, BOTTOM + 20.0, percentile(2.0)));
    let mut legend = LEGEND;
    for (seen, curve) in seen.iter().zip(&curves) {
        let mut path = String::new();
        for (x, nanos) in curve {
            let verb = if path.is_empty() { 'M' } else { 'L' };
            write!(path, "{verb}{x:.1} {:.1}", up.at(wide(*nanos))).expect("a String takes everything");
        }
        let class = seen.transport.name();
        let line = |path: String| Path::new().set("class", format!("curve {class}")).set("d", path);
        picture = picture.add(line(path)).add(line(format!("M{legend} 95h30"))).add(text(
            &format!("name {class}"),
            legend + 38.0,
            100.0,
            class,
        ));
        legend += 106.0;
    }
    picture
}

/// Where the line is at each percentile that can be told, and in nanoseconds how high.
fn curve(seen: &Seen, across: Scale) -> Vec<(f64, u64)> {
    let trips = wide(seen.trips.len());
    // One in so many takes longer.
    let ones = (0..).map(|point| 10_f64.powf(f64::from(point) / f64::from(POINTS)));
    ones.take_while(|one| *one <= trips && one.log10() <= across.most() + 1e-9)
        .map(|one| (across.at(one), seen.trips.value_at_quantile(1.0 - 1.0 / one)))
        .collect()
}

/// What goes one way: a dot at the median round, a line from the slowest to the fastest.
fn dots(mut picture: Document, shown: &Shown, end: f64) -> Document {
    let rates: Vec<_> = shown.seen.iter().map(Seen::rates).collect();
    let across = Scale::around(rates.iter().flatten().map(|rate| wide(*rate)), (LEFT, RIGHT));
    picture = picture.add(text("title", 16.0, ROWS - 22.0, "One way: messages a second"));
    picture =
        picture.add(text("soft", 290.0, ROWS - 22.0, "dot: the median round; line: from the slowest to the fastest"));
    for (rate, x) in across.marks() {
        picture = picture.add(grid(x, ROWS - 6.0, x, end)).add(middle("soft", x, end + 18.0, count(rate)));
    }
    let mut y = ROWS + ROW / 2.0 - 3.0;
    for (seen, rates) in shown.seen.iter().zip(rates) {
        let class = seen.transport.name();
        let ends = [rates.iter().min(), rates.iter().max()].map(|rate| across.at(wide(*rate.unwrap_or(&1))));
        let range = Line::new().set("class", format!("range {class}"));
        let at = across.at(wide(seen.rate()));
        picture = picture
            .add(right(&format!("name {class}"), LEFT - 8.0, y + 4.5, class))
            .add(range.set("x1", round(ends[0])).set("x2", round(ends[1])).set("y1", y).set("y2", y))
            .add(Circle::new().set("class", class).set("cx", round(at)).set("cy", y).set("r", 5));
        y += ROW;
    }
    picture
}

/// The same in words.
fn description(shown: &Shown) -> String {
    let mut text = shown.circumstances().replace('\n', "; ");
    for seen in &shown.seen {
        let (name, half, tail) = (seen.transport.name(), seen.at(50.0), seen.at(99.0));
        let rate = seen.rate();
        write!(text, ". {name}: half of the round trips took {half} ns or less, 99 % {tail} ns; {rate} messages/s")
            .expect("a String takes everything");
    }
    text
}

fn text(class: &str, x: f64, y: f64, content: impl Into<String>) -> Text {
    Text::new(content).set("class", class).set("x", round(x)).set("y", round(y))
}

fn right(class: &str, x: f64, y: f64, content: impl Into<String>) -> Text {
    text(class, x, y, content).set("text-anchor", "end")
}

fn middle(class: &str, x: f64, y: f64, content: impl Into<String>) -> Text {
    text(class, x, y, content).set("text-anchor", "middle")
}

fn grid(x1: f64, y1: f64, x2: f64, y2: f64) -> Line {
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(round);
    Line::new().set("class", "grid").set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2)
}

/// To a tenth of a point.
fn round(at: f64) -> f64 {
    (at * 10.0).round() / 10.0
}

/// One in `of` takes longer.
fn percentile(of: f64) -> String {
    if of <= 1.0 {
        return "min".to_owned();
    }
    let percent = 100.0 - 100.0 / of;
    // 1000: 99.9, 10000: 99.99.
    let decimals =
        if of > 100.0 { 1 + usize::from(of > 1e3) + usize::from(of > 1e4) + usize::from(of > 1e5) } else { 0 };
    format!("{percent:.decimals$} %")
}

fn count(number: f64) -> String {
    match number {
        ..1e3 => format!("{number:.0}"),
        1e3..1e6 => format!("{:.0} k", number / 1e3),
        1e6..1e9 => format!("{:.0} M", number / 1e6),
        _ => format!("{:.0} G", number / 1e9),
    }
}
