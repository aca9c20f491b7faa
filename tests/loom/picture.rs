//! A counterexample as a picture: an SVG that can be read on light and on dark
//! ground, kept in `docs/pictures` and held against what the checker finds.

use crate::explore::Counterexample;
use crate::timeline::{Row, rows};
use std::fmt::Write as _;
use std::path::Path;

const COLUMN: usize = 330;
const MARGIN: usize = 44;
const ROW: usize = 26;
const BOX: usize = 300;
const HEAD: usize = 96;

const STYLE: &str = "
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #656d76 }
  .ground { fill: #ffffff }
  .life { stroke: #d0d7de }
  .op { fill: #f6f8fa; stroke: #d0d7de }
  .note { fill: none; stroke: none }
  .bad { fill: #ffebe9; stroke: #cf222e; stroke-width: 2 }
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
    let top = |row: usize| HEAD + row * ROW;
    let width = MARGIN + acting.len() * COLUMN;
    let height = HEAD + rows.len() * ROW + 62;
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
    put(format!(
        r#"<text class="soft" x="{MARGIN}" y="48">time runs downwards; the red pair is ordered by nothing{}</text>"#,
        if history.edges.is_empty() { "" } else { "; green: what is ordered" }
    ));
    for thread in &acting {
        let (x, middle) = (column(*thread), column(*thread) + BOX / 2);
        put(format!(r#"<text class="title" x="{x}" y="82">{}</text>"#, escape(&history.threads[*thread])));
        put(format!(r#"<path class="life" d="M{middle} {}V{}"/>"#, HEAD - 4, top(rows.len())));
    }
    let place = |event: usize| rows.iter().position(|row| row.events.contains(&event));
    for (store, load) in &history.edges {
        if let (Some(from), Some(to)) = (place(*store), place(*load)) {
            put(format!(r#"<path class="edge" d="{}"/>"#, between(&rows, column, from, to)));
        }
    }
    for (number, row) in rows.iter().enumerate() {
        draw(&mut put, row, column(row.thread), top(number));
        put(format!(r#"<text class="soft" x="12" y="{}">{}</text>"#, top(number) + 17, number + 1));
    }
    if let Some((Some(first), Some(second))) = history.conflict.map(|(first, second)| (place(first), place(second))) {
        put(format!(r#"<path class="clash" d="{}"/>"#, between(&rows, column, first, second)));
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

fn draw(put: &mut impl FnMut(String), row: &Row, x: usize, y: usize) {
    let class = if row.conflicts {
        "bad"
    } else if row.note {
        "note"
    } else {
        "op"
    };
    put(format!(r#"<rect class="{class}" x="{x}" y="{y}" width="{BOX}" height="{}" rx="4"/>"#, ROW - 4));
    let times = if row.events.len() > 1 { format!(" ×{}", row.events.len()) } else { String::new() };
    let class = if row.note { r#" class="soft""# } else { "" };
    put(format!(r#"<text{class} x="{}" y="{}">{}{times}</text>"#, x + 10, y + 16, escape(&row.text)));
    put(format!(r#"<text class="soft" x="{}" y="{}" text-anchor="end">{}</text>"#, x + BOX - 10, y + 16, row.order));
}

/// A line from one row's box to another's, side to side.
fn between(rows: &[Row], column: impl Fn(usize) -> usize, from: usize, to: usize) -> String {
    let (left, right) = (column(rows[from].thread), column(rows[to].thread));
    let (start, end) = if left < right { (left + BOX, right) } else { (left, right + BOX) };
    let middle = |row: usize| HEAD + row * ROW + (ROW - 4) / 2;
    format!("M{start} {}L{end} {}", middle(from), middle(to))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
