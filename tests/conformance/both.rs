//! The protocol, as far as it is the same in a slot and in a ring.

use crate::common::{Harness, len_of, soon};
use crate::{got, guest, holds_first_message, put};
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::{Error, Reader, Received, RecvError, Role, SendError, Tick, WaitPolicy, WaitingFor, Writer};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

/// Room for any text of these cases.
const ROOM: usize = 2048;

fn reader<H: Harness>(place: &H) -> Reader<H::Backend> {
    Reader::open(place.address()).unwrap()
}

fn writer<H: Harness>(place: &H) -> Writer<H::Backend> {
    Writer::open(place.address()).unwrap()
}

fn pair<H: Harness>(place: &H) -> (Reader<H::Backend>, Writer<H::Backend>) {
    (reader(place), writer(place))
}

fn in_time() -> WaitPolicy<'static> {
    WaitPolicy::deadline(soon())
}

fn briefly() -> WaitPolicy<'static> {
    WaitPolicy::deadline(Instant::now() + Duration::from_millis(15))
}

fn send<B: Backend>(writer: &mut Writer<B>, text: &[u8]) {
    writer.send_with(text, &mut in_time()).unwrap();
}

fn try_send<B: Backend>(writer: &mut Writer<B>, text: &[u8]) -> Result<(), SendError> {
    writer.send_with(text, &mut WaitPolicy::non_blocking())
}

fn receive<B: Backend>(reader: &mut Reader<B>) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = len_of(reader.recv_with(&mut text, &mut in_time()).unwrap());
    text.truncate(len);
    text
}

fn try_receive<B: Backend>(reader: &mut Reader<B>) -> Result<Received, RecvError> {
    reader.recv_with(&mut [0; ROOM], &mut WaitPolicy::non_blocking())
}

/// One of those that [`fill`] sends.
fn filler(number: usize) -> Vec<u8> {
    format!("{number:2000}").into_bytes()
}

/// Sends until there is no room, for a text of any length; says how many went.
fn fill<B: Backend>(writer: &mut Writer<B>) -> usize {
    let mut sent = 0;
    let refused = loop {
        match try_send(writer, &filler(sent)) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, SendError::TimedOut);
    while try_send(writer, b"").is_ok() {}
    sent
}

/// Takes what [`fill`] sent.
fn drain<B: Backend>(reader: &mut Reader<B>, sent: usize) {
    assert!(sent > 0);
    for number in 0..sent {
        assert_eq!(receive(reader), filler(number));
    }
    let mut text = [0; ROOM];
    while let Ok(received) = reader.recv_with(&mut text, &mut WaitPolicy::non_blocking()) {
        assert_eq!(received, Received::Message(0));
    }
}

// Messages.

pub(crate) fn messages_in_order<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..500 {
                send(&mut writer, format!("{number}\n").as_bytes());
            }
            writer.close().unwrap();
        });
        for number in 0..500 {
            assert_eq!(receive(&mut reader), format!("{number}\n").into_bytes());
        }
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut));
}

pub(crate) fn texts_of_every_short_length<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    for len in (0..300).chain(ROOM - 20..ROOM) {
        let text: Vec<u8> = (0..len).map(|at| u8::try_from(at % 255 + 1).unwrap()).collect();
        send(&mut writer, &text);
        assert_eq!(receive(&mut reader), text, "{len} bytes");
    }
}

pub(crate) fn a_small_buffer_releases_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    send(&mut writer, b"sixsix");
    for room in 0..6 {
        let refused = reader.recv_with(&mut vec![0; room], &mut WaitPolicy::non_blocking());
        assert!(matches!(refused, Err(RecvError::BufferTooSmall { capacity: 6.. })), "{room} bytes: {refused:?}");
        assert!(holds_first_message(reader.backend()));
    }
    let mut text = [0; 6];
    assert_eq!(reader.recv_with(&mut text, &mut WaitPolicy::non_blocking()), Ok(Received::Message(6)));
    assert_eq!(&text, b"sixsix");
}

pub(crate) fn a_peek_releases_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let sent = fill(&mut writer);
    for _ in 0..3 {
        assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap().text(), filler(0));
        assert_eq!(try_send(&mut writer, b""), Err(SendError::TimedOut));
    }
    // Not even when the reader goes: the next one sees it again.
    reader.close().unwrap();
    let mut reader = self::reader(place);
    reader.wait_with(&mut WaitPolicy::non_blocking()).unwrap();
    drain(&mut reader, sent);
    send(&mut writer, b"two");
    let two = reader.peek_with(&mut in_time()).unwrap();
    assert_eq!(two.text(), b"two");
    two.release();
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut));
}

pub(crate) fn end_session_removes_and_does_not_release<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let dying = guest(place);
    writer.end_with(&mut in_time()).unwrap();
    let end = reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap();
    assert!(end.ends_session());
    end.end_session().unwrap();
    assert!(holds_first_message(&dying));
    assert!(holds_first_message(reader.backend()), "those attached keep it");
    drop(reader);
    drop(dying);
    writer.flush(&mut in_time()).unwrap();
    writer.close().unwrap();
    assert!(!holds_first_message(&guest(place)), "the next session starts afresh");
}

