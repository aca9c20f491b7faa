//! Answers, between processes that are killed.

use super::{Reader, USER, Writer, declared, insists, killed_after};
use crate::explore::{Depth, actor, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::Kernel;
use shm_handoff::sync::yield_now;
use shm_handoff::{RecvError, WaitPolicy};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const REQUESTS: [&[u8]; 2] = [b"aaaa", b"bbbb"];

fn options() -> Options {
    declared("flag=i32@0,data=4@4,reply=12@8,size=20")
}

/// Twelve bytes of the request's letter, as a capital.
fn answer_to(request: &[u8]) -> [u8; 12] {
    [request[0].to_ascii_uppercase(); 12]
}

/// Calls until it is answered, by whichever reader.
fn calls(writer: &mut Writer, request: &[u8]) {
    let answer = RefCell::new([0; 12]);
    insists(writer, |writer| writer.call(request, &mut *answer.borrow_mut()));
    assert_eq!(answer.take(), answer_to(request), "{}", request.escape_ascii());
}

/// Answers until the end of the session, or until it is `done`; what was asked is in `asked` from right before the
/// release.
fn answers(asked: &RefCell<Vec<u8>>, done: impl Fn() -> bool) {
    let mut reader = Reader::open(&options()).unwrap();
    while !done() {
        match reader.peek_with(&mut WaitPolicy::non_blocking()) {
            Ok(message) if message.ends_session() => {
                message.end_session().unwrap();
                break;
            }
            Ok(mut message) => {
                let request = message.text().to_vec();
                assert!(REQUESTS.contains(&&request[..]), "torn: {}", request.escape_ascii());
                message.reply(&answer_to(&request)).unwrap();
                trace::step();
                asked.borrow_mut().push(request[0]);
                message.release();
            }
            Err(RecvError::TimedOut) => yield_now(),
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.await_next_writer().unwrap();
            }
        }
    }
    reader.close().unwrap();
}

/// **J30** A reader that is killed before it has released a request leaves it to its successor.
#[test]
fn j30_a_reader_that_answers_at_every_step() {
    killed_at_every_step(
        "J30",
        "a reader that answers two calls, killed: its successor is asked again what was not released, and answers; each answer is whole, and its request's own",
        77,
        Depth::bound(1, 10_030).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("writer");
            let [writer, mortal, next] = [(); 3].map(|()| kernel.process(USER));
            let (asked, done) = (Rc::<RefCell<Vec<u8>>>::default(), Rc::new(Cell::new(false)));
            let (theirs, is_done) = (Rc::clone(&asked), Rc::clone(&done));
            let reader = actor("reader", move || {
                let died = killed_after(spared, &mortal, || answers(&theirs, || is_done.get()));
                trace::note("successor");
                next.run(|| answers(&theirs, || is_done.get()));
                died
            });
            writer.run(|| {
                let mut writer = Writer::open(&options()).unwrap();
                calls(&mut writer, REQUESTS[0]);
                calls(&mut writer, REQUESTS[1]);
                writer.close().unwrap();
            });
            done.set(true);
            let died = reader.join();
            let asked = asked.take();
            let is_whole = asked.is_sorted() && asked.contains(&b'a') && asked.contains(&b'b');
            assert!(is_whole && (died || asked == *b"ab"), "{}", asked.escape_ascii());
            died
        },
    );
}

/// **J31** A writer that is killed loses its answer; its successor gets its own.
#[test]
fn j31_a_writer_that_calls_at_every_step() {
    killed_at_every_step(
        "J31",
        "a writer that calls, killed: what it had asked is answered once, or was not asked; its successor's answer is whole, and its own",
        70,
        Depth::bound(1, 10_041).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let [mortal, next, reader] = [(); 3].map(|()| kernel.process(USER));
            let writers = actor("writer", move || {
                let died = killed_after(spared, &mortal, || {
                    let mut writer = Writer::open(&options()).unwrap();
                    calls(&mut writer, REQUESTS[0]);
                    writer.close().unwrap();
                });
                trace::note("successor");
                next.run(|| {
                    let mut writer = Writer::open(&options()).unwrap();
                    calls(&mut writer, REQUESTS[1]);
                    writer.end().unwrap();
                    writer.close().unwrap();
                });
                died
            });
            let asked = RefCell::default();
            reader.run(|| answers(&asked, || false));
            let died = writers.join();
            let asked = asked.take();
            assert!(asked == *b"ab" || (died && asked == *b"b"), "{asked:?}");
            assert_eq!(kernel.left(), (0, 0));
            died
        },
    );
}
