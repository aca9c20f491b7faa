//! The ring: records through a few units of 8 bytes, in every place of the wrap.
//!
//! | file | subject |
//! | --- | --- |
//! | `flow` | R1 to R8, R25, R33: order, once, whole, awake; the wrap, a full and an empty ring |
//! | `batch` | R9 to R12: one publish for many, one release for many, reservations |
//! | `restart` | R13 to R17, R27: either side leaves or dies, and both |
//! | `end` | R18 to R24, R26: the end of the session, and memory that was removed |
//! | `header` | R28: a ring that is being made |
//! | `fences` | R29 to R32: fences that a side has the kernel make for both |
//! | `killed` | K4 to K10: a side that dies at any step, and its successor |
//! | `lives` | K12 to K17: the same in the other ways to take and to send |
//! | `carry` | K18 to K20: a writer that carries another ring's messages on |
//!
//! A side that sleeps does so without a bound here (but on memory that was removed,
//! from which nobody wakes it), so a wake that is lost is a deadlock, which loom
//! reports. Bytes written over a unit spoil the flag that may
//! stand there, so a side that acts on what is no flag is found out.
//!
//! In `flow` and `batch` the status check is a constant ([`Bare`]) and the ring's words
//! go one way: no side both loads and stores one, but for the parked words, so that they
//! need none of the marks that cost executions. Where a side comes to a ring that
//! was in use it walks over the flags, and then stores some: in `restart`, `end`
//! and `killed` all words have their marks.

mod batch;
mod carry;
mod end;
mod fences;
mod flow;
pub(crate) mod header;
pub(crate) mod killed;
mod lives;
mod restart;

use crate::bare::Bare;
use crate::explore::{actor, main_is};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;

use trace::ring_words_are_one_way;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

/// A ring of `units` of 8 bytes whose first record comes at unit `from`, for
/// records of up to two units.
pub(crate) fn ring(units: usize, from: u64) -> Channel {
    Channel::ring_from(8 * units, 8, 8 * from)
}

/// The same where no side both loads and stores a word, but for the parked words.
pub(crate) fn one_way(units: usize, from: u64) -> Channel {
    ring_words_are_one_way(true);
    ring(units, from)
}

/// Message `number`, whose record takes so many units: a header and, if there are
/// more, bytes that say which one it is.
pub(crate) fn message(number: usize, units: usize) -> Vec<u8> {
    vec![b"abcdef"[number]; 8 * (units - 1)]
}

/// Messages of so many units each.
pub(crate) fn messages(units: &[usize]) -> Vec<Vec<u8>> {
    units.iter().enumerate().map(|(number, units)| message(number, *units)).collect()
}

/// Receives `expected`, one after the other and nothing else in between.
pub(crate) fn expect<B: Backend>(reader: &mut Reader<B>, expected: &[Vec<u8>]) {
    for expected in expected {
        let message = reader.peek().expect("a message");
        assert!(!message.ends_session(), "the end came for \"{}\"", expected.escape_ascii());
        let text = message.text();
        assert!(text == expected, "\"{}\" was sent and \"{}\" came", expected.escape_ascii(), text.escape_ascii());
        message.release();
    }
}

/// Nothing comes twice, and nothing that was not sent.
pub(crate) fn nothing_more<B: Backend>(reader: &mut Reader<B>) {
    let more = reader.try_recv(&mut [0; 24]);
    assert_eq!(more, Err(shm_handoff::RecvError::WouldBlock), "nothing comes twice");
}

/// Sends all, one by one.
pub(crate) fn send_each<B: Backend>(writer: &mut Writer<B>, messages: &[Vec<u8>]) {
    for message in messages {
        writer.send(message).unwrap();
    }
}

/// Records of so many units each through `ring`, sent as `send` does.
pub(crate) fn flow_by(ring: &Channel, units: &'static [usize], send: fn(&mut Writer<Bare>, &[Vec<u8>])) {
    main_is("reader");
    let mut reader = Reader::<Bare>::open(ring).unwrap();
    let mut writer = Writer::<Bare>::open(ring).unwrap();
    let writer = actor("writer", move || {
        send(&mut writer, &messages(units));
        writer
    });
    expect(&mut reader, &messages(units));
    // Both sides have finished, and there is nothing more.
    drop(writer.join());
    nothing_more(&mut reader);
}

/// Records of so many units each through `ring`, one by one.
pub(crate) fn flow(ring: &Channel, units: &'static [usize]) {
    flow_by(ring, units, send_each);
}
