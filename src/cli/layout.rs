//! `shm-handoff layout`.

use super::exit::{self, Failure};
use super::{json, spec, stdio};
use crate::declare::{Declared, Kind, Member, Payload, Size, Span};
use crate::error::plural;
use clap::Args;
use serde::Serialize;

const SCHEMA: &str = "shm-handoff/layout/1";

const HELP: &str = "\
Examples:
  shm-handoff layout 'text[1024]'         the tutorial's struct, with another length
  shm-handoff layout 'struct { char line[80]; int ready; }'
  shm-handoff layout shm_com.h            the struct of that file
  shm-handoff layout shm_com.h:image_t,size>=16384,flag=full
  shm-handoff layout flag=i32@0,text=2048@4,size=2052

SPEC:
  text[N]              the tutorial's struct with a text of N bytes
  a C declaration      with the #defines, typedefs and enums that it needs, in quotes
  FILE.h, FILE.h:NAME  a file with a declaration; NAME: a struct or a typedef in it
  terms alone          as this command prints them

Terms, behind a comma:
  flag=NAME, flag=i32@0     the flag: a member, or a type (i32, u32, i8, u8) and an
                            offset [default: written..., flag, ready, full, complete]
  empty=0, full=1           its value when the writer may write, and the one we publish
  text=NAME, text=2048@4    one C string: a member, or a length and an offset
                            [default: the one char array]
  data=NAME+NAME, data=8@4  records of bytes [default: if there is not one char array,
                            all members but the flag, locks and those of reply]
  reply=NAME, reply=8@40    what the reader may write before it releases
  size=2052, size>=16384    the segment's size [default: where the struct ends]
  at=4096                   where in the segment the struct begins [default: 0]

JSON:
  {\"schema\":\"shm-handoff/layout/1\"} with spec (the terms), hash, size, at_least, at,
  name, struct_size, flag (type, offset, empty, full), payload (text or data), spans
  and reply (each offset and bytes), why_flag, why_payload, and members: name, type, kind,
  offset, size, array (lengths), members. Offsets count from where the struct begins. A
  later version may add fields; one that changes or drops any has another schema.";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] =
    [("0", ": shown"), ("1", "; or the file can't be read"), ("2", "; or SPEC declares no layout")];

/// Shows where the flag and the payload of a declared struct lie
///
/// It places the members of a C struct as the compiler of this machine does, and says which
/// member is the flag, which members are handed over, and why.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Layout {
    /// text[N], a C declaration, FILE.h, FILE.h:NAME, or terms; see below
    #[arg(value_name = "SPEC")]
    spec: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Layout) -> Result<(), Failure> {
    let declared = spec::read(&args.spec)?;
    stdio::show(&if args.json { json::object(SCHEMA, &Shown::of(&declared)) } else { in_words(&declared) })
}

/// A line of the picture.
struct Line {
    code: String,
    place: String,
}

fn in_words(declared: &Declared) -> String {
    let mut lines = Vec::new();
    match declared.members() {
        [] => outline(declared, &mut lines),
        members => body(declared, members, 0, 1, declared.struct_size(), &mut lines),
    }
    let members = lines.iter().filter(|line| !line.place.is_empty());
    let width = members.map(|line| line.code.chars().count()).max().unwrap_or(0);
    let mut text = format!("struct {}{{\n", declared.name().map_or(String::new(), |name| format!("{name} ")));
    for Line { code, place } in &lines {
        let pad = " ".repeat(width.saturating_sub(code.chars().count()));
        text += format!("{code}{pad}  {place}").trim_end();
        text.push('\n');
    }
    let payload = match declared.payload() {
        Payload::Text(_) => "text    ",
        Payload::Data(_) => "data    ",
    };
    let (size, at) = (declared.size(), declared.at());
    text + &format!(
        "\
}};

segment  {}{} bytes{}
flag     {}
{payload} {}
layout   {declared}
",
        if let Size::AtLeast(_) = size { "at least " } else { "" },
        size.bytes(),
        if at > 0 { format!(", the struct at {at}") } else { String::new() },
        declared.why_flag(),
        declared.why_payload(),
    )
}

/// What a terse SPEC says, as members.
fn outline(declared: &Declared, lines: &mut Vec<Line>) {
    let flag = declared.flag();
    let mut spans = vec![(Span { offset: flag.offset, len: flag.of.bytes() }, format!("{} flag", flag.of))];
    match declared.payload() {
        Payload::Text(span) => spans.push((*span, format!("char text[{}]", span.len))),
        Payload::Data(data) => spans.extend(data.iter().map(|span| (*span, format!("u8 data[{}]", span.len)))),
    }
    spans.extend(declared.reply().iter().map(|span| (*span, format!("u8 reply[{}]", span.len))));
    spans.sort_by_key(|(span, _)| span.offset);
    for (Span { offset, len }, code) in spans {
        lines.push(Line { code: format!("    {code};"), place: placed(declared, offset, len) });
    }
}

