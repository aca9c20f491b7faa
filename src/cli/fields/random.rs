//! Fields of random declarations, and hostile lines.
//!
//! * Fields that are read give the record that was shown: each byte that is not padding.
//! * No line makes `read` panic, and what it takes is shown as what it was read from.

use super::tests::{declared, shown};
use super::{Fields, Shape};
use crate::declare::{Declared, Kind, Member, Payload};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::fmt::Write;

const TYPES: &[&str] = &[
    "char",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short",
    "int",
    "unsigned",
    "long",
    "uint64_t",
    "float",
    "double",
    "long double",
    "bool",
    "enum color",
    "struct timespec",
    "pair_t",
];

/// The members of a struct, each called NAME.
fn body() -> impl Strategy<Value = String> {
    let array = || vec(prop_oneof![6 => 1..5_usize, 1 => Just(33)], 0..3).prop_map(|lengths| array_of(&lengths));
    let leaf = (select(TYPES), array()).prop_map(|(of, array)| format!("{of} NAME{array};\n"));
    let member = leaf.prop_recursive(3, 16, 4, move |inner| {
        (vec(inner, 1..4), proptest::option::of(array())).prop_map(|(members, named)| {
            let name = named.map_or(String::new(), |array| format!("NAME{array}"));
            format!("struct {{\n{}}} {name};\n", members.concat())
        })
    });
    vec(member, 1..6).prop_map(|members| members.concat())
}

fn array_of(lengths: &[usize]) -> String {
    lengths.iter().fold(String::new(), |mut text, length| {
        write!(text, "[{length}]").unwrap();
        text
    })
}

/// A SPEC: members as they come, the flag first; all of them, or what lies at some place.
fn spec() -> impl Strategy<Value = String> {
    let place = (0..64_usize, 1..64_usize).prop_map(|(offset, len)| format!(",data={len}@{},size>=99999", offset + 4));
    let terms = prop_oneof![3 => Just(",data=m0+m1".to_owned()), 3 => Just(String::new()), 1 => place];
    (select(vec!["", "#pragma pack(1)\n"]), body(), terms).prop_map(|(pack, body, terms)| {
        let text = format!(
            "enum color {{ RED }}; {pack}typedef struct {{ char tag; double x; }} pair_t;
            struct {{ int written; short NAME; double NAME;\n{body}}}{terms}"
        );
        let mut parts = text.split("NAME");
        let first = parts.next().unwrap().to_owned();
        parts.enumerate().fold(first, |text, (number, part)| format!("{text}m{number}{part}"))
    })
}

/// Bytes with NULs, letters and anything.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![2 => Just(0), 2 => b'a'..b'e', 1 => any::<u8>()], 1..99)
}

/// Which bytes of a struct at `from` are no padding.
fn mark(members: &[Member], from: usize, used: &mut [bool]) {
    for member in members {
        let Kind::Struct(inner) = &member.kind else {
            used[from + member.offset..][..member.size].fill(true);
            continue;
        };
        let count = member.array.iter().product::<usize>();
        for number in 0..count {
            mark(inner, from + member.offset + number * (member.size / count), used);
        }
    }
}

/// A record of `some` bytes over and over, and the same one with padding of 0.
fn records(declared: &Declared, some: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let Payload::Data(spans) = declared.payload() else { panic!("{declared} is a text") };
    let mut used = vec![false; declared.size().bytes()];
    mark(declared.members(), 0, &mut used);
    let len = spans.iter().map(|span| span.len).sum();
    let record: Vec<u8> = some.iter().copied().cycle().take(len).collect();
    let used = spans.iter().flat_map(|span| &used[span.offset..][..span.len]);
    let clean = record.iter().zip(used).map(|(byte, used)| if *used { *byte } else { 0 }).collect();
    (record, clean)
}

