//! A test as the instructions that the compiler makes of it. (Compiled litmus tests are the way of
//! Geeson and Smith, "Compiler Testing with Relaxed Memory Models", 2024.)

use crate::Variant;
use crate::processors::Processor;
use crate::program::{Access, Does, Op, Test, Thread};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

/// The compiler whose intrinsics `prelude.rs` names.
const COMPILER: &str = "rustc 1.95.";

/// What no step stores: a load that was not made.
const NOT_SEEN: u32 = 99;

/// What the load of a thread saw ends up in a word of its own.
fn out(thread: usize, load: usize) -> String {
    format!("p{thread}r{load}")
}

fn function(variant: &Variant, thread: usize) -> String {
    format!("{}_{thread}", variant.name.replace('-', "_"))
}

/// The words that a thread's function is given, in the order of its arguments.
fn arguments(thread: &Thread, number: usize, does: &[Does]) -> Vec<String> {
    let loads = does.iter().filter(|(op, ..)| matches!(op, Op::Load(_))).count();
    let words = Test::words(thread).into_iter().map(str::to_owned);
    words.chain((0..loads).map(|load| out(number, load))).collect()
}

/// A thread as a function in Rust.
fn source(variant: &Variant, number: usize) -> String {
    let thread = &variant.test.threads[number];
    let does = thread.does(variant.orders);
    let arguments = arguments(thread, number, &does).join(": *mut u32, ");
    let name = function(variant, number);
    let mut text = format!("#[no_mangle]\npub unsafe extern \"C\" fn {name}({arguments}: *mut u32) {{\n");
    let (mut loads, mut open) = (0, 0);
    for &(op, access, _) in &does {
        let order = match access {
            Access::Text => Some(Ordering::Relaxed),
            Access::Plain => None,
            Access::Atomic(order) => Some(order),
        };
        let order = order.map(|order| format!("{{ Ordering::{order:?} }}"));
        match (op, order) {
            (Op::Store(word, value), Some(order)) => writeln!(text, "atomic_store::<u32, {order}>({word}, {value});"),
            (Op::Store(word, value), None) => writeln!(text, "*{word} = {value};"),
            (Op::Load(word), order) => {
                let load = order.map_or(format!("*{word}"), |order| format!("atomic_load::<u32, {order}>({word})"));
                let out = out(number, loads);
                loads += 1;
                writeln!(text, "let r{} = {load};\n*{out} = r{};", loads - 1, loads - 1)
            }
            (Op::Fence, order) => writeln!(text, "atomic_fence::<{}>();", order.expect("a fence has an order")),
            (Op::Only(value), _) => {
                open += 1;
                writeln!(text, "match r{} {{ {value} => {{", loads - 1)
            }
            (Op::Call | Op::Light, _) => unreachable!("a call or a light fence is no operation"),
        }
        .unwrap();
    }
    text + &"} _ => {} }\n".repeat(open) + "}\n"
}

/// The instructions of a function, a label or an instruction each; what is behind the last one has no
/// return any more.
fn instructions(assembly: &str, function: &str, thread: usize, processor: &Processor) -> Vec<String> {
    let mut lines = assembly.lines().skip_while(|line| line.split(':').next() != Some(function)).skip(1);
    let body = lines.by_ref().take_while(|line| !line.starts_with(".Lfunc_end")).map(|line| {
        let line = line.split(processor.comment).next().unwrap_or(line);
        line.split_whitespace().collect::<Vec<_>>().join(" ").replace(".LBB", "LBB")
    });
    let body: Vec<_> = body.filter(|line| !line.is_empty() && !line.starts_with(['.', '#'])).collect();
    assert!(!body.is_empty(), "{}: `{function}` is not in the assembly", processor.name);
    (processor.translate)(body, thread)
}

/// The test as herd7 reads it.
fn litmus(variant: &Variant, assembly: &str, processor: &Processor) -> String {
    let Variant { test, orders, name, told, .. } = variant;
    let words = test.all_words();
    let mut at_first: Vec<_> = words.iter().map(|(word, value)| format!("int {word}={value};")).collect();
    let mut columns = Vec::new();
    for (number, thread) in test.threads.iter().enumerate() {
        let does = thread.does(*orders);
        for (at, word) in arguments(thread, number, &does).into_iter().enumerate() {
            if word == format!("p{number}r{}", (at + 1).saturating_sub(Test::words(thread).len() + 1)) {
                at_first.push(format!("int {word}={NOT_SEEN};"));
            }
            at_first.push(format!("{number}:{}={word};", processor.arguments[at]));
        }
        columns.push(instructions(assembly, &function(variant, number), number, processor));
    }
    let width = columns.iter().flatten().map(String::len).max().unwrap_or(0);
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut text =
        format!("{} {name}\n\"{}: {}\"\n", processor.herd, test.what.replace('`', ""), told.replace('`', ""));
    writeln!(text, "{{\n {}\n}}", at_first.join("\n ")).unwrap();
    let line = |cell: &dyn Fn(usize) -> String| {
        (0..columns.len()).map(|column| format!(" {:width$} ", cell(column))).collect::<Vec<_>>().join("|") + ";\n"
    };
    text += &line(&|column| format!("P{column}"));
    for row in 0..rows {
        text += &line(&|column| columns[column].get(row).cloned().unwrap_or_default());
    }
    let condition = test.condition(*orders, out, str::to_owned);
    text + &condition + "\n"
}

/// All tests for this processor; why there are none, where this is another compiler, or one without a back end
/// for it.
pub(crate) fn compile(
    processor: &Processor,
    all: &[Variant],
    folder: &Path,
) -> Result<BTreeMap<String, String>, String> {
    let version = Command::new("rustc").arg("--version").output().map_err(|error| format!("no rustc: {error}"))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    if !version.starts_with(COMPILER) {
        return Err(format!("tests/litmus/prelude.rs is for {COMPILER}x; this is {version}"));
    }
    // (This asks the back end, which a distribution's compiler may lack; the list of targets has them all.)
    let told = Command::new("rustc").args(["--print", "cfg", "--target", processor.target]).output().unwrap();
    if !told.status.success() {
        return Err(format!("{version} can't compile for {}: rustup's rustc can", processor.target));
    }
    let mut text = include_str!("prelude.rs").to_owned();
    for variant in all {
        for thread in 0..variant.test.threads.len() {
            text += &source(variant, thread);
        }
    }
    let (program, assembly) = (folder.join("steps.rs"), folder.join(format!("{}.s", processor.name)));
    std::fs::write(&program, text).unwrap();
    // (Without `core` of its own a stable compiler needs leave to go.)
    let rustc = Command::new("rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["-O", "-Cpanic=abort", "-Zmerge-functions=disabled", "--emit=asm", "--target", processor.target, "-o"])
        .args([&assembly, &program])
        .output()
        .unwrap();
    assert!(rustc.status.success(), "{}", String::from_utf8_lossy(&rustc.stderr));
    let assembly = std::fs::read_to_string(assembly).unwrap();
    Ok(all.iter().map(|variant| (format!("{}.litmus", variant.name), litmus(variant, &assembly, processor))).collect())
}
