//! A test as C11, as herd7 reads it and a teacher can hand it out.

use crate::program::{Access, At, Does, Op, Orders, Test};
use std::fmt::Write;
use std::sync::atomic::Ordering;

fn order(order: Ordering) -> &'static str {
    match order {
        Ordering::Relaxed => "memory_order_relaxed",
        Ordering::Release => "memory_order_release",
        Ordering::Acquire => "memory_order_acquire",
        Ordering::AcqRel => "memory_order_acq_rel",
        Ordering::SeqCst => "memory_order_seq_cst",
        unknown => panic!("say here what {unknown:?} is in C"),
    }
}

/// The words of a text are relaxed atomics, as they are on real memory; in `cells` plain
/// variables, whose races the model reports.
fn atomic(access: Access, cells: bool) -> Option<Ordering> {
    match access {
        Access::Atomic(order) => Some(order),
        Access::Text if !cells => Some(Ordering::Relaxed),
        Access::Text | Access::Plain => None,
    }
}

fn body(does: &[Does], cells: bool) -> String {
    let (mut text, mut depth, mut loads) = (String::new(), 1, 0);
    let mut told = None;
    for &(op, access, at) in does {
        let indent = "  ".repeat(depth);
        let place = match at {
            At::Source(file, function, _) => format!("src/{file}, {function}"),
            At::Kernel(what, _) => format!("the kernel: {what}"),
        };
        if told.as_ref() != Some(&place) {
            writeln!(text, "{indent}// {place}").unwrap();
            told = Some(place);
        }
        match (op, atomic(access, cells)) {
            (Op::Store(word, value), Some(how)) => {
                writeln!(text, "{indent}atomic_store_explicit({word}, {value}, {});", order(how))
            }
            (Op::Store(word, value), None) => writeln!(text, "{indent}*{word} = {value};"),
            (Op::Load(word), Some(how)) => {
                writeln!(text, "{indent}int r{loads} = atomic_load_explicit({word}, {});", order(how))
            }
            (Op::Load(word), None) => writeln!(text, "{indent}int r{loads} = *{word};"),
            (Op::Fence, how) => {
                writeln!(text, "{indent}atomic_thread_fence({});", order(how.expect("a fence has an order")))
            }
            (Op::Only(value), _) => writeln!(text, "{indent}if (r{} == {value}) {{", loads - 1),
            (Op::Call | Op::Light, _) => unreachable!("a call or a light fence is no operation"),
        }
        .unwrap();
        loads += usize::from(matches!(op, Op::Load(_)));
        depth += usize::from(matches!(op, Op::Only(_)));
    }
    for depth in (1..depth).rev() {
        writeln!(text, "{}}}", "  ".repeat(depth)).unwrap();
    }
    text
}

/// The words that are plain variables.
fn plain(test: &Test, orders: Orders, cells: bool) -> Vec<&'static str> {
    let does = test.threads.iter().flat_map(|thread| thread.does(orders));
    does.filter(|(_, access, _)| atomic(*access, cells).is_none())
        .filter_map(|(op, ..)| match op {
            Op::Store(word, _) | Op::Load(word) => Some(word),
            _ => None,
        })
        .collect()
}

/// Whether a race is possible in it.
pub(crate) fn has_cells(test: &Test, orders: Orders) -> bool {
    !plain(test, orders, true).is_empty()
}

pub(crate) fn write(test: &Test, name: &str, told: &str, orders: Orders, cells: bool) -> String {
    let mut file = format!("C {name}\n\"{}: {told}\"\n\n", test.what.replace('`', ""));
    let words = test.all_words();
    let at_first: Vec<_> = words.iter().map(|(word, value)| format!("{word} = {value};")).collect();
    writeln!(file, "{{ {} }}", at_first.join(" ")).unwrap();
    let plain = plain(test, orders, cells);
    for (number, thread) in test.threads.iter().enumerate() {
        let kind = |word| if plain.contains(word) { "int" } else { "atomic_int" };
        let words: Vec<_> = Test::words(thread).iter().map(|word| format!("{}* {word}", kind(word))).collect();
        writeln!(file, "\n// The {}.\nP{number}({}) {{", thread.name, words.join(", ")).unwrap();
        file += &body(&thread.does(orders), cells);
        file += "}\n";
    }
    let load = |thread: usize, number: usize| format!("{thread}:r{number}");
    writeln!(file, "\n{}", test.condition(orders, load, str::to_owned)).unwrap();
    file
}
