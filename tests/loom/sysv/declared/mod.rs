//! Declared layouts on the System V backend: what their sessions have that the tutorial's do not.
//!
//! | file | subject |
//! | --- | --- |
//! | `end` | the end of a session of records, which is told beside them |
//! | `moving` | a side that asks for no layout, and one that comes with its own |
//! | `reply` | answers |
//! | `wishes` | two sides with different layouts |

mod end;
mod moving;
mod reply;
mod wishes;

use super::{Ledger, Reader, USER, Writer, key, killed_after};
use shm_handoff::backend::sysv::Options;
use shm_handoff::{RecvError, SendError, WaitPolicy};

/// Records of twelve bytes: a copy is three words, in two spans, and can be half made.
const RECORDS: [&[u8]; 3] = [b"aaaaaaaaaaaa", b"bbbbbbbbbbbb", b"cccccccccccc"];

/// A slot in the struct that `spec` declares. (In a model a segment of 12 bytes is the tutorial's.)
fn declared(spec: &str) -> Options {
    Options::declared(key(), &spec.parse().unwrap())
}

/// Records on both sides of the flag.
fn records() -> Options {
    declared("flag=i32@4,data=4@0+8@8,size=16")
}

/// A record as one of those that can have been sent: whole, or nothing.
fn known(bytes: &[u8]) -> &'static [u8] {
    let all = RECORDS.into_iter().chain(crate::MESSAGES);
    all.into_iter().find(|one| *one == bytes).unwrap_or_else(|| panic!("torn: \"{}\"", bytes.escape_ascii()))
}

/// A writer's life: it sends `lines`, tells the end, and leaves in order. What it knows to be sent is in `sent`.
fn writes(options: &Options, lines: &[&'static [u8]], sent: &Ledger) {
    writes_on(Writer::open(options).unwrap(), lines, sent);
}

/// The same, of a writer that is there.
fn writes_on(mut writer: Writer, lines: &[&'static [u8]], sent: &Ledger) {
    for line in lines {
        insists(&mut writer, |writer| writer.send(line));
        sent.borrow_mut().push(line);
    }
    insists(&mut writer, Writer::end);
    sent.borrow_mut().push(END);
    writer.close().unwrap();
}

/// What stands for an end in a ledger.
const END: &[u8] = b"(end)";

/// Goes on with the next reader where one has gone.
fn insists(writer: &mut Writer, send: impl Fn(&mut Writer) -> Result<(), SendError>) {
    while let Err(error) = send(writer) {
        assert_eq!(error, SendError::ReaderGone);
        writer.await_reader(&mut WaitPolicy::forever()).unwrap();
    }
}

/// A reader's life, which puts out each message and then releases it, until it has met an end. Both ends of
/// putting something out are points at which to die.
fn reads_to_the_end(options: &Options, out: &Ledger) {
    reads_on(Reader::open(options).unwrap(), out);
}

/// The same, of a reader that is there.
fn reads_on(mut reader: Reader, out: &Ledger) {
    loop {
        match reader.peek() {
            Ok(message) => {
                let is_end = message.ends_session();
                let text = if is_end { END } else { known(message.text()) };
                trace::step();
                out.borrow_mut().push(text);
                trace::step();
                if is_end {
                    message.end_session().unwrap();
                    return reader.close().unwrap();
                }
                message.release();
            }
            Err(error) => {
                assert_eq!(error, RecvError::WriterGone);
                reader.await_next_writer().unwrap();
            }
        }
    }
}
