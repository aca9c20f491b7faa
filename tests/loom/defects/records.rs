//! The tutorial's protocol on a struct without text, as a driving simulator has: a flag, a record of several words, and
//! an answer that the reader writes before it gives the slot back. On the simulated kernel's memory, which has such a slot;
//! both sides are open before the model's threads start, so that the kernel orders nothing between them.

use super::{Failure, Mended, Search, main_is, note, plainly, shown};
use crate::explore::actor;
use shm_handoff::backend::sysv::simulated::{Kernel, Process};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::inside::tutorial;
use std::mem::ManuallyDrop;

/// Never dropped: where a model fails, the unwinding must not call its kernel.
type Writer = ManuallyDrop<tutorial::Writer<SysV>>;
type Reader = ManuallyDrop<tutorial::Reader<SysV>>;

/// A record of two words, so that a copy can be half made.
const OLD: &[u8] = &[0; 8];
const IMAGE: &[u8] = b"AAAAaaaa";
const OTHER: &[u8] = b"BBBBbbbb";
const ANSWER: &[u8] = b"left";

fn options() -> Options {
    Options::declared(Key::new(1234).unwrap(), &"flag=i32@0,data=8@4,reply=4@12,size=16".parse().unwrap())
}

fn process(kernel: &Kernel) -> Process {
    kernel.process(1)
}

/// `None`: its seat is taken.
fn writer(kernel: &Kernel, mended: Mended) -> Option<Writer> {
    process(kernel).begins(|| tutorial::Writer::open(&options(), mended)).ok().map(ManuallyDrop::new)
}

fn reader(kernel: &Kernel, mended: Mended) -> Reader {
    ManuallyDrop::new(process(kernel).begins(|| tutorial::Reader::open(&options(), mended)).unwrap())
}

/// One image from the tutorial's writer to its reader, which answers; each looks once, whenever that comes.
fn one_image(mended: Mended) -> impl Fn() {
    move || {
        let kernel = Kernel::new();
        main_is("reader");
        let mut reader = reader(&kernel, mended);
        let writer = writer(&kernel, mended).unwrap();
        let writer = actor("writer", move || {
            assert!(writer.offer(IMAGE));
            if let Some(answer) = writer.answer() {
                note(format!("takes the answer \"{}\"", answer.escape_ascii()));
                assert!(answer == ANSWER, "\"left\" was answered, and \"{}\" came", answer.escape_ascii());
            }
        });
        if let Some(taken) = reader.take_and_answer(ANSWER) {
            let image = taken.text;
            note(format!("takes the image \"{}\"", image.escape_ascii()));
            assert!([OLD, IMAGE].contains(&&image[..]), "a torn image: \"{}\"", image.escape_ascii());
        }
        writer.join();
    }
}

/// **D1** `written` is a plain int, here as there.
#[test]
fn d1_shown() {
    let mended = Mended { flag: false, ..Mended::ALL };
    let found = shown("D1", "a record and an answer: a plain flag", Search::ALL, (mended, Failure::Race), one_image);
    assert_eq!(found.history.contested(), "written");
}

/// **D2** Nothing orders record and flag.
#[test]
fn d2_shown() {
    let mended = Mended { order: false, ..Mended::ALL };
    let what = "a record and an answer: an unordered flag";
    let found = shown("D2", what, Search::ALL, (mended, Failure::Race), one_image);
    assert!(found.history.contested().starts_with("text["), "{found}");
}

/// **D2** What comes of it on real memory: half an image.
#[test]
fn d2_shown_torn() {
    let mended = Mended { order: false, ..Mended::ALL };
    let what = "a record is torn, on real memory";
    let found = shown("D2", what, Search::WORDS, (mended, Failure::WrongValue), one_image);
    assert!(found.said.contains("a torn image"), "{found}");
}

/// An image and its answer, where the writer looks for nothing else.
fn one_answer(mended: Mended) -> impl Fn() {
    move || {
        let kernel = Kernel::new();
        main_is("writer");
        let writer = writer(&kernel, mended).unwrap();
        let mut reader = reader(&kernel, mended);
        assert!(writer.offer(IMAGE));
        let reader = actor("reader", move || assert!(reader.take_and_answer(ANSWER).is_some()));
        if let Some(answer) = writer.answer() {
            note(format!("takes the answer \"{}\"", answer.escape_ascii()));
            assert!(answer == ANSWER, "\"left\" was answered, and \"{}\" came", answer.escape_ascii());
        }
        reader.join();
    }
}

/// **D2** And on the way back: the flag is 0, and the answer is not there yet.
#[test]
fn d2_shown_stale_answer() {
    let mended = Mended { order: false, ..Mended::ALL };
    let what = "an answer is stale, on real memory";
    shown("D2", what, Search::WORDS, (mended, Failure::WrongValue), one_answer);
}

/// **D4** A reader that starts zeroes the flag: the image is lost, and the writer takes what lies there for its answer.
#[test]
fn d4_shown() {
    let mended = Mended { starting: false, ..Mended::ALL };
    let what = "zeroing the flag: an answer that nobody gave";
    shown("D4", what, Search::ALL, (mended, Failure::WrongValue), |mended| {
        move || {
            let kernel = Kernel::new();
            main_is("writer");
            let writer = writer(&kernel, mended).unwrap();
            assert!(writer.offer(IMAGE));
            note("sent");
            let _reader = reader(&kernel, mended);
            let answer = writer.answer();
            assert!(answer.is_none() || !plainly(), "nobody read the image, and it has an answer");
        }
    });
}

/// **D5** Two writers: an image that is half of each.
#[test]
fn d5_shown_mixed() {
    let mended = Mended { seats: false, ..Mended::ALL };
    let what = "two records are mixed";
    shown("D5", what, Search::WORDS, (mended, Failure::WrongValue), |mended| {
        move || {
            let kernel = Kernel::new();
            main_is("reader");
            let mut reader = reader(&kernel, mended);
            let send = |image: &'static [u8]| {
                let writer = writer(&kernel, mended);
                move || writer.is_some_and(|writer| writer.offer(image))
            };
            let one = actor("writer A", send(IMAGE));
            let other = actor("writer B", send(OTHER));
            let went = [one.join(), other.join()];
            assert!(went[0] || went[1]);
            let image = reader.take().expect("one of them has written").text;
            note(format!("takes the image \"{}\"", image.escape_ascii()));
            let whole = [IMAGE, OTHER].contains(&&image[..]);
            assert!(whole || !plainly(), "the two are mixed: \"{}\"", image.escape_ascii());
        }
    });
}
