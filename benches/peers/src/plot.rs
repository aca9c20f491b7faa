//! The plot: for three kinds of work a row for each peer, on a scale of powers of ten;
//! a dot at the median, a line from the least to the most.

use crate::document::Document;
use crate::peer::{Entry, Kind};
use crate::samples::Spread;
use crate::work::Work;
use shm_handoff::cli::plot::{Scale, time};
use std::fmt::Write;

const PANELS: [(&str, Work); 3] = [
    ("round trip, 64 B", Work::Trip(64)),
    ("one way, 64 B, a message", Work::OneWay(64)),
    ("one way, 2048 B, a message", Work::OneWay(2048)),
];

const LABELS: f64 = 310.0;
const PANEL: f64 = 240.0;
const GAP: f64 = 56.0;
const TOP: f64 = 96.0;
const ROW: f64 = 22.0;

const STYLE: &str = "<style>
  text { font: 13px ui-sans-serif, system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #656d76; font-size: 12px }
  .ground { fill: #ffffff }
  .band { fill: #f6f8fa }
  .grid { stroke: #d0d7de; fill: none }
  .limit { fill: #656d76; stroke: #656d76 }
  .ours { fill: #1a7f37; stroke: #1a7f37 }
  .processes { fill: #0969da; stroke: #0969da }
  .threads { fill: #9a6700; stroke: #9a6700 }
  line { stroke-width: 2 }
  text.limit, text.ours, text.processes, text.threads { stroke: none }
  text.ours { font-weight: bold }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .soft { fill: #8d96a0 }
    .ground { fill: #0d1117 }
    .band { fill: #161b22 }
    .grid { stroke: #30363d }
    .limit { fill: #8d96a0; stroke: #8d96a0 }
    .ours { fill: #3fb950; stroke: #3fb950 }
    .processes { fill: #58a6ff; stroke: #58a6ff }
    .threads { fill: #d29922; stroke: #d29922 }
  }
</style>";

struct Row<'r> {
    name: &'r str,
    class: &'static str,
    spreads: [Option<Spread>; 3],
}

pub(crate) fn svg(run: &Document) -> String {
    let rows = rows(run);
    #[allow(clippy::cast_precision_loss, reason = "a few dozen rows")]
    let bottom = TOP + rows.len() as f64 * ROW;
    let (width, height) = (LABELS + 3.0 * PANEL + 3.0 * GAP + 16.0, bottom + 66.0);
    let mut text = String::new();
    let mut put = |line: std::fmt::Arguments| {
        let _ = writeln!(text, "{line}");
    };
    put(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
    ));
    put(format_args!("<title>What a message costs, by who carries it</title>"));
    put(format_args!("<desc>{}</desc>", description(&rows)));
    put(format_args!("{STYLE}"));
    put(format_args!(r#"<rect class="ground" width="{width}" height="{height}"/>"#));
    put(format_args!(r#"<text class="title" x="16" y="28">What a message costs, by who carries it</text>"#));
    put(format_args!(
        r#"<text class="soft" x="16" y="48">dot: median; line: least to most; each step of the scale is ten times; further left is faster</text>"#
    ));
    let mut y = TOP;
    for (at, row) in rows.iter().enumerate() {
        if at % 2 == 0 {
            put(format_args!(r#"<rect class="band" x="8" y="{y}" width="{}" height="{ROW}"/>"#, width - 16.0));
        }
        put(format_args!(r#"<text class="{}" x="16" y="{}">{}</text>"#, row.class, y + 15.5, escaped(row.name)));
        y += ROW;
    }
    let mut left = LABELS + GAP;
    for (panel, (title, _)) in PANELS.iter().enumerate() {
        let spreads = rows.iter().filter_map(|row| row.spreads[panel]);
        let scale = Scale::around(spreads.flat_map(|spread| [spread.least, spread.most]), (left, left + PANEL));
        put(format_args!(r#"<text class="title" x="{left}" y="82">{title}</text>"#));
        for (power, x) in scale.marks() {
            put(format_args!(r#"<path class="grid" d="M{x:.1} {TOP}V{bottom}"/>"#));
            put(format_args!(
                r#"<text class="soft" x="{x:.1}" y="{}" text-anchor="middle">{}</text>"#,
                bottom + 18.0,
                time(power)
            ));
        }
        let mut y = TOP + ROW / 2.0;
        for row in &rows {
            if let Some(spread) = row.spreads[panel] {
                let [middle, from, to] = [spread.median, spread.least, spread.most].map(|ns| scale.at(ns));
                let class = row.class;
                put(format_args!(r#"<line class="{class}" x1="{from:.1}" y1="{y}" x2="{to:.1}" y2="{y}"/>"#));
                put(format_args!(r#"<circle class="{class}" cx="{middle:.1}" cy="{y}" r="4.5"/>"#));
            }
            y += ROW;
        }
        left += PANEL + GAP;
    }
    let mut x = 16.0;
    for (class, name) in [
        ("limit", "limits of the machine"),
        ("ours", "shm-handoff"),
        ("processes", "processes"),
        ("threads", "threads only"),
    ] {
        let y = bottom + 44.0;
        put(format_args!(r#"<circle class="{class}" cx="{}" cy="{y}" r="4.5"/>"#, x + 5.0));
        put(format_args!(r#"<text x="{}" y="{}">{name}</text>"#, x + 16.0, y + 4.5));
        x += 190.0;
    }
    put(format_args!("</svg>"));
    text
}

fn rows<'r>(run: &'r Document) -> Vec<Row<'r>> {
    let bare = Row { name: "bare ping-pong, two lines", class: "limit", spreads: [run.samples.bare(), None, None] };
    let row = |entry: &'r Entry| Row {
        name: entry.name,
        class: match entry.kind {
            Kind::Limit => "limit",
            Kind::Ours => "ours",
            Kind::Processes => "processes",
            Kind::Threads => "threads",
        },
        spreads: PANELS.map(|(_, work)| run.samples.values(entry.id, work)),
    };
    let mut rows = vec![bare];
    rows.extend(run.entries.iter().map(row).filter(|row| row.spreads.iter().any(Option::is_some)));
    rows
}

/// The same in words.
fn description(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = write!(text, "{}:", escaped(row.name));
        for ((title, _), spread) in PANELS.iter().zip(row.spreads) {
            if let Some(spread) = spread {
                let _ = write!(text, " {title} {:.0} ns;", spread.median);
            }
        }
        text.push('\n');
    }
    text
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;").replace('<', "&lt;")
}
