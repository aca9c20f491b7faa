//! A session from its first message to its end, by the calls of most programs: the same in a slot and in
//! a ring.

use crate::common::{Harness, soon};
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::{Reader, Received, RecvError, SendError, WaitPolicy, Writer};
use std::thread;

fn reader<H: Harness>(place: &H) -> Reader<H::Backend> {
    Reader::open(place.address()).unwrap()
}

fn writer<H: Harness>(place: &H) -> Writer<H::Backend> {
    Writer::open(place.address()).unwrap()
}

fn in_time() -> WaitPolicy<'static> {
    WaitPolicy::deadline(soon())
}

fn at_once() -> WaitPolicy<'static> {
    WaitPolicy::non_blocking()
}

fn messages(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("message {number}\n").into_bytes()).collect()
}

/// Sends `all` as one batch, and the end.
fn sends<'s, H: Harness>(scope: &'s thread::Scope<'s, '_>, place: &H, all: &'s [Vec<u8>])
where
    H::Backend: Send + 's,
{
    let mut writer = writer(place);
    scope.spawn(move || {
        let batch = all.iter().map(Vec::as_slice).collect::<Vec<_>>();
        writer.send_all_with(&batch, &mut in_time()).unwrap();
        writer.end_with(&mut in_time()).unwrap();
        writer.close().unwrap();
    });
}

pub(crate) fn received_up_to_the_end<H: Harness>(place: &H)
where
    H::Backend: Send,
{
    let all = messages(200);
    let mut reader = reader(place);
    thread::scope(|scope| {
        sends(scope, place, &all);
        let mut bytes = [0; 64];
        for expected in &all {
            let received = reader.recv_with(&mut bytes, &mut in_time()).unwrap();
            assert_eq!(received, Received::Message(expected.len()));
            assert_eq!(bytes[..expected.len()], **expected);
        }
        // It stays until the session is ended, also for the next reader.
        for _ in 0..2 {
            assert_eq!(reader.recv_with(&mut bytes, &mut in_time()), Ok(Received::End));
        }
        reader.close().unwrap();
        let mut second = self::reader(place);
        assert_eq!(second.recv_with(&mut bytes, &mut in_time()), Ok(Received::End));
        assert_eq!(second.end_session(), Ok(true));
    });
    let mut reader = self::reader(place);
    assert_eq!(reader.recv_with(&mut [0; 64], &mut at_once()), Err(RecvError::TimedOut), "on new memory");
    assert_eq!(reader.end_session(), Ok(false), "no end comes next");
}

pub(crate) fn lent_up_to_the_end<H: Harness>(place: &H)
where
    H::Backend: Send,
{
    let all = messages(100);
    for owned in [false, true] {
        let mut reader = reader(place);
        thread::scope(|scope| {
            sends(scope, place, &all);
            let mut came = Vec::new();
            if owned {
                came.extend(reader.messages().map(Result::unwrap));
            } else {
                while let Some(message) = reader.next_message().unwrap() {
                    came.push(message.to_vec());
                }
            }
            assert_eq!(came, all);
            assert_eq!(reader.next_message(), Ok(None), "still");
            assert_eq!(reader.end_session(), Ok(true));
        });
    }
}

pub(crate) fn no_end_is_ended_before_it_comes<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.send(b"text").unwrap();
    assert_eq!(reader.end_session(), Ok(false), "a message comes first");
    assert_eq!(reader.recv_with(&mut [0; 4], &mut at_once()), Ok(Received::Message(4)));
}

pub(crate) fn peeked_one_behind_the_other<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let before = reader.cursor();
    writer.send(b"one").unwrap();
    assert_eq!(reader.try_peek_next().unwrap().unwrap().text(), b"one");
    let one = reader.cursor();
    // What comes behind it comes, in a slot when it was released.
    assert!(reader.try_peek_next().unwrap().is_none());
    reader.release_up_to(before);
    assert_eq!(reader.peek_with(&mut at_once()).unwrap().text(), b"one", "nothing was released");
    reader.release_up_to(one);
    writer.send_with(b"two", &mut in_time()).unwrap();
    reader.release_up_to(one);
    assert_eq!(reader.peek_next(&mut in_time()).unwrap().text(), b"two");
    reader.rewind();
    assert_eq!(reader.try_peek_next().unwrap().unwrap().text(), b"two", "it was not released");
    reader.release_peeked();
    reader.release_peeked();
    writer.send_with(b"three", &mut in_time()).unwrap();
    assert_eq!(reader.peek_with(&mut in_time()).unwrap().text(), b"three", "it was not peeked at");
    // An end is not stepped over, nor released with what was.
    reader.release_peeked();
    writer.end_with(&mut in_time()).unwrap();
    for _ in 0..2 {
        assert!(reader.peek_next(&mut in_time()).unwrap().ends_session());
        reader.release_peeked();
    }
}

pub(crate) fn a_writer_goes_on_with_the_next_reader<H: Harness>(place: &H) {
    let (mut first, mut writer) = (reader(place), writer(place));
    writer.send(b"taken").unwrap();
    assert_eq!(first.recv_with(&mut [0; 8], &mut in_time()), Ok(Received::Message(5)));
    writer.await_reader(&mut at_once()).unwrap();
    first.close().unwrap();
    assert_eq!(writer.await_reader(&mut at_once()), Err(SendError::TimedOut));
    thread::scope(|scope| {
        let waits = scope.spawn(move || writer.await_reader(&mut in_time()).map(|()| writer));
        let mut second = reader(place);
        let mut writer = waits.join().unwrap().unwrap();
        writer.send_with(b"for the second", &mut in_time()).unwrap();
        assert_eq!(second.recv_with(&mut [0; 20], &mut in_time()), Ok(Received::Message(14)));
    });
}

/// A look for the end moves nothing and releases nothing.
pub(crate) fn a_look_for_the_end_changes_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.send(b"a").unwrap();
    assert_eq!(reader.end_session(), Ok(false));
    reader.release_peeked();
    assert_eq!(reader.try_peek_next().unwrap().unwrap().text(), b"a", "it was neither stepped over nor released");
    assert_eq!(reader.end_session(), Ok(false));
    reader.release_peeked();
    assert_eq!(reader.recv_with(&mut [0; 1], &mut at_once()), Err(RecvError::TimedOut), "now it was");
    writer.end_with(&mut in_time()).unwrap();
    assert_eq!(reader.end_session(), Ok(true));
}

/// What was peeked at and dropped is there, for a reader that waits without taking, in a slot; in a ring what
/// comes behind it is waited for.
pub(crate) fn what_was_peeked_at_is_waited_for_once<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.send(b"a").unwrap();
    reader.peek_with(&mut at_once()).unwrap();
    let behind = reader.wait_with(&mut at_once());
    let is_slot = !matches!(reader.backend().layout(), Layout::Ring { .. });
    assert_eq!(behind, if is_slot { Ok(()) } else { Err(RecvError::TimedOut) });
    reader.rewind();
    assert_eq!(reader.wait_with(&mut at_once()), Ok(()));
}
