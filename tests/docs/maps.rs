//! The byte maps of docs/layouts.md: drawn from the layouts themselves, as SVGs that can be read on light and on dark
//! ground, and held against those on record. Text alone says what a colour says.

use crate::root;
use shm_handoff::declare::{Declared, Payload, Size, Span};
use std::fmt::Write as _;

/// A segment: its slots, each with a caption and a SPEC.
type Segment = &'static [(&'static str, &'static str)];

struct Map {
    name: &'static str,
    title: &'static str,
    /// How many bytes a pixel stands for; members too short for their names are drawn wider.
    scale: usize,
    segments: &'static [Segment],
}

const MAPS: [Map; 3] = [
    Map {
        name: "layout-text",
        title: "The tutorial's struct, and the same with a shorter text",
        scale: 4,
        segments: &[&[("the tutorial's", "text[2048]")], &[("--layout 'text[1024]'", "text[1024]")]],
    },
    Map {
        name: "layout-simulator",
        title: "An image for the reader, and its answer in the same slot",
        scale: 3400,
        segments: &[&[(
            "--layout sim.h,reply=control+pause+fast",
            "struct { int written; uint8_t data[640*480*3]; int control, pause; double fast; }
            ,reply=control+pause+fast",
        )]],
    },
    Map {
        name: "layout-two-slots",
        title: "Two slots in one segment, each with a writer and a reader",
        scale: 5,
        segments: &[&[
            ("--layout duplex.h:slot,size=2056", "text[1024],size=2056"),
            ("--layout duplex.h:slot,at=1028,size=2056", "text[1024],at=1028,size=2056"),
        ]],
    },
];

const MARGIN: usize = 32;
const LETTER: usize = 8;
const BOX: usize = 46;
const SEGMENT: usize = 108;
const HEAD: usize = 62;

