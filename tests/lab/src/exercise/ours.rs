//! What our own sides do in an exercise.

use super::{AAA, BBB, END, RING, slot, text};
use crate::run::Cast;
use crate::side::{Called, Quiet};
use crate::stage::{Said, begins_anew, has, meets_at, says};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::sync::yield_now;
use shm_handoff::{Core, Error, RecvError, Ring, SendError, Slot};

type Writer<B, L = Slot> = shm_handoff::Writer<B, L>;
type Reader<B, L = Slot> = shm_handoff::Reader<B, L>;

/// Sends until it is told that nobody is there.
fn we_send<B: Backend, L: Core>(writer: &mut Writer<B, L>, lines: &[&str]) -> bool {
    for line in lines {
        has(Some(line));
        match writer.send(line.as_bytes()) {
            Ok(()) => says(Said::Sent((*line).to_owned())),
            Err(SendError::ReaderGone) => {
                says(Said::Told);
                return false;
            }
            Err(error) => panic!("{error}"),
        }
        has(None);
        begins_anew();
    }
    true
}

/// Prints as many messages, or up to the end of the session; whether it came so far.
fn we_print<B: Backend<Address = Channel>, L: Core>(reader: &mut Reader<B, L>, messages: usize) -> bool {
    for _ in 0..messages {
        match reader.peek() {
            Ok(message) => {
                says(Said::Printed(text(message.text())));
                if message.ends_session() {
                    says(Said::Ends);
                    message.end_session().expect("it can be removed");
                    return true;
                }
                message.release();
            }
            Err(RecvError::WriterGone) => {
                says(Said::Told);
                return false;
            }
            Err(error) => panic!("{error}"),
        }
        begins_anew();
    }
    true
}

/// Two messages, and both sides are there from the beginning.
pub(super) fn message() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Quiet>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Quiet>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &[AAA, BBB]);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// A message, the end of a session, which the reader releases, and the first message of the next one.
pub(super) fn end() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Quiet>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Quiet>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &[AAA, END, BBB]);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for _ in 0..3 {
                    let message = reader.peek().expect("nothing is wrong");
                    says(Said::Printed(text(message.text())));
                    says(if message.ends_session() { Said::Ends } else { Said::GoesOn });
                    message.release();
                    begins_anew();
                }
            }),
        ),
    ]
}

/// The reader starts when it likes.
pub(super) fn start() -> Cast {
    let slot = slot();
    let mut writer = Writer::<Called>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &[AAA, BBB]);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two writers: the second is told that the seat is taken, and tries again.
pub(super) fn second_writer() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
    let writes = |line: &'static [&'static str]| {
        let slot = slot.clone();
        move || {
            let mut writer = loop {
                match Writer::<Called>::open(&slot) {
                    Ok(writer) => break writer,
                    Err(Error::SeatTaken { .. }) => yield_now(),
                    Err(error) => panic!("{error}"),
                }
            };
            if we_send(&mut writer, line) {
                writer.close().expect("it can leave");
                says(Said::Left);
            }
        }
    };
    vec![
        ("writer-a", Box::new(writes(&[AAA]))),
        ("writer-b", Box::new(writes(&[BBB]))),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two messages; one of the two sides can be killed.
pub(super) fn death() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Called>::open(&slot).expect("the seat is free");
    // They have met.
    writer.send(b"hello\n").expect("the reader is there");
    reader.recv(&mut [0; 8]).expect("it was sent");
    vec![
        (
            "writer",
            Box::new(move || {
                if we_send(&mut writer, &[AAA, BBB]) {
                    writer.close().expect("it can leave");
                    says(Said::Left);
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two sessions, one after the other, as in the tutorial's exercise.
pub(super) fn removal() -> Cast {
    let slot = slot();
    let theirs = slot.clone();
    vec![
        (
            "writer",
            Box::new(move || {
                for line in [END, AAA] {
                    has(Some(line));
                    let mut writer = Writer::<Called>::open(&theirs).expect("one writer at a time");
                    if we_send(&mut writer, &[line]) {
                        writer.close().expect("it can leave");
                        says(Said::Left);
                    }
                    begins_anew();
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for first in [true, false] {
                    let mut reader = Reader::<Called>::open(&slot).expect("one reader at a time");
                    we_print(&mut reader, 1);
                    if !first {
                        reader.close().expect("it can leave");
                    }
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// A ring of two records, and sides that sleep until they are woken.
pub(super) fn ring() -> Cast {
    let ring = meets_at(Channel::ring_from(32, 4, 0));
    let mut reader = Reader::<Quiet, Ring>::open(&ring).expect("the seat is free");
    let mut writer = Writer::<Quiet, Ring>::open(&ring).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &RING);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, RING.len());
            }),
        ),
    ]
}
