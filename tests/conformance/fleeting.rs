//! Memory that goes with its last attachment: a writer leaves when all it sent is released.

use crate::soon;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::{Reader, RecvError, SendError, Tick, WaitPolicy, WaitingFor, Writer};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

fn in_time() -> WaitPolicy<'static> {
    WaitPolicy::deadline(soon())
}

fn each() -> [Channel; 2] {
    [Channel::new(2048), Channel::ring(4096)].map(Channel::that_goes_with_its_last)
}

/// A reader and a writer with one message between them.
fn sent(place: &Channel) -> (Reader<InProc>, Writer<InProc>) {
    let reader = Reader::<InProc>::open(place).unwrap();
    let mut writer = Writer::<InProc>::open(place).unwrap();
    writer.send_with(b"hello", &mut in_time()).unwrap();
    (reader, writer)
}

#[test]
fn what_nobody_released_goes_with_the_last_one() {
    for place in each() {
        let (reader, writer) = sent(&place);
        drop((reader, writer));
        let mut reader = Reader::<InProc>::open(&place).unwrap();
        assert_eq!(reader.wait_with(&mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut), "a drop does not wait");
    }
}

#[test]
fn a_writer_that_flushes_waits_for_the_reader() {
    for place in each() {
        let (mut reader, mut writer) = sent(&place);
        let mut waited_for = Vec::new();
        let mut hook = |tick: Tick| {
            waited_for.push(tick.waiting_for);
            match waited_for.len() {
                3 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        };
        assert_eq!(writer.flush(&mut WaitPolicy::forever().on_tick(&mut hook)), Err(SendError::Interrupted));
        assert_eq!(waited_for, [WaitingFor::Receipt; 3]);
        assert_eq!(writer.stranded(), Ok(1));
        let soon = Instant::now() + Duration::from_millis(1);
        assert_eq!(writer.flush(&mut WaitPolicy::deadline(soon)), Err(SendError::TimedOut));
        reader.peek().unwrap().release();
        assert_eq!(writer.stranded(), Ok(0));
        writer.flush(&mut in_time()).unwrap();
        writer.close_flushed().unwrap();
    }
}

/// A reader that left is no reason to leave.
#[test]
fn a_writer_that_flushes_waits_for_the_next_reader() {
    for place in each() {
        let (reader, mut writer) = sent(&place);
        reader.close().unwrap();
        assert_eq!(writer.flush(&mut WaitPolicy::non_blocking()), Err(SendError::TimedOut));
        let mut next = Reader::<InProc>::open(&place).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| writer.flush(&mut in_time()).unwrap());
            next.peek_with(&mut in_time()).unwrap().release();
        });
    }
}

/// An end is answered by the removal.
#[test]
fn a_session_that_has_ended_is_flushed() {
    for place in each() {
        let mut reader = Reader::<InProc>::open(&place).unwrap();
        let mut writer = Writer::<InProc>::open(&place).unwrap();
        writer.end_with(&mut in_time()).unwrap();
        assert_eq!(writer.flush(&mut WaitPolicy::non_blocking()), Err(SendError::TimedOut), "nobody has met the end");
        reader.peek_with(&mut in_time()).unwrap().end_session().unwrap();
        writer.flush(&mut in_time()).unwrap();
        assert_eq!(writer.stranded(), Ok(0));
    }
}
