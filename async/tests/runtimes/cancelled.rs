//! Futures that are dropped at every poll, with the other side's step between any two of them: what was ready was done, what was
//! not was not, and all comes once and in order.

use crate::place::{LAYOUTS, Layout, Place, message, number};
use crate::{Flag, poll_once, poll_times, until};
use futures::{SinkExt, StreamExt};
use shm_handoff::{Received, RecvError};
use std::future::Future;
use std::pin::pin;
use std::task::Context;

crate::on_each! {
    receiving sending sinking ending a_death_that_nobody_was_told_of a_reader_that_came_and_went an_end_told_to_nobody
    an_end_before_other_calls other_calls_in_between
}

/// The most polls before a future is dropped. With no spins the second one is behind the thread's start.
const POLLS: usize = 4;

/// Every number of polls, and every moment for the other side's step among them, with the thread at once and after spins.
fn moments() -> impl Iterator<Item = (usize, usize, u32)> {
    (0..=POLLS).flat_map(|polls| (0..=polls).flat_map(move |step| [0, 100].map(|spins| (polls, step, spins))))
}

/// Gives the thread the time to find what there is to find, now and then.
fn pause(polls: usize) {
    if polls.is_multiple_of(2) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

async fn receiving() {
    for (polls, step, spins) in moments() {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.reader().spins(spins), place.blocking_writer());
            let mut numbers = Vec::new();
            let mut bytes = [0; 2048];
            let mut send = |poll| {
                if poll == step {
                    writer.send(&message(0)).unwrap();
                    pause(polls);
                }
            };
            let taken = if step % 2 == 0 {
                let received = poll_times(reader.recv(&mut bytes), polls, &mut send);
                received.map(|received| assert_eq!(received, Ok(Received::Message(8)))).map(|()| bytes[..8].to_vec())
            } else {
                poll_times(reader.next(), polls, &mut send).map(|received| received.unwrap().unwrap())
            };
            numbers.extend(taken.map(|bytes| number(&bytes)));
            if step == polls {
                send(step);
            }
            let mut writer = shm_handoff_async::Writer::new(writer);
            let sends = async {
                writer.send(&message(1)).await.unwrap();
                writer.end().await.unwrap();
            };
            let receives = async {
                while let Some(bytes) = reader.next().await {
                    numbers.push(number(&bytes.unwrap()));
                }
            };
            futures::join!(sends, receives);
            assert_eq!(numbers, [0, 1], "{layout:?}, {polls} polls, the message before poll {step}, {spins} spins");
        }
    }
}

async fn sending() {
    for (polls, step, spins) in moments() {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(spins));
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            writer.send(&message(0)).await.unwrap();
            sent.push(0);
            // Until it is full, with lengths that come to other ends in a ring.
            for number in 1.. {
                let bytes = padded(layout, number);
                if poll_times(writer.send(&bytes), 1, |_| ()).is_none() {
                    break;
                }
                sent.push(number);
            }
            let mut take = |poll| {
                if poll == step {
                    let bytes = reader.next_message().unwrap().unwrap();
                    received.push(number(&bytes[..8]));
                    pause(polls);
                }
            };
            let next = sent.last().unwrap() + 10;
            if let Some(done) = poll_times(writer.send(&padded(layout, next)), polls, &mut take) {
                done.unwrap();
                sent.push(next);
            }
            let next = next + 1;
            // Another length, behind one that was dropped.
            if let Some(done) = poll_times(writer.send(&message(next)), polls, &mut |_| ()) {
                done.unwrap();
                sent.push(next);
            }
            let rest = std::thread::spawn(move || {
                let rest: Result<Vec<_>, _> = reader.messages().collect();
                rest.unwrap()
            });
            writer.send(&message(next + 1)).await.unwrap();
            sent.push(next + 1);
            writer.end().await.unwrap();
            received.extend(rest.join().unwrap().iter().map(|bytes| number(&bytes[..8])));
            assert_eq!(received, sent, "{layout:?}, {polls} polls, room before poll {step}, {spins} spins");
        }
    }
}

