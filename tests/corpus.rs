//! The inputs that the fuzzer found, each of which takes a way of its own through the
//! code (`ci/fuzz.sh` looks for more, on nightly), and random ones: on stable, every time.
#![cfg(not(model))]

mod fuzzed;

use proptest::prelude::*;
use std::path::Path;

/// Every input that is kept for `target`, and some without any.
fn replay(target: &str, run: fn(&[u8])) {
    run(&[]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        println!("{}", path.display());
        run(&input);
        count += 1;
    }
    assert!(count > 20, "{} holds {count}", folder.display());
}

#[test]
fn read_ring() {
    replay("read_ring", fuzzed::read_ring);
}

#[test]
fn write_ring() {
    replay("write_ring", fuzzed::write_ring);
}

#[test]
fn attach_ring() {
    replay("attach_ring", fuzzed::attach_ring);
}

#[test]
fn classic() {
    replay("classic", fuzzed::classic);
}

#[test]
fn declare() {
    replay("declare", fuzzed::declaration);
}

/// Bytes that look like records, and bytes that do not.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![Just(0_u32), Just(u32::MAX), 1..70_u32, 1..530_u32, any::<u32>()];
    (any::<[u8; 97]>(), any::<[u8; 24]>(), proptest::collection::vec(word, 0..600)).prop_map(
        |(actions, mut header, words)| {
            header[1..8].fill(0);
            header[9..16].fill(0);
            let words = words.into_iter().flat_map(u32::to_le_bytes);
            actions.into_iter().chain(header).chain(words).collect()
        },
    )
}

/// Words and marks of declarations, in any order.
fn declaration() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "struct ",
        "union ",
        "enum ",
        "typedef ",
        "int ",
        "char ",
        "unsigned ",
        "long ",
        "uint8_t ",
        "sem_t ",
        "written",
        "flag",
        "text",
        "a",
        "b ",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ";",
        ",",
        "*",
        "+",
        "-",
        "<<",
        "/",
        "?",
        ":",
        "=",
        ">=",
        "@",
        ".",
        "0",
        "1",
        "4",
        "2048",
        "0x7fffffffffffffff",
        "sizeof(",
        "struct { int written; char text[",
        "}; ",
        "flag=",
        "i32@",
        "u8@",
        "data=",
        "text=",
        "reply=",
        "size=",
        "size>=",
        "at=",
        "empty=",
        "full=",
        "\n#define ",
        "\n#if ",
        "\n#endif\n",
        "\n#pragma pack(",
        "\n",
        " ",
        "/*",
        "*/",
        "//",
        "\\\n",
        "'",
        "\"",
        "__attribute__((packed))",
        "aligned(",
        "文",
        "#",
    ];
    proptest::collection::vec(proptest::sample::select(PARTS), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_input(input in input()) {
        for target in [fuzzed::read_ring, fuzzed::write_ring, fuzzed::attach_ring, fuzzed::classic] {
            target(&input);
        }
    }

    #[test]
    fn any_declaration(text in declaration()) {
        fuzzed::declaration(text.as_bytes());
    }
}