/// What may stand where another value is expected.
fn hostile_value() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(300),
        json!(u64::MAX),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!("NaN"),
        json!("-inf"),
        json!("NaN(0x7ff0000000000001)"),
        json!("QUJD"),
        json!("a\0b"),
        json!("long ".repeat(20)),
        json!([]),
        json!([0, 1]),
        json!({}),
        json!({"base64": ""}),
        json!({"base64": "QUJD"}),
        json!({"base64": 7, "x": 7}),
    ])
}

/// From where, of how many bytes, by what.
fn hostile_change() -> impl Strategy<Value = (Index, Index, &'static str)> {
    let by = [
        "",
        "",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "0",
        "-",
        "1e400",
        "\\u0000",
        "\\ud800",
        "é",
        "\u{1b}",
        "\"m0\":0,",
    ];
    (any::<Index>(), any::<Index>(), select(by.to_vec()))
}

/// How many values there are, those within others included.
fn count(json: &Value) -> usize {
    1 + match json {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(values) => values.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces value number `at` by `by`.
fn replace(json: &mut Value, mut at: usize, by: Value) {
    if at == 0 {
        *json = by;
        return;
    }
    at -= 1;
    let inner: Vec<&mut Value> = match json {
        Value::Array(values) => values.iter_mut().collect(),
        Value::Object(values) => values.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        let within = count(value);
        if at < within {
            return replace(value, at, by);
        }
        at -= within;
    }
}

/// A declaration of data that is not too long to try many.
fn data(spec: &str) -> Result<Declared, TestCaseError> {
    let reject = || TestCaseError::reject("another declaration is tried");
    let declared: Declared = spec.parse().map_err(|_| reject())?;
    let is_short = declared.struct_size() < 20_000;
    if is_short && matches!(declared.payload(), Payload::Data(_)) { Ok(declared) } else { Err(reject()) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_was_shown_is_read(spec in spec(), some in some_bytes()) {
        let declared = data(&spec)?;
        let fields = Fields::of(&declared);
        let (record, clean) = records(&declared, &some);
        let json = shown(&fields, &record);
        let expected = if matches!(fields.shape, Shape::Members(_)) { clean } else { record };
        prop_assert_eq!(fields.read(json.as_bytes()), Ok(expected), "{}", json);
    }

    #[test]
    fn hostile_lines_are_errors_or_records(
        spec in spec(),
        some in some_bytes(),
        values in vec((any::<Index>(), hostile_value()), 0..3),
        changes in prop_oneof![2 => vec(hostile_change(), 0..1), 1 => vec(hostile_change(), 1..4)],
    ) {
        let declared = data(&spec)?;
        let fields = Fields::of(&declared);
        let mut json = serde_json::to_value(fields.show(&records(&declared, &some).0)).unwrap();
        for (at, value) in values {
            let at = at.index(count(&json));
            replace(&mut json, at, value);
        }
        let mut line = json.to_string().into_bytes();
        for (from, len, by) in changes {
            let from = from.index(line.len() + 1);
            let len = len.index(4).min(line.len() - from);
            line.splice(from..from + len, by.bytes());
        }
        match fields.read(&line) {
            Ok(record) => {
                let again = shown(&fields, &record);
                prop_assert_eq!(fields.read(again.as_bytes()), Ok(record), "{}", again);
            }
            Err(error) => prop_assert!(!error.to_string().chars().any(char::is_control), "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_no_panic(line: Vec<u8>, nested in 0..2000_usize) {
        let declared = declared("struct { int written; struct { int x; } pos[2]; float f; }");
        let fields = Fields::of(&declared);
        prop_assert!(fields.read(&line).is_err());
        for open in ["[", "{\"pos\":"] {
            prop_assert!(fields.read(open.repeat(nested).as_bytes()).is_err());
        }
        let deep = format!("{{\"pos\":{}{}}}", "[".repeat(nested), "]".repeat(nested));
        prop_assert!(fields.read(deep.as_bytes()).is_err());
    }
}
