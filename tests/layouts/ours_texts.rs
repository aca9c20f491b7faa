//! Ours with each program that has a text.

use crate::ours::{Pair, assert_left_in_order, await_taken, reader, seated, sent, writer};
use crate::programs::{SHAPES, attached, await_empty, await_full};
use crate::support::{Channel, ipc};
use shm_handoff::Role;
use std::sync::atomic::Ordering;

#[test]
fn to_our_reader_either_side_first() {
    for shape in &SHAPES {
        for ours_first in [true, false] {
            let channel = Channel::new();
            let theirs = shape.c_writer(&channel).input(shape.lines() + "end\n");
            let pair = Pair { role: Role::Reader, ours: reader(shape.spec, &channel, &[]), theirs };
            let (ours, theirs) = pair.start(ours_first, shape.spec, &channel);
            ours.end().code(0).prints(shape.lines());
            theirs.end().code(0);
            assert_left_in_order(shape.spec, &channel);
        }
    }
}

#[test]
fn from_our_writer_either_side_first() {
    for shape in &SHAPES {
        for ours_first in [true, false] {
            let channel = Channel::new();
            let ours = writer(shape.spec, &channel, &[]).input(shape.lines());
            let pair = Pair { role: Role::Writer, ours, theirs: shape.c_reader(&channel) };
            let (ours, theirs) = pair.start(ours_first, shape.spec, &channel);
            ours.end().code(0);
            // The end of our input is an end; the C program removes the segment, whatever its size.
            theirs.end().code(0).prints(shape.lines() + "end\n");
            channel.assert_nothing_left();
        }
    }
}

#[test]
fn ours_among_themselves() {
    for shape in &SHAPES {
        for reader_first in [true, false] {
            let channel = Channel::new();
            let (read, write) = (reader(shape.spec, &channel, &[]), writer(shape.spec, &channel, &[]));
            let write = write.input(shape.lines());
            let (read, write) = if reader_first {
                let read = seated(Role::Reader, &channel, read);
                (read, write.start())
            } else {
                let write = seated(Role::Writer, &channel, write);
                (read.start(), write)
            };
            write.end().code(0);
            read.end().code(0).prints(shape.lines());
            assert_left_in_order(shape.spec, &channel);
        }
    }
}

/// A text that is one byte too long is refused: a C program would look for its NUL in vain.
#[test]
fn the_length_of_the_text_counts() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let theirs = shape.c_reader(&channel).start();
        let too_long = "z".repeat(shape.len - 1) + "\n";
        let ours = writer(shape.spec, &channel, &[]).input(format!("one\n{too_long}")).end();
        ours.code(5).says(&[&format!("more than {} bytes", shape.len - 1)]);
        writer(shape.spec, &channel, &[]).input("two\n").end().code(0);
        theirs.end().code(0).prints("one\ntwo\nend\n");
        channel.assert_nothing_left();
    }
}

#[test]
fn our_reader_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut theirs = attached(shape.c_writer(&channel).open_input());
        let mut ours = seated(Role::Reader, &channel, reader(shape.spec, &channel, &[]));
        theirs.type_in("one\n");
        ours.until_prints("one\n");
        await_empty(shape.spec, &channel);
        ours.kill();
        theirs.type_in("two\nend\n");
        reader(shape.spec, &channel, &[]).end().code(0).prints("two\n");
        theirs.end().code(0);
        assert_left_in_order(shape.spec, &channel);
    }
}

/// What it had sent is read all the same.
#[test]
fn our_writer_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut theirs = attached(shape.c_reader(&channel));
        theirs.stop();
        let mut ours = writer(shape.spec, &channel, &[]).open_input().start();
        ours.type_in("one\n");
        await_full(shape.spec, &channel);
        ours.kill();
        theirs.go_on();
        theirs.until_prints("one\n");
        writer(shape.spec, &channel, &[]).input("two\n").end().code(0);
        theirs.end().code(0).prints("one\ntwo\nend\n");
        channel.assert_nothing_left();
    }
}

#[test]
fn the_c_writer_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut theirs = attached(shape.c_writer(&channel).open_input());
        theirs.type_in("one\n");
        await_full(shape.spec, &channel);
        theirs.kill();
        let mut ours = seated(Role::Reader, &channel, reader(shape.spec, &channel, &["--follow"]));
        ours.until_prints("one\n");
        // This one leaves without an end, as if it had died.
        shape.c_writer(&channel).input("two\n").end().code(0);
        shape.c_writer(&channel).input("three\nend\n").end().code(0);
        ours.end().code(0).prints("one\ntwo\nthree\n");
        assert_left_in_order(shape.spec, &channel);
    }
}

/// Our writer notices when it needs room; what it had sent is what the next reader finds.
#[test]
fn the_c_reader_is_killed_and_started_again() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let mut theirs = attached(shape.c_reader(&channel));
        let mut ours = writer(shape.spec, &channel, &[]).open_input().start();
        ours.type_in("one\n");
        theirs.until_prints("one\n");
        await_taken(shape.spec, &channel, &mut ours);
        theirs.kill();
        ours.type_in("two\nthree\n");
        let ended = ours.end();
        ended.code(3).says(&["the reader left or died"]);
        let unread = match sent(&ended) {
            1 => "",
            2 => "two\n",
            _ => panic!("{ended}"),
        };
        let theirs = attached(shape.c_reader(&channel));
        writer(shape.spec, &channel, &[]).input("four\n").end().code(0);
        theirs.end().code(0).prints(format!("{unread}four\nend\n"));
        channel.assert_nothing_left();
    }
}

/// One after the other, without an end between them.
#[test]
fn ours_are_restarted_in_order() {
    for shape in &SHAPES {
        let channel = Channel::new();
        let theirs = attached(shape.c_reader(&channel));
        writer(shape.spec, &channel, &["--no-end"]).input("one\ntwo\n").end().code(0);
        writer(shape.spec, &channel, &["x"]).end().code(0);
        writer(shape.spec, &channel, &["end"]).end().code(0);
        theirs.end().code(0).prints("one\ntwo\nx\nend\n");
        channel.assert_nothing_left();

        let theirs = shape.c_writer(&channel).input("one\ntwo\nend\n").start();
        reader(shape.spec, &channel, &["--count=1"]).end().code(0).prints("one\n");
        reader(shape.spec, &channel, &[]).end().code(0).prints("two\n");
        theirs.end().code(0);
        assert_left_in_order(shape.spec, &channel);
    }
}

/// A member beside flag and text, and what lies behind the struct.
#[test]
fn no_byte_beside_flag_and_text_is_touched() {
    for (name, offset) in [("second.h", 0), ("larger.h", 2052)] {
        let shape = SHAPES.iter().find(|shape| shape.spec.starts_with(name)).unwrap();
        let channel = Channel::new();
        let ours = seated(Role::Reader, &channel, reader(shape.spec, &channel, &["--keep"]));
        ipc::scribble(channel.key().number(), offset, &[0xa5; 4]);
        writer(shape.spec, &channel, &[]).input(shape.lines()).end().code(0);
        ours.end().code(0).prints(shape.lines());
        let memory = ipc::Attached::at(channel.key().number()).expect("it was kept");
        assert_eq!(memory.words()[offset / 4].load(Ordering::Acquire), 0xa5a5_a5a5, "{name}");
    }
}
