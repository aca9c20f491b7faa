//! What the tutorial's sides do in an exercise.

use super::{AAA, BBB, END, slot, text};
use crate::run::Cast;
use crate::side::{Called, Quiet};
use crate::stage::{Said, begins_anew, has, says};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::inside::tutorial::{self, Mended, Taken};
use shm_handoff::sync::yield_now;

fn tutorial_writer<B: Backend<Address = Channel>>(slot: &Channel, mended: Mended) -> Option<tutorial::Writer<B>> {
    let writer = tutorial::Writer::open(slot, mended);
    if writer.is_err() {
        says(Said::Refused);
    }
    writer.ok()
}

fn tutorial_reader<B: Backend<Address = Channel>>(slot: &Channel, mended: Mended) -> Option<tutorial::Reader<B>> {
    let reader = tutorial::Reader::open(slot, mended);
    if reader.is_err() {
        says(Said::Refused);
    }
    reader.ok()
}

fn sends<B: Backend>(writer: &tutorial::Writer<B>, lines: &[&str]) {
    for line in lines {
        has(Some(line));
        while !writer.offer(line.as_bytes()) {
            yield_now();
        }
        says(Said::Sent((*line).to_owned()));
        has(None);
        begins_anew();
    }
}

fn prints<B: Backend>(reader: &mut tutorial::Reader<B>) -> Taken {
    loop {
        match reader.take_printing(|line| says(Said::Printed(text(line)))) {
            Some(taken) => break taken,
            None => yield_now(),
        }
    }
}

/// Prints until what the tutorial's reader takes for the end.
fn prints_to_the_end<B: Backend>(reader: &mut tutorial::Reader<B>) {
    loop {
        let taken = prints(reader);
        says(if taken.leaves { Said::Ends } else { Said::GoesOn });
        if taken.leaves {
            return;
        }
        begins_anew();
    }
}

/// A writer and a reader that are there from the beginning: what is left is what they do with the flag.
fn tutorials(mended: Mended, lines: &'static [&'static str], messages: Option<usize>) -> Cast {
    let slot = slot();
    let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("the seat is free");
    let writer = tutorial_writer::<Quiet>(&slot, mended).expect("the seat is free");
    vec![
        ("writer", Box::new(move || sends(&writer, lines))),
        (
            "reader",
            Box::new(move || match messages {
                Some(messages) => {
                    for _ in 0..messages {
                        prints(&mut reader);
                        begins_anew();
                    }
                }
                None => prints_to_the_end(&mut reader),
            }),
        ),
    ]
}

pub(super) fn d1() -> Cast {
    tutorials(Mended { flag: false, ..Mended::ALL }, &[AAA], Some(1))
}

pub(super) fn d2() -> Cast {
    tutorials(Mended { order: false, ..Mended::ALL }, &[AAA, BBB], Some(2))
}

pub(super) fn d3() -> Cast {
    tutorials(Mended { judging: false, ..Mended::ALL }, &[END, AAA], None)
}

pub(super) fn d3_false_end() -> Cast {
    tutorials(Mended { judging: false, ..Mended::ALL }, &[AAA, BBB, END], None)
}

/// The reader starts when it likes.
pub(super) fn d4() -> Cast {
    let mended = Mended { starting: false, ..Mended::ALL };
    let slot = slot();
    let writer = tutorial_writer::<Called>(&slot, mended).expect("the seat is free");
    vec![
        ("writer", Box::new(move || sends(&writer, &[AAA, BBB]))),
        (
            "reader",
            Box::new(move || {
                let Some(mut reader) = tutorial_reader::<Called>(&slot, mended) else { return };
                for _ in 0..2 {
                    prints(&mut reader);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// Two writers, and a reader for both.
pub(super) fn d5() -> Cast {
    let mended = Mended { seats: false, ..Mended::ALL };
    let slot = slot();
    let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("nobody is kept out");
    let writes = |line: &'static [&'static str]| {
        let writer = tutorial_writer::<Quiet>(&slot, mended).expect("nobody is kept out");
        move || sends(&writer, line)
    };
    vec![
        ("writer-a", Box::new(writes(&[AAA]))),
        ("writer-b", Box::new(writes(&[BBB]))),
        (
            "reader",
            Box::new(move || {
                for _ in 0..2 {
                    prints(&mut reader);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// Two readers, and a message for each.
pub(super) fn d5_readers() -> Cast {
    let mended = Mended { seats: false, ..Mended::ALL };
    let slot = slot();
    let writer = tutorial_writer::<Quiet>(&slot, mended).expect("nobody is kept out");
    let reads = || {
        let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("nobody is kept out");
        move || drop(prints(&mut reader))
    };
    vec![
        ("writer", Box::new(move || sends(&writer, &[AAA, BBB]))),
        ("reader-a", Box::new(reads())),
        ("reader-b", Box::new(reads())),
    ]
}

/// Two messages; one of the two sides can be killed.
pub(super) fn d9() -> Cast {
    tutorials(Mended::ALL, &[AAA, BBB], Some(2))
}

/// Two sessions, one after the other: each opens the key anew, and the reader removes the segment at `end`.
pub(super) fn d10() -> Cast {
    let slot = slot();
    let theirs = slot.clone();
    vec![
        (
            "writer",
            Box::new(move || {
                for line in [END, AAA] {
                    has(Some(line));
                    let writer = tutorial_writer::<Called>(&theirs, Mended::ALL).expect("one writer at a time");
                    sends(&writer, &[line]);
                    writer.leave().expect("it can leave");
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for first in [true, false] {
                    let mut reader = tutorial_reader::<Called>(&slot, Mended::ALL).expect("one reader at a time");
                    let taken = prints(&mut reader);
                    if first {
                        assert!(taken.leaves, "the first message ends the session");
                        reader.remove().expect("it is there");
                    } else {
                        reader.leave().expect("it can leave");
                    }
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
    ]
}
