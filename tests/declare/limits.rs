//! Texts of the greatest length, of shapes that would take a careless parser long: each takes time in proportion to
//! its length. A parser that goes over such a text once for each of its parts would take hours.

use shm_handoff::declare::Declared;
use std::time::{Duration, Instant};

/// What a text may have.
const LONGEST: usize = 256 << 10;

/// Far more than any of these takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// So often that the whole has just the length that is allowed.
fn filled(before: &str, part: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = before.to_owned();
    for number in 0.. {
        let part = part(number);
        if text.len() + part.len() + after.len() > LONGEST {
            break;
        }
        text += &part;
    }
    text + after
}

/// What it declares, or why it declares nothing.
fn read(text: &str) -> Result<Declared, String> {
    let from = Instant::now();
    let declared = text.parse::<Declared>().map_err(|error| error.to_string());
    assert!(from.elapsed() < DEADLINE, "{:?} for {}…", from.elapsed(), &text[..100]);
    declared
}

#[test]
fn long_texts_take_time_in_proportion() {
    let same = |part: &'static str| move |_: usize| part.to_owned();
    let numbered = |before: &'static str, after: &'static str| move |number: usize| format!("{before}{number}{after}");
    let shapes: Vec<(String, &str)> = vec![
        (filled("struct { int written; ", numbered("int a", "; "), "}"), "more than 4096 members"),
        (filled("struct { int written; ", numbered("char a", "[4]; "), "}"), "more than 4096 members"),
        (filled("struct { int written; ", same("struct { "), ""), "64 deep"),
        (filled("struct { int written; char a[", same("("), ""), "64 deep"),
        (filled("struct { int written; char a[", same("-"), ""), "64 deep"),
        (filled("struct { int written; char a[1", same(" ? 1 : 1"), ""), "64 deep"),
        (filled("struct { int written; char a[1", same("*1"), "]; }"), ""),
        (filled("struct { int written; char a[1", same("+1"), "]; }"), ""),
        (filled("struct { int written; char a", same("[1]"), "; }"), "8 dimensions"),
        (filled("struct { int written; ", same("__attribute__((packed)) "), "char a[4]; }"), ""),
        (filled("struct { int written; ", same("_Atomic("), ""), "64 deep"),
        (filled("struct { int written; ", same("long "), "x; }"), "no type of C"),
        (filled("struct { int written; ", same("const "), "char x[4]; }"), ""),
        (filled("struct { int written; enum { ", numbered("A", ", "), "} x; }"), ""),
        (filled("struct { int written; char ", same("*"), "x; }"), "is a pointer"),
        (filled("", numbered("struct s", " { int flag; };\n"), ""), "more than one struct"),
        (filled("", numbered("struct s", ";\n"), "struct { int flag; char x[4]; }"), ""),
        (
            filled(
                "typedef int t0; ",
                |number| format!("typedef t{number} t{}; ", number + 1),
                "struct { t0 flag; char x[4]; }",
            ),
            "",
        ),
        (filled("struct { int flag; char x[4]; } t0; typedef struct { char y; } ", numbered("t", ", "), "z;"), ""),
        (
            filled(
                "struct s0 { int flag; char x[4]; }; ",
                |number| format!("struct s{} {{ struct s{number} a; }}; ", number + 1),
                "",
            ),
            "64 deep",
        ),
        (
            filled(
                "struct s0 { int flag; char x[4]; }; ",
                |number| format!("struct s{} {{ struct s{number} a, b; }}; ", number + 1),
                "",
            ),
            "4096 members",
        ),
        (
            filled(
                "#define M0 \n",
                |number| format!("#define M{} M{number} M{number}\n", number + 1),
                "struct { int M60; }",
            ),
            "stands for too much",
        ),
        (
            filled(
                "#define M0 int\n",
                |number| format!("#define M{} M{number}\n", number + 1),
                "struct { M30 written; char x[4]; }",
            ),
            "",
        ),
        (filled("#define X X X\n", same("X "), ""), "stands for too much"),
        (filled("", same("#if 1\n"), ""), "has no end"),
        (filled("", same("#if 0\n#else\n#endif\n"), "text[4]"), ""),
        (filled("#if 1", same(" + 1"), "\n#endif\ntext[4]"), ""),
        (filled("", same("#pragma pack(push, 1)\n"), "struct { int flag; char x[4]; }"), ""),
        (filled("", same("/**/"), "text[4]"), ""),
        (filled("", same("\\\n"), "text[4]"), ""),
        (filled("", same("{"), ""), "no struct"),
        (filled("", same("\n"), "text[4"), "where `]` is expected"),
        (filled("", same("a"), ""), "more than 255 bytes"),
        (filled("", same("'"), ""), "no struct"),
        (filled("flag=i32@0,data=", |number| format!("1@{}+", number * 2 + 4), "1@1000000"), ""),
        (filled("flag=i32@0,data=", |number| format!("1@{}+", 9_000_000 - number * 2), "1@10"), ""),
        (filled("struct { int written; char x[4]; },text=x,reply=", same("x+"), "x"), "lies over"),
        (filled("struct { int written; char x[4]; },text=x", same(".x"), ""), "no member `x`"),
        (filled("struct { int written; char x[4]; },size=64", same(",size=64"), ""), "given twice"),
        (filled("struct { int written; ", same("文"), ""), "more than 255 bytes"),
    ];
    let mut other = Vec::new();
    for (text, expected) in &shapes {
        let said = read(text).map_or_else(|error| error, |_| String::new());
        if !said.contains(expected) || said.is_empty() != expected.is_empty() {
            other.push(format!("{}…: {}", &text[..text.len().min(60)], said.chars().take(200).collect::<String>()));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    assert!(read(&" ".repeat(LONGEST)).unwrap_err().contains("a SPEC declares"));
    assert!(read(&" ".repeat(LONGEST + 1)).unwrap_err().contains("more than 262144 bytes"));
}

/// What a struct may have at most, it may have.
#[test]
fn large_ones_are_placed() {
    let members = filled_with(4094, |number| format!("double m{number};"));
    let declared = read(&format!("struct {{ int written; {members} }}")).unwrap();
    assert_eq!((declared.members().len(), declared.struct_size()), (4095, 8 + 4094 * 8));
    // 62 deep.
    let deep = format!("{}int x; {}", "struct { ".repeat(60), "} a; ".repeat(60));
    assert_eq!(read(&format!("struct {{ int written; {deep}}}")).unwrap().to_string(), "flag=i32@0,data=4@4,size=8");
}

fn filled_with(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}