/// A message as long as the layout lets it be of another length.
fn padded(layout: Layout, number: u32) -> Vec<u8> {
    let mut bytes = message(number).to_vec();
    if layout == Layout::Ring {
        bytes.resize(4000 + number as usize * 137 % 4000, 7);
    }
    bytes
}

/// What a sink was given comes, however often a flush was dropped.
async fn sinking() {
    for (polls, step, spins) in moments() {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(spins));
            let count = if layout == Layout::Ring { 100 } else { 4 };
            let mut taken = 0;
            let mut next = 0;
            while next < count {
                let given = poll_times(writer.feed(padded(layout, next)), 1 + polls, |poll| {
                    if poll == step && reader.is_ready().unwrap() {
                        let bytes = reader.next_message().unwrap().unwrap();
                        assert_eq!(number(&bytes[..8]), taken);
                        taken += 1;
                    }
                });
                match given {
                    Some(given) => {
                        given.unwrap();
                        next += 1;
                    }
                    // A message is not given before the sink is ready for it.
                    None if reader.is_ready().unwrap() => {
                        assert_eq!(number(&reader.next_message().unwrap().unwrap()[..8]), taken);
                        taken += 1;
                    }
                    None => pause(0),
                }
            }
            let rest = std::thread::spawn(move || {
                let rest: Result<Vec<_>, _> = reader.messages().collect();
                rest.unwrap()
            });
            writer.send(&message(next)).await.unwrap();
            writer.end().await.unwrap();
            let rest: Vec<u32> = rest.join().unwrap().iter().map(|bytes| number(&bytes[..8])).collect();
            assert_eq!(rest, (taken..=next).collect::<Vec<_>>(), "{layout:?}, {polls} polls, {spins} spins");
        }
    }
}

/// However often it was dropped: one session has one end.
async fn ending() {
    for (polls, step, spins) in moments() {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(spins));
            writer.send(&message(0)).await.unwrap();
            let mut is_taken = false;
            let ended = poll_times(writer.end(), polls, |poll| {
                if poll == step {
                    assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::Message(8)));
                    is_taken = true;
                    pause(polls);
                }
            });
            let place = &place;
            std::thread::scope(|scope| {
                let receives = scope.spawn(move || {
                    if !is_taken {
                        assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::Message(8)));
                    }
                    assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::End));
                    assert!(reader.end_session().unwrap());
                    drop(reader);
                    let mut next = place.blocking_reader();
                    assert_eq!(
                        next.recv(&mut [0; 2048]),
                        Ok(Received::Message(8)),
                        "{layout:?}, {polls} polls, {step}, {spins} spins: no second end"
                    );
                });
                smol::block_on(async {
                    if let Some(ended) = ended {
                        ended.unwrap();
                    } else {
                        writer.end().await.unwrap();
                    }
                    writer.send(&message(1)).await.unwrap();
                    writer.leave().await.unwrap();
                });
                receives.join().unwrap();
            });
        }
    }
}

/// A death that the thread has met for a future that was dropped is no answer to a question that was asked when the
/// next writer was there.
async fn a_death_that_nobody_was_told_of() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader().spins(0), place.blocking_writer());
        writer.send(&message(0)).unwrap();
        assert_eq!(reader.next().await, Some(Ok(message(0).to_vec())));
        let (woken, waker) = Flag::new();
        {
            let mut bytes = [0; 2048];
            let mut receives = pin!(reader.recv(&mut bytes));
            assert!(receives.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(writer);
            until("the waker is called", || woken.is_set());
        }
        let mut next = place.blocking_writer();
        assert_eq!(poll_times(reader.next(), 1, |_| ()), None, "{layout:?}: the next writer is there");
        next.send(&message(1)).unwrap();
        assert_eq!(reader.recv(&mut [0; 2048]).await, Ok(Received::Message(8)), "{layout:?}");
        assert_eq!(poll_times(reader.recv(&mut [0; 2048]), 1, |_| ()), None, "{layout:?}: the next writer is there");
        drop(next);
        assert_eq!(reader.recv(&mut [0; 2048]).await, Err(RecvError::WriterGone));
    }
}

