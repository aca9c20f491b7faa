//! The shipping System V backend on the simulated kernel: the code that makes, finds, takes and removes segments
//! and seats, call by call.
//!
//! | file | subject |
//! | --- | --- |
//! | `meeting` | V1 to V4, V29, V33: two that come at once, and who holds a seat |
//! | `killed` | V5 to V8, V27, V28: a side killed at every step of its life, its first calls included |
//! | `both` | V9, V10: both sides killed, and their successors |
//! | `removal` | V11 to V15, V30: a set or a segment removed by anybody, at any moment |
//! | `declared` | J10 onwards: declared layouts |
//! | `users` | V16, V17: other users, and what is theirs |
//! | `faults` | V18 to V22, V26: limits, signals, and processes that are stopped |
//! | `interrupt` | V34: a sleep that another thread ends |
//! | `observer` | V23 to V25, V31, V32: a tool that looks, at any moment and killed at any step |
//!
//! A step here is a call to the kernel, or an access to shared memory. Each call is one step of the kernel's, between
//! any two of which processes are switched.

mod both;
mod declared;
mod faults;
mod interrupt;
mod killed;
mod meeting;
mod observer;
mod removal;
mod users;

use shm_handoff::backend::sysv::simulated::{Kernel, Process};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Error, RecvError, Role, SendError};
use std::cell::RefCell;
use std::rc::Rc;

type Reader = shm_handoff::Reader<SysV>;
type Writer = shm_handoff::Writer<SysV>;

/// The user that most processes are of.
const USER: u32 = 1;

fn key() -> Key {
    Key::new(1234).unwrap()
}

fn slot() -> Options {
    Options::slot(key())
}

/// A ring that has room for one message of five bytes.
fn ring() -> Options {
    Options::ring(key(), 32).unwrap()
}

/// A ring that has room for three of them.
fn wide_ring() -> Options {
    Options::ring(key(), 64).unwrap()
}

/// What was put out, in order.
type Ledger = Rc<RefCell<Vec<&'static [u8]>>>;

/// A text as one of those that can have been sent: whole, or nothing.
fn known(text: &[u8]) -> &'static [u8] {
    let all = crate::MESSAGES.into_iter();
    all.into_iter().find(|one| *one == text).unwrap_or_else(|| panic!("torn: \"{}\"", text.escape_ascii()))
}

/// A life of `process` that ends before its step number `spared` + 1, if it gets there; whether it was killed.
fn killed_after(spared: usize, process: &Process, life: impl FnOnce()) -> bool {
    trace::doom(spared);
    let lived = process.run(life);
    let _ = trace::reprieve();
    lived.is_none()
}

/// A writer's life: it sends `lines` and leaves in order. Each that it knows to be sent is in `sent`.
fn sends(options: &Options, lines: &[&'static [u8]], sent: &Ledger) {
    let mut writer = Writer::open(options).unwrap();
    for line in lines {
        while let Err(error) = writer.send(line) {
            assert_eq!(error, SendError::ReaderGone);
            writer.await_reader(&mut shm_handoff::WaitPolicy::forever()).unwrap();
        }
        sent.borrow_mut().push(line);
    }
    writer.close().unwrap();
}

/// A reader's life, as `shmread` has it: it puts out each message, and then releases it, until `last`. Both ends of
/// putting a message out are points at which to die.
fn reads(options: &Options, last: &[u8], out: &Ledger) {
    let mut reader = Reader::open(options).unwrap();
    loop {
        match reader.peek() {
            Ok(message) => {
                let text = known(message.text());
                trace::step();
                out.borrow_mut().push(text);
                trace::step();
                message.release();
                if text == last {
                    return reader.close().unwrap();
                }
            }
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.await_next_writer().unwrap();
            }
        }
    }
}

/// A session of `lines` from its beginning to its end, in which nobody fails: the writer's part.
fn writes_a_session(options: &Options, lines: &[&[u8]]) {
    let mut writer = Writer::open(options).unwrap();
    for line in lines {
        writer.send(line).unwrap();
    }
    writer.end().unwrap();
    writer.close().unwrap();
}

/// The reader's part.
fn reads_a_session(options: &Options, lines: &[&[u8]]) {
    let mut reader = Reader::open(options).unwrap();
    crate::expect(&mut reader, lines);
    assert!(reader.peek().unwrap().ends_session(), "the end, behind the last message");
    assert!(reader.end_session().unwrap());
    reader.close().unwrap();
}

/// A pair that comes to whatever is there: both get in, the end goes from one to the other, and nothing is left.
fn a_pair_finds_all_well(kernel: &Kernel, options: &Options) {
    let (writer, reader) = (kernel.process(USER), kernel.process(USER));
    let read = reader.run(|| {
        let mut reader = Reader::open(options).unwrap();
        // (Both are on one thread of the checker: nothing here has to wait.)
        assert!(writer.run(|| writes_a_session(options, &[])).is_some());
        assert!(reader.peek().unwrap().ends_session(), "nothing comes twice");
        assert!(reader.end_session().unwrap());
        reader.close().unwrap();
    });
    assert!(read.is_some());
    assert_eq!(kernel.left(), (0, 0), "segments and sets that are left behind");
}

/// Somebody comes, and has left again when the process has ended.
fn comes(role: Role, options: &Options) -> Result<(), Error> {
    match role {
        Role::Writer => Writer::open(options)?.close().map_err(|error| match error {
            SendError::Backend(error) => error,
            other => panic!("{other}"),
        }),
        _ => Reader::open(options)?.close(),
    }
}

/// Whether the seat is somebody else's.
fn is_taken<T>(opened: &Result<T, Error>, role: Role) -> bool {
    matches!(opened, Err(Error::SeatTaken { role: taken, .. }) if *taken == role)
}