// Waiting.

pub(crate) fn trying_does_not_wait<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let started = Instant::now();
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut));
    let sent = fill(&mut writer);
    assert!(started.elapsed() < Duration::from_secs(10));
    drain(&mut reader, sent);
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut), "the refused one left no trace");
}

pub(crate) fn a_deadline_ends_either_wait<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let wait = Duration::from_millis(20);
    let started = Instant::now();
    let met = reader.recv_with(&mut [0; ROOM], &mut WaitPolicy::deadline(started + wait));
    assert_eq!(met, Err(RecvError::TimedOut));
    assert!(started.elapsed() >= wait);
    let sent = fill(&mut writer);
    let started = Instant::now();
    assert_eq!(writer.send_with(b"b", &mut WaitPolicy::deadline(started + wait)), Err(SendError::TimedOut));
    assert!(started.elapsed() >= wait);
    // A deadline that has passed ends no wait that need not be.
    assert_eq!(reader.recv_with(&mut [0; ROOM], &mut WaitPolicy::deadline(started)), Ok(Received::Message(2000)));
    for number in 1..sent {
        assert_eq!(receive(&mut reader), filler(number));
    }
    while try_receive(&mut reader).is_ok() {}
    assert_eq!(writer.send_with(b"b", &mut WaitPolicy::deadline(started)), Ok(()));
}

pub(crate) fn the_hook_interrupts_either_wait<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let mut seen = Vec::new();
    let mut hook = |tick: Tick| {
        seen.push(tick.waiting_for);
        if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let met = reader.recv_with(&mut [0; ROOM], &mut WaitPolicy::forever().on_tick(&mut hook));
    assert_eq!(met, Err(RecvError::Interrupted));
    assert_eq!(seen, [WaitingFor::Message; 3]);

    let interrupt = |writer: &mut Writer<H::Backend>, expected| {
        let mut hook = |tick: Tick| {
            assert_eq!(tick.waiting_for, expected);
            ControlFlow::Break(())
        };
        let met = writer.send_with(b"x", &mut WaitPolicy::forever().on_tick(&mut hook));
        assert_eq!(met, Err(SendError::Interrupted));
    };
    let sent = fill(&mut writer);
    interrupt(&mut writer, WaitingFor::Room);
    drain(&mut reader, sent);
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut), "the interrupted one was not sent");
    if writer.backend().layout() == Layout::Slot {
        writer.close().unwrap();
        reader.close().unwrap();
        interrupt(&mut self::writer(place), WaitingFor::Reader);
    }
}

// Who is there.

pub(crate) fn a_reader_that_left_is_noticed<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    let sent = fill(&mut writer);
    reader.close().unwrap();
    assert_eq!(writer.send_with(b"b", &mut in_time()), Err(SendError::ReaderGone));
    // The next reader gets what lies there, and the writer goes on.
    let mut reader = self::reader(place);
    drain(&mut reader, sent);
    send(&mut writer, b"b");
    assert_eq!(receive(&mut reader), b"b");
}

pub(crate) fn a_dropped_writers_message_comes_first<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    send(&mut writer, b"last");
    drop(writer);
    assert_eq!(receive(&mut reader), b"last");
    assert_eq!(reader.recv_with(&mut [0; ROOM], &mut in_time()), Err(RecvError::WriterGone));
    assert_eq!(try_receive(&mut reader), Err(RecvError::WriterGone), "until it is followed");
    reader.await_next_writer().unwrap();
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut));
    let mut writer = self::writer(place);
    send(&mut writer, b"next");
    assert_eq!(receive(&mut reader), b"next");
    drop(writer);
    let met = reader.recv_with(&mut [0; ROOM], &mut in_time());
    assert_eq!(met, Err(RecvError::WriterGone), "a new failure is seen");
}

pub(crate) fn leaving_in_order_ends_nothing<H: Harness>(place: &H) {
    let mut reader = reader(place);
    for text in [b"one", b"two", b"thr"] {
        let mut writer = writer(place);
        send(&mut writer, text);
        writer.close().unwrap();
        assert_eq!(receive(&mut reader), text);
        assert_eq!(reader.recv_with(&mut [0; ROOM], &mut briefly()), Err(RecvError::TimedOut));
    }
}

pub(crate) fn a_successor_comes_behind<H: Harness>(place: &H) {
    let (mut reader, mut first) = pair(place);
    send(&mut first, b"first");
    let taken = Writer::<H::Backend>::open(place.address()).map(drop);
    let expected = matches!(taken, Err(Error::SeatTaken { role: Role::Writer, .. }));
    assert!(expected, "{taken:?}");
    first.close().unwrap();
    let mut second = writer(place);
    // In a slot there is no room: the first one's message still lies there.
    let at_once = try_send(&mut second, b"second").is_ok();
    assert_eq!(at_once, matches!(second.backend().layout(), Layout::Ring { .. }));
    assert_eq!(receive(&mut reader), b"first");
    if !at_once {
        send(&mut second, b"second");
    }
    assert_eq!(receive(&mut reader), b"second");
}

