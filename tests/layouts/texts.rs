//! The programs with a text among themselves, in every shape.

use crate::programs::{SHAPES, attached, await_empty, await_full};
use crate::support::Channel;

#[test]
fn either_side_first() {
    for shape in &SHAPES {
        for reader_first in [true, false] {
            let channel = Channel::new();
            let sent = shape.lines() + "end\n";
            let (reader, writer) = (shape.c_reader(&channel), shape.c_writer(&channel).input(sent.clone()));
            let (reader, writer) = if reader_first {
                let reader = attached(reader);
                (reader, writer.start())
            } else {
                let writer = attached(writer);
                await_full(shape.spec, &channel);
                (reader.start(), writer)
            };
            writer.end().code(0);
            reader.end().code(0).prints(sent);
            channel.assert_nothing_left();
        }
    }
}

#[test]
fn the_reader_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut writer = attached(shape.c_writer(&channel).open_input());
        let mut reader = attached(shape.c_reader(&channel));
        writer.type_in("one\n");
        reader.until_prints("one\n");
        await_empty(shape.spec, &channel);
        reader.kill();
        writer.type_in("two\nend\n");
        await_full(shape.spec, &channel);
        shape.c_reader(&channel).end().code(0).prints("two\nend\n");
        writer.end().code(0);
        channel.assert_nothing_left();
    }
}

/// Killed with a text in the slot, and once leaving in order, without an end.
#[test]
fn the_writer_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut writer = attached(shape.c_writer(&channel).open_input());
        writer.type_in("one\n");
        await_full(shape.spec, &channel);
        writer.kill();
        let mut reader = attached(shape.c_reader(&channel));
        reader.until_prints("one\n");
        shape.c_writer(&channel).input("two\n").end().code(0);
        reader.until_prints("one\ntwo\n");
        shape.c_writer(&channel).input("end\n").end().code(0);
        reader.end().code(0).prints("one\ntwo\nend\n");
        channel.assert_nothing_left();
    }
}