const STYLE: &str = "
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .soft { fill: #59636e }
  .ground { fill: #ffffff }
  .brace { fill: none; stroke: #59636e }
  .flag { fill: #fff1e5; stroke: #bc4c00 }
  .text, .data { fill: #ddf4ff; stroke: #0969da }
  .reply { fill: #dafbe1; stroke: #1a7f37 }
  .none { fill: #f6f8fa; stroke: #d0d7de; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .soft { fill: #9198a1 }
    .ground { fill: #0d1117 }
    .brace { stroke: #9198a1 }
    .flag { fill: #3d2008; stroke: #db6d28 }
    .text, .data { fill: #0c2d4d; stroke: #4493f8 }
    .reply { fill: #0f3319; stroke: #3fb950 }
    .none { fill: #161b22; stroke: #30363d }
  }
";

/// A run of bytes of the segment.
struct Cell {
    offset: usize,
    len: usize,
    name: String,
    role: &'static str,
}

impl Cell {
    fn width(&self, scale: usize) -> usize {
        let letters = self.name.chars().count().max(self.role.len()).max(self.offset.to_string().len() + 1);
        (letters * LETTER + 16).max(self.len / scale)
    }
}

#[test]
fn the_byte_maps_are_those_of_the_layouts() {
    for map in &MAPS {
        let path = root().join("docs/pictures").join(map.name).with_extension("svg");
        let drawn = draw(map);
        if std::env::var_os("PICTURES").is_some_and(|what| what == "write") {
            std::fs::write(&path, drawn).unwrap();
            continue;
        }
        let on_record = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(on_record == drawn, "{}: run PICTURES=write cargo test --test docs byte_maps", path.display());
    }
}

fn draw(map: &Map) -> String {
    let segments: Vec<Vec<(&str, Vec<Cell>)>> = map.segments.iter().map(|slots| cells(slots)).collect();
    let wide = |slots: &Vec<(&str, Vec<Cell>)>| {
        slots.iter().flat_map(|(_, cells)| cells).map(|cell| cell.width(map.scale)).sum::<usize>()
    };
    let widest = segments.iter().map(wide).fold(map.title.len() * 10, usize::max);
    // Behind the last byte its number needs room.
    let (width, height) = (widest + MARGIN + 72, HEAD + segments.len() * SEGMENT);
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{}</title>
<desc>{}</desc>
<style>{STYLE}</style>
<rect class="ground" width="{width}" height="{height}"/>
<text class="title" x="{MARGIN}" y="28">{}</text>
"#,
        escape(map.title),
        escape(&described(&segments)),
        escape(map.title),
    );
    for (number, slots) in segments.iter().enumerate() {
        let top = HEAD + number * SEGMENT;
        let mut x = MARGIN;
        for (caption, cells) in slots {
            let from = x;
            for cell in cells {
                x += put(&mut out, cell, x, top + 24, map.scale);
            }
            let end = x - 2;
            let brace = top + 8;
            writeln!(out, r#"<text x="{from}" y="{top}">{}</text>"#, escape(caption)).unwrap();
            writeln!(out, r#"<path class="brace" d="M{from} {}V{brace}H{end}v10"/>"#, brace + 10).unwrap();
        }
        let size = slots.iter().flat_map(|(_, cells)| cells).map(|cell| cell.offset + cell.len).max().unwrap();
        writeln!(out, r#"<text class="soft" x="{x}" y="{}">{size}</text>"#, top + 24 + BOX + 18).unwrap();
    }
    out + "</svg>\n"
}

/// One cell with what stands in and below it; returns its width.
fn put(out: &mut String, cell: &Cell, x: usize, top: usize, scale: usize) -> usize {
    let Cell { offset, name, role, .. } = cell;
    let (width, middle) = (cell.width(scale), x + cell.width(scale) / 2);
    let class = if role.is_empty() { "none" } else { role };
    let (first, second, below) = (top + 19, top + 37, top + BOX + 18);
    writeln!(
        out,
        r#"<rect class="{class}" x="{x}" y="{top}" width="{}" height="{BOX}" rx="4"/>
<text x="{middle}" y="{first}" text-anchor="middle">{name}</text>
<text class="soft" x="{middle}" y="{second}" text-anchor="middle">{role}</text>
<text class="soft" x="{x}" y="{below}">{offset}</text>"#,
        width - 2
    )
    .unwrap();
    width
}

/// Every byte of a segment, slot by slot.
fn cells<'m>(slots: &[(&'m str, &str)]) -> Vec<(&'m str, Vec<Cell>)> {
    let mut next = 0;
    let mut all: Vec<(&str, Vec<Cell>)> = Vec::new();
    for (number, (caption, spec)) in slots.iter().enumerate() {
        let declared: Declared = spec.parse().unwrap();
        assert!(!matches!(declared.size(), Size::AtLeast(_)), "a map has an end: {spec}");
        let mut row = Vec::new();
        let skip = |until: usize, next: &mut usize| {
            let gap = Cell { offset: *next, len: until - *next, name: "padding".to_owned(), role: "" };
            *next = until;
            (gap.len > 0).then_some(gap)
        };
        for member in declared.members() {
            row.extend(skip(declared.at() + member.offset, &mut next));
            let array = member.array.iter().fold(String::new(), |text, len| text + &format!("[{len}]"));
            let role = role(&declared, Span { offset: member.offset, len: member.size });
            row.push(Cell { offset: next, len: member.size, name: member.name.clone() + &array, role });
            next += member.size;
        }
        if number + 1 == slots.len() {
            row.extend(skip(declared.size().bytes(), &mut next));
        }
        all.push((caption, row));
    }
    all
}

/// What a member is to the handoff.
fn role(declared: &Declared, member: Span) -> &'static str {
    let lies_in = |span: &Span| span.offset <= member.offset && member.offset + member.len <= span.offset + span.len;
    if declared.flag().offset == member.offset {
        return "flag";
    }
    if declared.reply().iter().any(lies_in) {
        return "reply";
    }
    match declared.payload() {
        Payload::Text(span) if lies_in(span) => "text",
        Payload::Data(spans) if spans.iter().any(lies_in) => "data",
        _ => "",
    }
}

/// For readers who don't see the picture.
fn described(segments: &[Vec<(&str, Vec<Cell>)>]) -> String {
    let mut text = String::new();
    for (caption, cells) in segments.iter().flatten() {
        writeln!(text, "{caption}").unwrap();
        for Cell { offset, len, name, role } in cells {
            let line = format!("  bytes {offset} to {}: {name} {role}", offset + len);
            writeln!(text, "{}", line.trim_end()).unwrap();
        }
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