// Memory that goes.

pub(crate) fn a_reader_drains_removed_memory<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    send(&mut writer, b"old");
    guest(place).remove().unwrap();
    assert_eq!(receive(&mut reader), b"old");
    // Both find each other on new memory. What the writer publishes on the old
    // one before it notices is sent again when it leaves.
    thread::scope(|scope| {
        scope.spawn(move || {
            send(&mut writer, b"new");
            writer.close().unwrap();
        });
        assert_eq!(receive(&mut reader), b"new");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut), "nothing comes twice");
}

pub(crate) fn a_stranded_message_is_sent_again_once<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    send(&mut writer, b"stranded");
    guest(place).remove().unwrap();
    assert_eq!(writer.stranded(), Ok(1));
    reader.close().unwrap();
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| {
            // A ring's writer has room, and no cause to look around.
            writer.recover(&mut in_time()).unwrap();
            send(&mut writer, b"next");
            send(&mut writer, b"last");
        });
        for expected in [b"stranded".as_slice(), b"next", b"last"] {
            assert_eq!(receive(&mut reader), expected);
        }
    });
    assert_eq!(writer.stranded(), Ok(0));
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut));
}

pub(crate) fn close_sends_a_stranded_message_again<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    send(&mut writer, b"stranded");
    guest(place).remove().unwrap();
    drop(reader);
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| writer.close().unwrap());
        assert_eq!(receive(&mut reader), b"stranded");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::TimedOut), "once, and left in order");
}

pub(crate) fn recover_moves_to_new_memory<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    send(&mut writer, b"stranded");
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    guest(place).remove().unwrap();
    drop(reader);
    let mut reader = self::reader(place);
    writer.recover(&mut in_time()).unwrap();
    assert_eq!(receive(&mut reader), b"stranded");
    guest(place).remove().unwrap();
    // With nothing stranded it moves all the same.
    writer.recover(&mut WaitPolicy::non_blocking()).unwrap();
    assert_eq!(got(&guest(place)), 0);
    put(writer.backend(), 8);
    assert_eq!(got(&guest(place)), 8);
}

pub(crate) fn an_end_on_removed_memory_was_received<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.end_with(&mut in_time()).unwrap();
    reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap().end_session().unwrap();
    assert_eq!(writer.stranded(), Ok(0));
    // Though the reader is still attached, nothing needs to be waited for.
    writer.flush(&mut WaitPolicy::non_blocking()).unwrap();
    writer.close().unwrap();
    assert!(!holds_first_message(&guest(place)));
}

pub(crate) fn a_kept_end_leaves_the_memory_to_the_next_session<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let here = guest(place);
    for text in [b"one", b"two"] {
        send(&mut writer, text);
        assert_eq!(receive(&mut reader), text);
        writer.end_with(&mut in_time()).unwrap();
        let end = reader.peek_with(&mut in_time()).unwrap();
        assert!(end.ends_session());
        end.release();
        writer.close().unwrap();
        writer = self::writer(place);
    }
    put(&here, 64);
    assert_eq!(got(&guest(place)), 64, "it is the same memory");
}

pub(crate) fn what_is_sent_plainly_arrives<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    assert!(writer.capacity() > 1000 && reader.capacity() >= writer.capacity());
    assert_eq!(reader.wait_with(&mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut), "nothing is there");
    let soon = Instant::now() + Duration::from_millis(1);
    assert_eq!(reader.wait_with(&mut WaitPolicy::deadline(soon).spins(0)), Err(RecvError::TimedOut), "still nothing");
    writer.send(b"plain").unwrap();
    assert_eq!(reader.wait_with(&mut in_time()), Ok(()));
    let message = reader.peek().unwrap();
    assert!(!message.ends_session());
    assert_eq!(message.text(), b"plain");
    message.release();
    writer.end_with(&mut in_time()).unwrap();
    assert!(reader.peek().unwrap().ends_session());
}

pub(crate) fn flushed_and_closed<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send(b"taken").unwrap();
    reader.peek().unwrap().release();
    writer.send(b"stranded").unwrap();
    guest(place).remove().unwrap();
    reader.close().unwrap();
    let mut reader = self::reader(place);
    assert_eq!(
        reader.wait_with(&mut WaitPolicy::non_blocking()),
        Err(RecvError::TimedOut),
        "it lies in the old memory"
    );
    writer.flush(&mut in_time()).unwrap();
    let message = reader.peek_with(&mut in_time()).unwrap();
    assert_eq!(message.text(), b"stranded");
    message.release();
    writer.close_flushed().unwrap();
    assert_eq!(reader.wait_with(&mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut), "it left in order");
}