/// One that the thread has met for a future that was dropped is no answer to a question that is asked when it has gone.
async fn a_reader_that_came_and_went() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut writer = place.writer().spins(0);
        let (woken, waker) = Flag::new();
        let reader = {
            let mut awaits = pin!(writer.await_reader());
            assert!(awaits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            let reader = place.blocking_reader();
            until("the waker is called", || woken.is_set());
            reader
        };
        drop(reader);
        assert_eq!(poll_times(writer.await_reader(), 2, |_| ()), None, "{layout:?}: nobody is there");
        let _reader = place.blocking_reader();
        writer.await_reader().await.unwrap();
    }
}

/// An end that nobody has heard of is the session's, also if the writer was used for something else meanwhile.
async fn an_end_before_other_calls() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(0));
        writer.send(&message(0)).await.unwrap();
        let full = writer.inner().await;
        // A ring that has no room for that can have some for less.
        while full.try_send(&message(0)).is_ok() || (layout == Layout::Ring && full.try_send(b"").is_ok()) {}
        {
            let mut ends = pin!(writer.end());
            assert!(poll_once(ends.as_mut()).is_pending(), "{layout:?}: there is no room for an end");
            while let Ok(Received::Message(_)) = reader.recv(&mut [0; 2048]) {}
            assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::End), "{layout:?}");
        }
        assert!(writer.inner().await.capacity() > 0);
        writer.end().await.unwrap();
        assert!(reader.end_session().unwrap(), "{layout:?}");
        drop(reader);
        let mut next = place.blocking_reader();
        writer.send(&message(1)).await.unwrap();
        assert_eq!(next.recv(&mut [0; 2048]), Ok(Received::Message(8)), "{layout:?}: no second end");
    }
}

/// An end that was told behind a future that was dropped is the next call's, and not that of a later session.
async fn an_end_told_to_nobody() {
    let place = Place::ring();
    let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(0));
    let mut count = 0;
    while poll_times(writer.send(&[7; 16 << 10]), 1, |_| ()).is_some() {
        count += 1;
    }
    // A ring that is full has no room for an end either.
    while poll_times(writer.send(&[7; 8]), 1, |_| ()).is_some() {
        count += 1;
    }
    // Back from the thread, so that the first poll gives it the end.
    writer.inner().await;
    let (woken, waker) = Flag::new();
    {
        let mut ends = pin!(writer.end());
        if ends.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            assert!(matches!(reader.recv(&mut [0; 16 << 10]), Ok(Received::Message(_))));
            count -= 1;
            until("the waker is called", || woken.is_set());
        }
    }
    for _ in 0..count {
        assert!(matches!(reader.recv(&mut [0; 16 << 10]), Ok(Received::Message(_))));
    }
    assert_eq!(reader.recv(&mut [0; 16]), Ok(Received::End));
    assert!(reader.end_session().unwrap());
    drop(reader);
    let mut reader = place.blocking_reader();
    writer.send(&message(1)).await.unwrap();
    writer.end().await.unwrap();
    assert_eq!(reader.recv(&mut [0; 16]), Ok(Received::Message(8)));
    assert_eq!(reader.recv(&mut [0; 16]), Ok(Received::End), "the second session has its end");
}

/// Calls of another kind while the thread waits for the first.
async fn other_calls_in_between() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader().spins(0), place.writer().spins(0));
        for round in 0..20 {
            assert_eq!(poll_times(reader.recv(&mut [0; 2048]), 2, |_| ()), None);
            assert_eq!(reader.end_session().await, Ok(false));
            assert_eq!(reader.inner().await.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
            assert!(poll_times(reader.ready(), 2, |_| ()).is_none());
            writer.send(&message(round)).await.unwrap();
            if layout != Layout::Ring {
                assert!(poll_times(writer.ready(8), 2, |_| ()).is_none());
                assert!(poll_times(writer.send(&message(9)), 2, |_| ()).is_none());
            }
            writer.await_reader().await.unwrap();
            assert_eq!(reader.next().await, Some(Ok(message(round).to_vec())), "{layout:?}");
        }
        let (blocking, mut writer) = (reader.into_inner(), writer.into_inner());
        writer.send(&message(1)).unwrap();
        let mut reader = shm_handoff_async::Reader::new(blocking);
        assert_eq!(reader.next().await, Some(Ok(message(1).to_vec())));
    }
}
