//! A counterexample as a picture: an SVG that can be read on light and on dark
//! ground, kept in `docs/pictures` and held against what the checker finds.

use crate::explore::Counterexample;
use crate::timeline::{Row, Sight, rows};
use std::fmt::Write as _;
use std::path::Path;

const COLUMN: usize = 360;
const MARGIN: usize = 44;
const ROW: usize = 26;
const BOX: usize = 326;
/// Above the columns' names.
const TITLE: usize = 30;
const LEGEND: usize = 19;

const STYLE: &str = "
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #656d76 }
  .ground { fill: #ffffff }
  .life { stroke: #d0d7de }
  .op { fill: #f6f8fa; stroke: #d0d7de }
  .note { fill: none; stroke: none }
  .bad { fill: #ffebe9; stroke: #cf222e; stroke-width: 2 }
  .unseen { stroke-dasharray: 6 4 }
  .remark { fill: #656d76 }
  .sight { fill: #9a6700 }
  .clash { stroke: #cf222e; stroke-width: 2; fill: none }
  .said { fill: #cf222e }
  .edge { stroke: #1a7f37; stroke-width: 1.5; fill: none; marker-end: url(#to) }
  #to path { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .soft { fill: #8d96a0 }
    .ground { fill: #0d1117 }
    .life { stroke: #30363d }
    .op { fill: #161b22; stroke: #30363d }
    .note { fill: none; stroke: none }
    .bad { fill: #3c1618; stroke: #f85149 }
    .remark { fill: #8d96a0 }
    .sight { fill: #d29922 }
    .clash { stroke: #f85149 }
    .said { fill: #ff7b72 }
    .edge { stroke: #3fb950 }
    #to path { fill: #3fb950 }
  }
";

/// Holds the picture of `counterexample` against the one on record; with
/// `PICTURES=write` in the environment, as `ci/models.sh --update` has it,
/// writes it there.
pub(crate) fn picture(name: &str, title: &str, counterexample: &Counterexample) {
    let svg = svg(title, counterexample);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures").join(name).with_extension("svg");
    if std::env::var_os("PICTURES").is_some_and(|what| what == "write") {
        std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("docs can be written to");
        std::fs::write(&path, svg).expect("docs can be written to");
        return;
    }
    let on_record = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(on_record == svg, "{} is out of date: run ci/models.sh --update\n{counterexample}", path.display());
}

fn svg(title: &str, counterexample: &Counterexample) -> String {
    let history = &counterexample.history;
    let rows = rows(history);
    let acting: Vec<usize> =
        (0..history.threads.len()).filter(|thread| rows.iter().any(|row| row.thread == *thread)).collect();
    let column = |thread: usize| MARGIN + acting.iter().position(|one| *one == thread).unwrap_or(0) * COLUMN;
    let legend = legend(counterexample, &rows);
    let head = TITLE + legend.len() * LEGEND + 48;
    let top = |row: usize| head + row * ROW;
    let width = MARGIN + acting.len() * COLUMN;
    let height = top(rows.len()) + 46;
    let mut out = String::new();
    let mut put = |line: String| writeln!(out, "{line}").expect("a String takes all");
    put(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">"#
    ));
    put(format!("<title>{}</title>", escape(title)));
    put(format!("<desc>{}</desc>", escape(&crate::timeline::timeline(history))));
    put(format!("<style>{STYLE}</style>"));
    put(r#"<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>"#.to_owned());
    put(format!(r#"<rect class="ground" width="{width}" height="{height}"/>"#));
    put(format!(r#"<text class="title" x="{MARGIN}" y="28">{}</text>"#, escape(title)));
    for (number, line) in legend.iter().enumerate() {
        put(format!(r#"<text class="soft" x="{MARGIN}" y="{}">{line}</text>"#, TITLE + (number + 1) * LEGEND));
    }
    for thread in &acting {
        let (x, middle) = (column(*thread), column(*thread) + BOX / 2);
        put(format!(r#"<text class="title" x="{x}" y="{}">{}</text>"#, head - 14, escape(&history.threads[*thread])));
        put(format!(r#"<path class="life" d="M{middle} {}V{}"/>"#, head - 4, top(rows.len())));
    }
    let place = |event: usize| rows.iter().position(|row| row.events.contains(&event));
    for (store, load) in &history.edges {
        if let (Some(from), Some(to)) = (place(*store), place(*load)) {
            put(format!(r#"<path class="edge" d="{}"/>"#, between(&rows, column, top, from, to)));
        }
    }
    for (number, row) in rows.iter().enumerate() {
        draw(&mut put, row, column(row.thread), top(number));
        put(format!(r#"<text class="soft" x="12" y="{}">{}</text>"#, top(number) + 17, number + 1));
    }
    if let Some((Some(first), Some(second))) = history.conflict.map(|(first, second)| (place(first), place(second))) {
        put(format!(r#"<path class="clash" d="{}"/>"#, between(&rows, column, top, first, second)));
    }
    let said = counterexample.said.lines().next().unwrap_or_default();
    put(format!(
        r#"<text class="said" x="{MARGIN}" y="{}">{}: {}</text>"#,
        top(rows.len()) + 30,
        counterexample.failure,
        escape(said)
    ));
    put("</svg>".to_owned());
    out
}

/// What the picture's marks mean: those that are there.
fn legend(counterexample: &Counterexample, rows: &[Row]) -> Vec<&'static str> {
    let mut legend = vec!["time runs downwards"];
    if counterexample.history.conflict.is_some() {
        legend.push("red: two accesses that nothing orders");
    }
    if rows.iter().any(|row| row.sight == Sight::NotVisibleYet) {
        legend.push("dashed: a store that the other side does not see yet, so that it reads an older value");
    }
    if !counterexample.history.edges.is_empty() {
        legend.push("green: a store, and the read that sees it and all that came before it");
    }
    legend
}

fn draw(put: &mut impl FnMut(String), row: &Row, x: usize, y: usize) {
    let class = if row.conflicts {
        "bad"
    } else if row.note {
        "note"
    } else {
        "op"
    };
    let unseen = if row.sight == Sight::NotVisibleYet { " unseen" } else { "" };
    put(format!(r#"<rect class="{class}{unseen}" x="{x}" y="{y}" width="{BOX}" height="{}" rx="4"/>"#, ROW - 4));
    let times = if row.events.len() > 1 { format!(" ×{}", row.events.len()) } else { String::new() };
    let class = if row.note { r#" class="soft""# } else { "" };
    put(format!(r#"<text{class} x="{}" y="{}">{}{times}</text>"#, x + 10, y + 16, escape(&row.text)));
    let remark = row.remark();
    if !remark.is_empty() {
        let class = if row.sight == Sight::Plain { "remark" } else { "sight" };
        put(format!(r#"<text class="{class}" x="{}" y="{}" text-anchor="end">{remark}</text>"#, x + BOX - 10, y + 16));
    }
}

/// A line from one row's box to another's, side to side.
fn between(
    rows: &[Row],
    column: impl Fn(usize) -> usize,
    top: impl Fn(usize) -> usize,
    from: usize,
    to: usize,
) -> String {
    let (left, right) = (column(rows[from].thread), column(rows[to].thread));
    let (start, end) = if left < right { (left + BOX, right) } else { (left, right + BOX) };
    let middle = |row: usize| top(row) + (ROW - 4) / 2;
    format!("M{start} {}L{end} {}", middle(from), middle(to))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
