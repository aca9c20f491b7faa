//! Random declarations, some hundred in one run of the compiler.

use crate::compiler::{Sample, compare};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

const SAMPLES: usize = 300;

const TYPES: &[&str] = &[
    "char",
    "signed char",
    "unsigned char",
    "short",
    "unsigned short int",
    "int",
    "unsigned",
    "long",
    "unsigned long",
    "long long",
    "float",
    "double",
    "long double",
    "_Bool",
    "bool",
    "int8_t",
    "uint16_t",
    "int32_t",
    "uint64_t",
    "size_t",
    "pid_t",
    "key_t",
    "time_t",
    "mode_t",
    "sem_t",
    "pthread_mutex_t",
    "pthread_cond_t",
    "struct timespec",
    "volatile int",
    "_Atomic int",
    "const short",
    "triple_t",
    "enum color",
    "struct point",
    "struct tight",
    "pair_t",
];

/// What the types above need.
const BEFORE: &str = "\
#define TWO 2
typedef int wide_t __attribute__((aligned(16)));
typedef short triple_t[3];
enum color { RED, GREEN = 3, BLUE };
struct point { char tag; double x, y; };
#pragma pack(push, 1)
struct tight { char tag; double x; };
#pragma pack(pop)
typedef struct { char first; struct point second; } pair_t;
";

fn attribute() -> impl Strategy<Value = &'static str> {
    let none = [""; 12];
    let some = [
        "__attribute__((packed))",
        "__attribute__((aligned(8)))",
        "__attribute__((aligned(32)))",
        "__attribute__((packed, aligned(2)))",
    ];
    select([&none[..], &some[..]].concat())
}

/// At one of the two places that a struct has for it.
fn around() -> impl Strategy<Value = (&'static str, &'static str)> {
    (attribute(), any::<bool>()).prop_map(|(attribute, first)| if first { (attribute, "") } else { ("", attribute) })
}

/// A length as people write it.
fn length() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (1..9_u32).prop_map(|number| number.to_string()),
        (1..9_u32).prop_map(|number| format!("{number:#x}u")),
        select(vec![
            "TWO",
            "GREEN",
            "BLUE",
            "sizeof(int)",
            "sizeof(struct point)",
            "sizeof(pair_t[2])",
            "'\\x09'",
            "010",
            "3L",
            "2ul"
        ])
        .prop_map(|text| if text.starts_with('\'') { "'\t'".to_owned() } else { text.to_owned() }),
    ];
    let expression = leaf.prop_recursive(3, 12, 2, |inner| {
        let operators = vec!["+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "<", ">=", "==", "!=", "&&", "||"];
        prop_oneof![
            // What C computes: no shift beyond the bits, no division by zero.
            (inner.clone(), select(operators), inner.clone()).prop_map(|(left, operator, right)| match operator {
                "<<" | ">>" => format!("((unsigned)({left}) {operator} (({right}) & 7))"),
                "/" | "%" => format!("{left} {operator} (({right}) | 1)"),
                _ => format!("{left} {operator} {right}"),
            }),
            inner.clone().prop_map(|inside| format!("({inside})")),
            (select(vec!["-", "~", "!", "+", "(char)", "(unsigned char)", "(long)", "(uint32_t)"]), inner.clone())
                .prop_map(|(operator, inside)| format!("{operator} ({inside})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    });
    // From 1 to 16, whatever it computes.
    expression.prop_map(|text| format!("1 + (({text}) & 15)"))
}

fn array() -> impl Strategy<Value = String> {
    vec(length(), 0..3).prop_map(|lengths| lengths.iter().fold(String::new(), |text, length| text + "[" + length + "]"))
}

/// The members of a struct, with names that say where they stand.
fn body() -> impl Strategy<Value = String> {
    let leaf = (select(TYPES), array(), attribute(), proptest::option::of((array(), attribute()))).prop_map(
        |(of, array, attribute, more)| {
            let more = more.map_or(String::new(), |(array, attribute)| format!(", NAME{array} {attribute}"));
            format!("{of} NAME{array} {attribute}{more};\n")
        },
    );
    // (No array of these: their alignment is more than their size.)
    let wide = attribute().prop_map(|attribute| format!("wide_t NAME {attribute};\n"));
    let leaf = prop_oneof![8 => leaf, 1 => wide];
    let member = leaf.prop_recursive(3, 24, 4, |inner| {
        let keyword = select(vec!["struct", "struct", "union"]);
        (keyword, around(), vec(inner, 1..5), proptest::option::of(array())).prop_map(
            |(keyword, (before, after), members, named)| {
                let name = named.map_or(String::new(), |array| format!("NAME{array}"));
                format!("{keyword} {before} {{\n{}}} {after} {name};\n", members.concat())
            },
        )
    });
    vec(member, 1..7).prop_map(|members| members.concat())
}

fn declaration() -> impl Strategy<Value = String> {
    let pragma = select(vec![
        "",
        "",
        "",
        "#pragma pack(1)\n",
        "#pragma pack(push, 2)\n",
        "#pragma pack(4)\n",
        "#pragma pack(push, 16)\n",
    ]);
    (pragma, around(), body()).prop_map(|(pragma, (before, after), body)| {
        // So that there is room for the flag and for data.
        let text = format!("{pragma}struct {before} TAG {{\nchar written, NAME;\n{body}}} {after};\n#pragma pack()");
        let mut parts = text.split("NAME");
        let first = parts.next().unwrap().to_owned();
        parts.enumerate().fold(first, |text, (number, part)| format!("{text}m{number}{part}"))
    })
}

#[test]
fn random_structs_lie_as_the_compiler_places_them() {
    let mut runner = TestRunner::new(Config::default());
    let strategy = declaration();
    let samples: Vec<_> = (0..SAMPLES)
        .map(|number| {
            let c_type = format!("struct sample{number}");
            let declaration = strategy.new_tree(&mut runner).unwrap().current();
            Sample { before: BEFORE, declaration: declaration.replace("TAG", &format!("sample{number}")), c_type }
        })
        .collect();
    compare("random", &samples);
}