/// The members of a struct of `size` bytes that begins at `from`.
fn body(declared: &Declared, members: &[Member], from: usize, depth: usize, size: usize, lines: &mut Vec<Line>) {
    let indent = "    ".repeat(depth);
    let mut next = from;
    let hole = |until: usize, next: usize| {
        let bytes = until.saturating_sub(next);
        (bytes > 0).then(|| Line {
            code: format!("{indent}/* {bytes} byte{} of padding */", plural(bytes)),
            place: String::new(),
        })
    };
    for member in members {
        let offset = from + member.offset;
        lines.extend(hole(offset, next));
        next = next.max(offset + member.size);
        let array = member.array.iter().fold(String::new(), |text, len| text + &format!("[{len}]"));
        let place = placed(declared, offset, member.size);
        let Kind::Struct(inner) = &member.kind else {
            let name = if member.name.is_empty() { String::new() } else { format!(" {}{array}", member.name) };
            lines.push(Line { code: format!("{indent}{}{name};", member.type_name), place });
            continue;
        };
        lines.push(Line { code: format!("{indent}{} {{", member.type_name), place: String::new() });
        let elements: usize = member.array.iter().product();
        body(declared, inner, offset, depth + 1, member.size / elements, lines);
        lines.push(Line { code: format!("{indent}}} {}{array};", member.name), place });
    }
    lines.extend(hole(from + size, next));
}

/// The offset and the size of a member, and what it is to the handoff.
fn placed(declared: &Declared, offset: usize, size: usize) -> String {
    let flag = declared.flag();
    let is_in = |span: &Span| offset < span.offset + span.len && span.offset < offset + size;
    let (payload, what) = match declared.payload() {
        Payload::Text(span) => (std::slice::from_ref(span), "text"),
        Payload::Data(spans) => (&spans[..], "data"),
    };
    let mut marks = Vec::new();
    if is_in(&Span { offset: flag.offset, len: flag.of.bytes() }) {
        marks.push(format!("flag: {} empty, {} full", flag.empty, flag.full));
    }
    if payload.iter().any(is_in) {
        marks.push(what.to_owned());
    }
    if declared.reply().iter().any(is_in) {
        marks.push("reply".to_owned());
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  {}", marks.join(", ")) };
    format!("/* {offset:>7} {size:>7}{marks} */")
}

#[derive(Serialize)]
struct Shown<'d> {
    spec: String,
    hash: u16,
    size: usize,
    at_least: bool,
    at: usize,
    name: Option<&'d str>,
    struct_size: usize,
    flag: ShownFlag,
    payload: &'static str,
    spans: Vec<ShownSpan>,
    reply: Vec<ShownSpan>,
    why_flag: &'d str,
    why_payload: &'d str,
    members: Vec<ShownMember<'d>>,
}

#[derive(Serialize)]
struct ShownFlag {
    r#type: String,
    offset: usize,
    empty: i64,
    full: i64,
}

#[derive(Serialize)]
struct ShownSpan {
    offset: usize,
    bytes: usize,
}

#[derive(Serialize)]
struct ShownMember<'d> {
    name: &'d str,
    r#type: &'d str,
    kind: &'static str,
    offset: usize,
    size: usize,
    array: &'d [usize],
    members: Vec<ShownMember<'d>>,
}

impl<'d> Shown<'d> {
    fn of(declared: &'d Declared) -> Self {
        let spans = |spans: &[Span]| {
            spans.iter().map(|span| ShownSpan { offset: span.offset, bytes: span.len }).collect::<Vec<_>>()
        };
        let flag = declared.flag();
        let (payload, handed_over) = match declared.payload() {
            Payload::Text(span) => ("text", spans(&[*span])),
            Payload::Data(data) => ("data", spans(data)),
        };
        Self {
            spec: declared.to_string(),
            hash: declared.hash(),
            size: declared.size().bytes(),
            at_least: matches!(declared.size(), Size::AtLeast(_)),
            at: declared.at(),
            name: declared.name(),
            struct_size: declared.struct_size(),
            flag: ShownFlag { r#type: flag.of.to_string(), offset: flag.offset, empty: flag.empty, full: flag.full },
            payload,
            spans: handed_over,
            reply: spans(declared.reply()),
            why_flag: declared.why_flag(),
            why_payload: declared.why_payload(),
            members: shown_members(declared.members()),
        }
    }
}

fn shown_members(members: &[Member]) -> Vec<ShownMember<'_>> {
    members
        .iter()
        .map(|member| {
            let inner = if let Kind::Struct(inner) = &member.kind { shown_members(inner) } else { Vec::new() };
            ShownMember {
                name: &member.name,
                r#type: &member.type_name,
                kind: kind(&member.kind),
                offset: member.offset,
                size: member.size,
                array: &member.array,
                members: inner,
            }
        })
        .collect()
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Char => "char",
        Kind::Signed => "signed",
        Kind::Unsigned => "unsigned",
        Kind::Bool => "bool",
        Kind::Float => "float",
        Kind::Struct(_) => "struct",
        Kind::Union => "union",
        Kind::Lock => "lock",
        Kind::Other => "other",
    }
}
