//! `int mat[9]` beside a flag: the C program on both sides.

use crate::programs::{attached, await_empty, await_full, c_program, run};
use crate::support::{Channel, Run};
use std::ops::Range;

pub(crate) const SPEC: &str = "mat.h";

/// The C program that takes nine numbers a matrix, not started yet.
pub(crate) fn c_writer(channel: &Channel) -> Run {
    run(&c_program("mat"), &["write"], channel, &[])
}

/// The C program that prints so many of them, not started yet.
pub(crate) fn c_reader(channel: &Channel, count: usize) -> Run {
    run(&c_program("mat"), &["read"], channel, &[&count.to_string()])
}

/// Matrices, whose numbers are of either sign and of every length.
pub(crate) fn matrices(which: Range<i32>) -> impl Iterator<Item = [i32; 9]> {
    which.map(|number| std::array::from_fn(|at| (number * 9 + i32::try_from(at).unwrap()).wrapping_mul(0x2357_1113)))
}

/// As the C program takes and prints them.
pub(crate) fn lines(which: Range<i32>) -> String {
    matrices(which).map(|mat| mat.map(|number| number.to_string()).join(" ") + "\n").collect()
}

#[test]
fn either_side_first() {
    for reader_first in [true, false] {
        let channel = Channel::new();
        let (reader, writer) = (c_reader(&channel, 100), c_writer(&channel).input(lines(0..100)));
        let (reader, writer) = if reader_first {
            let reader = attached(reader);
            (reader, writer.start())
        } else {
            let writer = attached(writer);
            await_full(SPEC, &channel);
            (reader.start(), writer)
        };
        writer.end().code(0);
        reader.end().code(0).prints(lines(0..100));
        channel.assert_nothing_left();
    }
}

#[test]
fn either_side_is_killed_and_started_again() {
    let channel = Channel::new();
    let mut writer = attached(c_writer(&channel).open_input());
    let mut reader = attached(c_reader(&channel, 9));
    writer.type_in(lines(0..3));
    reader.until_prints(lines(0..3));
    await_empty(SPEC, &channel);
    reader.kill();
    writer.type_in(lines(3..4));
    await_full(SPEC, &channel);
    writer.kill();
    let mut reader = attached(c_reader(&channel, 3));
    reader.until_prints(lines(3..4));
    c_writer(&channel).input(lines(4..6)).end().code(0);
    reader.end().code(0).prints(lines(3..6));
    channel.assert_nothing_left();
}
